//! The list of what is left to do after a scripted outage of sixty transactions: it has exactly the lines that it must have, after
//! "Apply", and where the queue was processed and Koha is asked then.

use crate::{
    client,
    native::{Native, entry},
};
use fake_koha::{Amount, Config, Era, FakeKoha, Fault, FaultKind, Found, Hold, Library};
use koct_core::{
    CommitType, Entry, State,
    directory::aside,
    koha::{afterwards::Afterwards, audit::Terms},
    log::{
        commit::Batch,
        order::Ordered,
        todo::{Group, KohaPage, Row, Todo, Told, What},
        warned::Warning,
    },
};
use serde_json::{Value, json};
use std::ops::ControlFlow::{Break, Continue};

fn card(number: u32) -> String {
    format!("235290012236{number:02}")
}

fn item(number: u32) -> String {
    format!("399990000000{number:02}")
}

/// The outage, row by row.
fn script() -> Vec<Value> {
    let back = |number| json!({"action": "return", "barcode": item(number)});
    let lent = |to, number| json!({"action": "issue", "cardnumber": card(to), "barcode": item(number)});
    let paid = |by, amount: &str| json!({"action": "payment", "cardnumber": card(by), "amount": amount});
    let mut rows = Vec::new();
    // 1 to 10: what was on loan comes back, on the day or before. 10 is waited for, 7 and 8 belong elsewhere.
    rows.extend((1..=10).map(back));
    // 11 to 16: late. 16 belongs elsewhere, and goes to somebody before it gets there.
    rows.extend((14..=19).map(back));
    rows.push(lent(20, 19));
    // 18 to 21: from one patron to another.
    rows.extend((20..=23).map(|number| lent(13, number)));
    // 22: it was with the patron already.
    rows.push(lent(14, 24));
    // 23 to 26: expired; restricted; card lost; 29 and 30: who owe.
    rows.extend((25..=28).map(|number| lent(3, number)));
    rows.extend([lent(4, 29), lent(5, 30), lent(6, 31), lent(8, 32)]);
    // 31: not for loan; 32: on the hold shelf for another; 33: for the patron.
    rows.extend([lent(15, 13), lent(16, 33), lent(17, 11)]);
    // 34 to 39: one more than allowed; 40 to 44: as many as allowed.
    rows.extend((34..=39).map(|number| lent(18, number)));
    rows.extend((40..=44).map(|number| lent(19, number)));
    // 45 to 49: refused, among them what was not on loan: one is waited for, one belongs elsewhere.
    rows.push(json!({"action": "issue", "cardnumber": "NOBODY", "barcode": item(45)}));
    rows.push(json!({"action": "issue", "cardnumber": card(1), "barcode": "NOTHING"}));
    rows.push(json!({"action": "return", "barcode": "NOTHING"}));
    rows.extend([back(46), back(47)]);
    // 50 and 51: paid.
    rows.extend([paid(6, "2.00"), paid(8, "1.50")]);
    // 52: it arrives twice. 53: a server error comes. The rest leaves nothing.
    rows.extend([lent(9, 48), lent(10, 49), lent(9, 50), lent(11, 51), lent(12, 52), lent(9, 53)]);
    rows.extend([lent(11, 54), back(54), lent(12, 55)]);
    rows
}

/// The library before it.
fn library() -> Library {
    let mut library = Library::standard();
    let biblio = |library: &Library, number| library.item(&item(number)).unwrap().biblio_id;
    for book in &mut library.items {
        book.branch = "CPL".into();
    }
    for (number, branch) in [(7, "MPL"), (8, "FPL"), (19, "MPL"), (47, "FPL")] {
        library.item_mut(&item(number)).unwrap().branch = branch.into();
    }
    for number in 1..=10 {
        library.lend_before(&card(1), &item(number), "2026-11-10 10:00:00");
    }
    for number in 14..=19 {
        library.lend_before(&card(2), &item(number), "2026-10-20 10:00:00");
    }
    for number in 20..=23 {
        library.lend_before(&card(12), &item(number), "2026-11-10 10:00:00");
    }
    library.lend_before(&card(14), &item(24), "2026-11-10 10:00:00");
    for (number, patron, found) in [(33, 17, Some(Found::Waiting)), (46, 9, None)] {
        let (biblio_id, item_id) = (biblio(&library, number), library.item(&item(number)).unwrap().id);
        let patron_id = library.patron(&card(patron)).unwrap().id;
        library.holds.push(Hold {
            id: 900 + u64::from(number),
            patron_id,
            biblio_id,
            item_id: found.map(|_| item_id),
            branch: "MPL".into(),
            priority: u32::from(found.is_none()),
            placed_on: "2026-11-01".into(),
            found,
            waiting_since: None,
        });
    }
    // Who has put something aside for themselves.
    library.holds.retain(|hold| hold.item_id.is_none() || hold.found.is_some());
    library.preferences.most_loans = Some(5);
    library.owe(&card(20), Amount::cents(499));
    library
}

