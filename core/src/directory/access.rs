//! Whether records can be looked up, and when they are deleted.

use super::Contents;
use crate::{desk::clock::DeskTime, settings::records::RecordsSettings};

/// Whether records can be looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Nobody wants to.
    #[default]
    Off,
    /// There are none.
    Empty,
    /// There are, but the key is gone with the last session of Firefox: they were deleted.
    Lost,
    /// The passphrase is needed first.
    Locked,
    /// They can.
    Open,
}

/// Whether the key of the records is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is.
    AtHand,
    /// A passphrase gives it.
    Locked,
    /// It lies on the disk as it shall not any more, and cannot be kept in another way.
    Unwanted,
    /// There is none; what was encrypted with one cannot be read any more.
    Gone,
}

/// Whether what is there can be looked up, and whether it is to be deleted: what nobody wants, what is too old, and what
/// nobody can read any more. What an unfinished download has read is not in `contents`: of a first one,
/// that is deleted once it has `begun` as long ago as records may be old.
pub fn access(
    settings: &RecordsSettings,
    contents: &Contents,
    begun: Option<DeskTime>,
    key: KeyState,
    desk_time: DeskTime,
) -> (Access, bool) {
    let is_over = |as_of| settings.is_over(as_of, desk_time);
    match key {
        _ if !settings.enabled => (Access::Off, true),
        _ if contents.sets.is_empty() => (Access::Empty, begun.is_some_and(is_over)),
        _ if contents.as_of().is_some_and(is_over) => (Access::Empty, true),
        KeyState::AtHand => (Access::Open, false),
        KeyState::Locked => (Access::Locked, false),
        KeyState::Unwanted | KeyState::Gone => (Access::Lost, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Held, record::Set};

    const DAY: i64 = 86_400_000;

    #[test]
    fn says_whether_records_are_looked_up_and_when_they_are_deleted() {
        let wanted = RecordsSettings { enabled: true, wipe_days: "3".into(), ..RecordsSettings::default() };
        let unwanted = RecordsSettings { enabled: false, ..wanted.clone() };
        let of = |as_of| Contents {
            sets: [
                (Set::Patrons, Held { as_of: DeskTime::from_millis(as_of), ..Held::default() }),
                (Set::Items, Held { as_of: DeskTime::from_millis(9 * DAY), ..Held::default() }),
            ]
            .into(),
            ..Contents::default()
        };
        let all = [KeyState::AtHand, KeyState::Locked, KeyState::Unwanted, KeyState::Gone];
        let check_begun = |settings, contents, begun: Option<i64>, now| {
            let begun = begun.map(DeskTime::from_millis);
            all.map(|key| access(settings, &contents, begun, key, DeskTime::from_millis(now)))
        };
        let check = |settings, contents, now| check_begun(settings, contents, None, now);
        assert_eq!(check(&unwanted, of(9 * DAY), 9 * DAY), [(Access::Off, true); 4]);
        assert_eq!(check(&unwanted, Contents::default(), 9 * DAY), [(Access::Off, true); 4], "also what was begun");
        assert_eq!(check(&wanted, Contents::default(), 9 * DAY), [(Access::Empty, false); 4], "not what was begun");
        let begun = |began| check_begun(&wanted, Contents::default(), Some(began), 9 * DAY);
        assert_eq!(begun(6 * DAY), [(Access::Empty, false); 4], "what was begun is gone on with");
        assert_eq!(begun(6 * DAY - 1), [(Access::Empty, true); 4], "but not kept for ever");
        let there = [(Access::Open, false), (Access::Locked, false), (Access::Lost, true), (Access::Lost, true)];
        assert_eq!(check(&wanted, of(9 * DAY), 9 * DAY), there);
        assert_eq!(check(&wanted, of(9 * DAY), 12 * DAY), there);
        let refreshed = check_begun(&wanted, of(9 * DAY), Some(DAY), 9 * DAY);
        assert_eq!(refreshed, there, "what was there before counts while it is brought up to date");
        // The oldest set counts.
        assert_eq!(check(&wanted, of(6 * DAY - 1), 9 * DAY), [(Access::Empty, true); 4]);
    }
}
