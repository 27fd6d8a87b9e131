//! `/api/v1`: what KOCT reads from Koha.

use super::{Request, Response, Session, size_of_rows};
use crate::{
    desk::{amount::Cents, clock::KohaTime},
    settings::form::{Secret, ServerUrl, Settings},
};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

/// How requests show who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestCredentials {
    /// KOCT's own session (Koha from 24.05).
    Session(Session),
    /// The session of a person's own Koha tab, which is never ended.
    Persons(Session),
    /// The account's name and password (HTTP Basic). Newer versions lock an account after a few that are wrong, so it serves
    /// only where nothing else does, with a password that Koha has just taken.
    Basic,
    /// A token of an API key (`OAuth2`).
    Token(Secret),
}

impl RestCredentials {
    pub(super) fn on(&self, settings: &Settings, request: Request) -> Request {
        match self {
            Self::Session(session) | Self::Persons(session) => request.within(Some(session.clone())),
            Self::Basic => {
                Request { basic: Some(Box::new((settings.username.clone(), settings.password.clone()))), ..request }
            }
            Self::Token(token) => Request { bearer: Some(token.clone()), ..request },
        }
    }
}

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

/// How many rows are asked for at once; Koha's own default is [`DEFAULT_PAGE`].
const PER_PAGE: usize = 1000;
/// The system preference `RESTdefaultPageSize` where nobody changed it.
const DEFAULT_PAGE: usize = 20;

/// Asks for the libraries. Not every version takes the paging, so a 400 means: ask again with `paged` false.
pub fn libraries(settings: &Settings, credentials: &RestCredentials, paged: bool) -> Request {
    let query = if paged { &[("_page", "1".to_owned()), ("_per_page", PER_PAGE.to_string())][..] } else { &[] };
    get(settings, credentials, "libraries", query)
}

/// Asks for the libraries without showing who asks: Koha's refusal tells that it is there, and it makes no session for it.
pub fn anyone_there(server: &ServerUrl) -> Request {
    Request { size_limit: size_of_rows(PER_PAGE), ..Request::get(server.join("/api/v1/libraries")) }
}

/// Whether this is Koha's answer to [`anyone_there`]: the refusal in its own words (observed on 19.06), or the list.
pub fn is_koha(response: &Response) -> bool {
    let refused = serde_json::from_str::<serde_json::Value>(&response.body).is_ok_and(|body| body["error"].is_string());
    (matches!(response.status, 401 | 403) && refused) || read_libraries(response).is_some()
}

pub(super) fn get(settings: &Settings, credentials: &RestCredentials, path: &str, query: &[(&str, String)]) -> Request {
    let mut url = settings.server.join(&format!("/api/v1/{path}"));
    if !query.is_empty() {
        url.push('?');
        url.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
    }
    credentials.on(settings, Request { size_limit: size_of_rows(PER_PAGE), ..Request::get(url) })
}

/// Reads the libraries. `None` where Koha does not give them to this account.
pub fn read_libraries(response: &Response) -> Option<Libraries> {
    let (list, complete) = read_list(response)?;
    Some(Libraries { list, complete })
}

/// The rows of an answer, and whether there are no others. `None` where it is no such list.
fn read_list<T: DeserializeOwned>(response: &Response) -> Option<(Vec<T>, bool)> {
    read_page(response, 0)
}

/// The rows of one page of a list, of which that many rows were read before, and whether it is the last. `None` where Koha does not
/// give it to this account.
pub(super) fn read_page<T: DeserializeOwned>(response: &Response, read_before: usize) -> Option<(Vec<T>, bool)> {
    if response.status != 200 {
        return None;
    }
    let list: Vec<T> = serde_json::from_str(&response.body).ok()?;
    let is_last = match response.total_count {
        Some(total) => read_before + list.len() >= usize::try_from(total).unwrap_or(usize::MAX),
        None => list.len() != DEFAULT_PAGE && list.len() != PER_PAGE,
    };
    Some((list, is_last))
}

