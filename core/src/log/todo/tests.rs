use super::*;
use crate::log::fresh::{Late, Part, TakenOver};
use crate::{
    desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber},
        transaction::{Moment, Transaction},
    },
    log::{
        audited::{Audited, Odd, Oddity},
        checked_in::CheckedIn,
        commit::Batch,
        event::Reread,
        order::Ordered,
        status::{Attempt, Doubt, NOT_ISSUED, Status},
        warned::Warned,
    },
    settings::form::{CommitType, ServerUrl, Settings},
};
use chrono::NaiveDate;
use proptest::prelude::*;
use std::collections::BTreeMap;

const KNOWN: Knows = Knows { patrons: true, items: true };
const UNKNOWN: Knows = Knows { patrons: false, items: false };

fn told(audited: Audited) -> Told {
    let batch = Batch::begin(&Settings::for_tests(CommitType::Apply), now(), &Ordered::default());
    let server = batch.server.clone();
    Told::by(&[Batch { audit: Some(audited), ..batch }], &server)
}

fn fresh(id: u32) -> Fresh {
    Fresh::of(TransactionId(id))
}

fn now() -> Moment {
    Moment::new(1_795_428_000_000, 60).unwrap()
}

fn card(code: &str) -> Cardnumber {
    Cardnumber::parse(code).unwrap()
}

fn item(code: &str) -> Barcode {
    Barcode::parse(code).unwrap()
}

fn entry(id: u32, action: Action, status: Status) -> Entry {
    Entry { status, ..Entry::recorded(TransactionId(id), Transaction { moment: now(), action }) }
}

fn lent(id: u32, to: &str, status: Status) -> Entry {
    entry(id, Action::Issue { cardnumber: card(to), barcode: item("A") }, status)
}

fn back(id: u32, status: Status) -> Entry {
    entry(id, Action::Return { barcode: item(&format!("B{id}")) }, status)
}

fn paid(id: u32, status: Status) -> Entry {
    entry(id, Action::Payment { cardnumber: card("P1"), amount: Amount::parse("3.50").unwrap() }, status)
}

fn refused(words: &str) -> Status {
    Status::Rejected { message: words.into() }
}

fn in_doubt() -> Status {
    let attempt = Attempt::new(CommitType::Apply, &ServerUrl::parse("https://koha.example.org").unwrap());
    Status::InDoubt { reason: Doubt::TimedOut, attempt }
}

fn warned(entry: &Entry, warnings: &[Warning]) -> Entry {
    let warned = |warning: &Warning| Warned { warning: warning.clone(), confirmed: None, as_of: None };
    entry.warned(&warnings.iter().map(warned).collect::<Vec<_>>())
}

fn held(id: u32) -> Entry {
    warned(&back(id, Status::Success), &[Warning::Hold { hold: id, pickup: "CPL".into() }])
}

fn loaded(entries: impl IntoIterator<Item = Entry>) -> Todo {
    let mut todo = Todo::default();
    todo.load(entries, Told::default());
    todo
}

fn numbers(todo: &Todo, group: Group) -> Vec<Vec<u32>> {
    let rows = todo.first_rows(group, usize::MAX);
    rows.into_iter().map(|row| row.ids.into_iter().map(|id| id.0).collect()).collect()
}

#[test]
fn what_koha_took_without_a_word_leaves_nothing() {
    let todo = loaded([lent(1, "P1", Status::Success), back(2, Status::Added), back(3, Status::Local)]);
    assert_eq!((todo.summary(0), todo.is_work_left()), ((0, None), false));
    assert!(Group::ALL.into_iter().all(|group| todo.number(group) == 0 && todo.first_rows(group, 9).is_empty()));
    assert_eq!(todo.summary(1), (1, Some(Grade::Stop)), "a scan that is not recorded");
}

