//! `/api/v1`: whole lists of records, page by page, for look-up while Koha cannot be reached.
//!
//! A [`Reading`] reads one list, a [`Report`] what no list has. Each is given answers and gives out rows in rising order of
//! Koha's numbers, and at any time the [`Point`] from which another day's reading can go on.
//!
//! Where Koha takes conditions (`q`, from about 20.05), the next page is asked for as the rows whose number is larger than
//! the last one read. So nothing is left out or told twice when rows come and go meanwhile, and the last page costs Koha no
//! more than the first. Where it does not, pages are counted, each beginning with the end of the one before, so that it is
//! seen when rows have moved; where it takes no pages either, everything comes at once. Koha answers 400 to a parameter that
//! it does not know, and that is how it is found out.
//!
//! ```
//! use koct_core::directory::record::Hold;
//! use koct_core::koha::{Response, records::{RestCredentials, Point, Reading, Source, Step}};
//! # use koct_core::settings::form::{CommitType, Secret, ServerUrl, Settings};
//! # let settings = Settings { server: ServerUrl::parse("https://koha.example.org").unwrap(), username: "desk".into(),
//! #     password: Secret::new("x"), branchcode: "CPL".into(), commit_type: CommitType::Send, stale_hours: 24 };
//! let mut reading = Reading::<Hold>::new(Point::start(None));
//! let request = reading.request(&settings, &RestCredentials::Basic);
//! assert!(request.url.starts_with("https://koha.example.org/api/v1/holds?q="));
//! // Whoever has a network makes the request.
//! let body = r#"[{"hold_id": 7, "patron_id": 2, "biblio_id": 3, "status": "W"}]"#;
//! let answer = Response { status: 200, total_count: Some(2), body: body.into(), ..Response::default() };
//! let Step::Rows { rows, left: Some(1) } = reading.handle(Ok(answer)) else { panic!() };
//! assert_eq!(rows[0].id, 7);
//! // Kept with the rows: tomorrow, `Reading::new` goes on behind them.
//! let point = serde_json::to_string(reading.point()).unwrap();
//! # assert_eq!(&serde_json::from_str::<Point>(&point).unwrap(), reading.point());
//! ```

mod access;
mod loose;
mod paging;
mod report;
mod row;

pub use access::{RestCredentials, TokenError, libraries, read_token, token};
pub use report::{RESTRICTIONS_SQL, Report};
pub use row::Listed;

use super::{Failure, Request, Response};
use crate::{
    directory::{Held, record::Record},
    settings::form::Settings,
};
use access::{is_maintenance, permissions};
use chrono::DateTime;
use paging::Page;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::marker::PhantomData;
use url::form_urlencoded;

/// So many rows are asked for at once, at most and at least. A weak server takes long for a page.
const MOST: u32 = 1_000;
const LEAST: u32 = 50;
/// So many rows Koha gives at once by itself (system preference `RESTdefaultPageSize` where nobody changed it).
const DEFAULT_PAGE: u32 = 20;
/// The number of times in a row that a page is asked for without an answer.
const MOST_TRIES: u32 = 5;
/// Pages of this size or less are asked for as often as this before larger ones are tried again.
const CAUTION: u32 = 10;
/// Changes are asked for from so many milliseconds before the last download. Koha hands a condition on `me.…` to the database
/// as it is, which takes the time for one of its own zone, up to twelve hours behind UTC; and clocks may differ.
const OVERLAP: i64 = (12 * 60 + 2) * 60_000;
/// Koha does not tell what was deleted: once in so many milliseconds everything is read instead of the changes.
const WHOLE: i64 = 7 * DAY;
/// A reading that was begun earlier than so many milliseconds ago is begun anew.
const DAY: i64 = 86_400_000;
/// How long an answer may take where everything comes at once, in milliseconds.
const TIME_LIMIT_OF_ALL: u32 = 300_000;

