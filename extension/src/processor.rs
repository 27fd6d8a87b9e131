//! Runs through Koha's queue: does what core's `processing` says, against the store and the network.

use crate::{
    clock,
    http::Http,
    store::{Change, Store},
};
use koct_core::{
    Settings,
    log::handled::Handled,
    processing::{Input, Output, Processing, Report},
};
use std::cell::Cell;

/// Whoever watches a run.
pub(crate) trait Watcher {
    /// These rows are noted, durably, and these entries of the log have changed with them.
    fn noted(&self, rows: Vec<Handled>, changes: Vec<Change>);
    /// This number of rows, of that number in all, is over.
    fn progress(&self, done: usize, all: usize);
}

/// Does it. The caller holds the sender's lock, where anything may be noted. It ends early once `stops` is set; what has left is
/// still waited for.
pub(crate) async fn run(
    settings: &Settings,
    store: &Store,
    mut processing: Processing,
    watcher: &dyn Watcher,
    stops: &Cell<bool>,
) -> Report {
    let http = Http::isolated(&settings.server.permission_pattern());
    loop {
        if stops.take() {
            processing.handle(Input::Stop, clock::time());
        }
        let (done, all) = processing.progress();
        watcher.progress(done, all);
        let input = match processing.poll() {
            Some(Output::Note(notes)) => match store.note_handled(&notes).await {
                Ok(changes) => {
                    watcher.noted(notes.into_iter().map(|note| note.handled).collect(), changes);
                    Input::Noted
                }
                Err(_) => Input::NotNoted,
            },
            Some(Output::Request(request)) => Input::Answer(http.send(&request).await),
            Some(Output::Finished(report)) => return report,
            // Cannot be: it waits for nothing but what was just reported.
            None => return Report::default(),
        };
        processing.handle(input, clock::time());
    }
}
