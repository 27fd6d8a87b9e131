use super::*;
use crate::desk::{transaction::TransactionId, zone::FixedZone};
use crate::desks::import::file::{ImportFile, recognising};
use chrono::TimeDelta;
use proptest::prelude::*;

fn cards(pattern: &str) -> Choices {
    Choices { cards: CardPattern::parse(pattern).ok(), ..Choices::default() }
}

/// What each line becomes, in short.
fn short(list: &List) -> Vec<String> {
    let of = |line: &Line| match &line.becomes {
        Becomes::Action(Action::Issue { cardnumber, barcode }) => format!("{cardnumber} < {barcode}"),
        Becomes::Action(Action::Return { barcode }) => format!("return {barcode}"),
        Becomes::Action(Action::Payment { .. }) => "payment".to_owned(),
        Becomes::Patron(card) => format!("patron {card}"),
        Becomes::Command(doing) => format!("{doing:?}"),
        Becomes::Heading => "heading".to_owned(),
        Becomes::Refused(reason) => format!("{}: {reason:?}", line.number),
    };
    list.lines.iter().map(of).collect()
}

fn of(text: &str, codes: &Codes, choices: &Choices) -> Vec<String> {
    short(&read(text.as_bytes(), codes, choices))
}

fn records(cards: &[&str], items: &[&str]) -> Codes {
    let set = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    Codes { cards: set(cards), items: set(items), lengths: Vec::new() }
}

const PAIRS: &[u8] = include_bytes!("../../../tests/cases/card-and-item.csv");
const CARDS: &[u8] = include_bytes!("../../../tests/cases/cards-then-items.txt");
const COMMANDS: &[u8] = include_bytes!("../../../tests/cases/session-codes.txt");

#[test]
fn card_and_item_in_a_line_are_checkouts() {
    let list = read(PAIRS, &Codes::default(), &Choices::default());
    assert_eq!(short(&list), ["23529000000010 < 39999000000040", "23529000000010 < 39999000000041"]);
    assert_eq!((list.usual, list.order_is_open, list.lacks_patron), (Some(Doing::Checkout), true, false));
    // What the cards look like, or the records, tell which is which.
    let turned = "39999000000040;23529000000010\n";
    for (codes, choices) in [
        (Codes::default(), cards("23529#########")),
        (records(&["23529000000010"], &[]), Choices::default()),
        (records(&[], &["39999000000040"]), Choices::default()),
        (Codes::default(), Choices { item_first: true, ..Choices::default() }),
    ] {
        assert_eq!(of(turned, &codes, &choices), ["23529000000010 < 39999000000040"], "{choices:?}");
    }
    assert!(!read(PAIRS, &Codes::default(), &cards("23529#########")).order_is_open);
    let said = Choices { doing: Some(Doing::Checkin), ..Choices::default() };
    assert_eq!(of("Card,Item\nP1,B1\n", &Codes::default(), &said), ["heading", "return B1"]);
    assert_eq!(of("issue,P1,B1\nP1,B2,Return\n", &Codes::default(), &Choices::default()), ["P1 < B1", "return B2"]);
}

#[test]
fn a_card_and_the_items_after_it_are_checkouts() {
    let expected = [
        "patron 23529000000010",
        "23529000000010 < 39999000000040",
        "23529000000010 < 39999000000041",
        "patron 23529000000011",
        "23529000000011 < 39999000000042",
    ];
    let known = records(&["23529000000010", "23529000000011"], &[]);
    assert_eq!(short(&read(CARDS, &Codes::default(), &cards("23529#########"))), expected);
    let list = read(CARDS, &known, &Choices::default());
    assert_eq!(
        (short(&list), list.usual, list.lacks_patron),
        (expected.map(String::from).to_vec(), Some(Doing::Checkout), false)
    );
    // An item before the first card is nobody's.
    let first = of("39999000000040\n23529000000010\n39999000000041\n", &known, &Choices::default());
    assert_eq!(first[0], "1: NoPatron");
}

#[test]
fn items_alone_are_checkins_or_what_a_person_says() {
    let text = "39999000000040\n39999000000041\n";
    let list = read(text.as_bytes(), &Codes::default(), &Choices::default());
    assert_eq!(
        (short(&list), list.usual),
        (vec!["return 39999000000040".into(), "return 39999000000041".into()], Some(Doing::Checkin))
    );
    let lent = Choices { doing: Some(Doing::Checkout), ..Choices::default() };
    let list = read(text.as_bytes(), &Codes::default(), &lent);
    assert_eq!((short(&list), list.lacks_patron), (vec!["1: NoPatron".into(), "2: NoPatron".into()], true));
    let to = Choices { patron: Cardnumber::parse("P1").ok(), ..lent };
    assert_eq!(of(text, &Codes::default(), &to), ["P1 < 39999000000040", "P1 < 39999000000041"]);
    let back = Choices { doing: Some(Doing::Checkin), ..cards("23529#########") };
    assert!(of("23529000000010\n39999000000040\n", &Codes::default(), &back)[0].starts_with("1: Card("));
}

