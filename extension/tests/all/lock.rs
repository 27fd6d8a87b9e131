//! Locks of a real Firefox.

use js_sys::{Function, Object, Reflect};
use koct_extension::lock::{lock_of, wait_for};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

/// From now on Firefox gives no lock in time, this number of times. Returns the object that counts those still to come.
fn is_late(times: u32) -> Object {
    let make = Function::new_with_args(
        "times",
        "const late = { times };
         navigator.locks.request = (name, options, granted) => {
           if (late.times === 0) {
             delete navigator.locks.request;
             return navigator.locks.request(name, options, granted);
           }
           late.times -= 1;
           return new Promise((_, refuse) =>
             options.signal.addEventListener('abort', () => refuse(options.signal.reason)));
         };
         return late;",
    );
    make.call1(&JsValue::UNDEFINED, &times.into()).unwrap().unchecked_into()
}

#[wasm_bindgen_test]
async fn one_that_nobody_has_is_given_however_late_firefox_gives_it() {
    let late = is_late(2);
    let lock = lock_of("late").await;
    assert_eq!(Reflect::get(&late, &"times".into()).unwrap(), 0, "it was late, as was meant");
    assert!(lock.is_some());
}

#[wasm_bindgen_test]
async fn one_that_another_has_is_not_given_until_it_is_given_back() {
    let held = wait_for("held").await;
    assert!(lock_of("held").await.is_none());
    drop(held);
    assert!(lock_of("held").await.is_some());
}
