//! Whom and what a text names that is looked for in the log: rows show names and titles, so they are found by these, too. Known
//! from the records alone, and never kept.

use crate::{latest::Latest, popup::known::records::RecordsPanel, timer::sleep};
use koct_core::{
    directory::{may_be_name, record::Item},
    log::search::Codes,
};
use std::{cell::RefCell, rc::Rc, time::Duration};

/// The number of patrons that are looked at: of a name that more of them bear, more is to be typed.
const PATRONS: usize = 1_000;

/// Whoever goes on typing does so earlier than this.
const TYPING: Duration = Duration::from_millis(200);

/// What is known of the text that was looked at last.
#[derive(Default)]
struct Known {
    text: String,
    codes: Codes,
    has_more: bool,
}

pub(crate) struct Named {
    records: Rc<RecordsPanel>,
    known: RefCell<Known>,
    /// Counts what was asked, to know what is late.
    asked: Latest,
}

impl Named {
    pub(crate) fn new(records: Rc<RecordsPanel>) -> Self {
        Self { records, known: RefCell::default(), asked: Latest::default() }
    }

    /// The codes of those whom this names, as far as that is known yet.
    pub(super) fn codes(&self, text: &str) -> Codes {
        let known = self.known.borrow();
        if known.text == text { known.codes.clone() } else { Codes::default() }
    }

    /// Whether more patrons bear this name than were looked at.
    pub(super) fn has_more(&self, text: &str) -> bool {
        let known = self.known.borrow();
        known.text == text && known.has_more
    }

    /// What was known of names is the records' no more.
    pub(super) fn forget(&self) {
        self.asked.give_up();
        self.known.take();
    }

    /// Finds out whom this names among the patrons, and what among the items whose codes stand in the log. `found` is told when
    /// there is more to show. Whoever goes on typing does not wait for the search before.
    pub(super) async fn look_for(&self, text: String, in_log: impl FnOnce() -> Option<Codes>, found: impl Fn()) {
        let asked = self.asked.ask();
        let goes_on = || self.asked.is(asked);
        let Some(records) = self.records.get().filter(|_| may_be_name(&text)) else { return };
        // For each letter it would be much work that nobody waits for.
        sleep(TYPING).await;
        if !goes_on() {
            return;
        }
        let hits = records.search(&text, PATRONS).await.unwrap_or_default();
        if !goes_on() {
            return;
        }
        let mut codes = Codes::default();
        codes.extend(hits.patrons.iter().map(|patron| patron.cardnumber.as_str()).filter(|card| !card.is_empty()));
        let tell = |codes: &Codes| {
            let has_more = hits.total > hits.patrons.len();
            self.known.replace(Known { text: text.clone(), codes: codes.clone(), has_more });
            found();
        };
        if !codes.is_empty() {
            tell(&codes);
        }
        let Some(in_log) = in_log() else { return };
        let is_in_log = |item: &Item| in_log.has(&item.barcode);
        let items = records.items_by_title(&text, usize::MAX, is_in_log, goes_on).await.unwrap_or_default();
        if goes_on() && !items.is_empty() {
            codes.extend(items.iter().map(|item| item.barcode.as_str()));
            tell(&codes);
        }
    }
}
