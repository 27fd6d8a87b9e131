//! Asks Koha, any time after a commit, what is left to do about it.

use crate::{
    clock,
    http::Http,
    i18n::{text, text_with},
    popup::Desk,
    wording::{self, Explained as _},
};
use koct_core::{
    koha::{afterwards::Afterwards, audit::Terms},
    log::{commit::Batch, event::LogEvent},
};
use std::rc::Rc;

/// Asks, and keeps what Koha tells with the record of the commit.
///
/// # Errors
/// With the words for the person, where Koha cannot be asked or the record cannot be written.
pub(crate) async fn ask(desk: &Rc<Desk>, number: u32, batch: Batch) -> Result<(), String> {
    let settings = desk.settings_to_ask().await?;
    let entries = desk.store.get(&batch.transactions).await.map_err(|error| error.explained())?;
    let debt_limit = desk.preferences.borrow().records.debt_limit().ok().flatten();
    let booked_at = batch.must_be_booked_at().map(str::to_owned);
    let terms = Terms { debt_limit, booked_at, with_queued: true, ..Terms::default() };
    let http = Http::isolated(&settings.server.permission_pattern());
    let (mut asks, request) = Afterwards::start(settings.clone(), terms, entries);
    let report =
        http.ask(request, |answer| asks.handle(answer)).await.map_err(|error| wording::connection_error(&error))?;
    if report.is_broken_off {
        return Err(text("batchAskFailed"));
    }
    // Meanwhile another window may have asked, the log may have been cleared, and the number may be another commit's.
    let there = desk.store.get(&batch.transactions).await.map_err(|error| error.explained())?;
    let there = there.into_iter().map(|entry| entry.id).collect();
    let told = |now: Batch| {
        if now.started != batch.started {
            return now;
        }
        now.told_again(&report.audited, clock::time()).forgetting_others(&there)
    };
    let kept = desk.store.change_batch(number, told).await;
    kept.map_err(|error| text_with("batchFailed", &[&error.explained()]))?;
    desk.log_changed(&LogEvent::Committed);
    Ok(())
}
