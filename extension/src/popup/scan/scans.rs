//! The queue from the fields to the log: one durable transaction after another, in the order scanned.

use crate::{
    clock, dom,
    http::sleep,
    i18n::{text, text_with},
    locale,
    popup::{Desk, Tone, Topic, scan::attention::Problem},
    store::StoreError,
    wording,
};
use futures_util::future::{Either, select};
use koct_core::{
    Action, Amount, Barcode, Cardnumber, Entry, Moment, TransactionId,
    desk::guard::{self, Concern},
    log::event::LogEvent,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::pin,
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// For how long a scan waits to find out whose user name was typed.
const USER_NAME_TIMEOUT: Duration = Duration::from_millis(250);

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
    /// A payment.
    Payment {
        /// The patron's field.
        patron: String,
        /// The amount's field.
        amount: String,
    },
}

/// Whether the person has said already that an odd scan is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Yes,
    No,
}

/// What waits to be written.
enum Job {
    /// What was scanned, and when.
    Scan(Scan, Option<Moment>, Asked),
    /// Takes back the scan before. It waits in the same queue, so that it is that scan which is taken back.
    Undo,
}

/// The queue.
#[derive(Default)]
pub(crate) struct Scans {
    waiting: RefCell<VecDeque<Job>>,
    writing: Cell<bool>,
}

/// Binds the button that takes back the last scan.
///
/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::on_click("undo", desk, Desk::undo_last)?;
    Ok(())
}

impl Desk {
    /// Queues what was scanned now. Never waits.
    pub(crate) fn scan(self: &Rc<Self>, scan: Scan) {
        self.queue(Job::Scan(scan, clock::now(), Asked::No));
    }

    /// Queues what a person wants recorded, odd as it looks.
    pub(crate) fn scan_as_meant(self: &Rc<Self>, scan: Scan) {
        self.queue(Job::Scan(scan, clock::now(), Asked::Yes));
    }

    /// Takes back what was scanned last.
    pub(crate) fn undo_last(self: &Rc<Self>) {
        self.queue(Job::Undo);
    }

    fn queue(self: &Rc<Self>, job: Job) {
        self.scans.waiting.borrow_mut().push_back(job);
        if !self.scans.writing.replace(true) {
            spawn_local(self.clone().work());
        }
    }

    async fn work(self: Rc<Self>) {
        loop {
            // Not in the head of a `while let`: the queue must not stay borrowed over the await.
            let next = self.scans.waiting.borrow_mut().pop_front();
            let Some(job) = next else { break };
            match job {
                Job::Scan(scan, moment, asked) => match self.write(&scan, moment, asked).await {
                    Ok(entry) => self.confirm(entry),
                    Err(problem) => {
                        let tone = if problem.is_a_question() { Tone::Doubt } else { Tone::Bad };
                        self.message.answer(tone, &text_with("notRecorded", &[&scan.describe()]));
                        self.attention.add(&self, scan, problem);
                    }
                },
                Job::Undo => self.undo().await,
            }
        }
        self.scans.writing.set(false);
    }

    async fn write(&self, scan: &Scan, moment: Option<Moment>, asked: Asked) -> Result<Entry, Problem> {
        let moment = moment.ok_or(Problem::Clock)?;
        let action = self.with_card(scan).await.as_ref().unwrap_or(scan).action()?;
        if asked == Asked::No {
            let cards = self.preferences.borrow().cards();
            let sitting = self.sitting.borrow();
            let last = sitting.last().map(|entry| &entry.transaction.action);
            if let Some(concern) = guard::concern(&action, last, cards.as_ref()) {
                return Err(Problem::Odd(concern));
            }
        }
        self.store.record(action, moment).await.map_err(|error| Problem::Store(error.to_string()))
    }

