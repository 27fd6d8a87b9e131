//! Koha's queue: the page "Pending offline circulation actions" (`offline_circ/list.pl`), which is the only way to see it.
//!
//! The page's columns and their formats differ by version and preference, so rows are told by their class and their checkbox,
//! and cells by their order from the right: amount, card, barcode (Koha: list.tt; observed). It shows the rows of the branch for
//! which the session works.

use super::{
    Request, Response, Session, authentication, login,
    page::{self, attribute, tags},
    rest::RestCredentials,
    size_of_rows,
};
use crate::{
    desk::{barcode::folded, transaction::Transaction},
    settings::form::Settings,
};

const PATH: &str = "/cgi-bin/koha/offline_circ/list.pl";

/// A longer page is not read: a row takes no more room than one of the REST API.
const MOST_ROWS: usize = 2_000;

/// How the page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// Within a session that there is.
    Within(RestCredentials),
    /// By name and password, which makes a session (before 24.05).
    Password,
}

impl Visit {
    /// How the page can be seen by whoever reads like this. `None` for an API key, which opens no page.
    pub fn by(credentials: &RestCredentials) -> Option<Self> {
        match credentials {
            RestCredentials::Session(_) | RestCredentials::Persons(_) => Some(Self::Within(credentials.clone())),
            RestCredentials::Basic => Some(Self::Password),
            RestCredentials::Token(_) => None,
        }
    }

    /// Asks for the page.
    pub fn request(&self, settings: &Settings) -> Request {
        let url = settings.server.join(PATH);
        let request = match self {
            Self::Within(credentials) => credentials.on(settings, Request::get(url)),
            Self::Password => {
                let mut form = authentication::credentials(settings);
                form.push(("koha_login_context", "intranet".to_owned()));
                form.push(("branch", settings.branchcode.clone()));
                Request::post(url, form)
            }
        };
        Request { size_limit: size_of_rows(MOST_ROWS), ..request }
    }

    /// Ends the session that the password made, if it made one.
    pub fn log_out(&self, settings: &Settings, response: &Response) -> Option<Request> {
        let cookie = response.session_cookie.clone().filter(|_| *self == Self::Password)?;
        Some(login::log_out(settings, &Session { cookie, csrf_token: None }))
    }
}

/// A row of the queue, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Koha's number for it; later rows have larger ones.
    pub number: u64,
    /// What is to be done, by Koha's word.
    pub action: String,
    /// The item's barcode; empty for a payment.
    pub barcode: String,
    /// The patron's card; empty for a checkin.
    pub cardnumber: String,
}

/// What is told of a row or a transaction besides its time, which the page shows in many ways: the action, the item and the
/// card.
pub type Likeness = (String, String, String);

impl Pending {
    /// By which it is compared.
    pub fn likeness(&self) -> Likeness {
        (self.action.clone(), folded(self.barcode.trim()), folded(self.cardnumber.trim()))
    }
}

/// By which a transaction is compared with the rows of the queue.
pub fn likeness(transaction: &Transaction) -> Likeness {
    let action = &transaction.action;
    let card = action.cardnumber().map_or("", |card| card.as_str());
    (action.word().to_owned(), action.item_key().unwrap_or_default(), folded(card))
}

/// The rows of the queue of this branch. `None` where it is not its page, where it is the queue of another branch, or where a
/// row is not understood.
pub fn read(response: &Response, branchcode: &str) -> Option<Vec<Pending>> {
    let who = page::logged_in(response)?;
    if who.branchcode.is_some_and(|code| code != branchcode) {
        return None;
    }
    let body = response.body.as_str();
    let is_it = |tag: &str| matches!(attribute(tag, "id"), Some("ocirc_list" | "operations"));
    tags(body).find(|tag| is_it(tag))?;
    let rows = body.split("<tr").skip(1).filter_map(|row| Some((row, action(row)?)));
    rows.map(|(row, action)| read_row(row, action)).collect()
}

/// What a row's class says is to be done; `None` for a row that is none of the queue's.
fn action(row: &str) -> Option<&str> {
    let tag = row.split_once('>')?.0;
    attribute(tag, "class")?.split_whitespace().find_map(|class| class.strip_prefix("oc-"))
}

