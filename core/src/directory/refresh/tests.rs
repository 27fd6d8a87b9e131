use super::*;
use crate::directory::{Gap, Held, record::Set};
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Midnight by the desk's clock.
const NOW: i64 = 20_000 * DAY;

fn time(millis: i64) -> DeskTime {
    DeskTime::from_millis(millis)
}

fn wanted() -> RecordsSettings {
    RecordsSettings { enabled: true, ..RecordsSettings::default() }
}

/// Contents of which everything is as of this long ago, and was read as a whole as long ago as that.
fn of(age: i64, whole: i64) -> Contents {
    let held = Held { as_of: time(NOW - age), whole_as_of: time(NOW - whole), ..Held::default() };
    Contents { sets: [(Set::Patrons, held)].into_iter().collect(), ..Contents::default() }
}

struct Desk {
    records: RecordsSettings,
    contents: Contents,
    is_unfinished: bool,
    access: Access,
    has_passphrase: bool,
    can_ask: bool,
    changes: u32,
    refreshes: Refreshes,
}

impl Desk {
    fn with(contents: Contents) -> Self {
        let access = if contents.sets.is_empty() { Access::Empty } else { Access::Open };
        Self {
            records: wanted(),
            contents,
            is_unfinished: false,
            access,
            has_passphrase: false,
            can_ask: true,
            changes: 0,
            refreshes: Refreshes::new(0x4000),
        }
    }

    /// As things stand now.
    fn at(&mut self, now: i64) -> Plan {
        self.changes = self.refreshes.changes();
        self.of_what_was_read(now)
    }

    /// As they stood when `changes` was asked.
    fn of_what_was_read(&mut self, now: i64) -> Plan {
        let Self { records, contents, is_unfinished, access, has_passphrase, can_ask, changes, refreshes } = self;
        let (is_unfinished, access, has_passphrase, can_ask, changes) =
            (*is_unfinished, *access, *has_passphrase, *can_ask, *changes);
        let standing = Standing { records, contents, is_unfinished, access, has_passphrase, can_ask, changes };
        let time_of_day = NaiveTime::MIN.overflowing_add_signed(TimeDelta::milliseconds(now.rem_euclid(DAY))).0;
        plan(standing, refreshes, time(now), time_of_day)
    }

    /// As often as the timer rings when it is told to, until something is downloaded: when, and what.
    #[track_caller]
    fn rings(&mut self, mut now: i64) -> (i64, Scope) {
        for _ in 0..10 {
            match self.at(now) {
                Plan::At(next) => {
                    assert!(next.millis() > now);
                    now = next.millis();
                }
                Plan::Now(scope) => return (now, scope),
                other => panic!("{other:?}"),
            }
        }
        panic!("it rings for nothing")
    }
}

