//! From a row to a patron or a loan. Programs differ in what they store: numbers may be texts, and texts numbers.

use super::{
    Offset, Report,
    sqlite::{Row, SqliteError, Table, Value},
};
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use koct_core::{
    desk::{amount::Cents, signs::harmless},
    directory::record::{Loan, Patron, end},
};

/// Where a patron's fields are.
#[derive(Debug)]
pub(super) struct PatronColumns {
    number: usize,
    cardnumber: usize,
    surname: usize,
    firstname: Option<usize>,
    total_fines: Option<usize>,
    userid: Option<usize>,
    other_names: [Option<usize>; 3],
    category: Option<usize>,
    library: Option<usize>,
    expires: Option<usize>,
    debarred: Option<usize>,
    debarred_comment: Option<usize>,
    lost: Option<usize>,
    gone_no_address: Option<usize>,
    note: Option<usize>,
}

/// Where a loan's fields are.
#[derive(Debug)]
pub(super) struct LoanColumns {
    number: usize,
    title: usize,
    due: Option<usize>,
    since: Option<usize>,
    call_number: Option<usize>,
    item: Option<usize>,
}

/// The places of these columns, or the names of those that are not there.
fn needed<const N: usize>(table: &Table, names: [&str; N]) -> Result<[usize; N], Vec<String>> {
    let places = names.map(|name| table.column(name));
    let missing = names.iter().zip(places).filter(|(_, place)| place.is_none());
    let missing: Vec<String> = missing.map(|(name, _)| (*name).to_owned()).collect();
    if missing.is_empty() { Ok(places.map(Option::unwrap_or_default)) } else { Err(missing) }
}

impl PatronColumns {
    /// # Errors
    /// The names of those that are needed and not there.
    pub(super) fn from_table(table: &Table) -> Result<Self, Vec<String>> {
        let [number, cardnumber, surname] = needed(table, ["borrowernumber", "cardnumber", "surname"])?;
        let column = |name| table.column(name);
        Ok(Self {
            number,
            cardnumber,
            surname,
            firstname: column("firstname"),
            total_fines: column("total_fines"),
            userid: column("userid"),
            other_names: ["othernames", "middle_name", "preferred_name"].map(column),
            category: column("categorycode"),
            library: column("branchcode"),
            expires: column("dateexpiry"),
            debarred: column("debarred"),
            debarred_comment: column("debarredcomment"),
            lost: column("lost"),
            gone_no_address: column("gonenoaddress"),
            note: column("borrowernotes"),
        })
    }

    /// The column of the number.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// # Errors
    /// When the file is damaged.
    pub(super) fn patron(&self, id: u32, row: &Row, table: &Table, report: &mut Report) -> Result<Patron, SqliteError> {
        let value = |column: Option<usize>| column.map(|column| row.value(table, column)).transpose();
        let text_of = |column| Ok(value(column)?.map(|value| text(&value)).unwrap_or_default());
        let words = |column| text_of(column).map(|text| harmless(&text).into_owned());
        let is_set = |column| Ok::<_, SqliteError>(value(column)?.and_then(|value| flag(&value)));
        let mut other_names = Vec::new();
        for column in self.other_names {
            let name = words(column)?;
            if !name.is_empty() {
                other_names.push(name);
            }
        }
        Ok(Patron {
            id,
            cardnumber: text_of(Some(self.cardnumber))?,
            userid: text_of(self.userid)?,
            surname: words(Some(self.surname))?,
            firstname: words(self.firstname)?,
            other_names: other_names.join(" "),
            category: text_of(self.category)?,
            library: text_of(self.library)?,
            expires: clear(value(self.expires)?, &mut report.unclear_dates, |value| day(&text(value))),
            restricted: is_set(self.debarred)?,
            restricted_until: value(self.debarred)?.and_then(|value| day(&text(&value))).and_then(end),
            restriction_comment: words(self.debarred_comment)?,
            card_lost: is_set(self.lost)?,
            wrong_address: is_set(self.gone_no_address)?,
            owes: match value(self.total_fines)? {
                // The sum of no debts at all.
                Some(Value::Null) => Some(0),
                value => clear(value, &mut report.unclear_amounts, cents),
            },
            staff_note: text_of(self.note)?,
        })
    }
}

