use super::{
    block_store::DamagedBlockError,
    record::HoldState,
    testing::{Memory, at_once, set, write},
    *,
};
use chrono::NaiveDate;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[test]
fn what_is_there_is_stored_as_ever() {
    let held = serde_json::to_string(&Held::default()).unwrap();
    for text in [
        r#"{"nextRun":0,"server":null,"sets":{},"gaps":{},"libraries":{}}"#.to_owned(),
        format!(
            r#"{{"nextRun":3,"server":null,"sets":{{"patrons":{held},"items":{held}}},"gaps":{{"holds":{{"why":"absent"}}}},"#
        ) + r#""libraries":{"CPL":"Centerville","MPL":"Midway"}}"#,
    ] {
        let contents: Contents = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&contents).unwrap(), text);
    }
    let mixed = r#"{"libraries":{"MPL":"Midway","CPL":"Centerville"}}"#;
    let contents: Contents = serde_json::from_str(mixed).unwrap();
    assert_eq!(contents.libraries.keys().collect::<Vec<_>>(), ["CPL", "MPL"], "in whatever order it is read");
    assert!(serde_json::from_str::<Contents>(r#"{"gaps":[]}"#).is_err(), "a list is no map");
}

/// A directory of these.
fn directory<'a>(
    store: &'a Memory,
    patrons: &[Patron],
    items: &[Item],
    loans: &[Loan],
    holds: &[Hold],
) -> Directory<&'a Memory> {
    let mut contents = Contents::default();
    set(store, &mut contents, patrons);
    set(store, &mut contents, items);
    set(store, &mut contents, loans);
    set(store, &mut contents, holds);
    Directory::new(store, contents)
}

fn patron(id: u32, cardnumber: &str, userid: &str, surname: &str, firstname: &str) -> Patron {
    let text = str::to_owned;
    Patron {
        id,
        cardnumber: text(cardnumber),
        userid: text(userid),
        surname: text(surname),
        firstname: text(firstname),
        ..Patron::default()
    }
}

fn item(id: u32, barcode: &str, biblio: u32) -> Item {
    Item { id, barcode: barcode.to_owned(), biblio, ..Item::default() }
}

fn loan(id: u32, patron: u32, item: Option<u32>) -> Loan {
    Loan { id, patron, item, ..Loan::default() }
}

fn hold(id: u32, patron: u32, biblio: u32, priority: u32) -> Hold {
    let pickup = "CPL".to_owned();
    Hold { id, patron, biblio, item: None, pickup, priority, state: HoldState::Placed, suspended: false }
}

#[test]
fn what_is_held_is_stored_as_ever() {
    let stored = r#"{"run":7,"blocks":3,"rows":120,"asOf":1795600000000,"wholeAsOf":1795500000001,"kohaAsOf":1795600000123,"hasExtras":true,"unreadable":2}"#;
    let held: Held = serde_json::from_str(stored).unwrap();
    assert_eq!((held.as_of.millis(), held.whole_as_of.millis()), (1_795_600_000_000, 1_795_500_000_001));
    assert_eq!(serde_json::to_string(&held).unwrap(), stored);
}

#[test]
fn finds_records_by_what_is_scanned() {
    let store = Memory::default();
    let patrons = [
        patron(5, "2001", "ann", "Meyer", "Anna"),
        patron(7, "ANN", "x7", "Hanson", "Per"),
        patron(900, "", "Zoë.Anders", "Anders", "Zoë"),
    ];
    let items = [item(1, "B1", 10), item(2, "b 2", 10), item(3, "", 11)];
    let loans = [loan(1, 5, Some(2)), loan(2, 7, Some(1)), loan(3, 5, None)];
    let holds = [hold(1, 7, 10, 2), hold(2, 5, 10, 1), hold(3, 5, 11, 1)];
    let directory = directory(&store, &patrons, &items, &loans, &holds);
    let by_code = |code: &str| at_once(directory.patron_by_code(code)).unwrap().map(|patron| patron.id);
    assert_eq!(by_code(" 2001 "), Some(5));
    assert_eq!(by_code("Ann"), Some(7), "a card goes before a user name, whatever the case");
    assert_eq!(by_code("zoe.anders"), Some(900));
    assert_eq!((by_code("2002"), by_code("")), (None, None));
    assert_eq!(at_once(directory.patron(900)).unwrap().as_ref(), Some(&patrons[2]));
    assert_eq!(at_once(directory.patron(6)).unwrap(), None);
    let barcode = |code: &str| at_once(directory.item_by_barcode(code)).unwrap().map(|item| item.id);
    assert_eq!((barcode("b1"), barcode("B 2"), barcode("b3"), barcode("")), (Some(1), Some(2), None, None));
    assert_eq!(at_once(directory.loan_of(2)).unwrap().as_ref(), Some(&loans[0]));
    assert_eq!(at_once(directory.loan_of(3)).unwrap(), None);
    assert_eq!(at_once(directory.loans_of(5)).unwrap(), [loans[0].clone(), loans[2].clone()]);
    assert_eq!(at_once(directory.holds_on(10)).unwrap(), [holds[1].clone(), holds[0].clone()]);
    assert_eq!(at_once(directory.holds_of(5)).unwrap(), [holds[1].clone(), holds[2].clone()]);
    let hits = at_once(directory.search("an", 2)).unwrap();
    assert_eq!((hits.patrons, hits.total), (vec![patrons[2].clone(), patrons[0].clone()], 3));
}

