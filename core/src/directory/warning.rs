//! What a person at the desk is warned of. A warning never stops anything: they confirm it, and the log
//! keeps both.
//!
//! Nothing is warned of that is not known: a set that was not downloaded, a field that this Koha does not tell.

use super::{
    holder::{Holder, PatronAtDesk, Whom},
    record::{Hold, HoldState, Item, Marks, Patron},
};
use crate::{desk::amount::Cents, log::warned::Warning};
use chrono::NaiveDate;

/// What a person must know of a patron before they hand out anything. `knows_patrons` says whether patrons were
/// downloaded.
pub(crate) fn of_patron(
    patron: Option<&Patron>,
    knows_patrons: bool,
    today: NaiveDate,
    debt_limit: Option<Cents>,
) -> Vec<Warning> {
    let Some(patron) = patron else {
        return if knows_patrons { vec![Warning::UnknownCard] } else { Vec::new() };
    };
    let expired = patron.expires.filter(|last| *last < today).map(|on| Warning::Expired { on });
    let debts = patron.owes.filter(|owes| *owes > 0 && debt_limit.is_some_and(|limit| *owes > limit));
    [
        expired,
        patron.is_restricted(today).then_some(Warning::Restricted { until: patron.restricted_until }),
        (patron.card_lost == Some(true)).then_some(Warning::LostCard),
        debts.map(|cents| Warning::Debts { cents }),
        (patron.wrong_address == Some(true)).then_some(Warning::WrongAddress),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An item on its way out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkout<'a> {
    /// The item, where its barcode is known.
    pub(super) item: Option<&'a Item>,
    /// Whether items were downloaded.
    pub(super) knows_items: bool,
    /// Koha's number of the patron whose card its code is.
    pub(super) card_of: Option<u32>,
    /// Who takes it.
    pub(super) at_desk: PatronAtDesk<'a>,
    /// Who had it before.
    pub(super) holder: &'a Holder,
    /// The holds on its title.
    pub(super) holds: &'a [Hold],
    /// Those of them that need no item any more ([`aside::over`](super::aside::over)).
    pub(super) over: &'a [u32],
    /// The hold for which it was set aside here.
    pub(super) set_aside: Option<u32>,
}

/// What Koha has marked an item as. What is not for loan comes back as anything does.
fn of_marks<'a>(marks: Marks, goes_out: bool) -> impl Iterator<Item = (Warning, Whom<'a>)> {
    let marks = [
        (marks.lost, Warning::LostItem),
        (marks.withdrawn, Warning::Withdrawn),
        (marks.not_for_loan && goes_out, Warning::NotForLoan),
    ];
    marks.into_iter().filter(|(is_marked, _)| *is_marked).map(|(_, warning)| (warning, Whom::Nobody))
}

/// What a person must know of an item before they hand it out, and whom that is about.
pub(super) fn of_checkout<'a>(checkout: &Checkout<'a>) -> Vec<(Warning, Whom<'a>)> {
    let Checkout { item, knows_items, card_of, at_desk, holder, .. } = checkout;
    let unknown = match (item, card_of) {
        (Some(_), _) => None,
        (None, Some(patron)) => Some((Warning::PatronCard, Whom::Patron(*patron))),
        (None, None) => knows_items.then_some((Warning::UnknownItem, Whom::Nobody)),
    };
    let on_loan = holder.is_another(at_desk).then(|| (Warning::OnLoan, holder.whom()));
    let marks = item.map(|item| item.marks).unwrap_or_default();
    // What is in somebody's hands neither waits nor travels.
    let item = item.filter(|_| !holder.is_somebody());
    let for_another = item.and_then(|item| for_another(checkout, item));
    unknown.into_iter().chain(on_loan).chain(for_another).chain(of_marks(marks, true)).collect()
}

/// For which other patron an item waits or travels.
fn for_another<'a>(checkout: &Checkout<'a>, item: &Item) -> Option<(Warning, Whom<'a>)> {
    let Checkout { at_desk, holds, over, set_aside, .. } = checkout;
    let others = || holds.iter().filter(|hold| !over.contains(&hold.id) && at_desk.is_not(hold.patron));
    let in_state = |state| others().find(|hold| hold.item == Some(item.id) && hold.state == state);
    let set_aside = others().find(|hold| Some(hold.id) == *set_aside);
    let waiting = set_aside.or_else(|| in_state(HoldState::Waiting)).map(|hold| (Warning::Waiting, hold));
    let found = waiting.or_else(|| Some((Warning::InTransit, in_state(HoldState::InTransit)?)));
    found.map(|(warning, hold)| (warning, Whom::Patron(hold.patron)))
}

