//! What was found of scans beyond what the log keeps, and what the row of a scan shows of both.

use crate::{
    desk::transaction::{Action, TransactionId},
    log::{
        Entry,
        sitting::is_checkin,
        warned::{Grade, Warned, Warning},
    },
};
use std::collections::HashMap;

/// What was said of a scan. It is gone with the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What is to be answered about the item, each with the name of whom it is about.
    pub stops: Vec<(Warning, String)>,
    /// A word on it, and how much that matters.
    pub word: Option<(Grade, String)>,
    /// Where it stands; empty where that is not known.
    pub place: String,
}

/// What was said of scans: as long as they are of the patron and the item of which it was said.
#[derive(Debug, Clone, Default)]
pub struct SaidOfScans(HashMap<TransactionId, (Action, Said)>);

impl SaidOfScans {
    /// This is said of it, as it is given, in place of what was said before.
    pub fn say(&mut self, entry: &Entry, said: Said) {
        self.0.insert(entry.id, (entry.transaction.action.clone(), said));
    }

    /// What was said of it as it is now.
    pub fn of(&self, entry: &Entry) -> Option<&Said> {
        self.0.get(&entry.id).filter(|(of, _)| *of == entry.transaction.action).map(|(_, said)| said)
    }

    /// Whether something was said of it that does not hold any more, since it was corrected: what is to be said now, must be
    /// found anew.
    pub fn is_outdated(&self, entry: &Entry) -> bool {
        !entry.status.state().is_taken_back() && self.0.contains_key(&entry.id) && self.of(entry).is_none()
    }

    /// Nothing is said any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The word in the row of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowWord<'a> {
    /// What was said of it, and how much that matters.
    Said(Grade, &'a str),
    /// What the log keeps that was warned of.
    Warned(&'a Warning),
}

/// What the row of a scan shows besides what it is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanRow<'a> {
    /// What is to be answered, that about the item first; with the words for it where a name is in them.
    pub stops: Vec<(&'a Warning, Option<&'a str>)>,
    /// A word on it. Where something is to be answered, that says more.
    pub word: Option<RowWord<'a>>,
    /// Where it goes back to, where nothing else is said of it.
    pub place: Option<&'a str>,
}

impl<'a> ScanRow<'a> {
    /// What is shown of this one, of which that was said.
    pub fn new(entry: &'a Entry, said: &'a SaidOfScans) -> Self {
        let said = said.of(entry);
        let named = |stop: &Warning| {
            let mut stops = said.into_iter().flat_map(|said| &said.stops);
            stops.find(|(warning, _)| warning == stop).map(|(_, words)| words.as_str())
        };
        let (of_patron, of_item): (Vec<_>, Vec<_>) = entry.open_stops().partition(|stop| stop.is_of_patron());
        let stops: Vec<_> = of_item.into_iter().chain(of_patron).map(|stop| (stop, named(stop))).collect();
        let warned = || Warned::gravest(&entry.warnings).filter(|_| stops.is_empty()).map(RowWord::Warned);
        let word = said.and_then(|said| said.word.as_ref()).map(|(grade, word)| RowWord::Said(*grade, word));
        let word = word.or_else(warned);
        let place = said.map(|said| said.place.as_str()).filter(|place| !place.is_empty());
        let place = place.filter(|_| is_checkin(entry) && word.is_none());
        Self { stops, word, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            transaction::{Moment, Transaction},
        },
        log::status::Status,
    };

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn back(item: &str) -> Action {
        Action::Return { barcode: Barcode::parse(item).unwrap() }
    }

