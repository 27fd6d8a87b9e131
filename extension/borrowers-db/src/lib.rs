//! The reader of `borrowers.db` for the browser. The add-on loads it when a person chooses such a file, so that a window that
//! opens does not wait for it. Every rule is in [`koct_borrowers_db`].
//!
//! The file stays in an array of the browser's, which goes when it has been read: memory of a WebAssembly module never does.

use chrono::NaiveDateTime;
use js_sys::{Function, Uint8Array};
use koct_borrowers_db::{Reader, Step, Told, sqlite::Source};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// The number of rows that are looked at in a step, or given out: some milliseconds.
const ROWS: usize = 1000;

/// The file.
#[derive(Debug)]
struct Bytes(Uint8Array);

impl Source for Bytes {
    fn size(&self) -> u64 {
        self.0.length().into()
    }

    fn read(&self, at: u64, into: &mut [u8]) {
        let Ok(begin) = u32::try_from(at) else { return };
        let length = u32::try_from(into.len()).unwrap_or_default();
        let part = self.0.subarray(begin, begin.saturating_add(length));
        // It would panic where the lengths differ.
        if part.length() == length {
            part.copy_to(into);
        }
    }
}

/// A file that is being read.
#[wasm_bindgen]
#[derive(Debug)]
pub struct BorrowersDb {
    reader: Reader<Bytes>,
    offset: Function,
    rows: Vec<u8>,
}

/// Opens a file. `offset` is asked how many minutes the desk's clock is ahead of UTC when it shows a time, which is given
/// in milliseconds as if it were UTC.
///
/// # Errors
/// A [`koct_borrowers_db::FileError`] as JSON.
#[wasm_bindgen]
pub fn open(file: Uint8Array, offset: Function) -> Result<BorrowersDb, String> {
    let reader = Reader::open(Bytes(file)).map_err(|error| json(&error))?;
    Ok(BorrowersDb { reader, offset, rows: Vec::new() })
}

#[wasm_bindgen]
impl BorrowersDb {
    /// Does a step. Gives out a [`Told`] as JSON.
    ///
    /// # Errors
    /// A [`koct_borrowers_db::FileError`] as JSON.
    pub fn step(&mut self) -> Result<String, String> {
        let offset = |local: NaiveDateTime| {
            #[expect(clippy::cast_precision_loss, reason = "a date's milliseconds are far below 2^53")]
            let millis = local.and_utc().timestamp_millis() as f64;
            let minutes =
                self.offset.call1(&JsValue::UNDEFINED, &millis.into()).ok().and_then(|minutes| minutes.as_f64());
            #[expect(clippy::cast_possible_truncation, reason = "it saturates, and is some hours")]
            minutes.map_or(0, |minutes| minutes as i16)
        };
        let step = self.reader.step(ROWS, &offset).map_err(|error| json(&error))?;
        let progress = self.reader.progress();
        let told = match step {
            Step::Looking => Told::Looking(progress),
            Step::Patrons(patrons) => {
                self.rows = packed(&patrons);
                Told::Patrons(progress)
            }
            Step::Loans(loans) => {
                self.rows = packed(&loans);
                Told::Loans(progress)
            }
            Step::Done(report) => Told::Done(report),
        };
        Ok(json(&told))
    }

    /// The rows of the last step, as postcard writes them.
    pub fn rows(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.rows)
    }
}

/// A list of rows always can be written. Were it not, nothing could be read of it, and that is told.
fn packed<T: Serialize>(rows: &[T]) -> Vec<u8> {
    postcard::to_allocvec(rows).unwrap_or_default()
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
