//! What one window has recorded since it was opened, as it stands now: whoever changes it, in whichever window.

use crate::{
    desk::{
        barcode::same_code,
        transaction::{Action, TransactionId},
    },
    log::{Entry, event::LogEvent, seen_warnings::SeenWarnings, warned::Warning},
};

/// A visit about which it is asked whose it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AskedVisit {
    /// What can be given to another patron, as it is shown.
    pub to_give: Vec<Entry>,
    /// What could be, and is being sent or in Koha by now: there it is the patron's before.
    pub gone_on: Vec<Entry>,
}

impl AskedVisit {
    /// All of it.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.to_give.iter().chain(&self.gone_on)
    }
}

/// What this window has recorded, oldest first. What was taken back stays, since it may be restored, and does not count.
#[derive(Debug, Clone, Default)]
pub struct Sitting(Vec<Entry>);

impl Sitting {
    /// Follows a change of the log. Only what was recorded here joins; what was cleared leaves. Returns whether something
    /// else stands here now: a status alone is nothing else, unless something was taken back or restored.
    pub fn follow(&mut self, event: &LogEvent) -> bool {
        let joins = matches!(event, LogEvent::Recorded(_));
        let before = self.0.len();
        let mut is_other = false;
        for entry in event.entries() {
            // Numbers rise.
            match self.0.binary_search_by_key(&entry.id, |known| known.id) {
                Ok(place) => {
                    let known = std::mem::replace(&mut self.0[place], entry.clone());
                    is_other |= is_kept(&known) != is_kept(entry) || known.transaction != entry.transaction;
                }
                Err(place) if joins => self.0.insert(place, entry.clone()),
                Err(_) => {}
            }
        }
        self.0.retain(|entry| !event.is_gone(entry.id));
        is_other || self.0.len() != before
    }

    /// All of it, in the order recorded.
    pub fn all(&self) -> &[Entry] {
        &self.0
    }

    /// This one, as it is shown.
    pub fn entry(&self, id: TransactionId) -> Option<&Entry> {
        self.0.binary_search_by_key(&id, |entry| entry.id).ok().map(|place| &self.0[place])
    }

    /// The numbers of all of it.
    pub fn ids(&self) -> impl Iterator<Item = TransactionId> + '_ {
        self.0.iter().map(|entry| entry.id)
    }

    /// What was not taken back, oldest first.
    pub fn standing(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.iter().filter(|entry| is_kept(entry))
    }

    /// The last of these: the one to be taken back, and the one that the next scan may repeat.
    pub fn last(&self) -> Option<&Entry> {
        self.standing().next_back()
    }

    /// What a person still has to answer, the newest first.
    pub fn stopped(&self) -> impl Iterator<Item = &Entry> {
        self.standing().rev().filter(|entry| entry.is_stopped())
    }

    /// What is confirmed with the answer to this one, as it is seen now: all that it is stopped for; and of whatever else is
    /// answered with it, what is about the patron.
    pub fn answer_to(&self, id: TransactionId) -> SeenWarnings {
        let mut answered = SeenWarnings::default();
        let others = self.answered_with(id);
        for entry in self.standing().filter(|entry| entry.id == id || others.contains(&entry.id)) {
            answered.see(entry, |warning| warning.is_stop() && (entry.id == id || warning.is_of_patron()));
        }
        answered
    }

    /// What else is answered with the answer to this one: whatever the same patron took that is stopped for a reason about them.
    fn answered_with(&self, id: TransactionId) -> Vec<TransactionId> {
        let asks_about_patron = |entry: &&Entry| entry.open_stops().any(Warning::is_of_patron);
        let this = self.standing().find(|entry| entry.id == id).filter(asks_about_patron);
        let Some(card) = this.and_then(|entry| entry.transaction.action.cardnumber()) else { return Vec::new() };
        let same = self.standing().filter(|entry| entry.id != id && is_checkout_of(entry, card.as_str()));
        same.filter(asks_about_patron).map(|entry| entry.id).collect()
    }

    /// Those of these that are recorded for the patron with this card still, as they are shown.
    pub fn recorded_for(&self, card: &str, ids: &[TransactionId]) -> Vec<Entry> {
        ids.iter().filter_map(|id| self.entry(*id)).filter(|entry| entry.is_by(card)).cloned().collect()
    }

    /// What was checked out to the patron with this card, oldest first.
    pub fn checkouts_of(&self, card: &str) -> Vec<&Entry> {
        self.standing().filter(|entry| is_checkout_of(entry, card)).collect()
    }

    /// What became of a visit about which it is asked whose it is: `asked` is as it was before.
    pub fn asked_visit(&self, card: &str, asked: &AskedVisit) -> AskedVisit {
        let was_asked = |entry: &Entry| asked.all().any(|before| before.id == entry.id);
        let (to_give, others): (Vec<&Entry>, Vec<&Entry>) =
            self.checkouts_of(card).into_iter().partition(|entry| entry.can_be_given(card));
        let gone_on = others.into_iter().filter(|entry| was_asked(entry));
        AskedVisit { to_give: to_give.into_iter().cloned().collect(), gone_on: gone_on.cloned().collect() }
    }

    /// What was checked in, oldest first.
    pub fn checkins(&self) -> Vec<&Entry> {
        self.standing().filter(|entry| is_checkin(entry)).collect()
    }
}

