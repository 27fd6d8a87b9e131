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
//! use koct_core::koha::{Response, records::{RestCredentials, Point, Reading, Source, ReadStep}};
//! # use koct_core::settings::form::{ServerUrl, Settings};
//! # let server = ServerUrl::parse("https://koha.example.org").unwrap();
//! # let settings = Settings::at(server, "desk", "letmein", "CPL");
//! let mut reading = Reading::<Hold>::new(Point::start(None));
//! let request = reading.request(&settings, &RestCredentials::Basic);
//! assert!(request.url.starts_with("https://koha.example.org/api/v1/holds?q="));
//! // Whoever has a network makes the request.
//! let body = r#"[{"hold_id": 7, "patron_id": 2, "biblio_id": 3, "status": "W"}]"#;
//! let answer = Response { status: 200, total_count: Some(2), body: body.into(), ..Response::default() };
//! let ReadStep::Rows { rows, left: Some(1) } = reading.handle(Ok(answer)) else { panic!() };
//! assert_eq!(rows[0].id, 7);
//! // Kept with the rows: tomorrow, `Reading::new` goes on behind them.
//! let point = serde_json::to_string(reading.point()).unwrap();
//! # assert_eq!(&serde_json::from_str::<Point>(&point).unwrap(), reading.point());
//! ```

mod access;
mod loose;
mod owing;
mod paging;
mod point;
mod reading;
mod report;
mod row;
mod source;

pub use super::rest::RestCredentials;
pub use access::{TokenError, libraries, read_token};
pub use owing::Owing;
pub use point::{Point, goes_on};
pub use reading::Reading;
pub use report::{RESTRICTIONS_SQL, Report};
pub use row::Listed;
pub use source::{ReadError, ReadStep, Source};

#[cfg(test)]
pub(in crate::koha) mod tests;
