//! Asks Koha, any time after a commit, what is left to do about it.

use crate::{
    clock,
    http::Http,
    i18n::{text, text_with},
    popup::Desk,
    preferences,
    store::StoreError,
    webext,
    wording::{self, Explained as _},
};
use koct_core::{
    koha::{
        afterwards::{Afterwards, Next},
        audit::Terms,
    },
    log::{commit::Batch, event::LogEvent},
};
use std::rc::Rc;

/// Asks, and keeps what Koha tells with the record of the commit.
///
/// # Errors
/// With the words for the person, where Koha cannot be asked or the record cannot be written.
pub(crate) async fn ask(desk: &Rc<Desk>, number: u32, batch: Batch) -> Result<(), String> {
    desk.clone().reload_preferences().await;
    let settings = desk.settings().ok_or_else(|| text("commitNotConfigured"))?;
    let origins = preferences::origins(&settings.server.permission_pattern());
    if !webext::contains_permissions(&origins).await.is_ok_and(|allowed| allowed.is_truthy()) {
        return Err(text_with("commitNotAllowed", &[settings.server.as_str()]));
    }
    let entries = desk.store.get(&batch.transactions).await.map_err(|error| error.explained())?;
    let debt_limit = desk.preferences.borrow().records.debt_limit().ok().flatten();
    let booked_at = batch.must_be_booked_at().map(str::to_owned);
    let terms = Terms { debt_limit, booked_at, with_queued: true, ..Terms::default() };
    let http = Http::isolated(&settings.server.permission_pattern());
    let (mut asks, mut request) = Afterwards::start(settings.clone(), terms, entries);
    let report = loop {
        match asks.handle(http.send(&request).await) {
            Next::Request(next) => request = next,
            Next::Done(report) if report.is_broken_off => return Err(text("batchAskFailed")),
            Next::Done(report) => break report,
            Next::Failed(error) => return Err(wording::trouble(&error)),
        }
    };
    // Meanwhile another window may have asked, or the log may have been cleared.
    let words = |error: StoreError| error.explained();
    let now_there = desk.store.batches_where(|other| other.started == batch.started).await.map_err(words)?;
    let Some((_, batch)) = now_there.into_iter().find(|(other, _)| *other == number) else { return Ok(()) };
    let batch = batch.told_again(&report.audited, clock::time());
    let there = desk.store.get(&batch.told_of()).await.map_err(words)?;
    let batch = batch.forgetting_others(&there.into_iter().map(|entry| entry.id).collect());
    desk.store.set_batch(number, &batch).await.map_err(|error| text_with("batchFailed", &[&error.explained()]))?;
    desk.log_changed(&LogEvent::Committed);
    Ok(())
}
