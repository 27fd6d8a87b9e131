//! Clears the log, and offers it when the window opens on what an earlier sitting has left. Nothing is deleted unless a box is
//! ticked, and what is not in Koha needs a second one. The log is read when the first is ticked: only what stood in it then,
//! and was shown with its numbers, is what a person says yes to ([`Consent`]). Where the numbers change meanwhile, they are asked anew.

use crate::{
    anew::Anew,
    clock,
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::seldom,
    locale,
    popup::{Desk, Panel, Tone, Topic, window::press::let_go},
    store::StoreError,
    wording::{self, Explained as _},
};
use koct_core::{
    State,
    desks::cleared::{Asked, Consent},
    log::{
        Counts,
        event::LogEvent,
        leftover::{Leftover, Mention},
    },
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// Marks the dialog while nobody has asked for it.
const OFFERED: &str = "data-offered";

elements! {
    pub(crate) struct Clear(desk: Rc<Desk>) {
        dialog: HtmlDialogElement = "clear-dialog",
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
        /// What it is about where nobody has asked for it.
        leftover: Cell<Option<Leftover>>,
        /// What the first box was ticked for, once it is read.
        asked: RefCell<Option<Asked>>,
        following: Anew,
    }
}

impl Panel for Clear {
    fn follow(self: Rc<Self>, event: &LogEvent) {
        if self.dialog.open() && !matches!(event, LogEvent::Committed) && self.following.ask() {
            spawn_local(follow(self));
        }
    }
}

impl Clear {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::on_click("clear", self, |this| this.open(None))?;
        dom::on_click("clear-committed", self, |this| {
            this.dialog.close();
            spawn_local(remove_settled(this.clone()));
        })?;
        dom::on_click("clear-cancel", self, |this| this.dialog.close())?;
        dom::bind(&self.confirm, "change", self, |this| {
            this.begin_asking();
            if this.confirm.checked() {
                spawn_local(ask(this.clone()));
            }
        });
        dom::bind(&self.ok, "click", self, |this| {
            if this.confirm.checked() {
                spawn_local(confirmed(this.clone()));
            } else {
                this.dialog.close();
            }
        });
        Ok(())
    }

    /// Asks about what an earlier sitting has left to be sent; of the same sitting it is only said.
    pub(crate) async fn offer(&self) {
        // What cannot be read now is told where it is read next.
        let Ok(Some(leftover)) = self.read_leftover().await else { return };
        let counts = self.desk.counts.get();
        match leftover.mention(counts, clock::now()) {
            Some(Mention::Asked) => self.open(Some(leftover)),
            Some(Mention::Said) => {
                let words = plural("leftover", counts.to_commit(), &[&wording::row_time(leftover.from)]);
                self.desk.message.about(Topic::Clear).show(Tone::Doubt, &words);
            }
            None => {}
        }
    }

    async fn read_leftover(&self) -> Result<Option<Leftover>, StoreError> {
        self.desk.store.ends_of(&State::TO_COMMIT).await.map(Leftover::of)
    }

    /// `leftover`: nobody has asked for it, it is about this.
    fn open(&self, leftover: Option<Leftover>) {
        if self.desk.committing.get() {
            self.desk.message.about(Topic::Clear).show(Tone::Bad, &text("clearWhileCommitting"));
            return;
        }
        if self.dialog.open() {
            return;
        }
        self.leftover.set(leftover);
        let _ = self.dialog.toggle_attribute_with_force(OFFERED, leftover.is_some());
        self.take_back();
        let _ = self.dialog.show_modal();
        // What keeps everything: Enter must not clear anything.
        let _ = if leftover.is_some() { self.ok.focus() } else { self.cancel.focus() };
    }

    /// Nothing is ticked, and the log is shown as it is now.
    fn take_back(&self) {
        self.confirm.set_checked(false);
        self.begin_asking();
        self.show_now();
    }

    /// Without a tick, one button keeps everything; with it, that is what Cancel is for, and the other one says what it does.
    fn show_buttons(&self) {
        let (clears, is_offered) = (self.confirm.checked(), self.dialog.has_attribute(OFFERED));
        let words = match (clears, is_offered) {
            (true, _) => "clearConfirm",
            (false, true) => "leftoverKeep",
            (false, false) => "ok",
        };
        self.ok.set_text_content(Some(&text(words)));
        self.ok.set_class_name(if clears { "stop" } else { "primary" });
        self.cancel.set_hidden(is_offered && !clears);
    }

    fn show_now(&self) {
        let counts = self.desk.counts.get();
        self.show_counts(counts, self.desk.store.number_unreadable());
        let title = match self.leftover.get() {
            Some(Leftover { from, to }) => {
                let times = [from, to].map(wording::row_time);
                self.text.set_text_content(Some(&text_with("leftoverText", &[&times[0], &times[1]])));
                plural("leftoverTitle", counts.to_commit(), &[])
            }
            None => text("clearTitle"),
        };
        self.title.set_text_content(Some(&title));
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
    async fn ask(&self) -> Option<Asked> {
        let asked = self.desk.store.asked().await;
        if !self.dialog.open() || !self.confirm.checked() {
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

    /// The log has changed while it is asked about: shows it as it is now, and takes a yes back that was given to something else.
    async fn look_again(&self) {
        let asked_about = self.leftover.get();
        // Where it cannot be read it is asked about still.
        let leftover = if asked_about.is_some() { self.read_leftover().await.unwrap_or(asked_about) } else { None };
        let before = self.asked.borrow().clone();
        let now = if before.is_some() { self.desk.store.asked().await.map(Some) } else { Ok(None) };
        let_go(&self.dialog).await;
        if !self.dialog.open() {
            return;
        }
        if *self.asked.borrow() != before {
            // Something else is asked by now.
            self.following.ask();
            return;
        }
        self.leftover.set(leftover);
        if !self.confirm.checked() {
            self.show_now();
        } else if before.is_none() {
            // It is being read.
            self.ask().await;
        } else {
            let words = match now {
                Ok(now) if before == now => return,
                Ok(_) => text("clearChanged"),
                Err(error) => text_with("clearFailed", &[&error.explained()]),
            };
            self.take_back();
            self.note.set_text_content(Some(&words));
        }
    }

    async fn confirmed(&self) {
        let asked = self.asked.borrow().clone();
        let asked = match asked {
            Some(asked) => asked,
            // Not read yet.
            None => match self.ask().await {
                Some(asked) => asked,
                None => return,
            },
        };
        if let Some(consent) = asked.all(self.unsent_confirm.checked()) {
            self.dialog.close();
            self.remove(consent).await;
        } else {
            self.note.set_text_content(Some(&text("clearNeedsSecond")));
            let _ = self.unsent_confirm.focus();
        }
    }

    /// Removes what nobody has to do anything about any more: what is safely in Koha, or was taken back.
    async fn remove_settled(&self) {
        match self.desk.store.asked().await {
            Ok(asked) => self.remove(asked.settled()).await,
            Err(error) => self.desk.failed(Topic::Clear, "clearFailed", &error),
        }
    }

    async fn remove(&self, consent: Consent) {
        let (desk, message) = (&self.desk, self.desk.message.about(Topic::Clear));
        if desk.committing.get() {
            return message.show(Tone::Bad, &text("clearWhileCommitting"));
        }
        let Some(now) = clock::now() else { return message.show(Tone::Bad, &text("attentionClock")) };
        // What another window is sending must not be removed under its hands.
        let _permit = match desk.may_change_log().await {
            Ok(permit) => permit,
            Err(why) => return desk.message.show(Tone::Bad, &why),
        };
        let own = desk.preferences.borrow().desk_name();
        let removed = match desk.store.remove(&consent, &own, now).await {
            Ok(removed) => desk.store.forget_handled().await.map(|()| removed),
            Err(error) => Err(error),
        };
        match removed {
            Ok(0) => message.show(Tone::Good, &text("clearedNothing")),
            Ok(removed) => message.show(Tone::Good, &text_with("cleared", &[&locale::number(removed)])),
            Err(error) => desk.failed(Topic::Clear, "clearFailed", &error),
        }
        desk.reload_log();
    }
}

seldom! {
    async fn follow(clear: Rc<Clear>) {
        while clear.following.goes_on() {
            clear.look_again().await;
        }
    }

    async fn remove_settled(clear: Rc<Clear>) {
        clear.remove_settled().await;
    }

    async fn ask(clear: Rc<Clear>) {
        drop(clear.ask().await);
    }

    async fn confirmed(clear: Rc<Clear>) {
        clear.confirmed().await;
    }
}

/// Closes the dialog without clearing, if it is open and nobody has asked for it. Returns whether it was.
pub(crate) fn close_offer() -> bool {
    let dialog = dom::by_id::<HtmlDialogElement>("clear-dialog");
    let offer = dialog.ok().filter(|dialog| dialog.open() && dialog.has_attribute(OFFERED));
    if let Some(dialog) = &offer {
        dialog.close();
    }
    offer.is_some()
}