/// What a person must know of an item that came back, and whom that is about.
pub(super) fn of_checkin(
    item: Option<&Item>,
    knows_items: bool,
    hold: Option<&Hold>,
) -> impl Iterator<Item = (Warning, Whom<'static>)> {
    let unknown = (item.is_none() && knows_items).then_some((Warning::UnknownItem, Whom::Nobody));
    let on_hold =
        hold.map(|hold| (Warning::Hold { hold: hold.id, pickup: hold.pickup.clone() }, Whom::Patron(hold.patron)));
    let marks = item.map(|item| item.marks).unwrap_or_default();
    unknown.into_iter().chain(on_hold).chain(of_marks(marks, false))
}

/// Who waits for an item that came back: the first in the queue for its title or for this very item, leaving out the holds
/// of `over` that need no item any more.
pub(super) fn hold_for<'a>(item: &Item, holds: &'a [Hold], over: &[u32]) -> Option<&'a Hold> {
    let is_free = |hold: &&Hold| !over.contains(&hold.id);
    let set_aside_before = |hold: &&Hold| hold.state != HoldState::Placed && hold.item == Some(item.id);
    let may_have_it = |hold: &&Hold| {
        hold.state == HoldState::Placed && !hold.suspended && hold.item.is_none_or(|wanted| wanted == item.id)
    };
    let waiting = holds.iter().filter(is_free).find(set_aside_before);
    waiting.or_else(|| holds.iter().filter(is_free).filter(may_have_it).min_by_key(|hold| (hold.priority, hold.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{barcode::Cardnumber, transaction::Moment},
        directory::record::Loan,
    };

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hold(id: u32, patron: u32, item: Option<u32>, priority: u32, state: HoldState) -> Hold {
        Hold { id, patron, biblio: 1, item, pickup: "MPL".into(), priority, state, suspended: false }
    }

    fn item() -> Item {
        Item { id: 5, biblio: 1, barcode: "B5".into(), ..Item::default() }
    }

    const TODAY: &str = "2026-11-25";

    #[test]
    fn nothing_is_warned_of_that_is_not_known() {
        let warnings = |patron: &Patron| of_patron(Some(patron), true, day(TODAY), Some(500));
        assert_eq!(warnings(&Patron::default()), []);
        assert_eq!(of_patron(None, false, day(TODAY), Some(500)), []);
        let fine = Patron {
            expires: Some(day(TODAY)),
            restricted: Some(false),
            card_lost: Some(false),
            wrong_address: Some(false),
            owes: Some(500),
            ..Patron::default()
        };
        assert_eq!(warnings(&fine), [], "the last day and the limit itself are fine");
    }

    #[test]
    fn a_patron_is_warned_of_for_each_reason() {
        let patron = Patron {
            expires: Some(day("2026-11-24")),
            restricted: Some(true),
            card_lost: Some(true),
            wrong_address: Some(true),
            owes: Some(501),
            ..Patron::default()
        };
        let expected = [
            Warning::Expired { on: day("2026-11-24") },
            Warning::Restricted { until: None },
            Warning::LostCard,
            Warning::Debts { cents: 501 },
            Warning::WrongAddress,
        ];
        assert_eq!(of_patron(Some(&patron), true, day(TODAY), Some(500)), expected);
        assert!(expected.iter().all(Warning::is_of_patron));
        let debts = |owes, limit| {
            of_patron(Some(&Patron { owes: Some(owes), ..Patron::default() }), true, day(TODAY), limit).len()
        };
        assert_eq!((debts(1, Some(0)), debts(0, Some(0)), debts(-100, Some(0)), debts(9_999, None)), (1, 0, 0, 0));
        assert_eq!(of_patron(None, true, day(TODAY), None), [Warning::UnknownCard]);
    }

    #[test]
    fn a_restriction_is_over_on_its_day() {
        let of = |restricted, until: Option<&str>| {
            let patron = Patron { restricted, restricted_until: until.map(day), ..Patron::default() };
            of_patron(Some(&patron), true, day(TODAY), None)
        };
        let until = |day| Warning::Restricted { until: day };
        assert_eq!(of(Some(true), Some("2026-11-26")), [until(Some(day("2026-11-26")))]);
        assert_eq!(of(Some(true), None), [until(None)]);
        assert_eq!(of(Some(true), Some(TODAY)), []);
        assert_eq!((of(Some(false), None), of(None, None)), (vec![], vec![]));
    }

    /// What is there when item 5 goes to patron 1, with the card P1.
    struct Desk {
        item: Option<Item>,
        anna: Option<Patron>,
        knows: bool,
        card_of: Option<u32>,
        holder: Holder,
        holds: Vec<Hold>,
        over: Vec<u32>,
        set_aside: Option<u32>,
    }

    impl Default for Desk {
        fn default() -> Self {
            Self {
                item: Some(item()),
                anna: Some(Patron { id: 1, cardnumber: "P1".into(), ..Patron::default() }),
                knows: true,
                card_of: None,
                holder: Holder::AsDownloaded(None),
                holds: Vec::new(),
                over: Vec::new(),
                set_aside: None,
            }
        }
    }

    impl Desk {
        fn warnings(&self) -> Vec<Warning> {
            self.warnings_with_whom().into_iter().map(|(warning, _)| warning).collect()
        }

        fn warnings_with_whom(&self) -> Vec<(Warning, Whom<'_>)> {
            of_checkout(&Checkout {
                item: self.item.as_ref(),
                knows_items: self.knows,
                card_of: self.card_of,
                at_desk: PatronAtDesk { code: "P1", patron: self.anna.as_ref(), knows_patrons: self.knows },
                holder: &self.holder,
                holds: &self.holds,
                over: &self.over,
                set_aside: self.set_aside,
            })
        }
    }

    #[test]
    fn an_item_is_warned_of_where_another_has_it() {
        let of = |holder| Desk { holder, ..Desk::default() }.warnings();
        let loan = |patron| Holder::AsDownloaded(Some(Loan { patron, item: Some(5), ..Loan::default() }));
        let at = Moment::new(1_795_428_000_000, 60).unwrap();
        let out = |card: &str| Holder::CheckedOut { card: Cardnumber::parse(card).unwrap(), at };
        assert_eq!(Desk { item: None, ..Desk::default() }.warnings(), [Warning::UnknownItem]);
        assert_eq!(Desk { item: None, knows: false, ..Desk::default() }.warnings(), []);
        assert_eq!(of(loan(1)), [], "they renew it");
        assert_eq!(of(loan(2)), [Warning::OnLoan]);
        assert_eq!(of(out("P2")), [Warning::OnLoan]);
        assert_eq!(of(out("p1")), []);
        assert_eq!(of(Holder::CheckedIn), []);
        let unknown = |holder| Desk { anna: None, knows: false, holder, ..Desk::default() }.warnings();
        assert_eq!(unknown(loan(2)), [], "where no patrons are known, nobody is another");
        assert_eq!(unknown(out("P2")), [Warning::OnLoan]);
    }

    #[test]
    fn a_card_that_was_lent_as_an_item_is_told_in_place_of_an_unknown_item() {
        let of = |item, knows| Desk { item, knows, card_of: Some(2), ..Desk::default() };
        for knows in [false, true] {
            let desk = of(None, knows);
            assert_eq!(desk.warnings_with_whom(), [(Warning::PatronCard, Whom::Patron(2))], "{knows}");
        }
        assert_eq!(of(Some(item()), true).warnings(), [], "it is an item's as well");
        assert!(Warning::PatronCard.is_stop() && !Warning::PatronCard.is_of_patron());
    }

    #[test]
    fn an_item_is_warned_of_where_another_waits_for_it() {
        let of = |hold: Hold| Desk { holds: vec![hold], ..Desk::default() };
        let waiting = || hold(9, 2, Some(5), 0, HoldState::Waiting);
        assert_eq!(of(hold(9, 2, None, 1, HoldState::Placed)).warnings(), [], "others can wait for another copy");
        assert_eq!(of(waiting()).warnings(), [Warning::Waiting]);
        assert_eq!(of(hold(9, 2, Some(5), 0, HoldState::InTransit)).warnings(), [Warning::InTransit]);
        assert_eq!(of(hold(9, 1, Some(5), 0, HoldState::Waiting)).warnings(), [], "it waits for them");
        assert_eq!(of(hold(9, 2, Some(6), 0, HoldState::Waiting)).warnings(), [], "that is another copy");
        assert_eq!(Desk { over: [9].into(), ..of(waiting()) }.warnings(), [], "its patron had it, and brought it back");
        assert_eq!(Desk { holder: Holder::CheckedIn, ..of(waiting()) }.warnings(), [Warning::Waiting]);
        assert_eq!(Desk { anna: None, knows: false, ..of(waiting()) }.warnings(), [], "it may wait for them");
        let aside = |patron| Desk { set_aside: Some(9), ..of(hold(9, patron, None, 1, HoldState::Placed)) };
        assert_eq!(aside(2).warnings(), [Warning::Waiting], "set aside here");
        assert_eq!(aside(1).warnings(), []);
        let holder = Holder::AsDownloaded(Some(Loan { patron: 2, ..Loan::default() }));
        assert_eq!(Desk { holder, ..of(waiting()) }.warnings(), [Warning::OnLoan], "it is in somebody's hands");
        let both = Desk { holds: vec![hold(8, 3, Some(5), 0, HoldState::InTransit), waiting()], ..Desk::default() };
        assert_eq!(both.warnings_with_whom(), [(Warning::Waiting, Whom::Patron(2))], "who is named is who waits");
        let own = hold(8, 1, Some(5), 0, HoldState::Waiting);
        let both = Desk { holds: vec![own, waiting()], set_aside: Some(8), ..Desk::default() };
        assert_eq!(both.warnings_with_whom(), [(Warning::Waiting, Whom::Patron(2))], "and never who takes it");
    }

    #[test]
    fn the_first_who_can_have_an_item_gets_it() {
        use HoldState::{InTransit, Placed, Waiting};
        let first = |holds: &[Hold], taken: &[u32]| hold_for(&item(), holds, taken).map(|hold| hold.id);
        let holds = [hold(3, 1, None, 2, Placed), hold(4, 2, None, 1, Placed), hold(5, 3, Some(6), 0, Placed)];
        assert_eq!(first(&holds, &[]), Some(4), "by priority, and not what only another copy can settle");
        assert_eq!(first(&holds, &[4]), Some(3), "another copy was set aside for the first");
        assert_eq!(first(&holds, &[3, 4]), None);
        let suspended = Hold { suspended: true, ..hold(1, 1, None, 1, Placed) };
        assert_eq!(first(&[suspended], &[]), None);
        assert_eq!(first(&[hold(7, 1, Some(5), 1, Placed)], &[]), Some(7));
        assert_eq!(first(&[hold(8, 1, Some(6), 0, Waiting), hold(9, 2, None, 1, Placed)], &[]), Some(9));
        assert_eq!(
            first(&[hold(9, 2, None, 1, Placed), hold(8, 1, Some(5), 0, InTransit)], &[]),
            Some(8),
            "it has arrived"
        );
    }

    #[test]
    fn what_came_back_is_unknown_or_on_hold_or_nothing() {
        let holds = [hold(7, 1, None, 1, HoldState::Placed)];
        let on_hold = Warning::Hold { hold: 7, pickup: "MPL".into() };
        let (item, of) = (item(), |item, knows, hold| of_checkin(item, knows, hold).collect::<Vec<_>>());
        assert_eq!(of(Some(&item), true, holds.first()), [(on_hold, Whom::Patron(1))]);
        assert_eq!(of(None, true, None), [(Warning::UnknownItem, Whom::Nobody)]);
        assert_eq!(of(None, false, None), []);
    }

    #[test]
    fn what_koha_has_marked_is_warned_of() {
        let marked = |lost, withdrawn, not_for_loan| Item { marks: Marks { lost, withdrawn, not_for_loan }, ..item() };
        let out = |item| Desk { item: Some(item), ..Desk::default() }.warnings();
        assert_eq!(out(marked(true, false, false)), [Warning::LostItem]);
        assert_eq!(out(marked(false, true, true)), [Warning::Withdrawn, Warning::NotForLoan]);
        let back = |item: &Item| of_checkin(Some(item), true, None).map(|(warning, _)| warning).collect::<Vec<_>>();
        assert_eq!(
            back(&marked(true, true, true)),
            [Warning::LostItem, Warning::Withdrawn],
            "it is not lent by coming back"
        );
        assert_eq!(back(&marked(false, false, true)), []);
        let holder = Holder::AsDownloaded(Some(Loan { patron: 2, item: Some(5), ..Loan::default() }));
        let lent = Desk { item: Some(marked(true, false, false)), holder, ..Desk::default() };
        assert_eq!(lent.warnings(), [Warning::OnLoan, Warning::LostItem], "long overdue");
    }

    #[test]
    fn who_confirms_a_debt_has_confirmed_a_smaller_one() {
        let debts = |cents| Warning::Debts { cents };
        assert!(debts(500).covers(&debts(500)) && debts(500).covers(&debts(499)) && !debts(500).covers(&debts(501)));
        assert!(Warning::LostCard.covers(&Warning::LostCard) && !Warning::LostCard.covers(&Warning::WrongAddress));
    }
}
