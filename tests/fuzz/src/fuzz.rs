//! The loop: change an input, check it, keep it where it showed something new.

use crate::{corpus::seeds, mutate::mutated};
use std::{
    any::Any,
    collections::HashSet,
    env, panic,
    time::{Duration, Instant},
};

/// What is fuzzed.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and its directory in the corpus.
    pub name: &'static str,
    /// Texts that mean something in its format.
    pub words: &'static [&'static str],
    /// Panics where something does not hold that must. Gives out what kind of input it was: inputs of a kind not seen before
    /// are changed further, which leads deeper than changing the seeds alone.
    pub check: fn(&[u8]) -> String,
}

/// How long and from where.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Where the numbers start: the same seed makes the same inputs.
    pub seed: u64,
    /// How many inputs are made, where no time is set: counted and not timed, so that each run is the same.
    pub rounds: u64,
    /// Goes on for this long instead.
    pub time: Option<Duration>,
}

impl Plan {
    /// The short run, or what `KOCT_FUZZ_SECONDS` and `KOCT_FUZZ_SEED` say.
    ///
    /// # Errors
    /// When one of them is no number.
    pub fn from_environment() -> Result<Self, String> {
        let number = |name: &str| match env::var(name) {
            Ok(text) => text.parse().map(Some).map_err(|_| format!("{name} must be a whole number and is “{text}”")),
            Err(_) => Ok(None),
        };
        let time = number("KOCT_FUZZ_SECONDS")?.map(Duration::from_secs);
        Ok(Self { seed: number("KOCT_FUZZ_SEED")?.unwrap_or(1), rounds: 3_000, time })
    }
}

/// More would only thin out the seeds.
const MOST_KEPT: usize = 2000;

/// Checks every seed and then changed ones, as long as planned. Gives out what was done.
///
/// # Errors
/// The first input that fails, in its smallest form; or a corpus that cannot be read.
pub fn fuzz(target: &Target, plan: Plan) -> Result<String, String> {
    let name = target.name;
    let mut kinds = HashSet::new();
    let mut kept = Vec::new();
    for seed in seeds(name).map_err(|error| format!("corpus/{name}: {error}"))? {
        let kind = tried(target, &seed.bytes).map_err(|reason| format!("corpus/{name}/{}: {reason}", seed.name))?;
        kinds.insert(kind);
        kept.push(seed.bytes);
    }
    if kept.is_empty() {
        return Err(format!("corpus/{name} is empty"));
    }
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let (start, mut round) = (Instant::now(), 0);
    while plan.time.map_or(round < plan.rounds, |time| start.elapsed() < time) {
        round += 1;
        let (one, other) = (random.usize(..kept.len()), random.usize(..kept.len()));
        let input = mutated(&mut random, &kept[one], target.words, &kept[other]);
        let Ok(kind) = tried(target, &input) else {
            return Err(format!("{name}: KOCT_FUZZ_SEED={}, input {round}: {}", plan.seed, told(target, input)));
        };
        if kept.len() < MOST_KEPT && kinds.insert(kind) {
            kept.push(input);
        }
    }
    Ok(format!("{name}: seed {}, {round} inputs, {} kinds", plan.seed, kinds.len()))
}

fn told(target: &Target, input: Vec<u8>) -> String {
    let input = smallest(target, input);
    let reason = tried(target, &input).err().unwrap_or_default();
    format!("{reason}\nsmallest input: b\"{}\"", input.escape_ascii())
}

fn tried(target: &Target, input: &[u8]) -> Result<String, String> {
    panic::catch_unwind(|| (target.check)(input)).map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Leaves out whatever is not needed to fail: first halves, at last single bytes.
fn smallest(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let mut size = input.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            drop(shorter.drain(at..(at + size).min(input.len())));
            if tried(target, &shorter).is_err() {
                input = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    panic::set_hook(hook);
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails at a tab after the word `renew`, which a .koc file has and single random bytes hardly make.
    fn picky(input: &[u8]) -> String {
        assert!(!input.windows(7).any(|part| part == b"renew\t\t"), "found");
        input.len().to_string()
    }

    const PICKY: Target = Target { name: "koc", words: &["renew", "\t"], check: picky };

    fn failure(seed: u64) -> String {
        let plan = Plan { seed, rounds: 100_000, time: None };
        fuzz(&PICKY, plan).unwrap_err()
    }

    #[test]
    fn finds_and_shrinks_and_does_so_again() {
        let first = failure(7);
        assert!(first.contains("KOCT_FUZZ_SEED=7") && first.ends_with(r#"smallest input: b"renew\t\t""#), "{first}");
        assert_eq!(first, failure(7));
    }
}
