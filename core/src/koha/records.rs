//! `/api/v1`: whole lists of records, page by page, for look-up while Koha cannot be reached.
//!
//! A [`Reading`] reads one list. It is given answers and gives out rows in rising order of Koha's numbers, and at any time the
//! [`Point`] from which another day's reading can go on.
//!
//! Where Koha takes conditions (`q`, from about 20.05), the next page is asked for as the rows whose number is larger than
//! the last one read. So nothing is left out or told twice when rows come and go meanwhile, and the last page costs Koha no
//! more than the first. Where it does not, pages are counted; where it takes no pages either, everything comes at once. Koha
//! answers 400 to a parameter that it does not know, and that is how it is found out.

mod loose;
mod row;

pub use row::Listed;

use super::{Failure, Request, Response, Session};
use crate::{
    directory::record::Set,
    settings::{Secret, Settings},
};
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use url::form_urlencoded;

/// So many rows are asked for at once, at most and at least. A weak server takes long for a page.
const MOST: u32 = 1_000;
const LEAST: u32 = 50;
/// So often in a row a page is asked for without an answer.
const PATIENCE: u32 = 5;
/// Pages of this size or less are asked for as often as this before larger ones are tried again.
const CAUTION: u32 = 10;
/// Changes are asked for from so many milliseconds before the last download: Koha's clock and its database's may differ.
const OVERLAP: i64 = 120_000;

/// How requests show who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// KOCT's own session (Koha from 24.05).
    Session(Session),
    /// The account's name and password (HTTP Basic).
    Basic,
    /// A token of an API key (`OAuth2`).
    Token(Secret),
}

impl Pass {
    fn on(&self, settings: &Settings, request: Request) -> Request {
        match self {
            Self::Session(session) => request.within(Some(session.clone())),
            Self::Basic => Request { basic: Some((settings.username.clone(), settings.password.clone())), ..request },
            Self::Token(token) => Request { bearer: Some(token.clone()), ..request },
        }
    }
}

/// Asks for a token. The key and its secret travel in the body.
pub fn token(settings: &Settings, client_id: &str, client_secret: &Secret) -> Request {
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", client_id.to_owned()),
        ("client_secret", client_secret.reveal().to_owned()),
    ];
    Request::post(settings.server.join("/api/v1/oauth/token"), form)
}

/// The token; `None` where Koha gives none: an unknown key, a wrong secret, or the system preference
/// `RESTOAuth2ClientCredentials` is off.
pub fn read_token(response: &Response) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Token {
        access_token: String,
    }
    let token = serde_json::from_str::<Token>(&response.body).ok().filter(|_| response.status == 200)?;
    Some(Secret::new(token.access_token))
}

/// How rows are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    /// Those with a larger number than the last.
    #[default]
    After,
    /// Page by page.
    Pages,
    /// All at once.
    All,
}

/// How far a list is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Point {
    way: Way,
    /// The number of the last row.
    last: Option<u32>,
    /// How many pages of `size` rows were read, where pages are counted.
    page: u32,
    size: u32,
    without_embed: bool,
    /// Only what was changed since this time by Koha's clock is read, in milliseconds since 1970 in UTC.
    since: Option<i64>,
    /// What Koha's clock showed at the first answer.
    began: Option<i64>,
    /// Rows that had no number and were left out.
    pub unreadable: u32,
    /// Whether rows had what was asked for besides: what patrons owe, the titles of items.
    pub has_extras: bool,
}

impl Point {
    /// Before the first row, of a whole list or of what was changed since a time by Koha's clock ([`Point::began`] of an
    /// earlier reading).
    pub fn start(since: Option<i64>) -> Self {
        Self { size: MOST, since, ..Self::default() }
    }

    /// Whether nothing is read yet: also after it was found out that Koha must be asked in another way from the start.
    pub fn is_start(&self) -> bool {
        self.last.is_none() && self.page == 0
    }

    /// Whether only changes are read. It can turn out that Koha cannot tell them: then the whole list is read.
    pub fn is_changes(&self) -> bool {
        self.since.is_some()
    }

