//! The one button that sends or applies.

pub(crate) mod doubts;
pub(crate) mod reach;
pub(crate) mod review;

use super::{Desk, Tone, Topic};
use crate::{
    clock, dom,
    http::Http,
    i18n::{plural, text, text_with},
    locale,
    popup::window::question::{self, Question, Reply},
    preferences,
    sender::{self, Stopper, Watcher},
    slices,
    store::{Change, StoreError},
    webext, wording,
};
use koct_core::{
    CommitType, Entry, Moment, Settings, State, TransactionId,
    koha::movement::{MovementCheck, Movements, Next},
    log::{self, commit::Batch, event::LogEvent, order},
    outbox::summary::Summary,
};
use std::{cell::Cell, collections::HashMap, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlButtonElement, HtmlElement, HtmlProgressElement};

/// Where Koha shows its queue.
pub(crate) const QUEUE: &str = "/cgi-bin/koha/offline_circ/list.pl";

struct Commit {
    desk: Rc<Desk>,
    state: HtmlElement,
    progress: HtmlProgressElement,
    progress_text: Element,
    cancel: HtmlButtonElement,
    stopper: Stopper,
    /// When the progress was shown last, by the page's clock.
    shown_at: Cell<f64>,
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let commit = Rc::new(Commit {
        desk: desk.clone(),
        state: dom::by_id("commit-state")?,
        progress: dom::by_id("progress")?,
        progress_text: dom::by_id("progress-text")?,
        cancel: dom::by_id("cancel-commit")?,
        stopper: Stopper::default(),
        shown_at: Cell::default(),
    });
    let this = commit.clone();
    dom::on::<Event>(&commit.cancel, "click", move |_| {
        this.stopper.stop();
        this.cancel.set_disabled(true);
        this.progress_text.set_text_content(Some(&text("commitStopping")));
    });
    dom::on::<Event>(&desk.commit_button, "click", move |_| {
        // A second press while one runs does nothing.
        if !commit.desk.committing.replace(true) {
            spawn_local(commit.clone().run());
        }
    });
    Ok(())
}

/// Presses the button, by its key.
pub(crate) fn press(desk: &Desk) {
    desk.commit_button.unchecked_ref::<HtmlElement>().click();
}

impl Commit {
    async fn run(self: Rc<Self>) {
        self.cancel.set_disabled(false);
        self.show_running(true);
        self.progress_text.set_text_content(Some(&text("commitConnecting")));
        self.progress.remove_attribute("value").ok();
        self.attempt().await;
        self.desk.draw_now();
        self.show_running(false);
        self.desk.committing.set(false);
        self.desk.log_changed(&LogEvent::Committed);
    }

    fn show_running(&self, running: bool) {
        self.state.set_hidden(!running);
        self.cancel.set_hidden(!running);
        let _ = self.desk.commit_button.set_attribute("aria-disabled", if running { "true" } else { "false" });
    }

    async fn attempt(&self) {
        let message = self.desk.message.about(Topic::Commit);
        // The latest settings, even if this window has missed a change.
        self.desk.clone().reload_preferences().await;
        let Some(settings) = self.desk.settings() else {
            message.show(Tone::Bad, &text("commitNotConfigured"));
            return;
        };
        let counts = self.desk.counts.get();
        let may_ask = settings.commit_type == CommitType::Apply && counts.of(State::InDoubt) > 0;
        if counts.of(State::Local) == 0 && !may_ask {
            let open = counts.uncommitted();
            if open > 0 {
                message.show(Tone::Doubt, &plural("commitNothingButOpen", open, &[]));
            } else {
                message.show(Tone::Good, &text("commitNothing"));
            }
            return;
        }
        let origins = preferences::origins(&settings.server.permission_pattern());
        if !webext::contains_permissions(&origins).await.is_ok_and(|allowed| allowed.is_truthy()) {
            message.show(Tone::Bad, &text_with("commitNotAllowed", &[settings.server.as_str()]));
            return;
        }
        let failed = |error: String| message.show(Tone::Bad, &text_with("commitFailedToStart", &[&error]));
        if self.desk.is_long_to_review() {
            self.progress_text.set_text_content(Some(&text("reviewWorking")));
        }
        match self.desk.review_before_commit().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return failed(error.to_string()),
        }
        let Some(_lock) = sender::lock().await else {
            message.show(Tone::Bad, &text("commitBusy"));
            return;
        };
        self.desk.sending.set(true);
        self.send(settings).await;
        self.desk.sending.set(false);
        self.desk.sends_up_to.set(None);
    }

    /// Sends what is to be sent. The caller holds the lock.
    async fn send(&self, settings: Settings) {
        let message = self.desk.message.about(Topic::Commit);
        let failed = |error: String| message.show(Tone::Bad, &text_with("commitFailedToStart", &[&error]));
        if let Err(error) = self.separate().await {
            return failed(error.to_string());
        }
        let to_send = match self.desk.store.in_states(&[State::Local]).await {
            Ok(entries) => entries,
            Err(error) => return failed(error.to_string()),
        };
        let Some(settings) = ask_about_stale(settings, &to_send).await else { return };
        let Some(started) = clock::now() else { return failed(text("attentionClock")) };
        let batch = Batch::begin(&settings, started, &to_send);
        let number = match self.desk.store.begin_batch(&batch).await {
            Ok(number) => number,
            Err(error) => return failed(error.to_string()),
        };
        let ended = sender::run(settings.clone(), &self.desk.store, self, &self.stopper).await;
        // Where the log could not be written, the durable state is still Sending: now it is a doubt that can be seen.
        if let Ok(changes) = self.desk.store.recover().await {
            self.desk.apply(changes);
        }
        match ended {
            Ok(summary) => {
                let words = self.summarise(&summary, &settings);
                let ended = batch.ended(clock::now().unwrap_or(started), &summary, words);
                if let Err(error) = self.desk.store.set_batch(number, &ended).await {
                    message.show(Tone::Bad, &text_with("batchFailed", &[&error.to_string()]));
                }
            }
            Err(error) => failed(error.to_string()),
        }
    }

    /// Puts transactions of one item that several desks have in the same second into seconds of their own.
    async fn separate(&self) -> Result<(), StoreError> {
        let ordered = self.desk.store.in_states(&[State::Local, State::InDoubt, State::Sending]).await?;
        let moved: HashMap<TransactionId, Moment> =
            slices::through(order::separating(&ordered)).await.into_iter().collect();
        let (Some(now), false) = (clock::now(), moved.is_empty()) else { return Ok(()) };
        let ids: Vec<TransactionId> = moved.keys().copied().collect();
        let changes = self.desk.store.change(&ids, |entry| entry.separated(*moved.get(&entry.id)?, now)).await?;
        self.desk.apply(changes);
        Ok(())
    }

    /// Tells how it went. Returns the words.
    fn summarise(&self, summary: &Summary, settings: &Settings) -> String {
        let tone = if summary.is_complete() { Tone::Good } else { Tone::Bad };
        let words = wording::summary(summary, settings);
        let message = self.desk.message.about(Topic::Commit);
        message.show(tone, &words);
        if summary.added > 0 {
            message.add_link(&text("summaryQueueLink"), &settings.server.join(QUEUE));
        }
        words
    }
}

