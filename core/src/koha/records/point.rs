//! How far a list is read: what is kept so that another day's reading can go on.

use super::row::Listed;
use crate::{
    desk::clock::{DeskTime, KohaTime},
    directory::Held,
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// The number of rows asked for at once, at most.
pub(super) const MOST: u32 = 1_000;
/// Koha does not tell what was deleted: after this time everything is read instead of the changes.
pub(super) const WHOLE: TimeDelta = TimeDelta::days(7);
/// A reading that was begun this long ago, or earlier, is begun anew.
pub(super) const DAY: TimeDelta = TimeDelta::days(1);

/// Whether a download that was begun then is gone on with.
pub fn goes_on(desk_began: DeskTime, desk_time: DeskTime) -> bool {
    (TimeDelta::zero()..DAY).contains(&desk_time.since(desk_began))
}

/// How rows are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    /// Those with a larger number than the last.
    #[default]
    After,
    /// Page by page.
    Pages,
    /// All at once.
    All,
}

/// How far a list is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Point {
    pub(super) way: Way,
    /// The number of the last row.
    pub(super) last: Option<u32>,
    /// The number of rows of the list that lie before what is read next, where pages are counted.
    pub(super) read: u32,
    /// The number of rows asked for at once.
    pub(super) size: u32,
    pub(super) without_embed: bool,
    /// Only what was changed since this time by Koha's clock is read.
    #[serde(rename = "since")]
    pub(super) koha_since: Option<KohaTime>,
    /// What Koha's clock showed at the first answer.
    #[serde(rename = "began")]
    pub(super) koha_began: Option<KohaTime>,
    /// The number of rows that had no number and were left out.
    pub unreadable: u32,
    /// Whether rows had what was asked for besides: what patrons owe, the titles of items.
    pub has_extras: bool,
}

impl Point {
    /// Before the first row, of a whole list or of what was changed since a time by Koha's clock ([`Point::koha_began`] of an
    /// earlier reading).
    pub fn start(koha_since: Option<KohaTime>) -> Self {
        Self { size: MOST, koha_since, ..Self::default() }
    }

    /// Before the first row of a set of which this is held: of what was changed since, where that can be told and not all of
    /// it must be read once more.
    pub fn after<R: Listed>(held: Option<&Held>, desk_time: DeskTime) -> Self {
        let is_recent = |held: &&Held| {
            R::CHANGED.is_some() && (TimeDelta::zero()..WHOLE).contains(&desk_time.since(held.whole_as_of))
        };
        Self::start(held.filter(is_recent).and_then(|held| held.koha_as_of))
    }

    /// Whether nothing is read yet: also after it was found out that Koha must be asked in another way from the start.
    pub fn is_start(&self) -> bool {
        self.last.is_none() && self.read == 0
    }

    /// Whether only changes are read. It can turn out that Koha cannot tell them: then the whole list is read.
    pub fn is_changes(&self) -> bool {
        self.koha_since.is_some()
    }

    /// What Koha's clock showed when reading began.
    pub fn koha_began(&self) -> Option<KohaTime> {
        self.koha_began
    }
}