#[test]
fn the_commands_of_a_device_say_what_was_done() {
    let expected =
        ["Checkout", "patron 15547", "15547 < 55478", "Checkout", "patron 36", "36 < 154", "Checkin", "return 55478"];
    let list = read(COMMANDS, &Codes::default(), &Choices::default());
    assert_eq!((short(&list), list.usual), (expected.map(String::from).to_vec(), None));
    // What a person says does not overrule it.
    let said = Choices { doing: Some(Doing::Checkin), ..Choices::default() };
    assert_eq!(short(&read(COMMANDS, &Codes::default(), &said)), expected);
    let textbooks = of("%C125J\n15547\n%C127L\n55478\n", &Codes::default(), &Choices::default());
    assert_eq!(textbooks, [r#"1: Command("%C125J")"#, r#"2: Command("%C125J")"#, "Checkin", "return 55478"]);
}

#[test]
fn what_a_spreadsheet_did_is_named_line_by_line() {
    let text = "P1,2.3529E+13\n7/22/2026 10:15,39999000000040\nP1,2026-07-22\nP1,39999000000040.0\nP1,B1\n";
    let expected = [
        r#"1: Rewritten("2.3529E+13")"#,
        r#"2: Rewritten("7/22/2026 10:15")"#,
        r#"3: Time("2026-07-22")"#,
        r#"4: Rewritten("39999000000040.0")"#,
        "P1 < B1",
    ];
    assert_eq!(of(text, &Codes::default(), &Choices::default()), expected);
    let known = records(&["0023529"], &["0039999"]);
    let zeros = [
        r#"1: Zeros { code: "23529", meant: "0023529" }"#,
        r#"2: Zeros { code: "39999", meant: "0039999" }"#,
        "0023529 < 0039999",
    ];
    assert_eq!(of("23529,0039999\n0023529,39999\n0023529,0039999\n", &known, &Choices::default()), zeros);
    let lengths = Codes { lengths: vec![8, 14], ..Codes::default() };
    let short = of("1234567\n12345678\nB12345\n123456789012\n", &lengths, &Choices::default());
    assert_eq!(
        short,
        [
            r#"1: Zeros { code: "1234567", meant: "01234567" }"#,
            "return 12345678",
            "return B12345",
            r#"4: Zeros { code: "123456789012", meant: "00123456789012" }"#
        ]
    );
    let pattern = cards("0#####");
    assert_eq!(of("12345,B1\n", &Codes::default(), &pattern), [r#"1: Zeros { code: "12345", meant: "012345" }"#]);
}

#[test]
fn lines_that_are_none_of_it_are_named() {
    let text = "P1,B1\nP1,B2,B3,B4\nP1,P2\nP1,123456789012345678901\nP1,B\u{200b}5\n";
    let lines = of(text, &records(&["P1", "P2"], &[]), &Choices::default());
    assert_eq!(&lines[..3], ["P1 < B1", "2: Cells(4)", "3: TwoCards"]);
    assert!(lines[3].starts_with("4: Barcode(TooLong") && lines[4].starts_with("5: Barcode(Invisible"), "{lines:?}");
    let broken = read(b"P1,B1\nP1,B\xe9\n", &Codes::default(), &Choices::default());
    assert_eq!((broken.lines[1].becomes.clone(), broken.refused()), (Becomes::Refused(LineReason::NotUtf8), 1));
}

#[test]
fn a_list_is_told_from_other_files() {
    let recognised = |bytes: &[u8]| recognising(bytes, &FixedZone(60)).at_once();
    for bytes in [PAIRS, CARDS, COMMANDS, b"Barcode\n39999000000040\n", b"2.3529E+13,39999000000040\n"] {
        assert_eq!(recognised(bytes), Ok(ImportFile::List), "{:?}", String::from_utf8_lossy(bytes));
    }
    for bytes in [
        &b"call Mrs Miller\n"[..],
        b"<html>",
        b"",
        b"Version=1.0\nnonsense",
        b"to do today: 3 things\n39999000000040\ncall Anna\n",
    ] {
        assert!(recognised(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
    }
    let long = "39999000000040\n".repeat(MOST_LINES);
    assert!(!is_too_long(long.as_bytes()) && is_too_long(format!("{long}1\n").as_bytes()));
}

#[test]
fn each_is_a_second_after_the_one_before() {
    let list = read(CARDS, &Codes::default(), &cards("23529#########"));
    let first = Moment::new(1_795_428_000_000, 60).unwrap();
    let transactions = list.transactions(first).unwrap();
    let seconds: Vec<i64> = transactions.iter().map(|it| it.moment.utc_seconds() - first.utc_seconds()).collect();
    assert_eq!(seconds, [0, 1, 2]);
    assert_eq!(list.actions().count(), 3);
    // Taken once, it is seen again at whatever time.
    let mut before = Before::new(&list);
    assert_eq!(before.number(&list), 0);
    for (id, transaction) in (1..).zip(transactions) {
        let moment = transaction.moment.shifted(TimeDelta::days(1)).unwrap();
        before.take(&Entry::recorded(TransactionId(id), Transaction { moment, ..transaction }));
    }
    assert_eq!(before.number(&list), 3);
}

#[test]
fn the_codes_to_look_for_are_all_of_them() {
    let long = "9".repeat(33);
    let codes: Vec<String> = codes(format!("P1,35\nP1,B2\n{long}\n").as_bytes()).into_iter().collect();
    assert_eq!(codes, ["35", "B2", "P1"]);
}

#[test]
fn a_list_has_a_time_that_is_over() {
    let now = Moment::new(1_795_428_000_000, 60).unwrap();
    let of =
        |typed, number| when(typed, &FixedZone(60), now, number).map(|first| first.utc_millis() - now.utc_millis());
    assert_eq!(of("2026-11-23T10:59", 60), Ok(-60_000));
    assert_eq!((of("2026-11-23T11:00:00", 1), of("2026-11-23T10:59:58.500", 1)), (Ok(0), Ok(-1_500)));
    assert_eq!(
        (of("2026-11-23T10:59:00", 62), of("2026-11-23T11:00:01", 0)),
        (Err(WhenError::Future), Err(WhenError::Future))
    );
    assert_eq!((of("", 1), of("2026-02-30T10:00", 1)), (Err(WhenError::Missing), Err(WhenError::Missing)));
}

#[test]
fn a_few_codes_are_looked_for_with_zeros_too() {
    let looked_for = |number: usize| {
        let codes = vec!["35".to_owned(); number];
        spellings(&codes).map(Iterator::count).collect::<Vec<_>>()
    };
    assert_eq!(looked_for(500), vec![7; 500]);
    assert_eq!(looked_for(501), vec![1; 501]);
    let codes = ["35".to_owned(), "B2".to_owned()];
    let mut spellings = spellings(&codes);
    assert!(spellings.next().unwrap().take(2).eq(["35", "035"]));
    assert!(spellings.next().unwrap().eq(["B2"]));
}

proptest! {
    #[test]
    fn every_line_is_shown_once_and_none_panics(
        lines in prop::collection::vec("[-0-9:A-Z%,;\t\"'=. /\u{e9}]{0,24}|%C123H|%C127L|[0-9]{5,14}(,[0-9]{5,14})?", 0..20),
        pattern in any::<bool>(), item_first in any::<bool>(),
    ) {
        let text = lines.join("\n");
        let choices = Choices { item_first, ..if pattern { cards("1*") } else { Choices::default() } };
        let list = read(text.as_bytes(), &Codes::default(), &choices);
        let numbers: Vec<usize> = list.lines.iter().map(|line| line.number).collect();
        prop_assert!(numbers.is_sorted_by(|one, other| one < other));
        let is_something = |line: &&String| line.chars().any(|c| c.is_ascii_alphanumeric());
        prop_assert!(list.lines.len() >= lines.iter().filter(is_something).count().min(1));
        let taken = list.transactions(Moment::new(0, 0).unwrap()).unwrap();
        prop_assert_eq!(taken.len(), list.actions().count());
        looks_like_one(text.as_bytes());
    }

    #[test]
    fn a_damaged_list_shows_every_line_and_has_no_code_that_is_not_in_it(
        file in prop::sample::select(vec![PAIRS, CARDS, COMMANDS]),
        place in any::<prop::sample::Index>(),
        with in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b",;\t\n\r\"=%E+"[..])], 0..4),
    ) {
        // The first two bytes may say that each letter has two.
        let place = 2 + place.index(file.len() - 2);
        let damaged = [&file[..place], &with, &file[place + 1..]].concat();
        let list = read(&damaged, &Codes::default(), &cards("23529#########"));
        let text = String::from_utf8_lossy(&damaged);
        let lines: Vec<&str> = text.split('\n').collect();
        let has_code = |line: &str| line.chars().any(|c| c.is_ascii_alphanumeric());
        let with_codes = (1..).zip(&lines).filter(|(_, line)| has_code(line)).map(|(number, _)| number);
        let shown: Vec<usize> = list.lines.iter().map(|line| line.number).collect();
        prop_assert!(shown.is_sorted_by(|one, other| one < other), "{shown:?}");
        prop_assert!(with_codes.clone().all(|number| shown.contains(&number)), "{shown:?}");
        for line in &list.lines {
            prop_assert_eq!(&line.text, &beginning(lines[line.number - 1].trim()));
        }
        let (looked_for, text) = (codes(&damaged), text.replace('"', ""));
        for action in list.actions() {
            let [card, barcode] = [action.cardnumber().map(Cardnumber::as_str), action.barcode().map(Barcode::as_str)];
            for code in [card, barcode].into_iter().flatten() {
                prop_assert!(looked_for.iter().any(|other| other == code), "{code}: {looked_for:?}");
                prop_assert!(text.contains(&code.replace('"', "")), "{code}: {text}");
            }
        }
    }
}