#[test]
fn what_was_refused_says_what_helps() {
    let todo = loaded([
        back(1, refused(NOT_ISSUED)),
        lent(2, "P9", refused("Borrower not found.")),
        back(3, refused("Item not found.")),
        lent(4, "P1", refused("Something new.")),
        paid(5, refused("Borrower not found.")),
        lent(6, "p9", refused("Borrower not found.")),
    ]);
    let rows = todo.first_rows(Group::Refused, usize::MAX);
    let offered: Vec<_> = rows.iter().map(|row| (row.ids[0].0, row.offers(KNOWN).to_vec())).collect();
    let by_name = || vec![Offer::FindPatron, Offer::Drop];
    let expected = vec![
        (2, by_name()),
        (3, vec![Offer::FindItem, Offer::Drop]),
        (4, vec![Offer::Change, Offer::TryAgain]),
        (5, by_name()),
        (6, by_name()),
        (1, vec![Offer::Settle, Offer::Change]),
    ];
    assert_eq!(offered, expected, "what is harmless comes last");
    assert_eq!(rows[0].offers(UNKNOWN), [Offer::Change, Offer::Drop], "nobody is known by name");
    assert_eq!(todo.summary(0), (6, Some(Grade::Stop)));
    assert!(todo.is_work_left());
    let of_card = todo.of_same_code(&rows[0].entry);
    assert_eq!(of_card.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2, 6], "one answer for both");
    for offer in Offer::ALL {
        assert_eq!(Offer::from_name(offer.name()), Some(offer));
    }
}

#[test]
fn what_was_not_on_loan_is_a_note_and_is_settled_at_once() {
    let mut todo = loaded((1..=13).map(|id| back(id, refused(NOT_ISSUED))));
    assert_eq!(todo.summary(0), (13, Some(Grade::Note)));
    let settled: Vec<Entry> = todo.to_settle().iter().map(|entry| entry.settled(now()).unwrap()).collect();
    assert_eq!((settled.len(), todo.number_to_settle()), (13, 13));
    assert!(todo.follow(&LogEvent::Changed(settled)));
    assert_eq!((todo.summary(0), todo.is_work_left()), ((0, None), false));
    assert_eq!(todo, Todo { kept: todo.kept.clone(), lists: todo.lists.clone(), ..Todo::default() });
}

#[test]
fn payments_in_doubt_are_decided_one_by_one() {
    let todo = loaded([back(1, in_doubt()), paid(2, in_doubt())]);
    let ids = |decision| todo.to_decide(decision).iter().map(|entry| entry.id.0).collect::<Vec<_>>();
    assert_eq!((ids(Decision::IsInKoha), ids(Decision::SendAgain)), (vec![1, 2], vec![1]));
    let row = &todo.first_rows(Group::InDoubt, 9)[1];
    assert_eq!(row.offers(KNOWN), [Offer::IsInKoha, Offer::NotInKoha]);
    assert_eq!(todo.summary(0), (2, Some(Grade::Careful)));
    let decided = row.entry.with_decision(Decision::IsInKoha).unwrap();
    let after = loaded([decided]);
    assert_eq!((numbers(&after, Group::InDoubt), numbers(&after, Group::Payments)), (vec![], vec![vec![2]]));
}

#[test]
fn what_is_set_aside_keeps_its_order_and_what_is_ticked_sinks() {
    let mut todo = loaded([held(1), held(2), held(3)]);
    todo.set_aside([3, 1, 2].map(TransactionId).to_vec());
    assert_eq!(numbers(&todo, Group::SetAside), [[3], [1], [2]]);
    let ticked = held(3).ticked(Task::SetAside, true, now());
    assert!(todo.take(&ticked));
    assert_eq!(numbers(&todo, Group::SetAside), [[1], [2], [3]]);
    assert_eq!((todo.open(Group::SetAside), todo.number(Group::SetAside)), (2, 3));
    let rows = todo.first_rows(Group::SetAside, 9);
    assert_eq!((rows[0].offers(KNOWN), rows[2].offers(KNOWN)), (&[Offer::CopyBarcode][..], &[][..]));
    assert_eq!(todo.open_ids(Group::SetAside), [1, 2].map(TransactionId));
    assert_eq!(todo.summary(0), (2, Some(Grade::Do)));
    assert!(!todo.is_work_left(), "that is not the commit's");
    // Somebody takes it; and something else happens.
    let taken = Action::Issue { cardnumber: card("P1"), barcode: item("b1") };
    let touches = |todo: &Todo, entry| todo.touches_aside(&LogEvent::Recorded(entry));
    assert!(touches(&todo, entry(9, taken, Status::Local)));
    assert!(!touches(&todo, lent(9, "P1", Status::Local)) && touches(&todo, held(9)));
    assert!(todo.touches_aside(&LogEvent::Reload(Reread::default())));
    todo.set_aside(vec![TransactionId(2)]);
    assert_eq!(numbers(&todo, Group::SetAside), [[2]]);
}

