//! What is remembered of downloads that nobody asked for.

use crate::desk::clock::DeskTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// After the first failure in a row it is tried again after this time, after each further one after twice as long.
const FIRST_WAIT: Duration = Duration::from_mins(15);
/// It is tried again after this time at the latest, and up to twice as late by the place of the desk.
const LONGEST_WAIT: Duration = Duration::from_hours(2);

/// This part, in 65,536ths, of a time.
pub(super) fn part_of(time: Duration, place: u32) -> Duration {
    time * place / 65_536
}

/// What is remembered from one time to the next. It tells nothing of anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Refreshes {
    /// This desk's place among all, drawn once by chance.
    pub(super) place: u16,
    /// When the next is planned.
    pub(super) planned: Option<DeskTime>,
    /// How the last ended.
    pub(super) last: Option<Last>,
    /// The number of failures in a row.
    failures: u32,
    /// As of when it is known what patrons owe and who is gone, where that was asked for by itself.
    pub(super) owing_as_of: DeskTime,
    /// The number of the patron after whom the next round of that begins.
    pub owing_after: u32,
    /// How often something has changed that a plan follows from.
    changes: u32,
}

/// How a download ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Last {
    /// When, by the desk's clock.
    pub at: DeskTime,
    /// How.
    pub how: Ended,
}

/// How a download ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ended {
    /// Everything is there.
    Done,
    /// What Koha gives is there.
    InPart,
    /// Somebody stopped it, or needed the network for something else.
    Stopped,
    /// Koha does not let in whoever asks.
    Refused,
    /// Koha did not answer, or with an error.
    Failed,
    /// It could not be kept on this computer.
    NotKept,
}

impl Refreshes {
    /// At a desk at which nothing was done yet; its place is drawn by chance.
    pub fn new(place: u16) -> Self {
        Self { place, ..Self::default() }
    }

    /// One goes on. If it ends without a word, this is when it is gone on with.
    pub fn watched(&mut self, until: DeskTime) {
        self.planned = Some(until);
    }

    /// When the next is planned; `None` where none is.
    pub fn planned(&self) -> Option<DeskTime> {
        self.planned
    }

    /// How the last ended, if there was one.
    pub fn last(&self) -> Option<Last> {
        self.last
    }

    /// How often something has changed that a plan follows from. Whoever is to make one asks before reading what it follows from:
    /// see [`Standing::changes`](super::Standing::changes).
    pub fn changes(&self) -> u32 {
        self.changes
    }

    fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// A download has ended, whoever wanted it.
    pub fn ended(&mut self, how: Ended, desk_time: DeskTime) {
        self.changed();
        self.failures = match how {
            Ended::Done | Ended::InPart => 0,
            Ended::Stopped => self.failures,
            Ended::Refused | Ended::Failed | Ended::NotKept => self.failures.saturating_add(1),
        };
        self.last = Some(Last { at: desk_time, how });
    }

    /// Whether a plan is to be asked for soon after one that a person wanted: none was to come by itself, since Koha had refused the
    /// account or no passphrase was chosen, and now one may.
    pub fn asks_for_a_plan(&self) -> bool {
        self.planned.is_none()
    }

    /// It was asked what patrons owe: of those up to this number, or of all.
    pub fn asked_what_is_owed(&mut self, up_to: Option<u32>, desk_time: DeskTime) {
        (self.owing_after, self.owing_as_of) = (up_to.unwrap_or_default(), desk_time);
    }

    /// Somebody has changed the settings: what was refused before may be given now.
    pub fn settings_changed(&mut self) {
        self.changed();
        self.failures = 0;
        self.last = self.last.filter(|last| last.how != Ended::Refused);
    }

    /// Somebody has given the passphrase: what is there can be looked up.
    pub fn unlocked(&mut self) {
        self.changed();
    }

    /// Before this time nothing is tried again.
    pub(super) fn not_before(&self, now: DeskTime) -> DeskTime {
        // What a clock that was wrong has noted counts for nothing.
        let Some(last) = self.last.filter(|last| last.at <= now) else { return DeskTime::default() };
        let wait = match last.how {
            Ended::Done | Ended::InPart => Duration::ZERO,
            Ended::Stopped => FIRST_WAIT,
            Ended::Refused | Ended::Failed | Ended::NotKept => {
                (FIRST_WAIT * 2_u32.pow(self.failures.saturating_sub(1).min(8))).min(LONGEST_WAIT)
            }
        };
        // Those that failed together do not come again together.
        last.at.plus(wait + part_of(wait, self.place.into()))
    }
}
