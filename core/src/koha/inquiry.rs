//! Asks Koha whether a transaction that is in doubt was applied, and decides only on proof.
//!
//! ```text
//! the item by its barcode ──► its open loans ──► its returned loans ──► (if it matters) the patron ──► Finding
//! ```
//! Koha writes the time of an offline checkout or checkin as it was recorded, so a loan that begins, or ends, in that very
//! second is the transaction's own trace. What is not found proves nothing unless every list came whole and nothing else
//! happened to the item since. Payments leave no such trace (Koha books them with its own time), so they are a person's to decide.
//! What was to be queued is looked for in the queue.

use super::{
    Failure, Request, Response,
    rest::{self, Checkout, RestCredentials},
};
use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        clock::KohaTime,
        transaction::{Action, Transaction},
    },
    settings::form::Settings,
};

/// What Koha holds of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It was applied.
    Found(Trace),
    /// It was not applied, and may be sent again.
    Missing(Gap),
    /// It cannot be told.
    Unclear(Unclear),
}

/// The trace that proves that it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// A loan of this patron and item, begun in that second. Whoever lent it: it is what the transaction was to do.
    Loan,
    /// A loan of this item, returned in that second. Whoever checked it in: it is what the transaction was to do.
    Checkin,
    /// A row of Koha's queue.
    Queued,
    /// The memory of the plugin.
    Remembered,
}

/// What proves that it was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Koha has no item with this barcode, so it could only have refused.
    NoSuchItem,
    /// The item has no loan that began then.
    NoSuchLoan,
    /// The item has no loan that was returned then.
    NoSuchCheckin,
    /// It is not in Koha's queue, and everything is that came there since.
    NotQueued,
}

/// Why it cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// Koha does not let this account read what is needed, or this version has it not.
    NotReadable,
    /// Something else happened to the item since, or Koha may have taken the checkout for a renewal.
    Moved,
    /// The request left so short a time ago that a slow server might still process it.
    TooEarly,
    /// A later transaction of the item is in doubt too: this one must not be sent behind it.
    LaterInDoubt,
    /// It is not in Koha's queue: it never came there, or it was processed or deleted since.
    NotInQueue,
}

/// What follows an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InquiryStep {
    /// Make this request.
    Request(Request),
    /// That is what Koha holds.
    Finding(Finding),
}

#[derive(Debug, Clone)]
enum InquiryStage {
    Items,
    Open { item_id: u64 },
    Returned { item_id: u64, open: Vec<Checkout> },
    Patron { loans: Vec<Checkout> },
}

/// One question to Koha.
#[derive(Debug, Clone)]
pub struct Inquiry {
    settings: Settings,
    credentials: RestCredentials,
    transaction: Transaction,
    stage: InquiryStage,
}

impl Inquiry {
    /// Begins to ask about a transaction. `None` for what leaves no trace.
    pub fn start(
        settings: Settings,
        credentials: RestCredentials,
        transaction: Transaction,
    ) -> Option<(Self, Request)> {
        let request = match &transaction.action {
            Action::Issue { barcode, .. } | Action::Return { barcode } => {
                rest::items(&settings, &credentials, barcode.as_str())
            }
            Action::Payment { .. } => return None,
        };
        Some((Self { settings, credentials, transaction, stage: InquiryStage::Items }, request))
    }

    /// Takes the answer to the request that was made last.
    pub fn handle(&mut self, answer: Result<Response, Failure>) -> InquiryStep {
        let next = answer.ok().and_then(|response| match std::mem::replace(&mut self.stage, InquiryStage::Items) {
            InquiryStage::Items => self.items(&response),
            InquiryStage::Open { item_id } => {
                let open = rest::read_checkouts(&response)?;
                let request = rest::checkouts(&self.settings, &self.credentials, item_id, true);
                self.stage = InquiryStage::Returned { item_id, open };
                Some(InquiryStep::Request(request))
            }
            InquiryStage::Returned { item_id, open } => {
                let mut loans = rest::read_checkouts(&response)?;
                if loans.iter().any(|loan| loan.checkin_date.is_none()) {
                    // A server that gives the open ones instead: the absence of others proves nothing.
                    return None;
                }
                loans.extend(open);
                // Not every version of Koha filters as it is asked to.
                loans.retain(|loan| loan.item_id == Some(item_id));
                Some(self.loans(loans))
            }
            InquiryStage::Patron { loans } => {
                let Action::Issue { cardnumber, .. } = &self.transaction.action else { return None };
                let patron_id = the_patron(&response, cardnumber)?;
                Some(InquiryStep::Finding(self.judge_issue(&loans, patron_id)))
            }
        });
        next.unwrap_or(InquiryStep::Finding(Finding::Unclear(Unclear::NotReadable)))
    }