fn read_row(row: &str, action: &str) -> Option<Pending> {
    let input = tags(row).find(|tag| attribute(tag, "name") == Some("operationid"))?;
    let number = attribute(input, "value")?.parse().ok()?;
    let row = row.split_once("</tr").map_or(row, |(row, _)| row);
    let cells: Vec<String> = row.split("<td").skip(1).map(|cell| page::text(&format!("<td{cell}"))).collect();
    let [.., barcode, cardnumber, _amount] = &cells[..] else { return None };
    Some(Pending { number, action: action.to_owned(), barcode: barcode.clone(), cardnumber: cardnumber.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            transaction::{Action, Moment},
        },
        settings::form::CommitType,
    };

    fn page(branch: &str, body: &str) -> Response {
        let body = format!(
            r#"<!DOCTYPE html><body id="ocirc_list" class="circ ocirc"><span class="loggedinusername">desk</span>
            <span class="logged-in-branch-code">{branch}</span>{body}</body>"#
        );
        Response { status: 200, content_type: "text/html".into(), body, ..Response::default() }
    }

    const ROWS: &str = r#"<table id="operations"><thead><tr><th>&nbsp;</th><th>Amount</th></tr></thead><tbody>
        <tr class="oc-issue"><td><input type="checkbox" name="operationid" id="operationid7" value="7" /></td>
          <td><label for="operationid7">11/23/2026 11:00</label></td><td><i title="Use caution"></i> 11/24/2026</td>
          <td><span>Check out</span></td><td><a href="/x?a=1&b=2" title="&lt;T&gt;">B&amp;1</a></td>
          <td><a href="/y" title="A &amp; B">P1</a></td><td>0.000000</td></tr>
        <tr class="oc-return"><td><input type="checkbox" name="operationid" value="12" /></td><td>2026-11-23 11:00:00</td>
          <td>Check in</td><td><span class="error">unknown 2</span></td><td></td><td>0.000000</td></tr>
        </tbody></table>"#;

    #[test]
    fn reads_rows_by_class_and_place() {
        let rows = read(&page("CPL", ROWS), "CPL").unwrap();
        let row = |number, action: &str, barcode: &str, card: &str| Pending {
            number,
            action: action.into(),
            barcode: barcode.into(),
            cardnumber: card.into(),
        };
        assert_eq!(rows, [row(7, "issue", "B&1", "P1"), row(12, "return", "unknown 2", "")]);
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let barcode = Barcode::parse("b&1").unwrap();
        let is_like = |action| rows[0].likeness() == likeness(&Transaction { moment, action });
        let card = |card| Cardnumber::parse(card).unwrap();
        assert!(is_like(Action::Issue { cardnumber: card("p1"), barcode: barcode.clone() }));
        assert!(!is_like(Action::Issue { cardnumber: card("P2"), barcode: barcode.clone() }));
        assert!(!is_like(Action::Return { barcode }));
    }

    #[test]
    fn what_is_not_its_page_is_not_read() {
        assert_eq!(read(&page("CPL", "<p>There are no pending offline operations.</p>"), "CPL"), Some(Vec::new()));
        assert_eq!(read(&page("MPL", ROWS), "CPL"), None, "the queue of another branch");
        let other = Response { body: page("CPL", "").body.replace("ocirc_list", "main"), ..page("CPL", "") };
        assert_eq!(read(&other, "CPL"), None);
        assert_eq!(read(&Response { status: 500, ..page("CPL", ROWS) }, "CPL"), None);
        let odd = ROWS.replace("name=\"operationid\"", "name=\"operation\"");
        assert_eq!(read(&page("CPL", &odd), "CPL"), None, "a row that is not understood");
    }

    #[test]
    fn is_visited_as_whoever_reads() {
        let settings = Settings::of_a_desk(CommitType::Send);
        assert_eq!(Visit::by(&RestCredentials::Token(crate::Secret::new("t"))), None);
        let visit = Visit::by(&RestCredentials::Basic).unwrap();
        let request = visit.request(&settings);
        assert!(request.url.ends_with(PATH) && request.body().is_some_and(|body| body.contains("userid=")));
        let answer = Response { session_cookie: Some(crate::Secret::new("made")), ..page("CPL", "") };
        assert!(visit.log_out(&settings, &answer).is_some_and(|request| request.session.is_some()));
        let session = RestCredentials::Session(Session { cookie: crate::Secret::new("s"), csrf_token: None });
        let within = Visit::by(&session).unwrap();
        assert_eq!(within.log_out(&settings, &answer), None, "it is read with further");
        assert!(within.request(&settings).session.is_some());
    }
}
