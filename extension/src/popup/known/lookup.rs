//! Asks the records and the log about patrons and items.

use crate::{
    clock::{self, DeskZone},
    directory::{self, Disk, DiskError},
    dom::elements,
    i18n::text_with,
    later::later,
    popup::{Desk, Tone, known::records::RecordsPanel},
    store::{Store, StoreError},
    wording::{self, Explained as _},
};
use koct_core::{
    Entry,
    directory::{
        desk_view::{DeskView, LaterChanges, LogEntries},
        item_now::ItemWarning,
        patron_now::PatronFound,
        record::Patron,
    },
};
use std::{cell::RefCell, rc::Rc};

elements! {
    pub(crate) struct Lookups(desk: Rc<Desk>, records: Rc<RecordsPanel>) {
        ;
        /// What the log tells that the records cannot.
        later: RefCell<Rc<LaterChanges>>,
    }
}

/// Why something could not be looked up.
#[derive(Debug)]
pub(crate) enum LookupError {
    Records(DiskError),
    Log(StoreError),
}

impl From<DiskError> for LookupError {
    fn from(error: DiskError) -> Self {
        Self::Records(error)
    }
}

impl From<StoreError> for LookupError {
    fn from(error: StoreError) -> Self {
        Self::Log(error)
    }
}

/// The log, as look-ups ask it.
pub(super) struct Log<'a>(&'a Store);

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

impl Lookups {
    /// What is warned of about an item, in words.
    pub(crate) fn words_of(&self, about: &ItemWarning) -> String {
        let who = about.who.as_ref().map(name_and_card).unwrap_or_default();
        wording::warning(&about.warning, &who, &|code| self.records.library_name(code))
    }

    /// Finds out what the log tells that the records cannot: after a download, and after a commit.
    pub(crate) async fn reload_since(self: &Rc<Self>) {
        reload_since(self.clone()).await;
    }

    /// The branch code of this desk's library; empty where that is not set.
    pub(crate) fn own_library(&self) -> String {
        self.desk.preferences.borrow().form.branchcode.clone()
    }

    /// As of when the records are.
    pub(super) fn as_of(&self) -> String {
        self.records.as_of()
    }

    /// The name of a library, or its code where that is all that is known.
    pub(crate) fn library_name(&self, code: &str) -> String {
        self.records.library_name(code)
    }

    /// Says that something could not be looked up.
    pub(super) fn failed(&self, error: &LookupError) {
        let words = match error {
            LookupError::Records(error) => wording::disk(error),
            LookupError::Log(error) => text_with("readFailed", &[&error.explained()]),
        };
        self.desk.message.show(Tone::Bad, &words);
    }

    /// The records and the log, as they are asked.
    pub(super) fn view<'a>(
        &'a self,
        records: &'a directory::Records,
        later: &'a LaterChanges,
    ) -> DeskView<'a, Disk, Log<'a>> {
        let debt_limit = self.desk.preferences.borrow().records.debt_limit().ok().flatten();
        DeskView { records, log: Log(&self.desk.store), later, now: clock::now(), debt_limit }
    }

    /// What the log tells that the records cannot.
    pub(super) fn later(&self) -> Rc<LaterChanges> {
        self.later.borrow().clone()
    }

    /// The cardnumber of whoever has this as a user name. `None` where it is a cardnumber, nobody is known, or that cannot be read: then
    /// it stays as it was typed, and the look-up of what is recorded for it says so.
    pub(crate) async fn card_of_user(&self, typed: &str) -> Option<String> {
        self.records.get()?.card_of_user(typed).await.ok()?
    }

    /// Who had what came back, as far as that is known still.
    pub(crate) async fn who_had(&self, entry: &Entry) -> Option<Patron> {
        let (records, later) = (self.records.get()?, self.later());
        let found = self.view(&records, &later).checkin(entry, &DeskZone).await.ok()??;
        found.loan?.who
    }

    /// What is known of the patron with this card or user name. `None` where there are no records.
    pub(crate) async fn find_patron(self: &Rc<Self>, typed: &str) -> Option<PatronFound> {
        find_patron(self.clone(), typed.to_owned()).await
    }
}

later! {
    async fn reload_since(lookups: Rc<Lookups>) {
        let Some(records) = lookups.records.get() else { return };
        match lookups.desk.store.batches().await {
            Ok(batches) => {
                lookups.later.replace(Rc::new(LaterChanges::new(records.contents(), &batches)));
            }
            // What cannot be read is not nothing: what was known of the commits before stays.
            Err(error) => lookups.failed(&LookupError::Log(error)),
        }
    }

    async fn find_patron(lookups: Rc<Lookups>, typed: String) -> Option<PatronFound> {
        let (records, later) = (lookups.records.get()?, lookups.later());
        let found = lookups.view(&records, &later).patron(&typed).await;
        found.inspect_err(|error| lookups.failed(error)).ok()
    }
}
