//! A run: the rows of a set in rising order of their numbers, and what they are found by. It never changes once it is
//! finished; news make a new run.
//!
//! ```text
//! rows:   [1: Abel …] [2: Baker …] … │ [9120: …] …      blocks of rows
//! fences: 1, 9120, …                                    the first number of each block
//! keys:   [(hash of a card, 2), …]   │ …                blocks of pairs, sorted by the key, with fences of their own
//! names:  the index of `names`, cut into blocks; ranks: [the patron of rank 0, of rank 1, …] │ …
//! ```

use super::{
    block::{self, Rows},
    block_store::{BlockId, BlockStore, DamagedBlockError},
    names::{Names, NamesBuilder},
    record::{Key, Record},
    sorting::Sorter,
};
use crate::desk::kinds::{Count, Kinds};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// The parts of a run.
pub(super) mod part {
    pub(in super::super) const ROWS: u8 = 0;
    /// The pairs of the first kind of key; those of the next follow.
    pub(in super::super) const KEYS: u8 = 1;
    pub(in super::super) const NAMES: u8 = 8;
    pub(in super::super) const RANKS: u8 = 9;
    /// With this on it: the fences of the part.
    pub(in super::super) const FENCES: u8 = 0x80;
}

/// The number of ranks in a block.
pub(super) const RANKS: usize = 4096;
/// The number of bytes of the index of names in a block.
const NAMES: usize = 2 * block::SIZE;

/// Rows that are being written.
#[derive(Debug)]
pub struct RowWriter<R> {
    at: Unfinished,
    last: u32,
    open: Vec<u8>,
    closed: Vec<(BlockId, Vec<u8>)>,
    /// How many bytes of rows were put since blocks were taken.
    put: usize,
    row: PhantomData<R>,
}

/// How far a run is written: with it, writing goes on another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unfinished {
    /// The number of the run.
    pub run: u32,
    /// How many blocks of rows are in the store.
    pub blocks: u32,
    /// How many rows are in them.
    pub rows: u32,
    /// The number of the last row in them.
    pub last: Option<u32>,
}

impl Unfinished {
    /// A run of this number, with nothing in it yet.
    pub fn new(run: u32) -> Self {
        Self { run, blocks: 0, rows: 0, last: None }
    }
}

/// A row came whose number is not larger than that of the row before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the row {0} does not come after the one before")]
pub struct OutOfOrder(pub u32);

