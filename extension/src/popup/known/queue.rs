//! Looks up what was scanned, and shows and keeps what core finds.
//!
//! Nothing waits for this. A scan is in the log before it is looked up, and what was found is added to it then. Scans are
//! looked up one after the other: of two copies that come in together, the second is for whoever waits next.

use super::{
    lookup::{LookupError, Lookups},
    patron::PatronPanel,
    records::RecordsPanel,
    returned::Returned,
    warnings::Warnings,
};
use crate::{
    clock::DeskZone,
    directory,
    dom::elements,
    i18n::text_with,
    later::later,
    popup::{Desk, Panel, Tone, Topic, log::tall, scan::sitting::SittingLists},
    store::StoreError,
    wording,
};
use koct_core::{
    Action, Entry, Moment,
    directory::{announced::Announced, holder, item_now::ItemWarning},
    log::{
        event::LogEvent,
        said::Said,
        warned::{self, Grade, Warned},
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
        desk: Rc<Desk>, records: Rc<RecordsPanel>, lookups: Rc<Lookups>, warnings: Rc<Warnings>, patron: Rc<PatronPanel>,
        returned: Rc<Returned>, lists: Rc<SittingLists>,
    ) {
        ;
        waiting: RefCell<VecDeque<Job>>,
        working: Cell<bool>,
        /// Whether it is known if there are records: what is scanned before waits for them.
        has_looked: Cell<bool>,
    }
}

/// What is to be looked up yet.
struct Job {
    entry: Entry,
    /// When what is to be answered about the patron was answered, where that was before the scan.
    answered: Option<Moment>,
    /// When it was scanned, where the patron was shown by then: whoever scans has seen what is to be looked at.
    seen: Option<Moment>,
    /// When a person said that its code is an item's, much as it is a card's.
    is_item: Option<Moment>,
    /// Whether it is found out for its row alone: whoever corrected it is warned.
    is_for_row: bool,
}

later! {
    /// What the log tells that the records cannot is known before the first is looked up.
    async fn begin(queue: Rc<LookupQueue>) {
        if !queue.has_looked.get() {
            queue.lookups.reload_since().await;
            queue.has_looked.set(true);
        }
        queue.go();
    }

    async fn look_up_waiting(queue: Rc<LookupQueue>) {
        queue.look_up_waiting().await;
    }
}

impl Job {
    fn for_row(entry: Entry) -> Self {
        Self { entry, answered: None, seen: None, is_item: None, is_for_row: true }
    }
}

impl Panel for LookupQueue {
    /// Of what was corrected, in whichever window, its row says what is found of it now.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        for entry in event.entries().iter().filter(|entry| self.lists.is_outdated(entry)) {
            self.put(Job::for_row(entry.clone()));
        }
    }

    fn records_changed(self: Rc<Self>, are_there: bool) {
        if are_there {
            spawn_local(begin(self));
        } else {
            self.has_looked.set(true);
            self.waiting.take();
        }
    }
}

impl LookupQueue {
    /// Looks up what was just corrected, and warns where there is something to be warned of. Never waits.
    pub(crate) fn look_up(self: &Rc<Self>, entry: Entry) {
        self.look_up_scan(entry, false);
    }

    /// The same of what was just recorded. `is_item`: a person has said that its code is an item's.
    pub(crate) fn look_up_scan(self: &Rc<Self>, entry: Entry, is_item: bool) {
        let card = entry.transaction.action.cardnumber().filter(|card| self.patron.shows(card.as_str()));
        let answered = card.and_then(|card| self.patron.answered_for(card.as_str()));
        let seen = card.map(|_| entry.transaction.moment);
        let is_item = is_item.then_some(entry.transaction.moment);
        // All of it is found: the row needs no look-up of its own.
        self.waiting.borrow_mut().retain(|job| !job.is_for_row || job.entry.id != entry.id);
        self.put(Job { entry, answered, seen, is_item, is_for_row: false });
    }

    fn put(self: &Rc<Self>, job: Job) {
        if self.has_looked.get() && self.records.get().is_none() {
            return;
        }
        self.waiting.borrow_mut().push_back(job);
        self.go();
    }

    fn go(self: &Rc<Self>) {
        if self.has_looked.get() && self.records.get().is_some() && !self.working.replace(true) {
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
            self.look_up_corrected(&job.entry);
            self.patron.refresh_soon();
            if let Err(error) = looked {
                self.lookups.failed(&error);
            }
        }
        self.working.set(false);
    }

