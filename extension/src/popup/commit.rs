//! The one button that sends or applies.

use super::{Desk, Tone};
use crate::{
    dom,
    i18n::{text, text_with},
    preferences,
    sender::{self, Watcher},
    store::Change,
    webext, wording,
};
use koct_core::{outbox::Summary, settings::Settings, status::State};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlButtonElement, HtmlElement, HtmlProgressElement};

/// Where Koha shows its queue.
const QUEUE: &str = "/cgi-bin/koha/offline_circ/list.pl";

struct Commit {
    desk: Rc<Desk>,
    state: HtmlElement,
    progress: HtmlProgressElement,
    progress_text: Element,
    cancel: HtmlButtonElement,
    cancelled: Rc<Cell<bool>>,
    /// When the progress was shown last, by the page's clock.
    shown_at: Cell<f64>,
}

/// # Errors
/// When the page lacks an element.
pub(super) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let commit = Rc::new(Commit {
        desk: desk.clone(),
        state: dom::by_id("commit-state")?,
        progress: dom::by_id("progress")?,
        progress_text: dom::by_id("progress-text")?,
        cancel: dom::by_id("cancel-commit")?,
        cancelled: Rc::default(),
        shown_at: Cell::default(),
    });
    let this = commit.clone();
    dom::on::<Event>(&commit.cancel, "click", move |_| {
        this.cancelled.set(true);
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

impl Commit {
    async fn run(self: Rc<Self>) {
        self.cancelled.set(false);
        self.cancel.set_disabled(false);
        self.show_running(true);
        self.progress_text.set_text_content(Some(&text("commitConnecting")));
        self.progress.remove_attribute("value").ok();
        self.attempt().await;
        self.desk.draw_now();
        self.show_running(false);
        self.desk.committing.set(false);
        self.desk.tell_others();
    }

    fn show_running(&self, running: bool) {
        self.state.set_hidden(!running);
        self.cancel.set_hidden(!running);
        let _ = self.desk.commit_button.set_attribute("aria-disabled", if running { "true" } else { "false" });
    }

    async fn attempt(&self) {
        let message = &self.desk.message;
        // The latest settings, even if this window has missed a change.
        self.desk.clone().reload_preferences().await;
        let Some(settings) = self.desk.settings() else {
            message.show(Tone::Bad, &text("commitNotConfigured"));
            return;
        };
        let counts = self.desk.counts.get();
        if counts.of(State::Local) == 0 {
            let open = counts.uncommitted();
            if open > 0 {
                message.show(Tone::Doubt, &text_with("commitNothingButOpen", &[&open.to_string()]));
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
        let Some(_lock) = sender::lock().await else {
            message.show(Tone::Bad, &text("commitBusy"));
            return;
        };
        match sender::run(settings.clone(), &self.desk.store, self, &self.cancelled).await {
            Ok(summary) => self.summarise(&summary, &settings),
            Err(error) => message.show(Tone::Bad, &text_with("commitFailedToStart", &[&error.to_string()])),
        }
    }

    fn summarise(&self, summary: &Summary, settings: &Settings) {
        let tone = if summary.is_complete() { Tone::Good } else { Tone::Bad };
        self.desk.message.show(tone, &wording::summary(summary, settings));
        if summary.added > 0 {
            self.desk.message.add_link(&text("summaryQueueLink"), &settings.server.join(QUEUE));
        }
    }
}

impl Watcher for Commit {
    fn changed(&self, changes: Vec<Change>) {
        self.desk.apply(changes);
    }

    fn progress(&self, done: u32, total: u32) {
        let now = dom::window().ok().and_then(|window| window.performance()).map_or(f64::MAX, |clock| clock.now());
        let is_due = now - self.shown_at.get() >= super::DRAWING_LAG.as_secs_f64() * 1000.0;
        if total > 0 && done > 0 && !self.cancel.disabled() && (is_due || done == total) {
            self.shown_at.set(now);
            self.progress.set_max(total.into());
            self.progress.set_value(done.into());
            self.progress_text
                .set_text_content(Some(&text_with("commitProgress", &[&done.to_string(), &total.to_string()])));
        }
    }
}
