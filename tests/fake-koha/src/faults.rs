//! Accidents that a test orders: delays, lost answers, strange answers.

use std::time::Duration;

use crate::fronts::Front;

/// A rule: requests whose path contains a text meet a fault.
///
/// Every rule counts the requests that fit it by itself; all rules that are due for a request apply to it together.
///
/// ```
/// use fake_koha::{Fault, FaultKind};
///
/// // The third transaction is processed, but its answer is lost.
/// let fault = Fault::on("service.pl", FaultKind::ResetAfter).skip(2).times(1);
/// assert_eq!(fault.times, Some(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The request's path with its sub-path contains this; empty fits all.
    pub path_contains: String,
    /// The number of fitting requests that pass unharmed first.
    pub skip: usize,
    /// Then this number meets the fault; `None` is all.
    pub times: Option<usize>,
    /// What happens.
    pub kind: FaultKind,
}

/// What can happen to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The server takes its time before it processes the request. It does so even if the client is gone by then.
    Delay(Duration),
    /// The server processes the request and takes its time to answer.
    DelayAfter(Duration),
    /// The server does not process the request before all faults are ended. It does so even if the client is gone by then.
    Hold,
    /// The server processes the request, and does not answer before all faults are ended.
    HoldAfter,
    /// The connection is closed without a byte of an answer; the request is not processed.
    ResetBefore,
    /// The request is processed, then the connection is closed without a byte of an answer.
    ResetAfter,
    /// The request is processed, then the connection is closed within the headers of the answer.
    CutHeaders,
    /// The request is processed, then the connection is closed after this number of bytes of the answer, its headers among
    /// them: in the middle of a download.
    CutAfter(usize),
    /// The request is processed, and once more, as when a browser or somebody in front of Koha sends it again; the second answer
    /// comes.
    SentAgain,
    /// Koha's own answer with this status; the request is not processed.
    Status(u16),
    /// The request is processed, then Koha's own 500.
    Status500After,
    /// Somebody in front of Koha answers; the request is not processed.
    FrontBefore(Front),
    /// The request is processed, then somebody in front of Koha puts their answer in place of Koha's.
    FrontAfter(Front),
    /// The request is processed, then this text comes instead of Koha's answer, again and again without an end.
    Endless(&'static str),
    /// 200 with a login page of somebody else's, as a captive portal gives; the request is not processed.
    HtmlLogin,
    /// A redirect to there; the request is not processed.
    Redirect(String),
    /// The request is processed; if it was not the first one on its connection, that is then closed without a byte of an
    /// answer. First ones do not meet the fault, nor do they count for it.
    CloseReused(Close),
    /// The stream of HTTP/2 is reset with this code; the request is not processed. With HTTP/1 the connection is closed.
    StreamResetBefore(StreamReset),
    /// The request is processed, then the stream of HTTP/2 is reset with this code. With HTTP/1 the connection is closed.
    StreamResetAfter(StreamReset),
    /// The session of the request's cookie has just timed out; the request is processed with that.
    ExpireSession,
}

/// The code in a `RST_STREAM` of HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamReset {
    /// `NO_ERROR`.
    NoError,
    /// `PROTOCOL_ERROR`.
    ProtocolError,
    /// `INTERNAL_ERROR`.
    InternalError,
    /// `REFUSED_STREAM`, which promises that nothing was processed.
    RefusedStream,
    /// `CANCEL`.
    Cancel,
    /// `ENHANCE_YOUR_CALM`.
    EnhanceYourCalm,
    /// `HTTP_1_1_REQUIRED`.
    Http11Required,
}

/// How a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// In order, as when nothing more is to be said.
    Fin,
    /// As when nobody is there any more.
    Rst,
}

impl Fault {
    /// Every request whose path contains the text meets the fault.
    pub fn on(path_contains: &str, kind: FaultKind) -> Self {
        Self { path_contains: path_contains.to_owned(), skip: 0, times: None, kind }
    }

    /// Lets this number of requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Ends after this number of faults.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }
}

/// The rules in force, with how often each was asked.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(Fault, usize)>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.rules.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// What is due for a request with this path, which comes first on its connection or is one more.
    pub(crate) fn due(&mut self, path: &str, reused: bool) -> Vec<FaultKind> {
        let mut due = Vec::new();
        for (fault, seen) in &mut self.rules {
            let fits = reused || !matches!(fault.kind, FaultKind::CloseReused(_));
            if fits && path.contains(&fault.path_contains) {
                let number = *seen;
                *seen += 1;
                let end = fault.times.map(|times| fault.skip.saturating_add(times));
                if number >= fault.skip && end.is_none_or(|end| number < end) {
                    due.push(fault.kind.clone());
                }
            }
        }
        due
    }
}
