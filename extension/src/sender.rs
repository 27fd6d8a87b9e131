//! Runs one commit: does what core's outbox says, against the store and the network.

use crate::{
    clock, ground,
    http::Http,
    practice,
    store::{Change, Store, StoreError},
    timer::sleep,
};
use futures_channel::mpsc;
use futures_util::StreamExt;
use koct_core::{
    Settings, TransactionId,
    koha::page::LoggedIn,
    outbox::{Input, Outbox, Output, summary::Summary},
};
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen_futures::spawn_local;

/// Whoever watches a commit.
pub(crate) trait Watcher {
    /// What the log holds up to this number may be sent from now on; what is recorded later is not.
    fn began(&self, up_to: TransactionId);
    /// These entries have changed, durably.
    fn changed(&self, changes: Vec<Change>);
    /// This number of transactions, of that number in all, have an answer.
    fn progress(&self, done: u32, total: u32);
    /// Nothing is sent for this time, since the server could not be reached or asks to wait.
    fn waits(&self, time: Duration);
    /// Nobody is logged in to Koha in this browser. Said again and again until somebody is.
    fn nobody_logged_in(&self);
    /// It goes on in this person's session.
    fn goes_on_as(&self, who: &LoggedIn);
    /// Asks the person whether to apply at this library, where they are logged in.
    fn elsewhere(&self, library: String, answer: Box<dyn FnOnce(bool)>);
}

/// Stops the commit that is running, if one is.
#[derive(Default)]
pub(crate) struct Stopper(RefCell<Option<mpsc::UnboundedSender<Input>>>);

impl Stopper {
    /// What has left is still waited for.
    pub(crate) fn stop(&self) {
        if let Some(reports) = &*self.0.borrow() {
            let _ = reports.unbounded_send(Input::Cancel);
        }
    }
}

/// Runs this commit of what the log holds up to this number. The caller holds the sender's lock since that was read.
pub(crate) async fn run(
    settings: &Settings,
    store: &Store,
    mut outbox: Outbox,
    up_to: TransactionId,
    watcher: &dyn Watcher,
    stopper: &Stopper,
) -> Summary {
    // In practice, a made-up Koha answers.
    let http = (!ground::is_practice()).then(|| Rc::new(Http::isolated(&settings.server.permission_pattern())));
    watcher.began(up_to);
    let (reports, mut happened) = mpsc::unbounded();
    stopper.0.replace(Some(reports.clone()));
    let summary = loop {
        // The person's wish to stop comes before the next request.
        while let Ok(input) = happened.try_recv() {
            outbox.handle(input, clock::time());
        }
        let (done, total) = outbox.progress();
        watcher.progress(done, total);
        match outbox.poll() {
            Some(Output::Persist(statuses)) => {
                match store
                    .set_statuses_where(&statuses, |entry| outbox.sends(entry), |entry| outbox.as_answered(entry))
                    .await
                {
                    Ok(changes) => {
                        watcher.changed(changes);
                        outbox.handle(Input::Persisted, clock::time());
                    }
                    Err(StoreError::NotOpen(_)) => outbox.handle(Input::Changed, clock::time()),
                    Err(_) => outbox.handle(Input::NotPersisted, clock::time()),
                }
            }
            Some(Output::Request(ticket, request)) => {
                let (http, reports) = (http.clone(), reports.clone());
                spawn_local(async move {
                    let answer = match http {
                        Some(http) => http.send(&request).await,
                        None => Ok(practice::answer(&request)),
                    };
                    // Nobody listens any more if the commit was cancelled while connecting.
                    let _ = reports.unbounded_send(Input::Answer(ticket, answer));
                });
            }
            Some(Output::Wait(ticket, time)) => {
                let reports = reports.clone();
                watcher.waits(time);
                spawn_local(async move {
                    sleep(time).await;
                    let _ = reports.unbounded_send(Input::Waited(ticket));
                });
            }
            Some(Output::LogIn(ticket, time)) => {
                let reports = reports.clone();
                watcher.nobody_logged_in();
                spawn_local(async move {
                    sleep(time).await;
                    let _ = reports.unbounded_send(Input::Waited(ticket));
                });
            }
            Some(Output::Person(who)) => watcher.goes_on_as(&who),
            Some(Output::Elsewhere(ticket, library)) => {
                let reports = reports.clone();
                let answer = move |agreed| {
                    let _ = reports.unbounded_send(if agreed { Input::Agreed(ticket) } else { Input::Cancel });
                };
                watcher.elsewhere(library, Box::new(answer));
            }
            Some(Output::Finished(summary)) => break summary,
            None => match happened.next().await {
                Some(input) => outbox.handle(input, clock::time()),
                // Cannot be: this end of the channel is open too.
                None => break Summary::default(),
            },
        }
    };
    stopper.0.replace(None);
    summary
}
