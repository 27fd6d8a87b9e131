//! Lists: which rows fit, in which order, and one page of them with what belongs to them.
//!
//! Koha: Koha/REST/Plugin/{Objects,Query,Pagination}.pm. Before 24.05 as observed on 19.06.

use std::cmp::Ordering;

use hyper::header::{HeaderName, LINK};
use serde_json::{Map, Value, json};

use super::query::{Comparison, Condition, Refused, compare, plain};
use super::rows::{Related, Row, View};
use super::{invalid, went_wrong};
use crate::collation::fold;
use crate::reply::{Reply, html, json as json_reply};
use crate::request::Request;
use crate::server::Shared;
use crate::state::Era;

/// What `DBIx::Class` takes for the size of a page if only the page is named, as in 19.06.
const PAGE_OF_THE_DATABASE: usize = 10;

/// What a query parameter must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
}

/// How a list may be asked.
pub(crate) struct Rules {
    /// The query parameters for fields of the rows.
    pub(crate) fields: Vec<(&'static str, Kind)>,
    /// Query parameters that the list looks at by itself.
    pub(crate) others: &'static [(&'static str, Kind)],
    /// Whether it has `_page`, `_per_page`, `_order_by` and `_match`, and from 24.05 `q`.
    pub(crate) paging: bool,
    /// The fields must be as asked for, instead of contain it. So it is where 19.06 has its own search.
    pub(crate) exact: bool,
    /// What may be embedded (header `x-koha-embed`).
    pub(crate) embeds: &'static [&'static str],
}

impl Rules {
    /// The kind of a query parameter; none if it is not known.
    fn kind(&self, era: Era, name: &str) -> Option<Kind> {
        let named = self.fields.iter().chain(self.others).find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        named.or(match name {
            "_page" | "_per_page" if self.paging => Some(Kind::Integer),
            "_order_by" | "_match" if self.paging => Some(Kind::Text),
            "q" if self.paging && era == Era::From2405 => Some(Kind::Text),
            _ => None,
        })
    }

    /// 400 for a query parameter that is not known, or not what it must be, and for what cannot be embedded.
    ///
    /// The words for wrong values are those of `JSON::Validator`.
    pub(crate) fn check(&self, era: Era, request: &Request) -> Result<(), Reply> {
        let unknown: Vec<Value> = request
            .query
            .iter()
            .filter(|(name, _)| self.kind(era, name).is_none())
            .map(|(name, _)| json!({ "message": "Malformed query string", "path": format!("/query/{name}") }))
            .collect();
        if !unknown.is_empty() {
            return Err(json_reply(400, &unknown.into()));
        }
        for (name, value) in &request.query {
            let wrong = match self.kind(era, name) {
                Some(Kind::Integer) if value.parse::<i64>().is_err() => "Expected integer - got string.",
                Some(Kind::Boolean) if !matches!(value.as_str(), "0" | "1" | "true" | "false") => {
                    "Expected boolean - got string."
                }
                _ if name == "_match"
                    && !["contains", "exact", "starts_with", "ends_with"].contains(&value.as_str()) =>
                {
                    "Not in enum list: contains, exact, starts_with, ends_with."
                }
                _ => continue,
            };
            return Err(invalid(&format!("/{name}"), wrong));
        }
        for (index, name) in embeds(era, request).iter().enumerate() {
            if !self.embeds.contains(&name.as_str()) {
                let list = self.embeds.join(", ");
                return Err(invalid(&format!("/x-koha-embed/{index}"), &format!("Not in enum list: {list}.")));
            }
        }
        Ok(())
    }

    /// From 24.05: 400 where nothing can be embedded at all, whoever asks.
    pub(crate) fn check_header(&self, era: Era, request: &Request) -> Result<(), Reply> {
        if self.embeds.is_empty() && !embeds(era, request).is_empty() {
            return Err(json_reply(400, &"Embedding objects is not allowed on this endpoint.".into()));
        }
        Ok(())
    }
}

