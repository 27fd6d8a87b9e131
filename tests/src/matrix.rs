//! Every fault, for every kind of transaction, commit type and era: what it proves is what the log says.
//!
//! All of it is tested here without a browser, with core's outbox over real connections; `tests/e2e/matrix.rs` shows that Firefox
//! sees each fault as [`client`](crate::client) does. A new fault is a line in [`faults`].

use fake_koha::{Effect, Era, FakeKoha, Fault, FaultKind, Front, Recorded, RetryAfter};
use koct_core::{CommitType, State};
use serde_json::{Value, json};

const PATRON: &str = "23529001223606";
const ITEM: &str = "39999000000001";

/// Whose the three checkouts are, of which the second meets a fault: an error may be about the patron.
pub const PATRONS: [&str; 3] = ["23529001223601", "23529001223602", "23529001223603"];

/// What can be sent.
const ACTIONS: [&str; 3] = ["issue", "return", "payment"];

/// What must come of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    end: End,
    /// How often Koha was asked.
    asked: usize,
    /// How often Koha did it.
    processed: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Koha's answer was seen.
    Committed,
    /// It provably did not happen: it goes with the next commit.
    Local,
    /// It may have happened: a person decides.
    InDoubt,
}

impl End {
    fn state(self, commit_type: CommitType) -> State {
        match (self, commit_type) {
            (Self::Committed, CommitType::Send) => State::Added,
            (Self::Committed, CommitType::Apply) => State::Success,
            (Self::Local, _) => State::Local,
            (Self::InDoubt, _) => State::InDoubt,
        }
    }
}

/// Each fault, how many requests to service.pl in a row meet it, and what must come of it in this era.
fn faults(era: Era) -> Vec<(FaultKind, usize, Outcome)> {
    let outcome = |end, asked, processed| Outcome { end, asked, processed };
    let committed = |asked| outcome(End::Committed, asked, 1);
    let local = |asked| outcome(End::Local, asked, 0);
    let in_doubt = |processed| outcome(End::InDoubt, 1, processed);
    let by_era = |before, from| if era == Era::Before2405 { before } else { from };
    let mut faults = vec![
        // No answer: the two sides of the same thing, which nobody can tell apart at the desk.
        (FaultKind::ResetBefore, 1, in_doubt(0)),
        (FaultKind::ResetAfter, 1, in_doubt(1)),
        (FaultKind::CutHeaders, 1, in_doubt(1)),
        // So are these: a 500 may come before, after or in the middle of the work.
        (FaultKind::Status(500), 1, in_doubt(0)),
        (FaultKind::Status500After, 1, in_doubt(1)),
        (FaultKind::Endless("Success. "), 1, in_doubt(1)),
        (FaultKind::Endless("<html><title>Welcome</title>"), 1, in_doubt(1)),
        // Somebody's page with 200: a proxy may have passed the request on.
        (FaultKind::HtmlLogin, 1, in_doubt(0)),
        // Koha's script was not there, or did not answer; Koha's own page for that is also Apache's.
        (FaultKind::Status(404), 1, in_doubt(0)),
        (FaultKind::Redirect("https://example.invalid/".into()), 1, in_doubt(0)),
        // Koha itself refused the credentials, or the token: nothing was done, so it is tried once more after a new start,
        // which goes through service.pl too. Before 24.05 Koha knows no token, and such a page is anybody's.
        (FaultKind::Status(401), 1, committed(2)),
        (FaultKind::Status(401), 2, local(1)),
        (FaultKind::Status(403), 1, by_era(in_doubt(0), committed(2))),
        (FaultKind::Status(403), 2, by_era(in_doubt(0), local(1))),
        // Nobody is logged in to the session, and its token is as good as before.
        (FaultKind::ExpireSession, 1, committed(1)),
    ];
    // Whoever stands in front of Koha may answer in its place, before or after it has done its work.
    for front in fronts() {
        faults.push((FaultKind::FrontBefore(front.clone()), 1, in_doubt(0)));
        faults.push((FaultKind::FrontAfter(front), 1, in_doubt(1)));
    }
    faults
}

