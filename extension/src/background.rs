//! What is to be seen of KOCT while no window of it is open. The window itself is opened by `popup/open.js`, which waits for
//! no module.

use crate::{
    badge, copy, outage, preferences,
    store::{self, Store, StoreError},
};
use koct_core::{
    State,
    log::{Counts, badge::MOST},
};

/// The badge is drawn from the log. Returns what it counts; `None` where the log cannot be opened.
pub(crate) async fn show_badge() -> Option<Counts> {
    // Where the log cannot be opened, the window says so.
    let store = Store::open(&store::database()).await.ok()?;
    let counts = open_counts(&store).await.ok();
    store.close();
    badge::set_outage(outage::is_out().await);
    badge::show_remembered(counts?);
    counts
}

/// Firefox has started, or woken this page: the badge is drawn from the log, and what was left over of permissions given back.
pub(crate) async fn woken() {
    // Permissions have nothing to do with it.
    show_badge().await;
    preferences::give_back_permissions().await;
    // Each run of Firefox begins a new copy, whether or not a window is opened.
    if !copy::store::has_begun().await
        && preferences::stored().await.is_ok_and(|preferences| preferences.desk.second_copy)
    {
        copy::wake();
    }
}

/// What the badge counts, without what cannot be read.
async fn open_counts(store: &Store) -> Result<Counts, StoreError> {
    let counts = store.counts().await?;
    if counts.uncommitted() > MOST {
        return Ok(counts);
    }
    // What cannot be read is known once it was met.
    store.in_states_by_number(&State::which(State::is_open)).await?;
    store.counts().await
}
