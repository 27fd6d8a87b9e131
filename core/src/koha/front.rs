//! Who answers in Koha's place: what stands between KOCT and Koha, by what it says.
//!
//! No such answer proves what Koha did with a request: a firewall may look at Koha's answer and replace it.

use super::{Response, page};
use std::time::Duration;

/// What stands in front of Koha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// A wall against robots: it lets a browser through that has run its script, by a cookie.
    BotWall,
    /// A page to log in at: a single sign-on's, or that of a captive portal.
    LoginPage,
    /// A web server that asks for a name and a password itself (HTTP Basic); Koha never does.
    BasicLogin,
    /// Somebody who finds that too much is asked.
    TooManyRequests,
    /// Somebody else.
    Other,
}

/// What the pages of walls have in common with no other page: Koha's own from 25.05 (its cookie), Anubis, Cloudflare.
const WALLS: [&str; 8] = [
    "KOHA_INIT",
    "/.within.website/",
    "anubis_challenge",
    "not a bot",
    "challenge-platform",
    "cf-chl-",
    "Just a moment...",
    "cf-browser-verification",
];

/// What login pages have in common.
const LOGINS: [&str; 5] = ["type=\"password\"", "type='password'", "type=password", "SAMLRequest", "openid-connect"];

impl Front {
    /// Whose answer this is. Only for answers that are not Koha's.
    pub fn of(response: &Response) -> Self {
        let says = |any: &[&str]| response.is_html() && any.iter().any(|part| response.body.contains(part));
        match response.status {
            _ if response.asks_for_password => Self::BasicLogin,
            _ if says(&WALLS) => Self::BotWall,
            429 => Self::TooManyRequests,
            _ if says(&LOGINS) => Self::LoginPage,
            _ => Self::Other,
        }
    }
}

/// The longest text of an answer that is kept.
const LONGEST_WORDS: usize = 160;

/// What somebody else answered, to be read by a person: the status, and the beginning of its words.
pub fn words(response: &Response) -> String {
    let text = if response.is_html() {
        page::title_of(&response.body).filter(|title| !title.is_empty()).unwrap_or_else(|| page::text(&response.body))
    } else {
        response.body.clone()
    };
    let text = short(&text);
    // Most servers' own pages begin with it.
    let status = response.status.to_string();
    if text.starts_with(&status) { text } else { format!("{status} {text}").trim_end().to_owned() }
}

/// The beginning of a text that somebody sent, on one line.
pub fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|sign| !sign.is_control()).take(LONGEST_WORDS).collect()
}

/// For how long the header Retry-After asks to wait, as a number of seconds or as a date (RFC 9110, 10.2.3). `now` is the
/// server's own time, the header Date of the same answer.
pub fn retry_after(header: &str, now: Option<&str>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text| chrono::DateTime::parse_from_rfc2822(text).ok();
    Some((date(header)? - date(now?.trim())?).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(status: u16, body: &str) -> Response {
        Response { status, content_type: "text/html".into(), body: body.into(), ..Response::default() }
    }

    #[test]
    fn tells_who_answers() {
        let wall = "<html><title>Loading</title><script>document.cookie = \"KOHA_INIT=1; path=/\"; location.reload();</script>";
        for (response, front) in [
            (html(200, wall), Front::BotWall),
            (html(403, "<!DOCTYPE html><title>Just a moment...</title>"), Front::BotWall),
            (html(503, "<!DOCTYPE html><title>Just a moment...</title>"), Front::BotWall),
            (html(200, "<html><form><input type=\"password\"></form>"), Front::LoginPage),
            (html(200, "<html><form action=\"https://idp\"><input name=\"SAMLRequest\"></form>"), Front::LoginPage),
            (Response { asks_for_password: true, ..html(401, "<html>Authorization Required") }, Front::BasicLogin),
            (html(429, "<html>Slow down"), Front::TooManyRequests),
            (html(403, "<html>Forbidden"), Front::Other),
            (Response { body: "KOHA_INIT".into(), status: 200, ..Response::default() }, Front::Other),
        ] {
            assert_eq!(Front::of(&response), front, "{response:?}");
        }
    }

    #[test]
    fn keeps_the_words_short_and_plain() {
        assert_eq!(words(&html(403, "<html><title>Request\n rejected</title><b>ID 7")), "403 Request rejected");
        assert_eq!(words(&html(404, "<html><b>Not</b> here")), "404 Not here");
        let text = |body: &str| Response { status: 200, body: body.into(), ..Response::default() };
        assert_eq!(words(&text("Access denied\u{7} by policy\n")), "200 Access denied by policy");
        assert_eq!(words(&text("")), "200");
        assert_eq!(words(&text(&"é".repeat(500))).chars().count(), 4 + LONGEST_WORDS);
    }

    #[test]
    fn reads_how_long_to_wait() {
        let date = "Wed, 23 Nov 2026 10:00:00 GMT".replace("Wed", "Mon");
        assert_eq!(retry_after(" 120 ", None), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 10:01:30 GMT", Some(&date)), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 09:00:00 GMT", Some(&date)), Some(Duration::ZERO), "it is over");
        assert_eq!(retry_after("Mon, 23 Nov 2026 10:01:30 GMT", None), None);
        assert_eq!(retry_after("-5", Some(&date)), None);
        assert_eq!(retry_after("soon", Some(&date)), None);
    }
}