/// What is to be embedded. 19.06 does not look at the header.
pub(crate) fn embeds(era: Era, request: &Request) -> Vec<String> {
    let header = if era == Era::Before2405 { "" } else { request.header("x-koha-embed").unwrap_or_default() };
    header.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Adds to the rows of one page what belongs to them and is no row by itself.
pub(crate) type Extras<'a, T> = &'a dyn Fn(&[&T], &str) -> Option<(String, Vec<Value>)>;

/// The list's answer.
pub(crate) fn list<T: Row>(
    shared: &Shared,
    view: &View<'_>,
    request: &Request,
    rules: &Rules,
    rows: &[T],
    extras: Extras<'_, T>,
) -> Reply {
    let era = view.library.era;
    let embedded = embeds(era, request);
    let (conditions, order) = match (conditions::<T>(era, request, &embedded), order::<T>(era, request, &embedded)) {
        (Ok(conditions), Ok(order)) => (conditions, order),
        (Err(reply), _) | (_, Err(reply)) => return reply,
    };
    let wanted: Vec<(&str, String)> = request
        .query
        .iter()
        .filter(|(name, _)| rules.fields.iter().any(|(field, _)| field == name))
        .map(|(name, value)| (name.as_str(), fold(value)))
        .collect();
    let matching = if rules.exact { "exact" } else { request.parameter("_match").unwrap_or("contains") };
    let fits = |row: &T| {
        wanted.iter().all(|(name, wanted)| fits(matching, &row.value(view, name), wanted))
            && conditions
                .iter()
                .all(|condition| condition.holds(view.library.zone, &|column| row.value(view, column)) == Some(true))
    };
    // A list that is asked for as it is, or from a number on, is not looked through: it may be very long.
    let mut found: Option<Vec<&T>> = None;
    let (mut rows, mut order, all) = (rows, order, rows.len());
    if let (true, Some(start)) = (wanted.is_empty(), after(rows, &conditions, &order)) {
        rows = &rows[start..];
        order.clear();
    } else if !wanted.is_empty() || !conditions.is_empty() {
        found = Some(rows.iter().filter(|row| fits(row)).collect());
    }
    if !order.is_empty() {
        sort(view, found.get_or_insert_with(|| rows.iter().collect()), &order);
    }
    let total = found.as_ref().map_or(rows.len(), Vec::len);
    let page = match Page::read(era, shared.config.rest_page_size, request, total) {
        Ok(page) => page,
        Err(reply) => return reply,
    };
    let shown: Vec<&T> = match &found {
        Some(found) => found[page.start..page.end].to_vec(),
        None => rows[page.start..page.end].iter().collect(),
    };
    let mut objects: Vec<Map<String, Value>> = shown.iter().map(|row| row.json(view)).collect();
    // The shorter names first, so that what lies in a row comes after it: `item`, then `item.biblio`.
    let mut embedded = embedded;
    embedded.sort();
    for name in &embedded {
        if let Some((key, values)) = extras(&shown, name) {
            for (object, value) in objects.iter_mut().zip(values) {
                object.insert(key.clone(), value);
            }
        } else {
            for (object, row) in objects.iter_mut().zip(&shown) {
                embed(view, object, *row, name);
            }
        }
    }
    let reply = json_reply(200, &objects.into_iter().map(Value::Object).collect());
    page.headers(shared, era, request, reply, all)
}

/// Where the rows begin whose number is larger than one, where nothing but that is asked for, by number, and they lie so.
fn after<T: Row>(rows: &[T], conditions: &[Condition], order: &[(String, bool)]) -> Option<usize> {
    let column = rows.first()?.number()?.0;
    let is_it = |name: &str| name.strip_prefix("me.").unwrap_or(name) == column;
    let [(by, false)] = order else { return None };
    let [condition] = conditions else { return None };
    let mut condition = condition;
    while let Condition::All(list) = condition {
        let [inner] = &list[..] else { return None };
        condition = inner;
    }
    let Condition::Test(name, Comparison::Greater, wanted) = condition else { return None };
    let number = |row: &T| row.number().map_or(0, |(_, number)| number);
    let wanted = wanted.as_u64().filter(|_| is_it(name) && is_it(by) && rows.is_sorted_by_key(number))?;
    Some(rows.partition_point(|row| number(row) <= wanted))
}

/// Puts what belongs to a row into its JSON: `patron`, or `item.biblio` with the item around it.
fn embed<T: Row>(view: &View<'_>, object: &mut Map<String, Value>, row: &T, name: &str) {
    let (relation, below) = name.split_once('.').unwrap_or((name, ""));
    let Some(related) = row.related(view, relation) else { return };
    let mut value = related.json(view);
    if let (Related::Item(Some(item)), Some(fields)) = (&related, value.as_object_mut())
        && let Some(inner) = item.related(view, below)
    {
        fields.insert(below.to_owned(), inner.json(view));
    }
    object.insert(relation.to_owned(), value);
}

/// Does a field fit what a query parameter asks for? That is folded already. Even numbers are searched for as text: from
/// 24.05 `patron_id=5` finds 15 too, unless `_match=exact` is asked for.
fn fits(matching: &str, value: &Value, wanted: &str) -> bool {
    if value.is_null() {
        return false;
    }
    let value = fold(&plain(value));
    let wanted = match wanted {
        "true" => "1",
        "false" => "0",
        other => other,
    };
    // What begins like a time of the database is never taken for a part.
    let is_time = wanted.len() >= 19 && wanted.as_bytes()[10] == b' ' && wanted.as_bytes()[4] == b'-';
    match matching {
        "exact" => value == wanted,
        _ if is_time => value == wanted,
        "starts_with" => value.starts_with(wanted),
        "ends_with" => value.ends_with(wanted),
        _ => value.contains(wanted),
    }
}

fn conditions<T: Row>(era: Era, request: &Request, embedded: &[String]) -> Result<Vec<Condition>, Reply> {
    let mut conditions = Vec::new();
    for (_, text) in request.query.iter().filter(|(name, text)| name == "q" && !text.is_empty()) {
        let condition = Condition::read(text).map_err(|refused| match refused {
            Refused::Died => went_wrong(era),
            // Koha prints the sentence to its log, by a slip, and puts what its `printf` gives in the answer.
            Refused::Operator => json_reply(400, &json!({ "error": 1, "error_code": "invalid_query" })),
            Refused::NotModelled => html(501, "fake-koha does not know this query."),
        })?;
        let mut columns = Vec::new();
        condition.columns(&mut columns);
        if !columns.iter().all(|column| T::has_column(era, column, embedded)) {
            return Err(went_wrong(era));
        }
        conditions.push(condition);
    }
    Ok(conditions)
}

/// The columns to sort by, and whether each is the other way round.
fn order<T: Row>(era: Era, request: &Request, embedded: &[String]) -> Result<Vec<(String, bool)>, Reply> {
    let parts = request.query.iter().filter(|(name, _)| name == "_order_by").flat_map(|(_, text)| text.split(','));
    let mut order = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let column = part.strip_prefix(['+', '-', ' ']).unwrap_or(part);
        if !T::has_column(era, column, embedded) {
            return Err(went_wrong(era));
        }
        order.push((column.to_owned(), part.starts_with('-')));
    }
    Ok(order)
}