    fn items(&mut self, response: &Response) -> Option<InquiryStep> {
        let barcode = self.transaction.action.barcode()?.as_str();
        let items = rest::read_items(response)?;
        let same = items.iter().filter(|item| item.external_id.as_deref().is_some_and(|id| same_code(id, barcode)));
        match same.map(|item| item.item_id).collect::<Vec<_>>()[..] {
            [] if items.is_empty() => Some(InquiryStep::Finding(Finding::Missing(Gap::NoSuchItem))),
            [item_id] => {
                self.stage = InquiryStage::Open { item_id };
                Some(InquiryStep::Request(rest::checkouts(&self.settings, &self.credentials, item_id, false)))
            }
            _ => None,
        }
    }

    /// Every loan that the item ever had is known.
    fn loans(&mut self, loans: Vec<Checkout>) -> InquiryStep {
        match &self.transaction.action {
            Action::Return { .. } => InquiryStep::Finding(self.judge_return(&loans)),
            Action::Issue { cardnumber, .. } => {
                if loans.is_empty() {
                    return InquiryStep::Finding(Finding::Missing(Gap::NoSuchLoan));
                }
                let request = rest::patrons(&self.settings, &self.credentials, cardnumber.as_str());
                self.stage = InquiryStage::Patron { loans };
                InquiryStep::Request(request)
            }
            Action::Payment { .. } => InquiryStep::Finding(Finding::Unclear(Unclear::NotReadable)),
        }
    }

    fn judge_return(&self, loans: &[Checkout]) -> Finding {
        if loans.iter().any(|loan| loan.checkin_date.is_some_and(|date| self.is_then(date))) {
            // A checkout to somebody else ends the loan before it, in its own second. Where one began then, it may have been
            // that, and Koha said of ours that the item was not issued, or has not seen it.
            if loans.iter().any(|loan| self.is_then(loan.checkout_date)) {
                Finding::Unclear(Unclear::Moved)
            } else {
                Finding::Found(Trace::Checkin)
            }
        } else if loans.iter().any(|loan| loan.checkin_date.is_none() && !self.is_before(loan.checkout_date)) {
            // Sent again, it would close a loan that is newer than itself.
            Finding::Unclear(Unclear::Moved)
        } else {
            Finding::Missing(Gap::NoSuchCheckin)
        }
    }

    fn judge_issue(&self, loans: &[Checkout], patron_id: u64) -> Finding {
        let ours = |loan: &&Checkout| loan.patron_id == Some(patron_id);
        if loans.iter().filter(ours).any(|loan| self.is_then(loan.checkout_date)) {
            return Finding::Found(Trace::Loan);
        }
        // Where the patron had the item already, Koha renewed that loan and left no other trace; and since checkins of other
        // desks come late with early times, not even a loan that ended before tells that it had ended then. Another
        // patron's loan from before is harmless: ours would have ended it, and would be there.
        let harmless = |loan: &Checkout| {
            loan.patron_id.is_some_and(|id| id != patron_id)
                && self.is_before(loan.checkout_date)
                && loan.checkin_date.is_none_or(|date| self.is_before(date))
        };
        if loans.iter().all(harmless) { Finding::Missing(Gap::NoSuchLoan) } else { Finding::Unclear(Unclear::Moved) }
    }

    /// Whether it is the transaction's own second: Koha writes the desk's time down, and keeps no finer one.
    fn is_then(&self, time: KohaTime) -> bool {
        time.taken_for_desk_time().whole_second() == self.transaction.moment.time().whole_second()
    }

    fn is_before(&self, time: KohaTime) -> bool {
        time.taken_for_desk_time().whole_second() < self.transaction.moment.time().whole_second()
    }
}

