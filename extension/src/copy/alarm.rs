//! Writes in the event page what no window has written of the second copy.

use super::{self as copy, Writing, apply_alarm};
use crate::{
    clock, preferences, ready,
    store::{self, Store},
    timer::sleep,
};
use koct_core::desks::copy::alarm::Alarm;

/// The alarm has rung: what no window has written is written.
pub(crate) async fn rang() {
    // What cannot be read now may be later.
    let Ok(preferences) = preferences::load().await else { return apply_alarm(Alarm::not_begun(clock::time())) };
    if !preferences.desk.second_copy {
        return;
    }
    // Where a window has it, that one writes, and sets the alarm.
    let Some(lock) = copy::free_lock().await else { return };
    apply_alarm(Alarm::watching(clock::time()));
    // Where it cannot be opened, the window says so, and there is nothing to copy.
    let Ok(store) = Store::open(&store::database()).await else { return };
    let begun = Writing::begin(lock, None, &store, preferences.desk_name()).await;
    let alarm = if let Ok(writing) = begun {
        let state = async || ready::state(&store, &preferences, ready::held(&preferences).await).await;
        let mut left = writing.go_on(&store, state).await;
        while let Some(wait) = Alarm::sleeps(left) {
            sleep(wait).await;
            left = writing.go_on(&store, state).await;
        }
        Alarm::from_event_page(left, writing.end(false), clock::time())
    } else {
        Alarm::not_begun(clock::time())
    };
    store.close();
    apply_alarm(alarm);
}