fn started(commit_type: CommitType) -> (FakeKoha, Native) {
    let koha = FakeKoha::start(Config { era: Era::From2405, library: library(), ..Config::default() }).unwrap();
    let mut desk = Native::new(&koha, commit_type);
    desk.debt_limit = Some(500);
    let local = |mut row: Value| {
        row["status"] = json!({"state": "local"});
        row
    };
    desk.log = (1..).zip(script()).map(|(seq, row)| entry(seq, local(row))).collect();
    assert_eq!(desk.log.len(), 60);
    (koha, desk)
}

/// What is left, a line each: the group, the row's first transaction, what it is about, and Koha's page.
fn lines(log: &[Entry], batch: &Batch) -> Vec<String> {
    let told = Told::by(std::slice::from_ref(batch), &batch.server);
    let aside = aside::among(log.to_vec(), &told);
    let mut todo = Todo::default();
    todo.load(log.to_vec(), told);
    todo.set_aside(aside);
    let line = |row: Row| {
        let warned = |warnings: &[Warning]| {
            warnings.iter().flat_map(|warning| [" ".to_owned(), format!("{warning:?}")]).collect::<String>()
        };
        let what = match &row.what {
            What::InDoubt | What::Payment => String::new(),
            What::Refused(refusal) => format!(" {refusal:?}"),
            What::SetAside { pickup, is_over } => format!(" {pickup}{}", if *is_over { " over" } else { "" }),
            What::Transfer(library) => format!(" {library}"),
            What::Patron(warnings) => warned(warnings),
            What::Loan(warnings, taken_over) => {
                format!("{}{}", warned(warnings), if taken_over.is_some() { " taken over" } else { "" })
            }
            What::Late { days, due } => format!(" {days} {}", due.map(|due| due.to_string()).unwrap_or_default()),
            What::ReadBack(odd) => format!(" {odd:?}"),
        };
        let place = match row.place() {
            Some(KohaPage::Patron(_)) => " → patron",
            Some(KohaPage::Account(_)) => " → account",
            Some(KohaPage::Item { .. }) => " → item",
            Some(KohaPage::Checkin) => " → checkin",
            None => "",
        };
        let ids: Vec<String> = row.ids.iter().map(ToString::to_string).collect();
        format!("{} {}{what}{place}", row.group.name(), ids.join("+"))
    };
    Group::ALL.into_iter().flat_map(|group| todo.first_rows(group, usize::MAX)).map(line).collect()
}

/// What must be done whichever way it came into Koha.
const IN_ANY_WAY: [&str; 22] = [
    "set-aside 10 FPL → checkin",
    "set-aside 48 MPL → checkin",
    "transfers 7 MPL → checkin",
    "transfers 8 FPL → checkin",
    "transfers 49 FPL → checkin",
    "patrons 23+24+25+26 Expired { on: 2020-01-31 } → patron",
    "patrons 27 Restricted { until: None } → patron",
    "patrons 28 LostCard → patron",
    "patrons 29 Debts { cents: 1375 } → patron",
    "patrons 30 Debts { cents: 1100 } → patron",
    "patrons 39 OverLimit { loans: 6, limit: 5 } → patron",
    "loans 18 taken over → item",
    "loans 19 taken over → item",
    "loans 20 taken over → item",
    "loans 21 taken over → item",
    "loans 31 NotForLoan → item",
    "loans 32 Waiting → item",
    "late 11 13 2026-11-10 → account",
    "late 12 13 2026-11-10 → account",
    "late 13 13 2026-11-10 → account",
    "late 14 13 2026-11-10 → account",
    "late 15 13 2026-11-10 → account",
];

