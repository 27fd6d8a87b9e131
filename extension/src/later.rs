//! What is loaded after the window is ready to scan.
//!
//! Firefox compiles an add-on's WebAssembly anew each time a window opens. So the module that the window starts with holds what a
//! scan needs; all else is split off (`wasm_split_cli_support`, in `cargo xtask build`) into a part that is loaded while somebody
//! lifts the first book. What goes where follows from the calls: a function declared here, and all that nothing else needs, is in
//! the part. Whoever calls it waits until the part is there, which is once.

/// Declares asynchronous functions whose code is in the part that is loaded later.
macro_rules! later {
    ($($(#[$about:meta])* $visible:vis async fn $name:ident($($given:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block)+) => {
        $(
            $(#[$about])*
            #[wasm_split_helpers::wasm_split(later, return_wrapper(let future = _; { future.await } -> $crate::later::later!(@ $($result)?)))]
            $visible fn $name($($given: $kind),*) -> futures_util::future::LocalBoxFuture<'static, $crate::later::later!(@ $($result)?)> {
                Box::pin(async move $body)
            }
        )+
    };
    (@) => { () };
    (@ $result:ty) => { $result };
}
pub(crate) use later;

later! {
    /// Loads the part, before it is needed.
    pub(crate) async fn load() {}
}