/// Whether a download that was begun then is gone on with.
pub fn goes_on(began: i64, now: i64) -> bool {
    (0..DAY).contains(&now.saturating_sub(began))
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
    /// How many rows of the list lie before what is read next, where pages are counted.
    read: u32,
    /// How many rows are asked for at once.
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

    /// Before the first row of a set of which this is held: of what was changed since, where that can be told and not all of
    /// it must be read once more.
    pub fn after<R: Listed>(held: Option<&Held>, now: i64) -> Self {
        let is_recent =
            |held: &&Held| R::CHANGED.is_some() && (0..WHOLE).contains(&now.saturating_sub(held.whole_as_of));
        Self::start(held.filter(is_recent).and_then(|held| held.koha_as_of))
    }

    /// Whether nothing is read yet: also after it was found out that Koha must be asked in another way from the start.
    pub fn is_start(&self) -> bool {
        self.last.is_none() && self.read == 0
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
    Stopped(ReadError),
}

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
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
    /// A web page of somebody else's in place of the rows, several times in a row: a captive portal, a proxy.
    NotKoha(u16),
    /// An answer of this status that cannot be understood.
    Strange(u16),
}

/// What gives the rows of a set in rising order of their numbers, answer by answer.
pub trait Source {
    /// What it gives.
    type Row: Record;

    /// How far it is read.
    fn point(&self) -> &Point;

    /// The request for the next rows.
    fn request(&self, settings: &Settings, pass: &RestCredentials) -> Request;

    /// Takes the answer to [`Source::request`].
    fn handle(&mut self, answer: Result<Response, Failure>) -> Step<Self::Row>;
}

/// What went wrong since the last answer that was good.
#[derive(Debug, Clone, Default)]
struct Tries {
    failures: u32,
    /// Whether a new pass was asked for.
    refreshed: bool,
}

impl Tries {
    /// The same once more, but not for ever.
    fn failed<R>(&mut self, stop: ReadError) -> Step<R> {
        self.failures += 1;
        if self.failures >= MOST_TRIES { Step::Stopped(stop) } else { Step::Again(500 << self.failures.min(5)) }
    }

    fn no_answer<R>(&mut self, failure: Failure) -> Step<R> {
        match failure {
            Failure::NotSent(_) | Failure::Redirected { .. } => Step::Stopped(ReadError::NoAnswer(failure)),
            Failure::Lost | Failure::TimedOut => self.failed(ReadError::NoAnswer(failure)),
        }
    }

    /// A pass can end at any time: only a new one that is refused too is the last word.
    fn not_let_in<R>(&mut self, stop: ReadError) -> Step<R> {
        if std::mem::replace(&mut self.refreshed, true) { Step::Stopped(stop) } else { Step::PassEnded }
    }
}

/// Reads one list.
#[derive(Debug, Clone)]
pub struct Reading<R> {
    point: Point,
    tries: Tries,
    /// How many pages came without trouble.
    smooth: u32,
    /// Whether rows before what was read are asked for again, since they have moved.
    returning: bool,
    row: PhantomData<R>,
}

impl<R: Listed> Reading<R> {
    /// Goes on from there.
    pub fn new(point: Point) -> Self {
        Self { point, tries: Tries::default(), smooth: 0, returning: false, row: PhantomData }
    }

    fn condition(&self) -> serde_json::Value {
        let mut condition = serde_json::Map::new();
        condition.insert(format!("me.{}", R::ID), serde_json::json!({ ">": self.point.last.unwrap_or(0) }));
        let since = self.point.since.and_then(|since| DateTime::from_timestamp_millis(since - OVERLAP));
        if let (Some(changed), Some(since)) = (R::CHANGED, since) {
            // Not every database takes another form for a time, and none needs another.
            let since = since.format("%Y-%m-%d %H:%M:%S").to_string();
            condition.insert(format!("me.{changed}"), serde_json::json!({ ">=": since }));
        }
        condition.into()
    }

    fn no_answer(&mut self, failure: Failure) -> Step<R> {
        let next = self.tries.no_answer(failure);
        self.ask_for_fewer(next)
    }

    fn failed(&mut self, stop: ReadError) -> Step<R> {
        let next = self.tries.failed(stop);
        self.ask_for_fewer(next)
    }

