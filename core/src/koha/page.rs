//! Koha's staff pages, as far as KOCT reads them: who is logged in, for which library, and the token for their POSTs.
//!
//! Koha's templates change with every version and are translated, so only what its own scripts rely on is looked for: the
//! meta tag `csrf-token` (from 24.05), the classes `loggedinusername` and `logged-in-branch-code`, the body's id `err_403` of its
//! error pages, and the body's id and the hidden field of its login page (Koha: header.inc, doc-head-close.inc, errorpage.tt,
//! auth.tt).

use super::Response;
use crate::settings::form::Secret;

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// The account's name.
    pub userid: String,
    /// The code of the library for which they work, where the page says it.
    pub branchcode: Option<String>,
    /// For POSTs in this session (from 24.05).
    pub csrf_token: Option<Secret>,
}

/// Who is logged in by this page. `None` where nobody is: it is Koha's login page, or not one of Koha's.
pub fn logged_in(response: &Response) -> Option<LoggedIn> {
    if response.status != 200 || !response.is_html() {
        return None;
    }
    let page = response.body.as_str();
    let userid = text_of_class(page, "loggedinusername").filter(|userid| !userid.is_empty())?;
    let branchcode = text_of_class(page, "logged-in-branch-code").filter(|code| !code.is_empty());
    Some(LoggedIn { userid, branchcode, csrf_token: csrf_token(page) })
}

/// Whether it is Koha's page to log in at, or to enter a code of a second factor.
pub fn is_login(response: &Response) -> bool {
    let is_its =
        |tag: &str| attribute(tag, "name") == Some("koha_login_context") || attribute(tag, "id") == Some("main_auth");
    response.status == 200 && response.is_html() && tags(&response.body).any(is_its)
}

/// The token that the page's scripts use.
pub fn csrf_token(page: &str) -> Option<Secret> {
    let tag = tags(page).find(|tag| attribute(tag, "name") == Some("csrf-token"))?;
    attribute(tag, "content").filter(|token| !token.is_empty()).map(Secret::new)
}

/// Whether it is Koha's own page for this error, in any language.
pub fn is_error_page(response: &Response, status: u16) -> bool {
    let id = format!("err_{status}");
    let title = format!("Error {status}");
    response.status == status
        && response.is_html()
        && (tags(&response.body).any(|tag| attribute(tag, "id") == Some(&id))
            || title_of(&response.body).is_some_and(|text| text.contains(&title) && text.contains("Koha")))
}

/// The text of the page's title, its white space made single blanks.
pub fn title_of(page: &str) -> Option<String> {
    let start = find_ignoring_case(page, "<title")?;
    let (_, rest) = page[start..].split_once('>')?;
    Some(plain(&rest[..find_ignoring_case(rest, "</title").unwrap_or(rest.len())]))
}

/// What a page says to its reader, without its markup.
pub fn text(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let skipped = ["script", "style"].into_iter().find(|name| starts_ignoring_case(after, name));
        // What is not ended lasts to the end.
        let end = skipped.map_or(Some(0), |name| find_ignoring_case(after, &format!("</{name}")));
        rest = end.and_then(|end| after[end..].split_once('>')).map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    plain(&text)
}

/// The insides of the page's tags.
pub(super) fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).map(|tag| tag.split_once('>').map_or(tag, |(tag, _)| tag))
}

/// The value of an attribute, which Koha's templates put into double quotes.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        let at = rest.find(name)?;
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        if let Some(value) = after.strip_prefix("=\"")
            && before.ends_with(char::is_whitespace)
        {
            return value.split_once('"').map(|(value, _)| value);
        }
        rest = after;
    }
}

/// The text right after the first tag of this class.
fn text_of_class(page: &str, class: &str) -> Option<String> {
    let tag = tags(page)
        .find(|tag| attribute(tag, "class").is_some_and(|all| all.split_whitespace().any(|it| it == class)))?;
    // The tag is a part of the page, so what follows it is there.
    let end = tag.as_ptr() as usize - page.as_ptr() as usize + tag.len();
    let text = page.get(end..)?.strip_prefix('>')?;
    Some(plain(text.split_once('<').map_or(text, |(text, _)| text)))
}

