//! A question with up to three answers, in a dialog of the page.

use crate::dom;
use futures_util::lock::Mutex;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlDialogElement, HtmlElement};

/// What the person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Yes,
    Other,
    Cancel,
}

/// What is asked.
#[derive(Default)]
pub(crate) struct Question<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    /// What it is about, a line each.
    pub(crate) list: &'a [String],
    pub(crate) yes: &'a str,
    /// A third way, if there is one.
    pub(crate) other: Option<&'a str>,
    /// Whether yes is what cannot be taken back.
    pub(crate) is_dangerous: bool,
    /// Called once it stands there: from now on what it is about may change, see [`say`] and [`withdraw`].
    pub(crate) opened: Option<&'a dyn Fn()>,
}

thread_local! {
    /// One question at a time: an answer must not be given to another one.
    static TURN: Rc<Mutex<()>> = Rc::default();
}

/// Asks, and waits for the answer. Escape is a cancel. While another question is open, it waits for its turn.
///
/// # Errors
/// When the page lacks an element.
pub(crate) async fn ask(question: Question<'_>) -> Result<Reply, JsValue> {
    let turn = TURN.with(Rc::clone);
    let _turn = turn.lock().await;
    let dialog: HtmlDialogElement = dom::by_id("question")?;
    let set = |id: &str, text: &str| dom::by_id::<Element>(id).map(|element| element.set_text_content(Some(text)));
    set("question-title", question.title)?;
    set("question-text", question.text)?;
    set("question-yes", question.yes)?;
    dom::by_id::<Element>("question-yes")?.set_class_name(if question.is_dangerous { "stop" } else { "primary" });
    let other: HtmlElement = dom::by_id("question-other")?;
    other.set_hidden(question.other.is_none());
    other.set_text_content(question.other);
    let list: HtmlElement = dom::by_id("question-list")?;
    list.set_hidden(question.list.is_empty());
    dom::fill_list(&list, question.list, |words| dom::line(words));
    dialog.set_return_value("cancel");
    let closed = dom::closing(&dialog);
    dialog.show_modal()?;
    // The safe answer has the focus: Enter of a scanner must not decide anything.
    let _ = dom::by_id::<HtmlElement>("question-cancel")?.focus();
    if let Some(opened) = question.opened {
        opened();
    }
    JsFuture::from(closed).await?;
    Ok(match dialog.return_value().as_str() {
        "yes" => Reply::Yes,
        "other" => Reply::Other,
        _ => Reply::Cancel,
    })
}

/// Waits until nothing of the question is being pressed. Then what it says may change.
pub(crate) async fn let_go() {
    if let Ok(dialog) = dom::by_id("question") {
        super::press::let_go(&dialog).await;
    }
}

/// The question that stands there is this one now. For whoever knows that it is theirs.
pub(crate) fn say(title: &str) {
    if let Ok(shown) = dom::by_id::<Element>("question-title") {
        shown.set_text_content(Some(title));
    }
}

/// Nothing is asked any more. For whoever knows that the question that stands there is theirs.
pub(crate) fn withdraw() {
    if let Ok(dialog) = dom::by_id::<HtmlDialogElement>("question") {
        dialog.close();
    }
}
