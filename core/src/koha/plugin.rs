//! The plugin that serves `ByWater`'s desktop tool for offline circulation, where a library has it: it takes many transactions in one
//! request, through the REST API, and remembers what it was given.
//!
//! Its code is not public here. What is known of it is what that tool sends and reads: `POST
//! /api/v1/contrib/offlinecirc/transactions`, permission `circulate`, answered by `{"results": [{"status", "message"}]}` of the same
//! length and order. By what it knows a transaction again is not told, so the same one is always sent in the very same words.

use super::{
    Request, Response, front,
    rest::RestCredentials,
    service::{Answer, REFUSALS},
};
use crate::{
    desk::{
        barcode::{Barcode, Cardnumber},
        transaction::Transaction,
    },
    settings::form::{CommitType, Settings},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const PATH: &str = "/api/v1/contrib/offlinecirc/transactions";

/// How many transactions go in one request at most.
pub const MOST_AT_ONCE: usize = 100;

/// How long it may work on them: the desktop tool waits as long.
const TIME_LIMIT: Duration = Duration::from_mins(5);

#[derive(Serialize)]
struct Body<'a> {
    branchcode: &'a str,
    pending: bool,
    transactions: Vec<PluginRow<'a>>,
}

#[derive(Serialize)]
struct PluginRow<'a> {
    timestamp: String,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cardnumber: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    barcode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
}

impl<'a> PluginRow<'a> {
    fn of(transaction: &'a Transaction) -> Self {
        let action = &transaction.action;
        Self {
            timestamp: transaction.moment.iso_utc(),
            action: action.word(),
            cardnumber: action.cardnumber().map(Cardnumber::as_str),
            barcode: action.barcode().map(Barcode::as_str),
            amount: action.amount().map(|amount| amount.to_string()),
        }
    }
}

/// What the plugin said of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It was processed.
    Processed,
    /// It is in the queue.
    Queued,
    /// It was processed when it was given before.
    WasProcessed,
    /// It was queued when it was given before.
    WasQueued,
    /// Koha said no, in these words.
    Refused(String),
    /// Koha said no when it was given before, in these words. Nothing was done now.
    WasRefused(String),
    /// Words that do not tell what became of it.
    Strange(String),
}

impl Told {
    /// The words in which it says of something that it was given that before.
    pub fn words(&self) -> String {
        match self {
            Self::WasProcessed => format!("{SKIPPED} {BEFORE}{PROCESSED}"),
            Self::WasQueued => format!("{SKIPPED} {BEFORE}{QUEUED}"),
            Self::Refused(words) | Self::WasRefused(words) | Self::Strange(words) => words.clone(),
            Self::Processed => PROCESSED.to_owned(),
            Self::Queued => QUEUED.to_owned(),
        }
    }
}

/// Asks whether the plugin is there, by giving it nothing to do.
pub fn look_for(settings: &Settings, credentials: &RestCredentials) -> Request {
    Request { time_limit: super::TIME_LIMIT, ..give(settings, credentials, &settings.branchcode, []) }
}

/// Whether this is the plugin's answer to [`look_for`].
pub fn is_there(response: &Response) -> bool {
    results(response).is_some_and(|results| results.is_empty())
}

/// Gives it these transactions of one library, to be queued or processed by the commit type of the settings.
pub fn give<'a>(
    settings: &Settings,
    credentials: &RestCredentials,
    branchcode: &str,
    transactions: impl IntoIterator<Item = &'a Transaction>,
) -> Request {
    let body = Body {
        branchcode,
        pending: settings.commit_type == CommitType::Send,
        transactions: transactions.into_iter().map(PluginRow::of).collect(),
    };
    // Nothing in it can fail to be written as JSON.
    let json = serde_json::to_string(&body).unwrap_or_default();
    let request = Request::post_json(settings.server.join(PATH), json);
    credentials.on(settings, Request { time_limit: TIME_LIMIT, ..request })
}

/// What it said of each of this number of transactions. `None` where it tells of more or fewer.
pub fn read(response: &Response, number: usize) -> Option<Vec<Told>> {
    let results = results(response).filter(|results| results.len() == number)?;
    Some(results.iter().map(ResultRow::told).collect())
}

#[derive(Deserialize)]
struct Results {
    results: Vec<ResultRow>,
}

#[derive(Deserialize)]
struct ResultRow {
    status: String,
    #[serde(default)]
    message: Option<String>,
}

