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
    desk::{amount::Amount, barcode::folded, transaction::Transaction},
    settings::form::{Secret, Settings},
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

/// A row of the queue, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// Koha's number for it (`operationid`); later rows have larger ones.
    pub number: u64,
    /// When it happened, in the words of the page: see [`shown_time`](super::shown_time).
    pub time: String,
    /// What is to be done, by Koha's word.
    pub action: String,
    /// The item's barcode; empty for a payment.
    pub barcode: String,
    /// The item's title, where Koha knows the item; else empty.
    pub title: String,
    /// The patron's card; empty for a checkin.
    pub cardnumber: String,
    /// The patron's name, where Koha knows the card; else empty.
    pub patron: String,
    /// What is paid, with two decimals at least; empty for anything else.
    pub amount: String,
    /// Koha has no such item, or no such patron, and marks that.
    pub is_unknown: bool,
    /// Koha has seen the item since (newest versions tell).
    pub is_seen_since: bool,
}

/// What is told of a row or a transaction besides its time, which the page shows in many ways: the action, the item, the card
/// and the amount.
pub type Likeness = (String, String, String, String);

impl Pending {
    /// By which it is compared.
    pub fn likeness(&self) -> Likeness {
        (self.action.clone(), folded(self.barcode.trim()), folded(self.cardnumber.trim()), self.amount.clone())
    }

    /// The day on which it happened, as the page writes it.
    pub fn day(&self) -> &str {
        self.time.split_whitespace().next().unwrap_or_default()
    }

    /// What must not be overtaken by another row of the same: its item, or for a payment its payer.
    pub fn subject(&self) -> String {
        let code = if self.barcode.trim().is_empty() { &self.cardnumber } else { &self.barcode };
        folded(code.trim())
    }
}

/// By which a transaction is compared with the rows of the queue.
pub fn likeness(transaction: &Transaction) -> Likeness {
    let action = &transaction.action;
    let card = action.cardnumber().map_or("", |card| card.as_str());
    let amount = action.amount().map(|amount| amount.to_string()).unwrap_or_default();
    (action.word().to_owned(), action.item_key().unwrap_or_default(), folded(card), amount)
}

/// Why the queue cannot be read off an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// Koha asks who is there, or does not show the page to this account: it needs the permission `circulate`.
    NotLetIn,
    /// It is the queue of the library of this code, since the session works for that.
    Elsewhere(String),
    /// The page does not say whose queue it is.
    Nowhere,
    /// It is another page, or none of Koha's.
    OtherPage,
    /// A row is not understood: the page's words for it.
    Row(String),
}

/// The queue of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The rows, in the order of the page: by time, and within one second in any order.
    pub rows: Vec<Pending>,
    /// The code of the library for which the session works, where the page says it.
    pub branchcode: Option<String>,
    /// The token for POSTs in this session (from 24.05).
    pub csrf_token: Option<Secret>,
}

/// Reads the queue of this branch.
///
/// # Errors
/// Where it is not that, or where any row is not understood: rows that are left out would be missed by nobody.
pub fn read(response: &Response, branchcode: &str) -> Result<Page, NotRead> {
    let Some(who) = page::logged_in(response) else {
        return Err(if page::is_login(response) { NotRead::NotLetIn } else { NotRead::OtherPage });
    };
    // Koha shows "Access denied" with its login form, and names who is logged in.
    if page::is_login(response) {
        return Err(NotRead::NotLetIn);
    }
    if let Some(code) = who.branchcode.as_ref().filter(|code| *code != branchcode) {
        return Err(NotRead::Elsewhere(code.clone()));
    }
    let body = response.body.as_str();
    let is_it = |tag: &str| matches!(attribute(tag, "id"), Some("ocirc_list" | "operations"));
    tags(body).find(|tag| is_it(tag)).ok_or(NotRead::OtherPage)?;
    let rows = body.split("<tr").skip(1).filter_map(|row| Some((row, action(row)?)));
    let rows = rows.map(|(row, action)| read_row(row, action).ok_or_else(|| not_understood(row)));
    Ok(Page { rows: rows.collect::<Result<_, _>>()?, branchcode: who.branchcode, csrf_token: who.csrf_token })
}

/// What a row's class says is to be done; `None` for a row that is none of the queue's.
fn action(row: &str) -> Option<&str> {
    let tag = row.split_once('>')?.0;
    attribute(tag, "class")?.split_whitespace().find_map(|class| class.strip_prefix("oc-"))
}

/// The longest that is told of a row that is not understood.
const LONGEST_WORDS: usize = 160;

fn not_understood(row: &str) -> NotRead {
    let row = row.split_once("</tr").map_or(row, |(row, _)| row);
    NotRead::Row(page::text(&format!("<tr{row}")).chars().take(LONGEST_WORDS).collect())
}

