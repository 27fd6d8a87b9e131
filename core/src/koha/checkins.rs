//! `/api/v1/checkins`: Koha's own check-in, which a coming version opens to programs (bug 24401). It does at once what offline
//! processing leaves undone: it looks for holds, sends items on, and computes fines.
//!
//! Not released when this was written: paths, fields and words are those of the development branches of `ByWater` and of Open
//! Fifth (Koha/REST/V1/Checkins.pm, Koha/Item/Availability/Checkin.pm, api/v1/swagger/paths/checkins.yaml), which differ in
//! small ways. What is known of none of them is treated as an answer that tells nothing.

use super::{
    Failure, Request, Response,
    rest::{self, RestCredentials},
};
use crate::{
    desk::{
        clock::KohaTime,
        transaction::{Action, Transaction},
    },
    log::{
        checked_in::CheckedIn,
        status::{self, BLOCKED, NEEDS_PERSON, NO_ITEM},
    },
    settings::form::Settings,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

const PATH: &str = "/api/v1/checkins";

/// What Koha adds to its answer: the loan as it is written down, for whom the item is, and where it goes.
const EMBED: &str = "checkout,hold,transfer";

const NOT_ISSUED: &str = "not_issued";

/// Koha's refusals of whoever asks (Koha/REST/V1/Auth.pm): nothing was processed.
const NOBODY: [&str; 3] = ["Authentication failure.", "Authentication required.", "Session has been expired."];

/// Why checkins go another way than Koha's own check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// This Koha has none for programs.
    NotThere,
    /// It does not let this account.
    NotAllowed,
    /// It takes no date from programs: the system preference `SpecifyReturnDate` is off.
    NoDates,
    /// It wrote another time down than it was given: its clock is in another zone than the desk's.
    OtherTime,
    /// It was not understood, or could not be asked.
    Unclear,
}

/// Asks whether it is there for this account, by a question without its item: that can do nothing, and is answered by what is
/// missing.
pub fn look_for(settings: &Settings, credentials: &RestCredentials) -> Request {
    credentials.on(settings, Request::get(settings.server.join(&format!("{PATH}/availability"))))
}

/// Why it is not to be used, by the answer to [`look_for`]; `None` where it is there.
pub fn absence(answer: Result<&Response, &Failure>) -> Option<Absence> {
    let Ok(response) = answer else { return Some(Absence::Unclear) };
    match response.status {
        400 if object(response).is_some_and(|body| body.get("errors").is_some_and(Value::is_array)) => None,
        401 | 403 => Some(Absence::NotAllowed),
        404 => Some(Absence::NotThere),
        _ => Some(Absence::Unclear),
    }
}

/// The request that checks an item in at a library, as of when it was recorded. `None` where it is no checkin. Nothing that Koha
/// asks is confirmed: an item that was lent between the question and the answer would be taken back.
///
/// The time goes as the desk's clock showed it, with its zone: a Koha whose preference `dateformat` is not `iso` reads such a time
/// in its own zone, whatever is behind it (Koha/DateUtils.pm, `dt_from_string`).
pub fn check_in(
    settings: &Settings,
    credentials: &RestCredentials,
    library: &str,
    transaction: &Transaction,
) -> Option<Request> {
    let Action::Return { barcode } = &transaction.action else { return None };
    let body = serde_json::json!({
        "external_id": barcode.as_str(),
        "library_id": library,
        "return_date": transaction.moment.iso_local(),
        "dropbox_mode": false,
    });
    let request = Request { embed: Some(EMBED), ..Request::post_json(settings.server.join(PATH), body.to_string()) };
    Some(credentials.on(settings, request))
}

/// What Koha answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckinAnswer {
    /// It has run its check-in.
    Done(Box<Checkin>),
    /// It said no, in its own words. Nothing was processed.
    Rejected(String),
    /// It does not do it for this account, or not in this way. Nothing was processed.
    Unusable(Absence),
    /// The session is over, or the account is refused. Nothing was processed.
    AccessRefused,
    /// 429 or 503, and after what time to ask again; it does not tell what became of the request.
    Busy(Duration),
    /// 5xx: anything may have happened.
    ServerError(u16),
    /// Nothing at all.
    Empty,
    /// Not one of Koha's own answers, or not one that tells what became of the request.
    Strange,
}

/// A check-in as Koha tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkin {
    /// Whether it has ended a loan.
    pub has_ended_loan: bool,
    /// Whether it said that there is none.
    pub is_not_on_loan: bool,
    /// When the loan has ended, where Koha tells.
    pub returned_at: Option<KohaTime>,
    /// The hold that the item is for, and where it will be fetched. It is not caught before somebody confirms it in Koha.
    pub hold: Option<(u32, String)>,
    /// What it said.
    pub told: CheckedIn,
}

