//! What the windows of a profile tell each other about the log, so that each shows it as it is.

use crate::{dom::elements, ground};
use koct_core::{TransactionId, log::event::LogEvent};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    time::Duration,
};
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

const CHANNEL: &str = "koct-log";
/// Where more than this has changed, the log is read anew.
const FEW: usize = 500;
/// For how long what is told is gathered: a commit elsewhere changes hundreds of rows a second.
pub(crate) const HEARING_LAG: Duration = Duration::from_millis(250);

/// What is told of a [`LogEvent`]: numbers only, since the log itself says how they stand.
#[derive(Serialize, Deserialize)]
enum Message {
    Changed(Vec<TransactionId>),
    Committed,
    Reload,
}

elements! {
    pub(crate) struct Windows {
        ;
        pub(crate) channel: BroadcastChannel = ground::channel(CHANNEL)?,
        pub(crate) told: RefCell<Told>,
        pub(crate) reading: Cell<bool>,
    }
}

/// What was heard and not read yet.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) anything: bool,
    pub(crate) committed: bool,
    pub(crate) ids: BTreeSet<TransactionId>,
}

impl Windows {
    pub(crate) fn hear(&self, message: JsValue) {
        let mut told = self.told.borrow_mut();
        match serde_wasm_bindgen::from_value(message) {
            Ok(Message::Changed(ids)) => told.ids.extend(ids),
            Ok(Message::Committed) => told.committed = true,
            Ok(Message::Reload) | Err(_) => told.anything = true,
        }
        told.anything |= told.ids.len() > FEW;
    }

    /// Tells the other windows of this profile that the log has changed.
    pub(crate) fn tell(&self, event: &LogEvent) {
        let message = match event {
            LogEvent::Recorded(_) | LogEvent::Changed(_) => {
                Message::Changed(event.entries().iter().map(|entry| entry.id).collect())
            }
            LogEvent::Committed => Message::Committed,
            LogEvent::Reload(_) => Message::Reload,
        };
        // What is not understood makes them read everything.
        let message = serde_wasm_bindgen::to_value(&message).unwrap_or(JsValue::NULL);
        let _ = self.channel.post_message(&message);
    }
}