/// As [`read_list`], where a list that was cut is of no use: what is not in it proves nothing.
pub(super) fn read_whole<T: DeserializeOwned>(response: &Response) -> Option<Vec<T>> {
    read_list(response).filter(|(_, complete)| *complete).map(|(list, _)| list)
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Item {
    /// Koha's number for it.
    pub item_id: u64,
    /// Its barcode.
    pub external_id: Option<String>,
    /// When Koha last saw it.
    #[serde(default, deserialize_with = "lenient")]
    pub last_seen_date: Option<DateTime<FixedOffset>>,
    /// Koha's number for the title.
    #[serde(default, deserialize_with = "lenient_number")]
    pub biblio_id: Option<u32>,
    /// The branch code of its home library.
    #[serde(default, deserialize_with = "lenient_text")]
    pub home_library_id: Option<String>,
    /// Whether it is not for loan, by itself or by its type (from 21.11).
    #[serde(default, rename = "effective_not_for_loan_status", deserialize_with = "lenient_flag")]
    is_not_for_loan: bool,
    #[serde(default, rename = "not_for_loan_status", deserialize_with = "lenient_flag")]
    is_not_for_loan_itself: bool,
}

impl Item {
    /// Whether it is not for loan.
    pub fn is_not_for_loan(&self) -> bool {
        self.is_not_for_loan || self.is_not_for_loan_itself
    }
}

/// A patron.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Patron {
    /// Koha's number for them.
    pub patron_id: u64,
    /// The number on their card.
    pub cardnumber: Option<String>,
}

/// A loan, open or returned.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Checkout {
    /// Whose; absent where the library no longer knows.
    pub patron_id: Option<u64>,
    /// Of what.
    pub item_id: Option<u64>,
    /// At which library it was lent.
    #[serde(default)]
    pub library_id: Option<String>,
    /// Since when.
    #[serde(deserialize_with = "time")]
    pub checkout_date: KohaTime,
    /// Until when, if it was returned.
    #[serde(default, deserialize_with = "optional_time")]
    pub checkin_date: Option<KohaTime>,
    /// When it was last renewed.
    #[serde(default, deserialize_with = "lenient_time")]
    pub last_renewed_date: Option<KohaTime>,
    /// When it is due.
    #[serde(default, deserialize_with = "lenient")]
    pub due_date: Option<DateTime<FixedOffset>>,
    #[serde(default, deserialize_with = "lenient_number")]
    renewals_count: Option<u32>,
    /// What it was called before 22.11; what is to be embedded has that name since.
    #[serde(default, deserialize_with = "lenient_number")]
    renewals: Option<u32>,
}

impl Checkout {
    /// How often it was renewed, where that is told.
    pub fn number_of_renewals(&self) -> Option<u32> {
        self.renewals_count.or(self.renewals)
    }
}

fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<KohaTime, D::Error> {
    DateTime::deserialize(deserializer).map(KohaTime::from_date)
}

fn optional_time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<KohaTime>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(KohaTime::from_date))
}

/// A time, or `None` for whatever else is there: Koha's versions differ, and nothing is built on its absence.
fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<FixedOffset>>, D::Error> {
    let text = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(text.as_ref().and_then(serde_json::Value::as_str).and_then(|text| DateTime::parse_from_rfc3339(text).ok()))
}

fn lenient_time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<KohaTime>, D::Error> {
    lenient(deserializer).map(|date| date.map(KohaTime::from_date))
}

fn lenient_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(number.as_ref().and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok()))
}

fn lenient_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(text.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned))
}

/// Whether a number is there that is not nought: Koha has negative ones for what is on order.
fn lenient_flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let number = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(number.as_ref().and_then(serde_json::Value::as_i64).is_some_and(|number| number != 0))
}

fn paged<'a>(filter: impl IntoIterator<Item = (&'a str, String)>) -> Vec<(&'a str, String)> {
    page(filter, 1)
}

fn page<'a>(filter: impl IntoIterator<Item = (&'a str, String)>, number: u32) -> Vec<(&'a str, String)> {
    filter.into_iter().chain([("_page", number.to_string()), ("_per_page", PER_PAGE.to_string())]).collect()
}