#[test]
fn a_patron_is_one_row_until_somebody_has_looked_and_again_when_something_is_new() {
    let expired = Warning::Expired { on: "2020-05-01".parse().unwrap() };
    let owes = |cents| Warning::Debts { cents };
    let of = |id, to: &str, warnings: &[Warning]| warned(&lent(id, to, Status::Local), warnings);
    let mut todo = loaded([
        of(1, "P1", &[expired.clone(), owes(500)]),
        of(2, "p1", &[expired.clone(), owes(700)]),
        of(3, "P2", &[Warning::WrongAddress]),
        of(4, "P3", &[Warning::LostCard, Warning::WrongAddress]),
        of(5, "P1", &[]),
        Entry { status: refused("Borrower not found."), ..of(6, "P4", &[Warning::UnknownCard]) },
        of(7, "P1", &[owes(600)]),
    ]);
    assert_eq!(numbers(&todo, Group::Patrons), [vec![1, 2, 7], vec![4]]);
    let rows = todo.first_rows(Group::Patrons, 9);
    assert_eq!(rows[0].what, What::Patron(vec![expired.clone(), owes(700)]), "the most that they owe");
    assert_eq!(rows[1].what, What::Patron(vec![Warning::LostCard]));
    for id in [1, 2, 7] {
        let entry = todo.entry(TransactionId(id)).unwrap().ticked(Task::Patron, true, now());
        todo.take(&entry);
    }
    assert_eq!(numbers(&todo, Group::Patrons), [vec![4], vec![1, 2, 7]]);
    assert_eq!((todo.open(Group::Patrons), todo.open_ids(Group::Patrons)), (1, vec![TransactionId(4)]));
    todo.take(&of(8, "P1", &[expired]));
    assert_eq!(numbers(&todo, Group::Patrons), [vec![4], vec![8]], "what they took since");
    // Taken back, it is as before.
    todo.take(&of(8, "P1", &[]));
    todo.take(&Entry { status: Status::Deleted, ..of(4, "P3", &[Warning::LostCard]) });
    assert_eq!(numbers(&todo, Group::Patrons), [vec![1, 2, 7]]);
    assert_eq!((todo.open(Group::Patrons), todo.grade_of(Group::Patrons, 0)), (0, None));
}

#[test]
fn what_old_records_said_has_its_age_until_koha_says_it() {
    let age = |days: i64| Some(DeskTime::from_millis(now().utc_millis() - days * 86_400_000));
    let aged = |entry: Entry, days: i64| {
        let of_age = |warned: Warned| warned.known_as_of(age(days));
        Entry { warnings: entry.warnings.iter().cloned().map(of_age).collect(), ..entry }
    };
    let of = |id, to: &str, warning: Warning| warned(&lent(id, to, Status::Success), &[warning]);
    let owes = |cents| Warning::Debts { cents };
    let entries = || {
        [
            aged(held(1), 2),
            aged(of(2, "P1", Warning::LostCard), 4),
            aged(of(3, "P1", owes(500)), 3),
            aged(of(4, "P2", Warning::Waiting), 5),
            Entry { late: Some(39), late_as_of: age(6), ..back(5, Status::Success) },
            // The same patron as in the records of two days, and as in those of today.
            aged(of(6, "P3", owes(700)), 8),
            aged(of(7, "P3", owes(700)), 7),
            aged(of(8, "P4", owes(700)), 8),
            of(9, "P4", owes(900)),
        ]
    };
    let in_groups = |told: Told| {
        let mut todo = Todo::default();
        todo.load(entries(), told);
        todo.set_aside(vec![TransactionId(1)]);
        let groups = [Group::SetAside, Group::Patrons, Group::Loans, Group::Late];
        groups.map(|group| todo.first_rows(group, 9).iter().map(|row| row.as_of).collect::<Vec<_>>())
    };
    assert_eq!(in_groups(Told::default()), [vec![age(2)], vec![age(4), age(7), None], vec![age(5)], vec![age(6)]]);
    let due = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let by_koha = [
        Fresh { hold: Some(HoldNow::Nobody), ..fresh(1) },
        Fresh { warnings: vec![Warning::LostCard], ..fresh(2) },
        Fresh { warnings: vec![Warning::Waiting], ..fresh(4) },
        Fresh { late: Some(Late { days: 39, due }), ..fresh(5) },
    ];
    let by_koha = told(Audited { fresh: by_koha.to_vec(), ..Audited::default() });
    assert_eq!(in_groups(by_koha), [vec![None], vec![age(3), age(7), None], vec![None], vec![None]]);
}

