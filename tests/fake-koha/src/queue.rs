//! The queue of pending offline operations.

use crate::amount::Amount;
use crate::circulation::Died;
use crate::clock::{ZERO_DATE, fits_timestamp_column, read_lenient, stamp};
use crate::state::{Effect, Era, Library, Operation};

/// The widths of the columns of `pending_offline_operations`.
const USERID: usize = 30;
const BRANCH: usize = 10;
const ACTION: usize = 10;
const BARCODE: usize = 20;
const CARDNUMBER: usize = 32;

impl Library {
    /// Appends a row; nothing of it is checked against patrons, items or branches.
    ///
    /// Koha: `AddOfflineOperation`, a bare INSERT. Before 24.05 the database is lenient (observed): values too long
    /// are cut, a number is read as far as it goes, an impossible time becomes zeros. From 24.05 it is strict.
    ///
    /// # Errors
    ///
    /// From 24.05, when the database refuses a value.
    pub fn queue_operation(&mut self, mut operation: Operation, amount: &str) -> Result<&'static str, Died> {
        let strict = self.era == Era::From2405;
        for (value, width) in [
            (&mut operation.userid, USERID),
            (&mut operation.branch, BRANCH),
            (&mut operation.action, ACTION),
            (&mut operation.barcode, BARCODE),
            (&mut operation.cardnumber, CARDNUMBER),
        ] {
            if value.chars().count() > width {
                if strict {
                    return Err(Died("Data too long for column".to_owned()));
                }
                *value = value.chars().take(width).collect();
            }
        }
        operation.timestamp =
            match read_lenient(&operation.timestamp).filter(|&time| fits_timestamp_column(self.zone, time)) {
                Some(time) => stamp(time),
                None if strict => return Err(Died("Incorrect datetime value".to_owned())),
                None => ZERO_DATE.to_owned(),
            };
        operation.amount = if amount.is_empty() {
            Amount::ZERO
        } else if strict {
            Amount::strict(amount).ok_or_else(|| Died("Incorrect decimal value".to_owned()))?
        } else {
            Amount::lenient(amount)
        };
        self.last_operation_id += 1;
        operation.id = Some(self.last_operation_id);
        self.effects.push(Effect::Queued(operation.clone()));
        self.pending.push(operation);
        Ok("Added.")
    }

    /// Koha: `DeleteOfflineOperation`, which says the same for a row that is not there.
    pub fn delete_operation(&mut self, id: u64) -> &'static str {
        let before = self.pending.len();
        self.pending.retain(|row| row.id != Some(id));
        if self.pending.len() < before {
            self.effects.push(Effect::Deleted { id });
        }
        "Deleted."
    }
}
