//! Finds rows in finished runs. What was read lately is kept inflated.

use super::{
    block::{self, Pairs, Rows},
    block_store::{BlockId, BlockStore, DamagedBlockError},
    names::Names,
    record::{Key, Record},
    run::{self, RANKS, part},
};
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
};

/// The number of blocks that are kept inflated: a few megabytes.
const KEPT: usize = 96;

type Fences = Rc<Vec<u32>>;

/// A store, and what was read from it.
#[derive(Debug)]
pub(super) struct Reader<S> {
    store: S,
    blocks: RefCell<Kept>,
    /// The fences of a part of a run.
    fences: RefCell<HashMap<(u32, u8), Fences>>,
    names: RefCell<HashMap<u32, Rc<Names>>>,
}

#[derive(Debug, Default)]
struct Kept {
    blocks: HashMap<BlockId, Rc<Vec<u8>>>,
    /// The oldest first.
    order: VecDeque<BlockId>,
}

impl<S: BlockStore> Reader<S> {
    pub(super) fn new(store: S) -> Self {
        Self { store, blocks: RefCell::default(), fences: RefCell::default(), names: RefCell::default() }
    }

    pub(super) fn store(&self) -> &S {
        &self.store
    }

    async fn block(&self, place: BlockId) -> Result<Rc<Vec<u8>>, S::Error> {
        if let Some(kept) = self.blocks.borrow().blocks.get(&place) {
            return Ok(kept.clone());
        }
        let bytes = Rc::new(run::read(&self.store, place).await?);
        let mut kept = self.blocks.borrow_mut();
        if kept.blocks.insert(place, bytes.clone()).is_none() {
            kept.order.push_back(place);
        }
        if kept.order.len() > KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.blocks.remove(&oldest);
        }
        Ok(bytes)
    }

    async fn fences(&self, run: u32, part: u8) -> Result<Fences, S::Error> {
        if let Some(kept) = self.fences.borrow().get(&(run, part)) {
            return Ok(kept.clone());
        }
        let bytes = run::read(&self.store, BlockId { run, part: part | part::FENCES, block: 0 }).await?;
        let (mut rest, mut last) = (&bytes[..], 0_u32);
        let fences = std::iter::from_fn(|| {
            last = last.wrapping_add(block::take_number(&mut rest)?);
            Some(last)
        });
        let fences = Rc::new(fences.collect::<Vec<_>>());
        self.fences.borrow_mut().insert((run, part), fences.clone());
        Ok(fences)
    }

    /// The row of this number.
    pub(super) async fn row<R: Record>(&self, run: u32, id: u32) -> Result<Option<R>, S::Error> {
        let fences = self.fences(run, part::ROWS).await?;
        let Some(number) = fences.partition_point(|first| *first <= id).checked_sub(1) else { return Ok(None) };
        let place = BlockId { run, part: part::ROWS, block: number.try_into().unwrap_or(u32::MAX) };
        let bytes = self.block(place).await?;
        let Some((_, row)) =
            Rows::from_bytes(&bytes).take_while(|(other, _)| *other <= id).find(|(other, _)| *other == id)
        else {
            return Ok(None);
        };
        Ok(Some(block::row(row).ok_or(DamagedBlockError(place))?))
    }

    /// The numbers of the rows that have this key.
    async fn ids<R: Record>(&self, run: u32, kind: Key, key: u32) -> Result<Vec<u32>, S::Error> {
        let Some(part) = run::place_of_key::<R>(kind).and_then(|place| u8::try_from(place).ok()) else {
            return Ok(Vec::new());
        };
        let part = part::KEYS + part;
        let fences = self.fences(run, part).await?;
        let mut ids = Vec::new();
        // The pairs of one key may begin in the block before the first that begins with it.
        let first = fences.partition_point(|first| *first < key).saturating_sub(1);
        for number in first..fences.partition_point(|first| *first <= key) {
            let place = BlockId { run, part, block: number.try_into().unwrap_or(u32::MAX) };
            let bytes = self.block(place).await?;
            let pairs = Pairs::from_bytes(&bytes).take_while(|(other, _)| *other <= key);
            ids.extend(pairs.filter(|(other, _)| *other == key).map(|(_, id)| id));
        }
        // A card that is the user name too is told twice.
        ids.dedup();
        Ok(ids)
    }

    /// The rows that have this key, by number.
    pub(super) async fn rows<R: Record>(&self, run: u32, kind: Key, key: u32) -> Result<Vec<R>, S::Error> {
        let mut rows = Vec::new();
        for id in self.ids::<R>(run, kind, key).await? {
            rows.extend(self.row(run, id).await?);
        }
        Ok(rows)
    }

    /// The index of names, which is kept from then on.
    pub(super) async fn names(&self, run: u32) -> Result<Rc<Names>, S::Error> {
        if let Some(kept) = self.names.borrow().get(&run) {
            return Ok(kept.clone());
        }
        let mut bytes = Vec::new();
        for block in 0.. {
            let place = BlockId { run, part: part::NAMES, block };
            let Some(packed) = self.store.read(place).await? else { break };
            bytes.append(&mut block::unpacked(&packed).ok_or(DamagedBlockError(place))?);
        }
        let names = if bytes.is_empty() { Some(Names::default()) } else { Names::from_bytes(&bytes) };
        let names = Rc::new(names.ok_or(DamagedBlockError(BlockId { run, part: part::NAMES, block: 0 }))?);
        self.names.borrow_mut().insert(run, names.clone());
        Ok(names)
    }

    /// The first rows in whose names every word typed stands, and how many there are in all. `people` is how many
    /// rows the run has.
    pub(super) async fn search<R: Record>(
        &self,
        run: u32,
        people: u32,
        typed: &str,
        limit: usize,
    ) -> Result<(Vec<R>, usize), S::Error> {
        let found = self.names(run).await?.find(people, typed);
        let mut rows = Vec::new();
        for rank in found.iter().take(limit) {
            let rank = usize::try_from(*rank).unwrap_or(usize::MAX);
            let place = BlockId { run, part: part::RANKS, block: (rank / RANKS).try_into().unwrap_or(u32::MAX) };
            let bytes = self.block(place).await?;
            let id = bytes.chunks_exact(4).nth(rank % RANKS).and_then(|id| id.try_into().ok()).map(u32::from_le_bytes);
            rows.extend(self.row(run, id.ok_or(DamagedBlockError(place))?).await?);
        }
        Ok((rows, found.len()))
    }

    /// How many bytes of the index of names are in memory.
    pub(super) fn names_in_memory(&self) -> usize {
        self.names.borrow().values().map(|names| names.size()).sum()
    }
}