    /// What Koha's clock showed when reading began, in milliseconds since 1970 in UTC.
    pub fn began(&self) -> Option<i64> {
        self.began
    }
}

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<R> {
    /// These rows were read; `left` more are to come, as far as Koha tells.
    Rows {
        /// In rising order of their numbers.
        rows: Vec<R>,
        /// How many are to come.
        left: Option<u32>,
    },
    /// The list is read to its end; these rows are the last.
    Done(Vec<R>),
    /// The same is to be asked again, after so many milliseconds.
    Again(u32),
    /// The pass is not good any more: a new one is needed before the same is asked again.
    PassEnded,
    /// It cannot be read.
    Stopped(Stop),
}

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The account lacks these permissions, in Koha's own words for them.
    Refused(String),
    /// Koha does not let in who asks.
    NotLetIn,
    /// This version of Koha has no such list.
    Absent,
    /// Koha is being updated.
    Maintenance,
    /// No answer, several times in a row. What was read is kept.
    NoAnswer(Failure),
    /// An answer of this status that cannot be understood.
    Strange(u16),
}

/// Reads one list.
#[derive(Debug, Clone)]
pub struct Reading<R> {
    point: Point,
    failures: u32,
    /// How many pages came without trouble.
    smooth: u32,
    refreshed: bool,
    row: PhantomData<R>,
}

impl<R: Listed> Reading<R> {
    /// Goes on from there.
    pub fn new(point: Point) -> Self {
        Self { point, failures: 0, smooth: 0, refreshed: false, row: PhantomData }
    }

    /// How far it is read.
    pub fn point(&self) -> &Point {
        &self.point
    }

    /// Which set it reads.
    pub fn set(&self) -> Set {
        R::SET
    }

    /// The request for the next rows.
    pub fn request(&self, settings: &Settings, pass: &Pass) -> Request {
        let mut query: Vec<(&str, String)> = Vec::new();
        let point = &self.point;
        // With something embedded, the database joins tables that may have a column of the same name: `me` is this one.
        match point.way {
            Way::After => {
                query.push(("q", self.condition().to_string()));
                query.push(("_order_by", format!("+me.{}", R::ID)));
                query.push(("_page", "1".to_owned()));
                query.push(("_per_page", point.size.to_string()));
            }
            Way::Pages => {
                query.push(("_order_by", R::ID.to_owned()));
                query.push(("_page", (point.page + 1).to_string()));
                query.push(("_per_page", point.size.to_string()));
            }
            Way::All => {}
        }
        let mut url = settings.server.join(&format!("/api/v1/{}", R::LIST));
        if !query.is_empty() {
            url.push('?');
            url.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
        }
        let embed = R::EMBED.filter(|_| !point.without_embed);
        pass.on(settings, Request { embed, ..Request::get(url) })
    }

    fn condition(&self) -> serde_json::Value {
        let mut condition = serde_json::Map::new();
        condition.insert(format!("me.{}", R::ID), serde_json::json!({ ">": self.point.last.unwrap_or(0) }));
        let since = self.point.since.and_then(|since| DateTime::from_timestamp_millis(since - OVERLAP));
        if let (Some(changed), Some(since)) = (R::CHANGED, since) {
            let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            condition.insert(format!("me.{changed}"), serde_json::json!({ ">=": since }));
        }
        condition.into()
    }

    /// Takes the answer to [`Reading::request`].
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> Step<R> {
        let response = match answer {
            Ok(response) => response,
            Err(failure @ Failure::NotSent(_)) => return Step::Stopped(Stop::NoAnswer(failure)),
            Err(Failure::Redirected { .. }) => return Step::Stopped(Stop::Strange(302)),
            Err(failure) => return self.failed(failure),
        };
        match response.status {
            200 => self.read(&response),
            400 => self.ask_for_less(&response),
            401 if !self.refreshed => {
                self.refreshed = true;
                Step::PassEnded
            }
            // Wrong Basic credentials are answered 403, with nothing in the list of permissions.
            401 => Step::Stopped(Stop::NotLetIn),
            403 => Step::Stopped(permissions(&response.body).map_or(Stop::NotLetIn, Stop::Refused)),
            404 => Step::Stopped(Stop::Absent),
            503 => Step::Stopped(Stop::Maintenance),
            // Conditions on a column that this version names in another way end in an error of the database.
            500 if self.point.way == Way::After && self.point.last.is_none() && self.failures > 0 => {
                self.ask_for_less(&response)
            }
            status if status >= 500 => self.failed_with(Stop::Strange(status)),
            status => Step::Stopped(Stop::Strange(status)),
        }
    }

    fn failed(&mut self, failure: Failure) -> Step<R> {
        self.failed_with(Stop::NoAnswer(failure))
    }

