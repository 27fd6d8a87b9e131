//! The conditions of the parameter `q`, in the JSON that Koha hands to `SQL::Abstract`.
//!
//! Koha: Koha/REST/Plugin/Query.pm, Koha/REST/Plugin/Exceptions.pm, and "Filtering responses" in its API description.
//! Not modelled: `-ident`, `-bool`, `-not_bool` and `-regexp` (501, so that no test believes in them).

use std::{cmp::Ordering, collections::HashSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::clock::Zone;
use crate::collation::{fold, same};

/// The operators that Koha lets pass.
const OPERATORS: [&str; 20] = [
    "=",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "-in",
    "-ident",
    "-bool",
    "-not_bool",
    "-or",
    "like",
    "-like",
    "-not_like",
    "-between",
    "-not_between",
    "-not",
    "-and",
    "-regexp",
    "-not_in",
];

/// What rows must be like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// The column is one of these: folded texts, so that a long list costs a row no more than a short one.
    OneOf(String, HashSet<String>),
    /// The column, a comparison, and what it is compared with.
    Test(String, Comparison, Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// Why a `q` is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Koha's code dies: it is not JSON, or no query.
    Died,
    /// An operator that Koha does not let pass.
    Operator,
    /// Something that this server does not know.
    NotModelled,
}

impl Condition {
    /// Reads one `q`.
    pub(crate) fn read(text: &str) -> Result<Self, Refused> {
        let query: Value = serde_json::from_str(text).map_err(|_| Refused::Died)?;
        if !query.is_object() && !query.is_array() {
            return Err(Refused::Died);
        }
        validate(&query)?;
        top(&query)
    }

    /// The columns that it looks at.
    pub(crate) fn columns(&self, into: &mut Vec<String>) {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().for_each(|condition| condition.columns(into)),
            Self::Not(condition) => condition.columns(into),
            Self::Test(column, ..) | Self::OneOf(column, _) => into.push(column.clone()),
        }
    }

    /// Whether a row is like that; `None` where the database would say NULL.
    pub(crate) fn holds(&self, zone: Zone, value: &impl Fn(&str) -> Value) -> Option<bool> {
        match self {
            Self::All(list) => {
                let mut all = Some(true);
                for condition in list {
                    match condition.holds(zone, value) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            Self::Any(list) => {
                let mut any = Some(false);
                for condition in list {
                    match condition.holds(zone, value) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
            Self::Not(condition) => condition.holds(zone, value).map(|holds| !holds),
            Self::OneOf(column, wanted) => {
                let value = value(column);
                (!value.is_null()).then(|| wanted.contains(&fold(&plain(&value))))
            }
            Self::Test(column, comparison, wanted) => test(zone, &value(column), *comparison, wanted),
        }
    }
}

fn test(zone: Zone, value: &Value, comparison: Comparison, wanted: &Value) -> Option<bool> {
    if wanted.is_null() {
        return match comparison {
            Comparison::Equal => Some(value.is_null()),
            Comparison::NotEqual => Some(!value.is_null()),
            _ => None,
        };
    }
    if value.is_null() {
        return None;
    }
    if comparison == Comparison::Like {
        return Some(like(&fold(&plain(value)), &fold(&plain(wanted))));
    }
    let order = compare(zone, value, wanted)?;
    Some(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Like => return None,
    })
}

/// As the database compares: numbers as numbers, times as times, text without case and accents.
pub(crate) fn compare(zone: Zone, value: &Value, wanted: &Value) -> Option<Ordering> {
    match value {
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) => number(value)?.partial_cmp(&number(wanted)?),
        _ => {
            let (value, wanted) = (plain(value), plain(wanted));
            if let Ok(value) = DateTime::parse_from_rfc3339(&value) {
                return moment(zone, &wanted).map(|wanted| value.timestamp().cmp(&wanted));
            }
            if same(&value, &wanted) { Some(Ordering::Equal) } else { Some(fold(&value).cmp(&fold(&wanted))) }
        }
    }
}

/// A time with its zone, or one of the server's own, in seconds since 1970.
fn moment(zone: Zone, text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    Some(local.and_utc().timestamp() - i64::from(zone.offset_at(local)) * 60)
}

/// A value as the database takes it for a number.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text == "true" => Some(1.0),
        Value::String(text) => Some(text.trim().parse().unwrap_or(0.0)),
        _ => None,
    }
}