#[test]
fn late_returns_payments_and_what_was_read_back_are_ticked_off() {
    let mut todo = Todo::default();
    let mut batch = Batch::begin(&Settings::for_tests(CommitType::Apply), now(), &Ordered::default());
    let odd = |id, oddity| Odd { id: TransactionId(id), oddity };
    let twice = odd(4, Oddity::NoTrace);
    batch.audit =
        Some(Audited { checked: 1, odd: vec![twice, odd(4, Oddity::Queued { times: 2 })], ..Audited::default() });
    let later =
        Batch { audit: Some(Audited { odd: vec![odd(4, Oddity::NoTrace)], ..Audited::default() }), ..batch.clone() };
    let late = Entry { late: Some(39), ..back(1, Status::Success) };
    let not_late = Entry { status: refused("Item not found."), late: Some(2), ..back(5, Status::Local) };
    let read = [late, paid(2, Status::Success), paid(3, Status::Local), back(4, Status::Success), not_late];
    todo.load(read, Told::by(&[batch, later], ""));
    let of = |group| (numbers(&todo, group), todo.first_rows(group, 9)[0].what.clone());
    assert_eq!(of(Group::Late), (vec![vec![1]], What::Late { days: 39, due: None }));
    assert_eq!(of(Group::Payments), (vec![vec![2]], What::Payment));
    let both = What::ReadBack(vec![Oddity::NoTrace, Oddity::Queued { times: 2 }]);
    assert_eq!(of(Group::ReadBack), (vec![vec![4]], both), "what two commits read is said once");
    assert_eq!(todo.first_rows(Group::ReadBack, 9)[0].offers(KNOWN), [Offer::OpenQueue], "the second is deleted there");
    assert!(todo.is_work_left());
    for (group, id) in [(Group::Late, 1), (Group::Payments, 2), (Group::ReadBack, 4)] {
        let task = group.task().unwrap();
        let ticked = todo.entry(TransactionId(id)).unwrap().ticked(task, true, now());
        todo.take(&ticked);
        assert_eq!((todo.open(group), todo.number(group), todo.grade_of(group, 0)), (0, 1, None));
        assert!(todo.first_rows(group, 9)[0].is_ticked);
    }
}

#[test]
fn what_was_lost_and_not_on_loan_is_lost_in_koha_still() {
    let found = |id, status| warned(&back(id, status), &[Warning::LostItem]);
    let by_koha = CheckedIn::of(vec!["found".into()], None);
    let lent_again = warned(&lent(5, "P1", Status::Success), &[Warning::LostItem, Warning::Withdrawn]);
    let todo = loaded([
        found(1, refused(NOT_ISSUED)),
        back(2, refused(NOT_ISSUED)),
        found(3, Status::Success),
        Entry { checkin: Some(by_koha), ..found(4, refused(NOT_ISSUED)) },
        lent_again,
    ]);
    assert_eq!(numbers(&todo, Group::Refused), [[1], [2], [4]]);
    let row = &todo.first_rows(Group::Refused, 9)[0];
    assert_eq!((&row.what, row.place()), (&What::Refused(Refusal::Lost), Some(KohaPage::Checkin)));
    assert_eq!(row.offers(KNOWN), [Offer::CopyBarcode, Offer::Settle]);
    assert_eq!((todo.number_to_settle(), row.entry.settled(now()).is_some()), (2, true), "and that one by itself");
    assert_eq!(numbers(&todo, Group::Loans), [[5]], "what came back is no loan");
    let warnings = vec![Warning::LostItem, Warning::Withdrawn];
    assert_eq!(todo.first_rows(Group::Loans, 9)[0].what, What::Loan(warnings, None));
}

#[test]
fn at_another_server_no_row_leads_to_anybody() {
    let batch = Batch::begin(&Settings::for_tests(CommitType::Apply), now(), &Ordered::default());
    let mut late = fresh(1);
    late.late = Some(Late { days: 3, due: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() });
    late.numbers.patron = Some(7);
    let batch = Batch { audit: Some(Audited { fresh: vec![late], ..Audited::default() }), ..batch };
    for (server, place) in [(batch.server.as_str(), Some(KohaPage::Account(7))), ("https://other.example.org", None)] {
        let mut todo = Todo::default();
        todo.load([back(1, Status::Success)], Told::by(std::slice::from_ref(&batch), server));
        let rows = todo.first_rows(Group::Late, 9);
        assert_eq!((rows.len(), rows[0].place()), (1, place), "{server}");
    }
}

