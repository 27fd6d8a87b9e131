//! Whether records can be looked up, and when they are deleted.

use super::Contents;
use crate::{
    desk::clock::DeskTime,
    settings::{form::ServerUrl, records::RecordsSettings},
};

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
    /// They are of another server than the one that is set, and stay until something is downloaded from this one.
    Foreign,
    /// It could not be read whether there are any.
    Unreadable,
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

/// What stays of the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// All.
    All,
    /// These sets; the others are too old.
    Only(Contents),
    /// Nothing.
    Nothing,
}

/// Whether what is there can be looked up, and what stays of it: not what nobody wants, what is too old, and what
/// nobody can read any more. What an unfinished download has read is not in `contents`: of a first one,
/// that is deleted once it has `begun` as long ago as records may be old.
pub fn access(
    settings: &RecordsSettings,
    contents: &Contents,
    begun: Option<DeskTime>,
    key: KeyState,
    server: Option<&ServerUrl>,
    desk_time: DeskTime,
) -> (Access, Stays) {
    let mut kept = contents.clone();
    let all_or_some = if kept.drop_old(settings, desk_time) { Stays::Only(kept.clone()) } else { Stays::All };
    match key {
        _ if !settings.enabled => (Access::Off, Stays::Nothing),
        _ if contents.sets.is_empty() => {
            let is_over = begun.is_some_and(|begun| settings.is_over(begun, desk_time));
            (Access::Empty, if is_over { Stays::Nothing } else { Stays::All })
        }
        _ if kept.sets.is_empty() => (Access::Empty, Stays::Nothing),
        KeyState::AtHand if !contents.are_of(server) => (Access::Foreign, all_or_some),
        KeyState::AtHand => (Access::Open, all_or_some),
        KeyState::Locked => (Access::Locked, all_or_some),
        KeyState::Unwanted | KeyState::Gone => (Access::Lost, Stays::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Gap, Held, record::Set};

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
            .into_iter()
            .collect(),
            ..Contents::default()
        };
        let all = [KeyState::AtHand, KeyState::Locked, KeyState::Unwanted, KeyState::Gone];
        let check_begun = |settings, contents, begun: Option<i64>, now| {
            let begun = begun.map(DeskTime::from_millis);
            all.map(|key| access(settings, &contents, begun, key, None, DeskTime::from_millis(now)))
        };
        let check = |settings, contents, now| check_begun(settings, contents, None, now);
        let nothing = |access| [(); 4].map(|()| (access, Stays::Nothing));
        let all_of = |stays: &Stays| {
            [
                (Access::Open, stays.clone()),
                (Access::Locked, stays.clone()),
                (Access::Lost, Stays::Nothing),
                (Access::Lost, Stays::Nothing),
            ]
        };
        let empty = [(); 4].map(|()| (Access::Empty, Stays::All));
        assert_eq!(check(&unwanted, of(9 * DAY), 9 * DAY), nothing(Access::Off));
        assert_eq!(check(&unwanted, Contents::default(), 9 * DAY), nothing(Access::Off), "also what was begun");
        assert_eq!(check(&wanted, Contents::default(), 9 * DAY), empty, "not what was begun");
        let begun = |began| check_begun(&wanted, Contents::default(), Some(began), 9 * DAY);
        assert_eq!(begun(6 * DAY), empty, "what was begun is gone on with");
        assert_eq!(begun(6 * DAY - 1), nothing(Access::Empty), "but not kept for ever");
        let there = all_of(&Stays::All);
        assert_eq!(check(&wanted, of(9 * DAY), 9 * DAY), there);
        assert_eq!(check(&wanted, of(9 * DAY), 12 * DAY), there);
        let refreshed = check_begun(&wanted, of(9 * DAY), Some(DAY), 9 * DAY);
        assert_eq!(refreshed, there, "what was there before counts while it is brought up to date");
        let mut items = of(9 * DAY);
        items.sets.remove(&Set::Patrons);
        assert_eq!(check(&wanted, of(6 * DAY - 1), 9 * DAY), all_of(&Stays::Only(items)), "each set ages alone");
        assert_eq!(check(&wanted, of(6 * DAY - 1), 12 * DAY + 1), nothing(Access::Empty), "all of them");
    }

    #[test]
    fn those_of_another_server_stay_and_are_not_looked_up() {
        let wanted = RecordsSettings { enabled: true, ..RecordsSettings::default() };
        let [here, there] = ["koha.example.org", "other.example.org"].map(|it| ServerUrl::parse(it).unwrap());
        let of = |server: Option<&ServerUrl>| Contents {
            sets: [(Set::Patrons, Held::default())].into_iter().collect(),
            server: server.map(|server| server.as_str().to_owned()),
            ..Contents::default()
        };
        let look = |contents, key, server| access(&wanted, &contents, None, key, server, DeskTime::default());
        for (of, set, expected) in [
            (of(Some(&here)), Some(&here), Access::Open),
            (of(Some(&here)), Some(&there), Access::Foreign),
            // A file, an earlier version; a desk that only writes files.
            (of(None), Some(&there), Access::Open),
            (of(Some(&here)), None, Access::Open),
        ] {
            assert_eq!(look(of, KeyState::AtHand, set), (expected, Stays::All));
        }
        let foreign = || of(Some(&here));
        assert_eq!(look(foreign(), KeyState::Locked, Some(&there)).0, Access::Locked, "nothing is read without it");
        assert_eq!(look(foreign(), KeyState::Gone, Some(&there)), (Access::Lost, Stays::Nothing));
    }

    #[test]
    fn what_koha_refuses_for_ever_ages_alone() {
        let settings = RecordsSettings { enabled: true, wipe_days: "3".into(), ..RecordsSettings::default() };
        let at = |days: i64| DeskTime::from_millis(days * DAY);
        let held = |days| Held { as_of: at(days), ..Held::default() };
        let mut contents = Contents {
            sets: [(Set::Patrons, held(1)), (Set::Holds, held(1))].into_iter().collect(),
            gaps: [(Set::Holds, Gap::Refused("reserveforothers".into()))].into_iter().collect(),
            ..Contents::default()
        };
        for day in 2..30 {
            // Each day Koha gives the patrons.
            contents.sets.insert(Set::Patrons, held(day));
            assert_eq!(contents.fresh_as_of(), Some(at(day)), "nobody is reminded of what no download brings");
            let (access, stays) = access(&settings, &contents, None, KeyState::AtHand, None, at(day));
            assert_eq!(access, Access::Open, "day {day}");
            if let Stays::Only(kept) = stays {
                contents = kept;
            }
            assert!(contents.sets.contains_key(&Set::Patrons));
            assert_eq!(contents.sets.contains_key(&Set::Holds), day <= 4, "day {day}");
        }
        assert_eq!(contents.gaps.len(), 1, "why it is not there stays known");
    }
}
