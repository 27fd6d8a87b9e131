//! A made-up Koha: what it answers to a commit in practice, in Koha's own words, so that trainees see Koha accept and refuse.
//!
//! It knows the made-up records, and remembers what it was sent. It lets everybody in, shows no records, has no plugin, and no queue
//! that could be looked at.

use super::made_up::MadeUp;
use crate::{
    desk::barcode::same_code,
    koha::{Request, Response},
    log::status::{NO_ITEM, NO_PATRON, NOT_ISSUED},
};
use serde_json::json;

/// The made-up Koha.
#[derive(Debug, Clone)]
pub struct Koha {
    cards: Vec<String>,
    /// The barcodes, and whether each is on loan.
    items: Vec<(String, bool)>,
    branch: String,
}

impl Koha {
    /// Koha with these records, at the library of this branch code.
    pub fn new(made_up: &MadeUp, branch: &str) -> Self {
        let is_lent = |id: u32| made_up.loans.iter().any(|loan| loan.item == Some(id));
        Self {
            cards: made_up.patrons.iter().map(|patron| patron.cardnumber.clone()).collect(),
            items: made_up.items.iter().map(|item| (item.barcode.clone(), is_lent(item.id))).collect(),
            branch: branch.to_owned(),
        }
    }

    /// What it answers. It always does.
    pub fn answer(&mut self, request: &Request) -> Response {
        let answer = |status, body: &str| Response { status, body: body.to_owned(), ..Response::default() };
        let path = request.url.split('?').next().unwrap_or_default();
        if path.ends_with("/svc/authentication") {
            // Nobody is logged in, and it makes no session for that: so did Koha before 24.05.
            answer(200, "<response><status>failed</status></response>")
        } else if path.ends_with("/offline_circ/service.pl") {
            answer(200, self.process(request))
        } else if path.ends_with("/api/v1/libraries") {
            answer(200, &json!([{"library_id": self.branch, "name": self.branch}]).to_string())
        } else {
            Response { status: 403, ..Response::default() }
        }
    }

    /// What service.pl says.
    fn process(&mut self, request: &Request) -> &'static str {
        let value = |name: &str| request.form.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        let (action, barcode) = (value("action"), value("barcode"));
        if action.is_empty() {
            // It was only asked whether it takes the account.
            return "";
        }
        if value("pending") == "true" {
            return "Added.";
        }
        if action != "return" && !self.cards.iter().any(|card| same_code(card, value("cardnumber"))) {
            return NO_PATRON;
        }
        if action == "payment" {
            return "Success.";
        }
        let item = self.items.iter_mut().find(|(known, _)| same_code(known, barcode));
        match item {
            None => NO_ITEM[0],
            Some((_, is_lent)) if action == "return" && !*is_lent => NOT_ISSUED,
            Some((_, is_lent)) => {
                *is_lent = action == "issue";
                "Success."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Action, Amount, Barcode, Cardnumber, CommitType, Entry, Moment, Status, Transaction, TransactionId,
        outbox::{Input, Outbox, Output, summary::Summary},
        practice::{
            made_up::Words,
            settings::{self, SERVER},
        },
        settings::{form::Form, table::Preferences},
    };
    use std::collections::BTreeMap;

    fn moment(second: u32) -> Moment {
        Moment::new(1_795_428_000_000 + i64::from(second) * 1000, 60).unwrap()
    }

    /// Commits these, and tells what became of each.
    fn commit(commit_type: CommitType, actions: Vec<Action>) -> (Vec<Status>, Summary) {
        let form = Form { commit_type, ..Form::default() };
        let preferences = settings::preferences(Preferences { form, ..Preferences::default() });
        let settings = settings::to_commit(&preferences).unwrap();
        let words = Words { surname: "S", title: "T", library: "L" };
        let mut koha = Koha::new(&MadeUp::new(words, &preferences, moment(0)), &settings.branchcode);
        let entry = |(id, action)| Entry::recorded(TransactionId(id), Transaction { moment: moment(id), action });
        let log: Vec<Entry> = (1..).zip(actions).map(entry).collect();
        let now = moment(3_600).time();
        let (mut outbox, mut statuses) = (Outbox::new(settings, log.into()), BTreeMap::new());
        loop {
            match outbox.poll().expect("there is always something to do") {
                Output::Persist(changed) => {
                    statuses.extend(changed);
                    outbox.handle(Input::Persisted, now);
                }
                Output::Request(ticket, request) => {
                    assert!(request.url.starts_with(SERVER));
                    outbox.handle(Input::Answer(ticket, Ok(koha.answer(&request))), now);
                }
                Output::Finished(summary) => return (statuses.into_values().collect(), summary),
                other => panic!("nothing else is needed: {other:?}"),
            }
        }
    }

    fn issue(card: &str, barcode: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse(card).unwrap(), barcode: Barcode::parse(barcode).unwrap() }
    }

    fn back(barcode: &str) -> Action {
        Action::Return { barcode: Barcode::parse(barcode).unwrap() }
    }

    fn day() -> Vec<Action> {
        let pay = |card: &str| Action::Payment {
            cardnumber: Cardnumber::parse(card).unwrap(),
            amount: Amount::parse("2.00").unwrap(),
        };
        vec![
            issue("9001", "1001"),
            issue("9999", "1002"),
            issue("9001", "1999"),
            back("1004"),
            back("1003"),
            back("1001"),
            pay("9004"),
        ]
    }

    #[test]
    fn what_is_applied_is_taken_or_refused_as_koha_does() {
        let (statuses, summary) = commit(CommitType::Apply, day());
        let rejected = |message: &str| Status::Rejected { message: message.into() };
        assert_eq!(
            statuses,
            [
                Status::Success,
                rejected(NO_PATRON),
                rejected(NO_ITEM[0]),
                Status::Success,
                rejected(NOT_ISSUED),
                Status::Success,
                Status::Success,
            ]
        );
        assert_eq!((summary.stop, summary.left, summary.in_doubt), (None, 0, 0));
    }

    #[test]
    fn what_is_queued_is_all_taken() {
        let (statuses, summary) = commit(CommitType::Send, day());
        assert_eq!(statuses, vec![Status::Added; 7]);
        assert_eq!((summary.stop, summary.added), (None, 7));
    }
}