impl<R: Record> RowWriter<R> {
    /// Goes on where writing had stopped.
    pub fn resume(at: Unfinished) -> Self {
        Self { at, last: 0, open: Vec::new(), closed: Vec::new(), put: 0, row: PhantomData }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When its number is not larger than that of the row before: then it is not written.
    pub fn push(&mut self, row: &R) -> Result<(), OutOfOrder> {
        self.put(row.id(), &block::row_bytes(row))
    }

    fn put(&mut self, id: u32, row: &[u8]) -> Result<(), OutOfOrder> {
        if self.at.last.is_some_and(|last| last >= id) {
            return Err(OutOfOrder(id));
        }
        block::put_row(&mut self.open, self.last, id, row);
        (self.last, self.at.last) = (id, Some(id));
        self.at.rows += 1;
        self.put += row.len();
        if self.open.len() >= block::SIZE {
            self.close();
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let open = std::mem::take(&mut self.open);
        self.closed.push((BlockId { run: self.at.run, part: part::ROWS, block: self.at.blocks }, block::packed(&open)));
        self.at.blocks += 1;
        // Each block can be read without the one before.
        self.last = 0;
    }

    /// How many bytes of rows were written since blocks were [taken](Self::take).
    pub fn written(&self) -> usize {
        self.put
    }

    /// The blocks that are to be put into the store now; with `all`, those rows too that do not fill one. How far the run is
    /// written with them.
    pub fn take(&mut self, all: bool) -> (Vec<(BlockId, Vec<u8>)>, Unfinished) {
        if all {
            self.close();
        }
        self.put = self.open.len();
        (std::mem::take(&mut self.closed), self.at)
    }
}

/// A run that is written in full: makes what its rows are found by. Gives the number of its rows, and what their codes are like.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) async fn finish<R: Record, S: BlockStore>(store: &S, run: Unfinished) -> Result<(u32, Kinds), S::Error> {
    let mut fences = Vec::new();
    let mut keys: Vec<Sorter<u64>> = R::KEYS.iter().map(|_| Sorter::default()).collect();
    let mut names = NamesBuilder::default();
    let mut codes = Count::default();
    let mut rows = 0;
    for number in 0..run.blocks {
        let at = BlockId { run: run.run, part: part::ROWS, block: number };
        let bytes = read(store, at).await?;
        for (place, (id, bytes)) in Rows::from_bytes(&bytes).enumerate() {
            if place == 0 {
                fences.push(id);
            }
            rows += 1;
            let row: R = block::row(bytes).ok_or(DamagedBlockError(at))?;
            row.keys(&mut |key, value| {
                if let Some(kind) = place_of_key::<R>(key) {
                    keys[kind].push(block::pair(value, id));
                }
            });
            if let Some(code) = row.code() {
                codes.take(code);
            }
            if let Some(name) = row.name() {
                names.put(&name, id);
            }
        }
        store.rest().await;
    }
    let mut writer = Writer { store, run: run.run };
    writer.fences(part::ROWS, &fences).await?;
    for (kind, sorter) in (part::KEYS..).zip(keys) {
        writer.pairs(kind, sorter).await?;
    }
    let (ranks, names) = names.finish(|| store.rest()).await;
    if !ranks.is_empty() {
        writer.names(&ranks, &names).await?;
    }
    Ok((rows, codes.kinds()))
}

/// A block that must be there.
pub(super) async fn read<S: BlockStore>(store: &S, place: BlockId) -> Result<Vec<u8>, S::Error> {
    let packed = store.read(place).await?;
    Ok(packed.and_then(|packed| block::unpacked(&packed)).ok_or(DamagedBlockError(place))?)
}

/// The place of a kind of key among those of these rows.
pub(super) fn place_of_key<R: Record>(key: Key) -> Option<usize> {
    R::KEYS.iter().position(|other| *other == key)
}

struct Writer<'a, S> {
    store: &'a S,
    run: u32,
}

impl<S: BlockStore> Writer<'_, S> {
    async fn put(&self, part: u8, block: u32, bytes: &[u8]) -> Result<(), S::Error> {
        let place = BlockId { run: self.run, part, block };
        self.store.write(vec![(place, block::packed(bytes))]).await?;
        self.store.rest().await;
        Ok(())
    }

    async fn fences(&mut self, part: u8, fences: &[u32]) -> Result<(), S::Error> {
        let mut bytes = Vec::new();
        let mut last = 0;
        for fence in fences {
            block::put_number(&mut bytes, fence - last);
            last = *fence;
        }
        self.put(part | part::FENCES, 0, &bytes).await
    }

    async fn pairs(&mut self, part: u8, sorter: Sorter<u64>) -> Result<(), S::Error> {
        let (mut fences, mut open, mut last) = (Vec::new(), Vec::new(), 0);
        let mut block = 0;
        for pair in sorter.sorted() {
            let (key, number) = block::parts(pair);
            if open.is_empty() {
                fences.push(key);
                last = 0;
            }
            block::put_pair(&mut open, last, key, number);
            last = key;
            if open.len() >= block::SIZE / 2 {
                self.put(part, block, &std::mem::take(&mut open)).await?;
                block += 1;
            }
        }
        if !open.is_empty() {
            self.put(part, block, &open).await?;
        }
        self.fences(part, &fences).await
    }

    async fn names(&mut self, ranks: &[u32], names: &Names) -> Result<(), S::Error> {
        for (number, chunk) in (0..).zip(names.to_bytes().chunks(NAMES)) {
            self.put(part::NAMES, number, chunk).await?;
        }
        for (number, chunk) in (0..).zip(ranks.chunks(RANKS)) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|id| id.to_le_bytes()).collect();
            self.put(part::RANKS, number, &bytes).await?;
        }
        Ok(())
    }
}

