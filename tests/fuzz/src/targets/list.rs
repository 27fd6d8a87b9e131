//! The reader of lists without times: every line is accounted for, and nothing is taken that was not shown.

use crate::fuzz::Target;
use koct_core::{
    Action, Barcode, Cardnumber, Moment,
    desk::pattern::CardPattern,
    desks::list::{Becomes, Choices, Codes, Doing, Line, List, codes, is_too_long, looks_like_one, read},
};
use std::collections::BTreeSet;

/// A list, as a spreadsheet, a hand-held device or a person may have made it.
pub const TARGET: Target = Target {
    name: "list",
    words: &[
        "\n",
        "\r\n",
        "\r",
        "\t",
        ";",
        ",",
        "\"",
        "\"\"",
        "'",
        "=\"",
        " ",
        "\u{feff}",
        "\0",
        "\u{a0}",
        "é",
        "３",
        "%C123H\n",
        "%C127L\n",
        "%C125J\n",
        "sep=;\n",
        "Card,Item\n",
        "issue",
        "return",
        "check out",
        "23529000000010",
        "39999000000040",
        "39999000000040\n",
        "3999900000040",
        "2.3529E+13",
        "39999000000040.0",
        "7/22/2026 10:15",
        "2026-11-28 09:00:00",
        "10:15",
        "12345678901234567890123456789012",
    ],
    check,
};

/// # Panics
/// When a line is lost or taken twice, or a code comes of nothing that stands there.
pub fn check(input: &[u8]) -> String {
    let none = Codes::default();
    let known = Codes {
        cards: ["23529000000010".to_owned()].into(),
        items: ["39999000000040".to_owned()].into(),
        lengths: vec![14],
    };
    let choices = [
        (&none, Choices::default()),
        (&known, Choices { doing: Some(Doing::Checkin), ..Choices::default() }),
        (
            &known,
            Choices {
                doing: Some(Doing::Checkout),
                patron: Cardnumber::parse("P1").ok(),
                item_first: true,
                cards: CardPattern::parse("23529#########").ok(),
            },
        ),
    ];
    let lists = choices.map(|(codes, choices)| read(input, codes, &choices));
    for list in &lists {
        accounts_for_every_line(input, list);
        list.lines.iter().for_each(takes_only_what_is_shown);
        gives_each_a_second_of_its_own(list);
    }
    // What a person says changes what lines become, and not which there are.
    let shown = |list: &List| list.lines.iter().map(|line| (line.number, line.text.clone())).collect::<Vec<_>>();
    assert!(lists.iter().all(|list| shown(list) == shown(&lists[0])));
    assert!(codes(input).iter().all(|code| code.chars().count() <= 32), "no card is longer");
    kind_of(&lists[0], looks_like_one(input), is_too_long(input))
}

fn accounts_for_every_line(input: &[u8], list: &List) {
    let numbers: Vec<usize> = list.lines.iter().map(|line| line.number).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "lines out of order: {numbers:?}");
    let ends = input.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    // Two bytes a letter: an end of a line can come of other bytes.
    let most = if matches!(input, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) { input.len() } else { ends + 1 };
    assert!(numbers.iter().all(|number| (1..=most).contains(number)), "a line that is not there: {numbers:?}");
    assert!(list.actions().count() + list.refused() <= list.lines.len());
}

/// Where a spreadsheet's marks are off, the code stands there letter by letter.
fn takes_only_what_is_shown(line: &Line) {
    let Becomes::Action(action) = &line.becomes else { return };
    assert!(!matches!(action, Action::Payment { .. }), "no list has payments");
    let is_marked = line.text.contains(['"', '\'', '=', '…']);
    let item = action.barcode().map(Barcode::as_str).unwrap_or_default();
    assert!(is_marked || line.text.contains(item), "{item:?} is not in {:?}", line.text);
}

fn gives_each_a_second_of_its_own(list: &List) {
    let first = Moment::new(1_795_428_000_000, 60).expect("it is a moment");
    let transactions = list.transactions(first).expect("it ends long before the last moment");
    assert!(transactions.iter().map(|transaction| &transaction.action).eq(list.actions()));
    let times = transactions.iter().map(|transaction| transaction.moment.utc_seconds());
    assert!(times.is_sorted_by(|one, next| one < next), "two share a second");
}

fn kind_of(list: &List, looks_like_one: bool, is_too_long: bool) -> String {
    let of = |line: &Line| match &line.becomes {
        Becomes::Action(action) => action.word().to_owned(),
        Becomes::Patron(_) => "patron".to_owned(),
        Becomes::Command(doing) => format!("{doing:?}"),
        Becomes::Heading => "heading".to_owned(),
        Becomes::Refused(reason) => format!("{reason:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
    };
    let kinds: BTreeSet<String> = list.lines.iter().map(of).collect();
    let is_open = (list.lacks_patron, list.order_is_open, looks_like_one, is_too_long);
    format!("{:?} {is_open:?} {kinds:?} {}", list.usual, list.lines.len().min(3))
}
