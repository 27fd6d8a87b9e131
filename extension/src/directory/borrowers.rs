//! Reads a `borrowers.db` that a person has chosen. Its reader is a WebAssembly module of its own, which is loaded when it is
//! first used.
//!
//! A window gives [`load_with`] the function that imports that module. [`read_borrowers_db`] then gives the rows to a [`Sink`],
//! chunk by chunk, with pauses in which scans and clicks are heard. What the sink was given counts once the call has returned
//! a [`Report`]: before that, the file may turn out to be damaged.

use crate::{clock::DeskZone, i18n::text, slices::Slice, timer::sleep, wording};
use chrono::DateTime;
use js_sys::{Function, Promise, Uint8Array};
use koct_borrowers_db::{FileError, Report, Told};
use koct_core::{
    desk::zone::Zone,
    directory::record::{Loan, Patron},
};
use serde::de::DeserializeOwned;
use std::{cell::RefCell, future::Future, time::Duration};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

#[wasm_bindgen]
extern "C" {
    /// The module, as `import()` gives it.
    type Module;

    #[wasm_bindgen(method, catch, js_name = "default")]
    async fn init(this: &Module) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn open(this: &Module, file: &Uint8Array, offset: &JsValue) -> Result<BorrowersDb, JsValue>;

    type BorrowersDb;

    #[wasm_bindgen(method, catch)]
    fn step(this: &BorrowersDb) -> Result<String, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn rows(this: &BorrowersDb) -> Result<Vec<u8>, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn free(this: &BorrowersDb) -> Result<(), JsValue>;
}

thread_local! {
    static LOADER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Keeps the function that imports the module of the reader.
pub fn load_with(loader: Function) {
    LOADER.set(Some(loader));
}

/// Where the rows go.
pub trait Sink {
    /// Why it could not take them.
    type Error;

    /// The next patrons, in rising order of their numbers, each number once. All of them come before the first loan.
    ///
    /// # Errors
    /// When it could not take them: then no more are read.
    fn patrons(&mut self, rows: Vec<Patron>) -> impl Future<Output = Result<(), Self::Error>>;

    /// The next loans, numbered from 1.
    ///
    /// # Errors
    /// As for [`Sink::patrons`].
    fn loans(&mut self, rows: Vec<Loan>) -> impl Future<Output = Result<(), Self::Error>>;

    /// How many thousandths are done. It only rises.
    fn progress(&mut self, thousandths: u16);

    /// Whether it goes on. Asked before every chunk.
    fn is_wanted(&self) -> bool;
}

/// Why a file was not read, or not to its end.
#[derive(Debug)]
pub enum Failure<E> {
    /// It is none of these files, or damaged.
    File(FileError),
    /// Firefox does not give its content: it was changed or removed, or is too large for the memory.
    Unreadable(String),
    /// The reader could not be loaded, or does not work.
    Reader(String),
    /// The sink did not want more.
    Stopped,
    /// The sink could not take the rows.
    Sink(E),
}

impl<E> Failure<E> {
    /// In words for the person, without those of the browser or the reader.
    pub fn wording(&self) -> String {
        match self {
            Self::File(error) => wording::borrowers_file(error),
            Self::Unreadable(_) => text("borrowersUnreadable"),
            Self::Reader(_) => text("borrowersReader"),
            Self::Stopped => text("stopCancelled"),
            Self::Sink(_) => text("errorUnexplained"),
        }
    }
}

/// What is to be told of a file besides how much was in it, in words for the person: a sentence each.
pub fn notes(report: &Report) -> Vec<String> {
    wording::borrowers_notes(report)
}

/// Reads all patrons and loans of a `borrowers.db`.
///
/// ```ignore
/// struct Runs { … }
/// impl Sink for Runs { … }
///
/// match read_borrowers_db(&file, &mut runs).await {
///     Ok(report) => { runs.publish().await; show(&notes(&report)) }
///     Err(failure) => { runs.discard().await; show_error(&failure.wording()) }
/// }
/// ```
///
/// # Errors
/// When it cannot be read to its end, for whatever reason: then nothing that the sink was given counts.
pub async fn read_borrowers_db<S: Sink>(file: &File, sink: &mut S) -> Result<Report, Failure<S::Error>> {
    let module = module().await.map_err(|error| Failure::Reader(reason(&error)))?;
    let content = JsFuture::from(file.array_buffer()).await.map_err(|error| Failure::Unreadable(reason(&error)))?;
    let offset = Closure::<dyn Fn(f64) -> i16>::new(offset);
    let opened = module.open(&Uint8Array::new(&content), offset.as_ref()).map_err(|error| told(&error))?;
    let reader = Open(opened);
    let mut slice = Slice::default();
    loop {
        if !sink.is_wanted() {
            return Err(Failure::Stopped);
        }
        let step = reader.0.step().map_err(|error| told(&error))?;
        let progress = match read(&step)? {
            Told::Looking(progress) => progress,
            Told::Patrons(progress) => {
                sink.patrons(reader.taken()?).await.map_err(Failure::Sink)?;
                progress
            }
            Told::Loans(progress) => {
                sink.loans(reader.taken()?).await.map_err(Failure::Sink)?;
                progress
            }
            Told::Done(report) => {
                sink.progress(1000);
                return Ok(report);
            }
        };
        sink.progress(progress);
        if slice.is_over() {
            sleep(Duration::ZERO).await;
            slice = Slice::default();
        }
    }
}

/// A file in the reader, which gives its memory back in the end.
struct Open(BorrowersDb);

impl Open {
    /// The rows of the last step.
    fn taken<T: DeserializeOwned, E>(&self) -> Result<Vec<T>, Failure<E>> {
        let rows = self.0.rows().map_err(|error| Failure::Reader(reason(&error)))?;
        postcard::from_bytes(&rows).map_err(|error| Failure::Reader(error.to_string()))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Where the reader has failed, this fails too.
        let _ = self.0.free();
    }
}

async fn module() -> Result<Module, JsValue> {
    let loader = LOADER.with_borrow(Clone::clone).ok_or(JsValue::UNDEFINED)?;
    let promise: Promise = loader.call0(&JsValue::UNDEFINED)?.dyn_into()?;
    let module: Module = JsFuture::from(promise).await?.unchecked_into();
    // It is done once, however often it is asked for.
    module.init().await?;
    Ok(module)
}

/// How many minutes the desk's clock is ahead of UTC when it shows this, in milliseconds as if it were UTC.
fn offset(local: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "a date's milliseconds are far below 2^53")]
    let local = DateTime::from_timestamp_millis(local as i64);
    local.map_or(0, |local| DeskZone.offset_at_local(local.naive_utc()))
}

/// What the reader says of a file. Anything else is no answer of the reader's.
fn told<E>(error: &JsValue) -> Failure<E> {
    let told = error.as_string().and_then(|error| serde_json::from_str(&error).ok());
    told.map_or_else(|| Failure::Reader(reason(error)), Failure::File)
}

fn read<E>(step: &str) -> Result<Told, Failure<E>> {
    serde_json::from_str(step).map_err(|error| Failure::Reader(error.to_string()))
}

/// The browser's own words.
fn reason(error: &JsValue) -> String {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    message.or_else(|| error.as_string()).unwrap_or_default()
}
