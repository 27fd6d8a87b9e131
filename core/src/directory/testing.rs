//! A store and a log in memory, and a way to await what never waits.

use super::{
    Contents, Directory, RowWriter, Unfinished,
    block_store::{BlockId, BlockStore, DamagedBlockError},
    desk_view::{DeskView, LaterChanges, LogEntries},
    finish,
    item_now::{CheckoutFound, ReturnFound},
    patron_now::PatronFound,
    record::{Record, Set},
};
use crate::{
    Action, Amount, Barcode, Cardnumber, Entry, Moment, Transaction, TransactionId,
    desk::{codes::Codes, zone::FixedZone},
    log::warned::{Warned, Warning},
};
use futures_util::FutureExt;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    rc::Rc,
};

/// The result of work that waits for nothing.
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("a store in memory never waits")
}

/// A store in memory.
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

/// Writes rows as a run.
pub(crate) fn write<R: Record>(store: &Memory, run: u32, rows: &[R]) -> Unfinished {
    let mut writer = RowWriter::resume(Unfinished::new(run));
    for row in rows {
        writer.push(row).unwrap();
    }
    let (blocks, at) = writer.take(true);
    at_once((&store).write(blocks)).unwrap();
    at
}

/// Makes these rows what the directory holds of a set, as of [`START`].
pub(crate) fn set<R: Record>(store: &Memory, contents: &mut Contents, rows: &[R]) {
    let run = contents.new_run();
    let held = at_once(finish::<R, _>(&store, write(store, run, rows), at(0).time())).unwrap();
    assert_eq!(usize::try_from(held.rows), Ok(rows.len()));
    contents.sets.insert(R::SET, held);
}

/// 2026-11-23 10:00 in UTC, in milliseconds since 1970.
pub(crate) const START: i64 = 1_795_428_000_000;

/// This number of seconds after [`START`].
pub(crate) fn at(second: i64) -> Moment {
    Moment::new(START + second * 1_000, 60).unwrap()
}

/// Why a look-up in memory fails.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Log,
    Records(BlockId),
}

impl From<DamagedBlockError> for Failed {
    fn from(DamagedBlockError(place): DamagedBlockError) -> Self {
        Self::Records(place)
    }
}

/// A log in memory.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: RefCell<Vec<Entry>>,
    /// How many times it can still be read; `None`: as often as is wanted.
    pub(crate) reads_left: Cell<Option<usize>>,
}

impl Log {
    /// Records this, a second after what was recorded before.
    pub(crate) fn record(&self, action: Action) -> Entry {
        let id = u32::try_from(self.entries.borrow().len()).unwrap() + 1;
        let entry = Entry::recorded(TransactionId(id), Transaction { moment: at(i64::from(id)), action });
        self.entries.borrow_mut().push(entry.clone());
        entry
    }

    pub(crate) fn issue(&self, card: &str, barcode: &str) -> Entry {
        let (cardnumber, barcode) = (Cardnumber::parse(card).unwrap(), Barcode::parse(barcode).unwrap());
        self.record(Action::Issue { cardnumber, barcode })
    }

    pub(crate) fn back(&self, barcode: &str) -> Entry {
        self.record(Action::Return { barcode: Barcode::parse(barcode).unwrap() })
    }

    /// Checked in, and set aside for this hold.
    pub(crate) fn aside(&self, barcode: &str, hold: u32) -> Entry {
        let entry = self.back(barcode);
        self.warn(&entry, Warning::Hold { hold, pickup: "CPL".into() })
    }

    pub(crate) fn pay(&self, card: &str, amount: &str) -> Entry {
        let (cardnumber, amount) = (Cardnumber::parse(card).unwrap(), Amount::parse(amount).unwrap());
        self.record(Action::Payment { cardnumber, amount })
    }

    pub(crate) fn warn(&self, entry: &Entry, warning: Warning) -> Entry {
        self.change(entry, |entry| entry.warnings.push(Warned { warning, confirmed: None, as_of: None }))
    }

    /// Changes an entry, and returns it as it is then.
    pub(crate) fn change(&self, entry: &Entry, change: impl FnOnce(&mut Entry)) -> Entry {
        let mut entries = self.entries.borrow_mut();
        let kept = entries.iter_mut().find(|kept| kept.id == entry.id).unwrap();
        change(kept);
        kept.clone()
    }

    fn read(&self, is_found: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, Failed> {
        if let Some(left) = self.reads_left.get() {
            self.reads_left.set(Some(left.checked_sub(1).ok_or(Failed::Log)?));
        }
        // The order in which a log gives them is no order.
        Ok(self.entries.borrow().iter().rev().filter(|entry| is_found(entry)).cloned().collect())
    }
}

impl LogEntries for &Log {
    type Error = Failed;

    async fn of_items(&self, keys: &[String]) -> Result<Vec<Entry>, Failed> {
        self.read(|entry| entry.transaction.action.item_key().is_some_and(|key| keys.contains(&key)))
    }

    async fn of_cards(&self, cards: &[String]) -> Result<Vec<Entry>, Failed> {
        self.read(|entry| entry.transaction.action.cardnumber().is_some_and(|card| cards.contains(&card.to_string())))
    }

    async fn of_holds(&self, holds: &[u32]) -> Result<Vec<Entry>, Failed> {
        self.read(|entry| entry.set_aside().is_some_and(|(hold, _)| holds.contains(&hold)))
    }
}

/// A library of a few records, some of its sets perhaps not downloaded, and the log of a desk in it.
#[derive(Debug, Default)]
pub(crate) struct Library {
    pub(crate) store: Memory,
    pub(crate) contents: Contents,
    pub(crate) log: Log,
}

impl Library {
    /// With these records of a set besides.
    pub(crate) fn with<R: Record>(mut self, rows: &[R]) -> Self {
        set(&self.store, &mut self.contents, rows);
        self
    }

    /// Looks something up, with the clock an hour after [`START`] and a limit of 5.00 for debts.
    fn look<T>(&self, look: impl AsyncFnOnce(DeskView<'_, &Memory, &Log>) -> Result<T, Failed>) -> Result<T, Failed> {
        let records = Directory::new(&self.store, self.contents.clone());
        let later = LaterChanges::new(&self.contents, &[]);
        let (now, debt_limit) = (Some(at(3_600)), Some(500));
        at_once(look(DeskView { records: &records, log: &self.log, later: &later, now, debt_limit }))
    }

    pub(crate) fn patron(&self, typed: &str) -> Result<PatronFound, Failed> {
        self.look(async |view| view.patron(typed).await)
    }

    /// The same, when the clock shows this.
    pub(crate) fn patron_at(&self, now: Option<Moment>, typed: &str) -> Result<PatronFound, Failed> {
        self.look(async |view| DeskView { now, ..view }.patron(typed).await)
    }

    pub(crate) fn checkout(&self, entry: &Entry) -> Result<Option<CheckoutFound>, Failed> {
        let as_card = entry.item_as_card(&Codes::default()).unwrap_or_default();
        self.look(async |view| view.checkout(entry, &as_card).await)
    }

    pub(crate) fn checkin(&self, entry: &Entry) -> Result<Option<ReturnFound>, Failed> {
        self.look(async |view| view.checkin(entry, &FixedZone(60)).await)
    }

    /// Spoils all blocks of a set.
    pub(crate) fn damage(&self, set: Set) {
        let run = self.contents.sets[&set].run;
        let mut blocks = self.store.blocks.borrow_mut();
        blocks.iter_mut().filter(|(place, _)| place.run == run).for_each(|(_, block)| *block = vec![1, 2, 3].into());
    }
}
