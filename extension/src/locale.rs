//! How the language of the texts writes numbers, amounts and times.

use crate::webext;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use js_sys::{
    Array, Function,
    Intl::{DateTimeFormat, NumberFormat, PluralRules},
};
use koct_core::Amount;
use std::cell::LazyCell;
use wasm_bindgen::JsValue;

/// The message that names the language of a folder of `_locales`, as BCP 47.
const LANGUAGE_KEY: &str = "language";
/// Languages that are written from right to left, as far as Firefox comes in them.
const RIGHT_TO_LEFT: [&str; 4] = ["ar", "fa", "he", "ur"];
/// What a locale may put around the parts of a date to keep them in order. Times stand isolated here, where it would
/// do the opposite.
const DIRECTION_MARKS: [char; 3] = ['\u{200E}', '\u{200F}', '\u{061C}'];

thread_local! {
    // Making a formatter takes far longer than using it, and every row of the table needs some.
    static LOCALE: Locale = Locale::current();
}

/// A formatter, made when it is used first.
type Format = LazyCell<Function, Box<dyn FnOnce() -> Function>>;

struct Locale {
    language: String,
    /// The same, as the region writes it.
    regional: String,
    is_right_to_left: bool,
    plurals: PluralRules,
    number: Function,
    date: Format,
    time: Format,
    minutes: Format,
    day: Format,
    short_day: Format,
    weekday: Format,
    weekday_and_year: Format,
    decimal_separator: LazyCell<String, Box<dyn FnOnce() -> String>>,
}

impl Locale {
    fn current() -> Self {
        // Not Firefox's own language: where KOCT does not speak it, the texts are English, and so must be all that is in them.
        let named = webext::get_message(LANGUAGE_KEY, &Array::new());
        let language = if named.is_empty() { "en".to_owned() } else { named };
        let ui = webext::get_ui_language();
        // What is used in the region counts: de-AT for German texts.
        let regional = if primary(&ui) == primary(&language) { &ui } else { &language };
        // English is written with the day first and with the month first. ISO 8601, as Swedish has it, is clear to all.
        let of_times = if primary(regional) == "en" { "sv" } else { regional };
        let numbers = NumberFormat::new(&list(regional), &options([("numberingSystem", "latn")].into_iter())).format();
        let plurals = PluralRules::new(&list(&language), &js_sys::Object::new());
        let one_and_a_half = numbers.clone();
        Self {
            is_right_to_left: RIGHT_TO_LEFT.contains(&primary(&language)),
            plurals,
            number: numbers,
            date: format(of_times, &[("year", "numeric"), ("month", "2-digit"), ("day", "2-digit")]),
            time: format(
                of_times,
                &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit"), ("hourCycle", "h23")],
            ),
            minutes: format(of_times, &[("hour", "2-digit"), ("minute", "2-digit"), ("hourCycle", "h23")]),
            // In words, a day is clear as the region writes it.
            day: format(regional, &[("dateStyle", "long")]),
            short_day: format(regional, &[("day", "numeric"), ("month", "short")]),
            weekday: format(regional, &[("weekday", "long"), ("day", "numeric"), ("month", "long")]),
            weekday_and_year: format(regional, &[("dateStyle", "full")]),
            decimal_separator: LazyCell::new(Box::new(move || {
                call(&one_and_a_half, 1.5).trim_matches(['1', '5']).to_owned()
            })),
            regional: regional.clone(),
            language,
        }
    }
}

/// A formatter of dates and times. The digits are those of barcodes, and the time is shifted already.
fn format(language: &str, parts: &'static [(&str, &str)]) -> Format {
    let language = language.to_owned();
    LazyCell::new(Box::new(move || {
        let common = [("calendar", "gregory"), ("numberingSystem", "latn"), ("timeZone", "UTC")];
        DateTimeFormat::new(&list(&language), &options(parts.iter().copied().chain(common))).format()
    }))
}

fn primary(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or_default()
}

fn list(language: &str) -> Array {
    Array::of1(&language.into())
}

