//! `.koc` 1.0, Koha's offline circulation file: written for Koha, read from every known writer.
//!
//! A file is a header line of `key=value` pairs and then one operation a line, all separated by tabs:
//!
//! ```text
//! Version=1.0⇥Generator=koct⇥GeneratorVersion=0.1.0
//! 2026-11-23 11:00:00 547⇥issue⇥23529001000463⇥39999000001310
//! 2026-11-23 11:02:10 002⇥return⇥39999000001310
//! 2026-11-23 11:03:00 120⇥payment⇥23529001000463⇥3.50
//! ```
//!
//! Times are the desk's local time: Koha's `enqueue_koc.pl` stores them unchanged as server-local, and orders by them. So all
//! times of a file are written at one UTC offset, that of its last transaction: where the zone was corrected during the day,
//! or the clocks were changed, local times alone would put a checkin before its checkout. Koha stops half-way at a
//! blank line or an unknown word, so the writer never makes one; the reader reports it and goes on. Koha reads `Version`
//! and nothing else of the header, so ours also says which desk wrote the file, at which library, and how far its clock was ahead
//! of UTC.

use crate::{
    desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber},
        branch::BranchCode,
        name::DeskName,
        signs,
        transaction::{Action, Moment, Transaction},
        zone::Zone,
    },
    desks::damage,
    slices::{CHUNK, Sliced},
};
use chrono::NaiveDate;
use std::fmt::Write as _;
use thiserror::Error;

/// The name that our files carry as their generator.
pub const GENERATOR: &str = "koct";

/// The old KOCT add-on, the one writer whose times are UTC.
const UTC_GENERATOR: &str = "koct-firefox";

/// The pairs of the header that are KOCT's own.
const DESK: &str = "Desk";
const BRANCH: &str = "Branch";
const UTC_OFFSET: &str = "UtcOffset";

/// Writes transactions, in the order given. `desk` is the one that recorded all of them, if one did.
pub fn write<'a, T>(transactions: T, desk: Option<&DeskName>) -> String
where
    T: IntoIterator<Item = &'a Transaction>,
    T::IntoIter: Clone,
{
    let transactions = transactions.into_iter();
    let offset = transactions.clone().last().map(|transaction| transaction.moment.offset_minutes());
    let mut file = header(offset, desk, None);
    for transaction in transactions {
        add(&mut file, transaction, offset);
    }
    file
}

/// The line that a file begins with whose times are written at this offset.
pub(super) fn header(offset: Option<i16>, desk: Option<&DeskName>, branch: Option<&str>) -> String {
    let mut header = format!("Version=1.0\tGenerator={GENERATOR}\tGeneratorVersion={}", env!("CARGO_PKG_VERSION"));
    // Writing into a String cannot fail.
    // Koha splits the header at every equals sign, and an odd number of pieces would confuse it.
    let desk = desk.filter(|desk| !desk.as_str().contains('='));
    let _ = desk.map_or(Ok(()), |desk| write!(header, "\t{DESK}={desk}"));
    let branch = branch.filter(|code| BranchCode::parse(code).is_ok() && !code.contains('='));
    let _ = branch.map_or(Ok(()), |branch| write!(header, "\t{BRANCH}={branch}"));
    let _ = offset.map_or(Ok(()), |offset| write!(header, "\t{UTC_OFFSET}={offset}"));
    header.push('\n');
    header
}

/// Adds the line of a transaction, at this offset.
pub(super) fn add(file: &mut String, Transaction { moment, action }: &Transaction, offset: Option<i16>) {
    let moment = offset.and_then(|offset| moment.at_offset(offset).ok()).unwrap_or(*moment);
    let time = moment.local().format("%Y-%m-%d %H:%M:%S %3f");
    // Writing into a String cannot fail.
    let _ = match action {
        Action::Issue { cardnumber, barcode } => writeln!(file, "{time}\tissue\t{cardnumber}\t{barcode}"),
        Action::Return { barcode } => writeln!(file, "{time}\treturn\t{barcode}"),
        Action::Payment { cardnumber, amount } => writeln!(file, "{time}\tpayment\t{cardnumber}\t{amount}"),
    };
}

/// The name of an exported file: branch, local date and time, so that files of several desks lie side by side in order.
pub fn file_name(branch: &str, now: Moment) -> String {
    let (branch, time) = (safe_in_names(branch), time_in_names(now));
    if branch.is_empty() { format!("koct_{time}.koc") } else { format!("koct_{branch}_{time}.koc") }
}