    /// Perhaps the page was too large for the server.
    fn ask_for_fewer(&mut self, step: Step<R>) -> Step<R> {
        self.smooth = 0;
        if matches!(step, Step::Again(_)) {
            self.point.size = (self.point.size / 2).max(LEAST.min(self.point.size));
        }
        step
    }

    fn ask_for_less(&mut self, response: &Response) -> Step<R> {
        let point = &mut self.point;
        let about_embed = response.body.to_ascii_lowercase().contains("embed") || point.way == Way::All;
        if response.status == 400 && about_embed && R::EMBED.is_some() && !point.without_embed {
            point.without_embed = true;
            return Step::Again(0);
        }
        if response.status == 500 && point.since.is_some() {
            point.since = None;
            return Step::Again(0);
        }
        match point.way {
            Way::After => self.start_anew(Way::Pages),
            Way::Pages => self.start_anew(Way::All),
            Way::All => Step::Stopped(ReadError::Strange(response.status)),
        }
    }

    /// Reads from the start, in another way. Without conditions, changes are not told apart.
    fn start_anew(&mut self, way: Way) -> Step<R> {
        let Point { without_embed, began, .. } = self.point;
        self.point = Point { way, without_embed, began, ..Point::start(None) };
        Step::Again(0)
    }

    fn read(&mut self, response: &Response) -> Step<R> {
        let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(&response.body) else {
            return self.failed(if response.is_html() { ReadError::NotKoha(200) } else { ReadError::Strange(200) });
        };
        self.tries = Tries::default();
        let point = &mut self.point;
        if point.began.is_none() {
            point.began = response.date.map(crate::desk::clock::KohaTime::millis);
        }
        let mut rows = Vec::with_capacity(raw.len());
        for raw in raw {
            // One row that is unlike all others does not spoil them.
            let row = serde_json::from_str(raw.get()).ok().and_then(R::read);
            point.has_extras |= row.as_ref().is_some_and(|(_, has_extras)| *has_extras);
            rows.push(row.map(|(row, _)| row));
        }
        match point.way {
            Way::After => self.read_after(rows, response),
            Way::Pages => self.read_page(rows, response.total_count),
            Way::All => {
                point.unreadable = count(rows.iter().filter(|row| row.is_none()));
                let rows = in_order(rows, None);
                point.last = rows.last().map(R::id);
                Step::Done(rows)
            }
        }
    }

    fn read_after(&mut self, rows: Vec<Option<R>>, response: &Response) -> Step<R> {
        let point = &mut self.point;
        let came = count(rows.iter());
        let left = response.total_count.map(|total| total.saturating_sub(came));
        let is_last = left.map_or(came == 0, |left| left == 0);
        // What has no number and stands at the end of a page comes again with the next.
        let passed = if is_last { rows.len() } else { rows.iter().rposition(Option::is_some).unwrap_or_default() };
        let unreadable = count(rows[..passed].iter().filter(|row| row.is_none()));
        let rows = in_order(rows, point.last);
        if rows.is_empty() && !is_last {
            // It does not look at the condition, or gives rows that have no number to be gone past by.
            return self.start_anew(Way::Pages);
        }
        point.unreadable += unreadable;
        point.last = rows.last().map(R::id).or(point.last);
        if is_last {
            return Step::Done(rows);
        }
        self.smooth += 1;
        if self.smooth >= CAUTION && point.size < MOST {
            (point.size, self.smooth) = ((point.size * 2).min(MOST), 0);
        }
        Step::Rows { rows, left }
    }

