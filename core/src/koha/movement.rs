//! Asks Koha which items have moved since transactions of them were recorded, before old ones are applied.
//!
//! Koha notes when it last saw an item: at each checkout, checkin and stocktaking (its own list of pending transactions warns
//! by the same date, bug 40492).

use super::{
    Failure, Request, Response,
    connection::{self, Connection},
    login,
    rest::{self, RestCredentials},
};
use crate::{
    desk::{barcode::same_code, clock::KohaTime, transaction::TransactionId},
    log::Entry,
    settings::form::Settings,
};
use chrono::{DateTime, FixedOffset};
use std::{
    collections::VecDeque,
    ops::ControlFlow::{self, Break, Continue},
};

/// What Koha knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Movements {
    /// Transactions whose item was seen in Koha later than they were recorded, and when, as the clock on its wall showed it.
    pub moved: Vec<(TransactionId, DateTime<FixedOffset>)>,
    /// Whether Koha told it of every transaction that was asked about.
    pub complete: bool,
}

#[derive(Debug, Clone)]
enum CheckStage {
    Connecting(Connection),
    Asking { credentials: RestCredentials, about: Entry },
    LoggingOut,
    Over,
}

/// The questions, one after the other.
#[derive(Debug, Clone)]
pub struct MovementCheck {
    settings: Settings,
    to_ask: VecDeque<Entry>,
    stage: CheckStage,
    movements: Movements,
}

impl MovementCheck {
    /// Begins to ask about these transactions.
    pub fn start(settings: Settings, about: impl IntoIterator<Item = Entry>) -> (Self, Request) {
        let (connection, request) = Connection::start(settings.clone());
        let to_ask = about.into_iter().filter(|entry| entry.transaction.action.barcode().is_some()).collect();
        let movements = Movements { complete: true, ..Movements::default() };
        (Self { settings, to_ask, stage: CheckStage::Connecting(connection), movements }, request)
    }

    /// Takes the answer to the request that was made last. What follows is the next one, or, when everything was asked that could
    /// be, what Koha knows.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> ControlFlow<Movements, Request> {
        match std::mem::replace(&mut self.stage, CheckStage::Over) {
            CheckStage::Connecting(mut connection) => match connection.handle(answer) {
                connection::ConnectionStep::Request(request) => {
                    self.stage = CheckStage::Connecting(connection);
                    Continue(request)
                }
                connection::ConnectionStep::Ready(connection::Ready { reading: Some(credentials), .. }) => {
                    self.ask(credentials)
                }
                connection::ConnectionStep::Ready(_) | connection::ConnectionStep::Failed(_) => self.end(None),
            },
            CheckStage::Asking { credentials, about } => {
                let items = answer.ok().and_then(|response| rest::read_items(&response));
                // An account that may not read, or a server that is gone: further questions are of no use.
                let Some(items) = items else { return self.end(Some(&credentials)) };
                let barcode = about.transaction.action.barcode();
                let is_it = |item: &&rest::Item| {
                    let id = item.external_id.as_deref().unwrap_or_default();
                    barcode.is_some_and(|barcode| same_code(id, barcode.as_str()))
                };
                let seen = items.iter().find(is_it).and_then(|item| item.last_seen_date);
                // Nothing tells how far the two clocks are apart.
                let at = |seen: &DateTime<_>| KohaTime::from_date(*seen).taken_for_desk_time().whole_second();
                let recorded = about.transaction.moment.time().whole_second();
                if let Some(seen) = seen.filter(|seen| at(seen) > recorded) {
                    self.movements.moved.push((about.id, seen));
                }
                self.ask(credentials)
            }
            CheckStage::LoggingOut => Break(std::mem::take(&mut self.movements)),
            CheckStage::Over => self.end(None),
        }
    }

    fn ask(&mut self, credentials: RestCredentials) -> ControlFlow<Movements, Request> {
        let Some((about, barcode)) = self.to_ask.pop_front().and_then(|entry| {
            let barcode = entry.transaction.action.barcode()?.to_string();
            Some((entry, barcode))
        }) else {
            return self.log_out(&credentials);
        };
        let request = rest::items(&self.settings, &credentials, &barcode);
        self.stage = CheckStage::Asking { credentials, about };
        Continue(request)
    }

    /// Not everything could be asked about.
    fn end(&mut self, credentials: Option<&RestCredentials>) -> ControlFlow<Movements, Request> {
        self.movements.complete = false;
        match credentials {
            Some(credentials) => self.log_out(credentials),
            None => Break(std::mem::take(&mut self.movements)),
        }
    }

    fn log_out(&mut self, credentials: &RestCredentials) -> ControlFlow<Movements, Request> {
        if let RestCredentials::Session(session) = credentials {
            self.stage = CheckStage::LoggingOut;
            return Continue(login::log_out(&self.settings, session));
        }
        Break(std::mem::take(&mut self.movements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Moment, Transaction},
        },
        settings::form::CommitType,
    };

    fn start(barcodes: &[&str]) -> MovementCheck {
        let settings = Settings::for_tests(CommitType::Apply);
        let entry = |(id, barcode): (u32, &&str)| {
            // 2026-11-23 10:00:00 UTC.
            let moment = Moment::new(1_795_428_000_000, 60).unwrap();
            let action = Action::Return { barcode: Barcode::parse(barcode).unwrap() };
            Entry::recorded(TransactionId(id), Transaction { moment, action })
        };
        MovementCheck::start(settings, (1..).zip(barcodes).map(entry)).0
    }

    fn answer(status: u16, body: &str) -> Response {
        Response { status, content_type: "text/plain".into(), body: body.into(), ..Response::default() }
    }

    fn ask(barcodes: &[&str], items: impl Fn(&str) -> Response) -> Movements {
        let mut check = start(barcodes);
        let mut next = check.handle(Ok(answer(200, "<response><status>failed</status></response>")));
        loop {
            match next {
                Break(movements) => return movements,
                Continue(request) if request.url.contains("/items?") => {
                    next = check.handle(Ok(items(&request.url)));
                }
                Continue(_) => next = check.handle(Ok(answer(200, ""))),
            }
        }
    }

    #[test]
    fn names_what_koha_saw_later() {
        let movements = ask(&["A", "B", "C"], |url| {
            let seen =
                if url.contains("external_id=A&") { "2026-11-23T11:00:01+01:00" } else { "2026-11-23T11:00:00+01:00" };
            let code = if url.contains("external_id=C&") {
                "other"
            } else if url.contains("=A&") {
                "a"
            } else {
                "B"
            };
            answer(200, &format!(r#"[{{"item_id":1,"external_id":"{code}","last_seen_date":"{seen}"}}]"#))
        });
        assert_eq!(movements.moved.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1]);
        assert!(movements.complete);
    }

    #[test]
    fn says_where_koha_does_not_tell() {
        assert_eq!(ask(&["A", "B"], |_| answer(404, "<html>")), Movements::default());
        let mut check = start(&["A"]);
        assert_eq!(check.handle(Err(Failure::TimedOut)), Break(Movements::default()));
        assert_eq!(check.handle(Err(Failure::TimedOut)), Break(Movements::default()), "asked once more");
        assert_eq!(ask(&[], |_| answer(404, "")), Movements { complete: true, ..Movements::default() });
    }
}
