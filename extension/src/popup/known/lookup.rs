//! Looks up what was scanned: asks the records and the log, and shows what core finds.
//!
//! Nothing waits for this. A scan is in the log before it is looked up, and what was found is added to it then. Scans are
//! looked up one after the other: of two copies that come in together, the second is for whoever waits next.

use crate::{
    clock::{self, DeskZone},
    directory::{Disk, DiskError, Records},
    i18n::text_with,
    popup::{Desk, window::message::Tone},
    store::{Store, StoreError},
    wording,
};
use koct_core::{
    Action, Entry, Moment,
    directory::{
        desk_view::{DeskView, LaterChanges, LogEntries},
        item_now::ItemWarning,
        patron_now::PatronFound,
        record::Patron,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;

#[derive(Default)]
pub(crate) struct Lookups {
    /// What the log tells that the records cannot.
    later: RefCell<Rc<LaterChanges>>,
    /// What is to be looked up yet.
    waiting: RefCell<VecDeque<Job>>,
    working: Cell<bool>,
}

struct Job {
    entry: Entry,
    /// When the patron's warnings were confirmed, where that was done before the scan.
    confirmed: Option<Moment>,
}

/// Why something could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error(transparent)]
    Records(#[from] DiskError),
    #[error(transparent)]
    Log(#[from] StoreError),
}

/// The log, as look-ups ask it.
struct Log<'a>(&'a Store);

impl LogEntries for Log<'_> {
    type Error = LookupError;

    async fn of_items(&self, keys: &[String]) -> Result<Vec<Entry>, LookupError> {
        Ok(self.0.of_items(keys).await?)
    }

    async fn of_cards(&self, cards: &[String]) -> Result<Vec<Entry>, LookupError> {
        Ok(self.0.of_cards(cards).await?)
    }

    async fn of_holds(&self, holds: &[u32]) -> Result<Vec<Entry>, LookupError> {
        Ok(self.0.of_holds(holds).await?)
    }
}

pub(crate) fn name_and_card(patron: &Patron) -> String {
    wording::joined([&patron.name(), &patron.cardnumber])
}

impl Desk {
    /// The name of a library, or its code where that is all that is known.
    pub(crate) fn library_name(&self, code: &str) -> String {
        let records = self.records.get();
        let name = records.as_ref().and_then(|records| records.contents().libraries.get(code).cloned());
        name.unwrap_or_else(|| code.to_owned())
    }

    /// What is warned of about an item, in words.
    pub(crate) fn words_of(&self, about: &ItemWarning) -> String {
        let who = about.who.as_ref().map(name_and_card).unwrap_or_default();
        wording::warning(&about.warning, &who, &|code| self.library_name(code))
    }

    /// Finds out what the log tells that the records cannot: after a download, and after a commit.
    pub(crate) async fn reload_since(&self) {
        let Some(records) = self.records.get() else { return };
        match self.store.batches().await {
            Ok(batches) => {
                self.lookups.later.replace(Rc::new(LaterChanges::new(records.contents(), &batches)));
            }
            // What cannot be read is not nothing: what was known of the commits before stays.
            Err(error) => self.lookup_failed(&LookupError::Log(error)),
        }
    }

    fn lookup_failed(&self, error: &LookupError) {
        let words = match error {
            LookupError::Records(error) => wording::disk(error),
            LookupError::Log(error) => text_with("openFailed", &[&error.to_string()]),
        };
        self.message.show(Tone::Bad, &words);
    }

    fn view<'a>(&'a self, records: &'a Records, later: &'a LaterChanges) -> DeskView<'a, Disk, Log<'a>> {
        let debt_limit = self.preferences.borrow().records.debt_limit().ok().flatten();
        DeskView { records, log: Log(&self.store), later, now: clock::now(), debt_limit }
    }

    /// The cardnumber of whoever has this as a user name. `None` where it is a cardnumber, or nobody is known.
    pub(crate) async fn card_of_user(&self, typed: &str) -> Option<String> {
        self.records.get()?.card_of_user(typed).await.ok()?
    }

    /// What is known of the patron with this card or user name. `None` where there are no records.
    pub(crate) async fn find_patron(&self, typed: &str) -> Option<PatronFound> {
        let (records, later) = (self.records.get()?, self.lookups.later.borrow().clone());
        let found = self.view(&records, &later).patron(typed).await;
        found.inspect_err(|error| self.lookup_failed(error)).ok()
    }

    /// Looks up what was just recorded, and warns where there is something to be warned of. Never waits.
    pub(crate) fn look_up(self: &Rc<Self>, entry: Entry) {
        if self.records.get().is_none() {
            return;
        }
        let confirmed = entry.transaction.action.cardnumber().and_then(|card| self.patron.confirmed_for(card.as_str()));
        self.lookups.waiting.borrow_mut().push_back(Job { entry, confirmed });
        if !self.lookups.working.replace(true) {
            spawn_local(self.clone().look_up_waiting());
        }
    }

    async fn look_up_waiting(self: Rc<Self>) {
        loop {
            // Not in the head of a `while let`: the queue must not stay borrowed over the await.
            let next = self.lookups.waiting.borrow_mut().pop_front();
            let Some(job) = next else { break };
            let Some(records) = self.records.get() else { continue };
            let looked = self.look_up_job(&records, &job).await;
            self.patron.refresh_soon(&self);
            if let Err(error) = looked {
                self.lookup_failed(&error);
            }
        }
        self.lookups.working.set(false);
    }

    async fn look_up_job(
        self: &Rc<Self>,
        records: &Records,
        Job { entry, confirmed }: &Job,
    ) -> Result<(), LookupError> {
        let later = self.lookups.later.borrow().clone();
        let view = self.view(records, &later);
        match &entry.transaction.action {
            Action::Issue { cardnumber, .. } => {
                if let Some(found) = view.checkout(entry).await? {
                    let confirmed = confirmed.or_else(|| self.patron.confirmed_for(cardnumber.as_str()));
                    self.warn(entry, &found.warned(confirmed), &found.of_item).await;
                }
            }
            Action::Return { .. } => {
                if let Some(found) = view.checkin(entry, &DeskZone).await? {
                    self.show_returned(entry, &found);
                    self.warn(entry, &found.warned(), &found.warnings).await;
                }
            }
            Action::Payment { .. } => {}
        }
        Ok(())
    }
}