    fn read_page(&mut self, mut rows: Vec<Option<R>>, total: Option<u32>) -> Step<R> {
        let point = &mut self.point;
        let page = Page::after(point.read, point.size);
        let came = count(rows.iter());
        let ids: Vec<u32> = rows.iter().flatten().map(R::id).collect();
        if !ids.is_sorted_by(|one, next| one < next) {
            // This version does not sort: only all at once is sure.
            return self.start_anew(Way::All);
        }
        // A page begins with a row that was read already, or rows before it have gone and moved the others past what was read.
        let overlaps = page.start < point.read;
        let has_moved = match (ids.first(), point.last) {
            (Some(first), Some(last)) => overlaps && *first > last,
            _ => came == 0 && (overlaps || total.is_some_and(|total| total < page.start)),
        };
        if came == 0 && (total.is_some_and(|total| total > page.start) || (has_moved && self.returning)) {
            // It counts rows that it does not give, or gives fewer each time.
            return self.start_anew(Way::All);
        }
        if has_moved && page.start > 0 {
            point.read = page.start.saturating_sub(point.size);
            self.returning = true;
            return Step::Again(0);
        }
        let known = rows.iter().rposition(|row| row.as_ref().is_some_and(|row| Some(row.id()) <= point.last));
        rows.drain(..known.map_or(0, |place| place + 1));
        let goes_on = page.start.saturating_add(came) > point.read;
        if goes_on && rows.is_empty() && ids.last().copied() == point.last {
            // Either the way back ends here, or it gives the same page whatever is asked for.
            if !std::mem::take(&mut self.returning) {
                return self.start_anew(Way::All);
            }
        }
        point.unreadable += count(rows.iter().filter(|row| row.is_none()));
        let rows = in_order(rows, point.last);
        point.last = rows.last().map(R::id).or(point.last);
        point.read = page.start.saturating_add(came);
        let left = total.map(|total| total.saturating_sub(point.read));
        if left == Some(0) || !goes_on {
            return Step::Done(rows);
        }
        if came < page.size && (left.is_some() || came >= DEFAULT_PAGE) {
            // It never gives more at once, and counts its pages so.
            point.size = came.max(1);
        }
        Step::Rows { rows, left }
    }
}

impl<R: Listed> Source for Reading<R> {
    type Row = R;

    fn point(&self) -> &Point {
        &self.point
    }

    fn request(&self, settings: &Settings, pass: &RestCredentials) -> Request {
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
                let page = Page::after(point.read, point.size);
                query.push(("_order_by", R::ID.to_owned()));
                query.push(("_page", page.number.to_string()));
                query.push(("_per_page", page.size.to_string()));
            }
            Way::All => {}
        }
        let mut url = settings.server.join(&format!("/api/v1/{}", R::LIST));
        if !query.is_empty() {
            url.push('?');
            url.push_str(&form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
        }
        let mut request = Request::get(url);
        request.embed = R::EMBED.filter(|_| !point.without_embed);
        if point.way == Way::All {
            request.time_limit = TIME_LIMIT_OF_ALL;
        }
        pass.on(settings, request)
    }

    fn handle(&mut self, answer: Result<Response, Failure>) -> Step<R> {
        let response = match answer {
            Ok(response) => response,
            Err(failure) => return self.no_answer(failure),
        };
        match response.status {
            200 => self.read(&response),
            400 => self.ask_for_less(&response),
            // Wrong Basic credentials are answered 403, with nothing in the list of permissions.
            401 => self.tries.not_let_in(ReadError::NotLetIn),
            403 => Step::Stopped(permissions(&response.body).map_or(ReadError::NotLetIn, ReadError::Refused)),
            404 => Step::Stopped(ReadError::Absent),
            503 if is_maintenance(&response) => Step::Stopped(ReadError::Maintenance),
            // Conditions on a column that this version names in another way end in an error of the database.
            500 if self.point.way == Way::After && self.point.last.is_none() && self.tries.failures > 0 => {
                self.ask_for_less(&response)
            }
            status @ (408 | 429 | 500..) => self.failed(ReadError::Strange(status)),
            status => Step::Stopped(ReadError::Strange(status)),
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// The rows that can be read and come after `last`, each once, in rising order.
fn in_order<R: Record>(rows: Vec<Option<R>>, last: Option<u32>) -> Vec<R> {
    let mut rows: Vec<R> = rows.into_iter().flatten().filter(|row| Some(row.id()) > last).collect();
    rows.sort_by_key(R::id);
    rows.dedup_by_key(|row| row.id());
    rows
}

#[cfg(test)]
mod tests;
