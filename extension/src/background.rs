//! What is to be seen of KOCT while no window of it is open. The window itself is opened by `popup/open.js`, which waits for
//! no module.

use crate::{
    badge, preferences,
    store::{self, Store, StoreError},
};
use koct_core::{State, log::Counts};

/// Firefox has started, or woken this page: the badge is drawn from the log, and what was left over of permissions given back.
pub(crate) async fn woken() {
    // Where the log cannot be opened, the window says so. Permissions have nothing to do with it.
    if let Ok(store) = Store::open(store::DATABASE).await {
        if let Ok(counts) = open_counts(&store).await {
            badge::show_remembered(counts);
        }
        store.close();
    }
    preferences::give_back_permissions().await;
}

/// What the badge counts, without what cannot be read.
async fn open_counts(store: &Store) -> Result<Counts, StoreError> {
    let counts = store.counts().await?;
    if counts.uncommitted() > badge::MOST {
        return Ok(counts);
    }
    // What cannot be read is known once it was met.
    store.in_states(&State::which(State::is_open)).await?;
    store.counts().await
}
