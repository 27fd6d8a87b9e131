//! Writes the second copy of the log, as `koct_core::desks::copy` says: from the window while one is open (`popup/files/copying.rs`), and
//! what is left then from the event page, when its alarm rings.

pub(crate) mod alarm;
pub(crate) mod files;
pub(crate) mod store;

use crate::{
    backup, clock, ground,
    lock::{self, Lock},
    store::{Store, StoreError},
    webext::{self, object},
};
use files::Known;
use koct_core::{
    DeskName, Entry,
    desk::{clock::DeskTime, transaction::TransactionId},
    desks::{
        backup::{Header, Line, Writer},
        copy::{
            Copier, CopyStep, File, Input, ROWS_READ, Rows,
            alarm::Alarm,
            handover, is_too_much,
            kept::{Kept, Problem},
        },
    },
};
use std::{
    cell::{Cell, RefCell},
    time::Duration,
};
use store::CopyStore;

/// The name of the alarm; popup/background.js has it too.
const ALARM: &str = "koct-copy";
/// Who holds it writes.
const WRITER: &str = "koct-copy";
/// Where the one that ends in good order says so: it is written while a window is closed, which waits for nothing else.
const SETTLED: &str = "koct-copy-settled";

/// The copy, while this page writes it.
pub(crate) struct Writing {
    pub(crate) copier: RefCell<Copier>,
    kept_in: CopyStore,
    run: String,
    /// Whether something was written since it was told how the desk stands.
    is_news: Cell<bool>,
    /// The end of the name of the file that was written last, until it is kept that it is there.
    written: RefCell<Option<String>>,
    _lock: Lock,
}

/// The run of Firefox in which the last one ended in good order, with all that had changed copied. From now on that is not so any more.
pub(crate) fn take_settled() -> Option<String> {
    let settled = ground::local_storage()?.get_item(SETTLED).ok().flatten();
    unsettle();
    settled
}

/// Nobody knows any more whether all that has changed is copied.
pub(crate) fn unsettle() {
    if let Some(storage) = ground::local_storage() {
        let _ = storage.remove_item(SETTLED);
    }
}

/// This page ends, and has changed, or is just changing, what somebody else copies, who may not have heard of it and may end in this very
/// moment: whoever goes on copies all of it, soon.
pub(crate) fn leave_open() {
    if let Some(storage) = ground::local_storage() {
        let _ = storage.set_item(SETTLED, handover::OPEN);
    }
    wake();
}

/// A copy is wanted, or none any more: what has changed while none was is written too, soon, and also where no window is open.
pub(crate) fn begin_anew() {
    unsettle();
    wake();
}