/// Asks for the items of this barcode. Koha has this since about 20.05.
pub fn items(settings: &Settings, credentials: &RestCredentials, barcode: &str) -> Request {
    let filter = [("external_id", barcode.to_owned()), ("_match", "exact".to_owned())];
    get(settings, credentials, "items", &paged(filter))
}

/// Asks for the patrons with this cardnumber. The account needs the permission to see patrons.
pub fn patrons(settings: &Settings, credentials: &RestCredentials, cardnumber: &str) -> Request {
    let filter = [("cardnumber", cardnumber.to_owned()), ("_match", "exact".to_owned())];
    get(settings, credentials, "patrons", &paged(filter))
}

/// Asks for the patrons with this user name: from 23.11 Koha takes it for a card too (bug 34529).
pub fn patrons_by_userid(settings: &Settings, credentials: &RestCredentials, userid: &str) -> Request {
    let filter = [("userid", userid.to_owned()), ("_match", "exact".to_owned())];
    get(settings, credentials, "patrons", &paged(filter))
}

/// Asks for the open, or the returned, loans of an item.
pub fn checkouts(settings: &Settings, credentials: &RestCredentials, item_id: u64, returned: bool) -> Request {
    let mut filter = vec![("q", format!("{{\"item_id\":{item_id}}}"))];
    if returned {
        filter.push(("checked_in", "1".to_owned()));
    }
    get(settings, credentials, "checkouts", &paged(filter))
}

/// Asks for a page of the items of these barcodes.
pub fn items_of(settings: &Settings, credentials: &RestCredentials, barcodes: &[&str], number: u32) -> Request {
    let query = serde_json::json!({ "external_id": barcodes }).to_string();
    get(settings, credentials, "items", &page([("q", query)], number))
}

/// Asks for a page of the open, or the returned, loans of these items.
pub fn checkouts_of(
    settings: &Settings,
    credentials: &RestCredentials,
    item_ids: &[u64],
    returned: bool,
    number: u32,
) -> Request {
    let mut filter = vec![("q", serde_json::json!({ "item_id": item_ids }).to_string())];
    if returned {
        filter.push(("checked_in", "1".to_owned()));
    }
    get(settings, credentials, "checkouts", &page(filter, number))
}

/// Asks for a page of the patrons with these cards, or with these user names; with what they owe where this Koha adds it.
pub fn patrons_of(
    settings: &Settings,
    credentials: &RestCredentials,
    field: &str,
    codes: &[&str],
    with_debts: bool,
    number: u32,
) -> Request {
    let query = serde_json::json!({ field: codes }).to_string();
    let request = get(settings, credentials, "patrons", &page([("q", query)], number));
    Request { embed: with_debts.then_some("account_balance"), ..request }
}

/// Asks for a page of the holds on these titles.
pub fn holds_of(settings: &Settings, credentials: &RestCredentials, biblios: &[u32], number: u32) -> Request {
    let query = serde_json::json!({ "biblio_id": biblios }).to_string();
    get(settings, credentials, "holds", &page([("q", query)], number))
}

/// Asks whether Koha would lend this item to this patron (from 23.11).
pub fn availability(settings: &Settings, credentials: &RestCredentials, patron: u32, item: u64) -> Request {
    let about = [("patron_id", patron.to_string()), ("item_id", item.to_string())];
    get(settings, credentials, "checkouts/availability", &about)
}

/// How many loans a patron has and may have, where they may have no more; within, where Koha names no such limit. `None` where it
/// does not tell.
pub fn read_limit(response: &Response) -> Option<Option<(u32, u32)>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Reasons {
        #[serde(rename = "TOO_MANY")]
        too_many: Option<serde_json::Value>,
        #[serde(deserialize_with = "lenient_number")]
        current_loan_count: Option<u32>,
        #[serde(deserialize_with = "lenient_number")]
        max_loans_allowed: Option<u32>,
    }
    #[derive(Deserialize)]
    struct Availability {
        blockers: Reasons,
        confirms: Reasons,
    }
    let Availability { blockers, confirms } =
        serde_json::from_str(&response.body).ok().filter(|_| response.status == 200)?;
    if blockers.too_many.is_none() && confirms.too_many.is_none() {
        return Some(None);
    }
    // Versions differ in which of the two the numbers stand.
    let loans = confirms.current_loan_count.or(blockers.current_loan_count);
    Some(loans.zip(confirms.max_loans_allowed.or(blockers.max_loans_allowed)))
}

