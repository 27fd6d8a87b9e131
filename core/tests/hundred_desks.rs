//! A hundred desks of a library keep their records fresh: what Koha has to bear, played through by seeds.
//!
//! Nothing tells the desks of each other. They are started in the morning within some minutes, closed in the evening, or sleep
//! over night; some run on. Koha fails now and then for hours. Each request of each desk is counted in its minute.
//!
//! What is held here stands in docs/deployment.md.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use chrono::{NaiveTime, TimeDelta};
use fastrand::Rng;
use koct_core::{
    desk::clock::DeskTime,
    directory::{
        Contents, Held,
        access::Access,
        owing::MOST_REQUESTS,
        record::Set,
        refresh::{Ended, Plan, Refreshes, Standing, plan},
    },
    koha::download::pace::{LEAST_PAUSE, pause_after},
    settings::records::RecordsSettings,
};
use std::time::Duration;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const DAYS: i64 = 9;
const DESKS: usize = 100;

/// The requests of a library with 50,000 patrons, 150,000 items, 20,000 loans and 5,000 holds: a thousand rows in each.
const EVERYTHING: u32 = 225;
/// Loans and holds as a whole, a page or two of changes, and the login.
const CHANGES: u32 = 35;

/// The first of a download, between which Koha gets no rest.
const LOGIN: u32 = 5;

/// The most requests of one desk in any minute: one every two seconds, and those of the login.
const MOST_OF_ONE: u32 = 30 + LOGIN;
/// The most requests of all desks in any minute, where the key outlives the night.
const MOST_OF_ALL: u32 = 400;
/// The same where every desk reads everything each morning, since its key does not.
const MOST_FROM_NOTHING: u32 = 600;

/// What is counted: requests by minute.
struct Load(Vec<u32>);

impl Load {
    fn new() -> Self {
        Self(vec![0; usize::try_from(DAYS * DAY / MINUTE).unwrap()])
    }

    fn add(&mut self, now: i64) {
        self.0[usize::try_from(now / MINUTE).unwrap()] += 1;
    }

    fn most(&self) -> u32 {
        self.0.iter().copied().max().unwrap()
    }
}

/// How a desk's day is.
#[derive(Clone, Copy, PartialEq)]
enum Nights {
    /// Firefox is closed, and the alarm with it.
    Closed,
    /// The computer sleeps: the alarm rings when it wakes.
    Asleep,
    /// It runs on.
    Awake,
}

struct Library {
    /// The times at which Koha does not answer.
    outages: Vec<(i64, i64)>,
    /// Whether records end with Firefox.
    from_nothing: bool,
}

impl Library {
    fn answers(&self, now: i64) -> bool {
        self.has_answered(now, now + 1)
    }

    /// Whether Koha did all that time.
    fn has_answered(&self, since: i64, until: i64) -> bool {
        !self.outages.iter().any(|(from, to)| *from < until && since < *to)
    }
}