#[test]
fn restrictions_are_told_of_whoever_may_be_restricted() {
    let until = NaiveDate::from_ymd_opt(2026, 12, 24);
    let restriction = |patron, until| Restriction { patron, until, comment: "Lost an atlas".into() };
    let patrons: Vec<Patron> = [Some(true), Some(true), Some(true), Some(false), None]
        .into_iter()
        .zip(1..)
        .map(|(restricted, id)| Patron { restricted, ..patron(id, &id.to_string(), "", "A", "B") })
        .collect();
    let store = Memory::default();
    let mut contents = Contents::default();
    set(&store, &mut contents, &patrons);
    let told = |contents: &Contents| -> Vec<_> {
        let directory = Directory::new(&store, contents.clone());
        let found = (1..=5).map(|id| at_once(directory.patron_by_code(&id.to_string())).unwrap().unwrap());
        found
            .map(|patron| (patron.restricted, patron.restricted_until, !patron.restriction_comment.is_empty()))
            .collect()
    };
    let known: Vec<_> = patrons.iter().map(|patron| (patron.restricted, None, false)).collect();
    assert_eq!(told(&contents), known, "there is no report");
    set::<Restriction>(&store, &mut contents, &[]);
    assert_eq!(told(&contents), known, "it has nobody");
    set(
        &store,
        &mut contents,
        &[restriction(1, until), restriction(3, None), restriction(4, None), restriction(5, until)],
    );
    let all =
        [(Some(true), until, true), (Some(true), None, false), (Some(true), None, true), (Some(false), None, false)];
    assert_eq!(told(&contents), [&all[..], &[(Some(true), until, true)]].concat());
}

#[test]
fn a_card_among_items_is_known_and_whether_an_item_bears_it_too() {
    let store = Memory::default();
    let patrons = [patron(5, "2001", "ann", "Meyer", "Anna"), patron(6, "B1", "2001", "Alike", "Al")];
    let full = directory(&store, &patrons, &[item(1, "b1", 10)], &[], &[]);
    let known =
        |card: &str, patron, is_item| Some(KnownCard { card: Cardnumber::parse(card).unwrap(), patron, is_item });
    let card = |as_card: &str, barcode: &str| at_once(full.card_for_item(as_card, barcode)).unwrap();
    for code in ["2001", " 2001 "] {
        assert_eq!(card(code, code), known("2001", 5, false), "and not who has it as a user name");
    }
    assert_eq!(card("b1", "b1"), known("B1", 6, true), "an item has it too");
    assert_eq!(card("2001", "B1"), known("2001", 5, true), "the rules for items have made an item's of it");
    for code in ["ann", "3003", ""] {
        assert_eq!(card(code, code), None, "{code}");
    }
    let empty = Directory::new(&store, Contents::default());
    assert_eq!(at_once(empty.card_for_item("2001", "2001")), Ok(None));
    let card_of = |typed: &str| at_once(full.card_of_user(typed)).unwrap();
    assert_eq!(card_of("ANN").as_deref(), Some("2001"));
    assert_eq!((card_of("2001"), card_of("b1"), card_of("nobody")), (None, None, None));
    let cardless = [patron(7, "", "kim", "Kim", "Kim")];
    assert_eq!(at_once(directory(&store, &cardless, &[], &[], &[]).card_of_user("kim")), Ok(None));
}

#[test]
fn an_empty_directory_finds_nothing() {
    let store = Memory::default();
    for directory in [Directory::new(&store, Contents::default()), directory(&store, &[], &[], &[], &[])] {
        assert_eq!(at_once(directory.patron_by_code("1")), Ok(None));
        assert_eq!(at_once(directory.item_by_barcode("1")), Ok(None));
        assert_eq!(at_once(directory.loans_of(1)), Ok(Vec::new()));
        assert_eq!(at_once(directory.search("a", 5)), Ok(Hits::default()));
    }
}

