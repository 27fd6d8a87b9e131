//! Small changes to an input.

use fastrand::Rng;
use std::ops::Range;

/// Longer inputs find nothing more and only cost time.
const LONGEST: usize = 2048;

/// The input with one to four changes, made of its own parts, of the format's words and of another input.
pub(crate) fn mutated(random: &mut Rng, input: &[u8], words: &[&str], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.usize(..4) {
        change(random, &mut bytes, words, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(random: &mut Rng, bytes: &mut Vec<u8>, words: &[&str], other: &[u8]) {
    let at = random.usize(..=bytes.len());
    let word = random.choice(words).map(|word| word.as_bytes()).unwrap_or_default();
    let some = part(random, bytes.len());
    match random.usize(..12) {
        0 => {
            let bit = 1 << random.usize(..8);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bit;
            }
        }
        1 => bytes.insert(at, random.u8(..)),
        2 => drop(bytes.drain(some)),
        3 => {
            let copy = bytes[some].to_vec();
            insert(bytes, at, &copy);
        }
        4 | 5 => insert(bytes, at, word),
        6 | 7 => drop(bytes.splice(some, word.iter().copied())),
        // Digits are times, amounts, lengths and status codes.
        8 => {
            let digits: Vec<usize> = (0..bytes.len()).filter(|index| bytes[*index].is_ascii_digit()).collect();
            if let Some(digit) = random.choice(digits) {
                bytes[digit] = b'0' + random.u8(..) % 10;
            }
        }
        9 => {
            let foreign = part(random, other.len());
            drop(bytes.splice(some, other[foreign].iter().copied()));
        }
        10 => swap_lines(random, bytes),
        // Whatever has a longest length is met at it and just beyond.
        _ => {
            let count = [9, 10, 19, 20, 29, 30, 31, 32, 75, 200][random.usize(..10)];
            let byte = bytes.get(at).copied().unwrap_or(b'0');
            insert(bytes, at, &vec![byte; count]);
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    drop(bytes.splice(at..at, what.iter().copied()));
}

/// Mostly a short part: long ones destroy what the change should be felt by.
fn part(random: &mut Rng, length: usize) -> Range<usize> {
    let start = random.usize(..=length);
    let longest = if random.usize(..4) == 0 { length } else { 16 };
    start..(start + random.usize(..=longest)).min(length)
}

fn swap_lines(random: &mut Rng, bytes: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let (one, other) = (random.usize(..lines.len()), random.usize(..lines.len()));
    lines.swap(one, other);
    *bytes = lines.join(&b'\n');
}