/// Who answers in Koha's place.
fn fronts() -> Vec<Front> {
    let busy = |status, retry_after| Front::Busy { status, retry_after };
    vec![
        Front::Page(403),
        Front::Page(404),
        Front::Page(413),
        Front::Basic,
        Front::Text("Access denied by policy"),
        Front::Text("error code: 1015"),
        Front::LoginPage,
        Front::KohaDisabled,
        Front::ApacheMaintenance,
        busy(429, RetryAfter::Missing),
        busy(429, RetryAfter::Seconds(1)),
        busy(503, RetryAfter::Date(1)),
    ]
}

/// Each fault that the second of three checkouts meets, what then is the state of the three, and a part of what the desk says.
pub fn in_mid_run() -> Vec<(FaultKind, [State; 3], &'static str)> {
    use State::{InDoubt, Local, Success};
    let busy = Front::Busy { status: 429, retry_after: RetryAfter::Seconds(1) };
    vec![
        (FaultKind::ResetBefore, [Success, InDoubt, Local], "Koha went away"),
        (FaultKind::ResetAfter, [Success, InDoubt, Local], "Koha went away"),
        (FaultKind::CutHeaders, [Success, InDoubt, Local], "Koha went away"),
        (FaultKind::HtmlLogin, [Success, InDoubt, Local], "other than Koha"),
        (FaultKind::Status(500), [Success, InDoubt, Success], "In doubt: 1"),
        (FaultKind::Status500After, [Success, InDoubt, Success], "In doubt: 1"),
        (FaultKind::Endless("Success. "), [Success, InDoubt, Local], "longer than"),
        (FaultKind::Endless("<html><title>Welcome</title>"), [Success, InDoubt, Local], "Welcome"),
        (FaultKind::Status(404), [Success, InDoubt, Local], "other than Koha"),
        (FaultKind::Redirect("https://example.invalid/".into()), [Success, InDoubt, Local], "sends us to"),
        (FaultKind::FrontAfter(Front::Page(403)), [Success, InDoubt, Local], "403 Forbidden"),
        (FaultKind::FrontBefore(Front::Text("error code: 1015")), [Success, InDoubt, Local], "error code: 1015"),
        (FaultKind::FrontAfter(Front::Basic), [Success, InDoubt, Local], "a name and a password"),
        (FaultKind::FrontBefore(busy), [Success, InDoubt, Success], "In doubt: 1"),
    ]
}

/// Has the second transaction meet the fault once.
pub fn second_meets(koha: &FakeKoha, fault: FaultKind) {
    koha.fault(Fault::on("service.pl", fault).skip(BEFORE_TRANSACTIONS + 1).times(1));
}

/// Checks what Koha did of transactions with these states since there were `before` effects: each once, and at most that one which
/// is in doubt besides.
///
/// # Panics
/// Where something else was done.
pub fn check_applied(koha: &FakeKoha, before: usize, states: &[State], case: &str) {
    let applied = koha.library(|library| library.effects.len()) - before;
    let sure = states.iter().filter(|state| **state == State::Success).count();
    assert!((sure..=sure + 1).contains(&applied), "{case}: {applied} in Koha");
}

/// The number of requests to service.pl before the first transaction: the credentials are checked there.
pub const BEFORE_TRANSACTIONS: usize = 1;

/// A desk whose log holds one transaction.
pub trait Desk {
    /// Empties the log and puts this into it: a row as it is stored, without its number and its moment.
    fn put(&mut self, row: Value);
    /// Commits. Returns what is said about it.
    fn commit(&mut self) -> String;
    /// What the log says of the transaction.
    fn state(&self) -> State;
}

/// A fault, and the transaction that meets it.
#[derive(Debug, Clone)]
pub struct Cell {
    era: Era,
    /// How it is committed.
    pub commit_type: CommitType,
    action: &'static str,
    fault: FaultKind,
    times: usize,
    outcome: Outcome,
}

/// The whole matrix of an era.
pub fn cells(era: Era) -> Vec<Cell> {
    let kinds: Vec<_> =
        CommitType::ALL.into_iter().flat_map(|commit_type| ACTIONS.map(|action| (commit_type, action))).collect();
    let cells = faults(era).into_iter().flat_map(|(fault, times, outcome)| {
        let cell =
            move |&(commit_type, action)| Cell { era, commit_type, action, fault: fault.clone(), times, outcome };
        kinds.iter().map(cell).collect::<Vec<_>>()
    });
    cells.collect()
}