/// More than a block of each part, and keys whose pairs go over several blocks.
#[test]
fn many_rows_take_many_blocks_and_each_is_found_with_few_reads() {
    let store = Memory::default();
    let many = 40_000;
    let patrons: Vec<Patron> = (0..many)
        .map(|n| patron(n * 3 + 1, &format!("2{n:07}"), &format!("u{n}"), &format!("Name{n}"), "Kim"))
        .collect();
    let loans: Vec<Loan> = (0..many).map(|n| loan(n, if n < 30_000 { 4 } else { n }, Some(n))).collect();
    let directory = directory(&store, &patrons, &[], &loans, &[]);
    assert!(directory.contents().sets[&Set::Patrons].blocks > 20);
    for n in [0_u32, 1, 777, 20_000, many - 1] {
        let wanted = &patrons[usize::try_from(n).unwrap()];
        let found = at_once(directory.patron_by_code(&format!("2{n:07}"))).unwrap();
        assert_eq!(found.as_ref(), Some(wanted));
        assert_eq!(at_once(directory.patron_by_code(&format!("U{n}"))).unwrap().as_ref(), Some(wanted));
    }
    let before = store.reads.get();
    at_once(directory.patron_by_code("20012345")).unwrap().unwrap();
    assert!(store.reads.get() - before <= 3, "the fences are in memory");
    assert_eq!(at_once(directory.loans_of(4)).unwrap().len(), 30_000);
    assert_eq!(at_once(directory.loans_of(39_999)).unwrap(), [loans[39_999].clone()]);
    let hits = at_once(directory.search("name123 kim", 3)).unwrap();
    assert_eq!(hits.total, 111);
    assert_eq!(hits.patrons[0].surname, "Name123");
}

#[test]
fn what_is_missing_or_damaged_is_told() {
    let store = Memory::default();
    let patrons: Vec<Patron> = (1..5_000).map(|n| patron(n, &format!("{n}"), "", "A", "B")).collect();
    let directory = directory(&store, &patrons, &[], &[], &[]);
    let held = directory.contents().sets[&Set::Patrons].clone();
    let place = block_store::BlockId { run: held.run, part: 0, block: 1 };
    store.blocks.borrow_mut().insert(place, vec![1, 2, 3].into());
    assert!((1..5_000).any(|id| at_once(directory.patron(id)) == Err(DamagedBlockError(place))));
    store.blocks.borrow_mut().remove(&place);
    let written = Unfinished { run: held.run, blocks: held.blocks, rows: 0, last: None };
    assert_eq!(at_once(finish::<Patron, _>(&&store, written, DeskTime::from_millis(1))), Err(DamagedBlockError(place)));
}

#[test]
fn rows_that_do_not_rise_are_refused() {
    let mut writer = RowWriter::resume(Unfinished::new(1));
    writer.push(&item(5, "a", 1)).unwrap();
    assert_eq!(writer.push(&item(5, "b", 1)), Err(OutOfOrder(5)));
    assert_eq!(writer.push(&item(4, "b", 1)), Err(OutOfOrder(4)));
    writer.push(&item(6, "b", 1)).unwrap();
    assert_eq!(writer.take(true).1.rows, 2);
}

#[test]
fn digits_are_no_name() {
    for (typed, begins, is_name) in [
        ("", false, false),
        ("a", true, false),
        (" a ", true, false),
        ("ac", true, true),
        ("张伟", true, true),
        ("12", false, false),
        ("1a", true, true),
    ] {
        assert_eq!((may_begin_name(typed), may_be_name(typed)), (begins, is_name), "{typed}");
    }
}

