//! The whole log as a backup, read bit by bit, so that scans go in between.

use crate::{
    lock,
    store::{Store, StoreError},
    timer::sleep,
};
use koct_core::{
    DeskName, Moment, TransactionId,
    desks::backup::{Header, Line, Writer, part::Part, running::Running, write},
};
use std::time::Duration;

/// How many entries are read at once.
const CHUNK: u32 = 2_000;

/// A backup that was read.
pub(crate) struct Backup {
    /// Its text, in order.
    pub(crate) parts: Vec<String>,
    /// The number of transactions in it.
    pub(crate) transactions: u32,
    /// The highest of their numbers, or 0.
    pub(crate) last: TransactionId,
}

/// The commit that is running, in whatever window.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn running(store: &Store) -> Result<Option<Running>, StoreError> {
    if !lock::is_sending().await {
        return Ok(None);
    }
    Ok(store.newest_batch().await?.as_ref().and_then(Running::of))
}

/// Reads the log of this desk. `copy` says which file of a second copy it is.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn read(store: &Store, desk: DeskName, now: Moment, copy: Option<Part>) -> Result<Backup, StoreError> {
    let running_before = running(store).await?;
    let mut writer = Writer::default();
    let mut parts = Vec::new();
    let mut unreadable = store.raw_batches().await?;
    let mut next = None;
    let mut last = TransactionId(0);
    loop {
        let (entries, raw, then) = store.rows_after(next, CHUNK).await?;
        unreadable.extend(raw);
        last = entries.iter().map(|entry| entry.id).max().unwrap_or(last).max(last);
        parts.push(writer.add(entries.into_iter().map(|entry| Line::Transaction(Box::new(entry)))));
        next = then;
        if next.is_none() {
            break;
        }
        sleep(Duration::ZERO).await;
    }
    let running = running(store).await?.or(running_before);
    let first = write(&Header::new(desk, now).with(copy, running));
    // Before the others, so that in an empty log their keys are still free.
    parts.splice(0..0, [first, writer.add(unreadable.into_iter().map(Line::Raw))]);
    // Oldest first.
    parts.push(writer.add(store.batches().await?.into_iter().rev().map(Box::new).map(Line::Commit)));
    parts.push(writer.add(store.cleared().await?.into_iter().map(Line::Cleared)));
    let (end, transactions) = writer.end();
    parts.push(end);
    Ok(Backup { parts, transactions, last })
}