impl LoanColumns {
    /// # Errors
    /// The names of those that are needed and not there.
    pub(super) fn from_table(table: &Table) -> Result<Self, Vec<String>> {
        let [number, title] = needed(table, ["borrowernumber", "title"])?;
        let column = |name| table.column(name);
        let (due, since, call_number) = (column("date_due"), column("issuedate"), column("itemcallnumber"));
        Ok(Self { number, title, due, since, call_number, item: column("itemnumber") })
    }

    /// The column of the patron's number.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// # Errors
    /// When the file is damaged.
    pub(super) fn loan(
        &self,
        id: u32,
        patron: u32,
        row: &Row,
        table: &Table,
        offset: Offset<'_>,
        report: &mut Report,
    ) -> Result<Loan, SqliteError> {
        let value = |column: Option<usize>| column.map(|column| row.value(table, column)).transpose();
        let text_of = |column| Ok::<_, SqliteError>(value(column)?.map(|value| text(&value)).unwrap_or_default());
        let mut time = |column, of_day| {
            let time = |value: &Value<'_>| moment(&text(value), of_day, offset);
            Ok::<_, SqliteError>(clear(value(column)?, &mut report.unclear_dates, time))
        };
        Ok(Loan {
            id,
            patron,
            item: value(self.item)?.and_then(|value| number(&value)),
            due: time(self.due, END_OF_DAY)?,
            since: time(self.since, NaiveTime::MIN)?,
            title: harmless(&text_of(Some(self.title))?).into_owned(),
            call_number: text_of(self.call_number)?,
        })
    }
}

/// What a value means, if it is there; counts it where it means nothing.
fn clear<T>(value: Option<Value<'_>>, unclear: &mut u32, meaning: impl Fn(&Value<'_>) -> Option<T>) -> Option<T> {
    let value = value.filter(|value| !is_nothing(value))?;
    let meaning = meaning(&value);
    if meaning.is_none() {
        *unclear += 1;
    }
    meaning
}

/// MySQL's day that is none is written where there is no day.
fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty() || text.starts_with("0000-00-00"),
        _ => false,
    }
}

/// A number of Koha's.
pub(super) fn number(value: &Value<'_>) -> Option<u32> {
    let number = match value {
        Value::Integer(number) => u32::try_from(*number).ok()?,
        Value::Real(number) => u32::try_from(whole(*number)?).ok()?,
        Value::Text(text) => text.trim().parse().ok()?,
        Value::Null | Value::Blob(_) => return None,
    };
    (number > 0).then_some(number)
}

fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.trim().to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => whole(*number).map(|number| number.to_string()).unwrap_or_default(),
        // Qt and Perl bind bytes where they do not know the encoding.
        Value::Blob(bytes) => std::str::from_utf8(bytes).unwrap_or_default().trim().to_owned(),
        Value::Null => String::new(),
    }
}

/// Whether it is set: with a flag, or with the day until which it is.
fn flag(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Null => Some(false),
        Value::Integer(number) => Some(*number != 0),
        Value::Real(number) => Some(*number != 0.0),
        Value::Text(text) if is_nothing(value) || text.trim() == "0" => Some(false),
        Value::Text(text) if text.trim() == "1" || day(text.trim()).is_some() => Some(true),
        Value::Text(_) | Value::Blob(_) => None,
    }
}

/// The whole number that this is, where it is one and floating point can tell.
fn whole(number: f64) -> Option<i64> {
    /// From here on not every whole number has a floating-point number of its own.
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
    (number.fract() == 0.0 && number.abs() < LIMIT).then_some(number as i64)
}