fn read_row(row: &str, action: &str) -> Option<Pending> {
    let row = row.split_once("</tr").map_or(row, |(row, _)| row);
    let input = tags(row).find(|tag| attribute(tag, "name") == Some("operationid"))?;
    let number = attribute(input, "value")?.trim().parse().ok()?;
    let cells: Vec<String> = row.split("<td").skip(1).map(|cell| format!("<td{cell}")).collect();
    let [_checkbox, time, between @ .., barcode, cardnumber, amount] = &cells[..] else { return None };
    let is_marked = |cell: &String| tags(cell).any(|tag| has_class(tag, "error"));
    let is_payment = action == "payment";
    Some(Pending {
        number,
        time: page::text(time),
        action: action.to_owned(),
        barcode: page::text(barcode),
        title: title(barcode),
        cardnumber: page::text(cardnumber),
        patron: title(cardnumber),
        amount: if is_payment { with_two_decimals(&page::text(amount)) } else { String::new() },
        is_unknown: is_marked(barcode) && !is_payment || is_marked(cardnumber),
        is_seen_since: between.iter().any(is_marked),
    })
}

fn has_class(tag: &str, class: &str) -> bool {
    attribute(tag, "class").is_some_and(|all| all.split_whitespace().any(|it| it == class))
}

/// What the link of a cell says of what it leads to.
fn title(cell: &str) -> String {
    tags(cell).find_map(|tag| attribute(tag, "title")).map(page::plain).unwrap_or_default()
}

/// An amount as [`Amount`] writes it, or as it is.
fn with_two_decimals(shown: &str) -> String {
    Amount::parse(shown).map_or_else(|_| shown.to_owned(), |amount| amount.to_string())
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
          <td><label for="operationid7">11/23/2026 11:00</label></td><td><span class="error"><i title="Use caution"></i> 11/24/2026</span></td>
          <td><span>Check out</span></td><td><a href="/x?a=1&b=2" title="&lt;T&gt;">B&amp;1</a></td>
          <td><a href="/y" title="A &amp; B">P1</a></td><td>0.000000</td></tr>
        <tr class="oc-return"><td><input type="checkbox" name="operationid" value="12" /></td><td>2026-11-23 11:00:00</td>
          <td>Check in</td><td><span class="error">unknown 2</span></td><td></td><td>0.000000</td></tr>
        <tr class="oc-payment"><td><input type="checkbox" name="operationid" value="13" /></td><td>23.11.2026 11:00</td>
          <td>Payment</td><td><span class="error"></span></td><td><span class="error">P9</span></td><td>3.500000</td></tr>
        </tbody></table>"#;

    #[test]
    fn reads_rows_by_class_and_place() {
        let rows = read(&page("CPL", ROWS), "CPL").unwrap().rows;
        let first = Pending {
            number: 7,
            time: "11/23/2026 11:00".into(),
            action: "issue".into(),
            barcode: "B&1".into(),
            title: "<T>".into(),
            cardnumber: "P1".into(),
            patron: "A & B".into(),
            is_seen_since: true,
            ..Pending::default()
        };
        let second = Pending {
            number: 12,
            time: "2026-11-23 11:00:00".into(),
            action: "return".into(),
            barcode: "unknown 2".into(),
            is_unknown: true,
            ..Pending::default()
        };
        let third = Pending {
            number: 13,
            time: "23.11.2026 11:00".into(),
            action: "payment".into(),
            cardnumber: "P9".into(),
            amount: "3.50".into(),
            is_unknown: true,
            ..Pending::default()
        };
        assert_eq!(rows, [first, second, third]);
        assert_eq!([0, 1, 2].map(|place: usize| rows[place].subject()), ["b&1", "unknown 2", "p9"]);
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
        let empty = read(&page("CPL", "<p>There are no pending offline operations.</p>"), "CPL").unwrap();
        assert_eq!((empty.rows, empty.branchcode.as_deref()), (Vec::new(), Some("CPL")));
        let why = |response: &Response| read(response, "CPL").unwrap_err();
        assert_eq!(why(&page("MPL", ROWS)), NotRead::Elsewhere("MPL".into()));
        let other = Response { body: page("CPL", "").body.replace("ocirc_list", "main"), ..page("CPL", "") };
        assert_eq!(why(&other), NotRead::OtherPage);
        assert_eq!(why(&Response { status: 500, ..page("CPL", ROWS) }), NotRead::OtherPage);
        let denied = format!("{ROWS}<input type=\"hidden\" name=\"koha_login_context\">");
        assert_eq!(why(&page("CPL", &denied)), NotRead::NotLetIn);
        for (from, to, words) in [
            (
                "name=\"operationid\" id",
                "name=\"operation\" id",
                "11/23/2026 11:00 11/24/2026 Check out B&1 P1 0.000000",
            ),
            ("value=\"12\"", "value=\"twelve\"", "2026-11-23 11:00:00 Check in unknown 2 0.000000"),
        ] {
            let odd = ROWS.replace(from, to);
            assert_eq!(why(&page("CPL", &odd)), NotRead::Row(words.into()), "all or nothing");
        }
    }

    #[test]
    fn is_visited_as_whoever_reads() {
        let settings = Settings::for_tests(CommitType::Send);
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
