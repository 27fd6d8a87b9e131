//! The whole log as a file, to be moved to another computer or kept: JSON lines. docs/backup.md describes them.
//!
//! ```text
//! {"koct":"log","version":1,"desk":"Bus 2","written":{"utc":…,"offset":60},"generator":"0.1.0"}
//! {"raw":{"of":"transactions","key":2,"value":{"seq":2,…}}}
//! {"transaction":{"seq":1,"moment":…,"action":"return","barcode":"39999000001310","status":{"state":"local"}}}
//! {"commit":{"started":…,…}}
//! {"cleared":"Bus 2⇥0123…"}
//! {"end":{"transactions":1,"commits":1,"cleared":1}}
//! ```
//! Read into a log that holds some of it already, nothing comes twice, and what both have is [merged](merging).

use crate::{
    desk::{name::DeskName, transaction::Moment},
    desks::koc,
    log::{Entry, commit::Batch, rows::Raw},
};
use part::Part;
use running::Running;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub mod adoption;
pub mod merging;
pub mod part;
pub mod running;

/// The version of the format that this program writes, and the highest it reads.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    koct: String,
    version: u32,
    /// The desk whose log it is: the entries that name no desk are its own.
    pub desk: DeskName,
    /// When it was written.
    pub written: Moment,
    /// The version of KOCT that wrote it.
    pub generator: String,
    /// Which file of a second copy it is; absent in a backup that a person made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Part>,
    /// The commit that was running when it was written: of what it may have sent since, the file knows nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Running>,
}

/// One of the other lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// A transaction.
    Transaction(Box<Entry>),
    /// The record of a commit.
    Commit(Box<Batch>),
    /// What is remembered of a transaction that was cleared.
    Cleared(String),
    /// What the version that wrote the backup could not read. An earlier one refuses the line by its number, and reads all
    /// others.
    Raw(Raw),
    /// The last line: how many of each there are.
    End(Totals),
}

/// How many lines of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Transactions.
    pub transactions: u32,
    /// Records of commits.
    pub commits: u32,
    /// Cleared ones.
    pub cleared: u32,
    /// Raw ones. Older backups have none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub raw: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Totals {
    /// Counts a line.
    pub fn count(&mut self, line: &Line) {
        match line {
            Line::Transaction(_) => self.transactions = self.transactions.saturating_add(1),
            Line::Commit(_) => self.commits = self.commits.saturating_add(1),
            Line::Cleared(_) => self.cleared = self.cleared.saturating_add(1),
            Line::Raw(_) => self.raw = self.raw.saturating_add(1),
            Line::End(_) => {}
        }
    }
}

/// Why a file, or a line of it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BackupError {
    /// The first line is not that of a backup.
    #[error("this is no backup of a KOCT log")]
    NotABackup,
    /// A later version of KOCT wrote it.
    #[error("a later version of KOCT wrote it (format {0})")]
    TooNew(u32),
    /// A line that is none of those documented.
    #[error("the line cannot be read: {0}")]
    Line(String),
}

impl Header {
    /// The first line of a backup that is written now.
    pub fn new(desk: DeskName, written: Moment) -> Self {
        let generator = env!("CARGO_PKG_VERSION").into();
        Self { koct: "log".into(), version: VERSION, desk, written, generator, copy: None, running: None }
    }

    /// That of this file of a second copy, where it is one, written while this commit ran, where one did.
    #[must_use]
    pub fn with(self, copy: Option<Part>, running: Option<Running>) -> Self {
        Self { copy, running, ..self }
    }

    /// Reads the first line.
    ///
    /// # Errors
    /// When it is not that of a backup, or of one that this version can read.
    pub fn read(line: &str) -> Result<Self, BackupError> {
        #[derive(Deserialize)]
        struct Version {
            koct: String,
            version: u32,
        }
        let line = line.trim_start_matches('\u{feff}');
        let version: Version = serde_json::from_str(line).map_err(|_| BackupError::NotABackup)?;
        match version {
            Version { koct, .. } if koct != "log" => Err(BackupError::NotABackup),
            Version { version, .. } if version > VERSION => Err(BackupError::TooNew(version)),
            _ => serde_json::from_str(line).map_err(|error| BackupError::Line(error.to_string())),
        }
    }

    /// Reads the first line of a file.
    ///
    /// # Errors
    /// As [`Header::read`].
    pub fn from_file(bytes: &[u8]) -> Result<Self, BackupError> {
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        Self::read(&String::from_utf8_lossy(first))
    }
}

/// Whether a file looks like a backup: a .koc file never begins so.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).starts_with(b"{")
}

/// A backup as it is written, part by part: transactions, commits, what is remembered of cleared ones, and the end.
#[derive(Debug, Default)]
pub struct Writer {
    totals: Totals,
}