/// The name of a file with what is left to do.
pub fn todo_name(branch: &str, now: Moment) -> String {
    let (branch, time) = (safe_in_names(branch), time_in_names(now));
    if branch.is_empty() { format!("koct_to-do_{time}.csv") } else { format!("koct_to-do_{branch}_{time}.csv") }
}

/// A text as any file system takes it in a name.
pub(crate) fn safe_in_names(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Local date and time as any file system takes them in a name.
pub(crate) fn time_in_names(now: Moment) -> String {
    now.local().format("%Y-%m-%d_%H-%M-%S").to_string()
}

/// The most characters of a field that are quoted where it is refused.
const LONGEST_QUOTE: usize = 60;

/// How a file tells its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Local time of the desk that wrote it.
    Local,
    /// UTC.
    Utc,
    /// This number of minutes ahead of UTC.
    Offset(i16),
}

/// The offsets offered where a file leaves its time zone open, in minutes: all whole hours, and the halves and quarters that
/// are in use.
const OFFSETS: [i16; 38] = [
    -720, -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -120, -60, 0, 60, 120, 180, 210, 240, 270,
    300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720, 765, 780, 840,
];

/// What a file holds: every line is either a transaction, a problem, or blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The program that wrote it, where it says so.
    pub generator: Option<String>,
    /// The desk that recorded it, where it says so.
    pub desk: Option<DeskName>,
    /// The library at which all of it was recorded, where it says so.
    pub branch: Option<BranchCode>,
    /// How it says that its times are to be taken, where it leaves that not open.
    pub declared: Option<Times>,
    /// How its times were taken.
    pub times: Times,
    /// Its transactions with their line numbers, in the order of the file.
    pub transactions: Vec<(usize, Transaction)>,
    /// The lines that could not be taken, with the reason.
    pub problems: Vec<Problem>,
    /// Oddities that lost nothing.
    pub warnings: Vec<Warning>,
}

/// The transactions of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// In the order of the file.
    pub transactions: Vec<Transaction>,
    /// An earlier version of KOCT wrote the file from a log with more than one UTC offset: each local time at its own, and
    /// none of them stated.
    pub offsets_are_open: bool,
}

impl From<Vec<Transaction>> for Lines {
    fn from(transactions: Vec<Transaction>) -> Self {
        Self { transactions, offsets_are_open: false }
    }
}

/// A line that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1, the header included.
    pub line: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reason {
    /// Bytes that are no UTF-8 text.
    #[error("the line is not UTF-8 text")]
    NotUtf8,
    /// The first field is no time.
    #[error("“{0}” is not a time")]
    Time(String),
    /// A spreadsheet program has rewritten this code, or this time: what stood there is lost.
    #[error("“{0}” was rewritten by a spreadsheet program")]
    Rewritten(String),
    /// The word is none of `issue`, `return`, `payment`.
    #[error("“{0}” is not an action that KOCT knows")]
    Action(String),
    /// Fewer or more fields than the action has.
    #[error("a line with “{action}” has {expected} fields, this one has {found}")]
    Fields {
        /// Koha's word.
        action: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The cardnumber cannot be taken.
    #[error("cardnumber: {0}")]
    Cardnumber(crate::desk::barcode::CodeError),
    /// The barcode cannot be taken.
    #[error("barcode: {0}")]
    Barcode(crate::desk::barcode::CodeError),
    /// The amount cannot be taken.
    #[error("amount: {0}")]
    Amount(crate::desk::amount::AmountError),
}

/// Something odd about a file that cost no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The first line is an operation; Koha would swallow it as the header.
    NoHeader,
    /// The header names another version than 1.0.
    Version(String),
    /// Codes hold signs that nobody sees, or that only look like others. They are taken as they stand: an earlier version may have
    /// recorded them so.
    OddSigns {
        /// The first line with such a code.
        line: usize,
        /// The first such sign in it.
        sign: char,
        /// The number of such lines.
        lines: usize,
    },
}

/// Reads a file. Never stops at a bad line. `zone` is that of this computer; `times` says how to take the times of a file
/// that does not declare it itself, and is the local time of `zone` where it is absent.
pub fn read(bytes: &[u8], zone: &dyn Zone, times: Option<Times>) -> Reading {
    reading(bytes, zone, times).at_once()
}

