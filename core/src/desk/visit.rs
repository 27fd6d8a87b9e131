//! For whom the scans of a checkout are, where a patron's card can come into the item's field and is recognised only later.
//!
//! A scanner does not wait until a card is looked up: the next items are typed while the form still shows the patron before.
//! They wait in the queue behind the card, so it is there that they go over to the next patron, in the order scanned.

use crate::desk::{
    barcode::Cardnumber,
    transaction::{Action, TransactionId},
};

/// From one patron entered in the form to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visit(u32);

/// A card that came into the item's field: its number among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(usize);

#[derive(Debug)]
struct Switched {
    visit: Visit,
    before: Cardnumber,
    card: Cardnumber,
    /// What was recorded for the card since.
    recorded: Vec<TransactionId>,
    was_item: bool,
}

/// The visits of a window. Scans are taken in the order in which they were typed.
///
/// ```
/// use koct_core::desk::{barcode::{Barcode, Cardnumber}, transaction::Action, visit::Visits};
/// let card = |code| Cardnumber::parse(code).unwrap();
/// let issue = |patron, item| Action::Issue { cardnumber: card(patron), barcode: Barcode::parse(item).unwrap() };
/// let mut visits = Visits::default();
/// visits.enter();
/// // P2's card and an item are typed while the form shows P1.
/// let visit = visits.now();
/// assert_eq!(visits.of(visit, issue("P1", "P2")), issue("P1", "P2"));
/// visits.switch(visit, card("P1"), card("P2"));
/// assert_eq!(visits.of(visit, issue("P1", "B1")), issue("P2", "B1"));
/// ```
#[derive(Debug, Default)]
pub struct Visits {
    now: Visit,
    switches: Vec<Switched>,
}

impl Visits {
    /// A person has entered another patron in the form, or none: what is scanned from now on is for that one.
    pub fn enter(&mut self) {
        self.now.0 = self.now.0.wrapping_add(1);
    }

    /// The visit of what is scanned now.
    pub fn now(&self) -> Visit {
        self.now
    }

    fn last_of(&self, visit: Visit) -> Option<usize> {
        self.switches.iter().rposition(|switch| switch.visit == visit && !switch.was_item)
    }

    /// What was scanned in this visit, for whom it is.
    pub fn of(&self, visit: Visit, scanned: Action) -> Action {
        match self.last_of(visit) {
            Some(last) => scanned.by(self.switches[last].card.clone()),
            None => scanned,
        }
    }

    /// What was scanned is a card: what was scanned after it in this visit is for that patron.
    pub fn switch(&mut self, visit: Visit, before: Cardnumber, card: Cardnumber) -> Switch {
        self.switches.push(Switched { visit, before, card, recorded: Vec::new(), was_item: false });
        Switch(self.switches.len() - 1)
    }

    /// This was recorded of what was scanned in this visit.
    pub fn recorded(&mut self, visit: Visit, action: &Action, id: TransactionId) {
        if let Some(last) = self.last_of(visit).filter(|_| action.cardnumber().is_some()) {
            self.switches[last].recorded.push(id);
        }
    }

    /// Whether the form shows what this card made it show.
    pub fn is_shown(&self, switch: Switch) -> bool {
        self.switches[switch.0].visit == self.now && self.last_of(self.now) == Some(switch.0)
    }

    /// Whether the form shows the patron of this visit.
    pub fn is_current(&self, visit: Visit) -> bool {
        self.now == visit
    }

    /// For whom it was before this card.
    pub fn before(&self, switch: Switch) -> &Cardnumber {
        let this = &self.switches[switch.0];
        let earlier = self.switches[..switch.0].iter().filter(|earlier| earlier.visit == this.visit);
        // An earlier card can have turned out to be an item since: then it is for whom that one was before.
        let first_item = earlier.clone().rev().take_while(|earlier| earlier.was_item).last();
        first_item.map_or(&this.before, |item| &item.before)
    }

    /// The card, as it was taken for one.
    pub fn card(&self, switch: Switch) -> &Cardnumber {
        &self.switches[switch.0].card
    }

