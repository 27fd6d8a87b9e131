//! Looks up what was scanned, and shows and keeps what core finds.
//!
//! Nothing waits for this. A scan is in the log before it is looked up, and what was found is added to it then. Scans are
//! looked up one after the other: of two copies that come in together, the second is for whoever waits next.

use super::{
    lookup::{LookupError, Lookups},
    patron::PatronPanel,
    records::Records,
    returned::Returned,
    warnings::Warnings,
};
use crate::{
    clock::DeskZone,
    directory,
    dom::elements,
    i18n::text_with,
    later::later,
    popup::{Desk, Tone, Topic},
    store::StoreError,
};
use koct_core::{
    Action, Entry, Moment,
    directory::{holder, item_now::ItemWarning, to_confirm::OpenWarning},
    log::{
        event::LogEvent,
        warned::{Warned, Warning},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;

elements! {
    pub(crate) struct LookupQueue(
        desk: Rc<Desk>, records: Rc<Records>, lookups: Rc<Lookups>, warnings: Rc<Warnings>, patron: Rc<PatronPanel>,
        returned: Rc<Returned>,
    ) {
        ;
        waiting: RefCell<VecDeque<Job>>,
        working: Cell<bool>,
    }
}

/// What is to be looked up yet.
struct Job {
    entry: Entry,
    /// When the patron's warnings were confirmed, where that was done before the scan.
    confirmed: Option<Moment>,
}

later! {
    async fn look_up_waiting(queue: Rc<LookupQueue>) {
        queue.look_up_waiting().await;
    }
}

impl LookupQueue {
    /// Looks up what was just recorded, and warns where there is something to be warned of. Never waits.
    pub(crate) fn look_up(self: &Rc<Self>, entry: Entry) {
        if self.records.get().is_none() {
            return;
        }
        let confirmed = entry.transaction.action.cardnumber().and_then(|card| self.patron.confirmed_for(card.as_str()));
        self.waiting.borrow_mut().push_back(Job { entry, confirmed });
        if !self.working.replace(true) {
            spawn_local(look_up_waiting(self.clone()));
        }
    }

    async fn look_up_waiting(self: Rc<Self>) {
        loop {
            // Not in the head of a `while let`: the queue must not stay borrowed over the await.
            let next = self.waiting.borrow_mut().pop_front();
            let Some(job) = next else { break };
            let Some(records) = self.records.get() else { continue };
            let looked = self.look_up_job(&records, &job).await;
            self.patron.refresh_soon();
            if let Err(error) = looked {
                self.lookups.failed(&error);
            }
        }
        self.working.set(false);
    }

    async fn look_up_job(
        self: &Rc<Self>,
        records: &directory::Records,
        Job { entry, confirmed }: &Job,
    ) -> Result<(), LookupError> {
        let later = self.lookups.later();
        let view = self.lookups.view(records, &later);
        match &entry.transaction.action {
            Action::Issue { cardnumber, .. } => {
                if let Some(found) = view.checkout(entry).await? {
                    let confirmed = confirmed.or_else(|| self.patron.confirmed_for(cardnumber.as_str()));
                    self.warn(entry, &found.warned(confirmed), &found.of_item).await;
                }
            }
            Action::Return { .. } => {
                if let Some(found) = view.checkin(entry, &DeskZone).await? {
                    self.returned.show(entry, &found);
                    self.warn(entry, &found.warned(), &found.warnings).await;
                }
            }
            Action::Payment { .. } => {}
        }
        Ok(())
    }

    /// Keeps with a transaction what the person is warned of, and says so. `of_item` is what of it is about the item.
    async fn warn(self: &Rc<Self>, entry: &Entry, warned: &[Warned], of_item: &[ItemWarning]) {
        if warned.is_empty() {
            return;
        }
        let rule = |now: &Entry| if holder::is_up_to_date(entry, now) { now.warned(warned) } else { now.clone() };
        let kept = match self.desk.store.warn(&[entry.id], rule).await {
            Ok(kept) => kept,
            // Cleared meanwhile.
            Err(StoreError::NotOpen(_)) => return,
            Err(error) => return self.desk.failed(Topic::Other, "editFailed", &error),
        };
        let is_up_to_date = kept.iter().all(|now| holder::is_up_to_date(entry, now));
        self.desk.log_changed(&LogEvent::Changed(kept));
        if !is_up_to_date {
            return;
        }
        let action = &entry.transaction.action;
        let of_patron = warned.iter().filter(|warned| warned.warning.is_of_patron() && warned.confirmed.is_none());
        let of_patron: Vec<Warning> = of_patron.map(|warned| warned.warning.clone()).collect();
        if let Some(card) = action.cardnumber().filter(|_| !of_patron.is_empty()) {
            if !self.patron.shows(card.as_str()) {
                // A scanner was faster than the look-up.
                let name = self.name_of(card.as_str()).await.unwrap_or_default();
                self.warnings.add_patron(OpenWarning::of_patron(card.as_str(), entry.id, of_patron), &name);
            } else if let Some(confirmed) = self.patron.wait_for(entry.id) {
                self.warnings.clone().keep_confirmed(vec![entry.id], confirmed, Warning::is_of_patron).await;
            }
        }
        if !of_item.is_empty() {
            let barcode = action.barcode().map(ToString::to_string).unwrap_or_default();
            let reason = of_item.iter().map(|about| self.lookups.words_of(about)).collect::<Vec<_>>().join(" ");
            let warnings = of_item.iter().map(|about| about.warning.clone()).collect();
            self.warnings.add(OpenWarning::of_item(entry.id, warnings), |_| barcode.clone(), &reason);
            self.desk.message.answer(Tone::Doubt, &text_with("itemWarned", &[&barcode, &reason]));
        }
    }

    async fn name_of(&self, card: &str) -> Option<String> {
        Some(self.records.get()?.patron_by_code(card).await.ok()??.name())
    }
}
