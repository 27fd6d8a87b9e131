//! The files of second copies that were chosen to be imported, put together again: in whatever order they were chosen, with some
//! missing or cut off.

use crate::{
    desks::backup::{
        Header, Totals,
        part::{Part, SetId},
        running::Running,
    },
    ordered::{self, LiteMap},
    slices::{CHUNK, Sliced},
};
use serde::{Deserialize, de::IgnoredAny};
use std::collections::{HashMap, HashSet};

/// A file that was chosen, as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it belongs.
    pub part: Part,
    /// Whether it has its end.
    pub has_end: bool,
}

/// What is to be done with files that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Their places among those that were chosen, in the order in which they were written.
    pub files: Vec<usize>,
    /// Whether the log was written anew since: nothing is taken of them, since what was cleared stands there still.
    pub is_replaced: bool,
    /// Whether nothing is left of them but the file that closed them.
    pub is_gone: bool,
    /// The numbers that are missing before the last that is there; 0 is the one that holds the whole log.
    pub missing: Vec<u32>,
}

/// Puts those together that belong together, in the order of the first of each that was chosen. What stands between the pieces is no
/// file of a copy.
pub fn sets<'a>(pieces: impl IntoIterator<Item = Option<&'a Piece>>) -> Vec<Set> {
    let mut order: Vec<&SetId> = Vec::new();
    let mut files: LiteMap<&SetId, Vec<(u32, usize)>> = LiteMap::new();
    let mut replaced: Vec<&SetId> = Vec::new();
    let mut closing: Vec<(&SetId, u32)> = Vec::new();
    for (place, piece) in pieces.into_iter().enumerate() {
        let Some(Piece { part, has_end }) = piece else { continue };
        if !order.contains(&&part.of) {
            order.push(&part.of);
        }
        files.entry(&part.of).or_default().push((part.number, place));
        if part.closes {
            closing.push((&part.of, part.number));
        }
        // What is cut replaces nothing: rows of the log may stand in the older one alone.
        if *has_end && part.number == 0 {
            replaced.extend(&part.replaces);
        }
    }
    let set = |id: &'a SetId| {
        let mut files = files.remove(&id).unwrap_or_default();
        ordered::sort(&mut files, |(number, file)| (i64::from(*number), *file as u64));
        let is_replaced = replaced.contains(&id);
        let is_gone = files.iter().all(|(number, _)| closing.contains(&(id, *number)));
        let mut numbers: Vec<u32> = files.iter().map(|(number, _)| *number).collect();
        numbers.dedup();
        let mut missing = Vec::new();
        let mut next = 0;
        for number in numbers {
            // A file may say any number.
            missing.extend((next..number).take(MOST_MISSING));
            next = number.saturating_add(1);
        }
        missing.truncate(MOST_MISSING);
        let files = files.into_iter().map(|(_, place)| place).collect();
        Set { files, is_replaced, is_gone, missing }
    };
    order.into_iter().map(set).collect()
}

/// No set has more parts, by far.
const MOST_MISSING: usize = 1_000;

/// Whether a file has its end. What stands before it is not read.
pub fn has_end(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct End {
        #[serde(rename = "end")]
        _end: Totals,
    }
    let last = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    last.and_then(read::<End>).is_some()
}

/// Files that belong together, as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Together {
    /// The backup, without an end: whether all is there was told already.
    pub bytes: Vec<u8>,
    /// For each of its lines the place of the file among those given, and the number of the line there.
    pub lines: Vec<(usize, usize)>,
    /// The places of those that are cut off.
    pub cut: Vec<usize>,
}

impl Together {
    /// The file and the line there in which this line stands, counted from 1.
    pub fn origin(&self, line: usize) -> Option<(usize, usize)> {
        self.lines.get(line.checked_sub(1)?).copied()
    }
}

/// What is looked at of a line.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Glance {
    Transaction(Numbered),
    Commit(IgnoredAny),
    Cleared(IgnoredAny),
    Raw(IgnoredAny),
    End(IgnoredAny),
}

#[derive(Deserialize)]
struct Numbered {
    seq: u32,
}

type Found<'a> = (usize, usize, &'a [u8]);

/// Puts the files of a set together, given in its order: of each transaction what was written last, and of all else each line once.
pub fn putting_together<'a>(files: &'a [Vec<u8>]) -> Sliced<'a, Together> {
    Sliced::new(move |pace| async move {
        let mut together = Together::default();
        let (mut raw, mut others): (Vec<Found<'a>>, Vec<Found<'a>>) = (Vec::new(), Vec::new());
        let mut transactions: HashMap<u32, Found<'a>> = HashMap::new();
        let mut seen: HashSet<&'a [u8]> = HashSet::new();
        let (mut first, mut last) = (None, None::<Running>);
        for (place, bytes) in files.iter().enumerate() {
            let is_cut = !has_end(bytes);
            if is_cut {
                together.cut.push(place);
            }
            let mut lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).peekable();
            let header = lines.next().map(|(number, line)| (place, number, line));
            first = first.or(header);
            let running = header.and_then(|(_, _, line)| read::<Header>(line)?.running);
            // One that has ended was followed by a new set. Who died in it has told nobody how far it came.
            last = running.or(last);
            let mut number_read = 0;
            while let Some((number, line)) = lines.next() {
                number_read += 1;
                if number_read % CHUNK == 0 {
                    pace.spend(CHUNK).await;
                }
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let found = (place, number, line);
                match read(line) {
                    Some(Glance::Transaction(Numbered { seq })) => {
                        transactions.insert(seq, found);
                    }
                    Some(Glance::Raw(_)) if seen.insert(line) => raw.push(found),
                    Some(Glance::Commit(_) | Glance::Cleared(_)) if seen.insert(line) => others.push(found),
                    Some(_) => {}
                    // It was being written: that the file is cut says it.
                    None if is_cut && lines.peek().is_none() => {}
                    None => others.push(found),
                }
            }
        }
        let header = first.zip(last).and_then(|((_, _, first), running)| with_running(first, running));
        let first = first.map(|(place, number, line)| (place, number, header.as_deref().unwrap_or(line)));
        let mut transactions: Vec<_> = transactions.into_iter().collect();
        ordered::sort(&mut transactions, |(seq, _)| (0, u64::from(*seq)));
        let transactions = transactions.into_iter().map(|(_, found)| found);
        let all = first.into_iter().chain(raw).chain(transactions).chain(others);
        for (place, number, line) in all {
            together.bytes.extend_from_slice(line);
            together.bytes.push(b'\n');
            together.lines.push((place, number));
        }
        together
    })
}

/// A line, by the reader that all others have, too: one of bytes would be compiled beside it, for each type anew.
fn read<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Option<T> {
    serde_json::from_str(str::from_utf8(line).ok()?).ok()
}

/// The first line of a set, with the commit that was running.
fn with_running(first: &[u8], running: Running) -> Option<Vec<u8>> {
    let mut header: Header = read(first)?;
    header.running = Some(running);
    serde_json::to_vec(&header).ok()
}

#[cfg(test)]
mod tests;