/// As [`read`], in slices.
pub fn reading<'a>(bytes: &'a [u8], zone: &'a dyn Zone, times: Option<Times>) -> Sliced<'a, Reading> {
    Sliced::new(move |pace| async move {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reading = Reading {
            generator: None,
            desk: None,
            branch: None,
            declared: None,
            times: times.unwrap_or(Times::Local),
            transactions: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            reading.take(line, bytes, zone);
            if line % CHUNK == 0 {
                pace.spend(CHUNK).await;
            }
        }
        reading
    })
}

impl Reading {
    /// Takes a line.
    fn take(&mut self, line: usize, bytes: &[u8], zone: &dyn Zone) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.problems.push(Problem { line, reason: Reason::NotUtf8 });
            return;
        };
        // Koha drops every carriage return, wherever it stands.
        let text = text.replace('\r', "");
        if text.trim().is_empty() {
            return;
        }
        // A barcode may look like a part of a header; a line that begins with a time is an operation all the same.
        let has_time = || time(text.split('\t').next().unwrap_or_default(), Times::Local, zone).is_some();
        if line == 1 && has_time() {
            self.warnings.push(Warning::NoHeader);
        } else if line == 1 && self.header(&text) {
            return;
        }
        match operation(&text, self.times, zone) {
            Ok(mut transaction) => {
                if self.times == Times::Local {
                    let before = self.transactions.last().map(|(_, before)| before.moment);
                    transaction.moment = in_the_hour_after(transaction.moment, before, zone);
                }
                self.look_at_signs(line, &transaction);
                self.transactions.push((line, transaction));
            }
            Err(reason) => self.problems.push(Problem { line, reason }),
        }
    }

    fn look_at_signs(&mut self, line: usize, Transaction { action, .. }: &Transaction) {
        let codes = [action.cardnumber().map(Cardnumber::as_str), action.barcode().map(Barcode::as_str)];
        let Some(sign) = codes.into_iter().flatten().find_map(signs::odd) else { return };
        for warning in &mut self.warnings {
            if let Warning::OddSigns { lines, .. } = warning {
                *lines += 1;
                return;
            }
        }
        self.warnings.push(Warning::OddSigns { line, sign, lines: 1 });
    }

    /// Takes a line as the header, if it is one.
    fn header(&mut self, text: &str) -> bool {
        let pairs: Vec<_> = text.split('\t').filter_map(|field| field.split_once('=')).collect();
        let value = |key: &str| pairs.iter().find(|(k, _)| k.trim() == key).map(|(_, value)| value.trim());
        if value("Version").is_none() && value("Generator").is_none() {
            self.warnings.push(Warning::NoHeader);
            return false;
        }
        let version = value("Version").unwrap_or_default();
        if version != "1.0" {
            self.warnings.push(Warning::Version(version.to_owned()));
        }
        self.generator = value("Generator").map(str::to_owned);
        let by_us = self.generator.as_deref() == Some(GENERATOR);
        self.desk = value(DESK).filter(|_| by_us).and_then(|name| DeskName::parse(name).ok());
        self.branch = value(BRANCH).filter(|_| by_us).and_then(|code| BranchCode::parse(code).ok());
        let offset = || value(UTC_OFFSET).and_then(|minutes| minutes.parse().ok());
        let is_of_earth = |minutes: &i16| minutes.unsigned_abs() < 24 * 60;
        self.declared = match self.generator.as_deref() {
            Some(UTC_GENERATOR) => Some(Times::Utc),
            Some(GENERATOR) => offset().filter(is_of_earth).map(Times::Offset),
            _ => None,
        };
        self.times = self.declared.unwrap_or(self.times);
        true
    }

    /// Whether it is a .koc file at all: it says what wrote it, or holds a transaction.
    pub fn is_koc(&self) -> bool {
        !self.transactions.is_empty() || self.generator.is_some()
    }

    /// Its transactions, to be [planned](super::import::plan).
    pub fn into_lines(self) -> Lines {
        let is_ours = self.generator.as_deref() == Some(GENERATOR);
        Lines {
            offsets_are_open: is_ours && self.declared.is_none(),
            transactions: self.transactions.into_iter().map(|(_, transaction)| transaction).collect(),
        }
    }

    /// The moments of its earliest and its latest transaction, where it has one.
    pub fn span(&self) -> Option<(Moment, Moment)> {
        let moments = || self.transactions.iter().map(|(_, transaction)| transaction.moment);
        moments().min_by_key(Moment::utc_millis).zip(moments().max_by_key(Moment::utc_millis))
    }

    /// The desk to propose: what the file says itself, else what its name tells.
    pub fn proposed_desk(&self, file_name: &str) -> Option<DeskName> {
        self.desk.clone().or_else(|| DeskName::from_file_name(file_name))
    }

    /// How its times may be taken, the proposed way first. There is only one where the file says it itself.
    pub fn offered_times(&self) -> Vec<Times> {
        let open = || [Times::Local, Times::Utc].into_iter().chain(OFFSETS.map(Times::Offset)).collect();
        self.declared.map_or_else(open, |declared| vec![declared])
    }
}

