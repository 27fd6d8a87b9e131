//! Koha's pages that fail in tabs, or come again: what popup/watch.js tells of them, and how the outage is shown while no window is
//! open.
//!
//! The rule is core's ([`koct_core::koha::outage`]), and so the event page needs the module for it. It is loaded only for a page
//! that failed, and from then on until Koha answers again: on a day without an outage never. How it stands is in
//! `storage.session`, since Firefox ends an event page that has nothing to do.

use crate::{
    background, clock, ground,
    i18n::{plural, text},
    preferences, ready,
    webext::{self, object, property, text_property},
};
use koct_core::{
    ServerUrl, State,
    koha::outage::{Load, News, Outage, Seen, Sign},
};
use std::time::Duration;
use wasm_bindgen::JsValue;
use web_extensions_sys::browser;

/// The key in `storage.session`.
const KEY: &str = "outage";
/// The notifications, of which one is shown. Each has a name of its own: where Firefox is given one of a name that it shows still,
/// it forgets the new one when the old one closes.
const NOTIFICATIONS: [(News, &str); 3] =
    [(News::Waits, "koct-waits"), (News::Gone, "koct-gone"), (News::Back, "koct-back")];

/// What the window tells the event page, which alone writes how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// A person goes on without Koha.
    Offline,
    /// A person says that Koha works.
    Online,
    /// The window has asked Koha, and got its answer.
    Answered,
}

impl Said {
    const ALL: [(Self, &str); 3] = [(Self::Offline, "offline"), (Self::Online, "online"), (Self::Answered, "answered")];

    /// Tells the event page.
    pub(crate) async fn tell(self) {
        let word = Self::ALL.iter().find(|(said, _)| *said == self).map_or("", |(_, word)| *word);
        // Where nobody hears it, the next look of the window tells it again.
        let _ = webext::send_message(&object([("said", word.into())])).await;
    }
}

/// How the server of the settings stands.
pub(crate) async fn now(server: &ServerUrl) -> Outage {
    Outage::of(server, kept().await.as_deref())
}

async fn kept() -> Option<String> {
    let kept = browser().storage().session().get(&KEY.into()).await.ok();
    kept.and_then(|kept| text_property(&kept, KEY))
}

/// Whether Koha is out, as far as is known.
pub(crate) async fn is_out() -> bool {
    let server = preferences::stored().await.ok().and_then(|preferences| preferences.form.server().ok());
    match server {
        Some(server) => now(&server).await.since().is_some(),
        None => false,
    }
}

/// The load of a page has ended, is waited for, or the window says something.
pub(crate) async fn seen(load: &JsValue) {
    let Ok(preferences) = preferences::stored().await else { return };
    let Ok(server) = preferences.form.server() else { return };
    let before = kept().await;
    let mut outage = Outage::of(&server, before.as_deref());
    let news = match text_property(load, "said") {
        Some(said) => hear(&mut outage, &said),
        None => match see(&mut outage, &server, load) {
            Seen::Nothing => None,
            Seen::News(news) => Some(news),
            // Where it may not be asked, no page of it is seen either.
            Seen::Answer => outage.asked(ready::koha_is_there(Some(&server)).await == Some(true)),
        },
    };
    let json = outage.to_json();
    // What was kept of another server ends, too.
    if json == before {
        return;
    }
    let session = browser().storage().session();
    // Where Firefox cannot keep it, it is noticed again.
    let _ = match json {
        Some(json) => ground::store(&session, &object([(KEY, json.into())])).await,
        None => ground::remove(&session, KEY).await,
    };
    let counts = background::show_badge().await.unwrap_or_default();
    show_title(outage.since().is_some());
    show_news(news, counts.of(State::Local), preferences.desk.notify).await;
}

fn hear(outage: &mut Outage, said: &str) -> Option<News> {
    match Said::ALL.iter().find(|(_, word)| *word == said)?.0 {
        Said::Offline => outage.say_offline(clock::time()),
        Said::Online => outage.say_online(),
        Said::Answered => return outage.answered(),
    }
    None
}

/// What webRequest, or the wait for it, tells of a page.
fn see(outage: &mut Outage, server: &ServerUrl, load: &JsValue) -> Seen {
    match sign(server, load) {
        Some((id, sign)) => outage.see(&id, sign, clock::time()),
        None => Seen::Nothing,
    }
}

fn sign(server: &ServerUrl, load: &JsValue) -> Option<(String, Sign)> {
    let number = |name: &str| property(load, name).as_f64();
    let (address, id) = (text_property(load, "url")?, text_property(load, "requestId")?);
    let error = text_property(load, "error");
    let load = if let Some(waited) = number("waited") {
        Load::Waited(Duration::try_from_secs_f64(waited / 1_000.0).ok()?)
    } else if let Some(error) = &error {
        Load::Failed(error)
    } else {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status has three digits")]
        let status = number("statusCode")? as u16;
        Load::Answered { status, from_cache: property(load, "fromCache").is_truthy() }
    };
    Some((id, load.sign(server, &address)?))
}

/// The tip of the button says it too: the badge is only a sign.
fn show_title(is_out: bool) {
    let title = if is_out { text("outageGone").into() } else { JsValue::NULL };
    let _ = webext::set_title(&object([("title", title)]));
}

/// A notification, where the person wants them and Firefox may show them.
async fn show_news(news: Option<News>, waiting: u32, wanted: bool) {
    let Some(news) = news.filter(|_| wanted) else { return };
    let words = match news {
        News::Waits => text("outageWaits"),
        News::Gone => text("outageGone"),
        News::Back if waiting == 0 => text("reachableBack"),
        News::Back => plural("kohaBack", waiting, &[]),
    };
    let notification = object([
        ("type", "basic".into()),
        ("iconUrl", webext::get_url("icons/koct.svg").into()),
        ("title", text("windowTitle").into()),
        ("message", words.into()),
    ]);
    // There is no such thing where it was not allowed.
    for (other, name) in NOTIFICATIONS {
        let _ = if other == news {
            webext::create_notification(name, &notification).await
        } else {
            webext::clear_notification(name).await
        };
    }
}

/// The argument of the permission calls for notifications.
pub(crate) fn notifications() -> js_sys::Object {
    object([("permissions", js_sys::Array::of1(&"notifications".into()).into())])
}

/// Nobody wants notifications any more.
pub(crate) async fn give_back_notifications() {
    let _ = webext::remove_permissions(&notifications()).await;
}