#[test]
fn what_changes_while_the_log_is_read_is_not_lost() {
    let mut todo = loaded([back(1, refused(NOT_ISSUED)), back(2, refused(NOT_ISSUED))]);
    todo.begin_reading();
    let read = [back(1, refused(NOT_ISSUED)), back(3, in_doubt())];
    todo.take(&back(3, Status::Success));
    todo.take(&back(4, refused("Item not found.")));
    todo.load(read, Told::default());
    assert_eq!((numbers(&todo, Group::Refused), numbers(&todo, Group::InDoubt)), (vec![vec![4], vec![1]], vec![]));
    // It cannot be read.
    todo.begin_reading();
    todo.take(&back(5, in_doubt()));
    todo.stop_reading();
    assert_eq!((todo.open(Group::Refused), todo.open(Group::InDoubt)), (2, 1));
    todo.load([], Told::default());
    assert_eq!(todo.summary(0), (0, None), "it is kept for no other time");
}

#[test]
fn no_more_rows_are_made_than_are_shown() {
    let todo = loaded(
        (1..=300).map(|id| back(id, if id % 3 == 0 { refused(NOT_ISSUED) } else { refused("Item not found.") })),
    );
    assert_eq!(numbers(&todo, Group::Refused).len(), 300);
    let shown = todo.first_rows(Group::Refused, 201);
    assert_eq!((shown.len(), shown[199].ids[0].0, shown[200].ids[0].0), (201, 299, 3));
    for group in Group::ALL {
        assert_eq!(Group::from_name(group.name()), Some(group));
    }
}

/// Any entry with one of a few numbers, so that one often changes.
fn any_entry() -> impl Strategy<Value = Entry> {
    let statuses = vec![
        Status::Local,
        Status::Success,
        Status::Deleted,
        in_doubt(),
        refused(NOT_ISSUED),
        refused("Borrower not found."),
        refused("Item not found."),
    ];
    let warnings = vec![
        Warning::UnknownCard,
        Warning::LostCard,
        Warning::Debts { cents: 700 },
        Warning::OnLoan,
        Warning::Hold { hold: 7, pickup: "CPL".into() },
    ];
    let parts = (1..8_u32, 0..3_u8, prop::sample::select(vec!["P1", "p1", "P2"]), prop::sample::select(statuses));
    let kept = (
        prop::sample::subsequence(warnings, 0..3),
        prop::option::of(1..9_u32),
        prop::sample::subsequence(Task::ALL.to_vec(), 0..3),
    );
    (parts, kept).prop_map(|((id, kind, to, status), (warnings, late, tasks))| {
        let entry = match kind {
            0 => lent(id, to, status),
            1 => Entry { late, ..back(id, status) },
            _ => paid(id, status),
        };
        tasks.into_iter().fold(warned(&entry, &warnings), |entry, task| entry.ticked(task, true, now()))
    })
}

/// What Koha may tell of one of them.
fn any_answer() -> impl Strategy<Value = Fresh> {
    let warnings = vec![
        Warning::NotForLoan,
        Warning::Waiting,
        Warning::OverLimit { loans: 5, limit: 4 },
        Warning::Debts { cents: 300 },
    ];
    let due = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let hold = HoldNow::Waits { hold: 9, patron: 2, pickup: "MPL".into() };
    (
        1..8_u32,
        prop::sample::subsequence(warnings, 0..3),
        prop::option::of(prop::sample::select(vec![hold, HoldNow::Nobody])),
        prop::option::of(Just("MPL".to_owned())),
        prop::option::of((1..5_u32).prop_map(move |days| Late { days, due })),
        prop::option::of(Just(TakenOver { from: Some(3) })),
    )
        .prop_map(|(id, warnings, hold, home, late, taken_over)| Fresh {
            hold,
            home,
            late,
            taken_over,
            warnings,
            ..fresh(id)
        })
}

