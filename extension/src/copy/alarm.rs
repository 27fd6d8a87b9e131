//! Writes in the event page what no window has written of the second copy.

use super::{self as copy, Writing, apply_alarm, set_alarm};
use crate::{
    clock, preferences, ready,
    store::{self, Store},
    timer::sleep,
};
use koct_core::desks::copy::alarm::Alarm;
use std::time::Duration;

/// If the event page ends in the middle, the alarm rings this long after.
const WATCH: Duration = Duration::from_mins(3);
/// The event page sleeps rather than to be woken again, where it is no longer than this.
const WAIT: Duration = Duration::from_secs(5);

/// The alarm has rung: what no window has written is written.
pub(crate) async fn rang() {
    let Ok(preferences) = preferences::load().await else { return };
    if !preferences.desk.second_copy {
        return;
    }
    // Where a window has it, that one writes, and sets the alarm.
    let Some(lock) = copy::free_lock().await else { return };
    set_alarm(clock::time().plus(WATCH));
    // Where it cannot be opened, the window says so, and there is nothing to copy.
    let Ok(store) = Store::open(&store::database()).await else { return };
    let mut left = Some(WATCH);
    if let Ok(writing) = Writing::begin(lock, None, &store, preferences.desk_name()).await {
        let state = async || ready::state(&store, &preferences, ready::held(&preferences).await).await;
        left = writing.go_on(&store, state).await;
        while let Some(wait) = left.filter(|wait| *wait <= WAIT) {
            sleep(wait).await;
            left = writing.go_on(&store, state).await;
        }
        writing.end(false);
    }
    store.close();
    apply_alarm(Alarm::from_event_page(left, clock::time()));
}
