//! Locks that only one window of a profile can hold.

use crate::{
    ground, timer,
    webext::{self, property, text_property},
};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Whoever holds it may send what is in the log, or change what another could be sending.
const SENDER: &str = "koct-sender";

/// A lock that is held until this value is dropped.
#[derive(Debug)]
pub struct Lock {
    release: js_sys::Function,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// After how long it is looked whether somebody has a lock that was not given: one that was just given back is free a moment
/// later, while a commit holds it much longer.
const LOOKED_AFTER: Duration = Duration::from_millis(500);

/// Takes the sender's lock, or `None` where another window has it.
pub(crate) async fn lock() -> Option<Lock> {
    lock_of(SENDER).await
}

/// Whether somebody sends what is in the log, or changes what could be sent.
pub(crate) async fn is_sending() -> bool {
    is_held(SENDER).await.unwrap_or_default()
}

/// Whether somebody has this lock, as far as Firefox tells.
async fn is_held(name: &str) -> Option<bool> {
    let locks = webext::query_locks().await.ok()?;
    let name = ground::name(name);
    let held = js_sys::Array::from(&property(&locks, "held"));
    Some(held.iter().any(|lock| text_property(&lock, "name").as_ref() == Some(&name)))
}

/// Takes a lock of this profile, or `None` where another window has it.
///
/// That it was not given in time says nothing of others: on a busy computer Firefox gives it late, or this page hears of it late.
pub async fn lock_of(name: &str) -> Option<Lock> {
    loop {
        let in_time = timer::abort_after(LOOKED_AFTER);
        if let Some(lock) = take(name, [("signal", in_time.clone().into())]).await {
            return Some(lock);
        }
        if !in_time.aborted() || is_held(name).await != Some(false) {
            return None;
        }
    }
}

/// Shares a lock with other windows, so that nobody takes it alone meanwhile. Whoever has it alone is waited for.
pub(crate) async fn share(name: &str) -> Option<Lock> {
    take(name, [("mode", "shared".into())]).await
}

/// Takes a lock of this profile once it is free.
pub async fn wait_for(name: &str) -> Option<Lock> {
    take(name, []).await
}

async fn take<const N: usize>(name: &str, options: [(&str, JsValue); N]) -> Option<Lock> {
    let options = webext::object(options);
    let taken = js_sys::Promise::new(&mut |resolve, _| {
        let gives_up = resolve.clone();
        let granted = Closure::once_into_js(move |_lock: JsValue| -> JsValue {
            // The lock is held until this promise ends.
            js_sys::Promise::new(&mut |release, _| {
                let _ = resolve.call1(&JsValue::UNDEFINED, &release);
            })
            .into()
        });
        let held = webext::request_lock(&ground::name(name), &options, granted.unchecked_ref());
        spawn_local(async move {
            if JsFuture::from(held).await.is_err() {
                let _ = gives_up.call0(&JsValue::UNDEFINED);
            }
        });
    });
    let release = JsFuture::from(taken).await.ok()?.dyn_into().ok()?;
    Some(Lock { release })
}
