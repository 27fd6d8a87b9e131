//! How far a download is: kept with every write, so that any window can go on with it after a break.

use crate::{
    desk::clock::DeskTime,
    directory::{Unfinished, record::Set},
    koha::records::{self, Point},
    ordered::{LiteMap, as_map},
    settings::asker::Asker,
};
use serde::{Deserialize, Serialize};

/// How far a download is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// When it began by the desk's clock.
    #[serde(rename = "began")]
    desk_began: DeskTime,
    /// Who asks.
    #[serde(skip_serializing_if = "Asker::is_unknown")]
    asker: Asker,
    /// In order, each once.
    pub(super) done: Vec<Set>,
    /// The set that is being read.
    #[serde(with = "as_map")]
    pub(super) open: LiteMap<Set, OpenSet>,
}

/// How far a set is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenSet {
    pub(super) point: Point,
    pub(super) written: Unfinished,
    /// When its reading began by the desk's clock.
    #[serde(rename = "began")]
    pub(super) desk_began: DeskTime,
}

impl Progress {
    /// The progress from which a download goes on: what is left of an earlier one of the same asker, or nothing.
    pub(super) fn from_earlier(earlier: Option<Self>, asker: &Asker, desk_time: DeskTime) -> Self {
        let goes_on = |earlier: &Self| {
            !earlier.is_over() && earlier.asker.is_as(asker) && records::goes_on(earlier.desk_began, desk_time)
        };
        let earlier = earlier.filter(goes_on).map(|mut earlier| {
            // Of what is read besides, nothing is gone on with.
            earlier.open.retain(|set, _| !earlier.done.contains(set));
            earlier
        });
        let progress = earlier.unwrap_or(Self { desk_began: desk_time, ..Self::default() });
        Self { asker: asker.clone(), ..progress }
    }

    /// When it began.
    pub fn began(&self) -> DeskTime {
        self.desk_began
    }

    /// The set that is next.
    pub(super) fn next_set(&self) -> Option<Set> {
        Set::ALL.into_iter().find(|set| !self.done.contains(set))
    }

    pub(super) fn is_over(&self) -> bool {
        self.next_set().is_none()
    }

    /// The runs that are being written.
    pub fn runs(&self) -> impl Iterator<Item = u32> {
        self.open.values().map(|open| open.written.run)
    }
}
