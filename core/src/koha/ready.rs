//! Whether a desk is ready for the day on which Koha does not answer: a line for each thing that it takes, and what is to be done
//! where one is not in order.
//!
//! What does not concern a desk has no line: records where nobody wants them, a connection where a desk only writes `.koc` files.

pub mod state;

use super::trial::Trial;
use crate::{
    desk::{
        clock::DeskTime,
        drift::{Drift, OFF},
        version::Version,
    },
    desks::copy::kept::{Kept, Problem},
    directory::access::Access,
    settings::{
        form::FieldError,
        guide,
        table::{Field, Preferences},
    },
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// From here on, whole visits of two desks come in the wrong order.
const FAR_OFF: TimeDelta = TimeDelta::minutes(5);

/// How long it is told that others have gone on with the copy.
const TOLD: Duration = Duration::from_hours(7 * 24);
/// Less room than this is little: a scan takes one or two kilobytes, records some hundred megabytes.
const LITTLE_ROOM: u64 = 500 << 20;
const NO_ROOM: u64 = 20 << 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// In order.
    Good,
    /// Nothing to do, or nobody can know.
    Note,
    /// To be done before the next outage.
    Careful,
    /// Without it the desk cannot do its work.
    Stop,
}

/// What is looked at, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// The settings.
    Settings,
    /// Firefox's permission to talk to the server.
    Permission,
    /// The connection and the account.
    Connection,
    /// The branch code.
    Branch,
    /// What is known of patrons and items.
    Records,
    /// The log.
    Log,
    /// The second copy of the log.
    Copy,
    /// Room on the disk.
    Room,
    /// The clock.
    Clock,
    /// The time zone.
    Zone,
    /// The version of KOCT.
    Version,
    /// The profile of Firefox.
    Profile,
}

/// When files of second copies were brought into the log last, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesImported {
    /// Then.
    pub at: DeskTime,
}

impl Line {
    /// Its name for programs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Permission => "permission",
            Self::Connection => "connection",
            Self::Branch => "branch",
            Self::Records => "records",
            Self::Log => "log",
            Self::Copy => "copy",
            Self::Room => "room",
            Self::Clock => "clock",
            Self::Zone => "zone",
            Self::Version => "version",
            Self::Profile => "profile",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// All is set.
    Set,
    /// All is set for a desk that only writes files.
    SetForFiles,
    /// Nobody has set up this desk.
    NotSetUp,
    /// The password is gone since Firefox was closed.
    PasswordGone,
    /// A setting is missing or wrong.
    Wrong(Field),
    /// Firefox lets KOCT talk to the server.
    Allowed,
    /// It does not.
    NotAllowed,
    /// It worked, and when that was, where it is known.
    Works(Option<DeskTime>),
    /// It did not.
    Failed(DeskTime),
    /// The settings were changed since.
    Untested,
    /// Koha knows the library.
    BranchKnown,
    /// It does not.
    BranchUnknown,
    /// The account may not ask.
    BranchUnchecked,
    /// A test tells.
    BranchUntested,
    /// Records are there, as of then.
    RecordsAsOf(Option<DeskTime>),
    /// This number of days old.
    RecordsOld(i64),
    /// There are none.
    NoRecords,
    /// Nobody has entered the passphrase since Firefox was started.
    RecordsLocked,
    /// They are of another server than the one that is set.
    RecordsForeign,
    /// Whether there are records cannot be read.
    RecordsUnreadable,
    /// Firefox keeps the log until somebody removes it.
    LogKept,
    /// It may delete the log where the disk gets full.
    LogNotKept,
    /// There is none: a private window, or it cannot be opened.
    NoLog,
    /// Somebody else has gone on with this log's copy: this profile was set back, or is there twice.
    CopyOfOthers,
    /// The second copy holds what was there then.
    CopyAsOf(DeskTime),
    /// Nothing is there to be copied yet.
    NothingToCopy,
    /// Firefox does not let KOCT write files.
    CopyNotAllowed,
    /// It could not be written; and as of when it is.
    CopyFailed(Option<DeskTime>),
    /// This number of bytes is left.
    Room(u64),
    /// So few.
    LittleRoom(u64),
    /// Firefox does not say.
    RoomUnknown,
    /// It goes as Koha's does, as of then.
    ClockRight(DeskTime),
    /// It is off by this span, as of then; positive where this computer is ahead.
    ClockOff(TimeDelta, DeskTime),
    /// Nobody has compared it.
    ClockUnknown,
    /// This number of minutes ahead of UTC.
    ZoneSeen(i16),
    /// It is that of no place, such as UTC, or one that Firefox shows to every page.
    ZoneDoubtful(i16),
    /// This one, and no newer was seen.
    VersionSeen(Version),
    /// This one; in the library's policy or in a file of another desk stands a newer one.
    VersionOld(Version, Version),
    /// What was kept here then was there still when Firefox had been closed.
    ProfileKept(DeskTime),
    /// Firefox was not closed since KOCT came.
    ProfileUnknown,
}

