//! The reader of .koc files: no line is lost, and what it read can be written and read again.

use crate::fuzz::Target;
use koct_core::{
    Action, Transaction,
    desk::zone::FixedZone,
    desks::koc::{Reading, Times, Warning, read, write},
};
use std::collections::BTreeSet;

/// A .koc file, as any program or person may have made it.
pub const TARGET: Target = Target {
    name: "koc",
    words: &[
        "\n",
        "\r\n",
        "\n\n",
        "\t",
        "\t\r\n",
        " ",
        "\u{feff}",
        "\0",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "é",
        "📚",
        "issue",
        "return",
        "payment",
        "renew",
        "\tissue\t",
        "Version=1.0",
        "Version=1.1",
        "Generator=",
        "Generator=koct-firefox",
        "Generator=koct",
        "Desk=Bus 2",
        "UtcOffset=60",
        "UtcOffset=-32768",
        "GeneratorVersion=0.7",
        "2026-11-23 11:00:00 547\treturn\t39999000001310\n",
        "2026-11-23 11-00-00\tissue\tP1\tB1\n",
        "2026-11-23 11:00:00 547\tpayment\tP1\t3.50\n",
        "11:00:00 5",
        " 999",
        "1970-01-01 00:00:00",
        "1969-12-31 23:59:59",
        "9998-12-31 23:59:59 999",
        "9999-12-31 23:59:59",
        "2024-02-29 23:59:60",
        "+2026",
        "12345678901234567890",
        "12345678901234567890123456789012",
        "3.50",
        "3,50",
        "0.00",
        "10000000",
        "0.0000001",
    ],
    check,
};

/// # Panics
/// When a line is lost, or the reader and the writer do not agree.
pub fn check(input: &[u8]) -> String {
    let mut kind = String::new();
    for offset in [60, -150, 840] {
        let zone = FixedZone(offset);
        let reading = read(input, &zone, None);
        let header = accounts_for_every_line(input, &reading);
        reads_again_what_it_wrote(&reading, zone);
        kind = kind_of(&reading, header);
    }
    // A zone of no place on Earth must cost the times and not the program.
    accounts_for_every_line(input, &read(input, &FixedZone(i16::MAX), None));
    line_ends_mean_nothing(input);
    keeps_a_first_line_that_is_an_operation(input);
    kind
}

fn without_bom(input: &[u8]) -> &[u8] {
    input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input)
}

fn is_blank(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|text| text.chars().all(char::is_whitespace))
}

/// Each line is exactly one of: the header, a transaction, a problem, blank. Gives out whether there is a header.
fn accounts_for_every_line(input: &[u8], reading: &Reading) -> bool {
    let taken: Vec<usize> = reading.transactions.iter().map(|(line, _)| *line).collect();
    let reported: Vec<usize> = reading.problems.iter().map(|problem| problem.line).collect();
    assert!(taken.is_sorted_by(|one, next| one < next), "transactions out of order: {taken:?}");
    assert!(reported.is_sorted_by(|one, next| one < next), "problems out of order: {reported:?}");
    let mut header = false;
    let mut lines = 0;
    for (number, line) in (1..).zip(without_bom(input).split(|byte| *byte == b'\n')) {
        lines = number;
        let times = usize::from(taken.contains(&number)) + usize::from(reported.contains(&number));
        if is_blank(line) {
            assert_eq!(times, 0, "line {number} is blank and was counted");
        } else if number == 1 && times == 0 {
            let text = String::from_utf8_lossy(line);
            assert!(text.contains("Version") || text.contains("Generator"), "this is no header: {text:?}");
            header = true;
        } else {
            assert_eq!(times, 1, "line {number} was counted {times} times");
        }
    }
    assert!(taken.iter().chain(&reported).all(|line| (1..=lines).contains(line)), "a line that is not there");
    let by = |name| header && reading.generator.as_deref() == Some(name);
    assert_eq!(reading.times == Times::Utc, by("koct-firefox"), "only the old KOCT writes UTC");
    assert!(by("koct") || !matches!(reading.times, Times::Offset(_)), "only we say how far ahead of UTC it is");
    assert!(by("koct") || reading.desk.is_none(), "only we say which desk it is");
    assert_eq!(reading.declared.unwrap_or(Times::Local), reading.times);
    assert!(!(header && reading.warnings.contains(&Warning::NoHeader)), "there is a header");
    header
}