/// Each fault of an era once, with every kind of transaction in turn: first what is sent, then what is applied.
pub fn each_fault_once(era: Era) -> Vec<Cell> {
    let kinds = CommitType::ALL.len() * ACTIONS.len();
    let mut chosen: Vec<Cell> =
        cells(era).chunks(kinds).enumerate().map(|(number, cells)| cells[number % kinds].clone()).collect();
    chosen.sort_by_key(|cell| cell.commit_type == CommitType::Apply);
    chosen
}

impl Cell {
    /// Has the transaction meet the fault, and commits it once more when the fault is over.
    ///
    /// # Panics
    /// When the log or Koha holds anything else than what must come of it.
    pub fn check(&self, koha: &FakeKoha, desk: &mut impl Desk) {
        let Self { era, commit_type, action, fault, times, outcome } = self;
        let case = format!("{era:?} {} {action}: {fault:?}, {times} times", commit_type.name());
        self.prepare(koha);
        desk.put(self.row());
        koha.fault(Fault::on("service.pl", fault.clone()).skip(BEFORE_TRANSACTIONS).times(*times));
        let message = desk.commit();
        let asked = transactions(koha).len();
        let seen = (desk.state(), asked, self.processed(koha));
        let expected = (outcome.end.state(*commit_type), outcome.asked, outcome.processed);
        assert_eq!(seen, expected, "(state, asked, processed) {case}: {message}");

        // The fault is over and the button is pressed again: only what provably did not happen is sent. The absence of
        // what did not happen is no proof yet, since a slow server might still be at it.
        koha.clear_faults();
        let message = desk.commit();
        let again = usize::from(outcome.end == End::Local);
        let seen = (desk.state(), transactions(koha).len() - asked, self.processed(koha));
        let end = match outcome.end {
            End::Committed | End::Local => End::Committed,
            End::InDoubt if outcome.processed == 1 && self.can_be_found() => End::Committed,
            End::InDoubt => End::InDoubt,
        };
        let expected = (end.state(*commit_type), again, outcome.processed + again);
        assert_eq!(seen, expected, "(state, asked, processed) {case}, pressed again: {message}");
    }

    /// A part of what the desk says where this fault ends a run, or leaves something in doubt.
    pub fn says(&self) -> Option<&'static str> {
        in_mid_run().into_iter().find(|(fault, ..)| *fault == self.fault).map(|(.., says)| says)
    }

    /// Whether Koha can be asked later whether it did this: there is no list of loans before 24.05, nor ever one of payments that
    /// tells one from another; and of a lone row of its queue nobody knows in which zone it shows the time.
    fn can_be_found(&self) -> bool {
        self.commit_type == CommitType::Apply && self.era == Era::From2405 && self.action != "payment"
    }

    fn row(&self) -> Value {
        let mut row = json!({"action": self.action, "status": {"state": "local"}});
        if self.action != "return" {
            row["cardnumber"] = json!(PATRON);
        }
        if self.action == "payment" {
            row["amount"] = json!("1.50");
        } else {
            row["barcode"] = json!(ITEM);
            row["itemKey"] = json!(ITEM);
        }
        row
    }

    /// The library as the transaction needs it, with nothing done to it yet.
    fn prepare(&self, koha: &FakeKoha) {
        koha.clear_faults();
        koha.clear_requests();
        koha.library(|library| {
            library.loans.clear();
            library.old_loans.clear();
            library.pending.clear();
            if self.action == "return" {
                library.lend_before(PATRON, ITEM, "2020-01-31 10:00:00");
            }
            library.effects.clear();
        });
    }

    /// How often this action was done or queued. Nothing else may have happened.
    fn processed(&self, koha: &FakeKoha) -> usize {
        koha.library(|library| {
            for effect in &library.effects {
                let done = match effect {
                    Effect::Issued { .. } | Effect::Renewed { .. } => Some(("issue", CommitType::Apply)),
                    Effect::Returned { .. } => Some(("return", CommitType::Apply)),
                    Effect::Paid { .. } => Some(("payment", CommitType::Apply)),
                    Effect::Queued(operation) => Some((operation.action.as_str(), CommitType::Send)),
                    _ => None,
                };
                assert_eq!(done, Some((self.action, self.commit_type)), "{effect:?}");
            }
            library.effects.len()
        })
    }
}

