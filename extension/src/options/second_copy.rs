//! The part of the settings page that asks Firefox for its permission to write files, when a person wants a second copy.

use crate::{copy::files, dom, i18n::text, webext};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlInputElement};

pub(super) struct SecondCopy {
    wanted: HtmlInputElement,
    /// Asks again: a policy wants it, or a person has said no before.
    allow: HtmlElement,
    state: HtmlElement,
}

impl SecondCopy {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind() -> Result<Rc<Self>, JsValue> {
        let this = Rc::new(Self {
            wanted: dom::by_id("second-copy")?,
            allow: dom::by_id("second-copy-allow")?,
            state: dom::by_id("second-copy-state")?,
        });
        dom::bind(&this.wanted, "change", &this, Self::ask);
        dom::bind(&this.allow, "click", &this, Self::ask);
        Ok(this)
    }

    /// Asks where it is wanted. Called within the click.
    fn ask(self: &Rc<Self>) {
        let asked = self.wanted.checked().then(|| webext::request_permissions(&files::permission()));
        let this = self.clone();
        spawn_local(async move {
            if let Some(Ok(asked)) = asked {
                let _ = JsFuture::from(asked).await;
            }
            this.show().await;
        });
    }

    /// Says where it is wanted and Firefox lets KOCT write no files.
    pub(super) async fn show(&self) {
        let lacks = self.wanted.checked() && !files::may_write().await;
        self.allow.set_hidden(!lacks);
        self.state.set_hidden(!lacks);
        self.state.set_text_content(lacks.then(|| text("copyNotAllowed")).as_deref());
    }
}
