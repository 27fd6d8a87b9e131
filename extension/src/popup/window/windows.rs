//! What the windows of a profile tell each other about the log, so that each shows it as it is.

use crate::{
    dom::{self, elements},
    popup::Desk,
    timer::sleep,
};
use koct_core::{TransactionId, log::event::LogEvent};
use serde::{Deserialize, Serialize};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, MessageEvent};

const CHANNEL: &str = "koct-log";
/// Where more than this has changed, the log is read anew.
const FEW: usize = 500;
/// For how long what is told is gathered: a commit elsewhere changes hundreds of rows a second.
const HEARING_LAG: Duration = Duration::from_millis(250);

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
        channel: BroadcastChannel = BroadcastChannel::new(CHANNEL)?,
        told: RefCell<Told>,
        reading: Cell<bool>,
    }
}

/// What was heard and not read yet.
#[derive(Default)]
struct Told {
    anything: bool,
    committed: bool,
    ids: BTreeSet<TransactionId>,
}

impl Windows {
    fn hear(&self, message: JsValue) {
        let mut told = self.told.borrow_mut();
        match serde_wasm_bindgen::from_value(message) {
            Ok(Message::Changed(ids)) => told.ids.extend(ids),
            Ok(Message::Committed) => told.committed = true,
            Ok(Message::Reload) | Err(_) => told.anything = true,
        }
        told.anything |= told.ids.len() > FEW;
    }
}

pub(crate) fn bind(desk: &Rc<Desk>) {
    let this = desk.clone();
    dom::on::<MessageEvent>(desk.windows.channel.unchecked_ref(), "message", move |event| {
        this.windows.hear(event.data());
        if !this.windows.reading.replace(true) {
            spawn_local(this.clone().read_told());
        }
    });
}

impl Desk {
    /// Tells the other windows of this profile that the log has changed.
    pub(crate) fn tell_others(&self, event: &LogEvent) {
        let message = match event {
            LogEvent::Recorded(_) | LogEvent::Changed(_) => {
                Message::Changed(event.entries().iter().map(|entry| entry.id).collect())
            }
            LogEvent::Committed => Message::Committed,
            LogEvent::Reload(_) => Message::Reload,
        };
        // What is not understood makes them read everything.
        let message = serde_wasm_bindgen::to_value(&message).unwrap_or(JsValue::NULL);
        let _ = self.windows.channel.post_message(&message);
    }

    /// Reads what was told. What is told meanwhile is read in one more go: a window that scans at full speed must not
    /// make the others fall behind.
    async fn read_told(self: Rc<Self>) {
        loop {
            let Told { anything, committed, ids } = self.windows.told.take();
            if !anything && !committed && ids.is_empty() {
                break;
            }
            if anything || !self.read_changed(ids).await {
                self.clone().reread_log().await;
            } else if committed {
                self.follow(&LogEvent::Committed);
            }
            sleep(HEARING_LAG).await;
        }
        self.windows.reading.set(false);
    }

    /// Reads these. Returns whether they are all there.
    async fn read_changed(self: &Rc<Self>, ids: BTreeSet<TransactionId>) -> bool {
        if ids.is_empty() {
            return true;
        }
        let ids: Vec<TransactionId> = ids.into_iter().collect();
        // Each is taken over as soon as it is read, before this window itself can change it.
        let Ok(counts) = self.store.counts().await else { return false };
        self.counts.set(counts);
        let Ok(entries) = self.store.get(&ids).await else { return false };
        let is_whole = entries.len() == ids.len();
        self.follow(&LogEvent::Changed(entries));
        self.draw_now();
        is_whole
    }
}