#[test]
fn names_are_looked_up_anew_where_koha_names_another_patron_or_hold() {
    use crate::log::fresh::Numbers;
    let late = Entry { late: Some(3), ..back(2, Status::Success) };
    let entries = [held(1), late];
    let named_by = |entries: &[Entry], audited: Audited| {
        let mut todo = Todo::default();
        todo.load(entries.to_vec(), told(audited));
        todo.set_aside(vec![TransactionId(1)]);
        [Group::SetAside, Group::Late].map(|group| todo.first_rows(group, 1)[0].named_by())
    };
    let before = named_by(&entries, Audited::default());
    assert_eq!(before.map(|names| names.patron), [None, None]);
    assert_eq!(
        named_by(&[entries[0].ticked(Task::SetAside, true, now()), entries[1].clone()], Audited::default()),
        before
    );
    let hold = HoldNow::Waits { hold: 1, patron: 4, pickup: "MPL".into() };
    let numbers = Numbers { patron: Some(70), ..Numbers::default() };
    let all = vec![Fresh { hold: Some(hold), ..fresh(1) }, Fresh { numbers, ..fresh(2) }];
    let after = named_by(&entries, Audited { fresh: all, ..Audited::default() });
    assert_eq!(after.map(|names| names.patron), [Some(4), Some(70)]);
    // Koha's own check-in has found another hold.
    let told_at_once = crate::log::checked_in::CheckedIn::default();
    let found = entries[0].checked_in(told_at_once, Some((9, "MPL".into())));
    let by_checkin = named_by(&[found, entries[1].clone()], Audited::default());
    assert_ne!(by_checkin[0], before[0]);
    assert_eq!(by_checkin[1], before[1]);
}

#[test]
fn what_koha_tells_adds_to_what_was_known_and_corrects_it() {
    let due = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let waits = |hold, pickup: &str| Some(HoldNow::Waits { hold, patron: 4, pickup: pickup.into() });
    let restricted = Warning::Restricted { until: Some(due) };
    let mut all = [
        // The log knows of a hold, for another library; of one that is seen to; and of none.
        Fresh { hold: waits(1, "MPL"), ..fresh(1) },
        Fresh { hold: Some(HoldNow::Nobody), ..fresh(2) },
        Fresh { hold: waits(3, "CPL"), ..fresh(3) },
        Fresh { home: Some("FPL".into()), ..fresh(4) },
        // What they owe now, that they are restricted still, and that they have too much.
        Fresh {
            warnings: vec![
                Warning::Debts { cents: 300 },
                Warning::Restricted { until: None },
                Warning::OverLimit { loans: 5, limit: 4 },
            ],
            ..fresh(5)
        },
        Fresh { warnings: vec![Warning::NotForLoan], ..fresh(6) },
        Fresh { taken_over: Some(TakenOver { from: Some(3) }), ..fresh(7) },
        Fresh { late: Some(Late { days: 4, due }), ..fresh(8) },
        fresh(9),
    ];
    for fresh in &mut all {
        fresh.numbers = crate::log::fresh::Numbers { patron: Some(70), item: Some(71), biblio: Some(72) };
    }
    let to = |id, warnings: &[Warning]| warned(&lent(id, &format!("P{id}"), Status::Success), warnings);
    let entries = [
        held(1),
        held(2),
        back(3, Status::Success),
        back(4, Status::Success),
        to(5, &[Warning::Debts { cents: 900 }, restricted.clone()]),
        to(6, &[]),
        to(7, &[Warning::OnLoan]),
        Entry { late: Some(3), ..back(8, Status::Success) },
        paid(9, Status::Success),
        back(10, refused(NOT_ISSUED)),
    ];
    let mut todo = Todo::default();
    let silent = vec![Part::Debts];
    let audited = told(Audited { fresh: all.to_vec(), silent, ..Audited::default() });
    assert_eq!(audited.silent(), [Part::Debts]);
    assert_eq!(audited.waited_for(), [1, 3].map(TransactionId));
    let set_aside = audited.with_hold(entries[2].clone());
    assert_eq!(set_aside.set_aside(), Some((3, "CPL")));
    assert_eq!(audited.with_hold(entries[0].clone()).set_aside(), Some((1, "MPL")));
    todo.load(entries, audited);
    todo.set_aside([1, 2, 3].map(TransactionId).to_vec());
    let rows = |group| todo.first_rows(group, 9);
    let one = |group| (rows(group)[0].what.clone(), rows(group)[0].place());
    let aside = |pickup: &str, is_over| What::SetAside { pickup: pickup.into(), is_over };
    let what: Vec<_> = rows(Group::SetAside).into_iter().map(|row| row.what).collect();
    assert_eq!(what, [aside("MPL", false), aside("CPL", true), aside("CPL", false)]);
    assert_eq!(rows(Group::SetAside)[0].place(), Some(KohaPage::Checkin));
    assert!(rows(Group::SetAside)[1].offers(KNOWN).is_empty(), "nothing is caught by it");
    assert_eq!(one(Group::Transfers), (What::Transfer("FPL".into()), Some(KohaPage::Checkin)));
    let warnings = vec![restricted, Warning::Debts { cents: 300 }, Warning::OverLimit { loans: 5, limit: 4 }];
    assert_eq!(one(Group::Patrons), (What::Patron(warnings), Some(KohaPage::Patron(70))));
    let item = Some(KohaPage::Item { item: 71, biblio: 72 });
    assert_eq!(one(Group::Loans), (What::Loan(vec![Warning::NotForLoan], None), item));
    assert_eq!(rows(Group::Loans)[1].what, What::Loan(vec![], Some(TakenOver { from: Some(3) })));
    assert_eq!(one(Group::Late), (What::Late { days: 4, due: Some(due) }, Some(KohaPage::Account(70))));
    assert_eq!(one(Group::Payments), (What::Payment, Some(KohaPage::Account(70))));
    assert_eq!(rows(Group::Refused)[0].place(), None, "its number is not known");
    // Whom Koha names counts more than whom the records have.
    let named = |group| rows(group).iter().map(Row::patron_by_koha).collect::<Vec<_>>();
    assert_eq!(named(Group::SetAside), [Some(4), None, Some(4)]);
    assert_eq!((named(Group::Loans), named(Group::Late)), (vec![None, Some(3)], vec![Some(70)]));
    assert_eq!(named(Group::Payments), [None], "the transaction has the card");
    // What was not on loan and is settled belongs elsewhere all the same; what was taken back was a slip.
    let home = told(Audited { fresh: vec![Fresh { home: Some("FPL".into()), ..fresh(1) }], ..Audited::default() });
    let left = |entry: Entry| {
        let mut todo = Todo::default();
        todo.load([entry], home.clone());
        todo.open(Group::Transfers)
    };
    assert_eq!(left(back(1, refused(NOT_ISSUED)).settled(now()).unwrap()), 1);
    assert_eq!(left(back(1, Status::Local).deleted(now()).unwrap()), 0);
}

