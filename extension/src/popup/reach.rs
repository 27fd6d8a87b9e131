//! Says when Koha can be reached while transactions wait. Nothing is sent without a person.

use super::Desk;
use crate::{
    dom,
    http::{Http, sleep},
    i18n::text_with,
    preferences, webext, wording,
};
use koct_core::{koha::rest, status::State};
use std::{rc::Rc, time::Duration};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

/// How often Koha is looked for: seldom enough that many desks together are no load for it.
const EVERY: Duration = Duration::from_secs(30);

/// Looks for Koha as long as the window lives.
///
/// # Errors
/// When the page lacks an element.
pub(super) fn bind(desk: &Rc<Desk>) -> Result<(), JsValue> {
    let line: HtmlElement = dom::by_id("reachable")?;
    let desk = desk.clone();
    spawn_local(async move {
        loop {
            let waiting = desk.counts.get().of(State::Local);
            if waiting > 0 && !desk.committing.get() {
                let is_there = desk.koha_is_there().await;
                // While it was looked for, a commit may have begun.
                desk.show_reachable(&line, is_there && !desk.committing.get());
            } else {
                line.set_hidden(true);
            }
            sleep(EVERY).await;
        }
    });
    Ok(())
}

impl Desk {
    /// Whether Koha's staff client answers, asked without logging in, so that Koha keeps no session for it.
    async fn koha_is_there(&self) -> bool {
        let Some(settings) = self.settings() else { return false };
        let pattern = settings.server.permission_pattern();
        let allowed = webext::contains_permissions(&preferences::origins(&pattern)).await;
        if !allowed.is_ok_and(|allowed| allowed.is_truthy()) {
            return false;
        }
        let http = Http::isolated(&pattern);
        http.send(&rest::anyone_there(&settings)).await.is_ok_and(|response| rest::is_koha(&response))
    }

    fn show_reachable(&self, line: &HtmlElement, is_there: bool) {
        let waiting = self.counts.get().of(State::Local);
        let button = wording::commit_type(self.preferences.borrow().form.commit_type);
        line.set_text_content(Some(&text_with("reachable", &[&waiting.to_string(), &button])));
        line.set_hidden(!is_there || waiting == 0);
    }
}
