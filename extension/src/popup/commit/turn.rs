//! The turn to send: one window of a profile has it.

use crate::{
    lock::{self, Lock},
    popup::Desk,
};

/// The sender's lock, while it is held: meanwhile nobody changes what may be sent, or stands in Koha's queue.
pub(super) struct Turn<'a> {
    desk: &'a Desk,
    _lock: Lock,
}

impl<'a> Turn<'a> {
    /// `None` where somebody has it.
    pub(super) async fn take(desk: &'a Desk) -> Option<Self> {
        // A change that this window is just making is no other window's commit.
        let _changing = desk.changing.lock().await;
        let lock = lock::lock().await?;
        desk.sending.set(true);
        Some(Self { desk, _lock: lock })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.desk.sending.set(false);
        self.desk.sends_up_to.set(None);
    }
}
