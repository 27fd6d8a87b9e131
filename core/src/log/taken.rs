//! Whether a code was taken before, however it looks: then nobody is asked about it again, also in another window.

use crate::log::{Entry, status::State};

/// Whether these entries, which all have the code, show that somebody has taken it as it is. What was taken back again or what Koha
/// refused shows nothing.
///
/// ```
/// use koct_core::{Action, Barcode, Entry, Moment, Transaction, TransactionId, log::taken::was_taken};
///
/// let action = Action::Return { barcode: Barcode::parse("ILL-1")? };
/// let moment = Moment::new(1_795_428_000_000, 60)?;
/// let entry = Entry::recorded(TransactionId(1), Transaction { moment, action });
/// assert!(was_taken(&[entry.deleted(moment).unwrap(), entry.clone()]));
/// assert!(!was_taken(&[entry.deleted(moment).unwrap()]));
/// assert!(!was_taken(&[]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn was_taken(with_code: &[Entry]) -> bool {
    with_code.iter().any(|entry| !matches!(entry.status.state(), State::Deleted | State::Rejected))
}
