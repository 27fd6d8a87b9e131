//! Where the directory's blocks lie, without saying how: in a browser's database, encrypted, or in a test's memory.

use std::{future::Future, rc::Rc};

/// Names a block: the run, the part of it, and the number in the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// The run.
    pub run: u32,
    /// Which part of the run.
    pub part: u8,
    /// Counted from 0.
    pub block: u32,
}

/// A block is not there, or is not what was put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("block {block} of part {part} of run {run} is missing or damaged", run = .0.run, part = .0.part, block = .0.block)]
pub struct DamagedBlockError(pub BlockId);

/// Keeps blocks.
pub trait BlockStore {
    /// Why a block could not be read or written.
    type Error: From<DamagedBlockError>;

    /// The block at this place; `None` where there is none.
    ///
    /// # Errors
    /// When the store cannot be read, or what stands there is not what was put there.
    fn read(&self, place: BlockId) -> impl Future<Output = Result<Option<Rc<[u8]>>, Self::Error>>;

    /// Puts blocks there, all or none.
    ///
    /// # Errors
    /// When the store cannot be written: no room, no disk.
    fn write(&self, blocks: Vec<(BlockId, Vec<u8>)>) -> impl Future<Output = Result<(), Self::Error>>;

    /// Called again and again in long work: lets others do something, where it is their turn.
    fn rest(&self) -> impl Future<Output = ()>;
}
