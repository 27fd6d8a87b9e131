//! Keeps KOCT's session in Koha apart from the one of a person's browser tab.
//!
//! A fetch of an extension page shares the browser's cookie jar, and scripts cannot set or read cookies of a request. So
//! webRequest takes the person's session out of our requests (unless the person wants it used), puts our own in, and takes all
//! new cookies out of the answers before Firefox would store them; which go where is [`koct_core::koha::cookies`]. webRequest
//! also tells what went wrong with a request, which fetch does not.

use crate::webext::{self, object, property, text_property};
use js_sys::{Array, Function};
use koct_core::{
    Secret,
    koha::{
        Failure,
        cookies::{self, Jar},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Names our request to the listeners; it never leaves the browser.
pub(crate) const TAG_HEADER: &str = "x-koct-request";

/// What the listeners have seen of one request.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// The session cookie that Koha set.
    pub(crate) session_cookie: Option<Secret>,
    /// The session cookie of the person's tab, where the request was made with it.
    pub(crate) persons_cookie: Option<Secret>,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    /// What a web server asks a name and a password for, with what status.
    pub(crate) asked_for_password: Option<(u16, String)>,
    /// Firefox's name for what went wrong.
    pub(crate) error: Option<String>,
}

/// The session to make a request in.
pub(crate) enum Within {
    /// None.
    Nobodys,
    /// The one of this cookie.
    Session(Secret),
    /// That of the person's own Koha tab, whichever it is.
    Persons,
}

#[derive(Default)]
struct State {
    /// The session to use, by tag.
    sessions: HashMap<String, Within>,
    /// Firefox's number of the request, to our tag.
    tags: HashMap<String, String>,
    seen: HashMap<String, Seen>,
    jar: Jar,
}

type Listener = Closure<dyn Fn(JsValue) -> JsValue>;

/// The listeners, for as long as this value lives.
pub(crate) struct Isolation {
    state: Rc<RefCell<State>>,
    prefix: String,
    next: Cell<u32>,
    before_send_headers: Listener,
    headers_received: Listener,
    auth_required: Listener,
    error_occurred: Listener,
}

impl Isolation {
    /// Starts listening on requests that match this permission pattern.
    pub(crate) fn new(pattern: &str) -> Self {
        let state = Rc::new(RefCell::new(State::default()));
        let listener = |handle: fn(&mut State, &JsValue) -> JsValue| {
            let state = state.clone();
            let ours = webext::get_url("");
            Closure::<dyn Fn(JsValue) -> JsValue>::new(move |details: JsValue| {
                let origin = text_property(&details, "originUrl").unwrap_or_default();
                if origin.starts_with(&ours) { handle(&mut state.borrow_mut(), &details) } else { JsValue::UNDEFINED }
            })
        };
        let isolation = Self {
            // Two windows of KOCT see each other's requests; each minds only its own.
            prefix: format!("{:x}", js_sys::Math::random().to_bits()),
            next: Cell::new(0),
            before_send_headers: listener(before_send_headers),
            headers_received: listener(headers_received),
            auth_required: listener(auth_required),
            error_occurred: listener(error_occurred),
            state,
        };
        let all = object([("urls", Array::of1(&pattern.into()).into())]);
        let extra = |what: &str| Array::of2(&"blocking".into(), &what.into());
        webext::ON_BEFORE_SEND_HEADERS.with(|event| {
            event.add_listener(function(&isolation.before_send_headers), &all, &extra("requestHeaders"));
        });
        webext::ON_HEADERS_RECEIVED.with(|event| {
            event.add_listener(function(&isolation.headers_received), &all, &extra("responseHeaders"));
        });
        webext::ON_AUTH_REQUIRED.with(|event| {
            event.add_listener(function(&isolation.auth_required), &all, &Array::of1(&"blocking".into()));
        });
        webext::ON_ERROR_OCCURRED.with(|event| event.add_plain_listener(function(&isolation.error_occurred), &all));
        isolation
    }

    /// Announces a request in this session and no other. Returns the value for its [`TAG_HEADER`].
    pub(crate) fn announce(&self, within: Within) -> String {
        let number = self.next.get();
        self.next.set(number + 1);
        let tag = format!("{}-{number}", self.prefix);
        let mut state = self.state.borrow_mut();
        state.sessions.insert(tag.clone(), within);
        state.seen.insert(tag.clone(), Seen::default());
        tag
    }

    /// What has been seen of a request so far.
    pub(crate) fn seen(&self, tag: &str) -> Seen {
        self.state.borrow().seen.get(tag).cloned().unwrap_or_default()
    }

    /// Forgets a request that is over.
    pub(crate) fn forget(&self, tag: &str) {
        let mut state = self.state.borrow_mut();
        state.sessions.remove(tag);
        state.seen.remove(tag);
        state.tags.retain(|_, other| other != tag);
    }
}

impl Drop for Isolation {
    fn drop(&mut self) {
        webext::ON_BEFORE_SEND_HEADERS.with(|event| event.remove_listener(function(&self.before_send_headers)));
        webext::ON_HEADERS_RECEIVED.with(|event| event.remove_listener(function(&self.headers_received)));
        webext::ON_AUTH_REQUIRED.with(|event| event.remove_listener(function(&self.auth_required)));
        webext::ON_ERROR_OCCURRED.with(|event| event.remove_listener(function(&self.error_occurred)));
    }
}

impl Seen {
    /// What the failed request proves.
    pub(crate) fn failure(&self) -> Failure {
        Failure::from_firefox(self.error.as_deref().unwrap_or_default())
    }
}

fn function(listener: &Listener) -> &Function {
    listener.as_ref().unchecked_ref()
}

fn header(name: &str, value: &str) -> JsValue {
    object([("name", name.into()), ("value", value.into())]).into()
}

fn is_named(header: &JsValue, name: &str) -> bool {
    text_property(header, "name").is_some_and(|other| other.eq_ignore_ascii_case(name))
}

fn request_id(details: &JsValue) -> String {
    text_property(details, "requestId").unwrap_or_default()
}

fn before_send_headers(state: &mut State, details: &JsValue) -> JsValue {
    let headers: Array = property(details, "requestHeaders").unchecked_into();
    let Some(tag) =
        headers.iter().find(|header| is_named(header, TAG_HEADER)).and_then(|header| text_property(&header, "value"))
    else {
        return JsValue::UNDEFINED;
    };
    let Some(within) = state.sessions.get(&tag) else { return JsValue::UNDEFINED };
    let of_browser = headers.iter().filter(|header| is_named(header, "cookie"));
    let of_browser = of_browser.filter_map(|header| text_property(&header, "value")).collect::<Vec<_>>().join("; ");
    let session = match within {
        Within::Nobodys => None,
        Within::Session(cookie) => Some(cookie.clone()),
        Within::Persons => cookies::session_of(&of_browser),
    };
    let sent = state.jar.header(&of_browser, session.as_ref());
    if let (Within::Persons, Some(seen)) = (within, state.seen.get_mut(&tag)) {
        seen.persons_cookie = session;
    }
    let replaced = ["cookie", "connection", TAG_HEADER];
    let kept: Array = headers.iter().filter(|header| !replaced.iter().any(|name| is_named(header, name))).collect();
    if let Some(sent) = sent {
        kept.push(&header("Cookie", &sent));
    }
    // Firefox sends a POST again by itself when a connection that it used before is closed without an answer, and Koha would
    // process one transaction twice. So every request has a connection of its own. Firefox's own header is replaced: of the
    // two together, `keep-alive, close`, some servers read the first.
    kept.push(&header("Connection", "close"));
    state.tags.insert(request_id(details), tag);
    object([("requestHeaders", kept.into())]).into()
}

fn headers_received(state: &mut State, details: &JsValue) -> JsValue {
    let Some(seen) = state.tags.get(&request_id(details)).and_then(|tag| state.seen.get_mut(tag)) else {
        return JsValue::UNDEFINED;
    };
    let headers: Array = property(details, "responseHeaders").unchecked_into();
    let kept = Array::new();
    for header in headers.iter() {
        let value = text_property(&header, "value").unwrap_or_default();
        if is_named(&header, "set-cookie") {
            seen.session_cookie = state.jar.take(&value).or(seen.session_cookie.take());
        } else {
            if is_named(&header, "location") {
                seen.location = Some(value);
            }
            kept.push(&header);
        }
    }
    object([("responseHeaders", kept.into())]).into()
}

/// A web server asks for a name and a password. Nobody is asked for them: with them Firefox would send the request once more,
/// and the server may have asked in place of Koha's answer. Firefox gives out no answer then, so what it was is kept here.
fn auth_required(state: &mut State, details: &JsValue) -> JsValue {
    let Some(seen) = state.tags.get(&request_id(details)).and_then(|tag| state.seen.get_mut(tag)) else {
        return JsValue::UNDEFINED;
    };
    let is_proxy = property(details, "isProxy").is_truthy();
    seen.asked_for_password =
        Some((if is_proxy { 407 } else { 401 }, text_property(details, "realm").unwrap_or_default()));
    object([("cancel", JsValue::TRUE)]).into()
}

fn error_occurred(state: &mut State, details: &JsValue) -> JsValue {
    if let Some(seen) = state.tags.get(&request_id(details)).and_then(|tag| state.seen.get_mut(tag)) {
        seen.error = text_property(details, "error");
    }
    JsValue::UNDEFINED
}
