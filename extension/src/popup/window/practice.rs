//! Practice in the window: the way there, and on its own page the codes that can be scanned, and the way back to its beginning.

use super::question::{self, Question, Reply};
use crate::{
    dom::{self, elements},
    i18n::{plural, text, text_with},
    later::{later, part},
    popup::{Desk, Tone},
    practice,
    webext::{self, object},
    wording,
};
use koct_core::{
    directory::patron_fact::PatronFact,
    log::event::{LogEvent, Reread},
    practice::made_up::{MadeUp, Practised, Shows},
};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// What there is on the desk's page that has no place in practice: what leads to Koha, to files, or to the settings. Removed rather
/// than hidden, so that nothing shows it again.
const NOT_HERE: [&str; 16] = [
    "open-records",
    "import-koc",
    "show-review",
    "export-koc",
    "backup",
    "open-queue",
    "clear",
    "open-ready",
    "open-settings",
    "records-line",
    "ready-line",
    "set-up",
    "guide",
    "save-todo",
    "offline-now",
    // The made-up Koha tells nothing of its records.
    "todo-silent",
];

/// On the desk's page: the way to practice.
///
/// # Errors
/// When the page lacks it.
pub(crate) fn offer(desk: &Rc<Desk>) -> Result<(), JsValue> {
    dom::on_click("open-practice", desk, |_| {
        spawn_local(async {
            // The event page opens it, or brings it to the front: popup/open.js.
            let _ = webext::send_message(&object([("practise", true.into())])).await;
        });
    })
}

elements! {
    struct Practice(desk: Rc<Desk>) {
        dialog: HtmlDialogElement = "practice-dialog",
        cards: Element = "practice-cards",
        items: Element = "practice-items",
    }
}

part! {
    practice,
    /// On the page of practice: what is there besides, once all else is.
    ///
    /// # Errors
    /// When the page lacks an element.
    pub(crate) async fn bind(desk: Rc<Desk>) -> Result<(), JsValue> {
        for id in NOT_HERE {
            dom::by_id::<Element>(id)?.remove();
        }
        let page = dom::document()?;
        for name in ["dragover", "drop"] {
            // Firefox would show a file in place of the page.
            dom::on::<Event>(&page, name, |event| event.prevent_default());
        }
        let practice = Rc::new(Practice::new(desk)?);
        dom::on_click("practice-codes", &practice, |this| {
            let _ = this.dialog.show_modal();
        })?;
        dom::on_click("practice-again", &practice, |this| spawn_local(again(this.desk.clone())))?;
        if let Some(library) = practice::library().await {
            practice.show(&library);
        }
        practice.desk.message.show(Tone::Good, &text("practiceHello"));
        Ok(())
    }
}

later! {
    /// Deletes what was practised, once somebody has said so.
    async fn again(desk: Rc<Desk>) {
        let [title, body, yes] = ["practiceAgainTitle", "practiceAgainText", "practiceAgain"].map(text);
        let question = Question { title: &title, text: &body, yes: &yes, is_dangerous: true, ..Question::default() };
        if question::ask(question).await != Ok(Reply::Yes) {
            return;
        }
        if desk.store.empty().await.is_ok() {
            desk.windows.tell(&LogEvent::Reload(Reread::default()));
            if let Ok(window) = dom::window() {
                let _ = window.location().reload();
            }
        }
    }
}

impl Practice {
    /// Lists what can be scanned.
    fn show(self: &Rc<Self>, library: &MadeUp) {
        let (cards, items): (Vec<_>, Vec<_>) = library.codes().into_iter().partition(|practised| practised.is_card);
        for (list, practised) in [(&self.cards, cards), (&self.items, items)] {
            dom::fill_list(list, practised, |practised| self.row(library, &practised));
        }
    }

    fn row(self: &Rc<Self>, library: &MadeUp, practised: &Practised) -> Result<HtmlElement, JsValue> {
        let row = dom::from_template("practice-template")?;
        dom::set_field(&row, "code", practised.code);
        dom::set_field(&row, "name", &practised.name);
        dom::set_field(&row, "shows", &words(&practised.shows, library));
        if let Some(button) = dom::field(&row, "code") {
            let (code, is_card) = (practised.code, practised.is_card);
            dom::bind(&button, "click", self, move |this| this.fill(code, is_card));
        }
        Ok(row)
    }

    /// Puts a code into its field, as if it were typed there: Enter takes it.
    fn fill(&self, code: &str, is_card: bool) {
        self.dialog.close();
        let last = self.desk.focus.to_scan_field().map(|field| field.id());
        let id = match (is_card, last.as_deref()) {
            (true, _) => "checkout-patron",
            (false, Some("checkin-item")) => "checkin-item",
            (false, _) => "checkout-item",
        };
        if let Ok(field) = dom::by_id::<HtmlInputElement>(id) {
            let _ = field.focus();
            field.set_value(code);
        }
    }
}

/// What a code shows, in the words in which the window shows it.
fn words(shows: &Shows, library: &MadeUp) -> String {
    match shows {
        Shows::Nothing => text("practiceNothing"),
        Shows::Warning(warning) => wording::warning(warning, "", &str::to_owned),
        Shows::Aside => text("returnedAside"),
        Shows::Late(days) => plural("returnedLate", *days, &[]),
        Shows::ToLibrary => text_with("returnedSendTo", &[library.other_library()]),
        Shows::Materials(what) => text_with("returnedMaterials", &[what]),
        Shows::ToPickUp => wording::patron_fact(&PatronFact::ToPickUp(1)),
    }
}
