//! A shelf in memory, and a way to await what never waits.

use super::block_store::{BlockId, BlockStore, DamagedBlockError};
use futures_util::FutureExt;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    rc::Rc,
};

/// The result of work that waits for nothing.
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("a shelf in memory never waits")
}

/// A shelf in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) blocks: RefCell<BTreeMap<BlockId, Rc<[u8]>>>,
    pub(crate) reads: Cell<usize>,
}

impl BlockStore for &Memory {
    type Error = DamagedBlockError;

    async fn read(&self, place: BlockId) -> Result<Option<Rc<[u8]>>, DamagedBlockError> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.blocks.borrow().get(&place).cloned())
    }

    async fn write(&self, blocks: Vec<(BlockId, Vec<u8>)>) -> Result<(), DamagedBlockError> {
        self.blocks.borrow_mut().extend(blocks.into_iter().map(|(place, bytes)| (place, bytes.into())));
        Ok(())
    }

    async fn rest(&self) {}
}