/// One desk over all days: counts its requests, and gives the greatest age of what was there while it was on for some hours, in
/// hours, and how often it was asked what is owed.
fn desk(library: &Library, nights: Nights, dice: &mut Rng, all: &mut Load) -> (i64, u32) {
    let records = RecordsSettings { enabled: true, quiet_hours: "22-6".into(), ..RecordsSettings::default() };
    let mut refreshes = Refreshes::new(dice.u16(..));
    let (mut contents, mut left, mut own) = (Contents::default(), None::<(i64, u32)>, Load::new());
    let (mut oldest, mut rounds) = (0, 0);
    let (mut now, mut closes) = (0, 0);
    let mut opened = 0;
    if !library.from_nothing {
        // The desks were set up over days.
        let [as_of, whole_as_of] =
            [dice.i64(0..14 * HOUR), dice.i64(0..7 * DAY)].map(|ago| DeskTime::from_millis(-ago));
        contents.sets.insert(Set::Patrons, Held { as_of, whole_as_of, ..Held::default() });
    }
    let end = DAYS * DAY - HOUR;
    while now < end {
        if now >= closes {
            // The next morning: all within ten minutes.
            let day = now / DAY + i64::from(now % DAY > 12 * HOUR);
            now = now.max(day * DAY + 8 * HOUR + dice.i64(0..10 * MINUTE));
            closes = if nights == Nights::Awake { i64::MAX } else { day * DAY + 18 * HOUR };
            opened = now;
            if nights == Nights::Closed {
                // The page of the add-on sets an alarm when Firefox starts.
                now += MINUTE;
                if library.from_nothing {
                    (contents, left) = (Contents::default(), None);
                }
            }
        }
        let standing = Standing {
            records: &records,
            contents: &contents,
            is_unfinished: left.is_some(),
            access: if contents.sets.is_empty() { Access::Empty } else { Access::Open },
            has_passphrase: false,
            can_ask: true,
            changes: refreshes.changes(),
        };
        let time_of_day = NaiveTime::MIN + TimeDelta::milliseconds(now % DAY);
        let scope = match plan(standing, &mut refreshes, DeskTime::from_millis(now), time_of_day) {
            Plan::At(time) => {
                if let Some(as_of) = contents.as_of()
                    && now - opened > 2 * HOUR
                    && library.has_answered(now - 6 * HOUR, now)
                {
                    oldest = oldest.max((now - as_of.millis()) / HOUR);
                }
                now = time.millis();
                continue;
            }
            Plan::Now(scope) => scope,
            other => panic!("{other:?}"),
        };
        let is_whole = scope.everything || contents.whole_as_of().is_none_or(|whole| now - whole.millis() >= 7 * DAY);
        let owing = if scope.owing { u32::try_from(MOST_REQUESTS).unwrap() } else { 0 };
        let (began, mut requests) = left.take().unwrap_or((now, if is_whole { EVERYTHING } else { CHANGES } + owing));
        let mut ended = Ended::Done;
        let (mut tries, mut login) = (0, LOGIN);
        while requests > 0 {
            if now >= closes || now >= end {
                // Closed in the middle. What was read is kept.
                left = Some((began, requests));
                ended = Ended::Stopped;
                break;
            }
            all.add(now);
            own.add(now);
            if library.answers(now) {
                tries = 0;
                requests -= 1;
                let took = 200 + dice.i64(0..1_500);
                login = login.saturating_sub(1);
                let pause = pause_after(Duration::from_millis(u64::try_from(took).unwrap()));
                now += took + if login == 0 { i64::try_from(pause.as_millis()).unwrap() } else { 0 };
            } else {
                tries += 1;
                if tries == 5 {
                    left = Some((began, requests));
                    ended = Ended::Failed;
                    break;
                }
                now += (500 << tries) + i64::try_from(LEAST_PAUSE.as_millis()).unwrap();
            }
        }
        if left.is_none() {
            let whole_as_of = if is_whole { began } else { contents.whole_as_of().unwrap().millis() };
            let [as_of, whole_as_of] = [began, whole_as_of].map(DeskTime::from_millis);
            contents.sets.insert(Set::Patrons, Held { as_of, whole_as_of, ..Held::default() });
            if scope.owing {
                rounds += 1;
                refreshes.asked_what_is_owed(None, DeskTime::from_millis(now));
            }
        }
        // Who closes Firefox notes nothing.
        if ended != Ended::Stopped {
            refreshes.ended(ended, DeskTime::from_millis(now));
        }
    }
    assert!(own.most() <= MOST_OF_ONE, "a desk: {} in a minute", own.most());
    (oldest, rounds)
}

fn run(seed: u64, from_nothing: bool) -> (u32, i64) {
    let mut dice = Rng::with_seed(seed);
    let mut outages = Vec::new();
    for day in 1..DAYS {
        if dice.i64(0..3) == 0 {
            let from = day * DAY + 7 * HOUR + dice.i64(0..9 * HOUR);
            outages.push((from, from + dice.i64(0..5 * HOUR)));
        }
    }
    let library = Library { outages, from_nothing };
    let (mut all, mut oldest) = (Load::new(), 0);
    for number in 0..DESKS {
        let nights = match number % 10 {
            0 | 1 => Nights::Awake,
            2..5 => Nights::Asleep,
            _ => Nights::Closed,
        };
        let (age, rounds) = desk(&library, nights, &mut dice, &mut all);
        oldest = oldest.max(age);
        if !from_nothing {
            // Every day but the first, the last and the one on which everything is read, if Koha is not away for hours.
            assert!(rounds >= 4, "seed {seed}: a desk asked {rounds} times what is owed");
        }
    }
    (all.most(), oldest)
}

#[test]
fn a_hundred_desks_are_a_load_that_is_stated() {
    let mut most = 0;
    for seed in 0..20 {
        let (load, oldest) = run(seed, false);
        assert!(load <= MOST_OF_ALL, "seed {seed}: {load} requests in a minute");
        assert!(oldest <= 6, "seed {seed}: {oldest} hours old in the middle of a day");
        most = most.max(load);
    }
    assert!(most > MOST_OF_ALL / 2, "what is stated is far from what is: {most}");
}

#[test]
fn a_hundred_desks_that_begin_with_nothing_each_morning_are_a_load_that_is_stated() {
    let mut most = 0;
    for seed in 0..10 {
        let (load, _) = run(seed, true);
        assert!(load <= MOST_FROM_NOTHING, "seed {seed}: {load} requests in a minute");
        most = most.max(load);
    }
    assert!(most > MOST_FROM_NOTHING / 2, "what is stated is far from what is: {most}");
}
