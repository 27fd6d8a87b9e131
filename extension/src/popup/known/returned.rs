//! What came back: its title, who had it, whether it is late, what belongs to it, and who waits for it.

use super::lookup::{Lookups, name_and_card};
use crate::{
    dom::{self, elements},
    i18n::{plural, text, text_with},
    popup::Panel,
    wording,
};
use koct_core::{
    Entry, TransactionId,
    directory::{
        holder,
        item_now::{LoanEnded, ReturnFound},
    },
    log::{event::LogEvent, warned::Warning},
};
use std::{cell::RefCell, rc::Rc};
use web_sys::{Element, HtmlElement};

elements! {
    pub(crate) struct Returned(lookups: Rc<Lookups>) {
        panel: HtmlElement = "checkin-panel",
        hold: HtmlElement = "returned-hold",
        title: Element = "returned-title",
        facts: Element = "returned-facts",
        ;
        /// The checkin that is shown.
        shown: RefCell<Option<Entry>>,
    }
}

impl Panel for Returned {
    /// What was taken back, cleared, or turned out to be another item is not shown.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        let is_other = |shown: &Entry| {
            let now = event.entries().iter().find(|entry| entry.id == shown.id);
            event.is_gone(shown.id) || now.is_some_and(|now| !holder::is_up_to_date(shown, now))
        };
        let hides = self.shown.borrow().as_ref().is_some_and(is_other);
        if hides {
            self.hide();
        }
    }

    /// The checkin that is shown, if one is.
    fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().iter().map(|entry| entry.id).collect()
    }

    fn records_changed(self: Rc<Self>, are_there: bool) {
        if !are_there {
            self.hide();
        }
    }
}

impl Returned {
    /// Shows nothing; no name stays in the page.
    fn hide(&self) {
        *self.shown.borrow_mut() = None;
        self.panel.set_hidden(true);
        for part in [&self.title, &self.facts, self.hold.as_ref()] {
            part.set_text_content(None);
        }
    }

    /// Shows this, in place of what came back before.
    pub(crate) fn show(&self, entry: &Entry, found: &ReturnFound) {
        *self.shown.borrow_mut() = Some(entry.clone());
        let item = found.item.as_ref();
        let title = item.map(|item| item.title.as_str()).filter(|title| !title.is_empty());
        let heading = title.map_or_else(|| found.barcode.to_string(), |title| format!("{title} · {}", found.barcode));
        self.title.set_text_content(Some(&heading));
        let mut facts = Vec::new();
        let (hold, others): (Vec<_>, Vec<_>) =
            found.warnings.iter().partition(|about| matches!(about.warning, Warning::Hold { .. }));
        facts.extend(others.into_iter().map(|about| (self.lookups.words_of(about), "warned")));
        facts.extend(item.map(|item| (wording::joined([&item.author, &item.call_number]), "")));
        // That nobody had it, as far as is known, is true of half of all that comes back, and no news.
        facts.extend(found.loan.as_ref().map(|loan| (had(loan), "")));
        facts.extend(found.loan.as_ref().and_then(overdue).map(|words| (words, "overdue")));
        if let Some(materials) = item.map(|item| &item.materials).filter(|materials| !materials.is_empty()) {
            facts.push((text_with("returnedMaterials", &[materials]), "warned"));
        }
        dom::fill_list(&self.facts, facts.into_iter().filter(|(words, _)| !words.is_empty()), |(words, kind)| {
            let line = dom::line(&words)?;
            line.set_attribute("data-kind", kind)?;
            Ok(line)
        });
        let hold = hold.first().map(|about| self.lookups.words_of(about));
        self.hold.set_hidden(hold.is_none());
        self.hold.set_text_content(hold.as_deref());
        self.panel.set_hidden(false);
    }
}

/// Who had it, in words.
fn had(loan: &LoanEnded) -> String {
    let who = loan.who.as_ref().map(name_and_card);
    match (who, loan.since.map(wording::millis)) {
        (Some(who), Some(since)) => text_with("returnedHadSince", &[&who, &since]),
        (Some(who), None) => text_with("returnedHad", &[&who]),
        (None, _) => text("returnedOnLoan"),
    }
}

/// How late it is, in words.
fn overdue(loan: &LoanEnded) -> Option<String> {
    let (days, due) = loan.late.zip(loan.due)?;
    let when = wording::millis(due.timestamp_millis());
    Some(match days {
        0 => text_with("returnedOverdueToday", &[&when]),
        days => plural("returnedOverdue", days, &[&when]),
    })
}