/// A value as text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(is) => u8::from(*is).to_string(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// SQL's LIKE with its wildcards `%` and `_`.
fn like(text: &str, pattern: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = &pattern[1..];
            rest.is_empty() || (0..=text.len()).any(|at| text.is_char_boundary(at) && like(&text[at..], rest))
        }
        Some(wanted) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|letter| wanted == '_' || wanted == letter)
                && like(letters.as_str(), &pattern[wanted.len_utf8()..])
        }
    }
}

/// Koha looks at the operators where an object stands for a column's value, whatever the column is called.
fn validate(query: &Value) -> Result<(), Refused> {
    match query {
        Value::Object(entries) => entries.values().try_for_each(|value| match value {
            Value::Object(operators) => {
                let known = operators.keys().all(|operator| OPERATORS.contains(&operator.as_str()));
                if known { Ok(()) } else { Err(Refused::Operator) }
            }
            Value::Array(_) => validate(value),
            _ => Ok(()),
        }),
        Value::Array(elements) => elements.iter().try_for_each(validate),
        _ => Ok(()),
    }
}

fn top(query: &Value) -> Result<Condition, Refused> {
    match query {
        Value::Object(entries) => {
            let parts = entries.iter().map(|(key, value)| match key.as_str() {
                "-and" => Ok(Condition::All(parts(value)?)),
                "-or" => Ok(Condition::Any(parts(value)?)),
                "-not" => Ok(Condition::Not(Box::new(top(value)?))),
                _ if key.starts_with('-') => Err(Refused::NotModelled),
                _ => column(key, value),
            });
            Ok(Condition::All(parts.collect::<Result<_, _>>()?))
        }
        Value::Array(elements) => list(elements, top),
        _ => Err(Refused::Died),
    }
}

/// What `-and` and `-or` join: the elements of a list, or the entries of an object.
fn parts(value: &Value) -> Result<Vec<Condition>, Refused> {
    match value {
        Value::Array(elements) => elements.iter().map(top).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| column(key, value)).collect(),
        _ => Err(Refused::Died),
    }
}

/// A list means "or", unless its first element says "and".
fn list(elements: &[Value], read: impl Fn(&Value) -> Result<Condition, Refused>) -> Result<Condition, Refused> {
    let (all, elements) = match elements.first().and_then(Value::as_str) {
        Some("-and") => (true, &elements[1..]),
        Some("-or") => (false, &elements[1..]),
        _ => (false, elements),
    };
    let parts = elements.iter().map(read).collect::<Result<_, _>>()?;
    Ok(if all { Condition::All(parts) } else { Condition::Any(parts) })
}

/// Whether it is a whole number, or a text that is neither a word of the query nor a time.
fn is_plain(element: &Value) -> bool {
    let is_text = |text: &str| !text.starts_with('-') && moment(Zone::default(), text).is_none();
    element.as_i64().is_some() || element.as_str().is_some_and(is_text)
}

fn column(name: &str, value: &Value) -> Result<Condition, Refused> {
    match value {
        Value::Array(elements) if elements.len() > 2 && elements.iter().all(is_plain) => {
            Ok(Condition::OneOf(name.to_owned(), elements.iter().map(|element| fold(&plain(element))).collect()))
        }
        Value::Array(elements) => list(elements, |element| column(name, element)),
        Value::Object(operators) => {
            let parts = operators.iter().map(|(operator, value)| operation(name, operator, value));
            Ok(Condition::All(parts.collect::<Result<_, _>>()?))
        }
        _ => Ok(Condition::Test(name.to_owned(), Comparison::Equal, value.clone())),
    }
}

