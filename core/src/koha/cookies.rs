//! The cookies of KOCT's requests. The browser's for the server go along, since by them a wall against robots, or a balancer,
//! knows a browser that it has seen; but never its session, unless the person wants just that one to be used. What is set by
//! the answers is kept for as long as the requests go on, and never becomes the browser's.

use crate::{ordered::LiteMap, settings::form::Secret};

/// The cookie of Koha's sessions.
const SESSION: &str = "CGISESSID";

/// What was set besides the session, by name: a balancer's cookie keeps us at the node that has our session.
#[derive(Debug, Clone, Default)]
pub struct Jar(LiteMap<String, String>);

impl Jar {
    /// Takes the cookies of a header Set-Cookie; several stand in a line each, as Firefox gives them. Returns the session among
    /// them, which is not kept here.
    pub fn take(&mut self, set_cookie: &str) -> Option<Secret> {
        let mut session = None;
        for (name, rest) in set_cookie.lines().filter_map(|cookie| cookie.split_once('=')) {
            let (name, value) = (name.trim(), rest.split(';').next().unwrap_or_default().trim());
            if name == SESSION {
                session = Some(Secret::new(value));
            } else if !name.is_empty() {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        session
    }

    /// The header Cookie to send: the browser's without its session, over them those of this jar, and this session. `None` where
    /// there is none.
    pub fn header(&self, of_browser: &str, session: Option<&Secret>) -> Option<String> {
        let of_browser = cookies(of_browser).filter(|(name, _)| *name != SESSION && !self.0.contains_key(*name));
        let kept = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let session = session.map(|session| (SESSION, session.reveal()));
        let all: Vec<_> =
            of_browser.chain(kept).chain(session).map(|(name, value)| format!("{name}={value}")).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// The browser's own session, where it has one.
pub fn session_of(of_browser: &str) -> Option<Secret> {
    cookies(of_browser).find(|(name, _)| *name == SESSION).map(|(_, value)| Secret::new(value))
}

/// The cookies of a header Cookie.
fn cookies(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|cookie| cookie.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_browsers_cookies_go_along_without_its_session() {
        let jar = Jar::default();
        let of_browser = "KOHA_INIT=1; CGISESSID=theirs; lang=de=at";
        assert_eq!(jar.header(of_browser, None).as_deref(), Some("KOHA_INIT=1; lang=de=at"));
        let ours = Secret::new("ours");
        assert_eq!(jar.header(of_browser, Some(&ours)).as_deref(), Some("KOHA_INIT=1; lang=de=at; CGISESSID=ours"));
        assert_eq!(jar.header("CGISESSID=theirs", None), None);
        assert_eq!(session_of(of_browser), Some(Secret::new("theirs")));
        assert_eq!(session_of("KOHA_INIT=1"), None);
    }

    #[test]
    fn what_is_set_is_sent_again_in_place_of_the_browsers() {
        let mut jar = Jar::default();
        let set = "SERVERID=a; path=/; HttpOnly\nCGISESSID=ours; path=/\n=nameless\nno cookie";
        assert_eq!(jar.take(set), Some(Secret::new("ours")));
        assert_eq!(jar.header("SERVERID=b; wall=1", None).as_deref(), Some("wall=1; SERVERID=a"));
        assert_eq!(jar.take("SERVERID=c"), None);
        assert_eq!(jar.header("", None).as_deref(), Some("SERVERID=c"), "the newest");
    }

    proptest! {
        #[test]
        fn the_browsers_session_is_never_sent(before in "[ ;=a-z]{0,20}", after in "(; [a-z]=[a-z])?", set in "\\PC{0,40}") {
            let mut jar = Jar::default();
            jar.take(&set.replace("theirs", ""));
            let sent = jar.header(&format!("{before}; CGISESSID=theirs{after}"), None).unwrap_or_default();
            prop_assert!(!sent.contains("theirs"), "{}", sent);
        }
    }
}