/// A value to sort by, made once for each row.
enum Key {
    Null,
    Number(Value),
    Text(String),
}

fn sort<T: Row>(view: &View<'_>, rows: &mut [&T], order: &[(String, bool)]) {
    let key = |row: &&T| -> Vec<Key> {
        let of = |(column, _): &(String, bool)| match row.value(view, column) {
            Value::Null => Key::Null,
            Value::String(text) => Key::Text(fold(&text)),
            number => Key::Number(number),
        };
        order.iter().map(of).collect()
    };
    let compare_keys = |left: &Key, right: &Key| match (left, right) {
        (Key::Null, Key::Null) => Ordering::Equal,
        (Key::Number(left), Key::Number(right)) => compare(view.library.zone, left, right).unwrap_or(Ordering::Equal),
        (Key::Text(left), Key::Text(right)) => left.cmp(right),
        (Key::Null, _) | (Key::Number(_), Key::Text(_)) => Ordering::Less,
        (_, Key::Null) | (Key::Text(_), Key::Number(_)) => Ordering::Greater,
    };
    let mut keyed: Vec<(Vec<Key>, &T)> = rows.iter().map(|row| (key(row), *row)).collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let pairs = left.iter().zip(right).zip(order);
        let mut orders = pairs.map(|((left, right), (_, reverse))| {
            let order = compare_keys(left, right);
            if *reverse { order.reverse() } else { order }
        });
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    for (place, (_, row)) in rows.iter_mut().zip(keyed) {
        *place = row;
    }
}