/// Whether it was not taken back.
fn is_kept(entry: &Entry) -> bool {
    !entry.status.state().is_taken_back()
}

/// Whether this is a checkout to the patron with this card.
pub fn is_checkout_of(entry: &Entry, card: &str) -> bool {
    let Action::Issue { cardnumber, .. } = &entry.transaction.action else { return false };
    same_code(cardnumber.as_str(), card)
}

/// Whether this is a checkin.
pub fn is_checkin(entry: &Entry) -> bool {
    matches!(entry.transaction.action, Action::Return { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            transaction::{Moment, Transaction},
        },
        log::{event::Reread, status::Status},
    };

    fn entry(number: u32, card: &str, item: &str) -> Entry {
        let barcode = Barcode::parse(item).unwrap();
        let action = match card {
            "" => Action::Return { barcode },
            card => Action::Issue { cardnumber: Cardnumber::parse(card).unwrap(), barcode },
        };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        Entry::recorded(TransactionId(number), Transaction { moment, action })
    }

    fn with(entry: Entry, status: Status) -> Entry {
        Entry { status, ..entry }
    }

    /// A sitting of three scans; numbers in between are another window's.
    fn sitting() -> Sitting {
        let mut sitting = Sitting::default();
        for recorded in [entry(1, "P1", "A"), entry(3, "P1", "B"), entry(5, "", "C")] {
            assert!(sitting.follow(&LogEvent::Recorded(recorded)));
        }
        sitting
    }

    fn items(entries: &[&Entry]) -> Vec<String> {
        entries.iter().filter_map(|entry| entry.transaction.action.barcode()).map(ToString::to_string).collect()
    }

    #[test]
    fn what_another_window_recorded_does_not_join() {
        let mut sitting = sitting();
        assert!(!sitting.follow(&LogEvent::Changed(vec![entry(4, "P1", "X"), entry(9, "", "Y")])));
        assert!(!sitting.follow(&LogEvent::Committed));
        assert_eq!(sitting.ids().collect::<Vec<_>>(), [1, 3, 5].map(TransactionId));
        assert_eq!(
            (items(&sitting.checkouts_of("p1")), items(&sitting.checkins())),
            (vec!["A".into(), "B".into()], vec!["C".into()])
        );
    }

    #[test]
    fn what_is_to_be_answered_is_told_the_newest_first() {
        use crate::log::warned::Warned;
        let mut sitting = sitting();
        let stop = |entry: Entry| entry.warned(&[Warned { warning: Warning::Waiting, confirmed: None, as_of: None }]);
        let [first, second] = [stop(entry(1, "P1", "A")), stop(entry(3, "P1", "B"))];
        sitting.follow(&LogEvent::Changed(vec![first, second.clone()]));
        let ids = |sitting: &Sitting| sitting.stopped().map(|entry| entry.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&sitting), [3, 1]);
        assert_eq!(
            sitting.answered_with(TransactionId(1)),
            [],
            "that one waits on the shelf says nothing of the other"
        );
        let lost = |entry: Entry| entry.warned(&[Warned { warning: Warning::LostCard, confirmed: None, as_of: None }]);
        let mut of_card = sitting.clone();
        of_card.follow(&LogEvent::Changed(vec![lost(entry(1, "P1", "A")), lost(second.clone())]));
        assert_eq!(of_card.answered_with(TransactionId(1)), [TransactionId(3)]);
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let answer = of_card.answer_to(TransactionId(1));
        assert_eq!(answer.ids(), [1, 3].map(TransactionId));
        let kept = answer.confirm(&lost(second.clone()), moment);
        assert!(!kept.is_open(&Warning::LostCard) && kept.is_open(&Warning::Waiting), "the item is asked about still");
        assert!(of_card.answer_to(TransactionId(5)).is_empty());
        // By the time that is written, another window has corrected it, and it is asked about another item.
        let corrected = with(lost(entry(1, "P1", "D")), Status::Local);
        assert_eq!(answer.confirm(&corrected, moment), corrected);
        sitting.follow(&LogEvent::Changed(vec![with(second, Status::Deleted)]));
        assert_eq!(ids(&sitting), [1]);
    }

    #[test]
    fn the_last_is_the_last_that_was_not_taken_back() {
        let mut sitting = sitting();
        assert!(sitting.follow(&LogEvent::Changed(vec![with(entry(5, "", "C"), Status::Deleted)])));
        assert_eq!(sitting.last().map(|entry| entry.id), Some(TransactionId(3)));
        // Restored, it is the last again.
        assert!(sitting.follow(&LogEvent::Changed(vec![entry(5, "", "C")])));
        assert_eq!(sitting.last().map(|entry| entry.id), Some(TransactionId(5)));
    }

    #[test]
    fn what_koha_has_not_got_can_be_given_to_another() {
        let mut sitting = sitting();
        let refused = with(entry(3, "P1", "B"), Status::Rejected { message: "Borrower not found.".into() });
        sitting.follow(&LogEvent::Changed(vec![with(entry(1, "P1", "A"), Status::Added), refused]));
        let visit = sitting.asked_visit("p1", &AskedVisit::default());
        let items_of = |entries: &[Entry]| items(&entries.iter().collect::<Vec<_>>());
        assert_eq!((items_of(&visit.to_give), items_of(&visit.gone_on)), (vec!["B".into()], vec![]));
        assert_eq!(sitting.asked_visit("P2", &visit), AskedVisit::default(), "another patron's");
        // What a commit has taken since is told, and so is what joins the visit; what was taken back is neither.
        sitting.follow(&LogEvent::Recorded(entry(6, "P1", "E")));
        let sent = with(entry(3, "P1", "B"), Status::Success);
        sitting.follow(&LogEvent::Changed(vec![sent]));
        let visit = sitting.asked_visit("P1", &visit);
        assert_eq!((items_of(&visit.to_give), items_of(&visit.gone_on)), (vec!["E".into()], vec!["B".into()]));
        assert_eq!(visit.all().count(), 2);
        sitting.follow(&LogEvent::Changed(vec![with(entry(6, "P1", "E"), Status::Deleted)]));
        assert_eq!(items_of(&sitting.asked_visit("P1", &visit).to_give), Vec::<String>::new());
        let ids = [1, 3, 5, 6, 9].map(TransactionId);
        let recorded = sitting.recorded_for("P1", &ids);
        assert_eq!(recorded.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [1, 3, 6], "and no checkin");
    }

    #[test]
    fn corrections_move_an_item_to_its_patron() {
        let mut sitting = sitting();
        assert!(sitting.follow(&LogEvent::Changed(vec![entry(1, "P2", "A"), entry(3, "P1", "D")])));
        assert_eq!(
            (items(&sitting.checkouts_of("P1")), items(&sitting.checkouts_of("P2"))),
            (vec!["D".into()], vec!["A".into()])
        );
    }

    #[test]
    fn what_is_committed_stays_and_shows_nothing_else() {
        let mut sitting = sitting();
        let committed = [entry(1, "P1", "A"), entry(3, "P1", "B")].map(|entry| with(entry, Status::Success));
        assert!(!sitting.follow(&LogEvent::Changed(committed.to_vec())));
        assert_eq!(items(&sitting.checkouts_of("P1")), ["A", "B"]);
        assert!(sitting.standing().take(2).all(|entry| entry.status == Status::Success), "as it is now");
        assert!(sitting.asked_visit("P1", &AskedVisit::default()).to_give.is_empty());
    }

    #[test]
    fn after_a_reload_what_is_gone_is_dropped_and_what_came_meanwhile_stays() {
        let mut sitting = sitting();
        let asked: Vec<_> = sitting.ids().collect();
        // Recorded while the others were read.
        sitting.follow(&LogEvent::Recorded(entry(6, "P1", "E")));
        let reread = Reread::new(&asked, vec![entry(3, "P1", "F")]);
        assert!(sitting.follow(&LogEvent::Reload(reread)));
        assert_eq!(sitting.ids().collect::<Vec<_>>(), [3, 6].map(TransactionId));
        assert_eq!(items(&sitting.checkouts_of("P1")), ["F", "E"]);
        let asked: Vec<_> = sitting.ids().collect();
        assert!(sitting.follow(&LogEvent::Reload(Reread::new(&asked, Vec::new()))));
        assert_eq!(sitting.last(), None);
        assert!(!sitting.follow(&LogEvent::Reload(Reread::default())));
    }
}