proptest! {
    #[test]
    fn following_the_log_comes_to_the_same_as_reading_it(
        changes in prop::collection::vec(any_entry(), 0..40),
        odd in prop::collection::btree_set(1..8_u32, 0..3),
        answers in prop::collection::vec(any_answer(), 0..4),
        aside in Just((1..8_u32).map(TransactionId).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let odd = odd.into_iter().map(|id| Odd { id: TransactionId(id), oddity: Oddity::NoTrace }).collect();
        let told = told(Audited { odd, fresh: answers, ..Audited::default() });
        let mut followed = Todo::default();
        followed.load([], told.clone());
        let mut last = BTreeMap::new();
        for entry in &changes {
            followed.take(entry);
            last.insert(entry.id, entry.clone());
        }
        let mut read = Todo::default();
        read.load(last.into_values().filter(|entry| is_candidate(entry) || told.knows(entry.id)), told.clone());
        for todo in [&mut followed, &mut read] {
            todo.set_aside(aside.clone());
        }
        prop_assert_eq!(followed.summary(0), read.summary(0));
        for group in Group::ALL {
            let rows = followed.first_rows(group, usize::MAX);
            prop_assert_eq!(&rows, &read.first_rows(group, usize::MAX));
            prop_assert_eq!(rows.len(), followed.number(group));
            let open = rows.iter().filter(|row| !row.is_ticked).count();
            prop_assert_eq!(open, followed.open(group));
            prop_assert!(rows[..open].iter().all(|row| !row.is_ticked), "what is ticked is at the end");
            let highest = rows[..open].iter().map(Row::grade).min();
            prop_assert_eq!(followed.grade_of(group, 0), highest, "a head has the colour of its rows");
        }
        let ids = |group| followed.open_ids(group).into_iter().collect::<BTreeSet<_>>();
        let of_rows: BTreeSet<_> = followed.first_rows(Group::Patrons, usize::MAX).into_iter()
            .filter(|row| !row.is_ticked).flat_map(|row| row.ids).collect();
        prop_assert_eq!(ids(Group::Patrons), of_rows);
    }
}
