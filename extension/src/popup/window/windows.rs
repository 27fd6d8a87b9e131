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
        /// What was heard and not read yet, as it came.
        heard: RefCell<Vec<JsValue>>,
        /// Whether somebody reads what was told: at first who reads the whole log, and then what was told meanwhile.
        pub(crate) reading: Cell<bool> = Cell::new(true),
    }
}

/// What was heard.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) anything: bool,
    pub(crate) committed: bool,
    pub(crate) ids: BTreeSet<TransactionId>,
}

impl Told {
    fn hear(&mut self, message: JsValue) {
        match serde_wasm_bindgen::from_value(message) {
            Ok(Message::Changed(ids)) => self.ids.extend(ids),
            Ok(Message::Committed) => self.committed = true,
            Ok(Message::Reload) | Err(_) => self.anything = true,
        }
        self.anything |= self.ids.len() > FEW;
    }
}

impl Windows {
    /// Keeps what was heard.
    pub(crate) fn hear(&self, message: JsValue) {
        self.heard.borrow_mut().push(message);
    }

    /// What was heard and not read yet.
    pub(crate) fn told(&self) -> Told {
        let mut told = Told::default();
        self.heard.take().into_iter().for_each(|message| told.hear(message));
        told
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