/// Koha's answer to a checkin (api/v1/swagger/definitions/checkin.yaml), as far as it is used.
#[derive(Deserialize)]
struct RawCheckin {
    #[serde(rename = "checkin_id")]
    _checkin_id: u64,
    #[serde(rename = "item_id")]
    _item_id: u64,
    /// Must be there, and may be nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    checkout_id: Option<u64>,
    #[serde(default)]
    local_use: bool,
    #[serde(default)]
    hold_id: Option<u64>,
    #[serde(default)]
    transfer_id: Option<u64>,
    #[serde(default)]
    recall_id: Option<u64>,
    #[serde(default)]
    restriction_id: Option<u64>,
    #[serde(default)]
    checkout: Value,
    #[serde(default)]
    hold: Value,
    #[serde(default)]
    transfer: Value,
    #[serde(default)]
    messages: Option<Vec<RawMessage>>,
}

#[derive(Deserialize)]
struct RawMessage {
    message: String,
    #[serde(default)]
    payload: Value,
}

/// Reads an answer. Only a whole check-in in Koha's own form counts as done, and only what Koha alone says counts as not processed.
pub fn read(response: &Response) -> CheckinAnswer {
    let body = object(response);
    let text = |key: &str| body.as_ref().and_then(|body| body.get(key)).and_then(Value::as_str).unwrap_or_default();
    let keys = |key: &str| {
        let named = body.as_ref().and_then(|body| body.get(key)).and_then(Value::as_object);
        named.map(|named| named.keys().map(|name| plain(name)).collect::<Vec<_>>()).unwrap_or_default()
    };
    match (response.status, text("error_code")) {
        (200 | 201, _) => match serde_json::from_str::<RawCheckin>(&response.body) {
            Ok(raw) if !response.is_html() => CheckinAnswer::Done(Box::new(raw.into())),
            _ if response.body.trim().is_empty() => CheckinAnswer::Empty,
            _ => CheckinAnswer::Strange,
        },
        (412, "confirmation_required") => {
            let asked = keys("confirms");
            let mut serious = asked.iter().filter(|key| *key != NOT_ISSUED).peekable();
            if !asked.is_empty() && serious.peek().is_none() {
                // In the words that mean this everywhere else: nothing is to be done about it, or it arrived twice.
                return CheckinAnswer::Rejected(status::NOT_ISSUED.to_owned());
            }
            CheckinAnswer::Rejected(words(NEEDS_PERSON, serious))
        }
        (403, "checkin_blocked") => CheckinAnswer::Rejected(words(BLOCKED, keys("blockers").iter())),
        (403, "return_date_not_allowed") => CheckinAnswer::Unusable(Absence::NoDates),
        (403, _)
            if body.as_ref().is_some_and(|body| body.get("required_permissions").is_some_and(Value::is_object)) =>
        {
            CheckinAnswer::Unusable(Absence::NotAllowed)
        }
        (404, "not_found") => CheckinAnswer::Rejected(NO_ITEM[0].to_owned()),
        (404, _) if text("error").starts_with("Item not found") => CheckinAnswer::Rejected(NO_ITEM[0].to_owned()),
        (400, _) if body.as_ref().is_some_and(|body| body.get("errors").is_some_and(Value::is_array)) => {
            CheckinAnswer::Unusable(Absence::Unclear)
        }
        (401, _) if NOBODY.contains(&text("error")) && !response.asks_for_password => CheckinAnswer::AccessRefused,
        (429 | 503, _) if let Some(after) = response.retry_after => CheckinAnswer::Busy(after),
        (status @ 500..=599, _) => CheckinAnswer::ServerError(status),
        _ => CheckinAnswer::Strange,
    }
}

fn object(response: &Response) -> Option<Map<String, Value>> {
    serde_json::from_str(&response.body).ok()
}

/// Koha's words with what they are about.
fn words<'a>(words: &str, about: impl Iterator<Item = &'a String>) -> String {
    let about: Vec<&str> = about.map(String::as_str).collect();
    if about.is_empty() { words.to_owned() } else { format!("{words}: {}", about.join(", ")) }
}

/// A key of Koha's as the newest branch writes them: `not_issued`, which others write as `NotIssued`.
fn plain(key: &str) -> String {
    let mut plain = String::with_capacity(key.len() + 2);
    for sign in key.chars() {
        if sign.is_ascii_uppercase() && !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
        plain.push(sign.to_ascii_lowercase());
    }
    plain
}

