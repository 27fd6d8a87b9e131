//! A deterministic simulation of desks, their clocks and people, a network and a Koha. One seed is one run.
//!
//! Long: `cargo xtask simulate --seeds N`. One run again: `KOCT_SEED=S cargo test -p koct-core --test simulation`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod desk;
mod dice;
mod koha;
mod mutants;

use desk::Desk;
use dice::Dice;
use koct_core::{State, Status, TransactionId};
use koha::Koha;
use mutants::{MUTANTS, Mutant};
use std::{
    collections::{HashMap, HashSet},
    env,
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Runs in the suite.
const SEEDS: u64 = 3_000;
/// Seeds that broke an invariant once, of the first 260,000: proofs whose reads straddled the time at which a late request
/// was processed, attempts that were dated before their request left, and a checkin that was taken for found where another
/// desk's checkout had ended the loan. The model has grown since, so these runs are others now; what they showed is in the
/// tests of the outbox, of its clock and of the inquiry, and in the mutant that dates too early. The first is of the audit: a
/// checkin in the second of another desk's checkout.
const FAILED_ONCE: [u64; 18] = [
    3_401, 6_160, 61_979, 65_651, 555_413, 33_335, 40_224, 52_243, 144_739, 160_046, 163_543, 167_337, 180_289,
    188_682, 206_977, 235_967, 241_196, 36_871,
];
/// Runs within which every mutant must be caught.
const MUTANT_SEEDS: u64 = 400;
/// 2026-11-23 10:00:00 UTC.
const BEGIN: i64 = 1_795_428_000_000;
/// The number of ticks that pass before the invariants are looked at.
const LOOK_EVERY: usize = 16;
/// What makes other dice of a seed: whether checkins go by Koha's own check-in in its run.
const OWN_CHECKIN: u64 = 0x5eed_c4ec_4b0c;
/// A commit that takes more steps than this does not end.
const STEPS_PER_COMMIT: u32 = 5_000;

struct World {
    dice: Dice,
    koha: Koha,
    desks: Vec<Desk>,
}

/// What ought to hold, and does not.
type Violation = String;

impl World {
    fn new(seed: u64, mutant: Mutant) -> Self {
        let mut dice = Dice::new(seed);
        let mut koha = Koha::new(&mut dice, BEGIN);
        let number = 1 + dice.below(3);
        let mut desks: Vec<Desk> = (0..number).map(|number| Desk::new(number, &mut dice, mutant)).collect();
        // By dice of its own: every other run is what it was.
        let mut dice_of_checkins = Dice::new(seed ^ OWN_CHECKIN);
        if dice_of_checkins.percent(50) {
            koha.own_checkin = dice_of_checkins.pick(&[None, Some(false), Some(true), Some(true)]);
            desks.iter_mut().filter(|_| dice_of_checkins.percent(80)).for_each(Desk::wants_own_checkin);
        }
        Self { dice, koha, desks }
    }

    fn run(&mut self) -> Result<(), Violation> {
        for tick in 0..50 + self.dice.below(250) {
            self.tick();
            // What is broken stays so.
            if tick % LOOK_EVERY == 0 {
                self.check()?;
            }
        }
        self.heal()?;
        self.check()
    }

    fn tick(&mut self) {
        let dice = &mut self.dice;
        self.koha.pass(dice.millis(2_000));
        if dice.below(400) == 0 {
            self.koha.pass(dice.millis(1_500_000));
        }
        let number = dice.below(self.desks.len());
        let desk = &mut self.desks[number];
        if desk.is_dead() {
            desk.crash(&mut self.koha, dice);
        }
        match dice.below(100) {
            0..20 => desk.scan(&self.koha, dice),
            20..28 => desk.commit(),
            // Whoever sees a doubt presses again soon.
            _ if desk.is_in_doubt() && dice.percent(40) => desk.commit(),
            28..31 => desk.crash(&mut self.koha, dice),
            31..34 => desk.decide(&self.koha, dice),
            34 => desk.cancel(&self.koha),
            35 => desk.set_clock(dice),
            36 => desk.change_commit_type(dice),
            37 => self.koha.online(dice),
            38 => self.koha.change_plugin(),
            _ => desk.step(&mut self.koha, dice),
        }
    }

    /// The network is well again, and everybody commits until nothing is left to do.
    fn heal(&mut self) -> Result<(), Violation> {
        self.koha.trouble = 0;
        for desk in &mut self.desks {
            desk.ails = false;
            for _ in 0..3 {
                self.koha.pass(1_000_000);
                if desk.is_dead() {
                    desk.crash(&mut self.koha, &mut self.dice);
                }
                desk.commit();
                let until = desk.steps + STEPS_PER_COMMIT;
                while desk.is_committing() {
                    if desk.is_dead() {
                        desk.crash(&mut self.koha, &mut self.dice);
                    }
                    desk.step(&mut self.koha, &mut self.dice);
                    if desk.steps > until {
                        return Err("a commit does not end".into());
                    }
                }
                if desk.is_dead() {
                    desk.crash(&mut self.koha, &mut self.dice);
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Violation> {
        self.desks.iter().try_for_each(|desk| self.check_desk(desk))
    }

    fn check_desk(&self, desk: &Desk) -> Result<(), Violation> {
        for (id, (transaction, key)) in &desk.confirmed {
            let Some(entry) = desk.disk.get(id).filter(|entry| entry.transaction == *transaction) else {
                return Err(format!("{id} was confirmed and is lost"));
            };
            let effects = self.koha.effects.get(key).copied().unwrap_or(0);
            let decided = desk.decided.get(id).copied().unwrap_or_default();
            let sent_again = self.koha.sent_again.get(key).copied().unwrap_or(0);
            if effects > 1 + decided.wrongly_again + sent_again {
                return Err(format!("{id} took effect {effects} times: {entry:?}"));
            }
            let excused = decided.wrongly_there || decided.wrongly_again > 0;
            match &entry.status {
                Status::Added | Status::Success
                    if effects == 0 && !self.koha.is_under_way(key) && !excused && !self.koha.holds_the_same(key) =>
                {
                    return Err(format!("{id} is shown as committed, and Koha has it not: {entry:?}"));
                }
                // A checkin that was sent again is refused the second time, until the audit.
                Status::Rejected { .. } if self.koha.sent_again.contains_key(key) => {}
                Status::Local | Status::Rejected { .. } if (effects > 0 || self.koha.is_under_way(key)) && !excused => {
                    return Err(format!("{id} is shown as not in Koha, and is there: {entry:?}"));
                }
                _ => {}
            }
        }
        self.check_order(desk)
    }

    /// What was applied to an item came in the desk's order, unless a person decided something about that item.
    fn check_order(&self, desk: &Desk) -> Result<(), Violation> {
        let item = |id: &TransactionId| desk.disk[id].transaction.action.item_key();
        let decided: HashSet<_> =
            desk.decided.iter().filter(|(_, decided)| decided.any).map(|(id, _)| item(id)).collect();
        let mut last: HashMap<String, TransactionId> = HashMap::new();
        for id in self.koha.applied.iter().filter_map(|key| desk.ids.get(key)) {
            let Some(item) = item(id).filter(|item| !decided.contains(&Some(item.clone()))) else { continue };
            // What was sent again stands there twice; whether that may be is checked by the number of effects.
            if last.insert(item, *id).is_some_and(|before| before > *id) {
                return Err(format!("{:?} was applied behind a later one", desk.disk[id]));
            }
        }
        Ok(())
    }

    /// What was sent again by the browser is seen: a double is told of, and a checkin is not shown as refused.
    fn check_doubles(&self, desk: &Desk) -> Result<(), Violation> {
        for (id, (transaction, key)) in &desk.confirmed {
            let Some(sent_again) = self.koha.sent_again.get(key) else { continue };
            let entry = &desk.disk[id];
            let action = &transaction.action;
            let decided = desk.decided.contains_key(id);
            let is_unseen = entry.status == Status::Added && !desk.queue_seen.contains(id);
            if decided || is_unseen || desk.unread.contains(id) || !self.koha.readable {
                continue;
            }
            if matches!(entry.status, Status::Rejected { .. }) && self.koha.effects.contains_key(key) {
                return Err(format!("{id} was processed, and is shown as refused: {entry:?}"));
            }
            let is_told = desk.told.iter().any(|odd| {
                let other = &desk.disk[&odd.id].transaction.action;
                other.item_key() == action.item_key() && other.cardnumber() == action.cardnumber()
            });
            if *sent_again > 0 && entry.status.state().is_committed() && !is_told {
                return Err(format!("{id} was doubled, and nobody was told: {entry:?}"));
            }
        }
        Ok(())
    }

    /// Once all is well, everything has an end that can be seen.
    fn check_end(&self) -> Result<(), Violation> {
        for desk in &self.desks {
            self.check_doubles(desk)?;
            let doubtful: Vec<_> = desk.disk.values().filter(|entry| entry.status.state() == State::InDoubt).collect();
            for entry in desk.disk.values() {
                let item = entry.transaction.action.item_key();
                let waits = item.is_some() && doubtful.iter().any(|other| other.transaction.action.item_key() == item);
                match entry.status.state() {
                    State::Local if !waits => return Err(format!("never sent: {entry:?}")),
                    State::Sending => return Err(format!("neither sent nor in doubt: {entry:?}")),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn simulate(seed: u64, mutant: Mutant) -> Result<(), Violation> {
    let mut world = World::new(seed, mutant);
    world.run()?;
    world.check_end()
}

fn seeds() -> Vec<u64> {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (number("KOCT_SEED"), number("KOCT_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, seeds) => FAILED_ONCE.into_iter().chain(0..seeds.unwrap_or(SEEDS)).collect(),
    }
}

/// Runs every seed, on all cores.
#[test]
fn nothing_is_lost_or_doubled() {
    let seeds = seeds();
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(broken) = simulate(*seed, Mutant::None) {
                panic!("seed {seed}: {broken}\nagain: KOCT_SEED={seed} cargo test -p koct-core --test simulation");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(run);
        }
    });
}

#[test]
fn every_mutant_is_caught() {
    for (mutant, first) in MUTANTS {
        let caught = (first..first + MUTANT_SEEDS).find(|seed| simulate(*seed, mutant).is_err());
        assert!(caught.is_some(), "{mutant:?} was not caught in {MUTANT_SEEDS} runs");
    }
}

#[test]
fn many_runs_check_in_by_kohas_own() {
    let has_ended = |seed| {
        let mut world = World::new(seed, Mutant::None);
        world.run().unwrap();
        world.koha.ended_by_own > 0
    };
    assert!((0..100).filter(|seed| has_ended(*seed)).count() > 5);
}

#[test]
fn a_seed_gives_the_same_run_each_time() {
    let trace = |seed| {
        let mut world = World::new(seed, Mutant::None);
        let result = world.run();
        (result, world.koha.effects, world.koha.now, world.desks.iter().map(|desk| desk.steps).collect::<Vec<_>>())
    };
    for seed in 0..20 {
        assert_eq!(trace(seed), trace(seed));
    }
}