#[test]
fn after_an_outage_the_list_has_exactly_what_must_be_done() {
    let (koha, mut desk) = started(CommitType::Apply);
    // After those that ask whether Koha takes the account, and this many transactions.
    let after = |transactions| crate::matrix::BEFORE_TRANSACTIONS + transactions;
    koha.fault(Fault::on("service.pl", FaultKind::SentAgain).skip(after(51)).times(1));
    koha.fault(Fault::on("service.pl", FaultKind::Status500After).skip(after(52)).times(1));
    let moment = desk.log[0].transaction.moment;
    let before: Ordered = desk.log.clone().into();
    let batch = Batch::begin(&desk.settings, moment, &before);
    let summary = desk.run();
    assert_eq!(summary.stop, None);
    let batch = batch.ended(moment, &summary, String::new());
    let audit = batch.audit.as_ref().unwrap();
    assert_eq!((audit.silent.len(), audit.unread), (0, 0), "{:?}", audit.silent);
    let mut expected = vec![
        "in-doubt 53".to_owned(),
        "refused 45 NoPatron".into(),
        "refused 46 NoItem".into(),
        "refused 47 NoItem".into(),
        "refused 48 NotOnLoan → item".into(),
        "refused 49 NotOnLoan → item".into(),
    ];
    expected.extend(IN_ANY_WAY.map(str::to_owned));
    expected.extend([
        "late 16 13 2026-11-10 → account".to_owned(),
        "read-back 22 [HadIt { due: Some(2026-12-22) }] → item".into(),
        "read-back 52 [Renewed { due: Some(2027-01-04) }] → item".into(),
        "payments 50 → account".into(),
        "payments 51 → account".into(),
    ]);
    assert_eq!(lines(&desk.log, &batch), expected);
    // No name of anybody is kept with it.
    let stored = serde_json::to_string(&batch).unwrap();
    let names: Vec<String> =
        koha.library(|library| library.patrons.iter().map(|patron| patron.surname.to_string()).collect());
    assert!(names.iter().filter(|name| name.len() > 3).all(|name| !stored.contains(name.as_str())));
}

#[test]
fn what_was_queued_and_processed_leaves_the_same_to_be_done() {
    let (koha, mut desk) = started(CommitType::Send);
    let moment = desk.log[0].transaction.moment;
    let before: Ordered = desk.log.clone().into();
    let batch = Batch::begin(&desk.settings, moment, &before);
    let summary = desk.run();
    let batch = batch.ended(moment, &summary, String::new());
    assert!(desk.log.iter().all(|entry| entry.status.state() == State::Added));
    let of_koha =
        |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with("payments")).collect::<Vec<_>>();
    assert_eq!(of_koha(lines(&desk.log, &batch)), Vec::<String>::new(), "nothing is processed yet");
    koha.library(|library| {
        for operation in library.pending.clone() {
            // Koha dies of what it cannot do; none of these is such.
            let _ = library.process_operation(&operation, "CPL");
        }
    });
    let terms = Terms { debt_limit: Some(500), booked_at: Some("CPL".into()), with_queued: true, ..Terms::default() };
    let (mut asks, mut request) = Afterwards::start(desk.settings.clone(), terms, desk.log.clone());
    let report = loop {
        match asks.handle(client::send(&request)) {
            Continue(next) => request = next,
            Break(Ok(report)) => break report,
            Break(Err(error)) => panic!("{error:?}"),
        }
    };
    let batch = batch.told_again(&report.audited, moment.time());
    let mut expected: Vec<String> = IN_ANY_WAY.map(str::to_owned).to_vec();
    // What was not on loan has the answer of the queue, which nobody has read: whether it is there cannot be told.
    expected.retain(|line| !line.starts_with("set-aside 48") && !line.starts_with("transfers 49"));
    expected.push("late 16 13 2026-11-10 → account".into());
    expected.push("read-back 22 [HadIt { due: Some(2026-12-22) }] → item".into());
    assert_eq!(of_koha(lines(&desk.log, &batch)), expected);
}
