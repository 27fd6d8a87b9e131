//! The turn to send: one window of a profile has it.

use crate::popup::{Desk, desk::Permit};

/// The sender's lock, while it is held: meanwhile nobody changes what may be sent, or stands in Koha's queue.
pub(super) struct Turn<'a> {
    desk: &'a Desk,
    _permit: Permit,
}

impl<'a> Turn<'a> {
    /// `None` where somebody has it.
    pub(super) async fn take(desk: &'a Desk) -> Option<Self> {
        let permit = desk.may_change_log().await.ok()?;
        desk.sending.set(true);
        Some(Self { desk, _permit: permit })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.desk.sending.set(false);
        self.desk.sends_up_to.set(None);
    }
}