impl From<RawCheckin> for Checkin {
    fn from(raw: RawCheckin) -> Self {
        let messages = raw.messages.unwrap_or_default();
        let mut said: Vec<String> = messages.iter().map(|message| plain(&message.message)).collect();
        // Not every branch sends its messages; these stand in the row as well.
        for (is_so, key) in [
            (raw.hold_id.is_some(), CheckedIn::HOLD),
            (raw.transfer_id.is_some(), CheckedIn::TRANSFERRED),
            (raw.recall_id.is_some(), CheckedIn::RECALL),
            (raw.restriction_id.is_some(), CheckedIn::RESTRICTED),
            (raw.local_use, CheckedIn::LOCAL_USE),
        ] {
            if is_so && !said.iter().any(|known| known == key) {
                said.push(key.to_owned());
            }
        }
        let branch = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let by_message = messages.iter().find_map(|message| branch(&message.payload, "to_library"));
        let to = by_message.or_else(|| branch(&raw.transfer, "to_library_id"));
        let number = raw.hold.get("hold_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        Self {
            has_ended_loan: raw.checkout_id.is_some(),
            is_not_on_loan: said.iter().any(|key| key == NOT_ISSUED),
            returned_at: rest::returned_at(&raw.checkout),
            hold: number.zip(branch(&raw.hold, "pickup_library_id")),
            told: CheckedIn::of(said, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{barcode::Barcode, transaction::Moment},
        settings::form::CommitType,
    };
    use proptest::prelude::*;

    fn json(status: u16, body: &str) -> Response {
        Response { status, content_type: "application/json".into(), body: body.into(), ..Response::default() }
    }

    const DONE: &str = r#"{"checkin_id":7,"item_id":3,"user_id":1,"library_id":"CPL","local_use":false,"checkout_id":9,
        "transfer_id":null,"hold_id":5,"recall_id":null,"restriction_id":null,
        "checkout":{"checkout_id":9,"item_id":3,"checkin_date":"2026-11-23T11:00:00+01:00"},
        "hold":{"hold_id":5,"patron_id":2,"pickup_library_id":"MPL"},"transfer":null,
        "messages":[{"message":"was_returned","type":"info"},{"message":"hold_found","type":"info","payload":{}}]}"#;

    fn done(body: &str) -> Checkin {
        match read(&json(200, body)) {
            CheckinAnswer::Done(checkin) => *checkin,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn goes_with_the_time_of_the_desk_and_its_zone_and_without_a_secret() {
        let settings = Settings::for_tests(CommitType::Apply);
        let action = Action::Return { barcode: Barcode::parse("B 1").unwrap() };
        let transaction = Transaction { moment: Moment::new(1_795_428_000_547, -210).unwrap(), action };
        let request = check_in(&settings, &RestCredentials::Basic, "MPL", &transaction).unwrap();
        assert_eq!(request.url, "https://example.org/api/v1/checkins");
        let body: Value = serde_json::from_str(&request.body().unwrap()).unwrap();
        let expected = serde_json::json!({"external_id": "B 1", "library_id": "MPL",
            "return_date": "2026-11-23T06:30:00-03:30", "dropbox_mode": false});
        assert_eq!((body, request.embed), (expected, Some(EMBED)));
        assert!(request.basic.is_some() && !request.url.contains("letmein"));
        let lent =
            Action::Issue { cardnumber: crate::Cardnumber::parse("P").unwrap(), barcode: Barcode::parse("B").unwrap() };
        let lent = Transaction { action: lent, ..transaction };
        assert!(check_in(&settings, &RestCredentials::Basic, "MPL", &lent).is_none());
    }

    #[test]
    fn is_there_where_koha_says_what_is_missing() {
        let missing = json(400, r#"{"errors":[{"message":"Missing property.","path":"/item_id"}],"status":400}"#);
        assert_eq!(absence(Ok(&missing)), None);
        for (status, expected) in [
            (400, Absence::Unclear),
            (200, Absence::Unclear),
            (401, Absence::NotAllowed),
            (403, Absence::NotAllowed),
            (404, Absence::NotThere),
            (500, Absence::Unclear),
        ] {
            assert_eq!(absence(Ok(&json(status, "<html>"))), Some(expected), "{status}");
        }
        assert_eq!(absence(Err(&Failure::Lost)), Some(Absence::Unclear));
    }

    #[test]
    fn a_check_in_tells_what_it_did() {
        let checkin = done(DONE);
        assert!(checkin.has_ended_loan && !checkin.is_not_on_loan);
        assert_eq!(checkin.hold, Some((5, "MPL".into())));
        assert_eq!(checkin.returned_at, Some(KohaTime::from_millis(1_795_428_000_000)));
        assert_eq!(checkin.told.said, ["was_returned", "hold_found"]);
        // A branch that sends no messages, and one that writes them otherwise.
        let bare = done(
            r#"{"checkin_id":7,"item_id":3,"checkout_id":9,"transfer_id":4,"local_use":false,
            "transfer":{"to_library_id":"MPL"}}"#,
        );
        assert_eq!((bare.told.said, bare.told.to.as_deref()), (vec!["transferred".to_owned()], Some("MPL")));
        let other = done(
            r#"{"checkin_id":7,"item_id":3,"checkout_id":null,"messages":[{"message":"NotIssued"},
            {"message":"NeedsTransfer","payload":{"to_library":"FPL"}}]}"#,
        );
        assert!(other.is_not_on_loan && !other.has_ended_loan);
        assert_eq!((other.told.said[1].as_str(), other.told.to.as_deref()), ("needs_transfer", Some("FPL")));
    }

    #[test]
    fn what_koha_asks_is_for_a_person_unless_nothing_is_to_be_done() {
        let asks = |confirms: &str, token: &str| {
            read(&json(
                412,
                &format!(
                    r#"{{"error":"Confirmation required","error_code":"confirmation_required",
                "blockers":{{}},"confirms":{confirms},"warnings":{{}},"confirmation_token":{token}}}"#
                ),
            ))
        };
        let not_on_loan = CheckinAnswer::Rejected("Item not issued.".into());
        assert_eq!(asks(r#"{"not_issued":"B"}"#, r#""t""#), not_on_loan);
        assert_eq!(asks(r#"{"NotIssued":"B"}"#, "null"), not_on_loan);
        let no = |words: &str| CheckinAnswer::Rejected(words.to_owned());
        assert_eq!(asks(r#"{"not_issued":"B","item_parts":"CD"}"#, r#""t""#), no("Confirmation required: item_parts"));
        assert_eq!(asks(r#"{"items_bundle":1}"#, r#""t""#), no("Confirmation required: items_bundle"));
        assert_eq!(asks(r#"{"something_new":1}"#, r#""t""#), no("Confirmation required: something_new"));
        assert_eq!(asks("{}", r#""t""#), no("Confirmation required"));
    }

    #[test]
    fn kohas_own_refusals_tell_that_nothing_was_done() {
        let blocked = r#"{"error":"Checkin blocked","error_code":"checkin_blocked","blockers":{"blocked_withdrawn":1,
            "wrong_branch":{"right_branch":"MPL"}}}"#;
        let no = |words: &str| CheckinAnswer::Rejected(words.to_owned());
        let unusable = CheckinAnswer::Unusable;
        for (status, body, expected) in [
            (403, blocked, no("Checkin blocked: blocked_withdrawn, wrong_branch")),
            (404, r#"{"error":"Item not found","error_code":"not_found"}"#, no("Item not found.")),
            (404, r#"{"error":"Item not found"}"#, no("Item not found.")),
            (403, r#"{"error":"x","error_code":"return_date_not_allowed"}"#, unusable(Absence::NoDates)),
            (403, r#"{"error":"x","required_permissions":{"circulate":"1"}}"#, unusable(Absence::NotAllowed)),
            (400, r#"{"errors":[{"message":"Properties not allowed","path":"/body"}]}"#, unusable(Absence::Unclear)),
            (401, r#"{"error":"Session has been expired."}"#, CheckinAnswer::AccessRefused),
            (500, "{}", CheckinAnswer::ServerError(500)),
            (200, " ", CheckinAnswer::Empty),
            // Somebody else's, or none that tells.
            (403, r#"{"error":"Invalid password","required_permissions":null}"#, CheckinAnswer::Strange),
            (403, "<html>Forbidden", CheckinAnswer::Strange),
            (404, "<html>Not found", CheckinAnswer::Strange),
            (404, r#"{"errors":[{"message":"Not Found."}]}"#, CheckinAnswer::Strange),
            (401, r#"{"error":"Unauthorized"}"#, CheckinAnswer::Strange),
            (412, "{}", CheckinAnswer::Strange),
            (400, "{}", CheckinAnswer::Strange),
            (200, "Success.", CheckinAnswer::Strange),
            (200, r#"{"checkin_id":7,"item_id":3}"#, CheckinAnswer::Strange),
        ] {
            assert_eq!(read(&json(status, body)), expected, "{status} {body}");
        }
        let busy = Response { retry_after: Some(Duration::from_secs(9)), ..json(503, "") };
        assert_eq!(read(&busy), CheckinAnswer::Busy(Duration::from_secs(9)));
    }

    proptest! {
        #[test]
        fn a_check_in_that_was_cut_off_is_none(place in 0..DONE.len()) {
            prop_assert!(!matches!(read(&json(200, &DONE[..place])), CheckinAnswer::Done(_)));
        }

        #[test]
        fn nothing_makes_it_fail(status in 0..1000_u16, body in r#"(\{|\}|\[|\]|"[a-z_]{1,14}"|:|,|[0-9]{1,20}|null|true|é){0,24}"#) {
            let answer = read(&json(status, &body));
            prop_assert!(!matches!(answer, CheckinAnswer::Done(_)) || matches!(status, 200 | 201));
        }
    }
}
