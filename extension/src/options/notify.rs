//! The part of the settings page that asks Firefox for its permission to show notifications, when a person wants them.

use crate::{dom, i18n::text, outage, webext};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlInputElement};

#[derive(Clone)]
pub(super) struct Notify {
    wanted: HtmlInputElement,
    /// Asks again: a policy wants them, or a person has said no before.
    allow: HtmlElement,
    state: HtmlElement,
}

impl Notify {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind() -> Result<Rc<Self>, JsValue> {
        let this = Rc::new(Self {
            wanted: dom::by_id("notify")?,
            allow: dom::by_id("notify-allow")?,
            state: dom::by_id("notify-state")?,
        });
        dom::bind(&this.wanted, "change", &this, Self::ask);
        dom::bind(&this.allow, "click", &this, Self::ask);
        Ok(this)
    }

    /// Asks where they are wanted. Called within the click.
    fn ask(self: &Rc<Self>) {
        let asked = self.wanted.checked().then(|| webext::request_permissions(&outage::notifications()));
        let this = self.clone();
        spawn_local(async move {
            if let Some(Ok(asked)) = asked {
                let _ = JsFuture::from(asked).await;
            }
            this.show().await;
        });
    }

    /// Says where they are wanted and Firefox may not show them.
    pub(super) async fn show(&self) {
        let lacks = self.wanted.checked() && !outage::may_notify().await;
        self.allow.set_hidden(!lacks);
        self.state.set_hidden(!lacks);
        self.state.set_text_content(lacks.then(|| text("notifyNotAllowed")).as_deref());
    }
}