/// A line of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What was looked at.
    pub line: Line,
    /// How bad it is.
    pub grade: Grade,
    /// What was found.
    pub finding: Finding,
}

/// The last test of the connection with the settings that are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// What was tested: [`guide::tested_as`].
    of: String,
    at: DeskTime,
    went: Went,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Went {
    /// Stored, and not tried yet.
    Untested,
    Works,
    BranchUnchecked,
    BranchUnknown,
    Failed,
}

impl Tested {
    /// The settings are stored, and what was tested before counts no more.
    pub fn not_yet(of: String, at: DeskTime) -> Self {
        Self { of, at, went: Went::Untested }
    }

    /// How a test of them went.
    pub fn of(of: String, trial: &Trial, at: DeskTime) -> Self {
        let went = match trial {
            Trial::Works => Went::Works,
            Trial::BranchUnchecked => Went::BranchUnchecked,
            Trial::BranchUnknown | Trial::BranchMissing { .. } => Went::BranchUnknown,
            Trial::Failed(_) => Went::Failed,
        };
        Self { of, at, went }
    }
}

/// Since when the profile has kept what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starts {
    /// When KOCT first ran in it.
    pub first: DeskTime,
    /// How often Firefox was started since, and found that.
    pub count: u32,
}

/// All that the lines go by.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What is set.
    pub preferences: &'a Preferences,
    /// What the desk's clock shows.
    pub now: DeskTime,
    /// Whether Firefox lets KOCT talk to the server.
    pub may_ask: bool,
    /// The last test.
    pub tested: Option<Tested>,
    /// Whether records can be looked up.
    pub records: Access,
    /// As of when they are.
    pub records_as_of: Option<DeskTime>,
    /// Whether there is a log: not in a private window.
    pub has_log: bool,
    /// Whether Firefox promises to keep it.
    pub is_kept: bool,
    /// How the second copy stands; `None` where Firefox lets KOCT write no files.
    pub copy: Option<&'a Kept>,
    /// When files of second copies were brought into the log last.
    pub copies_imported: Option<DeskTime>,
    /// How many bytes are left for it, where Firefox says so.
    pub room: Option<u64>,
    /// What Koha's clock showed.
    pub drift: Option<Drift>,
    /// The name of the time zone, as Firefox has it.
    pub zone: &'a str,
    /// How many minutes it is ahead of UTC.
    pub offset: i16,
    /// The languages that pages are asked for in, as BCP 47.
    pub languages: &'a [String],
    /// The versions of KOCT that the policy and files of other desks name.
    pub versions: &'a [Version],
    /// Since when the profile has kept what it was given.
    pub starts: Option<Starts>,
}

/// What was found, a line each.
pub fn verdicts(facts: &Facts<'_>) -> Vec<Verdict> {
    let connects = facts.preferences.form.connects() || !facts.preferences.saved;
    let lines = [
        Some(settings(facts)),
        connects.then(|| permission(facts)),
        connects.then(|| connection(facts)),
        connects.then(|| branch(facts)),
        records(facts),
        Some(log(facts)),
        copy(facts),
        Some(room(facts)),
        connects.then(|| clock(facts)),
        Some(zone(facts)),
        Some(version(facts)),
        Some(profile(facts)),
    ];
    lines.into_iter().flatten().collect()
}