fn reads_again_what_it_wrote(reading: &Reading, zone: FixedZone) {
    let transactions: Vec<&Transaction> = reading.transactions.iter().map(|(_, transaction)| transaction).collect();
    let file = write(transactions.iter().copied(), reading.desk.as_ref());
    koha_reads_each_line(&file, &transactions);
    let again = read(file.as_bytes(), &zone, None);
    assert!(again.problems.is_empty(), "not read again: {:?} in {file:?}", again.problems);
    // The same signs in as many lines, and nothing else to be warned of.
    let signs = |reading: &Reading| {
        let of = |warning: &Warning| match warning {
            Warning::OddSigns { sign, lines, .. } => Some((*sign, *lines)),
            Warning::NoHeader | Warning::Version(_) => None,
        };
        reading.warnings.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!((signs(&again), again.warnings.len()), (signs(reading), signs(reading).len()), "{file:?}");
    let again: Vec<&Transaction> = again.transactions.iter().map(|(_, transaction)| transaction).collect();
    assert_eq!(again, transactions, "read again as something else");
}

/// What Koha's `process_koc.pl` takes: it splits at tabs, drops carriage returns and takes time and fields by their place.
fn koha_reads_each_line(file: &str, transactions: &[&Transaction]) {
    let body = file.strip_suffix('\n').expect("the last line is ended");
    let lines: Vec<&str> = body.split('\n').skip(1).collect();
    assert_eq!(lines.len(), transactions.len(), "a line for each transaction");
    for (line, Transaction { action, .. }) in lines.into_iter().zip(transactions) {
        assert!(!line.contains('\r'), "Koha would drop a carriage return: {line:?}");
        let fields: Vec<&str> = line.split('\t').collect();
        let shape: String = fields[0].chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999-99-99 99:99:99 999", "Koha takes the time by its place");
        let mut expected = vec![action.word().to_owned()];
        expected.extend(action.cardnumber().map(ToString::to_string));
        expected.extend(action.barcode().map(ToString::to_string));
        expected.extend(action.amount().map(|amount| amount.to_string()));
        assert_eq!(fields[1..], expected, "the fields of {line:?}");
        assert!(action.barcode().is_none_or(|code| code.as_str().chars().count() <= 20), "Koha would cut the barcode");
        assert!(action.cardnumber().is_none_or(|code| code.as_str().chars().count() <= 32), "or the cardnumber");
    }
}

/// The writers differ in line ends, trailing tabs and byte order marks, and mean the same.
fn line_ends_mean_nothing(input: &[u8]) {
    let zone = FixedZone(60);
    let same = |other: &[u8], what: &str| {
        assert_eq!(read(input, &zone, None), read(other, &zone, None), "{what} changed the reading");
    };
    let joined = |end: &[u8]| input.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(end);
    same(&joined(b"\r\n"), "CRLF");
    same(&joined(b"\t\n"), "a trailing tab");
    same(&[input, b"\n \n\n"].concat(), "blank lines at the end");
    if without_bom(input).len() == input.len() {
        same(&["\u{feff}".as_bytes(), input].concat(), "a byte order mark");
    }
}

/// A file may lack its header; its first line must then not be swallowed as one.
fn keeps_a_first_line_that_is_an_operation(input: &[u8]) {
    let zone = FixedZone(60);
    let below_header = read(&[b"Version=1.0\n", without_bom(input)].concat(), &zone, None);
    if let Some((2, transaction)) = below_header.transactions.first() {
        let alone = read(input, &zone, None);
        assert_eq!(alone.transactions.first(), Some(&(1, transaction.clone())), "the first line was swallowed");
    }
}

fn kind_of(reading: &Reading, header: bool) -> String {
    let problems: BTreeSet<String> = reading
        .problems
        .iter()
        .map(|problem| format!("{:?}", problem.reason))
        .map(|reason| reason.chars().take_while(|c| c.is_alphanumeric() || *c == '(').collect())
        .collect();
    let actions: BTreeSet<&str> =
        reading.transactions.iter().map(|(_, Transaction { action, .. })| action.word()).collect();
    let payments = reading.transactions.iter().filter(|(_, t)| matches!(t.action, Action::Payment { .. })).count();
    let many = (reading.transactions.len().min(3), payments.min(2));
    format!("{header} {:?} {} {actions:?} {many:?} {problems:?}", reading.times, reading.warnings.len())
}