    /// What was corrected before anything was said of it is found for its row, too.
    fn look_up_corrected(self: &Rc<Self>, looked_up: &Entry) {
        let now = self.desk.sitting.borrow().entry(looked_up.id).cloned();
        let is_other = |now: &Entry| now.transaction.action != looked_up.transaction.action;
        if let Some(entry) = now.filter(is_other) {
            let mut waiting = self.waiting.borrow_mut();
            if waiting.iter().all(|job| job.entry.id != entry.id) {
                waiting.push_back(Job::for_row(entry));
            }
        }
    }

    async fn look_up_job(
        self: &Rc<Self>,
        records: &directory::Records,
        Job { entry, answered, seen, is_item, is_for_row }: &Job,
    ) -> Result<(), LookupError> {
        let later = self.lookups.later();
        let view = self.lookups.view(records, &later);
        match &entry.transaction.action {
            Action::Issue { cardnumber, .. } => {
                let as_card = entry.item_as_card(&*self.desk.codes()).unwrap_or_default();
                let Some(found) = view.checkout(entry, &as_card).await? else { return Ok(()) };
                self.name_stops(entry, &found.of_item);
                if !is_for_row {
                    let answered = answered.or_else(|| self.patron.answered_for(cardnumber.as_str()));
                    self.warn(entry, &found.warned(answered, *seen, *is_item), None, &found.of_item).await;
                }
            }
            Action::Return { .. } => {
                let Some(found) = view.checkin(entry, &DeskZone).await? else { return Ok(()) };
                if *is_for_row {
                    self.returned.tell(entry, &found);
                } else {
                    self.returned.show(entry, &found);
                    let late = found.loan.as_ref().and_then(|loan| loan.late);
                    self.warn(entry, &found.warned(), late, &found.warnings).await;
                }
            }
            Action::Payment { .. } => {}
        }
        Ok(())
    }

    /// Says in its row whom it is about what is to be answered.
    fn name_stops(&self, entry: &Entry, of_item: &[ItemWarning]) {
        let stops = of_item.iter().filter(|about| about.warning.is_stop());
        let stops = stops.map(|about| (about.warning.clone(), self.lookups.words_of(about))).collect();
        self.lists.tell(entry, Said { stops, ..Said::default() });
    }

    /// Keeps with a transaction what the person is warned of and by how many days it is late, and says what they are warned
    /// of. `of_item` is what of it is about the item.
    async fn warn(self: &Rc<Self>, entry: &Entry, warned: &[Warned], late: Option<u32>, of_item: &[ItemWarning]) {
        if warned.is_empty() && late.is_none() {
            return;
        }
        let as_of = self.records.get().and_then(|records| records.contents().as_of());
        let as_of = warned::age(as_of, entry.transaction.moment);
        let warned: Vec<Warned> = warned.iter().map(|warned| warned.clone().known_as_of(as_of)).collect();
        let found = |now: &Entry| Entry { late, late_as_of: late.and(as_of), ..now.warned(&warned) };
        let rule = |now: &Entry| if holder::is_up_to_date(entry, now) { found(now) } else { now.clone() };
        let kept = match self.desk.store.warn(&[entry.id], rule).await {
            Ok(kept) => kept,
            // Cleared meanwhile.
            Err(StoreError::NotOpen(_)) => return,
            Err(error) => return self.desk.failed(Topic::Other, "editFailed", &error),
        };
        let is_up_to_date = kept.iter().all(|now| holder::is_up_to_date(entry, now));
        self.desk.log_changed(&LogEvent::Changed(kept.clone()));
        if !is_up_to_date {
            return;
        }
        for now in &kept {
            self.warnings.shown(now);
        }
        if kept.iter().any(Entry::is_stopped) {
            tall::give_room(false);
        }
        let Some(Announced { warnings, grade }) = kept.first().and_then(|now| Announced::new(of_item, now)) else {
            return;
        };
        let reason: Vec<String> = warnings.iter().map(|about| self.lookups.words_of(about)).collect();
        let barcode = entry.transaction.action.barcode().map(ToString::to_string).unwrap_or_default();
        let words = text_with("itemWarned", &[&barcode, &reason.join(" ")]);
        self.desk.message.answer(tone(grade), &wording::joined([words, self.lookups.as_of()]));
    }
}

/// How that is said which asks this of a person.
fn tone(grade: Grade) -> Tone {
    match grade {
        Grade::Stop => Tone::Bad,
        Grade::Careful => Tone::Doubt,
        Grade::Do => Tone::Do,
        Grade::Note => Tone::Good,
    }
}
