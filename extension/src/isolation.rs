//! Keeps KOCT's session in Koha apart from the one of a person's browser tab.
//!
//! A fetch of an extension page shares the browser's cookie jar, and scripts cannot set or read cookies of a request. So
//! webRequest takes the browser's cookies out of our requests, puts our own in, and takes Koha's new cookies out of the
//! answers before Firefox would store them. It also tells what went wrong with a request, which fetch does not.

use crate::webext::{self, object, property, text_property};
use js_sys::{Array, Function};
use koct_core::{Secret, koha::Failure};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Names our request to the listeners; it never leaves the browser.
pub(crate) const TAG_HEADER: &str = "x-koct-request";
/// The end of the login service's address, as a pattern.
const LOGIN: &str = "svc/authentication";
const SESSION_COOKIE: &str = "CGISESSID";

/// What the listeners have seen of one request.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// The session cookie that Koha set.
    pub(crate) session_cookie: Option<Secret>,
    /// Where a redirect of the login service leads.
    pub(crate) location: Option<String>,
    /// Firefox's name for what went wrong.
    pub(crate) error: Option<String>,
}

#[derive(Default)]
struct State {
    /// The cookie to send, by tag.
    cookies: HashMap<String, Option<Secret>>,
    /// Firefox's number of the request, to our tag.
    tags: HashMap<String, String>,
    seen: HashMap<String, Seen>,
}

type Listener = Closure<dyn Fn(JsValue) -> JsValue>;

/// The listeners, for as long as this value lives.
pub(crate) struct Isolation {
    state: Rc<RefCell<State>>,
    prefix: String,
    next: Cell<u32>,
    before_send_headers: Listener,
    headers_received: Listener,
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
            error_occurred: listener(error_occurred),
            state,
        };
        let filter = |pattern: &str| object([("urls", Array::of1(&pattern.into()).into())]);
        let all = filter(pattern);
        // A listener on every answer would cost each transaction more than a millisecond, and only the login sets a cookie.
        let login = filter(&format!("{pattern}{LOGIN}"));
        let extra = |what: &str| Array::of2(&"blocking".into(), &what.into());
        webext::ON_BEFORE_SEND_HEADERS.with(|event| {
            event.add_listener(function(&isolation.before_send_headers), &all, &extra("requestHeaders"));
        });
        webext::ON_HEADERS_RECEIVED.with(|event| {
            event.add_listener(function(&isolation.headers_received), &login, &extra("responseHeaders"));
        });
        webext::ON_ERROR_OCCURRED.with(|event| event.add_plain_listener(function(&isolation.error_occurred), &all));
        isolation
    }

    /// Announces a request with this cookie and no other. Returns the value for its [`TAG_HEADER`].
    pub(crate) fn announce(&self, cookie: Option<Secret>) -> String {
        let number = self.next.get();
        self.next.set(number + 1);
        let tag = format!("{}-{number}", self.prefix);
        let mut state = self.state.borrow_mut();
        state.cookies.insert(tag.clone(), cookie);
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
        state.cookies.remove(tag);
        state.seen.remove(tag);
        state.tags.retain(|_, other| other != tag);
    }
}

impl Drop for Isolation {
    fn drop(&mut self) {
        webext::ON_BEFORE_SEND_HEADERS.with(|event| event.remove_listener(function(&self.before_send_headers)));
        webext::ON_HEADERS_RECEIVED.with(|event| event.remove_listener(function(&self.headers_received)));
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
    let Some(cookie) = state.cookies.get(&tag) else { return JsValue::UNDEFINED };
    let kept: Array =
        headers.iter().filter(|header| !is_named(header, "cookie") && !is_named(header, TAG_HEADER)).collect();
    if let Some(cookie) = cookie {
        kept.push(&header("Cookie", &format!("{SESSION_COOKIE}={}", cookie.reveal())));
    }
    // Firefox sends a POST again by itself when a connection that it used before is closed without an answer, and Koha would
    // process one transaction twice. So every request has a connection of its own.
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
            // Firefox puts several cookies into one header, a line each.
            for cookie in value.lines() {
                let (name, rest) = cookie.split_once('=').unwrap_or_default();
                if name.trim() == SESSION_COOKIE {
                    seen.session_cookie = rest.split(';').next().map(|value| Secret::new(value.trim()));
                }
            }
        } else {
            if is_named(&header, "location") {
                seen.location = Some(value);
            }
            kept.push(&header);
        }
    }
    object([("responseHeaders", kept.into())]).into()
}

fn error_occurred(state: &mut State, details: &JsValue) -> JsValue {
    if let Some(seen) = state.tags.get(&request_id(details)).and_then(|tag| state.seen.get_mut(tag)) {
        seen.error = text_property(details, "error");
    }
    JsValue::UNDEFINED
}
