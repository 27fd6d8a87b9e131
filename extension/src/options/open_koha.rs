//! The part of the settings page that takes server, library and user name from a Koha that is open in this Firefox.

use super::fields;
use crate::{
    dom::{self, elements},
    http::Http,
    i18n::{text, text_with},
    preferences, webext, wording,
};
use js_sys::Array;
use koct_core::{
    ServerUrl,
    koha::{
        login::{Who, WhoIsThere},
        page::LoggedIn,
    },
    ordered,
};
use std::{
    ops::ControlFlow::{Break, Continue},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement};

elements! {
    pub(super) struct OpenKoha {
        found: HtmlElement = "koha-found",
        said: HtmlElement = "koha-said",
        server: HtmlInputElement = "server",
        username: HtmlInputElement = "username",
        branchcode: HtmlInputElement = "branchcode",
    }
}

impl OpenKoha {
    /// Gives the button that looks for it its work.
    ///
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind() -> Result<(), JsValue> {
        dom::on_click("find-koha", &Rc::new(Self::new()?), Self::find)
    }

    fn say(&self, words: &str) {
        self.said.set_text_content(Some(words));
    }

    /// Lists the servers whose staff client is open in a tab.
    fn find(self: &Rc<Self>) {
        // Asked for within the click, and given back as soon as it was used.
        let tabs = webext::object([("permissions", Array::of1(&"tabs".into()).into())]);
        let Ok(asked) = webext::request_permissions(&tabs) else { return };
        let this = self.clone();
        spawn_local(async move {
            this.found.set_text_content(None);
            if !webext::is_yes(asked).await {
                return this.say(&text("findKohaNotAllowed"));
            }
            let pages = webext::tab_addresses().await.unwrap_or_default();
            let _ = webext::remove_permissions(&tabs).await;
            let mut servers: Vec<_> = pages.iter().filter_map(|address| ServerUrl::from_staff_page(address)).collect();
            ordered::sort_by_text(&mut servers, |server| server.as_str().to_owned());
            servers.dedup();
            this.say(&text(if servers.is_empty() { "findKohaNone" } else { "findKohaChoose" }));
            for server in servers {
                let _ = this.offer(server);
            }
        });
    }

    fn offer(self: &Rc<Self>, server: ServerUrl) -> Result<(), JsValue> {
        let button: HtmlElement = dom::from_template("koha-found-template")?;
        button.set_text_content(Some(server.as_str()));
        let line: Element = dom::document()?.create_element("li")?;
        line.append_child(&button)?;
        self.found.append_child(&line)?;
        dom::bind(&button, "click", self, move |this| this.choose(&server));
        Ok(())
    }

    fn choose(self: &Rc<Self>, server: &ServerUrl) {
        let Ok(asked) = webext::request_permissions(&preferences::origins(&server.permission_pattern())) else {
            return;
        };
        self.server.set_value(server.as_str());
        // What the page knows of the server follows: what is stored for another is not used for this one.
        fields::tell_changed(&self.server);
        let (this, server) = (self.clone(), server.clone());
        spawn_local(async move {
            if !webext::is_yes(asked).await {
                return this.say(&text_with("testNotAllowed", &[server.as_str()]));
            }
            match who_is_there(&server).await {
                Some(who) => {
                    let taken = [(&this.username, Some(&who.userid)), (&this.branchcode, who.branchcode.as_ref())];
                    // What the library has preset stays.
                    for (field, value) in taken.into_iter().filter(|(field, _)| !field.read_only()) {
                        if let Some(value) = value {
                            field.set_value(value);
                            fields::tell_changed(field);
                        }
                    }
                    this.say(&[wording::person(&who), text("findKohaDone")].join(" "));
                }
                None => this.say(&text("findKohaNobody")),
            }
        });
    }
}

/// Who is logged in at this server in this Firefox.
async fn who_is_there(server: &ServerUrl) -> Option<LoggedIn> {
    let http = Http::isolated(&server.permission_pattern());
    let (mut question, request) = WhoIsThere::start(server);
    let handle = |answer: Result<_, _>| match answer.map(|answer| question.handle(server, &answer)) {
        Ok(Who::Request(next)) => Continue(next),
        Ok(Who::Person { who, .. }) => Break(Some(who)),
        Ok(Who::Nobody | Who::Foreign) | Err(_) => Break(None),
    };
    http.ask(request, handle).await
}