fn operation(name: &str, operator: &str, value: &Value) -> Result<Condition, Refused> {
    let comparison = match operator {
        "=" => Comparison::Equal,
        "!=" | "-not" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "like" | "-like" | "-not_like" => Comparison::Like,
        "-and" | "-or" => {
            let Value::Array(elements) = value else { return Err(Refused::Died) };
            let parts = elements.iter().map(|element| column(name, element)).collect::<Result<_, _>>()?;
            return Ok(if operator == "-and" { Condition::All(parts) } else { Condition::Any(parts) });
        }
        "-in" | "-not_in" | "-between" | "-not_between" => {
            let Value::Array(elements) = value else { return Err(Refused::Died) };
            let test = |comparison, value: &Value| Condition::Test(name.to_owned(), comparison, value.clone());
            let condition = match (operator, &elements[..]) {
                ("-in" | "-not_in", elements) => {
                    Condition::Any(elements.iter().map(|element| test(Comparison::Equal, element)).collect())
                }
                (_, [from, to]) => {
                    Condition::All(vec![test(Comparison::GreaterOrEqual, from), test(Comparison::LessOrEqual, to)])
                }
                _ => return Err(Refused::Died),
            };
            return Ok(if operator.starts_with("-not") { Condition::Not(Box::new(condition)) } else { condition });
        }
        _ => return Err(Refused::NotModelled),
    };
    let one = |value: &Value| Condition::Test(name.to_owned(), comparison, value.clone());
    let condition = match value {
        Value::Array(elements) => Condition::Any(elements.iter().map(one).collect()),
        Value::Object(_) => return Err(Refused::NotModelled),
        _ => one(value),
    };
    Ok(if operator == "-not_like" { Condition::Not(Box::new(condition)) } else { condition })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ZONE: Zone = Zone { offset_minutes: 60, eu_summer_time: true };

    fn row(column: &str) -> Value {
        json!({
            "id": 7, "name": "Łódź-é", "none": null, "yes": true, "day": "2026-11-02",
            "at": "2026-11-02T09:00:00+01:00",
        })[column]
            .clone()
    }

    fn holds(query: &Value) -> bool {
        Condition::read(&query.to_string()).unwrap().holds(ZONE, &row) == Some(true)
    }

    #[test]
    fn what_fits() {
        for query in [
            json!({}),
            json!({"id": 7, "yes": true}),
            json!({"id": "7"}),
            json!({"none": null}),
            json!({"name": {"!=": null}}),
            json!({"name": "łódź-E"}),
            json!({"id": [1, 7]}),
            json!({"id": [1, 2, 7]}),
            json!({"name": ["x", "y", "łódź-E"]}),
            json!([{"id": 1}, {"id": 7}]),
            json!({"id": {">=": 7, "<": 8}}),
            json!({"id": ["-and", {">": 6}, {"<": 8}]}),
            json!({"-and": [{"id": 7}, {"day": {">": "2026-11-01"}}]}),
            json!({"-and": [{"id": 7}, [{"id": 1}, {"name": {"-like": "łód%"}}]]}),
            json!({"-or": [{"id": 1}, {"day": "2026-11-02"}]}),
            json!({"at": {">=": "2026-11-02T08:00:00Z"}}),
            json!({"at": {"<": "2026-11-02T08:00:01+00:00"}}),
            json!({"at": {">": "2026-11-02 08:59:59"}}),
            json!({"id": {"-in": [6, 7]}}),
            json!({"id": {"-not_in": [6]}}),
            json!({"id": {"-between": [7, 9]}}),
            json!({"name": {"-not_like": "x%"}}),
            json!({"name": {"like": "%-_"}}),
        ] {
            assert!(holds(&query), "{query}");
        }
    }

    #[test]
    fn what_does_not_fit() {
        for query in [
            json!({"id": 8}),
            json!({"none": {"!=": 1}}),
            json!({"-not": [{"none": 1}]}),
            json!({"id": 7, "yes": false}),
            json!({"id": ["-and", {">": 6}, {"<": 7}]}),
            json!({"at": {">": "2026-11-02T09:00:00+01:00"}}),
            json!({"at": {">=": "nonsense"}}),
            json!({"id": []}),
        ] {
            assert!(!holds(&query), "{query}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (text, refused) in [
            ("nonsense", Refused::Died),
            ("7", Refused::Died),
            (r#"{"id":{"drop":1}}"#, Refused::Operator),
            (r#"{"-and":{"id":1}}"#, Refused::Operator),
            (r#"{"id":{"-regexp":"x"}}"#, Refused::NotModelled),
        ] {
            assert_eq!(Condition::read(text), Err(refused), "{text}");
        }
    }
}