proptest! {
    /// Writing that is broken off and goes on elsewhere gives what writing at once gives.
    #[test]
    fn writing_goes_on_after_a_break(ids in prop::collection::btree_set(0..10_000_u32, 0..60), breaks in prop::collection::vec(any::<bool>(), 60), lost in any::<bool>()) {
        let store = Memory::default();
        let rows: Vec<Item> = ids.iter().map(|id| item(*id, &format!("b{id}"), id / 2)).collect();
        let mut writer = RowWriter::resume(Unfinished::new(1));
        let mut saved = Unfinished::new(1);
        let mut breaks = breaks.into_iter();
        let mut next = 0;
        while next < rows.len() {
            writer.push(&rows[next]).unwrap();
            next += 1;
            if breaks.next() == Some(true) {
                if lost {
                    // What was not put into the store is asked for again.
                    writer = RowWriter::resume(saved);
                    next = rows.iter().position(|row| saved.last.is_none_or(|last| row.id > last)).unwrap();
                }
                let (blocks, at) = writer.take(true);
                at_once((&&store).write(blocks)).unwrap();
                saved = at;
                if !lost {
                    writer = RowWriter::resume(saved);
                }
            }
        }
        let (blocks, at) = writer.take(true);
        at_once((&&store).write(blocks)).unwrap();
        prop_assert_eq!(usize::try_from(at.rows).unwrap(), rows.len());
        let held = at_once(finish::<Item, _>(&&store, at, DeskTime::from_millis(1))).unwrap();
        let contents = Contents { sets: [(Set::Items, held)].into_iter().collect(), ..Contents::default() };
        let directory = Directory::new(&store, contents);
        for row in &rows {
            let found = at_once(directory.item_by_barcode(&row.barcode)).unwrap();
            prop_assert_eq!(found.as_ref(), Some(row));
        }
    }

    /// Changes replace what they change, and nothing else.
    #[test]
    fn changes_replace_and_add(old in prop::collection::btree_map(0..40_u32, 0..9_u32, 0..30), new in prop::collection::btree_map(0..40_u32, 10..19_u32, 0..30)) {
        let store = Memory::default();
        let rows = |map: &BTreeMap<u32, u32>| map.iter().map(|(id, biblio)| item(*id, &format!("b{biblio}-{id}"), *biblio)).collect::<Vec<_>>();
        let held = at_once(finish::<Item, _>(&&store, write(&store, 1, &rows(&old)), DeskTime::from_millis(1))).unwrap();
        let changes = write(&store, 2, &rows(&new));
        let held = at_once(finish_changes::<Item, _>(&&store, &held, changes, &[], 3, DeskTime::from_millis(2))).unwrap();
        let mut expected = old.clone();
        expected.extend(new);
        prop_assert_eq!(usize::try_from(held.rows).unwrap(), expected.len());
        prop_assert_eq!((held.as_of, held.whole_as_of), (DeskTime::from_millis(2), DeskTime::from_millis(1)));
        let directory = Directory::new(&store, Contents { sets: [(Set::Items, held)].into_iter().collect(), ..Contents::default() });
        for row in rows(&expected) {
            prop_assert_eq!(at_once(directory.item_by_barcode(&row.barcode)).unwrap(), Some(row));
        }
        for row in rows(&old).iter().filter(|row| expected[&row.id] != row.biblio) {
            prop_assert_eq!(at_once(directory.item_by_barcode(&row.barcode)).unwrap(), None);
        }
    }
}

#[test]
fn items_are_found_by_words_of_their_title_author_or_place() {
    let store = Memory::default();
    let titled = |id, barcode: &str, title: &str, author: &str| Item {
        title: title.to_owned(),
        author: author.to_owned(),
        call_number: format!("FIC {id}"),
        ..item(id, barcode, id)
    };
    let items = [
        titled(1, "B1", "Der Zauberberg", "Mann, Thomas"),
        titled(2, "", "Zauberlehrling", ""),
        titled(3, "B3", "Le Père Goriot", "Balzac"),
        titled(4, "B4", "Zauber der Berge", ""),
    ];
    let directory = directory(&store, &[], &items, &[], &[]);
    let found = |typed: &str, limit, goes_on: bool| {
        let items = at_once(directory.items_by_title(typed, limit, |_| true, || goes_on)).unwrap();
        items.into_iter().map(|item| item.id).collect::<Vec<_>>()
    };
    assert_eq!(found("ZAUBER berg", 9, true), [1, 4], "what has no barcode cannot be meant");
    assert_eq!(
        (found("zauber", 1, true), found("pere", 9, true), found("mann fic", 9, true)),
        (vec![1], vec![3], vec![1])
    );
    assert_eq!((found("zauber", 9, false), found("nobody", 9, true)), (vec![], vec![]));
}

#[test]
fn what_is_typed_for_a_card_is_a_card_a_user_name_or_an_item() {
    let store = Memory::default();
    let patrons = [patron(5, "2001", "ann", "Meyer", "Anna"), patron(6, "", "nocard", "Meyer", "Otto")];
    let directory = directory(&store, &patrons, &[item(1, "B1", 10), item(2, "2001", 11)], &[], &[]);
    let typed = |code: &str| at_once(directory.typed_card(code)).unwrap();
    let card = |code: &str| TypedCard::Card(code.to_owned());
    assert_eq!((typed("ANN"), typed("2001"), typed("b1")), (card("2001"), card("2001"), TypedCard::Item));
    assert_eq!((typed("new"), typed("nocard")), (card("new"), card("nocard")));
}
