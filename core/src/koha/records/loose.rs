//! Values as Koha's versions write them: a number may be a text, a flag a number, anything may be missing. What cannot be
//! understood is as if it were not there, and never spoils the rows around it.

use crate::desk::signs::harmless;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// A value of whatever kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Loose {
    #[default]
    Nothing,
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
        Ok(i64::try_from(value).map_or(Loose::Nothing, Loose::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
        Ok(Loose::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
        Ok(Loose::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Nothing)
    }
}

impl Loose {
    /// As words to be shown among others: see [`harmless`].
    pub(super) fn words(self) -> String {
        harmless(&self.text()).trim().to_owned()
    }

    /// As a text; empty where there is none.
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(_) | Self::Nothing => String::new(),
        }
    }

    fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// As one of Koha's numbers for its records.
    pub(super) fn id(&self) -> Option<u32> {
        self.whole().and_then(|number| u32::try_from(number).ok()).filter(|id| *id > 0)
    }

    /// As yes or no.
    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => self.whole().map(|number| number != 0),
        }
    }

    /// As a sum of money, in hundredths.
    pub(super) fn cents(&self) -> Option<i64> {
        let number = match self {
            #[expect(clippy::cast_precision_loss, reason = "nobody owes more than 2^53")]
            Self::Whole(number) => *number as f64,
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        let cents = (number * 100.0).round();
        #[expect(clippy::cast_possible_truncation, reason = "within the bounds")]
        (cents.abs() < 9e15).then_some(cents as i64)
    }

    /// As a day, from a date or the beginning of a time.
    pub(super) fn day(&self) -> Option<NaiveDate> {
        let Self::Text(text) = self else { return None };
        text.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())
    }

    /// As a time with its offset from UTC.
    pub(super) fn time(&self) -> Option<DateTime<Utc>> {
        let Self::Text(text) = self else { return None };
        DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_str, json};

    fn loose(json: &str) -> Loose {
        from_str(json).unwrap()
    }

    #[test]
    fn reads_what_versions_write() {
        assert_eq!((loose("5").id(), loose("\"5\"").id()), (Some(5), Some(5)));
        for none in ["0", "-1", "5.5", "\"x\"", "null", "[1]", "{\"a\":{}}", "4294967296", "true"] {
            assert_eq!(loose(none).id(), None, "{none}");
        }
        assert_eq!(loose("\" An\u{202e}na\u{200b}é \"").words(), "Annaé");
        assert_eq!(loose("\"A\u{200b}1\"").text(), "A\u{200b}1", "a code is what it is");
        assert_eq!(
            (loose("7").text(), loose("\" a \"").text(), loose("null").text()),
            ("7".into(), "a".into(), String::new())
        );
        for yes in ["true", "1", "\"1\""] {
            assert_eq!(loose(yes).flag(), Some(true), "{yes}");
        }
        assert_eq!((loose("0").flag(), loose("null").flag(), loose("\"x\"").flag()), (Some(false), None, None));
        assert_eq!(
            (loose("3.5").cents(), loose("\"-0.10\"").cents(), loose("12").cents()),
            (Some(350), Some(-10), Some(1200))
        );
        assert_eq!((loose("1e300").cents(), loose("null").cents()), (None, None));
        assert_eq!(loose("\"2026-11-25\"").day(), NaiveDate::from_ymd_opt(2026, 11, 25));
        assert_eq!((loose("\"25.11.2026\"").day(), loose("\"é\"").day()), (None, None));
        assert_eq!(loose("\"2026-11-25T23:59:00+01:00\"").time().unwrap().timestamp(), 1_795_647_540);
        assert_eq!(loose("\"2026-11-25 23:59:00\"").time(), None);
    }

    #[test]
    fn is_not_spoiled_by_what_is_around() {
        let list: Vec<Loose> = serde_json::from_value(json!([1, {"a": [1, {"b": null}]}, [[]], "x"])).unwrap();
        assert_eq!(list, [Loose::Whole(1), Loose::Nothing, Loose::Nothing, Loose::Text("x".into())]);
    }
}
