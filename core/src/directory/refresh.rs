//! When records are brought up to date without anybody's doing: the rule, without a clock, a timer or a network.
//!
//! Whoever has a timer asks [`plan`] when it rings, when the browser has started and when settings were saved, and does what
//! the [`Plan`] says. What is remembered from one time to the next are the [`Refreshes`].
//!
//! Nobody tells the desks of a library from each other. So each draws a *place* once, by chance, and goes by that: desks
//! that are started together in the morning, or wake together from sleep, ask one after another over [`SPREAD`], and from
//! then on each has its own minute in every period. After an error a desk waits, longer each time.

mod remembered;

pub use remembered::{Ended, Last, Refreshes};

use super::{Contents, access::Access};
use crate::{
    desk::clock::DeskTime,
    settings::{key_kept::KeyKept, quiet_hours::QuietHours, records::RecordsSettings},
};
use chrono::{NaiveTime, TimeDelta};
use remembered::part_of;
use std::time::Duration;

/// Over this time those spread that would all ask now.
pub const SPREAD: Duration = Duration::from_hours(1);
/// Whoever comes later than planned by more than this has slept meanwhile, perhaps with all the others.
const LATE: Duration = Duration::from_mins(10);
/// In quiet hours everything is read when it was read this long ago; a day later it is read at any hour.
const WHOLE_IN_QUIET_HOURS: Duration = Duration::from_hours(6 * 24);
/// What patrons owe, and who is gone, is asked for this often: less than a day, so that a desk that is on by day does it daily.
const OWING: Duration = Duration::from_hours(20);
/// What is due now is done this much later at the earliest: who asks for a plan is called again by a timer.
const SOON: Duration = Duration::from_secs(1);
/// Of the quiet hours this part, in 65,536ths, is for beginning: the rest is for those who began last.
const BEGINNING: u32 = 49_152;

/// How long after somebody has changed something a plan is asked for.
pub const AFTER_A_CHANGE: Duration = Duration::from_mins(1);
/// While something is done, a timer is set anew to this time: where it ends in the middle, a plan is asked for then.
pub const WATCH: Duration = Duration::from_mins(5);
/// How often it is told how far a download is, and that it goes on; and after how long without a word it does not.
pub const TOLD_EVERY: Duration = Duration::from_secs(2);
/// See [`TOLD_EVERY`].
pub const SILENT_AFTER: Duration = Duration::from_secs(10);

/// How things stand at a desk.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// What is set.
    pub records: &'a RecordsSettings,
    /// What is there.
    pub contents: &'a Contents,
    /// Whether a download was broken off, and can be gone on with.
    pub is_unfinished: bool,
    /// Whether it can be looked up.
    pub access: Access,
    /// Whether a passphrase gives their key.
    pub has_passphrase: bool,
    /// Whether Koha can be asked: the settings are complete and the browser lets KOCT ask the server.
    pub can_ask: bool,
    /// [`Refreshes::changes`] before any of this was read.
    pub changes: u32,
}

/// What is to be downloaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Everything, also where changes could be told.
    pub everything: bool,
    /// At the end also what Koha does not report as a change, of the patrons for whom it matters: what they owe, and who is gone.
    pub owing: bool,
}

/// Why nothing is downloaded by itself until something else happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody wants it.
    Off,
    /// The passphrase is needed first, or is to be chosen.
    Locked,
    /// Settings, the password or the browser's permission are missing.
    CannotAsk,
    /// Koha refused the account: asking again and again could lock it.
    Refused,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Never(Why),
    /// To ask again at this time.
    At(DeskTime),
    /// To download now.
    Now(Scope),
    /// To read anew how things stand, and ask again at once: something has changed while it was read.
    Anew,
}

/// What is to be done now. `time_of_day` is what the desk's clock shows.
///
/// Whoever changes something sets the timer for a plan. It must not be set by what was read before: what is true last counts.
pub fn plan(standing: Standing, refreshes: &mut Refreshes, now: DeskTime, time_of_day: NaiveTime) -> Plan {
    if standing.changes != refreshes.changes() {
        return Plan::Anew;
    }
    let plan = at(standing, refreshes, now, time_of_day);
    refreshes.planned = match plan {
        Plan::At(time) => Some(time),
        Plan::Never(_) | Plan::Now(_) | Plan::Anew => None,
    };
    plan
}

