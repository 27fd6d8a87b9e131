//! Reads one list of the REST API to its end, in whatever way this Koha can be asked.

use super::{
    access::{is_maintenance, permissions},
    paging::Page,
    point::{MOST, Point, Way},
    row::Listed,
    source::{ReadError, ReadStep, Source, Tries, in_order},
};
use crate::{
    koha::{Failure, Request, Response, rest::RestCredentials, size_of_rows},
    settings::form::Settings,
};
use chrono::DateTime;
use serde_json::value::RawValue;
use std::{marker::PhantomData, time::Duration};
use url::form_urlencoded;

/// The number of rows asked for at once, at least. A weak server takes long for a page.
const LEAST: u32 = 50;
/// The number of rows Koha gives at once by itself (system preference `RESTdefaultPageSize` where nobody changed it).
const DEFAULT_PAGE: u32 = 20;
/// Pages of this size or less are asked for as often as this before larger ones are tried again.
pub(super) const CAUTION: u32 = 10;
/// Changes are asked for from this many milliseconds before the last download. Koha hands a condition on `me.…` to the
/// database as it is, which takes the time for one of its own zone, up to twelve hours behind UTC; and clocks may differ.
const OVERLAP: Duration = Duration::from_mins(12 * 60 + 2);
/// How long an answer may take where everything comes at once.
const TIME_LIMIT_OF_ALL: Duration = Duration::from_mins(5);
/// The most bytes that are read then.
const SIZE_LIMIT_OF_ALL: usize = 128 << 20;
/// The number of answers in a row that may bring no new row: pages are gone back to where rows have moved.
const MOST_IDLE: u32 = 1_000;

/// Reads one list.
#[derive(Debug, Clone)]
pub struct Reading<R> {
    point: Point,
    tries: Tries,
    /// The number of pages that came without trouble.
    smooth: u32,
    /// Whether rows before what was read are asked for again, since they have moved.
    returning: bool,
    /// The number of answers in a row that brought no new row.
    idle: u32,
    /// Whether the same page came whatever was asked for.
    repeats: bool,
    row: PhantomData<R>,
}

impl<R: Listed> Reading<R> {
    /// Goes on from there.
    pub fn new(point: Point) -> Self {
        Self { point, tries: Tries::default(), smooth: 0, returning: false, idle: 0, repeats: false, row: PhantomData }
    }

    fn condition(&self) -> serde_json::Value {
        let mut condition = serde_json::Map::new();
        condition.insert(format!("me.{}", R::ID), serde_json::json!({ ">": self.point.last.unwrap_or(0) }));
        let since =
            self.point.koha_since.and_then(|since| DateTime::from_timestamp_millis(since.minus(OVERLAP).millis()));
        if let (Some(changed), Some(since)) = (R::CHANGED, since) {
            // Not every database takes another form for a time, and none needs another.
            let since = since.format("%Y-%m-%d %H:%M:%S").to_string();
            condition.insert(format!("me.{changed}"), serde_json::json!({ ">=": since }));
        }
        condition.into()
    }

    fn no_answer(&mut self, failure: Failure) -> ReadStep<R> {
        let next = self.tries.no_answer(failure);
        self.ask_for_fewer(next)
    }

    fn failed(&mut self, stop: ReadError) -> ReadStep<R> {
        let next = self.tries.failed(stop);
        self.ask_for_fewer(next)
    }

    /// Perhaps the page was too large for the server.
    fn ask_for_fewer(&mut self, step: ReadStep<R>) -> ReadStep<R> {
        self.smooth = 0;
        if matches!(step, ReadStep::Again(_)) {
            self.point.size = (self.point.size / 2).max(LEAST.min(self.point.size));
        }
        step
    }

    fn ask_for_less(&mut self, response: &Response) -> ReadStep<R> {
        let point = &mut self.point;
        let about_embed = response.body.to_ascii_lowercase().contains("embed") || point.way == Way::All;
        if response.status == 400 && about_embed && R::EMBED.is_some() && !point.without_embed {
            point.without_embed = true;
            return ReadStep::Again(Duration::ZERO);
        }
        if response.status == 500 && point.koha_since.is_some() {
            point.koha_since = None;
            return ReadStep::Again(Duration::ZERO);
        }
        match point.way {
            Way::After => self.start_anew(Way::Pages),
            Way::Pages => self.start_anew(Way::All),
            Way::All => ReadStep::Stopped(ReadError::Strange(response.status)),
        }
    }

    /// Reads from the start, in another way. Without conditions, changes are not told apart.
    fn start_anew(&mut self, way: Way) -> ReadStep<R> {
        let Point { without_embed, koha_began, .. } = self.point;
        self.point = Point { way, without_embed, koha_began, ..Point::start(None) };
        ReadStep::Again(Duration::ZERO)
    }