/// The line that stands in the window: the worst, of those that the window does not say in another place. The others are the bar's:
/// that nothing is set up yet, and how old the records are.
pub fn in_window(verdicts: &[Verdict]) -> Option<Verdict> {
    let is_said = |line| matches!(line, Line::Settings | Line::Records);
    // Until it is set up, all else follows from that.
    let is_set_up = verdicts.iter().any(|it| it.line == Line::Settings && it.grade == Grade::Good);
    let worth = verdicts.iter().filter(|it| is_set_up && !is_said(it.line) && it.grade >= Grade::Careful);
    worth.copied().reduce(|worst, it| if it.grade > worst.grade { it } else { worst })
}

fn verdict(line: Line, grade: Grade, finding: Finding) -> Verdict {
    Verdict { line, grade, finding }
}

fn settings(facts: &Facts<'_>) -> Verdict {
    let preferences = facts.preferences;
    let errors = preferences.errors(preferences.form.connects() || !preferences.saved);
    let (grade, finding) = match &errors[..] {
        [] if preferences.form.connects() => (Grade::Good, Finding::Set),
        [] => (Grade::Good, Finding::SetForFiles),
        [(Field::Password, FieldError::Missing)] if preferences.saved => (Grade::Stop, Finding::PasswordGone),
        _ if !preferences.form.connects() && !preferences.saved => (Grade::Stop, Finding::NotSetUp),
        [(field, _), ..] => (Grade::Stop, Finding::Wrong(*field)),
    };
    verdict(Line::Settings, grade, finding)
}

fn permission(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) =
        if facts.may_ask { (Grade::Good, Finding::Allowed) } else { (Grade::Stop, Finding::NotAllowed) };
    verdict(Line::Permission, grade, finding)
}

/// The last test, where it was one of these settings.
fn test<'a>(facts: &'a Facts<'_>) -> Option<&'a Tested> {
    let form = facts.preferences.settings().ok()?;
    facts.tested.as_ref().filter(|tested| tested.of == guide::tested_as(&form) && tested.went != Went::Untested)
}

/// Whether an earlier version, which kept only what worked, has tested them.
fn was_tested_before(facts: &Facts<'_>) -> bool {
    let settings = facts.preferences.settings();
    facts.tested.is_none()
        && settings.is_ok_and(|settings| guide::have_worked(&settings, facts.preferences.tested.as_deref()))
}

fn connection(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match test(facts) {
        Some(tested) if tested.went == Went::Failed => (Grade::Stop, Finding::Failed(tested.at)),
        Some(tested) => (Grade::Good, Finding::Works(Some(tested.at))),
        None if was_tested_before(facts) => (Grade::Good, Finding::Works(None)),
        None => (Grade::Careful, Finding::Untested),
    };
    verdict(Line::Connection, grade, finding)
}

fn branch(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match test(facts).map(|tested| tested.went) {
        Some(Went::Works) => (Grade::Good, Finding::BranchKnown),
        Some(Went::BranchUnknown) => (Grade::Stop, Finding::BranchUnknown),
        Some(Went::BranchUnchecked) => (Grade::Note, Finding::BranchUnchecked),
        _ => (Grade::Note, Finding::BranchUntested),
    };
    verdict(Line::Branch, grade, finding)
}

fn records(facts: &Facts<'_>) -> Option<Verdict> {
    let settings = &facts.preferences.records;
    let old = facts.records_as_of.and_then(|as_of| settings.days_old(as_of, facts.now));
    let (grade, finding) = match (facts.records, old) {
        _ if !settings.enabled => return None,
        (Access::Off | Access::Empty | Access::Lost, _) => (Grade::Careful, Finding::NoRecords),
        (Access::Locked, _) => (Grade::Careful, Finding::RecordsLocked),
        (Access::Foreign, _) => (Grade::Careful, Finding::RecordsForeign),
        (Access::Unreadable, _) => (Grade::Careful, Finding::RecordsUnreadable),
        (Access::Open, Some(days)) => (Grade::Careful, Finding::RecordsOld(days)),
        (Access::Open, None) => (Grade::Good, Finding::RecordsAsOf(facts.records_as_of)),
    };
    Some(verdict(Line::Records, grade, finding))
}

