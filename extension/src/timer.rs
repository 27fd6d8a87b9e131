//! Waiting.

use std::time::Duration;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// The time, as events tell it, in milliseconds.
pub(crate) fn now() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// Waits for this long, or a little longer.
pub(crate) async fn sleep(time: Duration) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            let millis = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis);
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// Gives up what waits for it after this long.
pub(crate) fn abort_after(time: Duration) -> AbortSignal {
    AbortSignal::timeout_with_u32(u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
}
