//! The queue from the fields to the log: one durable transaction after another, in the order scanned.

use super::{Desk, Tone};
use crate::{clock, i18n::text, i18n::text_with, popup::attention::Problem};
use koct_core::{
    barcode::{Barcode, Cardnumber},
    log::Entry,
    status::State,
    transaction::{Action, Moment},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;

/// What was in the fields when Enter was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A checkout.
    Checkout {
        /// The patron's field.
        patron: String,
        /// The item's field.
        item: String,
    },
    /// A checkin.
    Checkin {
        /// The item's field.
        item: String,
    },
}

/// The queue.
#[derive(Default)]
pub(crate) struct Scans {
    waiting: RefCell<VecDeque<(Scan, Option<Moment>)>>,
    writing: Cell<bool>,
    checkouts: Cell<u32>,
    checkins: Cell<u32>,
}

impl Desk {
    /// Queues what was scanned now. Never waits.
    pub(super) fn scan(self: &Rc<Self>, scan: Scan) {
        self.scans.waiting.borrow_mut().push_back((scan, clock::now()));
        if !self.scans.writing.replace(true) {
            spawn_local(self.clone().write_scans());
        }
    }

    async fn write_scans(self: Rc<Self>) {
        loop {
            // Not in the head of a `while let`: the queue must not stay borrowed over the await.
            let next = self.scans.waiting.borrow_mut().pop_front();
            let Some((scan, moment)) = next else { break };
            match self.write(&scan, moment).await {
                Ok(entry) => self.confirm(entry),
                Err(problem) => {
                    self.message.show(Tone::Bad, &text_with("notRecorded", &[&scan.describe()]));
                    self.attention.add(&self, scan, problem);
                }
            }
        }
        self.scans.writing.set(false);
    }

    async fn write(&self, scan: &Scan, moment: Option<Moment>) -> Result<Entry, Problem> {
        let moment = moment.ok_or(Problem::Clock)?;
        let action = scan.action()?;
        self.store.record(action, moment).await.map_err(|error| Problem::Store(error.to_string()))
    }

    /// Shows that a scan is durable.
    fn confirm(self: &Rc<Self>, entry: Entry) {
        let count = |counter: &Cell<u32>| counter.set(counter.get() + 1);
        let action = &entry.transaction.action;
        let barcode = action.barcode().map(ToString::to_string).unwrap_or_default();
        let numbers = || [&self.scans.checkouts, &self.scans.checkins].map(|counter| counter.get().to_string());
        let message = if let Some(cardnumber) = action.cardnumber() {
            count(&self.scans.checkouts);
            let [checkouts, checkins] = numbers();
            text_with("recordedCheckout", &[&barcode, cardnumber.as_str(), &checkouts, &checkins])
        } else {
            count(&self.scans.checkins);
            let [checkouts, checkins] = numbers();
            text_with("recordedCheckin", &[&barcode, &checkouts, &checkins])
        };
        let mut counts = self.counts.get();
        counts.add(State::Local, 1);
        self.set_counts(counts);
        if self.table.is_filtered() {
            // A scan is always seen.
            spawn_local(self.clone().show_all());
        } else {
            self.table.append(entry);
        }
        self.message.show(Tone::Good, &message);
        self.tell_others();
    }
}

impl Scan {
    fn action(&self) -> Result<Action, Problem> {
        let barcode = |item: &str| Barcode::parse(item).map_err(Problem::Barcode);
        Ok(match self {
            Self::Checkout { patron, item } => Action::Issue {
                cardnumber: Cardnumber::parse(patron).map_err(Problem::Cardnumber)?,
                barcode: barcode(item)?,
            },
            Self::Checkin { item } => Action::Return { barcode: barcode(item)? },
        })
    }

    /// What was scanned, word for word.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Checkout { patron, item } => text_with("attentionCheckout", &[item, patron]),
            Self::Checkin { item } => text_with("attentionCheckin", &[item]),
        }
    }
}

/// The label of the button that deals with a scan that was not recorded.
pub(super) fn retry_label(problem: &Problem) -> String {
    text(if problem.is_about_the_code() { "attentionEdit" } else { "attentionRetry" })
}
