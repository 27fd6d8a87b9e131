//! Koha's own rule for items' barcodes, the system preference `itemBarcodeInputFilter`. A coming version tells it to who may manage system
//! preferences (`GET /api/v1/sysprefs`, permission `parameters: manage_sysprefs`); where it is not told, a person chooses.

use super::{
    Request, Response,
    rest::{self, RestCredentials},
};
use crate::{
    desk::rules::{self, Kind},
    settings::form::Settings,
};
use serde::Deserialize;

/// Its name in Koha.
const NAME: &str = "itemBarcodeInputFilter";

/// Koha's five filters.
const FILTERS: [Kind; 5] = [Kind::Whitespace, Kind::TPrefix, Kind::Libsuite8, Kind::Ean13, Kind::Cuecat];

#[derive(Deserialize)]
struct Preference {
    #[serde(alias = "name")]
    variable: String,
    value: Option<String>,
}

/// Asks for it. `None` where Koha is older than any that tells it.
pub fn request(settings: &Settings, credentials: &RestCredentials) -> Option<Request> {
    let query = [("variable", NAME.to_owned()), ("_match", "exact".to_owned())];
    // Basic authentication is for versions before 24.05; newer ones count what it gets wrong.
    (*credentials != RestCredentials::Basic).then(|| rest::get(settings, credentials, "sysprefs", &query))
}

/// The filter that Koha uses. `None` where it uses none, does not tell, or uses one that is not known here.
pub fn read(response: &Response) -> Option<Kind> {
    let (preferences, _) = rest::read_page::<Preference>(response, 0)?;
    let value = preferences.into_iter().find(|preference| preference.variable == NAME)?.value?;
    Kind::from_name(value.trim()).filter(|kind| FILTERS.contains(kind))
}

/// The rules of a person, one in a line, with this filter behind them; `None` where it is among them.
pub fn with_filter(rules: &str, filter: Kind) -> Option<String> {
    let is_there = |line: &str| Kind::from_name(rules::parts(line).0) == Some(filter);
    let lines: Vec<&str> = rules::lines(rules).collect();
    (!lines.iter().any(|line| is_there(line))).then(|| [&lines[..], &[filter.name()]].concat().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        koha::Session,
        settings::form::{CommitType, Secret},
    };

    #[test]
    fn it_is_asked_for_by_its_name_where_koha_may_tell() {
        let settings = Settings::for_tests(CommitType::Send);
        let asked = request(&settings, &RestCredentials::Token(Secret::new("t"))).unwrap();
        assert!(asked.url.ends_with("/api/v1/sysprefs?variable=itemBarcodeInputFilter&_match=exact"), "{}", asked.url);
        let session = Session { cookie: Secret::new("c"), csrf_token: None };
        assert!(request(&settings, &RestCredentials::Session(session)).is_some());
        assert_eq!(request(&settings, &RestCredentials::Basic), None);
    }

    #[test]
    fn what_koha_uses_is_read_and_nothing_else() {
        let of = |status, body: &str| {
            read(&Response { status, body: body.to_owned(), ..Response::default() }).map(Kind::name)
        };
        let row =
            |value: &str| format!(r#"[{{"variable": "itemBarcodeInputFilter", "value": {value}, "type": "Choice"}}]"#);
        for name in ["whitespace", "T-prefix", "libsuite8", "EAN13", "cuecat"] {
            assert_eq!(of(200, &row(&format!("\"{name}\""))), Some(name));
        }
        assert_eq!(of(200, r#"[{"name": "itemBarcodeInputFilter", "value": "cuecat"}]"#), Some("cuecat"));
        for (status, body) in [
            (200, row("\"\"")),
            (200, row("null")),
            (200, row("\"of a plugin\"")),
            (200, row("\"start-stop\"")),
            (200, r#"[{"variable": "marcflavour", "value": "EAN13"}]"#.to_owned()),
            (200, "[]".to_owned()),
            (200, "<html>".to_owned()),
            (403, r#"{"error": "Authorization failure. Missing required permission(s)."}"#.to_owned()),
            (404, row("\"EAN13\"")),
        ] {
            assert_eq!(of(status, &body), None, "{status} {body}");
        }
    }

    #[test]
    fn a_filter_comes_after_what_is_there_and_not_twice() {
        assert_eq!(with_filter("", Kind::Ean13).as_deref(), Some("EAN13"));
        assert_eq!(
            with_filter("aim\n\npad 14 2352\n", Kind::Whitespace).as_deref(),
            Some("aim\npad 14 2352\nwhitespace")
        );
        assert_eq!(with_filter("t-PREFIX\naim", Kind::TPrefix), None);
    }
}