impl Writer {
    /// Begins a file with this first line. Returns its first part.
    pub fn begin(header: &Header) -> (Self, String) {
        (Self::default(), write(header))
    }

    /// Writes some lines.
    pub fn add(&mut self, lines: impl IntoIterator<Item = Line>) -> String {
        lines
            .into_iter()
            .map(|line| {
                self.totals.count(&line);
                write(&line)
            })
            .collect()
    }

    /// Writes the end: a file without it is cut. Returns the number of transactions besides.
    pub fn end(self) -> (String, u32) {
        (write(&Line::End(self.totals)), self.totals.transactions)
    }
}

/// The name of a backup: desk, local date and time.
pub fn file_name(desk: &DeskName, now: Moment) -> String {
    format!("koct_log_{}_{}.jsonl", koc::safe_in_names(desk.as_str()), koc::time_in_names(now))
}

/// Writes a line, with its end.
pub fn write(line: &impl Serialize) -> String {
    // Strings, numbers and maps of strings cannot fail.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a line after the first. Unknown lines are errors: to leave one out could lose a transaction.
///
/// # Errors
/// When it is none of those documented.
pub fn read(line: &str) -> Result<Line, BackupError> {
    serde_json::from_str(line).map_err(|error| BackupError::Line(error.to_string()))
}

/// What a transaction that comes from a backup of this first line is in the log of `own`: what was being sent when the backup was
/// written, or since, may have arrived, and what the log's desk recorded is another's unless it is the same desk.
#[must_use]
pub fn adopted(entry: Entry, header: &Header, own: &DeskName) -> Entry {
    let entry = header.running.iter().fold(entry, |entry, running| running.doubted(entry));
    let desk = entry.desk.or_else(|| Some(header.desk.clone())).filter(|desk| desk != own);
    Entry { status: entry.status.after_restart(None), desk, ..entry }
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::{
        testing::{desk, now, statuses},
        *,
    };
    use crate::{
        desk::transaction::{TransactionId, arbitrary},
        log::{
            checked_in::CheckedIn,
            status::State,
            task::Task,
            warned::{Warned, Warning},
        },
    };
    use chrono::TimeDelta;
    use proptest::prelude::*;

    #[test]
    fn the_header_says_whose_and_which() {
        let header = Header::new(desk("Bus 2"), now());
        let line = write(&header);
        assert!(line.starts_with("{\"koct\":\"log\",\"version\":1,\"desk\":\"Bus 2\","), "{line}");
        assert_eq!(Header::read(&line), Ok(header));
        assert_eq!(Header::read("Version=1.0\tGenerator=koct"), Err(BackupError::NotABackup));
        assert_eq!(Header::read("{\"koct\":\"settings\",\"version\":1}"), Err(BackupError::NotABackup));
        assert_eq!(Header::read("{\"koct\":\"log\",\"version\":2}"), Err(BackupError::TooNew(2)));
        assert!(matches!(Header::read("{\"koct\":\"log\",\"version\":1}"), Err(BackupError::Line(_))));
    }

    #[test]
    fn is_named_after_its_desk() {
        assert_eq!(file_name(&desk("Bus/2"), now()), "koct_log_Bus_2_2026-11-23_11-00-00.jsonl");
    }

    #[test]
    fn unknown_lines_are_never_left_out_in_silence() {
        for line in ["", "{}", "{\"patron\":{}}", "{\"transaction\":{\"seq\":1}}", "nonsense"] {
            assert!(matches!(read(line), Err(BackupError::Line(_))), "{line}");
        }
    }

    #[test]
    fn numbers_beyond_their_limits_are_refused_with_a_reason_and_those_at_them_are_taken_as_they_stand() {
        let line = |seq: &str, utc: &str, offset: &str, part: &str, hold: &str| {
            format!(
                "{{\"transaction\":{{\"seq\":{seq},\"moment\":{{\"utc\":{utc},\"offset\":{offset}}},\"action\":\"return\",\
                 \"barcode\":\"B\",\"status\":{{\"state\":\"local\"}},\"part\":{part},\
                 \"warnings\":[{{\"kind\":\"hold\",\"hold\":{hold},\"pickup\":\"MPL\"}}]}}}}"
            )
        };
        let most = line("4294967295", "253370764799999", "1439", "4294967295", "4294967295");
        let Ok(Line::Transaction(entry)) = read(&most) else { panic!("{:?}", read(&most)) };
        assert_eq!((entry.id.0, entry.part, entry.transaction.moment.offset_minutes()), (u32::MAX, u32::MAX, 1439));
        assert_eq!(
            write(&Line::Transaction(entry.clone())).parse::<serde_json::Value>().unwrap(),
            most.parse::<serde_json::Value>().unwrap()
        );
        for beyond in [
            line("4294967296", "0", "0", "0", "0"),
            line("-1", "0", "0", "0", "0"),
            line("1.5", "0", "0", "0", "0"),
            line("1", "253370764800000", "0", "0", "0"),
            line("1", "9223372036854775808", "0", "0", "0"),
            line("1", "-1", "0", "0", "0"),
            line("1", "0", "1440", "0", "0"),
            line("1", "0", "32768", "0", "0"),
            line("1", "0", "0", "4294967296", "0"),
            line("1", "0", "0", "-1", "0"),
            line("1", "0", "0", "0", "4294967296"),
            "{\"end\":{\"transactions\":4294967296,\"commits\":0,\"cleared\":0}}".into(),
        ] {
            assert!(matches!(read(&beyond), Err(BackupError::Line(reason)) if !reason.is_empty()), "{beyond}");
        }
        let mut totals = Totals { transactions: u32::MAX, commits: u32::MAX, cleared: u32::MAX, raw: u32::MAX };
        let before = totals;
        totals.count(&Line::Transaction(entry));
        totals.count(&Line::Cleared(String::new()));
        assert_eq!(totals, before, "a count never wraps");
    }

    #[test]
    fn what_was_being_sent_is_in_doubt_where_it_is_read() {
        let action =
            crate::desk::transaction::Action::Return { barcode: crate::desk::barcode::Barcode::parse("B").unwrap() };
        let transaction = crate::desk::transaction::Transaction { moment: now(), action };
        let entry = Entry { status: statuses()[3].clone(), ..Entry::recorded(TransactionId(1), transaction) };
        let sending = adopted(entry, &Header::new(desk("A"), now()), &desk("B"));
        assert_eq!((sending.status.state(), sending.desk), (State::InDoubt, Some(desk("A"))));
    }

    #[test]
    fn a_desk_stays_itself_on_another_computer() {
        let action =
            crate::desk::transaction::Action::Return { barcode: crate::desk::barcode::Barcode::parse("B").unwrap() };
        let own = Entry::recorded(TransactionId(1), crate::desk::transaction::Transaction { moment: now(), action });
        let others = Entry { desk: Some(desk("Van")), ..own.clone() };
        let bus = Header::new(desk("Bus"), now());
        assert_eq!(adopted(own.clone(), &bus, &desk("Bus")).desk, None);
        assert_eq!(adopted(own, &bus, &desk("Main")).desk, Some(desk("Bus")));
        assert_eq!(adopted(others.clone(), &bus, &desk("Bus")).desk, Some(desk("Van")));
        assert_eq!(adopted(others, &bus, &desk("Van")).desk, None);
    }

    proptest! {
        #[test]
        fn every_entry_comes_back(transaction in arbitrary::transaction(-720_i16..840), status in prop::sample::select(statuses().to_vec()), named in any::<bool>(), warned in any::<bool>()) {
            let recorded = Entry::recorded(TransactionId(7), transaction);
            let shifted = recorded.shifted(TimeDelta::seconds(1), now()).unwrap_or(recorded);
            let warning = Warned { warning: Warning::Hold { hold: 3, pickup: "MPL".into() }, confirmed: named.then(now), as_of: None };
            let warnings = if warned { vec![warning] } else { vec![] };
            let line = Line::Transaction(Box::new(Entry { status, desk: named.then(|| desk("Bus 2")), part: u32::from(named), warnings, late: warned.then_some(3), checkin: warned.then(|| CheckedIn::of(vec!["hold_found".into()], Some("MPL".into()))), ..shifted }.ticked(Task::Late, named, now())));
            let text = write(&line);
            prop_assert_eq!(text.matches('\n').count(), 1);
            prop_assert_eq!(read(&text), Ok(line));
        }

        #[test]
        fn a_damaged_line_is_refused_or_read_as_it_stands(
            transaction in arbitrary::transaction(-720_i16..840),
            place in any::<prop::sample::Index>(),
            with in prop_oneof![Just(String::new()), "[0-9a-z\"{},:]", "\\PC{1,3}"],
        ) {
            let text = write(&Line::Transaction(Box::new(Entry::recorded(TransactionId(7), transaction))));
            let mut letters: Vec<String> = text.chars().map(String::from).collect();
            let place = place.index(letters.len());
            letters[place] = with;
            let damaged = letters.concat();
            if let Ok(line) = read(&damaged) {
                prop_assert_eq!(read(&write(&line)), Ok(line));
            }
            // Cut off, it is none, unless it lacks its end alone.
            let cut: String = letters[..place].concat();
            prop_assert!(read(&cut).is_err() || cut.trim_end() == text.trim_end());
            prop_assert!(Header::read(&damaged).is_err());
        }
    }
}
