//! Locks that only one window of a profile can hold.

use crate::{
    ground,
    webext::{self, property, text_property},
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortSignal;

/// Whoever holds it may send what is in the log, or change what another could be sending.
const SENDER: &str = "koct-sender";

/// A lock that is held until this value is dropped.
pub(crate) struct Lock {
    release: js_sys::Function,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// For how long a lock is waited for, in milliseconds: one that was just given back is free a moment later, while a commit
/// holds it much longer.
const TIMEOUT_MS: u32 = 500;

/// Takes the sender's lock, or `None` where another window has it.
pub(crate) async fn lock() -> Option<Lock> {
    lock_of(SENDER).await
}

/// Whether somebody sends what is in the log, or changes what could be sent.
pub(crate) async fn is_sending() -> bool {
    let Ok(locks) = webext::query_locks().await else { return false };
    let sender = ground::name(SENDER);
    js_sys::Array::from(&property(&locks, "held"))
        .iter()
        .any(|lock| text_property(&lock, "name").as_ref() == Some(&sender))
}

/// Takes a lock of this profile, or `None` where another window has it.
pub(crate) async fn lock_of(name: &str) -> Option<Lock> {
    take(name, [("signal", AbortSignal::timeout_with_u32(TIMEOUT_MS).into())]).await
}

/// Shares a lock with other windows, so that nobody takes it alone meanwhile. Whoever has it alone is waited for.
pub(crate) async fn share(name: &str) -> Option<Lock> {
    take(name, [("mode", "shared".into())]).await
}

/// Takes a lock of this profile once it is free.
pub(crate) async fn wait_for(name: &str) -> Option<Lock> {
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
