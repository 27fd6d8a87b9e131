//! Clears the log, and offers it when the window opens on leftover transactions. Nothing is deleted unless a box is
//! ticked, and what is not in Koha needs a second one.

use crate::{
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    locale, lock,
    popup::{Desk, Tone, Topic},
    store::StoreError,
};
use koct_core::State;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// The states of what nobody has to do anything about: safely in Koha, or taken back.
fn committed() -> Vec<State> {
    State::which(State::is_settled)
}

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
        /// What cannot be read and was asked about, once the first box is ticked.
        unreadable: RefCell<BTreeSet<String>>,
    }
}

impl Dialog {
    /// `is_offered`: nobody has asked for it.
    fn open(&self, desk: &Desk, is_offered: bool) {
        if desk.committing.get() {
            desk.message.about(Topic::Clear).show(Tone::Bad, &text("clearWhileCommitting"));
            return;
        }
        let counts = desk.counts.get();
        let [total, unsent] = [counts.total(), counts.uncommitted()].map(locale::number);
        self.text.set_text_content(Some(&text_with("clearText", &[&total, &unsent])));
        self.ask_about_open(desk);
        self.note.set_text_content(None);
        self.confirm.set_checked(false);
        self.unsent_confirm.set_checked(false);
        self.unsent.set_hidden(true);
        if !self.element.open() {
            let _ = self.element.toggle_attribute_with_force(OFFERED, is_offered);
            let _ = self.element.show_modal();
        }
    }
}

impl Dialog {
    /// Asks about what may not be in Koha. Returns whether there is something.
    fn ask_about_open(&self, desk: &Desk) -> bool {
        let unsent = desk.counts.get().uncommitted();
        let unreadable = desk.store.unreadable_keys();
        let of = [(unsent, "clearUnsentText"), (unreadable.len().try_into().unwrap_or(u32::MAX), "clearUnreadable")];
        let words: Vec<_> =
            of.iter().filter(|(number, _)| *number > 0).map(|(number, key)| plural(key, *number, &[])).collect();
        self.unsent_text.set_text_content(Some(&words.join("\n")));
        self.unreadable.replace(unreadable);
        !words.is_empty()
    }
}

/// # Errors
/// When the page lacks an element.
pub(crate) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let dialog = Rc::new(Dialog::new()?);
    let this = desk.clone();
    dom::on_click("clear", &dialog, move |dialog| dialog.open(&this, false))?;
    dom::on_click("clear-committed", desk, |desk| spawn_local(desk.clone().remove(committed(), BTreeSet::new())))?;
    dom::on_click("clear-cancel", &dialog, |dialog| dialog.element.close())?;
    let this = desk.clone();
    dom::bind(&dialog.confirm, "change", &dialog, move |dialog| {
        dialog.unsent.set_hidden(!dialog.ask_about_open(&this) || !dialog.confirm.checked());
        dialog.note.set_text_content(None);
    });
    let ok: Element = dom::by_id("clear-ok")?;
    dom::bind_event(&ok, "click", desk, move |desk, event: Event| {
        event.prevent_default();
        confirmed(desk, &dialog);
    });
    Ok(())
}

fn confirmed(desk: &Rc<Desk>, dialog: &Dialog) {
    if !dialog.confirm.checked() {
        dialog.element.close();
    } else if (desk.counts.get().uncommitted() > 0 || !dialog.unreadable.borrow().is_empty())
        && !dialog.unsent_confirm.checked()
    {
        dialog.unsent.set_hidden(false);
        dialog.note.set_text_content(Some(&text("clearNeedsSecond")));
        let _ = dialog.unsent_confirm.focus();
    } else {
        dialog.element.close();
        spawn_local(desk.clone().remove(State::ALL.to_vec(), dialog.unreadable.take()));
    }
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
    async fn remove(self: Rc<Self>, states: Vec<State>, unreadable: BTreeSet<String>) {
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
        let removed = async {
            let removed = self.store.remove(&states, &own, now).await?;
            Ok::<_, StoreError>(removed + self.store.remove_unreadable(&unreadable).await?)
        };
        match removed.await {
            Ok(0) => self.message.about(Topic::Clear).show(Tone::Good, &text("clearedNothing")),
            Ok(removed) => {
                self.message.about(Topic::Clear).show(Tone::Good, &text_with("cleared", &[&locale::number(removed)]));
            }
            Err(error) => self.failed(Topic::Clear, "clearFailed", &error),
        }
        self.reload_log();
    }
}