fn options<'a>(options: impl Iterator<Item = (&'a str, &'a str)>) -> js_sys::Object {
    webext::object(options.map(|(name, value)| (name, JsValue::from_str(value))))
}

fn call(format: &Function, number: f64) -> String {
    format.call1(&JsValue::UNDEFINED, &number.into()).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

fn whole(number: impl TryInto<u32>) -> u32 {
    // No log holds as many.
    number.try_into().unwrap_or(u32::MAX)
}

/// The language of the texts, as BCP 47.
pub(crate) fn language() -> String {
    LOCALE.with(|locale| locale.language.clone())
}

/// Whether the texts are written from right to left.
pub(crate) fn is_right_to_left() -> bool {
    LOCALE.with(|locale| locale.is_right_to_left)
}

/// A number as it is written.
pub(crate) fn number(number: impl TryInto<u32>) -> String {
    LOCALE.with(|locale| call(&locale.number, whole(number).into()))
}

/// A number of bytes, in gigabytes where they are as many: `126 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let (unit, size) = if bytes < 1_000_000_000 { ("megabyte", 1e6) } else { ("gigabyte", 1e9) };
    #[expect(clippy::cast_precision_loss, reason = "shown in three digits")]
    let number = bytes as f64 / size;
    let parts = [("numberingSystem", "latn"), ("style", "unit"), ("unit", unit), ("maximumSignificantDigits", "3")];
    let language = LOCALE.with(|locale| locale.regional.clone());
    call(&NumberFormat::new(&list(&language), &options(parts.into_iter())).format(), number)
}

/// CLDR's plural category of a number: `one`, `few`, `other` …
pub(crate) fn plural_category(number: impl TryInto<u32>) -> String {
    LOCALE.with(|locale| String::from(locale.plurals.select(whole(number).into())))
}

/// An amount, digit by digit as it is, with the language's decimal separator.
pub(crate) fn amount(amount: Amount) -> String {
    LOCALE.with(|locale| amount.to_string().replace('.', locale.decimal_separator.as_str()))
}

/// Date and time to the second, always equally long.
pub(crate) fn date_and_time(local: NaiveDateTime) -> String {
    LOCALE.with(|locale| joined(&locale.date, &locale.time, local))
}

/// Date and time to the minute.
pub(crate) fn date_and_minutes(local: NaiveDateTime) -> String {
    LOCALE.with(|locale| joined(&locale.date, &locale.minutes, local))
}

/// A day, in words.
pub(crate) fn day(day: NaiveDate) -> String {
    LOCALE.with(|locale| call(&locale.day, millis(day.and_time(NaiveTime::MIN))))
}

/// A day with that of the week, and with the year where that is not `year`.
pub(crate) fn weekday(day: NaiveDate, year: i32) -> String {
    LOCALE.with(|locale| {
        let format = if day.year() == year { &locale.weekday } else { &locale.weekday_and_year };
        call(format, millis(day.and_time(NaiveTime::MIN)))
    })
}

/// A day of this year or near it, in short.
pub(crate) fn short_day(day: NaiveDate) -> String {
    LOCALE.with(|locale| call(&locale.short_day, millis(day.and_time(NaiveTime::MIN))).replace(DIRECTION_MARKS, ""))
}

/// A time of day to the minute, by the clock of its desk.
pub(crate) fn minutes(local: NaiveDateTime) -> String {
    LOCALE.with(|locale| call(&locale.minutes, millis(local)).replace(DIRECTION_MARKS, ""))
}

/// A time of day to the second, by the clock of its desk.
pub(crate) fn seconds(local: NaiveDateTime) -> String {
    LOCALE.with(|locale| call(&locale.time, millis(local)).replace(DIRECTION_MARKS, ""))
}

fn joined(date: &Function, time: &Function, local: NaiveDateTime) -> String {
    let millis = millis(local);
    format!("{} {}", call(date, millis), call(time, millis)).replace(DIRECTION_MARKS, "")
}

#[expect(clippy::cast_precision_loss, reason = "a date's milliseconds are far below 2^53")]
fn millis(local: NaiveDateTime) -> f64 {
    local.and_utc().timestamp_millis() as f64
}
