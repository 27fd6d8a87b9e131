//! `/api/v1`: what KOCT reads from Koha.

use super::{Request, Response, service::Access};
use crate::settings::Settings;
use serde::Deserialize;

/// A library of the system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Library {
    /// Its branch code.
    #[serde(rename = "library_id")]
    pub branchcode: String,
    /// Its name.
    pub name: String,
}

/// The libraries that an account may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Libraries {
    /// In the order of the answer.
    pub list: Vec<Library>,
    /// Whether there are no others: only then does a missing code prove anything.
    pub complete: bool,
}

impl Libraries {
    /// Whether this branch code exists; `None` where the list cannot tell.
    pub fn knows(&self, branchcode: &str) -> Option<bool> {
        if self.list.iter().any(|library| library.branchcode == branchcode) {
            Some(true)
        } else {
            self.complete.then_some(false)
        }
    }
}

/// How many libraries are asked for at once; Koha's own default is 20.
const PER_PAGE: usize = 1000;

/// Asks for the libraries. Not every version takes the paging, so a 400 means: ask again with `paged` false.
pub fn libraries(settings: &Settings, access: &Access, paged: bool) -> Request {
    let query = if paged { format!("?_page=1&_per_page={PER_PAGE}") } else { String::new() };
    let request = Request::get(settings.server.join(&format!("/api/v1/libraries{query}")));
    match access {
        Access::Session(session) => request.within(Some(session.clone())),
        Access::Credentials => {
            Request { basic: Some((settings.username.clone(), settings.password.clone())), ..request }
        }
    }
}

/// Reads the libraries. `None` where Koha does not give them to this account.
pub fn read_libraries(response: &Response) -> Option<Libraries> {
    if response.status != 200 {
        return None;
    }
    let list: Vec<Library> = serde_json::from_str(&response.body).ok()?;
    let complete = match response.total_count {
        Some(total) => list.len() >= usize::try_from(total).unwrap_or(usize::MAX),
        None => list.len() != 20 && list.len() != PER_PAGE,
    };
    Some(Libraries { list, complete })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn response(body: &str) -> Response {
        Response { status: 200, body: body.into(), ..Response::default() }
    }

    const TWO: &str = r#"[{"library_id":"CPL","name":"Centerville","city":null},{"library_id":"MPL","name":"Midway"}]"#;

    #[test]
    fn tells_whether_a_branch_exists() {
        let libraries = read_libraries(&response(TWO)).unwrap();
        assert_eq!(libraries.knows("CPL"), Some(true));
        assert_eq!(libraries.knows("ZZZ"), Some(false));
        assert_eq!(libraries.knows("cpl"), Some(false));
    }

    #[test]
    fn a_list_that_was_cut_proves_nothing() {
        let cut = Response { total_count: Some(30), ..response(TWO) };
        let libraries = read_libraries(&cut).unwrap();
        assert_eq!(libraries.knows("CPL"), Some(true));
        assert_eq!(libraries.knows("ZZZ"), None);
    }

    #[test]
    fn a_refusal_is_no_list() {
        assert_eq!(read_libraries(&Response { status: 403, ..response("[]") }), None);
        assert_eq!(read_libraries(&response("<html>")), None);
    }

    proptest! {
        #[test]
        fn never_panics(body in any::<String>()) {
            read_libraries(&response(&body));
        }
    }
}