/// So many old transactions are named.
const STALE_NAMED: usize = 50;

/// Asks Koha which of these items it has seen since.
async fn movements(settings: &Settings, about: Vec<Entry>) -> Movements {
    let http = Http::isolated(&settings.server.permission_pattern());
    let (mut inquest, mut request) = MovementCheck::start(settings.clone(), about);
    loop {
        match inquest.handle(http.send(&request).await) {
            Next::Request(next) => request = next,
            Next::Done(movements) => return movements,
        }
    }
}

/// Asks before old transactions are applied. Returns how to commit, or `None` where the person does not want to.
async fn ask_about_stale(settings: Settings, to_send: &[Entry]) -> Option<Settings> {
    let stale = log::stale(to_send, clock::millis(), settings.stale_hours);
    if settings.commit_type == CommitType::Send || stale.is_empty() {
        return Some(settings);
    }
    let named: Vec<Entry> = stale.iter().take(STALE_NAMED).map(|entry| (*entry).clone()).collect();
    let movements = movements(&settings, named.clone()).await;
    let line = |entry: &Entry| {
        let seen = movements.moved.iter().find(|(id, _)| *id == entry.id).map(|(_, seen)| seen);
        let entry = wording::entry(entry);
        seen.map_or(entry.clone(), |seen| {
            text_with("staleMoved", &[&entry, &locale::date_and_minutes(seen.naive_local())])
        })
    };
    // Those that moved are what the person must see first.
    let (moved, still): (Vec<_>, Vec<_>) =
        named.iter().partition(|entry| movements.moved.iter().any(|(id, _)| *id == entry.id));
    let mut list: Vec<_> = moved.into_iter().chain(still).map(line).collect();
    if stale.len() > STALE_NAMED {
        list.push(plural("staleAndOthers", stale.len() - STALE_NAMED, &[]));
    }
    let known = if movements.complete { "staleAsked" } else { "staleNotAsked" };
    let body =
        [plural("staleText", settings.stale_hours, &[]), text_with(known, &[&locale::number(movements.moved.len())])]
            .join("\n");
    let reply = question::ask(Question {
        title: &plural("staleTitle", stale.len(), &[]),
        text: &body,
        list: &list,
        yes: &text("staleSend"),
        other: Some(&text("staleApply")),
    })
    .await;
    match reply {
        Ok(Reply::Yes) => Some(Settings { commit_type: CommitType::Send, ..settings }),
        Ok(Reply::Other) => Some(settings),
        Ok(Reply::Cancel) | Err(_) => None,
    }
}

impl Watcher for Commit {
    fn changed(&self, changes: Vec<Change>) {
        self.desk.apply(changes);
    }

    fn began(&self, up_to: TransactionId) {
        self.desk.sends_up_to.set(Some(up_to));
    }

    fn progress(&self, done: u32, total: u32) {
        let now = dom::window().ok().and_then(|window| window.performance()).map_or(f64::MAX, |clock| clock.now());
        let is_due = now - self.shown_at.get() >= super::DRAWING_LAG.as_secs_f64() * 1000.0;
        if total > 0 && done > 0 && !self.cancel.disabled() && (is_due || done == total) {
            self.shown_at.set(now);
            self.progress.set_max(total.into());
            self.progress.set_value(done.into());
            self.progress_text
                .set_text_content(Some(&text_with("commitProgress", &[&locale::number(done), &locale::number(total)])));
        }
    }
}