    fn out(item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse("P1").unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn entry(action: Action) -> Entry {
        Entry::recorded(TransactionId(1), Transaction { moment: now(), action })
    }

    fn warned(entry: &Entry, warnings: &[Warning]) -> Entry {
        let warned = |warning: &Warning| Warned { warning: warning.clone(), confirmed: None, as_of: None };
        entry.warned(&warnings.iter().map(warned).collect::<Vec<_>>())
    }

    fn said_of(entry: &Entry, said: Said) -> SaidOfScans {
        let mut of_scans = SaidOfScans::default();
        of_scans.say(entry, said);
        of_scans
    }

    fn shelf(place: &str) -> Said {
        Said { place: place.into(), ..Said::default() }
    }

    fn word(word: &str) -> Said {
        Said { word: Some((Grade::Do, word.into())), ..shelf("010 CAL") }
    }

    #[test]
    fn what_was_said_of_an_item_is_not_said_of_another() {
        let first = entry(back("A"));
        let mut said = said_of(&first, word("Midway"));
        assert_eq!(ScanRow::new(&first, &said).word, Some(RowWord::Said(Grade::Do, "Midway")));
        assert!(!said.is_outdated(&first));
        let corrected = first.edited(back("B"), now()).unwrap();
        assert_eq!(ScanRow::new(&corrected, &said), ScanRow::default());
        assert!(said.is_outdated(&corrected), "it is asked for anew");
        assert!(!said.is_outdated(&corrected.deleted(now()).unwrap()), "of what was taken back nothing is asked");
        assert!(!said.is_outdated(&Entry { id: TransactionId(2), ..corrected.clone() }), "of it nothing was said");
        said.say(&corrected, shelf("B 10"));
        assert_eq!(ScanRow::new(&corrected, &said).place, Some("B 10"));
        assert_eq!(said.of(&first), None);
        // Its time, and where it stands, say nothing of the item.
        let sent = Entry { status: Status::Success, ..corrected.separated(now(), now()).unwrap() };
        assert_eq!(said.of(&sent), Some(&shelf("B 10")));
        said.clear();
        assert_eq!((said.of(&corrected), said.is_outdated(&corrected)), (None, false));
    }

    #[test]
    fn the_word_of_a_row_is_what_was_said_or_the_gravest_that_the_log_keeps() {
        let back = warned(&entry(back("A")), &[Warning::LostItem]);
        let nothing = SaidOfScans::default();
        assert_eq!(ScanRow::new(&back, &nothing).word, Some(RowWord::Warned(&Warning::LostItem)));
        let said = said_of(&back, word("Midway"));
        let row = ScanRow::new(&back, &said);
        assert_eq!((row.word, row.place), (Some(RowWord::Said(Grade::Do, "Midway")), None), "one or the other");
        let said = said_of(&back, shelf("010 CAL"));
        assert_eq!(ScanRow::new(&back, &said).place, None, "where it stands is no news of what is lost");
        // What is to be answered says more, and what is lent stands nowhere.
        let out = entry(out("A"));
        let said = said_of(&out, shelf("010 CAL"));
        assert_eq!(ScanRow::new(&out, &said), ScanRow::default());
        let stopped = warned(&out, &[Warning::OnLoan, Warning::Waiting]);
        assert_eq!(ScanRow::new(&stopped, &nothing).word, None);
        let answered = stopped.confirmed(now(), Warning::is_stop);
        assert_eq!(ScanRow::new(&answered, &nothing).word, Some(RowWord::Warned(&Warning::Waiting)));
    }

    #[test]
    fn what_is_to_be_answered_is_named_while_it_is_open_what_is_in_the_hand_first() {
        let stopped = warned(&entry(out("A")), &[Warning::LostCard, Warning::Waiting]);
        let stops = vec![(Warning::InTransit, "for Ben".to_owned()), (Warning::Waiting, "for Anna".to_owned())];
        let said = said_of(&stopped, Said { stops, ..Said::default() });
        let row = ScanRow::new(&stopped, &said);
        assert_eq!(row.stops, [(&Warning::Waiting, Some("for Anna")), (&Warning::LostCard, None)]);
        let answered = stopped.confirmed(now(), Warning::is_of_patron);
        assert_eq!(ScanRow::new(&answered, &said).stops, [(&Warning::Waiting, Some("for Anna"))]);
        // Corrected, it waits for another.
        let corrected = warned(&stopped.edited(out("B"), now()).unwrap(), &[Warning::Waiting]);
        assert_eq!(ScanRow::new(&corrected, &said).stops[0], (&Warning::Waiting, None));
    }
}
