//! Generated libraries: of the size that is wanted, and with everything in them that a desk may meet.

use std::collections::HashSet;

use fake_koha::{Found, Item, Library, Patron, Size};

const SIZE: Size = Size { patrons: 4000, items: 6000, loans: 700, holds: 300 };

#[test]
fn the_same_for_the_same_seed() {
    let (one, two) = (Library::generate_sized(5, &SIZE), Library::generate_sized(5, &SIZE));
    assert_eq!((&one.patrons, &one.items, &one.loans, &one.holds), (&two.patrons, &two.items, &two.loans, &two.holds));
    assert_eq!(one.account_lines, two.account_lines);
    assert_ne!(one.patrons, Library::generate_sized(6, &SIZE).patrons);
    assert_eq!((one.patrons.len(), one.items.len(), one.loans.len(), one.holds.len()), (4004, 6000, 700, 300));
}

#[test]
fn any_size() {
    for size in [
        Size::default(),
        Size { patrons: 1, ..Size::default() },
        Size { items: 1, loans: 1, holds: 2, ..Size::default() },
        Size { patrons: 1, items: 1, loans: 1, holds: 1 },
        Size { patrons: 3, items: 7, loans: 100, holds: 20 },
        Size { patrons: 3, items: 100, loans: 99, holds: 20 },
    ] {
        let library = Library::generate_sized(1, &size);
        assert_eq!((library.patrons.len(), library.items.len()), (size.patrons + 4, size.items), "{size:?}");
        let loans = if size.patrons == 0 { 0 } else { size.loans.min(size.items) };
        assert_eq!(library.loans.len(), loans, "{size:?}");
        assert_eq!(library.holds.len(), if size.items == 0 { 0 } else { size.holds }, "{size:?}");
    }
}

#[test]
fn loans_and_items_agree() {
    let library = Library::generate_sized(5, &SIZE);
    let on_loan: HashSet<u64> = library.loans.iter().map(|loan| loan.item_id).collect();
    assert_eq!(on_loan.len(), library.loans.len(), "no item is lent twice");
    for item in &library.items {
        assert_eq!(item.on_loan.is_some(), on_loan.contains(&item.id), "{item:?}");
    }
    let plain = Library::generate(5, 10, 80);
    let lent = |number: usize| plain.items[number - 1].on_loan.is_some();
    assert!((1..=80).all(|number| lent(number) == (number % 8 == 0)), "every eighth");
    assert!(plain.holds.is_empty());
    for hold in library.holds.iter().filter(|hold| hold.found.is_some()) {
        let item = library.item_by_id(hold.item_id.unwrap()).unwrap();
        assert!(item.on_loan.is_none() && hold.priority == 0 && item.biblio_id == hold.biblio_id);
    }
}

#[test]
fn everything_is_in_it() {
    let library = Library::generate_sized(5, &SIZE);
    let some = |is: &dyn Fn(&Patron) -> bool| library.patrons.iter().filter(|patron| is(patron)).count() > 10;
    assert!(some(&|patron| &*patron.expiry_date < "2026"));
    assert!(some(&|patron| patron.restricted_until.as_deref() == Some("9999-12-31")));
    assert!(some(&|patron| patron.restricted_until.as_deref().is_some_and(|until| until < "2026")));
    assert!(some(&|patron| patron.restricted_until.is_some() && !patron.restriction_comment.is_empty()));
    assert!(some(&|patron| patron.card_lost) && some(&|patron| patron.address_in_doubt));
    assert!(some(&|patron| !patron.staff_note.is_empty()) && some(&|patron| !patron.preferred_name.is_empty()));
    for script in ['é', 'ß', 'Ł', 'İ', 'Đ', 'Þ', 'Щ', 'Χ', 'ش', 'כ', '渡', '𠮷', '김', 'श', '\u{301}', '’', '\'']
    {
        let named = |patron: &Patron| patron.surname.contains(script) || patron.firstname.contains(script);
        assert!(library.patrons.iter().any(named), "{script}");
    }
    assert!(library.account_lines.len() > 100);
    let branches: HashSet<&str> = library.patrons.iter().map(|patron| &*patron.branch).collect();
    assert_eq!(branches.len(), library.branches.len());

    let some = |is: &dyn Fn(&Item) -> bool| library.items.iter().filter(|item| is(item)).count() > 10;
    assert!(some(&|item| !item.materials.is_empty()) && some(&|item| item.lost != 0));
    assert!(some(&|item| !item.holding_branch.is_empty() && item.holding_branch != item.branch));
    assert!(library.items.windows(2).any(|pair| pair[0].biblio_id == pair[1].biblio_id), "copies");
    for found in [Found::Waiting, Found::InTransit] {
        assert!(library.holds.iter().any(|hold| hold.found == Some(found)));
    }
    assert!(library.holds.iter().any(|hold| hold.priority > 1));
    let cards: HashSet<&str> = library.patrons.iter().map(|patron| patron.cardnumber.as_str()).collect();
    assert_eq!(cards.len(), library.patrons.len());
}
