//! Every fault, for every kind of transaction, commit type and era: what it proves is what the log says.

use crate::{configured, koha};
use fake_koha::{Effect, Era, FakeKoha, Fault, FaultKind};
use koct_tests::desk::Desk;
use serde_json::json;

const PATRON: &str = "23529001223606";
const ITEM: &str = "39999000000001";

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
    fn state(self, commit_type: &str) -> &'static str {
        match (self, commit_type) {
            (Self::Committed, "send") => "added",
            (Self::Committed, _) => "success",
            (Self::Local, _) => "local",
            (Self::InDoubt, _) => "in-doubt",
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
    vec![
        // No answer: the two sides of the same thing, which nobody can tell apart at the desk.
        (FaultKind::ResetBefore, 1, in_doubt(0)),
        (FaultKind::ResetAfter, 1, in_doubt(1)),
        (FaultKind::CutHeaders, 1, in_doubt(1)),
        // So are these: a 500 may come before, after or in the middle of the work.
        (FaultKind::Status(500), 1, in_doubt(0)),
        (FaultKind::Status500After, 1, in_doubt(1)),
        // Somebody's page with 200: a proxy may have passed the request on.
        (FaultKind::HtmlLogin, 1, in_doubt(0)),
        // Refused by the web server, or sent elsewhere: service.pl never saw it.
        (FaultKind::Status(404), 1, local(1)),
        (FaultKind::Redirect("https://example.invalid/".into()), 1, local(1)),
        // The credentials themselves were refused, or only the session that they were given for.
        (FaultKind::Status(401), 1, by_era(local(1), committed(2))),
        (FaultKind::Status(401), 2, by_era(local(1), local(2))),
        // Nothing was done, and in no era does it count as a wrong password, so it is tried once more after a new
        // start. Before 24.05 the new start goes through service.pl too, and there the second fault meets it.
        (FaultKind::Status(403), 1, committed(2)),
        (FaultKind::Status(403), 2, by_era(local(1), local(2))),
        // There is no session before 24.05.
        (FaultKind::ExpireSession, 1, by_era(committed(1), committed(2))),
    ]
}

/// Whether Koha can be asked later whether it did this: there is no list of loans before 24.05, nor ever one of what is
/// queued or of payments that tells one from another.
fn koha_shows(era: Era, commit_type: &str, action: &str) -> bool {
    era == Era::From2405 && commit_type == "apply" && action != "payment"
}

/// Empties the log and puts one row into it behind the window's back, since nobody can record a payment yet. Shows it, and
/// gives its number.
const PUT: &str = "(async row => { const db = await new Promise((done, fail) => { const o = indexedDB.open('koct'); \
    o.onsuccess = () => done(o.result); o.onerror = fail; }); const seq = await new Promise((done, fail) => { \
    const t = db.transaction('transactions', 'readwrite'); const s = t.objectStore('transactions'); s.clear(); \
    const moment = {utc: Date.now(), offset: 60}; const adding = s.add({...row, moment}); t.oncomplete = () => done(adding.result); t.onerror = fail; }); db.close(); \
    const channel = new BroadcastChannel('koct-log'); channel.postMessage(null); channel.close(); return seq; })";

fn put(desk: &Desk, action: &str) {
    let mut row = json!({"action": action, "status": {"state": "local"}});
    if action != "return" {
        row["cardnumber"] = json!(PATRON);
    }
    if action == "payment" {
        row["amount"] = json!("1.50");
    } else {
        row["barcode"] = json!(ITEM);
        row["itemKey"] = json!(ITEM);
    }
    let seq = desk.page.eval(&format!("{PUT}({row})")).unwrap();
    desk.page.wait(&format!("document.querySelector('tr[data-seq=\"{seq}\"][data-status=local]')")).unwrap();
}

/// The library as the transaction needs it, with nothing done to it yet.
fn prepare(koha: &FakeKoha, action: &str) {
    koha.clear_faults();
    koha.clear_requests();
    koha.library(|library| {
        library.loans.clear();
        library.pending.clear();
        if action == "return" {
            library.lend_before(PATRON, ITEM, "2020-01-31 10:00:00");
        }
        library.effects.clear();
    });
}

/// How often this action was done or queued. Nothing else may have happened.
fn processed(koha: &FakeKoha, action: &str, commit_type: &str) -> usize {
    koha.library(|library| {
        for effect in &library.effects {
            let done = match effect {
                Effect::Issued { .. } | Effect::Renewed { .. } => ("issue", "apply"),
                Effect::Returned { .. } => ("return", "apply"),
                Effect::Paid { .. } => ("payment", "apply"),
                Effect::Queued(operation) => (operation.action.as_str(), "send"),
                other => panic!("not asked for: {other:?}"),
            };
            assert_eq!(done, (action, commit_type));
        }
        library.effects.len()
    })
}

fn state(desk: &Desk) -> String {
    let states = desk.states().unwrap();
    assert_eq!(states.len(), 1);
    states.into_iter().next().unwrap()
}

fn every_fault(era: Era, commit_type: &str) {
    let koha = koha(era);
    let desk = configured(&koha, commit_type);
    for (fault, times, outcome) in faults(era) {
        for action in ["issue", "return", "payment"] {
            let case = format!("{era:?} {commit_type} {action}: {fault:?}, {times} times");
            prepare(&koha, action);
            put(&desk, action);
            // Before 24.05 the credentials are checked at service.pl first.
            let skip = usize::from(era == Era::Before2405);
            koha.fault(Fault::on("service.pl", fault.clone()).skip(skip).times(times));
            let message = desk.commit().unwrap();
            let asked = crate::transactions(&koha).len();
            let seen = (state(&desk), asked, processed(&koha, action, commit_type));
            let expected = (outcome.end.state(commit_type).to_owned(), outcome.asked, outcome.processed);
            assert_eq!(seen, expected, "(state, asked, processed) {case}: {message}");

            // The fault is over and the button is pressed again: only what provably did not happen is sent. The absence of
            // what did not happen is no proof yet, since a slow server might still be at it.
            koha.clear_faults();
            let message = desk.commit().unwrap();
            let again = usize::from(outcome.end == End::Local);
            let seen = (state(&desk), crate::transactions(&koha).len() - asked, processed(&koha, action, commit_type));
            let end = match outcome.end {
                End::Committed | End::Local => End::Committed,
                End::InDoubt if outcome.processed == 1 && koha_shows(era, commit_type, action) => End::Committed,
                End::InDoubt => End::InDoubt,
            };
            let expected = (end.state(commit_type).to_owned(), again, outcome.processed + again);
            assert_eq!(seen, expected, "(state, asked, processed) {case}, pressed again: {message}");
        }
    }
}

#[test]
fn sent_before_24_05() {
    every_fault(Era::Before2405, "send");
}

#[test]
fn applied_before_24_05() {
    every_fault(Era::Before2405, "apply");
}

#[test]
fn sent_from_24_05() {
    every_fault(Era::From2405, "send");
}

#[test]
fn applied_from_24_05() {
    every_fault(Era::From2405, "apply");
}