fn log(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match (facts.has_log, facts.is_kept) {
        (false, _) => (Grade::Stop, Finding::NoLog),
        (true, false) => (Grade::Careful, Finding::LogNotKept),
        (true, true) => (Grade::Good, Finding::LogKept),
    };
    verdict(Line::Log, grade, finding)
}

fn copy(facts: &Facts<'_>) -> Option<Verdict> {
    let (grade, finding) = match facts.copy.map(|kept| (kept.problem, kept.copied)) {
        _ if !facts.preferences.desk.second_copy => return None,
        None | Some((Some(Problem::NotAllowed), _)) => (Grade::Careful, Finding::CopyNotAllowed),
        Some((Some(_), copied)) => (Grade::Careful, Finding::CopyFailed(copied)),
        _ if others(facts) => (Grade::Careful, Finding::CopyOfOthers),
        Some((None, Some(copied))) => (Grade::Good, Finding::CopyAsOf(copied)),
        Some((None, None)) => (Grade::Good, Finding::NothingToCopy),
    };
    Some(verdict(Line::Copy, grade, finding))
}

/// Whether somebody else's files lie in the folder that this log may not have, as far as nobody has brought them in since.
fn others(facts: &Facts<'_>) -> bool {
    let found = facts.copy.and_then(|kept| kept.others);
    found.is_some_and(|found| {
        found.is_within(TOLD, facts.now) && facts.copies_imported.is_none_or(|imported| imported < found)
    })
}

fn room(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match facts.room {
        None => (Grade::Note, Finding::RoomUnknown),
        Some(room) if room < NO_ROOM => (Grade::Stop, Finding::LittleRoom(room)),
        Some(room) if room < LITTLE_ROOM => (Grade::Careful, Finding::LittleRoom(room)),
        Some(room) => (Grade::Good, Finding::Room(room)),
    };
    verdict(Line::Room, grade, finding)
}

fn clock(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match facts.drift {
        None => (Grade::Note, Finding::ClockUnknown),
        Some(drift) => match drift.off() {
            off if off.abs() < OFF => (Grade::Good, Finding::ClockRight(drift.at)),
            off if off.abs() < FAR_OFF => (Grade::Careful, Finding::ClockOff(off, drift.at)),
            off => (Grade::Stop, Finding::ClockOff(off, drift.at)),
        },
    };
    verdict(Line::Clock, grade, finding)
}

/// Firefox can show every page, and so KOCT, a zone that is not the computer's (`privacy.resistFingerprinting`: UTC, or from 128 on
/// that of Iceland).
fn zone(facts: &Facts<'_>) -> Verdict {
    let is_nowhere = facts.zone.is_empty() || ["UTC", "GMT", "Etc/"].iter().any(|start| facts.zone.starts_with(start));
    let is_pretended =
        facts.zone == "Atlantic/Reykjavik" && !facts.languages.iter().any(|it| it == "is" || it.starts_with("is-"));
    let (grade, finding) = if is_nowhere || is_pretended || facts.offset % 15 != 0 {
        (Grade::Careful, Finding::ZoneDoubtful(facts.offset))
    } else {
        (Grade::Good, Finding::ZoneSeen(facts.offset))
    };
    verdict(Line::Zone, grade, finding)
}

/// KOCT asks nobody but Koha: whether there is a newer version is known only where the library shows it.
fn version(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match Version::newer(facts.versions.iter().copied()) {
        Some(newer) => (Grade::Careful, Finding::VersionOld(Version::own(), newer)),
        None => (Grade::Good, Finding::VersionSeen(Version::own())),
    };
    verdict(Line::Version, grade, finding)
}

