//! Clears the log, and offers it when the window opens on what an earlier sitting has left. Nothing is deleted unless a box is
//! ticked, and what is not in Koha needs a second one. The log is read when the first is ticked: only what stood in it then,
//! and was shown with its numbers, is what a person says yes to ([`Consent`]).

use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::seldom,
    locale, lock,
    popup::{Desk, Tone, Topic},
    wording::{self, Explained as _},
};
use koct_core::{
    State,
    desks::cleared::{Asked, Consent},
    log::{Counts, leftover::Leftover},
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// Marks the dialog while nobody has asked for it.
const OFFERED: &str = "data-offered";

elements! {
    struct Dialog {
        element: HtmlDialogElement = "clear-dialog",
        confirm: HtmlInputElement = "clear-confirm",
        unsent: HtmlElement = "clear-unsent",
        unsent_confirm: HtmlInputElement = "clear-unsent-confirm",
        cancel: HtmlElement = "clear-cancel",
        ok: HtmlElement = "clear-ok",
        title: Element = "clear-title",
        text: Element = "clear-text",
        unsent_text: Element = "clear-unsent-text",
        note: Element = "clear-note",
        ;
        /// What the first box was ticked for, once it is read.
        asked: RefCell<Option<Asked>>,
    }
}

impl Dialog {
    /// `leftover`: nobody has asked for it, it is about this.
    fn open(&self, desk: &Desk, leftover: Option<Leftover>) {
        if desk.committing.get() {
            desk.message.about(Topic::Clear).show(Tone::Bad, &text("clearWhileCommitting"));
            return;
        }
        if self.element.open() {
            return;
        }
        self.show_counts(desk.counts.get(), desk.store.number_unreadable());
        let title = match leftover {
            Some(Leftover { from, to }) => {
                let times = [from, to].map(wording::row_time);
                self.text.set_text_content(Some(&text_with("leftoverText", &[&times[0], &times[1]])));
                plural("leftoverTitle", waiting(desk), &[])
            }
            None => text("clearTitle"),
        };
        self.title.set_text_content(Some(&title));
        let _ = self.element.toggle_attribute_with_force(OFFERED, leftover.is_some());
        self.confirm.set_checked(false);
        self.begin_asking();
        let _ = self.element.show_modal();
        // What keeps everything: Enter must not clear anything.
        let _ = if leftover.is_some() { self.ok.focus() } else { self.cancel.focus() };
    }

    /// Without a tick, one button keeps everything; with it, that is what Cancel is for, and the other one says what it does.
    fn show_buttons(&self) {
        let (clears, is_offered) = (self.confirm.checked(), self.element.has_attribute(OFFERED));
        let words = match (clears, is_offered) {
            (true, _) => "clearConfirm",
            (false, true) => "leftoverKeep",
            (false, false) => "ok",
        };
        self.ok.set_text_content(Some(&text(words)));
        self.ok.set_class_name(if clears { "stop" } else { "primary" });
        self.cancel.set_hidden(is_offered && !clears);
    }

    fn show_counts(&self, counts: Counts, unreadable: usize) {
        let [total, unsent] = [counts.total(), counts.uncommitted()].map(locale::number);
        self.text.set_text_content(Some(&text_with("clearText", &[&total, &unsent])));
        let unreadable = unreadable.try_into().unwrap_or(u32::MAX);
        let of = [(counts.uncommitted(), "clearUnsentText"), (unreadable, "clearUnreadable")];
        let words = of.into_iter().filter(|(number, _)| *number > 0).map(|(number, key)| plural(key, number, &[]));
        self.unsent_text.set_text_content(Some(&words.collect::<Vec<_>>().join("\n")));
    }

    /// Nothing is said yes to that was asked before.
    fn begin_asking(&self) {
        self.asked.take();
        self.note.set_text_content(None);
        self.unsent_confirm.set_checked(false);
        self.unsent.set_hidden(true);
        self.show_buttons();
    }

    /// Reads what the first box was ticked for, and shows it. `None` where it cannot be read, or nobody asks any more.
    async fn ask(&self, desk: &Desk) -> Option<Asked> {
        let asked = desk.store.asked().await;
        if !self.element.open() || !self.confirm.checked() {
            return None;
        }
        match asked {
            Ok(asked) => {
                self.show_counts(asked.counts, asked.unreadable());
                self.unsent.set_hidden(!asked.may_lose());
                self.asked.replace(Some(asked.clone()));
                Some(asked)
            }
            Err(error) => {
                self.note.set_text_content(Some(&text_with("clearFailed", &[&error.explained()])));
                None
            }
        }
    }

    async fn confirmed(&self, desk: &Rc<Desk>) {
        let asked = self.asked.borrow().clone();
        let asked = match asked {
            Some(asked) => asked,
            // Not read yet.
            None => match self.ask(desk).await {
                Some(asked) => asked,
                None => return,
            },
        };
        if let Some(consent) = asked.all(self.unsent_confirm.checked()) {
            self.element.close();
            desk.clone().remove(consent).await;
        } else {
            self.note.set_text_content(Some(&text("clearNeedsSecond")));
            let _ = self.unsent_confirm.focus();
        }
    }
}

seldom! {
    async fn remove_settled(desk: Rc<Desk>) {
        desk.remove_settled().await;
    }

    async fn ask(dialog: Rc<Dialog>, desk: Rc<Desk>) {
        drop(dialog.ask(&desk).await);
    }

    async fn confirmed(dialog: Rc<Dialog>, desk: Rc<Desk>) {
        dialog.confirmed(&desk).await;
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let dialog = Rc::new(Dialog::new()?);
    let this = desk.clone();
    dom::on_click("clear", &dialog, move |dialog| dialog.open(&this, None))?;
    let closed = dialog.element.clone();
    dom::on_click("clear-committed", desk, move |desk| {
        closed.close();
        spawn_local(remove_settled(desk.clone()));
    })?;
    dom::on_click("clear-cancel", &dialog, |dialog| dialog.element.close())?;
    let this = desk.clone();
    dom::bind(&dialog.confirm, "change", &dialog, move |dialog| {
        dialog.begin_asking();
        if dialog.confirm.checked() {
            spawn_local(ask(dialog.clone(), this.clone()));
        }
    });
    dom::bind(&dialog.ok.clone(), "click", desk, move |desk| {
        if dialog.confirm.checked() {
            spawn_local(confirmed(dialog.clone(), desk.clone()));
        } else {
            dialog.element.close();
        }
    });
    Ok(())
}

/// Asks about what an earlier sitting has left to be sent; of the same sitting it is only said.
pub(crate) async fn offer(desk: &Rc<Desk>) {
    // What cannot be read now is told where it is read next.
    let Some(leftover) = desk.store.ends_of(&State::TO_COMMIT).await.ok().and_then(Leftover::of) else { return };
    if clock::now().is_none_or(|now| leftover.is_of_another_sitting(now)) {
        if let Ok(dialog) = Dialog::new() {
            dialog.open(desk, Some(leftover));
        }
    } else if desk.counts.get().of(State::InDoubt) == 0 {
        // Of doubts something is said already.
        let words = plural("leftover", waiting(desk), &[&wording::row_time(leftover.from)]);
        desk.message.about(Topic::Clear).show(Tone::Doubt, &words);
    }
}

/// The number of those that the next commit is about.
fn waiting(desk: &Desk) -> u32 {
    State::TO_COMMIT.iter().map(|state| desk.counts.get().of(*state)).sum()
}

/// Closes the dialog without clearing, if it is open and nobody has asked for it. Returns whether it was.
pub(crate) fn close_offer() -> bool {
    let dialog = Dialog::new().map(|dialog| dialog.element);
    let is_offer = |dialog: &HtmlDialogElement| dialog.open() && dialog.has_attribute(OFFERED);
    let offer = dialog.ok().filter(is_offer);
    if let Some(dialog) = &offer {
        dialog.close();
    }
    offer.is_some()
}

impl Desk {
    /// Removes what nobody has to do anything about any more: what is safely in Koha, or was taken back.
    async fn remove_settled(self: Rc<Self>) {
        match self.store.asked().await {
            Ok(asked) => self.remove(asked.settled()).await,
            Err(error) => self.failed(Topic::Clear, "clearFailed", &error),
        }
    }

    async fn remove(self: Rc<Self>, consent: Consent) {
        if self.committing.get() {
            self.message.about(Topic::Clear).show(Tone::Bad, &text("clearWhileCommitting"));
            return;
        }
        let Some(now) = clock::now() else {
            self.message.about(Topic::Clear).show(Tone::Bad, &text("attentionClock"));
            return;
        };
        // What another window is sending must not be removed under its hands.
        let Some(_lock) = lock::lock().await else {
            self.message.show(Tone::Bad, &text("commitBusy"));
            return;
        };
        let own = self.preferences.borrow().desk_name();
        let removed = match self.store.remove(&consent, &own, now).await {
            Ok(removed) => self.store.forget_handled().await.map(|()| removed),
            Err(error) => Err(error),
        };
        match removed {
            Ok(0) => self.message.about(Topic::Clear).show(Tone::Good, &text("clearedNothing")),
            Ok(removed) => {
                self.message.about(Topic::Clear).show(Tone::Good, &text_with("cleared", &[&locale::number(removed)]));
            }
            Err(error) => self.failed(Topic::Clear, "clearFailed", &error),
        }
        self.reload_log();
    }
}
