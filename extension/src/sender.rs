//! Runs one commit: does what core's outbox says, against the store and the network.

use crate::{
    http::{Http, sleep},
    store::{Change, Store},
    webext,
};
use koct_core::{
    Settings, State, TransactionId,
    outbox::{Input, Outbox, Output, summary::Summary},
};
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::sync::mpsc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortSignal;

/// The Web Lock that only one window of a profile can hold.
const LOCK: &str = "koct-sender";

/// Whoever watches a commit.
pub(crate) trait Watcher {
    /// What the log holds up to this number may be sent from now on; what is recorded later is not.
    fn began(&self, up_to: TransactionId);
    /// These entries have changed, durably.
    fn changed(&self, changes: Vec<Change>);
    /// So many of so many have an answer.
    fn progress(&self, done: u32, total: u32);
}

/// Stops the commit that is running, if one is.
#[derive(Default)]
pub(crate) struct Stopper(RefCell<Option<mpsc::UnboundedSender<Input>>>);

impl Stopper {
    /// What has left is still waited for.
    pub(crate) fn stop(&self) {
        if let Some(reports) = &*self.0.borrow() {
            let _ = reports.send(Input::Cancel);
        }
    }
}

/// A lock that is held until this value is dropped.
pub(crate) struct Lock {
    release: js_sys::Function,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// How long the lock is waited for, in milliseconds: one that was just given back is free a moment later, while a commit
/// holds it much longer.
const LOCK_TIMEOUT_MS: u32 = 500;

/// Takes the sender's lock, or `None` where another window has it.
pub(crate) async fn lock() -> Option<Lock> {
    lock_of(LOCK).await
}

/// Takes a lock of this profile, or `None` where another window has it.
pub(crate) async fn lock_of(name: &str) -> Option<Lock> {
    let taken = js_sys::Promise::new(&mut |resolve, _| {
        let gives_up = resolve.clone();
        let granted = Closure::once_into_js(move |_lock: JsValue| -> JsValue {
            // The lock is held until this promise ends.
            js_sys::Promise::new(&mut |release, _| {
                let _ = resolve.call1(&JsValue::UNDEFINED, &release);
            })
            .into()
        });
        let options = webext::object([("signal", AbortSignal::timeout_with_u32(LOCK_TIMEOUT_MS).into())]);
        let held = webext::request_lock(name, &options, granted.unchecked_ref());
        spawn_local(async move {
            if JsFuture::from(held).await.is_err() {
                let _ = gives_up.call0(&JsValue::UNDEFINED);
            }
        });
    });
    let release = JsFuture::from(taken).await.ok()?.dyn_into().ok()?;
    Some(Lock { release })
}

/// Commits what is uncommitted in the log. The caller holds the [`Lock`].
///
/// # Errors
/// When the log cannot be read; then nothing was sent.
pub(crate) async fn run(
    settings: Settings,
    store: &Store,
    watcher: &dyn Watcher,
    stopper: &Stopper,
) -> Result<Summary, crate::store::StoreError> {
    let http = Rc::new(Http::isolated(&settings.server.permission_pattern()));
    let uncommitted = store.in_states(&[State::Local, State::InDoubt, State::Sending]).await?;
    watcher.began(uncommitted.iter().map(|entry| entry.id).max().unwrap_or(TransactionId(0)));
    let (reports, mut happened) = mpsc::unbounded_channel();
    stopper.0.replace(Some(reports.clone()));
    let mut outbox = Outbox::new(settings, uncommitted);
    let summary = loop {
        // The person's wish to stop comes before the next request.
        while let Ok(input) = happened.try_recv() {
            outbox.handle(input);
        }
        let (done, total) = outbox.progress();
        watcher.progress(done, total);
        match outbox.poll() {
            Some(Output::Persist(statuses)) => match store.set_statuses(&statuses).await {
                Ok(changes) => {
                    watcher.changed(changes);
                    outbox.handle(Input::Persisted);
                }
                Err(_) => outbox.handle(Input::NotPersisted),
            },
            Some(Output::Request(ticket, request)) => {
                let (http, reports) = (http.clone(), reports.clone());
                spawn_local(async move {
                    let answer = http.send(&request).await;
                    // Nobody listens any more if the commit was cancelled while connecting.
                    let _ = reports.send(Input::Answer(ticket, answer));
                });
            }
            Some(Output::Wait(ticket, millis)) => {
                let reports = reports.clone();
                spawn_local(async move {
                    sleep(Duration::from_millis(millis.into())).await;
                    let _ = reports.send(Input::Waited(ticket));
                });
            }
            Some(Output::Finished(summary)) => break summary,
            None => match happened.recv().await {
                Some(input) => outbox.handle(input),
                // Cannot be: this end of the channel is open too.
                None => break Summary::default(),
            },
        }
    };
    stopper.0.replace(None);
    Ok(summary)
}