fn profile(facts: &Facts<'_>) -> Verdict {
    let (grade, finding) = match facts.starts {
        Some(Starts { first, count }) if count > 0 => (Grade::Good, Finding::ProfileKept(first)),
        _ => (Grade::Note, Finding::ProfileUnknown),
    };
    verdict(Line::Profile, grade, finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::clock::{ClockDifference, KohaTime};
    use crate::{
        koha::{Failure, NotSent, connection::ConnectionError},
        settings::{
            form::{Form, Secret},
            records::RecordsSettings,
        },
    };

    const NOW: DeskTime = DeskTime::from_millis(1_795_428_000_000);

    fn ago(seconds: u64) -> DeskTime {
        NOW.minus(Duration::from_secs(seconds))
    }

    fn preferences() -> Preferences {
        let form = Form { desk_name: "Bus 2".into(), ..Form::for_tests() };
        let records = RecordsSettings { enabled: true, ..RecordsSettings::default() };
        Preferences { form, records, saved: true, ..Preferences::default() }
    }

    fn tested(preferences: &Preferences, trial: &Trial) -> Tested {
        Tested::of(guide::tested_as(&preferences.settings().unwrap()), trial, ago(60))
    }

    /// Koha's clock is this number of seconds ahead.
    fn drift(seconds: i64) -> Drift {
        let koha = KohaTime::from_millis(NOW.millis() + seconds * 1_000);
        Drift { ahead: ClockDifference::between(koha, NOW), at: NOW }
    }

    fn facts(preferences: &Preferences) -> Facts<'_> {
        Facts {
            preferences,
            now: NOW,
            may_ask: true,
            tested: preferences.settings().is_ok().then(|| tested(preferences, &Trial::Works)),
            records: Access::Open,
            records_as_of: Some(ago(3_600)),
            has_log: true,
            is_kept: true,
            copy: None,
            copies_imported: None,
            room: Some(9 << 30),
            drift: Some(drift(1)),
            zone: "Europe/Paris",
            offset: 60,
            languages: &[],
            versions: &[],
            starts: Some(Starts { first: ago(86_400), count: 3 }),
        }
    }

    /// What is found on this line.
    fn on(line: Line, facts: &Facts<'_>) -> Option<(Grade, Finding)> {
        verdicts(facts).into_iter().find(|verdict| verdict.line == line).map(|verdict| (verdict.grade, verdict.finding))
    }

    #[test]
    fn a_desk_that_is_ready_has_eleven_good_lines_in_order_and_none_in_the_window() {
        let preferences = preferences();
        let found = verdicts(&facts(&preferences));
        assert!(found.len() == 11 && found.is_sorted_by_key(|verdict| verdict.line));
        assert!(found.iter().all(|verdict| verdict.grade == Grade::Good), "{found:?}");
        assert_eq!(in_window(&found), None);
    }

    #[test]
    fn settings_are_whole_or_it_is_said_what_is_missing() {
        let all = preferences();
        let with = |change: fn(&mut Preferences)| {
            let mut changed = all.clone();
            change(&mut changed);
            on(Line::Settings, &facts(&changed)).unwrap()
        };
        assert_eq!(with(|_| ()), (Grade::Good, Finding::Set));
        assert_eq!(with(|it| it.form.branchcode.clear()), (Grade::Stop, Finding::Wrong(Field::Branchcode)));
        assert_eq!(with(|it| it.form.password = Secret::default()), (Grade::Stop, Finding::PasswordGone));
        assert_eq!(with(|it| it.records.remind_days.clear()), (Grade::Stop, Finding::Wrong(Field::RemindDays)));
        let nothing = |it: &mut Preferences| it.form = Form { desk_name: "Bus 2".into(), ..Form::default() };
        assert_eq!(with(nothing), (Grade::Good, Finding::SetForFiles));
        let new = |it: &mut Preferences| {
            *it = Preferences { form: Form { desk_name: "Bus 2".into(), ..Form::default() }, ..Preferences::default() };
        };
        assert_eq!(with(new), (Grade::Stop, Finding::NotSetUp));
    }

    #[test]
    fn what_does_not_concern_a_desk_takes_no_room() {
        let mut files = preferences();
        files.form = Form { desk_name: "Bus 2".into(), ..Form::default() };
        files.records.enabled = false;
        let lines: Vec<_> = verdicts(&facts(&files)).into_iter().map(|verdict| verdict.line).collect();
        assert_eq!(lines, [Line::Settings, Line::Log, Line::Room, Line::Zone, Line::Version, Line::Profile]);
    }

    #[test]
    fn the_permission_is_there_or_not() {
        let preferences = preferences();
        assert_eq!(on(Line::Permission, &facts(&preferences)), Some((Grade::Good, Finding::Allowed)));
        let without = Facts { may_ask: false, ..facts(&preferences) };
        assert_eq!(on(Line::Permission, &without), Some((Grade::Stop, Finding::NotAllowed)));
    }

    #[test]
    fn connection_and_branch_go_by_the_last_test_of_just_these_settings() {
        let all = preferences();
        let failed = Trial::Failed(ConnectionError::NoAnswer(Failure::NotSent(NotSent::Refused)));
        let missing = Trial::BranchMissing { listed: true };
        for (trial, connection, branch) in [
            (Trial::Works, (Grade::Good, Finding::Works(Some(ago(60)))), (Grade::Good, Finding::BranchKnown)),
            (
                Trial::BranchUnchecked,
                (Grade::Good, Finding::Works(Some(ago(60)))),
                (Grade::Note, Finding::BranchUnchecked),
            ),
            (Trial::BranchUnknown, (Grade::Good, Finding::Works(Some(ago(60)))), (Grade::Stop, Finding::BranchUnknown)),
            (missing, (Grade::Good, Finding::Works(Some(ago(60)))), (Grade::Stop, Finding::BranchUnknown)),
            (failed, (Grade::Stop, Finding::Failed(ago(60))), (Grade::Note, Finding::BranchUntested)),
        ] {
            let facts = Facts { tested: Some(tested(&all, &trial)), ..facts(&all) };
            let found = (on(Line::Connection, &facts).unwrap(), on(Line::Branch, &facts).unwrap());
            assert_eq!(found, (connection, branch), "{trial:?}");
            // Somebody has changed the library since.
            let mut moved = all.clone();
            moved.form.branchcode = "MPL".into();
            let facts = Facts { preferences: &moved, ..facts };
            assert_eq!(on(Line::Connection, &facts), Some((Grade::Careful, Finding::Untested)), "{trial:?}");
            assert_eq!(on(Line::Branch, &facts), Some((Grade::Note, Finding::BranchUntested)));
        }
        let of = guide::tested_as(&all.settings().unwrap());
        // Only the password was changed: the test before was of another one.
        let stored = Facts { tested: Some(Tested::not_yet(of.clone(), NOW)), ..facts(&all) };
        assert_eq!(on(Line::Connection, &stored), Some((Grade::Careful, Finding::Untested)));
        // What an earlier version has kept of its tests.
        let earlier = Preferences { tested: Some(of), ..all.clone() };
        let stored = Facts { tested: None, ..facts(&earlier) };
        assert_eq!(on(Line::Connection, &stored), Some((Grade::Good, Finding::Works(None))));
        let never = Facts { tested: None, ..facts(&all) };
        assert_eq!(on(Line::Connection, &never), Some((Grade::Careful, Finding::Untested)));
    }

    #[test]
    fn records_are_there_and_fresh_or_not() {
        let all = preferences();
        let day = 86_400;
        for (access, age, expected) in [
            (Access::Open, day - 1, (Grade::Good, Finding::RecordsAsOf(Some(ago(day - 1))))),
            (Access::Open, 2 * day, (Grade::Careful, Finding::RecordsOld(2))),
            (Access::Locked, 1, (Grade::Careful, Finding::RecordsLocked)),
            (Access::Empty, 1, (Grade::Careful, Finding::NoRecords)),
            (Access::Foreign, 1, (Grade::Careful, Finding::RecordsForeign)),
            (Access::Unreadable, 1, (Grade::Careful, Finding::RecordsUnreadable)),
            (Access::Lost, 1, (Grade::Careful, Finding::NoRecords)),
        ] {
            let facts = Facts { records: access, records_as_of: Some(ago(age)), ..facts(&all) };
            assert_eq!(on(Line::Records, &facts), Some(expected), "{access:?}");
        }
    }

    #[test]
    fn the_log_is_kept_and_has_room_or_not() {
        let all = preferences();
        for (has_log, is_kept, expected) in [
            (true, true, (Grade::Good, Finding::LogKept)),
            (true, false, (Grade::Careful, Finding::LogNotKept)),
            (false, true, (Grade::Stop, Finding::NoLog)),
        ] {
            let facts = Facts { has_log, is_kept, ..facts(&all) };
            assert_eq!(on(Line::Log, &facts), Some(expected));
        }
        for (room, expected) in [
            (None, (Grade::Note, Finding::RoomUnknown)),
            (Some(500 << 20), (Grade::Good, Finding::Room(500 << 20))),
            (Some(499 << 20), (Grade::Careful, Finding::LittleRoom(499 << 20))),
            (Some(0), (Grade::Stop, Finding::LittleRoom(0))),
        ] {
            assert_eq!(on(Line::Room, &Facts { room, ..facts(&all) }), Some(expected));
        }
    }

    #[test]
    fn a_second_copy_is_written_or_it_is_said_why_not_and_takes_no_room_where_none_is_wanted() {
        let mut all = preferences();
        assert_eq!(on(Line::Copy, &facts(&all)), None);
        all.desk.second_copy = true;
        let last = Some(ago(60));
        let failed = Grade::Careful;
        for (may_write, problem, copied, expected) in [
            (true, None, last, (Grade::Good, Finding::CopyAsOf(ago(60)))),
            (true, None, None, (Grade::Good, Finding::NothingToCopy)),
            (false, None, last, (failed, Finding::CopyNotAllowed)),
            (false, Some(Problem::NotWritten), last, (failed, Finding::CopyNotAllowed)),
            (true, Some(Problem::NotAllowed), last, (failed, Finding::CopyNotAllowed)),
            (true, Some(Problem::NotWritten), last, (failed, Finding::CopyFailed(last))),
            (true, Some(Problem::NotRead), None, (failed, Finding::CopyFailed(None))),
        ] {
            let copy = Kept { copied, problem, ..Kept::default() };
            let found = verdicts(&Facts { copy: may_write.then_some(&copy), ..facts(&all) });
            assert_eq!(found.iter().find(|it| it.line == Line::Copy).map(|it| (it.grade, it.finding)), Some(expected));
            assert_eq!(in_window(&found).is_some(), expected.0 == failed, "the window says it");
        }
    }

    #[test]
    fn that_others_have_gone_on_with_the_copy_is_told_until_it_is_brought_in_or_for_a_week() {
        let mut all = preferences();
        all.desk.second_copy = true;
        let told = (Grade::Careful, Finding::CopyOfOthers);
        let good = (Grade::Good, Finding::CopyAsOf(ago(60)));
        for (found, copies_imported, expected) in [
            (ago(60), None, told),
            (ago(60), Some(ago(61)), told),
            (ago(60), Some(ago(59)), good),
            (ago(7 * 24 * 3_600), None, told),
            (ago(8 * 24 * 3_600), None, good),
        ] {
            let copy = Kept { copied: Some(ago(60)), others: Some(found), ..Kept::default() };
            assert_eq!(
                on(Line::Copy, &Facts { copy: Some(&copy), copies_imported, ..facts(&all) }),
                Some(expected),
                "{found:?} {copies_imported:?}"
            );
        }
    }

    #[test]
    fn the_clock_is_right_within_half_a_minute_either_way() {
        let all = preferences();
        for (ahead, expected) in [
            (29, (Grade::Good, Finding::ClockRight(NOW))),
            (-29, (Grade::Good, Finding::ClockRight(NOW))),
            (30, (Grade::Careful, Finding::ClockOff(TimeDelta::seconds(-30), NOW))),
            (-30, (Grade::Careful, Finding::ClockOff(TimeDelta::seconds(30), NOW))),
            (-300, (Grade::Stop, Finding::ClockOff(TimeDelta::seconds(300), NOW))),
        ] {
            let facts = Facts { drift: Some(drift(ahead)), ..facts(&all) };
            assert_eq!(on(Line::Clock, &facts), Some(expected), "{ahead}");
        }
        let unknown = Facts { drift: None, ..facts(&all) };
        assert_eq!(on(Line::Clock, &unknown), Some((Grade::Note, Finding::ClockUnknown)));
    }

    #[test]
    fn a_time_zone_of_no_place_is_doubtful() {
        let all = preferences();
        for (zone, offset, languages, is_good) in [
            ("Europe/Paris", 60, ["en", "fr"], true),
            ("Asia/Kathmandu", 345, ["en", "ne"], true),
            ("Atlantic/Reykjavik", 0, ["en-US", "is"], true),
            ("Atlantic/Reykjavik", 0, ["en-US", "en"], false),
            ("UTC", 0, ["en-GB", "en"], false),
            ("Etc/GMT+5", -300, ["es", "en"], false),
            ("Europe/Paris", 9, ["fr", "en"], false),
            ("", 60, ["fr", "en"], false),
        ] {
            let facts = Facts { zone, offset, languages: &languages.map(str::to_owned), ..facts(&all) };
            let expected = if is_good {
                (Grade::Good, Finding::ZoneSeen(offset))
            } else {
                (Grade::Careful, Finding::ZoneDoubtful(offset))
            };
            assert_eq!(on(Line::Zone, &facts), Some(expected), "{zone}");
        }
    }

    #[test]
    fn a_newer_version_is_seen_in_the_policy_or_in_a_file() {
        let all = preferences();
        let (own, old, new) = (Version::own(), "0.0.1".parse().unwrap(), "9999.0".parse().unwrap());
        let on = |versions: &[Version]| on(Line::Version, &Facts { versions, ..facts(&all) }).unwrap();
        assert_eq!(on(&[own, old]), (Grade::Good, Finding::VersionSeen(own)));
        assert_eq!(on(&[old, new]), (Grade::Careful, Finding::VersionOld(own, new)));
    }

    #[test]
    fn a_profile_shows_that_it_is_kept_when_firefox_was_closed_once() {
        let all = preferences();
        let unknown = Some((Grade::Note, Finding::ProfileUnknown));
        assert_eq!(on(Line::Profile, &Facts { starts: None, ..facts(&all) }), unknown);
        let starts = Some(Starts { first: ago(9), count: 0 });
        assert_eq!(on(Line::Profile, &Facts { starts, ..facts(&all) }), unknown);
        let starts = Some(Starts { first: ago(9), count: 1 });
        let kept = Some((Grade::Good, Finding::ProfileKept(ago(9))));
        assert_eq!(on(Line::Profile, &Facts { starts, ..facts(&all) }), kept);
    }

    #[test]
    fn the_window_says_the_worst_that_it_does_not_say_elsewhere() {
        let all = preferences();
        let said = |facts: &Facts<'_>| in_window(&verdicts(facts)).map(|verdict| verdict.line);
        assert_eq!(said(&Facts { records: Access::Empty, starts: None, room: None, ..facts(&all) }), None);
        assert_eq!(said(&Facts { is_kept: false, zone: "UTC", ..facts(&all) }), Some(Line::Log), "the first of equals");
        assert_eq!(said(&Facts { is_kept: false, drift: Some(drift(3_600)), ..facts(&all) }), Some(Line::Clock));
        let mut lacking = all.clone();
        lacking.form.branchcode.clear();
        assert_eq!(said(&Facts { preferences: &lacking, may_ask: false, ..facts(&all) }), None, "it is set up first");
    }

    #[test]
    fn what_is_kept_is_read_by_later_versions() {
        let tested = r#"{"of":"https://koha.example.org\tdesk\tCPL","at":1795428000000,"went":"branch-unknown"}"#;
        let read: Tested = serde_json::from_str(tested).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), tested);
        let starts: Starts = serde_json::from_str(r#"{"first":1795428000000,"count":2}"#).unwrap();
        assert_eq!((starts.first, starts.count), (NOW, 2));
    }
}