/// As much of a field as tells a person which it is: there may be a million such lines, and each may be long.
fn beginning(field: &str) -> String {
    let end = field.char_indices().nth(LONGEST_QUOTE).map_or(field.len(), |(end, _)| end);
    if end < field.len() { format!("{}…", &field[..end]) } else { field.to_owned() }
}

fn operation(text: &str, times: Times, zone: &dyn Zone) -> Result<Transaction, Reason> {
    // Perl drops empty fields at the end, so trailing tabs (the old KOCT writes one) mean nothing.
    let fields: Vec<&str> = text.trim_end_matches('\t').split('\t').collect();
    let Some(moment) = time(fields[0], times, zone) else {
        let shown = beginning(fields[0]);
        return Err(if damage::is_rewritten_time(fields[0]) { Reason::Rewritten(shown) } else { Reason::Time(shown) });
    };
    let word = fields.get(1).copied().unwrap_or_default().trim();
    let (action, expected) = match word {
        "issue" => ("issue", 4),
        "return" => ("return", 3),
        "payment" => ("payment", 4),
        _ => return Err(Reason::Action(beginning(word))),
    };
    if fields.len() != expected {
        return Err(Reason::Fields { action, expected, found: fields.len() });
    }
    let codes = if action == "issue" { 2..4 } else { 2..3 };
    if let Some(code) = fields[codes].iter().find(|code| damage::is_rewritten_number(code)) {
        return Err(Reason::Rewritten(beginning(code)));
    }
    let cardnumber = || Cardnumber::parse(fields[2]).map_err(Reason::Cardnumber);
    let barcode = |field: usize| Barcode::parse(fields[field]).map_err(Reason::Barcode);
    let action = match action {
        "issue" => Action::Issue { cardnumber: cardnumber()?, barcode: barcode(3)? },
        "return" => Action::Return { barcode: barcode(2)? },
        _ => Action::Payment { cardnumber: cardnumber()?, amount: Amount::parse(fields[3]).map_err(Reason::Amount)? },
    };
    Ok(Transaction { moment, action })
}

/// In the hour that comes twice, local times begin once more: what then seems to come before the line before it was recorded the
/// second time.
fn in_the_hour_after(moment: Moment, before: Option<Moment>, zone: &dyn Zone) -> Moment {
    let Some(before) = before.filter(|before| moment.utc_millis() < before.utc_millis()) else { return moment };
    // No change is as long ago as that.
    let later = zone.offset_at_utc(moment.utc_millis() + 3 * 3_600_000);
    let is_it = |second: &Moment| {
        second.utc_millis() >= before.utc_millis() && zone.offset_at_utc(second.utc_millis()) == later
    };
    Moment::from_local(moment.local(), later).ok().filter(is_it).unwrap_or(moment)
}

