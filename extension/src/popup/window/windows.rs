//! What the windows of a profile tell each other about the log, so that each shows it as it is.

use crate::{dom, popup::Desk};
use koct_core::TransactionId;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, MessageEvent};

const CHANNEL: &str = "koct-log";
/// Where more than this has changed, the log is read anew.
const FEW: usize = 500;

pub(crate) struct Windows {
    channel: BroadcastChannel,
    told: RefCell<Told>,
    reading: Cell<bool>,
}

/// What was heard and not read yet.
#[derive(Default)]
struct Told {
    anything: bool,
    ids: BTreeSet<TransactionId>,
}

impl Windows {
    /// # Errors
    /// When Firefox has no channel.
    pub(crate) fn new() -> Result<Self, JsValue> {
        Ok(Self { channel: BroadcastChannel::new(CHANNEL)?, told: RefCell::default(), reading: Cell::default() })
    }

    fn hear(&self, message: &JsValue) {
        let mut told = self.told.borrow_mut();
        match serde_wasm_bindgen::from_value::<Vec<TransactionId>>(message.clone()) {
            Ok(ids) => told.ids.extend(ids),
            Err(_) => told.anything = true,
        }
        told.anything |= told.ids.len() > FEW;
    }
}

pub(crate) fn bind(desk: &Rc<Desk>) {
    let this = desk.clone();
    dom::on::<MessageEvent>(desk.windows.channel.unchecked_ref(), "message", move |event| {
        this.windows.hear(&event.data());
        if !this.windows.reading.replace(true) {
            spawn_local(this.clone().read_told());
        }
    });
}

impl Desk {
    /// Tells the other windows of this profile that the log has changed.
    pub(crate) fn tell_others(&self) {
        let _ = self.windows.channel.post_message(&JsValue::NULL);
    }

    /// Tells them that these have changed, or are new, and nothing else.
    pub(crate) fn tell_others_of(&self, ids: &[TransactionId]) {
        let message = serde_wasm_bindgen::to_value(ids).unwrap_or(JsValue::NULL);
        let _ = self.windows.channel.post_message(&message);
    }

    /// Reads what was told. What is told meanwhile is read in one more go: a window that scans at full speed must not
    /// make the others fall behind.
    async fn read_told(self: Rc<Self>) {
        loop {
            let told = self.windows.told.take();
            if !told.anything && told.ids.is_empty() {
                break;
            }
            if told.anything || !self.read_few(told.ids).await {
                self.clone().reload_log().await;
            }
        }
        self.windows.reading.set(false);
    }

    /// Reads these. Returns whether they are all there.
    async fn read_few(self: &Rc<Self>, ids: BTreeSet<TransactionId>) -> bool {
        let ids: Vec<TransactionId> = ids.into_iter().collect();
        let (Ok(entries), Ok(counts)) = (self.store.get(&ids).await, self.store.counts().await) else { return false };
        if entries.len() < ids.len() {
            return false;
        }
        self.set_counts(counts);
        for entry in entries {
            self.find.take(&entry);
            self.changed(&entry);
            self.table.update(entry);
        }
        self.clone().show_found().await;
        true
    }
}
