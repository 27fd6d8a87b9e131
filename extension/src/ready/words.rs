//! What was found of a desk that is to be ready, in the words of `_locales`.

use crate::{
    i18n::{plural, text, text_with},
    locale,
    wording::row_time_of,
};
use chrono::TimeDelta;
use koct_core::{
    desks::shift::Shift,
    koha::ready::{Finding, Line},
};

/// The name of a line of the page that says whether the desk is ready.
pub(crate) fn line(line: Line) -> String {
    text(match line {
        Line::Settings => "readySettings",
        Line::Permission => "readyPermission",
        Line::Connection => "readyConnection",
        Line::Branch => "readyBranch",
        Line::Records => "lookupTitle",
        Line::Log => "readyLog",
        Line::Copy => "readyCopy",
        Line::Room => "readyRoom",
        Line::Clock => "readyClock",
        Line::Zone => "readyZone",
        Line::Version => "readyVersion",
        Line::Profile => "readyProfile",
    })
}

/// What was found on such a line, and what is to be done.
pub(crate) fn finding(finding: Finding) -> String {
    let offset = |minutes: i16| {
        let hours = Shift(TimeDelta::minutes(i64::from(minutes))).to_string();
        format!("UTC{hours}")
    };
    match finding {
        Finding::Set => text("readySet"),
        Finding::SetForFiles => text("readySetForFiles"),
        Finding::NotSetUp => text("readyNotSetUp"),
        Finding::PasswordGone => text("readyPasswordGone"),
        Finding::Wrong(_) => text("readyWrong"),
        Finding::Allowed => text("readyAllowed"),
        Finding::NotAllowed => text_with("readyNotAllowed", &[&text("save")]),
        Finding::Works(Some(at)) => text_with("readyWorksAt", &[&row_time_of(at)]),
        Finding::Works(None) => text("readyWorks"),
        Finding::Failed(at) => text_with("readyFailed", &[&row_time_of(at)]),
        Finding::Untested => text("readyUntested"),
        Finding::BranchKnown => text("readyBranchKnown"),
        Finding::BranchUnknown => text("readyBranchUnknown"),
        Finding::BranchUnchecked => text("readyBranchUnchecked"),
        Finding::BranchUntested => text("readyBranchUntested"),
        Finding::RecordsAsOf(as_of) => text_with("readyRecordsAsOf", &[&as_of.map(row_time_of).unwrap_or_default()]),
        Finding::RecordsOld(days) => plural("readyRecordsOld", u32::try_from(days).unwrap_or(u32::MAX), &[]),
        Finding::NoRecords => text("readyNoRecords"),
        Finding::RecordsLocked => text("readyRecordsLocked"),
        Finding::RecordsForeign => text("readyRecordsForeign"),
        Finding::RecordsUnreadable => text("readyRecordsUnread"),
        Finding::LogKept => text("readyLogKept"),
        Finding::LogNotKept => text("readyLogNotKept"),
        Finding::NoLog => text("readyNoLog"),
        Finding::CopyAsOf(at) => text_with("readyCopyAsOf", &[&row_time_of(at)]),
        Finding::NothingToCopy => text("readyCopyNothing"),
        Finding::CopyNotAllowed => text_with("readyCopyNotAllowed", &[&text("notifyAllow")]),
        Finding::CopyOfOthers => text_with("readyCopyOfOthers", &[&text("importKoc")]),
        Finding::CopyFailed(Some(at)) => text_with("readyCopyFailed", &[&row_time_of(at)]),
        Finding::CopyFailed(None) => text("readyCopyNever"),
        Finding::Room(bytes) => text_with("readyRoomLeft", &[&locale::bytes(bytes)]),
        Finding::LittleRoom(bytes) => text_with("readyLittleRoom", &[&locale::bytes(bytes)]),
        Finding::RoomUnknown => text("readyRoomUnknown"),
        Finding::ClockRight(at) => text_with("readyClockRight", &[&row_time_of(at)]),
        Finding::ClockOff(off, at) if off > TimeDelta::zero() => {
            text_with("readyClockAhead", &[&Shift(off).length(), &row_time_of(at), &text("showReview")])
        }
        Finding::ClockOff(off, at) => {
            text_with("readyClockBehind", &[&Shift(off).length(), &row_time_of(at), &text("showReview")])
        }
        Finding::ClockUnknown => text("readyClockUnknown"),
        Finding::ZoneSeen(minutes) => text_with("readyZoneSeen", &[&offset(minutes)]),
        Finding::ZoneDoubtful(minutes) => text_with("readyZoneDoubtful", &[&offset(minutes)]),
        Finding::VersionSeen(own) => text_with("readyVersionSeen", &[&own.to_string()]),
        Finding::VersionOld(own, newer) => text_with("readyVersionOld", &[&own.to_string(), &newer.to_string()]),
        Finding::ProfileKept(first) => text_with("readyProfileKept", &[&row_time_of(first)]),
        Finding::ProfileUnknown => text("readyProfileUnknown"),
    }
}