    /// It was no card but an item. Returns what was recorded for the card and belongs to the patron before.
    pub fn was_item(&mut self, switch: Switch) -> Vec<TransactionId> {
        let recorded = std::mem::take(&mut self.switches[switch.0].recorded);
        self.switches[switch.0].was_item = true;
        // Where that patron is one of a card in the item's field too, so is what follows.
        let visit = self.switches[switch.0].visit;
        let earlier = self.switches[..switch.0].iter().rposition(|earlier| earlier.visit == visit && !earlier.was_item);
        if let Some(earlier) = earlier {
            self.switches[earlier].recorded.extend(&recorded);
        }
        recorded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::barcode::Barcode;
    use proptest::prelude::*;

    fn card(code: &str) -> Cardnumber {
        Cardnumber::parse(code).unwrap()
    }

    fn issue(patron: &str, item: &str) -> Action {
        Action::Issue { cardnumber: card(patron), barcode: Barcode::parse(item).unwrap() }
    }

    #[test]
    fn what_was_an_item_gives_everything_back_to_the_patron_before() {
        let mut visits = Visits::default();
        let visit = visits.now();
        let first = visits.switch(visit, card("P1"), card("P2"));
        visits.recorded(visit, &issue("P2", "B1"), TransactionId(1));
        let second = visits.switch(visit, card("P2"), card("P3"));
        visits.recorded(visit, &issue("P3", "B2"), TransactionId(2));
        assert!(visits.is_shown(second) && !visits.is_shown(first));
        assert_eq!(visits.before(second), &card("P2"));
        // P2's card was an item: its items are P1's. P3 stays.
        assert_eq!(visits.before(first), &card("P1"));
        assert_eq!(visits.was_item(first), [TransactionId(1)]);
        assert_eq!(visits.of(visit, issue("P1", "B3")), issue("P3", "B3"));
        assert_eq!(visits.before(second), &card("P1"));
        assert_eq!(visits.was_item(second), [TransactionId(2)]);
        assert_eq!(visits.of(visit, issue("P1", "B4")), issue("P1", "B4"));
        assert_eq!(visits.was_item(second), [], "once");
    }

    #[test]
    fn what_goes_back_to_an_earlier_card_goes_on_with_it() {
        let mut visits = Visits::default();
        let visit = visits.now();
        let first = visits.switch(visit, card("P1"), card("P2"));
        let second = visits.switch(visit, card("P2"), card("P3"));
        visits.recorded(visit, &issue("P2", "B1"), TransactionId(1));
        assert_eq!(visits.was_item(second), [TransactionId(1)]);
        assert_eq!(visits.was_item(first), [TransactionId(1)]);
    }

    #[test]
    fn another_patron_in_the_form_is_not_touched() {
        let mut visits = Visits::default();
        let visit = visits.now();
        visits.enter();
        let switch = visits.switch(visit, card("P1"), card("P2"));
        assert!(!visits.is_current(visit) && !visits.is_shown(switch));
        let scanned = issue("P3", "B1");
        assert_eq!(visits.of(visits.now(), scanned.clone()), scanned);
        visits.recorded(visits.now(), &scanned, TransactionId(1));
        assert_eq!(visits.was_item(switch), []);
    }

    #[derive(Debug, Clone)]
    enum Done {
        /// A patron is entered in the patron's field.
        Enter(u8),
        /// An item is scanned.
        Item(u8),
        /// A card comes into the item's field.
        Card(u8),
        /// The queue gets on.
        Work,
    }

    proptest! {
        /// However late the queue is, each item goes to the patron whose card came last before it, in whichever field.
        #[test]
        fn every_item_goes_to_whose_card_came_before(done in prop::collection::vec(prop_oneof![
            (0u8..4).prop_map(Done::Enter), any::<u8>().prop_map(Done::Item), (4u8..8).prop_map(Done::Card), Just(Done::Work),
        ], 1..40)) {
            let (mut visits, mut form, mut last) = (Visits::default(), "P0".to_owned(), "P0".to_owned());
            let (mut queue, mut wanted, mut got) = (std::collections::VecDeque::new(), Vec::new(), Vec::new());
            for done in done.into_iter().chain(std::iter::repeat_n(Done::Work, 40)) {
                match done {
                    Done::Enter(patron) => {
                        form = format!("P{patron}");
                        last.clone_from(&form);
                        visits.enter();
                    }
                    Done::Item(item) => {
                        wanted.push(issue(&last, &format!("B{item}")));
                        queue.push_back((visits.now(), issue(&form, &format!("B{item}")), false));
                    }
                    Done::Card(patron) => {
                        last = format!("P{patron}");
                        queue.push_back((visits.now(), issue(&form, &last), true));
                    }
                    Done::Work => {
                        let Some((visit, scanned, is_card)) = queue.pop_front() else { continue };
                        let action = visits.of(visit, scanned);
                        if is_card {
                            let next = card(action.barcode().unwrap().as_str());
                            visits.switch(visit, action.cardnumber().unwrap().clone(), next.clone());
                            if visits.is_current(visit) {
                                form = next.to_string();
                            }
                        } else {
                            got.push(action);
                        }
                    }
                }
            }
            prop_assert_eq!(got, wanted);
        }
    }
}