#[test]
fn nothing_is_asked_where_it_is_not_wanted_or_cannot_be() {
    let never = |change: fn(&mut Desk)| {
        let mut desk = Desk::with(of(5 * DAY, 5 * DAY));
        change(&mut desk);
        match desk.at(NOW) {
            Plan::Never(why) => why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(never(|desk| desk.records.enabled = false), Why::Off);
    assert_eq!(never(|desk| desk.records.refresh_hours = "0".into()), Why::Off);
    assert_eq!(never(|desk| desk.records.refresh_hours = "soon".into()), Why::Off, "nobody knows what was meant");
    assert_eq!(never(|desk| desk.access = Access::Locked), Why::Locked);
    assert_eq!(never(|desk| desk.can_ask = false), Why::CannotAsk);
    for access in [Access::Empty, Access::Lost, Access::Foreign] {
        let mut desk = Desk { access, ..Desk::with(Contents::default()) };
        desk.records.key_kept = KeyKept::Passphrase;
        assert_eq!(desk.at(NOW), Plan::Never(Why::Locked), "it is not chosen yet");
        desk.has_passphrase = true;
        assert!(matches!(desk.at(NOW), Plan::At(_)));
    }
    assert_eq!(never(|desk| desk.refreshes.ended(Ended::Refused, time(NOW - DAY))), Why::Refused);
    let mut desk = Desk::with(of(5 * DAY, 5 * DAY));
    desk.records.key_kept = KeyKept::Passphrase;
    assert!(matches!(desk.at(NOW), Plan::At(_)), "what is there is kept fresh");
    let mut desk = Desk::with(of(5 * DAY, 5 * DAY));
    desk.refreshes.ended(Ended::Refused, time(NOW - DAY));
    desk.refreshes.settings_changed();
    assert!(matches!(desk.at(NOW), Plan::At(_)), "another password may be the right one");
    desk.access = Access::Unreadable;
    assert_eq!(desk.at(NOW), Plan::At(time(NOW).plus(WATCH)), "they may be read later");
}

#[test]
fn nothing_is_planned_by_what_was_read_before_it_changed() {
    type Change = (&'static str, fn(&mut Desk));
    let changes: [Change; 3] = [
        ("records were not wanted", |desk| desk.refreshes.settings_changed()),
        ("the passphrase was missing", |desk| desk.refreshes.unlocked()),
        ("somebody downloaded", |desk| desk.refreshes.ended(Ended::Done, time(NOW))),
    ];
    for (before, change) in changes {
        let mut desk = Desk::with(of(5 * HOUR, DAY));
        let planned = desk.at(NOW);
        desk.changes = desk.refreshes.changes();
        // What is read from here on may be what was before.
        desk.records.enabled = false;
        change(&mut desk);
        let remembered = desk.refreshes.clone();
        assert_eq!(desk.of_what_was_read(NOW), Plan::Anew, "{before}");
        assert_eq!(desk.refreshes, remembered, "{before}: what was planned is not forgotten");
        // Read anew.
        desk.records.enabled = true;
        assert_eq!(desk.at(NOW), planned, "{before}");
    }
}

#[test]
fn what_is_due_when_the_desk_starts_waits_for_its_place_and_no_longer() {
    // At its place, a quarter of an hour after it was asked first, however often it is asked meanwhile.
    for contents in [Contents::default(), of(5 * HOUR, 2 * DAY), of(5 * DAY, 6 * DAY)] {
        let mut desk = Desk::with(contents);
        assert_eq!(desk.at(NOW), Plan::At(time(NOW + 15 * MINUTE)));
        assert_eq!(desk.at(NOW + MINUTE), Plan::At(time(NOW + 15 * MINUTE)));
        assert!(matches!(desk.at(NOW + 15 * MINUTE), Plan::Now(_)));
    }
    // It slept, perhaps with all others: as if it started.
    let mut desk = Desk::with(of(5 * HOUR, 2 * DAY));
    desk.at(NOW);
    assert_eq!(desk.at(NOW + 8 * HOUR), Plan::At(time(NOW + 8 * HOUR + 15 * MINUTE)));
    assert!(matches!(desk.at(NOW + 8 * HOUR + 16 * MINUTE), Plan::Now(_)), "timers ring a little late");
}

#[test]
fn it_comes_at_the_desks_own_minute_of_each_period() {
    let mut desk = Desk::with(of(30 * MINUTE, 30 * MINUTE));
    // Midnight is a multiple of four hours, and this desk comes a quarter of them later.
    let (first, scope) = desk.rings(NOW);
    assert_eq!((first, scope), (NOW + HOUR, Scope::default()));
    desk.contents = of(-HOUR, 30 * MINUTE);
    assert_eq!(desk.rings(first + 1).0, NOW + 5 * HOUR);
    // What was downloaded by hand shortly before is not downloaded again.
    desk.contents = of(-4 * HOUR - 30 * MINUTE, 30 * MINUTE);
    assert_eq!(desk.rings(NOW + 4 * HOUR + 31 * MINUTE).0, NOW + 9 * HOUR);
    // A clock that was ahead for years does not stop it.
    desk.contents = of(-1_000 * DAY, -1_000 * DAY);
    desk.refreshes.ended(Ended::Failed, time(NOW + 1_000 * DAY));
    assert!(desk.rings(NOW).0 <= NOW + 6 * HOUR);
}

#[test]
fn what_koha_does_not_give_is_not_asked_for_again_and_again() {
    let refused = || Gap::Refused("circulate".into());
    // The account may not read holds any more: what is there of them grows older, and the rest is fresh.
    let mut contents = of(0, 0);
    let old = Held { as_of: time(NOW - 9 * DAY), whole_as_of: time(NOW - 9 * DAY), ..Held::default() };
    contents.sets.insert(Set::Holds, old);
    contents.gaps.insert(Set::Holds, refused());
    // It may read nothing at all.
    let nothing = Contents { gaps: Set::ALL.map(|set| (set, refused())).into_iter().collect(), ..Contents::default() };
    for (contents, quiet) in [(contents.clone(), ""), (contents, "22-6"), (nothing.clone(), ""), (nothing, "22-6")] {
        let mut desk = Desk::with(contents);
        desk.records.quiet_hours = quiet.into();
        desk.refreshes.ended(Ended::InPart, time(NOW));
        // As the event page leaves it, in case that it is ended.
        desk.refreshes.watched(time(NOW + 5 * MINUTE));
        assert_eq!(desk.rings(NOW), (NOW + 5 * HOUR, Scope::default()), "{:?}", desk.contents.gaps);
    }
}

#[test]
fn what_was_broken_off_is_gone_on_with_soon() {
    let mut desk = Desk::with(of(30 * MINUTE, DAY));
    desk.is_unfinished = true;
    desk.refreshes.ended(Ended::Stopped, time(NOW));
    assert_eq!(desk.rings(NOW).0, NOW + 18 * MINUTE + 45_000);
}

#[test]
fn debts_and_deletions_come_once_a_day_with_the_changes() {
    let mut desk = Desk::with(of(5 * HOUR, 2 * DAY));
    assert_eq!(desk.rings(NOW).1, Scope { owing: true, everything: false });
    desk.refreshes.asked_what_is_owed(Some(900), time(NOW));
    assert_eq!(desk.refreshes.owing_after, 900, "the next round goes on there");
    desk.contents = of(-HOUR, 2 * DAY);
    assert_eq!(desk.rings(NOW + HOUR).1, Scope::default());
    desk.contents = of(-20 * HOUR, 2 * DAY);
    assert!(desk.rings(NOW + 20 * HOUR).1.owing);
    // Everything was read meanwhile: it is known.
    let mut desk = Desk::with(of(5 * HOUR, 5 * HOUR));
    assert_eq!(desk.rings(NOW).1, Scope::default());
    // Where there is nothing, everything is read.
    assert_eq!(Desk::with(Contents::default()).rings(NOW).1, Scope::default());
}

#[test]
fn everything_is_read_in_quiet_hours_a_day_before_it_must_be() {
    let mut desk = Desk::with(of(10 * MINUTE, 5 * DAY + 12 * HOUR));
    desk.records.quiet_hours = "22-6".into();
    desk.records.refresh_hours = "168".into();
    // Six days are over at noon. Three quarters of eight hours are for beginning, and this desk begins after a quarter of them.
    assert_eq!(desk.rings(NOW), (NOW + 23 * HOUR + 30 * MINUTE, Scope { everything: true, owing: false }));
    // Whoever comes in the middle of the quiet hours begins at once, and whoever comes before its place waits.
    let mut desk = Desk::with(of(10 * MINUTE, 6 * DAY));
    desk.records.quiet_hours = "20-4".into();
    assert!(matches!(desk.at(NOW), Plan::At(_)), "those that start together spread");
    assert_eq!(desk.rings(NOW).0, NOW + 15 * MINUTE);
    // By day only changes are read, until it is a week.
    let mut desk = Desk::with(of(5 * HOUR, 6 * DAY + HOUR));
    desk.records.quiet_hours = "22-6".into();
    assert_eq!(desk.rings(NOW + 10 * HOUR).1, Scope { everything: false, owing: true });
}

#[test]
fn after_an_error_it_waits_longer_each_time_and_never_for_ever() {
    let mut desk = Desk::with(of(5 * HOUR, DAY));
    let mut now = desk.rings(NOW).0;
    let mut waits = Vec::new();
    for _ in 0..6 {
        desk.refreshes.ended(Ended::Failed, time(now));
        let next = desk.rings(now).0;
        waits.push((next - now) / MINUTE);
        now = next;
    }
    assert_eq!(waits, [18, 37, 75, 150, 150, 150], "a quarter more by its place");
    desk.refreshes.ended(Ended::Done, time(now));
    desk.refreshes.ended(Ended::Failed, time(now));
    assert_eq!((desk.rings(now).0 - now) / MINUTE, 18);
}

#[test]
fn what_is_remembered_is_read_also_where_a_later_version_remembers_more() {
    let mut refreshes = Refreshes::new(7);
    refreshes.ended(Ended::InPart, time(NOW));
    refreshes.asked_what_is_owed(None, time(NOW));
    let json = serde_json::to_string(&refreshes).unwrap();
    assert_eq!(serde_json::from_str::<Refreshes>(&json).unwrap(), refreshes);
    assert_eq!(
        serde_json::from_str::<Refreshes>(
            r#"{"place": 7, "planned": 5, "last": {"at": 3, "how": "failed"}, "failures": 2, "owingAsOf": 1, "owingAfter": 9, "more": 1}"#
        )
        .unwrap()
        .last(),
        Some(Last { at: time(3), how: Ended::Failed })
    );
    assert_eq!(serde_json::from_str::<Refreshes>("{}").unwrap(), Refreshes::default());
}

proptest! {
    /// Whatever happened before, at whatever time: it is never asked for nothing, never twice within the least time, and what is
    /// due comes within the longest wait.
    #[test]
    fn no_plan_is_in_the_past_or_out_of_sight(
        place in any::<u16>(), age in -DAY..40 * DAY, whole in -DAY..40 * DAY, hours in 1_u32..=168, quiet in "|22-6|1-5",
        ended in prop::option::of((0_i64..3 * DAY, prop::sample::select(vec![Ended::Done, Ended::InPart, Ended::Stopped, Ended::Failed, Ended::NotKept]), 1_u32..9)),
        now in NOW..NOW + 2 * DAY,
    ) {
        let mut desk = Desk::with(of(age, whole));
        desk.records = RecordsSettings { refresh_hours: hours.to_string(), quiet_hours: quiet, ..wanted() };
        desk.refreshes = Refreshes::new(place);
        if let Some((ago, how, times)) = ended {
            for _ in 0..times {
                desk.refreshes.ended(how, time(now - ago));
            }
        }
        let (then, scope) = desk.rings(now);
        prop_assert!(!(scope.everything && scope.owing));
        let longest = i64::from(hours) * HOUR * 5 / 4 + HOUR + 4 * HOUR;
        prop_assert!(then - now <= longest, "{} hours", (then - now) / HOUR);
        if let Some((ago, Ended::Failed | Ended::NotKept | Ended::Stopped, _)) = ended {
            prop_assert!(then - (now - ago) >= 15 * MINUTE);
        }
        // Asked twice at a time, it says the same.
        let mut again = Desk::with(of(age, whole));
        (again.records, again.refreshes) = (desk.records.clone(), desk.refreshes.clone());
        let first = again.at(now);
        let before = again.refreshes.clone();
        prop_assert_eq!((again.at(now), again.refreshes), (first, before));
    }
}

#[test]
fn who_was_to_have_none_by_themselves_asks_for_a_plan_after_one_that_a_person_wanted() {
    let mut refreshes = Refreshes::new(0);
    refreshes.ended(Ended::Done, time(NOW));
    assert!(refreshes.asks_for_a_plan());
    refreshes.planned = Some(time(NOW + DAY));
    assert!(!refreshes.asks_for_a_plan(), "a timer is set already");
}