/// The transactions that reached service.pl: those requests that name an action.
pub fn transactions(koha: &FakeKoha) -> Vec<Recorded> {
    koha.requests()
        .into_iter()
        .filter(|request| request.path.ends_with("/service.pl") && request.parameter("action").is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::{Native, entry};
    use fake_koha::Config;

    #[test]
    fn what_comes_after_a_fault_is_sent_only_where_that_is_safe() {
        for era in [Era::Before2405, Era::From2405] {
            for (fault, states, _) in in_mid_run() {
                let case = format!("{era:?} {fault:?}");
                let koha = FakeKoha::start(Config { era, ..Config::default() }).unwrap();
                let mut desk = Native::new(&koha, CommitType::Apply);
                let row = |seq: u32| {
                    let (item, card) = (format!("3999900000000{seq}"), PATRONS[seq as usize - 1]);
                    json!({"action": "issue", "cardnumber": card, "barcode": item, "itemKey": item, "status": {"state": "local"}})
                };
                desk.log = (1..=3).map(|seq| entry(seq, row(seq))).collect();
                second_meets(&koha, fault);
                let message = desk.commit();
                let seen: Vec<State> = desk.log.iter().map(|entry| entry.status.state()).collect();
                assert_eq!(seen, states, "{case}: {message}");
                check_applied(&koha, 0, &states, &case);
                let mut items: Vec<_> = transactions(&koha).into_iter().map(|request| request.form).collect();
                let sent = items.len();
                items.dedup();
                assert_eq!(items.len(), sent, "{case}: a transaction reached Koha twice");
            }
        }
    }

    fn every_cell(era: Era) {
        let koha = FakeKoha::start(Config { era, ..Config::default() }).unwrap();
        let cells = cells(era);
        assert_eq!(cells.len(), faults(era).len() * ACTIONS.len() * CommitType::ALL.len());
        for cell in cells {
            cell.check(&koha, &mut Native::new(&koha, cell.commit_type));
        }
    }

    #[test]
    fn every_fault_before_24_05() {
        every_cell(Era::Before2405);
    }

    #[test]
    fn every_fault_from_24_05() {
        every_cell(Era::From2405);
    }

    /// Nobody who sends a request is told that it was sent again; reading back what Koha made of it shows it.
    #[test]
    fn whatever_is_sent_again_is_told() {
        for era in [Era::Before2405, Era::From2405] {
            let koha = FakeKoha::start(Config { era, ..Config::default() }).unwrap();
            for commit_type in CommitType::ALL {
                for action in ACTIONS {
                    let case = format!("{era:?} {} {action}", commit_type.name());
                    let outcome = Outcome { end: End::Committed, asked: 1, processed: 2 };
                    let cell = Cell { era, commit_type, action, fault: FaultKind::SentAgain, times: 1, outcome };
                    cell.prepare(&koha);
                    let mut desk = Native::new(&koha, commit_type);
                    desk.put(cell.row());
                    koha.fault(Fault::on("service.pl", FaultKind::SentAgain).skip(BEFORE_TRANSACTIONS).times(1));
                    let summary = desk.commit();
                    let (told, state, processed) = match (commit_type, action) {
                        (CommitType::Send, _) => ("oddity: Queued { times: 2 }", State::Added, 2),
                        (CommitType::Apply, "issue") => ("oddity: Renewed { due: Some(", State::Success, 2),
                        (CommitType::Apply, "payment") => ("oddity: Paid { cents: 150 }", State::Success, 2),
                        // The second is refused. Before 20.05 nothing tells that the item came back.
                        _ if era == Era::Before2405 => ("rejected: 1", State::Rejected, 1),
                        _ => ("rejected: 0", State::Success, 1),
                    };
                    assert!(summary.contains(told), "{case}: {summary}");
                    assert_eq!((desk.state(), cell.processed(&koha)), (state, processed), "{case}: {summary}");
                }
            }
        }
    }

    #[test]
    fn firefox_meets_each_fault_with_every_kind_of_transaction_in_turn() {
        let chosen = each_fault_once(Era::From2405);
        assert_eq!(chosen.len(), faults(Era::From2405).len());
        for commit_type in CommitType::ALL {
            for action in ACTIONS {
                assert!(chosen.iter().any(|cell| (cell.commit_type, cell.action) == (commit_type, action)));
            }
        }
    }
}
