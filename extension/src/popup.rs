//! KOCT's window: the ground that its panels share, and the panels, in folders by the story.
//!
//! One idiom for a panel:
//! - A struct made by `dom::elements!`: each element with its id, then what else it holds. `new` finds the elements.
//! - `bind(&desk)` binds its events, by `dom::on_click`, `on_submit` and `bind`, which clone the `Rc`.
//! - What it does are methods: of the panel alone where it needs nothing else, of [`Desk`] where it needs the ground. It
//!   calls another panel only where the story needs it.
//! - What it shows of the log follows a [`LogEvent`](koct_core::log::event::LogEvent): its `follow` stands in the one list
//!   of listeners in [`events`], and nothing else calls it.
//! - Lists are filled by `dom::fill_list`. What fails is told by [`Desk::failed`], an error of JavaScript's in the words of
//!   `i18n::js_error`.

mod commit;
mod desk;
mod events;
mod files;
mod known;
mod log;
mod scan;
mod window;

use crate::{
    dom,
    i18n::text_with,
    store::{self, Store},
};
use desk::Desk;
use std::{rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_extensions_sys::browser;
use web_sys::Element;
use window::{
    focus::Focus,
    message::{Message, Tone, Topic},
};

/// How long statuses that change in a commit may wait to be shown.
pub(crate) const DRAWING_LAG: Duration = Duration::from_millis(100);

/// Starts the window.
///
/// # Errors
/// When the page lacks an element.
pub(crate) async fn start() -> Result<(), JsValue> {
    crate::i18n::localise(&dom::document()?);
    let focus = Focus::new()?;
    let message = Rc::new(Message::new(focus.clone())?);
    message.bind();
    let store = match Store::open(store::DATABASE).await {
        Ok(store) => Rc::new(store),
        Err(error) => {
            message.show(Tone::Bad, &text_with("openFailed", &[&error.to_string()]));
            for id in
                ["checkout-item", "checkout-patron", "checkin-item", "checkout-submit", "checkin-submit", "commit"]
            {
                dom::by_id::<Element>(id)?.set_attribute("disabled", "")?;
            }
            return Ok(());
        }
    };
    let desk = Rc::new(Desk::new(store, message, focus)?);
    // Ready to scan before anything is read: what is scanned meanwhile waits in the queue.
    scan::checkout::bind(&desk)?;
    scan::checkin::bind(&desk)?;
    scan::scans::bind(&desk)?;
    window::stray::bind(&desk)?;
    window::keys::bind(&desk)?;
    mark("koct-ready")?;
    window::help::bind()?;
    commit::bind(&desk)?;
    files::export::bind(&desk)?;
    log::clear::bind(&desk)?;
    commit::doubts::bind(&desk)?;
    log::batches::bind(&desk)?;
    log::table::bind(&desk)?;
    log::find::bind(&desk)?;
    log::edit::bind(&desk)?;
    commit::review::bind(&desk)?;
    files::import::bind(&desk)?;
    files::backup::bind(&desk)?;
    log::slip::bind(&desk)?;
    known::records::bind(&desk)?;
    known::patron::bind(&desk)?;
    known::aside::bind(&desk)?;
    for id in ["open-settings", "guide-settings"] {
        dom::on_click(id, &desk, |_| browser().runtime().open_options_page())?;
    }
    window::guide::bind(&desk)?;
    desk.watch_settings();
    window::windows::bind(&desk);

    desk.clone().reload_preferences().await;
    desk.clone().recover().await;
    desk.clone().reread_log().await;
    mark("koct-shown")?;
    spawn_local(async {
        store::persist().await;
    });
    spawn_local(desk.clone().reload_records());
    commit::reach::bind(&desk);
    if desk.counts.get().total() > 0 {
        log::clear::offer(&desk);
    }
    dom::document()?.body().ok_or("no body")?.set_attribute("data-ready", "")?;
    log::find::prepare(&desk);
    Ok(())
}

/// Marks how far the window has come, for whoever looks at how long it takes to open.
fn mark(name: &str) -> Result<(), JsValue> {
    if let Some(performance) = dom::window()?.performance() {
        performance.mark(name)?;
    }
    Ok(())
}

/// Enter in this input, outside the composition of an input method. The page's own handling of it is stopped.
fn on_enter(input: &web_sys::HtmlInputElement, handler: impl Fn() + 'static) {
    dom::on::<web_sys::KeyboardEvent>(input.unchecked_ref(), "keydown", move |event| {
        // With Control it confirms what was warned of.
        if event.key() == "Enter" && !event.ctrl_key() && !event.is_composing() {
            event.prevent_default();
            handler();
        }
    });
}
