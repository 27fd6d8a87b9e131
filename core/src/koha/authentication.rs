//! `svc/authentication`: tells the era, and logs in where that is needed.

use super::{Request, Response, Session};
use crate::settings::form::Settings;

const PATH: &str = "/cgi-bin/koha/svc/authentication";

/// Asks without any credentials or cookie: the answer tells whether this is Koha and of which era. It must never be asked
/// with a person's cookie, since Koha deletes the session of somebody without cataloguing rights.
pub fn probe(settings: &Settings) -> Request {
    Request::get(settings.server.join(PATH))
}

/// Logs in. Both eras' names of the parameters are sent: Koha 23.11 already gives tokens but still reads the old names.
/// `branch` makes Koha book direct loans on the desk's library and not on the account's.
pub fn login(settings: &Settings, anonymous: Option<Session>) -> Request {
    let form = [credentials(settings), vec![("branch", settings.branchcode.clone())]].concat();
    Request::post(settings.server.join(PATH), form).within(anonymous)
}

/// The account's name and password under the names of both eras.
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
pub struct Answer {
    /// The `<status>` of the answer.
    pub status: AuthStatus,
    /// The session that came with it: logged in if the status is [`AuthStatus::Ok`], else anonymous.
    pub session: Option<Session>,
}

/// What Koha says of a login (Koha: C4/Auth.pm, `check_api_auth`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthStatus {
    /// Logged in.
    Ok,
    /// Wrong or no credentials, a locked account, or no permission to edit the catalogue: Koha does not tell which.
    Failed,
    /// The session is unknown or over.
    Expired,
    /// Koha is being updated.
    Maintenance,
    /// The session belongs to another address.
    Restricted,
    /// A session in which nobody is logged in.
    Anonymous,
    /// The account's password must be renewed.
    PasswordExpired,
    /// The account has a second factor.
    SecondFactor,
}

/// Reads an answer. `None` if it is not one of Koha's.
pub fn read(response: &Response) -> Option<Answer> {
    if response.status != 200 || response.is_html() {
        return None;
    }
    let (_, rest) = response.body.split_once("<status>")?;
    let status = match rest.split_once("</status>")?.0.trim() {
        "ok" => AuthStatus::Ok,
        "failed" => AuthStatus::Failed,
        "expired" => AuthStatus::Expired,
        "maintenance" => AuthStatus::Maintenance,
        "restricted" => AuthStatus::Restricted,
        "anon" => AuthStatus::Anonymous,
        "password_expired" => AuthStatus::PasswordExpired,
        "additional-auth-needed" | "setup-additional-auth-needed" => AuthStatus::SecondFactor,
        _ => return None,
    };
    let csrf_token = response.csrf_token.clone();
    let session = response.session_cookie.clone().map(|cookie| Session { cookie, csrf_token });
    Some(Answer { status, session })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn response(body: &str) -> Response {
        Response { status: 200, content_type: "text/xml".into(), body: body.into(), ..Response::default() }
    }

    #[test]
    fn reads_koha_and_nothing_else() {
        let xml = |status: &str| {
            format!("<?xml version='1.0' standalone='yes'?>\n<response>\n  <status>{status}</status>\n</response>\n")
        };
        let status = |text: &str| read(&response(&xml(text))).map(|answer| answer.status);
        assert_eq!(status("ok"), Some(AuthStatus::Ok));
        assert_eq!(status("failed"), Some(AuthStatus::Failed));
        assert_eq!(status("additional-auth-needed"), Some(AuthStatus::SecondFactor));
        assert_eq!(status("something"), None);
        assert_eq!(read(&response("Welcome")), None);
        assert_eq!(read(&Response { content_type: "text/html".into(), ..response(&xml("ok")) }), None);
        assert_eq!(read(&Response { status: 500, ..response(&xml("ok")) }), None);
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