/// One page of this number of rows.
struct Page {
    start: usize,
    end: usize,
    total: usize,
    /// The number of the page and how many rows a page has, for the headers; none if there are no headers.
    told: Option<(usize, Option<usize>)>,
}

impl Page {
    /// Before 24.05 all rows come, without headers, unless a page is asked for (observed); `_per_page` alone limits
    /// the rows but makes no page, and `_page` alone gives ten rows while the headers count in `default` (both derived
    /// from `DBIx::Class`). From 24.05 there is always a page.
    fn read(era: Era, default: usize, request: &Request, total: usize) -> Result<Self, Reply> {
        let integer = |name| request.parameter(name).and_then(|text| text.parse::<i64>().ok());
        let (page, per_page) = (integer("_page"), integer("_per_page"));
        let per_page = match per_page {
            Some(-1) if era == Era::From2405 => {
                return Ok(Self { start: 0, end: total, total, told: Some((1, None)) });
            }
            Some(number) => match usize::try_from(number) {
                Ok(size) if size > 0 => Some(size),
                _ => return Err(went_wrong(era)),
            },
            None => None,
        };
        let number = page.and_then(|page| usize::try_from(page).ok()).unwrap_or(1).max(1);
        let (size, told) = match era {
            Era::From2405 => (per_page.unwrap_or(default), Some(per_page.unwrap_or(default))),
            Era::Before2405 => match (page, per_page) {
                (None, size) => (size.unwrap_or(total), None),
                (Some(_), size) => (size.unwrap_or(PAGE_OF_THE_DATABASE), Some(size.unwrap_or(default))),
            },
        };
        let start = (number - 1).saturating_mul(size).min(total);
        let end = start.saturating_add(size).min(total);
        Ok(Self { start, end, total, told: told.map(|size| (number, Some(size))) })
    }

    /// Tells of the other pages. From 24.05 there is a header for each link, and one that counts all rows of the list.
    fn headers(&self, shared: &Shared, era: Era, request: &Request, mut reply: Reply, all: usize) -> Reply {
        let Some((number, size)) = self.told else { return reply };
        let last = size.map_or(1, |size| self.total.div_ceil(size));
        let mut parameters = request.query.clone();
        parameters.retain(|(name, _)| name != "_page" && name != "_per_page");
        let host = request.header("host").unwrap_or("127.0.0.1");
        let path = shared.path(&request.path);
        let link = |page: usize, rel: &str| {
            let mut parameters = parameters.clone();
            parameters.push(("_page".to_owned(), page.to_string()));
            parameters.push(("_per_page".to_owned(), size.map_or("-1".to_owned(), |size| size.to_string())));
            parameters.sort();
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
            format!("<http://{host}{path}?{query}>; rel=\"{rel}\"")
        };
        let mut links = Vec::new();
        if last > 1 && number > 1 {
            links.push(link(number - 1, "prev"));
        }
        if number < last {
            links.push(link(number + 1, "next"));
        }
        links.extend([link(1, "first"), link(last, "last")]);
        let mut add = |name: HeaderName, value: &str| {
            if let Ok(value) = value.parse() {
                reply.headers_mut().append(name, value);
            }
        };
        add(HeaderName::from_static("x-total-count"), &self.total.to_string());
        match era {
            Era::Before2405 => add(LINK, &links.join(",")),
            Era::From2405 => {
                for link in &links {
                    add(LINK.clone(), link);
                }
                add(HeaderName::from_static("x-base-total-count"), &all.to_string());
            }
        }
        reply
    }
}
