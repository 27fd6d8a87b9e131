//! Clears the log, and offers it when the window opens on leftover transactions. Nothing is deleted unless a box is
//! ticked, and what is not in Koha needs a second one. The log is read when the first is ticked: only what stood in it then,
//! and was shown with its numbers, is what a person says yes to ([`Consent`]).

use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale, lock,
    popup::{Desk, Tone, Topic},
    wording::Explained as _,
};
use koct_core::{
    State,
    desks::cleared::{Asked, Consent},
    log::Counts,
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// Marks the dialog while nobody has asked for it.
const OFFERED: &str = "data-offered";

elements! {
    struct Dialog {
        element: HtmlDialogElement = "clear-dialog",
        confirm: HtmlInputElement = "clear-confirm",
        unsent: HtmlElement = "clear-unsent",
        unsent_confirm: HtmlInputElement = "clear-unsent-confirm",
        text: Element = "clear-text",
        unsent_text: Element = "clear-unsent-text",
        note: Element = "clear-note",
        ;
        /// What the first box was ticked for, once it is read.
        asked: RefCell<Option<Asked>>,
    }
}

impl Dialog {
    /// `is_offered`: nobody has asked for it.
    fn open(&self, desk: &Desk, is_offered: bool) {
        if desk.committing.get() {
            desk.message.about(Topic::Clear).show(Tone::Bad, &text("clearWhileCommitting"));
            return;
        }
        self.show_counts(desk.counts.get(), desk.store.number_unreadable());
        self.confirm.set_checked(false);
        self.begin_asking();
        if !self.element.open() {
            let _ = self.element.toggle_attribute_with_force(OFFERED, is_offered);
            let _ = self.element.show_modal();
        }
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

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let dialog = Rc::new(Dialog::new()?);
    let this = desk.clone();
    dom::on_click("clear", &dialog, move |dialog| dialog.open(&this, false))?;
    let closed = dialog.element.clone();
    dom::on_click("clear-committed", desk, move |desk| {
        closed.close();
        spawn_local(desk.clone().remove_settled());
    })?;
    dom::on_click("clear-cancel", &dialog, |dialog| dialog.element.close())?;
    let this = desk.clone();
    dom::bind(&dialog.confirm, "change", &dialog, move |dialog| {
        dialog.begin_asking();
        if dialog.confirm.checked() {
            let (dialog, desk) = (dialog.clone(), this.clone());
            spawn_local(async move { drop(dialog.ask(&desk).await) });
        }
    });
    let ok: Element = dom::by_id("clear-ok")?;
    dom::bind_event(&ok, "click", desk, move |desk, event: Event| {
        event.prevent_default();
        if dialog.confirm.checked() {
            let (dialog, desk) = (dialog.clone(), desk.clone());
            spawn_local(async move { dialog.confirmed(&desk).await });
        } else {
            dialog.element.close();
        }
    });
    Ok(())
}

/// Offers to clear what an earlier sitting left.
pub(crate) fn offer(desk: &Rc<Desk>) {
    let counts = desk.counts.get();
    let [total, unsent] = [counts.total(), counts.uncommitted()].map(locale::number);
    if counts.of(State::InDoubt) == 0 {
        desk.message.about(Topic::Clear).show(
            if counts.uncommitted() > 0 { Tone::Doubt } else { Tone::Good },
            &text_with("leftover", &[&total, &unsent]),
        );
    }
    if let Ok(dialog) = Dialog::new() {
        dialog.open(desk, true);
    }
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
        match self.store.remove(&consent, &own, now).await {
            Ok(0) => self.message.about(Topic::Clear).show(Tone::Good, &text("clearedNothing")),
            Ok(removed) => {
                self.message.about(Topic::Clear).show(Tone::Good, &text_with("cleared", &[&locale::number(removed)]));
            }
            Err(error) => self.failed(Topic::Clear, "clearFailed", &error),
        }
        self.reload_log();
    }
}