/// Brings two runs, each told by its number and how many blocks of rows it has, together into a third; where both have a
/// row, that of `newer` counts; those of `older` whose numbers are in `gone`, which rise, are left out. The result is not finished yet.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) async fn merge<R: Record, S: BlockStore>(
    store: &S,
    older: (u32, u32),
    newer: (u32, u32),
    gone: &[u32],
    into: u32,
) -> Result<Unfinished, S::Error> {
    let (mut older, mut newer) = (Scan::new(store, older), Scan::new(store, newer));
    let mut writer = RowWriter::<R>::resume(Unfinished::new(into));
    let (mut old, mut new) = (older.next().await?, newer.next().await?);
    loop {
        let takes_new = match (&old, &new) {
            (None, None) => break,
            (Some((old, _)), Some((new, _))) => new <= old,
            (old, _) => old.is_none(),
        };
        let replaces = matches!((&old, &new), (Some((old, _)), Some((new, _))) if old == new);
        if let Some((id, row)) = if takes_new { new.take() } else { old.take() }
            && (takes_new || gone.binary_search(&id).is_err())
        {
            // Both rise, so what they give together does.
            let _ = writer.put(id, &row);
        }
        if takes_new {
            new = newer.next().await?;
        }
        if !takes_new || replaces {
            old = older.next().await?;
        }
        if !writer.closed.is_empty() {
            store.write(writer.take(false).0).await?;
        }
    }
    let (blocks, at) = writer.take(true);
    store.write(blocks).await?;
    Ok(at)
}

/// The first rows of a run of which this is true, read from end to end: until that many are found, or `goes_on` says no.
pub(super) async fn find<R: Record, S: BlockStore>(
    store: &S,
    run: (u32, u32),
    limit: usize,
    is_it: impl Fn(&R) -> bool,
    goes_on: impl Fn() -> bool,
) -> Result<Vec<R>, S::Error> {
    let mut scan = Scan::new(store, run);
    let mut found = Vec::new();
    while found.len() < limit
        && goes_on()
        && let Some((_, bytes)) = scan.next().await?
    {
        found.extend(block::row::<R>(&bytes).filter(&is_it));
    }
    Ok(found)
}

/// Sees every row of a run.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn each<R: Record, S: BlockStore>(
    store: &S,
    run: (u32, u32),
    mut see: impl FnMut(&R),
) -> Result<(), S::Error> {
    let mut scan = Scan::new(store, run);
    while let Some((_, bytes)) = scan.next().await? {
        if let Some(row) = block::row::<R>(&bytes) {
            see(&row);
        }
    }
    Ok(())
}

/// The rows of a run, one after another, as bytes.
struct Scan<'a, S> {
    store: &'a S,
    run: u32,
    next: u32,
    blocks: u32,
    rows: std::vec::IntoIter<(u32, Vec<u8>)>,
}

impl<'a, S: BlockStore> Scan<'a, S> {
    fn new(store: &'a S, (run, blocks): (u32, u32)) -> Self {
        Self { store, run, next: 0, blocks, rows: Vec::new().into_iter() }
    }

    async fn next(&mut self) -> Result<Option<(u32, Vec<u8>)>, S::Error> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            if self.next >= self.blocks {
                return Ok(None);
            }
            let place = BlockId { run: self.run, part: part::ROWS, block: self.next };
            let bytes = read(self.store, place).await?;
            self.next += 1;
            self.rows = Rows::from_bytes(&bytes).map(|(id, row)| (id, row.to_vec())).collect::<Vec<_>>().into_iter();
            self.store.rest().await;
        }
    }
}