/// Without the commonest entities, and with single blanks.
pub(super) fn plain(text: &str) -> String {
    let text = ["&rsaquo;", "&nbsp;"].iter().fold(text.to_owned(), |text, entity| text.replace(entity, " "));
    let text = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, sign)| text.replace(entity, sign));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn starts_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    (0..text.len()).find(|at| text.get(*at..).is_some_and(|rest| starts_ignoring_case(rest, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(status: u16, body: &str) -> Response {
        Response { status, content_type: "text/html; charset=UTF-8".into(), body: body.into(), ..Response::default() }
    }

    const STAFF: &str = r#"<!DOCTYPE html><html><head><title>Koha staff interface</title>
        <meta name="csrf-token" content="abc,1795428000" /></head><body>
        <span id="logged-in-info-full"><span class="loggedinusername is_superlibrarian">ko &amp; ha</span>
        <strong><span class="logged-in-branch-name">Centerville</span>
        <span class="logged-in-branch-code content_hidden">CPL</span></strong></span></body></html>"#;

    #[test]
    fn says_who_is_logged_in_and_where() {
        let who = logged_in(&page(200, STAFF)).unwrap();
        assert_eq!((who.userid.as_str(), who.branchcode.as_deref()), ("ko & ha", Some("CPL")));
        assert_eq!(who.csrf_token, Some(Secret::new("abc,1795428000")));
    }

    #[test]
    fn a_login_page_is_nobodys() {
        let login = r#"<!DOCTYPE html><title>Log in to Koha</title><meta name="csrf-token" content="t">
            <form><input name="login_userid"></form>"#;
        assert_eq!(logged_in(&page(200, login)), None);
        assert_eq!(csrf_token(login), Some(Secret::new("t")));
        for field in
            [r#"<body id="main_auth" class="main_main-auth">"#, r#"<input type="hidden" name="koha_login_context" />"#]
        {
            assert!(is_login(&page(200, field)) && !is_login(&page(503, field)), "{field}");
        }
        assert!(!is_login(&page(200, STAFF)));
        assert_eq!(logged_in(&page(403, STAFF)), None);
        assert_eq!(logged_in(&Response { content_type: "text/plain".into(), ..page(200, "loggedinusername") }), None);
        assert_eq!(logged_in(&page(200, r#"<span class="loggedinusername"></span>"#)), None);
    }

    #[test]
    fn knows_an_error_page_in_any_language() {
        let german = r#"<html><title>Fehler 403 &rsaquo; Koha</title><body id="err_403" class="err">"#;
        assert!(is_error_page(&page(403, german), 403) && !is_error_page(&page(401, german), 401));
        assert!(is_error_page(&page(401, "<html><title>\n Error 401 &rsaquo;\n Koha\n</title>"), 401));
        assert!(!is_error_page(&page(403, "<html><title>Error 403</title>nginx"), 403), "somebody else's");
        assert!(!is_error_page(&page(200, german), 403));
    }

    #[test]
    fn a_page_is_read_without_its_markup() {
        let wall = "<!doctype html><TITLE lang=en>Just  a moment</TITLE><style>b{}</style><SCRIPT>if(1<2){}</SCRIPT><p>Wait &lt; 5 s</p>";
        assert_eq!(text(wall), "Just a moment Wait < 5 s");
        assert_eq!(title_of(wall).as_deref(), Some("Just a moment"));
        assert_eq!(title_of("no title"), None);
        assert_eq!(text("Wait<style>b{}<p>no"), "Wait", "it is not ended");
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_fail(body in "(<|>|=|\"|'|&|;|title|script|class|loggedinusername|é|/| |\\PC){0,40}") {
            let response = page(200, &body);
            let _ = (logged_in(&response), is_error_page(&response, 403), title_of(&body), csrf_token(&body));
            prop_assert!(!text(&body).contains("  "));
        }
    }
}
