//! A box of the settings page that Firefox must permit what it stands for: it is asked when a person ticks it.

use crate::{dom, i18n::text, lock::Lock, preferences, webext};
use js_sys::Object;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlInputElement};

pub(super) struct Permitted {
    wanted: HtmlInputElement,
    /// Asks again: a policy wants it, or a person has said no before.
    allow: HtmlElement,
    state: HtmlElement,
    /// The argument of the permission calls.
    permission: fn() -> Object,
    /// The text that says that Firefox does not permit it.
    lacks: &'static str,
    /// Until it is saved that it is wanted, nobody gives it back.
    keeps: RefCell<Option<Lock>>,
}

impl Permitted {
    /// The box of this name.
    ///
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind(name: &str, permission: fn() -> Object, lacks: &'static str) -> Result<Rc<Self>, JsValue> {
        let this = Rc::new(Self {
            wanted: dom::by_id(name)?,
            allow: dom::by_id(&format!("{name}-allow"))?,
            state: dom::by_id(&format!("{name}-state"))?,
            permission,
            lacks,
            keeps: RefCell::default(),
        });
        dom::bind(&this.wanted, "change", &this, Self::ask);
        dom::bind(&this.allow, "click", &this, Self::ask);
        Ok(this)
    }

    /// Asks where it is wanted. Called within the click.
    fn ask(self: &Rc<Self>) {
        let asked = self.wanted.checked().then(|| webext::request_permissions(&(self.permission)()));
        let this = self.clone();
        spawn_local(async move {
            if asked.is_some() {
                let keeps = preferences::keep_permissions().await;
                this.keeps.replace(keeps);
            } else {
                this.release();
            }
            if let Some(Ok(asked)) = asked {
                let _ = JsFuture::from(asked).await;
            }
            this.show().await;
        });
    }

    /// It is saved what is wanted.
    pub(super) fn release(&self) {
        self.keeps.take();
    }

    /// Says where it is wanted and Firefox does not permit it.
    pub(super) async fn show(&self) {
        let lacks = self.wanted.checked() && !webext::is_permitted(&(self.permission)()).await;
        self.allow.set_hidden(!lacks);
        self.state.set_hidden(!lacks);
        self.state.set_text_content(lacks.then(|| text(self.lacks)).as_deref());
    }
}
