//! What Koha reports as no change of a patron: what they owe, and that they are gone. Asked for by their numbers.

use super::{
    access::{is_maintenance, permissions},
    point::Point,
    row::Listed,
    source::{ReadError, ReadStep, Source, Tries, in_order},
};
use crate::{
    directory::{owing::AT_ONCE, record::Patron},
    koha::{Failure, Request, Response, rest::RestCredentials, size_of_rows},
    settings::form::Settings,
};
use serde_json::{json, value::RawValue};
use url::form_urlencoded;

/// Reads the patrons of these numbers.
#[derive(Debug, Clone)]
pub struct Owing {
    point: Point,
    /// In rising order.
    ids: Vec<u32>,
    /// How many of them are answered.
    answered: usize,
    gone: Vec<u32>,
    tries: Tries,
    with_debts: bool,
}

impl Owing {
    /// The patrons of these numbers, which rise; with what they owe, where this Koha tells it.
    pub fn new(ids: Vec<u32>, with_debts: bool, point: Point) -> Self {
        Self { point, ids, answered: 0, gone: Vec::new(), tries: Tries::default(), with_debts }
    }

    /// The numbers that are asked for next.
    fn asked(&self) -> &[u32] {
        let rest = &self.ids[self.answered..];
        &rest[..rest.len().min(AT_ONCE)]
    }

    fn read(&mut self, response: &Response) -> ReadStep<Patron> {
        let Ok(raw) = serde_json::from_str::<Vec<&RawValue>>(&response.body) else {
            return self.tries.failed(if response.is_html() {
                ReadError::NotKoha(200)
            } else {
                ReadError::Strange(200)
            });
        };
        self.tries = Tries::default();
        let read = |raw: &&RawValue| serde_json::from_str(raw.get()).ok().and_then(Patron::read).map(|(row, _)| row);
        let (asked, came) = (self.asked().to_vec(), raw.len());
        let mut rows = in_order(raw.iter().map(read).collect(), None);
        let read = rows.len();
        rows.retain(|row| asked.binary_search(&row.id).is_ok());
        // Who is not in a whole answer to this question, and to no other, is gone.
        let is_whole = response.total_count.is_some_and(|total| usize::try_from(total) == Ok(came));
        if is_whole && came == read && read == rows.len() {
            let is_there = |id: &u32| rows.binary_search_by_key(id, |row| row.id).is_ok();
            self.gone.extend(asked.iter().filter(|id| !is_there(id)));
        }
        self.answered += asked.len();
        self.point.last = asked.last().copied();
        let left = self.ids.len() - self.answered;
        if left == 0 { ReadStep::Done(rows) } else { ReadStep::Rows { rows, left: u32::try_from(left).ok() } }
    }
}

impl Source for Owing {
    type Row = Patron;

    fn point(&self) -> &Point {
        &self.point
    }

    fn request(&self, settings: &Settings, credentials: &RestCredentials) -> Request {
        let asked = self.asked();
        let query = [
            ("q", json!({ (format!("me.{}", Patron::ID)): asked }).to_string()),
            ("_page", "1".to_owned()),
            ("_per_page", asked.len().to_string()),
        ];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let url = format!("{}?{query}", settings.server.join(&format!("/api/v1/{}", Patron::LIST)));
        let mut request = Request { size_limit: size_of_rows(asked.len()), ..Request::get(url) };
        request.embed = Patron::EMBED.filter(|_| self.with_debts);
        credentials.on(settings, request)
    }

    fn handle(&mut self, answer: Result<Response, Failure>) -> ReadStep<Patron> {
        let response = match answer {
            Ok(response) => response,
            Err(failure) => return self.tries.no_answer(failure),
        };
        match response.status {
            200 => self.read(&response),
            401 => self.tries.not_let_in(ReadError::NotLetIn),
            403 => ReadStep::Stopped(permissions(&response.body).map_or(ReadError::NotLetIn, ReadError::Refused)),
            503 if is_maintenance(&response) => ReadStep::Stopped(ReadError::Maintenance),
            status @ (408 | 429 | 500..) => self.tries.failed(ReadError::Strange(status)),
            status => ReadStep::Stopped(ReadError::Strange(status)),
        }
    }

    fn gone(&self) -> &[u32] {
        &self.gone
    }
}