fn results(response: &Response) -> Option<Vec<ResultRow>> {
    let is_its = response.status == 200 && !response.is_html();
    is_its.then(|| serde_json::from_str::<Results>(&response.body).ok()).flatten().map(|answer| answer.results)
}

/// With what it says that it was given this before; its status then follows.
const BEFORE: &str = "Already processed: ";
const PROCESSED: &str = "processed";
const QUEUED: &str = "queued";
const SKIPPED: &str = "skipped";

impl ResultRow {
    fn told(&self) -> Told {
        let message = self.message.as_deref().unwrap_or_default().trim();
        let is_refusal = REFUSALS.contains(&message);
        match (self.status.as_str(), message.strip_prefix(BEFORE)) {
            (PROCESSED | "error", _) if is_refusal => Told::Refused(message.to_owned()),
            (PROCESSED, _) => Told::Processed,
            (QUEUED, _) => Told::Queued,
            (SKIPPED, Some(PROCESSED)) => Told::WasProcessed,
            (SKIPPED, Some(QUEUED)) => Told::WasQueued,
            (SKIPPED, Some(before)) if before == "error" || REFUSALS.contains(&before) => {
                Told::WasRefused(message.to_owned())
            }
            (status, _) => Told::Strange(front::short(&format!("{status} {message}"))),
        }
    }
}

/// With what Koha says that it knows nobody there, any more or at all: nothing was given to the plugin.
const UNKNOWN: [&str; 2] = ["Authentication failure.", "Session has been expired."];