    /// Perhaps the page was too large for the server.
    fn failed_with(&mut self, stop: Stop) -> Step<R> {
        self.failures += 1;
        self.smooth = 0;
        if self.failures >= PATIENCE {
            return Step::Stopped(stop);
        }
        let smaller = self.point.size / 2;
        if smaller >= LEAST {
            self.point.size = smaller;
            self.point.page *= 2;
        }
        Step::Again(500 << self.failures.min(5))
    }

    fn ask_for_less(&mut self, response: &Response) -> Step<R> {
        let point = &mut self.point;
        if response.body.contains("embed") && R::EMBED.is_some() && !point.without_embed {
            point.without_embed = true;
            return Step::Again(0);
        }
        point.way = match point.way {
            Way::After => Way::Pages,
            Way::Pages => Way::All,
            Way::All => return Step::Stopped(Stop::Strange(response.status)),
        };
        // Without conditions there are no changes either.
        (point.since, point.last, point.page, point.size) = (None, None, 0, MOST);
        Step::Again(0)
    }

    fn read(&mut self, response: &Response) -> Step<R> {
        let Ok(raw) = serde_json::from_str::<Vec<R::Raw>>(&response.body) else {
            return self.failed_with(Stop::Strange(200));
        };
        (self.failures, self.refreshed) = (0, false);
        let point = &mut self.point;
        if point.began.is_none() {
            point.began = response.date;
        }
        let came = u32::try_from(raw.len()).unwrap_or(u32::MAX);
        let mut rows = Vec::with_capacity(raw.len());
        for raw in raw {
            match R::read(raw) {
                Some((row, has_extras)) => {
                    point.has_extras |= has_extras;
                    rows.push(row);
                }
                None => point.unreadable += 1,
            }
        }
        let rises = rows.windows(2).all(|pair| pair[0].id() < pair[1].id())
            && rows.first().is_none_or(|row| point.last.is_none_or(|last| last < row.id()));
        if point.way == Way::Pages && !rises {
            // Rows that came or went meanwhile have moved the others, or this version does not sort: only all at once is sure.
            *point =
                Point { way: Way::All, without_embed: point.without_embed, began: point.began, ..Point::start(None) };
            return Step::Again(0);
        }
        rows.sort_by_key(R::id);
        rows.dedup_by_key(|row| row.id());
        rows.retain(|row| point.last.is_none_or(|last| row.id() > last));
        if point.way == Way::After && rows.is_empty() && came > 0 {
            // It does not look at the condition, or gives rows that have no number to be gone past by.
            return self.ask_for_less(response);
        }
        point.last = rows.last().map(R::id).or(point.last);
        let before = point.page.saturating_mul(point.size);
        point.page += 1;
        let left = response.total_count.map(|total| match point.way {
            Way::After => total.saturating_sub(came),
            Way::Pages => total.saturating_sub(before).saturating_sub(came),
            Way::All => 0,
        });
        if point.way == Way::All || came == 0 || left == Some(0) {
            return Step::Done(rows);
        }
        self.smooth += 1;
        if self.smooth >= CAUTION && point.way == Way::After && point.size < MOST {
            (point.size, self.smooth) = ((point.size * 2).min(MOST), 0);
        }
        Step::Rows { rows, left }
    }
}

/// The permissions that a refusal names: `borrowers: edit_borrowers`, several joined. `None` where it names none.
fn permissions(body: &str) -> Option<String> {
    use serde_json::Value;
    fn words(value: &Value) -> Option<String> {
        match value {
            Value::Object(modules) => {
                let one = |(module, name): (&String, &Value)| match name.as_str() {
                    Some("1") | None => module.clone(),
                    Some(name) => format!("{module}: {name}"),
                };
                (!modules.is_empty()).then(|| modules.iter().map(one).collect::<Vec<_>>().join(" + "))
            }
            // One of them will do: the first is the usual one.
            Value::Array(several) => several.iter().find_map(words),
            _ => None,
        }
    }
    words(serde_json::from_str::<Value>(body).ok()?.get("required_permissions")?)
}

/// Asks for the names of the libraries, as [`super::rest::read_libraries`] reads them.
pub fn libraries(settings: &Settings, pass: &Pass) -> Request {
    let url = settings.server.join(&format!("/api/v1/libraries?_page=1&_per_page={MOST}"));
    pass.on(settings, Request::get(url))
}

#[cfg(test)]
mod tests;