/// When a loan ended, where Koha tells of it.
pub(super) fn returned_at(checkout: &serde_json::Value) -> Option<KohaTime> {
    let date = checkout.get("checkin_date").and_then(serde_json::Value::as_str)?;
    DateTime::parse_from_rfc3339(date).ok().map(KohaTime::from_date)
}

/// Asks what a patron owes. The account needs the permissions to see patrons and their charges.
pub fn account(settings: &Settings, credentials: &RestCredentials, patron_id: u64) -> Request {
    get(settings, credentials, &format!("patrons/{patron_id}/account"), &[])
}

/// Reads what a patron owes; less than nothing is what they have paid in advance. `None` where Koha does not tell.
pub fn read_balance(response: &Response) -> Option<Cents> {
    #[derive(Deserialize)]
    struct Account {
        balance: f64,
    }
    let account: Account = serde_json::from_str(&response.body).ok().filter(|_| response.status == 200)?;
    let cents = (account.balance * 100.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "it was rounded, and is within what is counted exactly")]
    (cents.abs() < 1e15).then_some(cents as Cents)
}

/// Asks for the open loans of a patron, in every version that has loans at all.
pub fn checkouts_of_patron(settings: &Settings, credentials: &RestCredentials, patron_id: u64) -> Request {
    get(settings, credentials, "checkouts", &paged([("patron_id", patron_id.to_string())]))
}

/// Reads items. `None` where Koha does not give all of them to this account.
pub fn read_items(response: &Response) -> Option<Vec<Item>> {
    read_whole(response)
}

/// Reads patrons. `None` where Koha does not give all of them to this account.
pub fn read_patrons(response: &Response) -> Option<Vec<Patron>> {
    read_whole(response)
}

/// Reads loans. `None` where Koha does not give all of them to this account.
pub fn read_checkouts(response: &Response) -> Option<Vec<Checkout>> {
    read_whole(response)
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
    fn knows_koha_by_its_refusal() {
        let refusal = Response { status: 401, ..response(r#"{"error":"Authentication failure."}"#) };
        assert!(is_koha(&refusal) && is_koha(&response(TWO)));
        assert!(!is_koha(&Response { status: 503, ..refusal.clone() }), "it is being updated");
        assert!(!is_koha(&Response { status: 401, ..response("<html>proxy</html>") }));
        assert!(!is_koha(&response("<!DOCTYPE html>Free wifi")));
    }

    #[test]
    fn a_refusal_is_no_list() {
        assert_eq!(read_libraries(&Response { status: 403, ..response("[]") }), None);
        assert_eq!(read_libraries(&response("<html>")), None);
    }

    proptest! {
        #[test]
        fn what_is_cut_off_is_no_list(place in 0..TWO.len(), end in "[\\]}\",a-z0-9 ]{0,3}") {
            prop_assert!(read_libraries(&response(TWO)).is_some());
            prop_assert_eq!(read_libraries(&response(&TWO[..place])), None);
            // Closed again, it may be one; then it is read, and of whatever kind is asked for.
            let body = format!("{}{end}", &TWO[..place]);
            let is_json = serde_json::from_str::<serde_json::Value>(&body).is_ok();
            prop_assert!(is_json || read_libraries(&response(&body)).is_none());
            prop_assert!(is_json || read_items(&response(&body)).is_none());
            prop_assert!(is_json || read_patrons(&response(&body)).is_none());
            prop_assert!(is_json || read_checkouts(&response(&body)).is_none());
        }
    }
}
