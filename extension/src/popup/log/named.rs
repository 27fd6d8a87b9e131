//! Whom and what a text names that is looked for in the log: rows show names and titles, so they are found by these, too. Known
//! from the records alone, and never kept.

use crate::{i18n::text as text_of, latest::Latest, popup::known::records::RecordsPanel, timer::sleep, wording};
use koct_core::{
    directory::{Hits, may_be_name, record::Item},
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
    /// Why there may be more than these.
    but: Option<String>,
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

    /// Why this may name more than is found: more patrons bear it than were looked at, or the records cannot be read.
    pub(super) fn but(&self, text: &str) -> Option<String> {
        let known = self.known.borrow();
        known.but.clone().filter(|_| known.text == text)
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
        let hits = records.search(&text, PATRONS).await;
        if !goes_on() {
            return;
        }
        let (Hits { patrons, total }, mut but) = match hits {
            Ok(hits) => (hits, None),
            Err(error) => (Hits::default(), Some(wording::disk(&error))),
        };
        if total > patrons.len() {
            but = Some(text_of("findMoreNames"));
        }
        let mut codes = Codes::default();
        codes.extend(patrons.iter().map(|patron| patron.cardnumber.as_str()).filter(|card| !card.is_empty()));
        let tell = |codes: &Codes, but: &Option<String>| {
            self.known.replace(Known { text: text.clone(), codes: codes.clone(), but: but.clone() });
            found();
        };
        if !codes.is_empty() || but.is_some() {
            tell(&codes, &but);
        }
        let Some(in_log) = in_log() else { return };
        let is_in_log = |item: &Item| in_log.has(&item.barcode);
        match records.items_by_title(&text, usize::MAX, is_in_log, goes_on).await {
            _ if !goes_on() => return,
            Ok(items) if items.is_empty() => return,
            Ok(items) => codes.extend(items.iter().map(|item| item.barcode.as_str())),
            Err(error) => but = Some(wording::disk(&error)),
        }
        tell(&codes, &but);
    }
}