fn at(standing: Standing, refreshes: &Refreshes, now: DeskTime, time_of_day: NaiveTime) -> Plan {
    let Standing { records, contents, access, has_passphrase, can_ask, is_unfinished, changes: _ } = standing;
    // What is of another server is nothing here.
    let nothing = Contents::default();
    let contents = if access == Access::Foreign { &nothing } else { contents };
    let Some(every) = records.refreshed_every().ok().flatten().filter(|_| records.enabled) else {
        return Plan::Never(Why::Off);
    };
    match access {
        Access::Off => return Plan::Never(Why::Off),
        Access::Locked => return Plan::Never(Why::Locked),
        // A person chooses it in the window before the first download, and is told so there, as nothing is there yet: without it records
        // would end with the browser each time.
        Access::Empty | Access::Lost | Access::Foreign
            if records.key_kept == KeyKept::Passphrase && !has_passphrase =>
        {
            return Plan::Never(Why::Locked);
        }
        // They may be read later.
        Access::Unreadable => return Plan::At(now.plus(WATCH)),
        Access::Empty | Access::Lost | Access::Foreign | Access::Open => {}
    }
    if !can_ask {
        return Plan::Never(Why::CannotAsk);
    }
    if refreshes.last.is_some_and(|last| last.how == Ended::Refused) {
        return Plan::Never(Why::Refused);
    }
    let place = u32::from(refreshes.place);
    let changes = match asked_as_of(contents, refreshes) {
        // What was broken off is gone on with; where there is nothing, everything is missing.
        None => now,
        Some(_) if is_unfinished => now,
        // The clock was wrong: nobody knows how old it is.
        Some(as_of) if as_of > now.plus(LATE) => now,
        Some(as_of) => slot(as_of, every, place),
    };
    let quiet = records.quiet_hours().ok().flatten();
    let whole = quiet.and_then(|quiet| quiet_moment(quiet, contents, place, now, time_of_day));
    let due = whole.map_or(changes, |whole| whole.min(changes)).max(refreshes.not_before(now));
    if due > now {
        return Plan::At(due);
    }
    let is_on_time = |planned: DeskTime| (TimeDelta::zero()..=delta(LATE)).contains(&now.since(planned));
    match refreshes.planned {
        Some(planned) if is_on_time(planned) => {
            let owing_as_of = refreshes.owing_as_of.max(contents.whole_as_of().unwrap_or_default());
            let everything = whole.is_some_and(|whole| whole <= now);
            let is_old = !(TimeDelta::zero()..delta(OWING)).contains(&now.since(owing_as_of));
            Plan::Now(Scope { everything, owing: is_old && !everything && contents.as_of().is_some() })
        }
        // It waits already for its turn.
        Some(planned) if planned > now && planned <= now.plus(SPREAD) => Plan::At(planned),
        _ => Plan::At(now.plus(part_of(SPREAD, place).max(SOON))),
    }
}

/// As of when Koha was asked for everything last. `None` where something is missing that it may give.
fn asked_as_of(contents: &Contents, refreshes: &Refreshes) -> Option<DeskTime> {
    let refused = || refreshes.last.filter(|_| !contents.gaps.is_empty()).map(|last| last.at);
    contents.given().map(|held| held.as_of).min().or_else(refused)
}

/// The minute of this desk in the period that comes after what is there: the periods are counted from 1970, and its minute
/// is at the same place in each. What is not older than a quarter of a period waits for the next.
fn slot(as_of: DeskTime, every: Duration, place: u32) -> DeskTime {
    let period = millis(every);
    let earliest = as_of.plus(every / 4).millis();
    let offset = millis(part_of(every, place));
    let number = (earliest - offset).div_euclid(period) + 1;
    DeskTime::from_millis(number.saturating_mul(period).saturating_add(offset))
}

/// When everything is to be read in quiet hours; `None` where there is nothing yet, and it is read as soon as can be.
fn quiet_moment(
    quiet: QuietHours,
    contents: &Contents,
    place: u32,
    now: DeskTime,
    time_of_day: NaiveTime,
) -> Option<DeskTime> {
    let earliest = contents.whole_as_of()?.plus(WHOLE_IN_QUIET_HOURS).max(now);
    let then = time_of_day.overflowing_add_signed(earliest.since(now)).0;
    let begins = part_of(part_of(quiet.span(), BEGINNING), place);
    let until = match quiet.passed(then) {
        Some(passed) => begins.saturating_sub(passed),
        None => quiet.until(then) + begins,
    };
    Some(earliest.plus(until))
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