    /// The scan with the cardnumber in place of a user name. `None` where it is one already, or where that is not found out
    /// in time: a scan does not wait for long.
    async fn with_card(&self, scan: &Scan) -> Option<Scan> {
        let (Scan::Checkout { patron, .. } | Scan::Payment { patron, .. }) = scan else { return None };
        if self.patron.shows(patron) || self.records.get().is_none() {
            return None;
        }
        let (asked, late) = (pin!(self.card_of_user(patron)), pin!(sleep(USER_NAME_TIMEOUT)));
        let card = match select(asked, late).await {
            Either::Left((card, _)) => card?,
            Either::Right(_) => return None,
        };
        Some(match scan.clone() {
            Scan::Checkout { item, .. } => Scan::Checkout { patron: card, item },
            Scan::Payment { amount, .. } => Scan::Payment { patron: card, amount },
            other @ Scan::Checkin { .. } => other,
        })
    }

    /// Shows that a scan is durable.
    fn confirm(self: &Rc<Self>, entry: Entry) {
        self.log_changed(&LogEvent::Recorded(entry.clone()));
        let action = &entry.transaction.action;
        let optional = |value: Option<String>| value.unwrap_or_default();
        let barcode = optional(action.barcode().map(ToString::to_string));
        let cardnumber = optional(action.cardnumber().map(ToString::to_string));
        let [checkouts, checkins] = self.sitting.borrow().counts().map(locale::number);
        let message = match action {
            Action::Issue { .. } => text_with("recordedCheckout", &[&barcode, &cardnumber, &checkouts, &checkins]),
            Action::Return { .. } => text_with("recordedCheckin", &[&barcode, &checkouts, &checkins]),
            Action::Payment { amount, .. } => text_with("recordedPayment", &[&locale::amount(*amount), &cardnumber]),
        };
        self.message.answer(Tone::Good, &message);
        self.look_up(entry);
    }

    /// Takes back the last scan of this window.
    async fn undo(self: &Rc<Self>) {
        let last = self.sitting.borrow().last().map(|entry| entry.id);
        match last {
            Some(id) => self.clone().take_back(id).await,
            None => self.message.answer(Tone::Doubt, &text("undoNothing")),
        }
    }

    /// Takes back what was just recorded.
    pub(crate) async fn take_back(self: Rc<Self>, id: TransactionId) {
        let Some(_permit) = self.may_change(id).await else { return };
        let Some(now) = clock::now() else {
            return self.message.about(Topic::Change).show(Tone::Bad, &text("attentionClock"));
        };
        match self.store.change(&[id], |entry| entry.deleted(now)).await {
            Ok(changes) => {
                let words = changes.first().map(|change| wording::entry(&change.entry)).unwrap_or_default();
                self.apply(changes);
                self.draw_now();
                self.message.about(Topic::Change).show(Tone::Good, &text_with("undone", &[&words]));
            }
            Err(StoreError::NotOpen(_)) => {
                // Sent, or changed in another window a moment ago: the one before is not what is meant.
                self.message.answer(Tone::Doubt, &text("undoTooLate"));
            }
            Err(error) => self.failed(Topic::Change, "editFailed", &error),
        }
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
            Self::Payment { patron, amount } => Action::Payment {
                cardnumber: Cardnumber::parse(patron).map_err(Problem::Cardnumber)?,
                amount: Amount::typed(amount).map_err(Problem::Amount)?,
            },
        })
    }

    /// What was scanned, word for word.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Checkout { patron, item } => text_with("attentionCheckout", &[item, patron]),
            Self::Checkin { item } => text_with("attentionCheckin", &[item]),
            Self::Payment { patron, amount } => text_with("attentionPayment", &[amount, patron]),
        }
    }
}

/// The label of the button that deals with a scan that was not recorded.
pub(crate) fn retry_label(problem: &Problem) -> String {
    text(match problem {
        Problem::Odd(Concern::SameAgain) => "attentionAgain",
        Problem::Odd(Concern::PatronCard) => "attentionIsItem",
        _ if problem.is_about_the_code() => "attentionEdit",
        _ => "attentionRetry",
    })
}
