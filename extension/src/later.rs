//! What is loaded after the window is ready to scan.
//!
//! Firefox compiles an add-on's WebAssembly anew each time a window opens. So the module that the window starts with holds what a
//! scan needs, and all else is split off (`wasm_split_cli_support`, in `cargo xtask build`) into parts: the log as it is shown; what
//! comes after it, which is there before somebody has lifted the first book; and last what takes its time anyhow: commits, files,
//! downloads. What goes where follows from the calls: a function declared here, and all that nothing else needs, is in its part.
//! Whoever calls it waits until the part is there, which is once.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Declares asynchronous functions whose code is in the part that is loaded after the log is shown.
macro_rules! later {
    ($($(#[$about:meta])* $visible:vis async fn $name:ident($($given:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block)+) => {
        $($crate::later::part! { later, $(#[$about])* $visible async fn $name($($given: $kind),*) $(-> $result)? $body })+
    };
}
pub(crate) use later;

/// Declares asynchronous functions whose code is in the part that is loaded last.
macro_rules! seldom {
    ($($(#[$about:meta])* $visible:vis async fn $name:ident($($given:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block)+) => {
        $($crate::later::part! { seldom, $(#[$about])* $visible async fn $name($($given: $kind),*) $(-> $result)? $body })+
    };
}
pub(crate) use seldom;

/// Declares an asynchronous function whose code is in this part.
macro_rules! part {
    ($part:ident, $(#[$about:meta])* $visible:vis async fn $name:ident($($given:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$about])*
        #[wasm_split_helpers::wasm_split($part, return_wrapper(let future = _; { future.await } -> $crate::later::part!(@ $($result)?)))]
        $visible fn $name($($given: $kind),*) -> futures_util::future::LocalBoxFuture<'static, $crate::later::part!(@ $($result)?)> {
            Box::pin(async move $body)
        }
    };
    (@) => { () };
    (@ $result:ty) => { $result };
}
pub(crate) use part;

part! {
    log,
    /// Loads the log as it is shown, before it is needed.
    async fn load_log() {}
}

later! {
    /// Loads what comes after it, before it is needed.
    async fn load_later() {}
}

seldom! {
    /// Loads what comes last, before it is needed.
    async fn load_seldom() {}
}

/// Begins to load the parts, what is needed first before the other. The file of the first is asked for before this returns.
pub(crate) async fn begin() {
    spawn_local(async {
        load_log().await;
        load_later().await;
        load_seldom().await;
    });
    // Who was spawned goes first.
    let _ = JsFuture::from(Promise::resolve(&JsValue::UNDEFINED)).await;
}