/// `YYYY-MM-DD HH:MM:SS mmm`: dashes or colons, the milliseconds optional and taken as Koha takes them, that is leniently.
fn time(text: &str, times: Times, zone: &dyn Zone) -> Option<Moment> {
    let mut parts = text.split_whitespace();
    let date = NaiveDate::parse_from_str(parts.next()?, "%Y-%m-%d").ok()?;
    let clock = parts.next()?;
    let millis = parts.next().and_then(|part| part.parse::<u32>().ok()).filter(|millis| *millis < 1000).unwrap_or(0);
    let numbers: Vec<u32> = clock
        .split([':', '-'])
        .map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None })
        .collect::<Option<_>>()?;
    let [hour, minute, second] = numbers[..] else { return None };
    let local = date.and_hms_milli_opt(hour, minute, second, millis)?;
    match times {
        Times::Local => Moment::from_local(local, zone.offset_at_local(local)).ok(),
        Times::Offset(minutes) => Moment::from_local(local, minutes).ok(),
        Times::Utc => {
            let utc = local.and_utc().timestamp_millis();
            Moment::new(utc, zone.offset_at_utc(utc)).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{transaction::arbitrary, zone::FixedZone},
        slices::in_slices,
    };
    use chrono::NaiveDateTime;
    use proptest::prelude::*;

    fn moment(local: &str, offset: i16) -> Moment {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S%.3f").unwrap();
        Moment::from_local(local, offset).unwrap()
    }

    fn issue(local: &str, offset: i16) -> Transaction {
        let (cardnumber, barcode) = (Cardnumber::parse("P1").unwrap(), Barcode::parse("B1").unwrap());
        Transaction { moment: moment(local, offset), action: Action::Issue { cardnumber, barcode } }
    }

    #[test]
    fn writes_what_koha_reads() {
        let barcode = Barcode::parse("B1").unwrap();
        let transactions = [
            issue("2026-11-23 11:00:00.547", 60),
            Transaction { moment: moment("2026-07-01 09:05:03", 120), action: Action::Return { barcode } },
            Transaction {
                moment: moment("2026-11-23 11:03:00.007", 60),
                action: Action::Payment {
                    cardnumber: Cardnumber::parse("P1").unwrap(),
                    amount: Amount::parse("3.5").unwrap(),
                },
            },
        ];
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            write(&transactions, None),
            format!(
                "Version=1.0\tGenerator=koct\tGeneratorVersion={version}\tUtcOffset=60\n\
                 2026-11-23 11:00:00 547\tissue\tP1\tB1\n\
                 2026-07-01 08:05:03 000\treturn\tB1\n\
                 2026-11-23 11:03:00 007\tpayment\tP1\t3.50\n"
            )
        );
    }

    #[test]
    fn codes_with_signs_that_nobody_sees_or_that_look_like_others_are_named_and_taken() {
        let file = "Version=1.0\tGenerator=x\n2026-11-23 11:00:00\treturn\tB1\n2026-11-23 11:00:01\treturn\tB\u{200b}2\n\
            2026-11-23 11:00:02\tissue\t\u{feff}P1\tB3\n2026-11-23 11:00:03\tissue\tP1\tА1\n";
        let reading = read(file.as_bytes(), &FixedZone(60), None);
        assert_eq!((reading.transactions.len(), reading.problems.len()), (4, 0));
        assert_eq!(reading.warnings, [Warning::OddSigns { line: 3, sign: '\u{200b}', lines: 3 }]);
        let again = read(write(reading.transactions.iter().map(|(_, it)| it), None).as_bytes(), &FixedZone(60), None);
        let same = |one: &Reading| one.transactions.iter().map(|(_, it)| it.clone()).collect::<Vec<_>>();
        assert_eq!(same(&again), same(&reading), "as they were recorded");
    }

    #[test]
    fn of_what_is_refused_the_beginning_is_told() {
        let reading = read(
            format!("Version=1.0\tGenerator=x\n{}\treturn\tB1\n", "é".repeat(1_000_000)).as_bytes(),
            &FixedZone(0),
            None,
        );
        assert_eq!(reading.problems[0].reason, Reason::Time(format!("{}…", "é".repeat(LONGEST_QUOTE))));
    }

    #[test]
    fn reads_every_known_writer() {
        let local = issue("2026-07-22 10:15:30", 120);
        for (writer, file) in [
            ("wiki", "Version=1.0\tGenerator=kocPHP\tGeneratorVersion=0.7\n2026-07-22 10:15:30 000\tissue\tP1\tB1\n"),
            (
                "desktop tool",
                "Version=1.0\tGenerator=kocDesktop\tGeneratorVersion=2.4\r\n2026-07-22 10-15-30 000\tissue\tP1\tB1\r\n",
            ),
            (
                "old KOCT",
                "Version=1.0\tGenerator=koct-firefox\tGeneratorVersion=0.1\r\n2026-07-22 08:15:30\tissue\tP1\tB1\t\r\n",
            ),
            ("kolt", "Version=1.0\tGenerator=kolt\tGeneratorVersion=0.1\n2026-07-22 10:15:30\tissue\tP1\tB1"),
            ("BOM", "\u{feff}Version=1.0\tGenerator=x\tGeneratorVersion=1\n2026-07-22 10:15:30\tissue\tP1\tB1\n"),
            ("blank lines", "Version=1.0\tGenerator=x\n\n  \n2026-07-22 10:15:30\tissue\tP1\tB1\n\t\n\n"),
        ] {
            let reading = read(file.as_bytes(), &FixedZone(120), None);
            let found: Vec<_> = reading.transactions.iter().map(|(_, transaction)| transaction.clone()).collect();
            assert_eq!(found, std::slice::from_ref(&local), "{writer}");
            assert_eq!((reading.problems, reading.warnings), (vec![], vec![]), "{writer}");
        }
    }

    #[test]
    fn reports_each_bad_line_and_goes_on() {
        let file = b"Version=1.1\tGenerator=x\n\
            2026-11-23 11:00:00\tissue\tP1\tB1\n\
            # a comment\n\
            2026-11-23 11:00:00\trenew\tP1\tB1\n\
            2026-11-23 11:00:00\tissue\tB1\n\
            2026-11-23T11:00:00Z\treturn\tB1\n\
            2026-02-30 11:00:00\treturn\tB1\n\
            2026-11-23 11:00:00\treturn\t123456789012345678901\n\
            2026-11-23 11:00:00\treturn\tB\xe9\n\
            2026-11-23 11:00:00\tpayment\tP1\t3,50\n\
            2026-11-23 11:00:01\treturn\tB1\n";
        let reading = read(file, &FixedZone(60), None);
        let lines: Vec<_> = reading.transactions.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 11]);
        assert_eq!(reading.warnings, [Warning::Version("1.1".into())]);
        let problems: Vec<_> = reading.problems.iter().map(|p| (p.line, p.reason.to_string())).collect();
        let expected = [
            (3, "“# a comment” is not a time"),
            (4, "“renew” is not an action that KOCT knows"),
            (5, "a line with “issue” has 4 fields, this one has 3"),
            (6, "“2026-11-23T11:00:00Z” is not a time"),
            (7, "“2026-02-30 11:00:00” is not a time"),
            (8, "barcode: it has 21 characters, and Koha keeps at most 20"),
            (9, "the line is not UTF-8 text"),
            (10, "amount: write it as digits with a dot, as in 3.50"),
        ];
        assert_eq!(problems, expected.map(|(line, reason)| (line, reason.to_owned())));
    }

    #[test]
    fn what_a_spreadsheet_has_rewritten_is_named_and_not_taken() {
        let file = include_bytes!("../../tests/cases/saved-by-a-spreadsheet.koc");
        let reading = read(file, &FixedZone(60), None);
        let problems: Vec<_> = reading.problems.iter().map(|p| (p.line, p.reason.to_string())).collect();
        let named = |field: &str| format!("“{field}” was rewritten by a spreadsheet program");
        assert_eq!(problems, [(2, named("7/22/2026 10:15")), (3, named("2.3529E+13"))]);
        assert!(reading.transactions.is_empty() && reading.is_koc());
        let rest = b"2026-11-23 11:00:00\tpayment\t1.5E+10\t3.50\n2026-11-23 11:00:00\tpayment\tP1\t1234567.00\n2026-11-23 11:00:00\tissue\tP1\t4E+13\n";
        let reading = read(rest, &FixedZone(60), None);
        let lines = |reading: &Reading| reading.transactions.iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!((lines(&reading), reading.problems.len()), (vec![2], 2), "an amount is no code");
    }

    #[test]
    fn keeps_the_first_line_of_a_file_without_header() {
        let reading = read(b"2026-11-23 11:00:00\tissue\tP1\tB1\n", &FixedZone(60), None);
        assert_eq!(reading.transactions.len(), 1);
        assert_eq!(reading.warnings, [Warning::NoHeader]);
    }

    #[test]
    fn a_barcode_is_never_taken_for_a_header() {
        let reading = read(b"2026-11-23 11:00:00\treturn\tVersion=1\n", &FixedZone(60), None);
        assert_eq!((reading.transactions.len(), &reading.warnings[..]), (1, &[Warning::NoHeader][..]));
    }

    #[test]
    fn times_are_taken_as_declared_else_as_chosen() {
        let line = "2026-11-23 11:00:00\tissue\tP1\tB1\n";
        let utc = |header: &str, times| {
            let reading = read(format!("Version=1.0\t{header}\n{line}").as_bytes(), &FixedZone(60), times);
            (reading.declared, reading.transactions[0].1.moment.utc_millis() - 1_795_428_000_000)
        };
        let hour = 3_600_000;
        assert_eq!(utc("Generator=kolt", None), (None, 0));
        assert_eq!(utc("Generator=kolt", Some(Times::Utc)), (None, hour));
        assert_eq!(utc("Generator=kolt", Some(Times::Offset(120))), (None, -hour));
        assert_eq!(utc("Generator=koct-firefox", None), (Some(Times::Utc), hour));
        assert_eq!(utc("Generator=koct-firefox", Some(Times::Local)), (Some(Times::Utc), hour));
        let ours = |offset: &str| utc(&format!("Generator=koct\tUtcOffset={offset}"), Some(Times::Utc));
        assert_eq!(ours("120"), (Some(Times::Offset(120)), -hour));
        assert_eq!(ours("9999"), (None, hour), "no place on Earth");
        assert_eq!(ours("-32768"), (None, hour));
    }

    #[test]
    fn proposes_what_the_file_says_and_asks_for_the_rest() {
        let reading = |header: &str| {
            read(format!("Version=1.0\t{header}\n2026-11-23 11:00:00\treturn\tB1\n").as_bytes(), &FixedZone(60), None)
        };
        let desk = |header: &str, file| reading(header).proposed_desk(file).map(|desk| desk.to_string());
        assert_eq!(desk("Generator=koct\tDesk=Bus 2", "van.koc").as_deref(), Some("Bus 2"));
        assert_eq!(desk("Generator=koct", "van_2026-11-23.koc").as_deref(), Some("van"));
        assert_eq!(desk("Generator=kolt\tDesk=Bus 2", "van.koc").as_deref(), Some("van"), "not ours: any text");
        assert_eq!(desk("Generator=kolt", ".koc"), None, "a person must say it");
        assert_eq!(reading("Generator=koct-firefox").offered_times(), [Times::Utc]);
        assert_eq!(reading("Generator=koct\tUtcOffset=-150").offered_times(), [Times::Offset(-150)]);
        let open = reading("Generator=kolt").offered_times();
        assert_eq!((&open[..2], open.len()), (&[Times::Local, Times::Utc][..], 40));
        assert!(
            open[2..].is_sorted_by(|one, other| matches!((one, other), (Times::Offset(a), Times::Offset(b)) if a < b))
        );
    }

    #[test]
    fn tells_what_a_file_spans() {
        let file = b"Version=1.0\tGenerator=x\n2026-11-23 11:00:05\treturn\tA\n\
            2026-11-23 11:00:09\treturn\tB\n2026-11-23 11:00:01\treturn\tC\n";
        let span = read(file, &FixedZone(60), None).span();
        assert_eq!(span, Some((moment("2026-11-23 11:00:01", 60), moment("2026-11-23 11:00:09", 60))));
        assert_eq!(read(b"Version=1.0\tGenerator=x\n", &FixedZone(60), None).span(), None);
    }

    #[test]
    fn all_times_are_written_at_the_offset_of_the_last_one() {
        let barcode = Barcode::parse("B1").unwrap();
        let returned = |offset| Transaction {
            moment: Moment::new(0, offset).unwrap(),
            action: Action::Return { barcode: barcode.clone() },
        };
        for (first, last) in [(60, 60), (60, 120), (-1439, 1439)] {
            let file = write(&[returned(first), returned(last)], None);
            assert!(file.contains(&format!("\tUtcOffset={last}\n")), "{file}");
            let times: Vec<_> = file.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
            assert_eq!(times[0], times[1], "one instant");
        }
        assert!(!write(&[], None).contains("UtcOffset"));
    }

    #[test]
    fn names_files_so_that_any_system_takes_them() {
        let now = moment("2026-11-23 11:00:00", 60);
        assert_eq!(file_name("CPL", now), "koct_CPL_2026-11-23_11-00-00.koc");
        assert_eq!(file_name("../a b", now), "koct____a_b_2026-11-23_11-00-00.koc");
        assert_eq!(file_name("", now), "koct_2026-11-23_11-00-00.koc");
    }

    proptest! {
        #[test]
        fn round_trip(transactions in prop::collection::vec(arbitrary::transaction(-1439_i16..1440), 0..20)) {
            let desk = DeskName::parse("Bus 2").unwrap();
            let file = write(&transactions, Some(&desk));
            prop_assert!(!file.contains('\r') && !file.contains("\n\n"));
            // The zone of whoever reads it does not matter.
            let reading = read(file.as_bytes(), &FixedZone(60), None);
            prop_assert_eq!(reading.desk.as_ref(), Some(&desk));
            prop_assert_eq!(&reading.problems, &vec![]);
            let is_of_signs = |warning: &Warning| matches!(warning, Warning::OddSigns { .. });
            prop_assert!(reading.warnings.iter().all(is_of_signs), "{:?}", reading.warnings);
            // Whatever offsets they had: each is there at its instant, in its place.
            let last = transactions.last().map(|last| last.moment.offset_minutes());
            let at_last = |Transaction { moment, action }| Transaction {
                moment: moment.at_offset(last.unwrap()).unwrap(),
                action,
            };
            let expected: Vec<_> = transactions.into_iter().map(at_last).collect();
            prop_assert_eq!(reading.into_lines().transactions, expected);
        }

        #[test]
        fn slices_give_what_one_call_gives(lines in prop::collection::vec("[-0-9:A-Z]{0,9}", 0..9), times in 1..400_usize, budget in 1..2_000_usize) {
            let file = [&b"Version=1.0\tGenerator=x\n"[..], &[&lines.join("\n").into_bytes()[..], b"2026-11-23 11:00:00\treturn\tA\n"].concat().repeat(times)].concat();
            let (sliced, _) = in_slices(reading(&file, &FixedZone(0), None), budget);
            prop_assert_eq!(sliced, read(&file, &FixedZone(0), None));
        }

        #[test]
        fn damage_costs_no_more_than_the_lines_that_it_is_in(
            transactions in prop::collection::vec(arbitrary::transaction(60_i16..61), 1..9),
            place in any::<prop::sample::Index>(),
            with in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"\t\n\r0-:"[..])], 0..4),
        ) {
            let file = write(&transactions, None).into_bytes();
            let header = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let place = header + place.index(file.len() - header);
            let (before, behind) = (&file[..place], &file[place + 1..]);
            let damaged = [before, &with, behind].concat();
            let ends = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count() - 1;
            // Whole lines of transactions before the damage and behind it: what is left of its own line ends with the first end behind it.
            let (whole_before, whole_behind) = (ends(before) - 1, ends(behind).saturating_sub(1));
            let reading = read(&damaged, &FixedZone(0), None);
            let of_damage = whole_before..reading.transactions.len().saturating_sub(whole_behind);
            let read: Vec<_> = reading.transactions.iter().map(|(_, transaction)| transaction).collect();
            prop_assert!(of_damage.end >= of_damage.start, "{reading:?}");
            prop_assert!(read[..of_damage.start].iter().copied().eq(&transactions[..whole_before]));
            prop_assert!(read[of_damage.end..].iter().copied().eq(&transactions[transactions.len() - whole_behind..]));
            // What is refused, or read otherwise, stands where the damage is.
            let last = damaged.split(|byte| *byte == b'\n').count() - usize::from(damaged.ends_with(b"\n"));
            let lines = whole_before + 2..=last - whole_behind;
            let others = reading.transactions[of_damage].iter().map(|(line, _)| *line);
            let others: Vec<_> = others.chain(reading.problems.iter().map(|problem| problem.line)).collect();
            prop_assert!(others.iter().all(|line| lines.contains(line)), "{lines:?}: {others:?}");
        }

        #[test]
        fn accounts_for_every_line(
            lines in prop::collection::vec("[-0-9: TZ\t.a-zé=]{0,40}|2026-11-23 11:00:0[0-9]\t(issue|return|payment)(\t[A-Z0-9.]{0,25}){0,3}", 0..30)
        ) {
            let file = format!("Version=1.0\tGenerator=x\n{}", lines.join("\n"));
            let reading = read(file.as_bytes(), &FixedZone(0), None);
            let blank = lines.iter().filter(|line| line.trim().is_empty()).count();
            prop_assert_eq!(reading.transactions.len() + reading.problems.len() + blank, lines.len());
        }
    }
}
