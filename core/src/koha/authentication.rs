//! `svc/authentication`: tells the era, and gives from 24.05 a session in which nobody is logged in, with its token. KOCT does
//! not log in there: Koha refuses every account that may not edit the catalogue.

use super::{Request, Response, Session};
use crate::settings::form::Settings;

const PATH: &str = "/cgi-bin/koha/svc/authentication";

/// Asks without any credentials or cookie: the answer tells whether this is Koha and of which era. It must never be asked
/// with a person's cookie, since Koha deletes the session of somebody without cataloguing rights.
pub fn probe(settings: &Settings) -> Request {
    Request::get(settings.server.join(PATH))
}

/// The account's name and password under the names of both eras: Koha 23.11 already gives tokens but still reads the old
/// names.
pub(super) fn credentials(settings: &Settings) -> Vec<(&'static str, String)> {
    let (name, password) = (&settings.username, settings.password.reveal());
    vec![
        ("userid", name.clone()),
        ("password", password.to_owned()),
        ("login_userid", name.clone()),
        ("login_password", password.to_owned()),
    ]
}

/// Koha's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// Whether Koha is being updated.
    pub is_maintenance: bool,
    /// From 24.05: the session in which nobody is logged in, with its token.
    pub anonymous: Option<Session>,
}

/// Every status that Koha gives (Koha: C4/Auth.pm, `check_api_auth`).
const STATUSES: [&str; 9] = [
    "ok",
    "failed",
    "expired",
    "maintenance",
    "restricted",
    "anon",
    "password_expired",
    "additional-auth-needed",
    "setup-additional-auth-needed",
];

/// Reads an answer. `None` if it is not one of Koha's.
pub fn read(response: &Response) -> Option<ProbeAnswer> {
    if response.status != 200 || response.is_html() {
        return None;
    }
    let (_, rest) = response.body.split_once("<status>")?;
    let status = rest.split_once("</status>")?.0.trim();
    let token = response.csrf_token.clone();
    let anonymous = response.session_cookie.clone().zip(token);
    STATUSES.contains(&status).then(|| ProbeAnswer {
        is_maintenance: status == "maintenance",
        anonymous: anonymous.map(|(cookie, token)| Session { cookie, csrf_token: Some(token) }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::Secret;
    use proptest::prelude::*;

    fn response(body: &str) -> Response {
        Response { status: 200, content_type: "text/xml".into(), body: body.into(), ..Response::default() }
    }

    #[test]
    fn reads_koha_and_nothing_else() {
        let xml = |status: &str| {
            format!("<?xml version='1.0' standalone='yes'?>\n<response>\n  <status>{status}</status>\n</response>\n")
        };
        let maintenance = |text: &str| read(&response(&xml(text))).map(|answer| answer.is_maintenance);
        assert_eq!(maintenance("failed"), Some(false));
        assert_eq!(maintenance("maintenance"), Some(true));
        assert_eq!(maintenance("something"), None);
        assert_eq!(read(&response("Welcome")), None);
        assert_eq!(read(&Response { content_type: "text/html".into(), ..response(&xml("ok")) }), None);
        assert_eq!(read(&Response { status: 500, ..response(&xml("ok")) }), None);
    }

    #[test]
    fn a_session_comes_with_its_token_or_not_at_all() {
        let body = "<response><status>failed</status></response>";
        let both =
            Response { session_cookie: Some(Secret::new("c")), csrf_token: Some(Secret::new("t")), ..response(body) };
        let session = Session { cookie: Secret::new("c"), csrf_token: Some(Secret::new("t")) };
        assert_eq!(read(&both).unwrap().anonymous, Some(session));
        assert_eq!(read(&Response { csrf_token: None, ..both.clone() }).unwrap().anonymous, None);
        assert_eq!(read(&Response { session_cookie: None, ..both }).unwrap().anonymous, None);
    }

    proptest! {
        #[test]
        fn an_answer_counts_once_its_status_is_whole(before in "[^<]{0,20}", after in "\\PC{0,20}", cut in 0..100_usize) {
            let whole = format!("{before}<status> ok\n</status>");
            let body = format!("{whole}{after}");
            let cut = body.chars().take(cut).collect::<String>();
            prop_assert_eq!(read(&response(&cut)).is_some(), cut.len() >= whole.len(), "{}", cut);
        }
    }
}