/// The event page looks soon whether something is to be copied.
pub(crate) fn wake() {
    apply_alarm(Alarm::soon(clock::time()));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a random number below 2^48")]
fn random() -> u64 {
    (js_sys::Math::random() * 281_474_976_710_656.0) as u64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970")]
fn set_alarm(time: DeskTime) {
    webext::create_alarm(ALARM, &object([("when", (time.millis() as f64).into())]));
}

pub(crate) fn clear_alarm() {
    webext::clear_alarm(ALARM);
}

pub(crate) fn apply_alarm(alarm: Alarm) {
    match alarm {
        Alarm::Stays => {}
        Alarm::Clear => clear_alarm(),
        Alarm::Set(time) => set_alarm(time),
    }
}

/// How the copy stands, for whoever shows it.
pub(crate) async fn kept() -> Kept {
    let kept = match CopyStore::open().await {
        Ok(store) => store.kept().await,
        Err(error) => Err(error),
    };
    kept.unwrap_or(Kept { problem: Some(Problem::NotRead), ..Kept::default() })
}

impl Writing {
    /// Begins, with this lock, which is given back where it is not possible.
    /// `settled` is what [`take_settled`] gave when this page was loaded.
    pub(crate) async fn begin(
        lock: Lock,
        settled: Option<String>,
        store: &Store,
        desk: DeskName,
    ) -> Result<Self, StoreError> {
        let kept_in = CopyStore::open().await?;
        let (kept, run) = (kept_in.kept().await?, store::run().await);
        // Whoever wrote until now may have ended since.
        let settled = handover::settled(settled, take_settled());
        let copier = Copier::begin(kept, settled, &run, desk, store.last().await?, clock::time());
        let (copier, written) = (RefCell::new(copier), RefCell::default());
        Ok(Self { copier, kept_in, run, is_news: Cell::default(), written, _lock: lock })
    }

    /// This page ends, in good order, while it is changing the log, or not. Waits for nothing. Returns whether something is left to do.
    pub(crate) fn end(&self, is_changing: bool) -> bool {
        let Ok(left) = self.copier.try_borrow().map(|copier| copier.leave(is_changing)) else { return true };
        let storage = ground::local_storage();
        let stands = storage.as_ref().and_then(|storage| storage.get_item(SETTLED).ok().flatten());
        if let Some(storage) = storage.filter(|_| handover::is_told(left, stands.as_deref())) {
            let _ = storage.set_item(SETTLED, &self.run);
        }
        handover::is_more(left, stands.as_deref())
    }

    /// Does what is to be done now. Returns after what time something will be; `None` where nothing will. `state` gives the name and
    /// the text of the file that tells how the desk stands.
    pub(crate) async fn go_on(
        &self,
        store: &Store,
        state: impl AsyncFn() -> Option<(String, String)>,
    ) -> Option<Duration> {
        loop {
            let step = self.copier.borrow_mut().poll(clock::time(), random());
            let done = match step {
                CopyStep::Rest(left) => {
                    if self.is_news.take()
                        && let Some((name, text)) = state().await
                    {
                        // Where it cannot be written, neither can the next part, and that is said.
                        let _ = files::write_over(&name, &[text]).await;
                    }
                    return left;
                }
                CopyStep::Keep(kept) => {
                    self.kept_in.keep(&kept).await.map(|()| Input::Kept).map_err(|_| Problem::NotRead)
                }
                CopyStep::Write(file) => {
                    let done = write(store, &file).await;
                    if matches!(done, Ok(Input::Written(_))) {
                        self.written.replace(Some(file.ending().to_owned()));
                    }
                    done
                }
                CopyStep::Remove(file) => remove(store, &file).await.map(|()| Input::Removed),
            };
            if matches!(done, Ok(Input::Written(_))) {
                self.is_news.set(true);
            }
            if matches!(done, Ok(Input::Kept))
                && let Some(ending) = self.written.take()
            {
                files::forget(&ending).await;
            }
            self.copier.borrow_mut().handle(done.unwrap_or_else(Input::Failed), clock::time());
        }
    }
}

/// Waits until this page may write.
pub(crate) async fn lock() -> Option<Lock> {
    lock::wait_for(WRITER).await
}

/// As [`lock`], where nobody writes.
pub(crate) async fn free_lock() -> Option<Lock> {
    lock::lock_of(WRITER).await
}

async fn write(store: &Store, file: &File) -> Result<Input, Problem> {
    let Some((parts, last)) = content_if_allowed(store, file).await? else { return Ok(Input::TooMany) };
    let known = files::known(file.ending()).await;
    if known == Known::Whole && file.part.closes {
        return Ok(Input::Known);
    }
    let is_written = files::write_new(&file.name, file.ending(), &parts, known).await?;
    Ok(if is_written { Input::Written(last) } else { Input::Taken })
}

async fn remove(store: &Store, file: &File) -> Result<(), Problem> {
    let Some((parts, _)) = content_if_allowed(store, file).await? else { return Err(Problem::NotRead) };
    files::remove(&file.name, &parts).await
}

/// See [`content`]. A long log is not read for a file that cannot be written.
async fn content_if_allowed(store: &Store, file: &File) -> Result<Option<(Vec<String>, TransactionId)>, Problem> {
    if !files::may_write().await {
        return Err(Problem::NotAllowed);
    }
    content(store, file).await.map_err(|_| Problem::NotRead)
}

/// What a file is to hold, and the highest number in it. `None` where that is too much for a part.
async fn content(store: &Store, file: &File) -> Result<Option<(Vec<String>, TransactionId)>, StoreError> {
    let File { desk, part, rows, .. } = file;
    let now = clock::now().ok_or(crate::storage::StorageError::Broken)?;
    let (after, changed) = match rows {
        Rows::All => {
            let whole = backup::read(store, desk.clone(), now, Some(part.clone())).await?;
            return Ok(Some((whole.parts, whole.last)));
        }
        Rows::None => (None, &[][..]),
        Rows::Some { after, changed } => (Some(*after), &changed[..]),
    };
    if is_too_much(changed.len()) {
        return Ok(None);
    }
    let mut entries = store.get(changed).await?;
    if let Some(after) = after {
        entries.extend(store.after(after, ROWS_READ).await?);
    }
    if is_too_much(entries.len()) {
        return Ok(None);
    }
    let last = entries.iter().map(|entry: &Entry| entry.id).max().unwrap_or(TransactionId(0));
    let running = backup::running(store).await?;
    let (mut writer, first) = Writer::begin(&Header::new(desk.clone(), now).with(Some(part.clone()), running));
    let rows = writer.add(entries.into_iter().map(|entry| Line::Transaction(Box::new(entry))));
    Ok(Some((vec![first, rows, writer.end().0], last)))
}