/// A sum of money, to the hundredth: Koha's sums have six decimals.
fn cents(value: &Value<'_>) -> Option<Cents> {
    let millionths = match value {
        Value::Integer(number) => number.checked_mul(1_000_000)?,
        // The nearest millionth is what was meant, as far as floating point can tell millionths at all.
        Value::Real(number) => whole((number * 1e6).round())?,
        Value::Text(text) => millionths(text.trim())?,
        Value::Null | Value::Blob(_) => return None,
    };
    let half = 5_000 * millionths.signum();
    Some(millionths.checked_add(half)? / 10_000)
}

/// `12`, `-0.5`, `12.500000`. Decimals beyond the sixth are left out.
fn millionths(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && decimals.is_empty()) || !are_digits(whole) || !are_digits(decimals) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let decimals = decimals.bytes().chain(std::iter::repeat(b'0')).take(6);
    let decimals = decimals.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some(sign * whole.checked_mul(1_000_000)?.checked_add(decimals)?)
}

/// Koha's last minute of a day.
const END_OF_DAY: NaiveTime = match NaiveTime::from_hms_opt(23, 59, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

fn day(text: &str) -> Option<NaiveDate> {
    let text = text.split(['T', ' ']).next()?;
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    NaiveDate::from_ymd_opt(digits(year)?.try_into().ok()?, digits(month)?, digits(day)?)
}

/// `2026-11-23 17:15:30`, with a T between or with no time; seconds, and what is below them, may be missing. A zone at the
/// end (`Z`, `+01:00`) counts, else the time is the desk's.
fn moment(text: &str, without_time: NaiveTime, offset: Offset<'_>) -> Option<DateTime<Utc>> {
    let day = day(text)?;
    let (local, told) = match text.split_once(['T', ' ']) {
        None => (day.and_time(without_time), None),
        Some((_, time)) => {
            let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
            let (time, zone) = time.split_at(end);
            let parts: Vec<&str> = time.trim().split(':').collect();
            let (hour, minute, second) = match parts[..] {
                [hour, minute] => (hour, minute, "00"),
                [hour, minute, second] => (hour, minute, second.split_once('.').map_or(second, |(whole, _)| whole)),
                _ => return None,
            };
            let time = NaiveTime::from_hms_opt(digits(hour)?, digits(minute)?, digits(second)?)?;
            (day.and_time(time), if zone.is_empty() { None } else { Some(told_offset(zone)?) })
        }
    };
    in_utc(local, told.unwrap_or_else(|| offset(local)))
}

fn in_utc(local: NaiveDateTime, offset: i16) -> Option<DateTime<Utc>> {
    local.checked_sub_signed(Duration::minutes(i64::from(offset))).map(|time| time.and_utc())
}

/// `Z`, `+01:00`, `+0100`, `-05`: minutes ahead of UTC.
fn told_offset(zone: &str) -> Option<i16> {
    let (sign, rest) = match zone.as_bytes().first()? {
        b'Z' if zone.len() == 1 => return Some(0),
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let minutes = if minutes.is_empty() { 0 } else { digits(minutes)? };
    i16::try_from(digits(hours)?.checked_mul(60)?.checked_add(minutes)?).ok().map(|minutes| sign * minutes)
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents_of(text: &str) -> Option<Cents> {
        cents(&Value::Text(text.into()))
    }

    #[test]
    fn amounts_to_the_cent() {
        for (value, expected) in [
            (Value::Integer(12), Some(1200)),
            (Value::Integer(-3), Some(-300)),
            (Value::Integer(i64::MAX), None),
            (Value::Real(12.3), Some(1230)),
            (Value::Real(0.1 + 0.2), Some(30)),
            (Value::Real(1.005), Some(101)),
            (Value::Real(-1.005), Some(-101)),
            (Value::Real(-0.004_999), Some(0)),
            (Value::Real(1e300), None),
            (Value::Real(f64::INFINITY), None),
            (Value::Text(" 12.500000".into()), Some(1250)),
            (Value::Blob(b"1"[..].into()), None),
            (Value::Null, None),
        ] {
            assert_eq!(cents(&value), expected, "{value:?}");
        }
        for (text, expected) in [
            ("-0.5", Some(-50)),
            ("+3", Some(300)),
            (".07", Some(7)),
            ("0.005", Some(1)),
            ("0.0049999", Some(0)),
            ("", None),
            (".", None),
            ("3,50", None),
            ("1e3", None),
            ("--1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(cents_of(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_the_desks_unless_they_say_otherwise() {
        let told =
            |text: &str| moment(text, END_OF_DAY, &|_| 60).map(|time| time.format("%Y-%m-%dT%H:%M:%S").to_string());
        for (text, expected) in [
            ("2026-11-23 17:15:30", "2026-11-23T16:15:30"),
            ("2026-11-23T17:15:30.123", "2026-11-23T16:15:30"),
            ("2026-11-23 17:15", "2026-11-23T16:15:00"),
            ("2026-11-23", "2026-11-23T22:59:00"),
            ("2026-11-23 00:30:00", "2026-11-22T23:30:00"),
            ("2026-11-23T17:15:30Z", "2026-11-23T17:15:30"),
            ("2026-11-23 17:15:30-03:30", "2026-11-23T20:45:30"),
            ("2026-11-23T17:15:30 +0200", "2026-11-23T15:15:30"),
            ("9999-12-31 23:59:00", "9999-12-31T22:59:00"),
        ] {
            assert_eq!(told(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-02-30 10:00:00", "26-11-23", "2026-11-23 ", "2026-11-23 24:00:00"]
        {
            assert_eq!(told(text), None, "{text}");
        }
        for text in ["2026-11-23 1:2:3:4", "2026-11-23 10:00:00 CET", "2026-11-23T10:00:00+", "2026-11-23T10:00Z1"] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_in_whatever_form() {
        for (value, expected) in [
            (Value::Integer(42), Some(42)),
            (Value::Text(" 42 ".into()), Some(42)),
            (Value::Real(42.0), Some(42)),
            (Value::Integer(0), None),
            (Value::Integer(-1), None),
            (Value::Integer(1 << 32), None),
            (Value::Real(42.5), None),
            (Value::Text("42a".into()), None),
            (Value::Null, None),
        ] {
            assert_eq!(number(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn flags_and_days_that_are_none() {
        for (value, expected) in [
            (Value::Null, Some(false)),
            (Value::Integer(1), Some(true)),
            (Value::Text("0".into()), Some(false)),
            (Value::Text("0000-00-00".into()), Some(false)),
            (Value::Text("9999-12-31".into()), Some(true)),
            (Value::Text("2026-12-31".into()), Some(true)),
            (Value::Text("soon".into()), None),
        ] {
            assert_eq!(flag(&value), expected, "{value:?}");
        }
        let mut unclear = 0;
        let mut days = |text: &str| {
            clear(Some(Value::Text(text.to_owned().into())), &mut unclear, |value| day(&self::text(value)))
        };
        assert_eq!(days("0000-00-00"), None);
        assert_eq!(days(""), None);
        assert_eq!(days("2027-01-31"), NaiveDate::from_ymd_opt(2027, 1, 31));
        assert_eq!(days("31.1.2027"), None);
        assert_eq!(unclear, 1);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9]{0,5}-[0-9]{0,3}-[0-9]{0,3}|-?[0-9]{0,18}[.,]?[0-9]{0,8}|\\PC{0,20}", time in "[0-9T:Z +.-]{0,30}", number in any::<f64>()) {
            for text in [&text, &time] {
                let _ = (moment(text, END_OF_DAY, &|_| i16::MAX), day(text), cents_of(text));
            }
            let value = Value::Real(number);
            let _ = (cents(&value), self::number(&value), super::text(&value), flag(&value));
        }

        #[test]
        fn floating_point_and_decimals_mean_the_same(millionths in -1_000_000_000_000_i64..1_000_000_000_000) {
            let sign = if millionths < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:06}", millionths.abs() / 1_000_000, millionths.abs() % 1_000_000);
            let real: f64 = text.parse().unwrap();
            prop_assert_eq!(cents(&Value::Real(real)), cents_of(&text));
        }
    }
}