    /// As [`Self::read`], but not for ever where nothing new comes.
    fn read_on(&mut self, response: &Response) -> ReadStep<R> {
        let last = self.point.last;
        let step = self.read(response);
        self.idle = if self.point.last == last { self.idle + 1 } else { 0 };
        let goes_on = matches!(step, ReadStep::Rows { .. } | ReadStep::Again(_));
        if goes_on && self.idle > MOST_IDLE { ReadStep::Stopped(ReadError::SameRows) } else { step }
    }

    fn read(&mut self, response: &Response) -> ReadStep<R> {
        let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(&response.body) else {
            return self.failed(if response.is_html() { ReadError::NotKoha(200) } else { ReadError::Strange(200) });
        };
        self.tries = Tries::default();
        let point = &mut self.point;
        if point.koha_began.is_none() {
            point.koha_began = response.date;
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
                if self.repeats && response.total_count > Some(count(rows.iter())) {
                    return ReadStep::Stopped(ReadError::SameRows);
                }
                point.unreadable = count(rows.iter().filter(|row| row.is_none()));
                let rows = in_order(rows, None);
                point.last = rows.last().map(R::id);
                ReadStep::Done(rows)
            }
        }
    }

    fn read_after(&mut self, rows: Vec<Option<R>>, response: &Response) -> ReadStep<R> {
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
            return ReadStep::Done(rows);
        }
        self.smooth += 1;
        if self.smooth >= CAUTION && point.size < MOST {
            (point.size, self.smooth) = ((point.size * 2).min(MOST), 0);
        }
        ReadStep::Rows { rows, left }
    }

    fn read_page(&mut self, mut rows: Vec<Option<R>>, total: Option<u32>) -> ReadStep<R> {
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
            return ReadStep::Again(Duration::ZERO);
        }
        let known = rows.iter().rposition(|row| row.as_ref().is_some_and(|row| Some(row.id()) <= point.last));
        rows.drain(..known.map_or(0, |place| place + 1));
        let goes_on = page.start.saturating_add(came) > point.read;
        if goes_on && rows.is_empty() && ids.last().copied() == point.last {
            // Either the way back ends here, or it gives the same page whatever is asked for.
            if !std::mem::take(&mut self.returning) {
                self.repeats = true;
                return self.start_anew(Way::All);
            }
        }
        point.unreadable += count(rows.iter().filter(|row| row.is_none()));
        let rows = in_order(rows, point.last);
        point.last = rows.last().map(R::id).or(point.last);
        point.read = page.start.saturating_add(came);
        let left = total.map(|total| total.saturating_sub(point.read));
        if left == Some(0) || !goes_on {
            return ReadStep::Done(rows);
        }
        if came < page.size && (left.is_some() || came >= DEFAULT_PAGE) {
            // It never gives more at once, and counts its pages so.
            point.size = came.max(1);
        }
        ReadStep::Rows { rows, left }
    }
}

impl<R: Listed> Source for Reading<R> {
    type Row = R;

    fn point(&self) -> &Point {
        &self.point
    }

    fn request(&self, settings: &Settings, credentials: &RestCredentials) -> Request {
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
        let mut request = Request { size_limit: size_of_rows(point.size as usize), ..Request::get(url) };
        request.embed = R::EMBED.filter(|_| !point.without_embed);
        if point.way == Way::All {
            (request.time_limit, request.size_limit) = (TIME_LIMIT_OF_ALL, SIZE_LIMIT_OF_ALL);
        }
        credentials.on(settings, request)
    }

    fn handle(&mut self, answer: Result<Response, Failure>) -> ReadStep<R> {
        let response = match answer {
            Ok(response) => response,
            Err(failure) => return self.no_answer(failure),
        };
        match response.status {
            200 => self.read_on(&response),
            400 => self.ask_for_less(&response),
            // Wrong Basic credentials are answered 403, with nothing in the list of permissions.
            401 => self.tries.not_let_in(ReadError::NotLetIn),
            403 => ReadStep::Stopped(permissions(&response.body).map_or(ReadError::NotLetIn, ReadError::Refused)),
            404 => ReadStep::Stopped(ReadError::Absent),
            503 if is_maintenance(&response) => ReadStep::Stopped(ReadError::Maintenance),
            // Conditions on a column that this version names in another way end in an error of the database.
            500 if self.point.way == Way::After && self.point.last.is_none() && self.tries.failures > 0 => {
                self.ask_for_less(&response)
            }
            status @ (408 | 429 | 500..) => self.failed(ReadError::Strange(status)),
            status => ReadStep::Stopped(ReadError::Strange(status)),
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
