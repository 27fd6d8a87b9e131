//! Makes core's requests with fetch.

use crate::{
    clock, ground,
    isolation::{Isolation, TAG_HEADER, Within},
    timer::{abort_after, sleep},
};
use js_sys::Uint8Array;
use koct_core::{
    Secret,
    koha::{Failure, Method, Request, Response, body::Body, front},
};
use std::{ops::ControlFlow, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, Headers, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit,
    RequestRedirect, ResponseType,
};

/// How long the listeners may lag behind fetch in telling why a request failed.
const ERROR_LAG: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(10);

/// The network.
#[derive(Default)]
pub struct Http {
    /// Absent only where the page has no webRequest; then no session can be used.
    isolation: Option<Isolation>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http")
    }
}

impl Http {
    /// The network without a session of our own: for pages outside an add-on.
    pub fn plain() -> Self {
        Self::default()
    }

    /// The network, with the requests to this server apart from the browser's own session there.
    pub(crate) fn isolated(pattern: &str) -> Self {
        Self { isolation: Some(Isolation::new(pattern)) }
    }

    /// Makes a request and waits for the whole answer.
    ///
    /// # Errors
    /// When no whole answer came, with what that proves.
    pub async fn send(&self, request: &Request) -> Result<Response, Failure> {
        let tag = self.isolation.as_ref().map(|isolation| {
            isolation.announce(match &request.session {
                _ if request.in_persons_session => Within::Persons,
                Some(session) => Within::Session(session.cookie.clone()),
                None => Within::Nobodys,
            })
        });
        let answer = self.fetch(request, tag.as_deref()).await;
        if let (Some(isolation), Some(tag)) = (&self.isolation, tag) {
            isolation.forget(&tag);
        }
        answer
    }

    /// Makes this request, and those that follow from the answers, until something else does.
    pub(crate) async fn ask<T>(
        &self,
        mut request: Request,
        mut handle: impl FnMut(Result<Response, Failure>) -> ControlFlow<T, Request>,
    ) -> T {
        loop {
            match handle(self.send(&request).await) {
                ControlFlow::Continue(next) => request = next,
                ControlFlow::Break(end) => return end,
            }
        }
    }

    async fn fetch(&self, request: &Request, tag: Option<&str>) -> Result<Response, Failure> {
        // Nor would the page's own policy let it.
        let Some(fetching) = (!ground::is_practice()).then(|| start(request, tag)).flatten() else {
            return Err(Failure::NotSent(koct_core::koha::NotSent::NotAllowed));
        };
        let response: web_sys::Response = match JsFuture::from(fetching).await {
            Ok(response) => response.unchecked_into(),
            Err(error) => {
                let failure = self.failure(&error, tag).await;
                return self.asked_for_password(tag).ok_or(failure);
            }
        };
        let seen = self.isolation.as_ref().zip(tag).map(|(isolation, tag)| isolation.seen(tag)).unwrap_or_default();
        if response.type_() == ResponseType::Opaqueredirect {
            return Err(Failure::Redirected { to: seen.location });
        }
        let mut body = Body::of(request);
        // The head came, so a server was reached: whatever Firefox says now, the request may have been processed.
        if let Err(error) = read(&response, &mut body).await {
            return Err(if is_timeout(&error) { Failure::TimedOut } else { Failure::Lost });
        }
        let header = |name: &str| response.headers().get(name).ok().flatten();
        body.into_answer(Response {
            status: response.status(),
            content_type: header("content-type").unwrap_or_default(),
            csrf_token: header("csrf-token").map(Secret::new),
            session_cookie: seen.session_cookie,
            persons_cookie: seen.persons_cookie,
            date: header("date").and_then(|date| clock::read(&date)),
            total_count: header("x-total-count").and_then(|count| count.trim().parse().ok()),
            retry_after: header("retry-after").and_then(|after| front::retry_after(&after, header("date").as_deref())),
            asks_for_password: header("www-authenticate").is_some(),
            body: String::new(),
        })
    }

    /// The answer of a web server that asks for a name and a password.
    fn asked_for_password(&self, tag: Option<&str>) -> Option<Response> {
        let (status, body) = self.isolation.as_ref()?.seen(tag?).asked_for_password?;
        Some(Response { status, body, asks_for_password: true, ..Response::default() })
    }

    async fn failure(&self, error: &JsValue, tag: Option<&str>) -> Failure {
        if is_timeout(error) {
            return Failure::TimedOut;
        }
        let Some((isolation, tag)) = self.isolation.as_ref().zip(tag) else { return Failure::Lost };
        let mut waited = Duration::ZERO;
        while isolation.seen(tag).error.is_none() && waited < ERROR_LAG {
            sleep(STEP).await;
            waited += STEP;
        }
        isolation.seen(tag).failure()
    }
}

fn start(request: &Request, tag: Option<&str>) -> Option<js_sys::Promise> {
    let headers = Headers::new().ok()?;
    let set = |name: &str, value: &str| headers.set(name, value).ok();
    if let Some(tag) = tag {
        set(TAG_HEADER, tag)?;
    }
    if let Some(token) = request.session.as_ref().and_then(|session| session.csrf_token.as_ref()) {
        set("CSRF-TOKEN", token.reveal())?;
    }
    let window = web_sys::window()?;
    if let Some((name, password)) = request.basic.as_deref() {
        // btoa takes bytes as the characters U+0000 to U+00FF.
        let bytes: String = format!("{name}:{}", password.reveal()).bytes().map(char::from).collect();
        set("Authorization", &format!("Basic {}", window.btoa(&bytes).ok()?))?;
    }
    if let Some(token) = &request.bearer {
        set("Authorization", &format!("Bearer {}", token.reveal()))?;
    }
    if let Some(embed) = request.embed {
        set("x-koha-embed", embed)?;
    }
    let init = RequestInit::new();
    init.set_method(match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    });
    if let Some(body) = request.body() {
        set("Content-Type", request.content_type())?;
        init.set_body(&body.into());
    }
    init.set_headers(&headers);
    // With the browser's cookies for the server, but for its session: see `isolation`.
    init.set_credentials(if tag.is_some() { RequestCredentials::Include } else { RequestCredentials::Omit });
    init.set_cache(RequestCache::NoStore);
    init.set_redirect(RequestRedirect::Manual);
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    init.set_signal(Some(&abort_after(request.time_limit)));
    Some(window.fetch_with_str_and_init(&request.url, &init))
}

/// Reads the body as it comes, and ends the connection where it is longer than is wanted.
async fn read(response: &web_sys::Response, body: &mut Body) -> Result<(), JsValue> {
    // A body of nothing may be none.
    let Some(stream) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let read = JsFuture::from(reader.read()).await?;
        let Ok(piece) = js_sys::Reflect::get(&read, &"value".into())?.dyn_into::<Uint8Array>() else { return Ok(()) };
        // One byte more than there is room for tells that there is no room for it.
        let wanted = u32::try_from(body.room() + 1).unwrap_or(u32::MAX).min(piece.length());
        if !body.take(&piece.subarray(0, wanted).to_vec()) {
            // What becomes of it matters to nobody.
            let _ = JsFuture::from(reader.cancel()).await;
            return Ok(());
        }
    }
}

fn is_timeout(error: &JsValue) -> bool {
    error.dyn_ref::<DomException>().is_some_and(|error| error.name() == "TimeoutError")
}