/// What an answer that [`read`] does not understand says: that Koha let nobody in, a server error, that it asks to wait, or nothing.
/// Nobody but the plugin tells what became of what it was given.
pub fn read_other(response: &Response) -> Answer {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let is_unknown = || {
        let refusal = serde_json::from_str::<Refusal>(&response.body);
        refusal.is_ok_and(|refusal| UNKNOWN.contains(&refusal.error.as_str()))
    };
    match response.status {
        401 if is_unknown() => Answer::AuthenticationFailed,
        429 | 503 if let Some(after) = response.retry_after => Answer::Busy(after),
        status @ 500..=599 => Answer::ServerError(status),
        200 if response.body.trim().is_empty() => Answer::Empty,
        _ => Answer::Strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            amount::Amount,
            transaction::{Action, Moment},
        },
        log::status::NO_PATRON,
        settings::form::Secret,
    };
    use proptest::prelude::*;

    fn json(body: &str) -> Response {
        Response { status: 200, content_type: "application/json".into(), body: body.into(), ..Response::default() }
    }

    #[test]
    fn gives_each_transaction_in_its_order_with_the_time_as_the_log_has_it() {
        let barcode = Barcode::parse("B1").unwrap();
        let cardnumber = Cardnumber::parse("P1").unwrap();
        let actions = [
            Action::Issue { cardnumber: cardnumber.clone(), barcode: barcode.clone() },
            Action::Return { barcode },
            Action::Payment { cardnumber, amount: Amount::parse("1.50").unwrap() },
        ];
        let moment = Moment::new(1_795_428_000_007, 60).unwrap();
        let transactions = actions.map(|action| Transaction { moment, action });
        let settings = Settings::for_tests(CommitType::Send);
        let request = give(&settings, &RestCredentials::Token(Secret::new("t")), "CPL", &transactions);
        assert!(request.url.ends_with(PATH) && request.bearer.is_some());
        assert_eq!(
            request.body().unwrap(),
            "{\"branchcode\":\"CPL\",\"pending\":true,\"transactions\":[\
             {\"timestamp\":\"2026-11-23T10:00:00.007Z\",\"action\":\"issue\",\"cardnumber\":\"P1\",\"barcode\":\"B1\"},\
             {\"timestamp\":\"2026-11-23T10:00:00.007Z\",\"action\":\"return\",\"barcode\":\"B1\"},\
             {\"timestamp\":\"2026-11-23T10:00:00.007Z\",\"action\":\"payment\",\"cardnumber\":\"P1\",\"amount\":\"1.50\"}]}"
        );
        let applied = look_for(&Settings::for_tests(CommitType::Apply), &RestCredentials::Basic);
        assert_eq!(applied.body().unwrap(), "{\"branchcode\":\"CPL\",\"pending\":false,\"transactions\":[]}");
        assert!(applied.basic.is_some() && applied.time_limit < request.time_limit);
    }

    #[test]
    fn is_there_only_where_it_answers_in_its_own_form() {
        assert!(is_there(&json("{\"results\":[]}")));
        assert!(is_there(&json("{\"results\":[], \"took\": 3}")), "it may say more one day");
        for other in [
            json("{\"results\":[{\"status\":\"processed\"}]}"),
            json("[]"),
            json("{}"),
            json(""),
            Response { status: 404, ..json("{\"results\":[]}") },
            Response { content_type: "text/html".into(), ..json("{\"results\":[]}") },
        ] {
            assert!(!is_there(&other), "{other:?}");
        }
    }

    #[test]
    fn only_its_own_words_tell_what_became_of_a_transaction() {
        for (status, message, told) in [
            ("processed", "Success.", Told::Processed),
            ("queued", "Added to the pending offline circulation queue", Told::Queued),
            ("skipped", "Already processed: queued", Told::WasQueued),
            ("skipped", "Already processed: processed", Told::WasProcessed),
            ("skipped", "Already processed: error", Told::WasRefused("Already processed: error".into())),
            (
                "skipped",
                "Already processed: Item not found.",
                Told::WasRefused("Already processed: Item not found.".into()),
            ),
            ("error", "Borrower not found.", Told::Refused(NO_PATRON.into())),
            ("processed", "Item not issued.", Told::Refused("Item not issued.".into())),
            // Whether that was committed nobody knows.
            ("skipped", "Already processed: later", Told::Strange("skipped Already processed: later".into())),
            ("skipped", "", Told::Strange("skipped".into())),
            ("error", "DBI\n died", Told::Strange("error DBI died".into())),
            ("Processed", "", Told::Strange("Processed".into())),
        ] {
            let body = serde_json::json!({"results": [{"status": status, "message": message}]}).to_string();
            assert_eq!(read(&json(&body), 1), Some(vec![told]));
            assert_eq!(read(&json(&body), 2), None, "it tells of fewer than it was given");
            assert_eq!(read(&json(&body), 0), None, "it tells of more");
        }
    }

    #[test]
    fn what_anybody_else_answers_tells_nothing() {
        let wait = Some(Duration::from_secs(5));
        for (response, answer) in [
            (Response { status: 503, retry_after: wait, ..json("") }, Answer::Busy(Duration::from_secs(5))),
            (Response { status: 503, ..json("") }, Answer::ServerError(503)),
            (json(" "), Answer::Empty),
            (json("Success."), Answer::Strange),
            (
                Response { status: 401, ..json("{\"error\":\"Session has been expired.\"}") },
                Answer::AuthenticationFailed,
            ),
            (Response { status: 401, ..json("{\"error\":\"Who is there?\"}") }, Answer::Strange),
            (Response { status: 403, ..json("{\"error\":\"Authentication failure.\"}") }, Answer::Strange),
            (Response { status: 404, ..json("") }, Answer::Strange),
        ] {
            assert_eq!((read(&response, 1), read_other(&response)), (None, answer));
        }
    }

    /// A word of the plugin's, or anything.
    fn word() -> impl Strategy<Value = String> {
        let own =
            [PROCESSED, QUEUED, SKIPPED, "error", NO_PATRON, "Already processed: queued", "Already processed: error"];
        prop_oneof![prop::sample::select(own.to_vec()).prop_map(str::to_owned), any::<String>()]
    }

    proptest! {
        #[test]
        fn reads_what_it_told_and_any_text_that_came_of_it(
            told in prop::collection::vec((word(), prop::option::of(word())), 0..4),
            (place, instead) in (any::<prop::sample::Index>(), ".{0,2}"),
        ) {
            let rows = told.iter().map(|(status, message)| serde_json::json!({"status": status, "message": message}));
            let body = serde_json::json!({"results": rows.collect::<Vec<_>>()}).to_string();
            prop_assert_eq!(read(&json(&body), told.len()).map(|told| told.len()), Some(told.len()));
            prop_assert_eq!(is_there(&json(&body)), told.is_empty());
            // A sign of it is another, or missing.
            let place = place.index(body.chars().count());
            let damaged: String = body.chars().take(place).chain(instead.chars()).chain(body.chars().skip(place + 1)).collect();
            let _ = is_there(&json(&damaged));
            if let Some(read) = read(&json(&damaged), told.len()) {
                prop_assert_eq!(read.len(), told.len());
            }
        }
    }
}