/// The number of the one patron with this card. `None` where it is not exactly one: newer versions take a user name too.
fn the_patron(response: &Response, cardnumber: &Cardnumber) -> Option<u64> {
    let patrons = rest::read_patrons(response)?;
    let mut same = patrons
        .iter()
        .filter(|patron| patron.cardnumber.as_deref().is_some_and(|card| same_code(card, cardnumber.as_str())));
    let patron = same.next()?;
    same.next().is_none().then_some(patron.patron_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{barcode::Barcode, transaction::Moment},
        settings::form::CommitType,
    };

    fn transaction(is_issue: bool) -> Transaction {
        let barcode = Barcode::parse("B 1").unwrap();
        let cardnumber = Cardnumber::parse("P1").unwrap();
        let action = if is_issue { Action::Issue { cardnumber, barcode } } else { Action::Return { barcode } };
        // 2026-11-23 10:00:00 UTC.
        Transaction { moment: Moment::new(1_795_428_000_547, 60).unwrap(), action }
    }

    const THEN: &str = "2026-11-23T11:00:00+01:00";
    const BEFORE: &str = "2026-11-01T11:00:00+01:00";
    const LATER: &str = "2026-11-23T11:00:01+01:00";

    #[expect(clippy::unnecessary_wraps, reason = "it stands beside failures")]
    fn json(body: &str) -> Result<Response, Failure> {
        Ok(Response { status: 200, body: body.into(), ..Response::default() })
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands beside failures")]
    fn refused() -> Result<Response, Failure> {
        Ok(Response { status: 403, body: "{}".into(), ..Response::default() })
    }

    fn loan(patron: &str, from: &str, until: Option<&str>) -> String {
        let until = until.map_or("null".into(), |until| format!("\"{until}\""));
        format!(r#"{{"patron_id":{patron},"item_id":7,"checkout_date":"{from}","checkin_date":{until}}}"#)
    }

    /// Asks about a checkout or checkin of an item with these loans.
    fn ask(is_issue: bool, open: &[String], returned: &[String]) -> Finding {
        let settings = Settings::for_tests(CommitType::Apply);
        let (mut inquiry, request) =
            Inquiry::start(settings, RestCredentials::Basic, transaction(is_issue)).expect("it leaves a trace");
        assert!(request.url.contains("/api/v1/items?external_id=B+1&_match=exact"), "{}", request.url);
        let mut next = inquiry.handle(json(r#"[{"item_id":7,"external_id":"b 1","last_seen_date":"2026-11-23"}]"#));
        loop {
            match next {
                InquiryStep::Finding(finding) => return finding,
                InquiryStep::Request(request) => {
                    let returned_list = request.url.contains("checked_in=1");
                    let other =
                        loan("1", THEN, returned_list.then_some(THEN)).replace(r#""item_id":7"#, r#""item_id":8"#);
                    let list = |loans: &[String]| {
                        let all: Vec<_> = loans.iter().chain([&other]).cloned().collect();
                        json(&format!("[{}]", all.join(",")))
                    };
                    let answer = if request.url.contains("/patrons?cardnumber=P1") {
                        json(r#"[{"patron_id":1,"cardnumber":"P1","surname":"A"}]"#)
                    } else if returned_list {
                        list(returned)
                    } else {
                        assert!(request.url.contains("checkouts?q=%7B%22item_id%22%3A7%7D"), "{}", request.url);
                        list(open)
                    };
                    next = inquiry.handle(answer);
                }
            }
        }
    }

    #[test]
    fn a_loan_of_that_second_proves_the_checkout() {
        assert_eq!(ask(true, &[loan("1", THEN, None)], &[]), Finding::Found(Trace::Loan));
        assert_eq!(ask(true, &[loan("2", LATER, None)], &[loan("1", THEN, Some(LATER))]), Finding::Found(Trace::Loan));
    }

    #[test]
    fn no_trace_at_all_proves_that_it_was_not_applied() {
        assert_eq!(ask(true, &[], &[]), Finding::Missing(Gap::NoSuchLoan));
        assert_eq!(ask(true, &[], &[loan("2", BEFORE, Some(BEFORE))]), Finding::Missing(Gap::NoSuchLoan));
        assert_eq!(
            ask(true, &[loan("2", BEFORE, None)], &[]),
            Finding::Missing(Gap::NoSuchLoan),
            "ours would have ended it"
        );
        assert_eq!(ask(false, &[], &[]), Finding::Missing(Gap::NoSuchCheckin));
        assert_eq!(ask(false, &[loan("1", BEFORE, None)], &[]), Finding::Missing(Gap::NoSuchCheckin));
    }

    #[test]
    fn a_loan_returned_in_that_second_proves_the_checkin() {
        assert_eq!(ask(false, &[], &[loan("1", BEFORE, Some(THEN))]), Finding::Found(Trace::Checkin));
        assert_eq!(
            ask(false, &[loan("2", LATER, None)], &[loan("null", BEFORE, Some(THEN))]),
            Finding::Found(Trace::Checkin)
        );
    }

    #[test]
    fn a_loan_that_a_checkout_of_that_second_ended_proves_no_checkin() {
        let unclear = Finding::Unclear(Unclear::Moved);
        let ended = loan("1", BEFORE, Some(THEN));
        assert_eq!(ask(false, &[loan("2", THEN, None)], std::slice::from_ref(&ended)), unclear);
        assert_eq!(ask(false, &[], &[ended, loan("2", THEN, Some(LATER))]), unclear);
    }

    #[test]
    fn what_could_have_another_reason_is_left_to_a_person() {
        let unclear = Finding::Unclear(Unclear::Moved);
        assert_eq!(ask(true, &[loan("1", BEFORE, None)], &[]), unclear, "perhaps renewed");
        assert_eq!(ask(true, &[], &[loan("1", BEFORE, Some(BEFORE))]), unclear, "perhaps renewed, and returned since");
        assert_eq!(ask(true, &[loan("2", LATER, None)], &[]), unclear, "would be closed");
        assert_eq!(ask(true, &[], &[loan("2", BEFORE, Some(LATER))]), unclear);
        assert_eq!(ask(true, &[loan("null", THEN, None)], &[]), unclear, "nobody's loan");
        assert_eq!(ask(true, &[loan("2", THEN, None)], &[]), unclear, "another's loan");
        assert_eq!(ask(false, &[loan("2", LATER, None)], &[]), unclear);
    }

    #[test]
    fn an_unknown_barcode_cannot_have_been_applied() {
        let (mut inquiry, _) = start();
        assert_eq!(inquiry.handle(json("[]")), InquiryStep::Finding(Finding::Missing(Gap::NoSuchItem)));
    }

    fn start() -> (Inquiry, Request) {
        let settings = Settings::for_tests(CommitType::Apply);
        Inquiry::start(settings, RestCredentials::Basic, transaction(true)).unwrap()
    }

    #[test]
    fn what_cannot_be_read_proves_nothing() {
        let not_readable = InquiryStep::Finding(Finding::Unclear(Unclear::NotReadable));
        let item = || json(r#"[{"item_id":7,"external_id":"B 1"}]"#);
        let cut = || Ok(Response { total_count: Some(30), ..json("[]").unwrap() });
        for answers in [
            vec![refused()],
            vec![Err(Failure::Lost)],
            vec![json("<html>")],
            vec![cut()],
            vec![json(r#"[{"item_id":7,"external_id":"other"}]"#)],
            vec![json(r#"[{"item_id":7,"external_id":"B 1"},{"item_id":8,"external_id":"b 1"}]"#)],
            vec![item(), refused()],
            vec![item(), cut()],
            vec![item(), json("[]"), refused()],
            vec![item(), json("[]"), json(&format!("[{}]", loan("1", THEN, None)))],
            vec![item(), json("[]"), json(&format!("[{}]", loan("1", THEN, Some(LATER)))), refused()],
            vec![item(), json("[]"), json(&format!("[{}]", loan("1", THEN, Some(LATER)))), json("[]")],
        ] {
            let (mut inquiry, _) = start();
            let last = answers.into_iter().map(|answer| inquiry.handle(answer)).last().unwrap();
            assert_eq!(last, not_readable);
        }
    }

    #[test]
    fn a_payment_leaves_no_trace() {
        let (inquiry, _) = start();
        let action = Action::Payment {
            cardnumber: Cardnumber::parse("P1").unwrap(),
            amount: crate::desk::amount::Amount::parse("1.50").unwrap(),
        };
        let payment = Transaction { action, ..inquiry.transaction };
        assert!(Inquiry::start(inquiry.settings, inquiry.credentials, payment).is_none());
    }
}
