use super::*;
use crate::{
    desk::{
        barcode::Barcode,
        transaction::{Action, Moment, Transaction, TransactionId},
    },
    desks::backup::{
        running::Running,
        testing::{batch, now, statuses},
    },
    log::{
        checked_in::CheckedIn,
        revision::Change,
        task::{Task, Tick},
        warned::{Warned, Warning},
    },
};
use chrono::TimeDelta;
use proptest::prelude::*;

fn action(code: &str) -> Action {
    Action::Return { barcode: Barcode::parse(code).unwrap() }
}

fn entry(status: Status) -> Entry {
    Entry { status, ..Entry::recorded(TransactionId(1), Transaction { moment: now(), action: action("B") }) }
}

fn at(seconds: i64) -> Moment {
    now().shifted(TimeDelta::seconds(seconds)).unwrap()
}

fn with(entry: &Entry, status: &Status) -> Entry {
    Entry { status: status.clone(), ..entry.clone() }
}

fn after(here: &Entry, there: &Entry) -> Entry {
    merged(here, there).unwrap_or_else(|| here.clone())
}

#[test]
fn the_status_that_has_seen_more_of_koha_stays() {
    for here in statuses() {
        for there in statuses() {
            let kept = after(&entry(here.clone()), &entry(there.clone())).status;
            let committed = [&here, &there].into_iter().any(|status| status.state().is_committed());
            assert_eq!(kept.state().is_committed(), committed, "{here:?} {there:?}");
            if here.state().is_doubtful() || there.state().is_doubtful() {
                assert!(committed || kept.state().is_doubtful(), "a doubt is never forgotten: {here:?} {there:?}");
            }
        }
    }
}

#[test]
fn what_was_corrected_here_is_not_what_koha_has_by_the_backup() {
    let first = entry(Status::Local);
    let corrected = first.edited(action("C"), at(1)).unwrap();
    for status in statuses() {
        let found = after(&corrected, &with(&first, &status));
        assert_eq!(found.transaction, corrected.transaction);
        match found.status {
            Status::Local => assert!(!status.state().is_committed() && !status.state().is_doubtful(), "{status:?}"),
            Status::InDoubt { attempt, .. } => {
                assert!(status.state().is_committed() || status.state().is_doubtful(), "{status:?}");
                assert!(attempt.server.is_empty(), "{status:?}");
            }
            other => panic!("{status:?} {other:?}"),
        }
        // What was corrected there is known there, and comes with it.
        let found = after(&first, &with(&corrected, &status));
        assert_eq!(found, with(&corrected, &status.after_restart(None)));
    }
}

#[test]
fn a_correction_a_deletion_and_another_time_come_with_a_later_copy_and_do_not_go_with_an_older_one() {
    let first = entry(Status::Local);
    let corrected = first.edited(action("C"), at(1)).unwrap();
    let moved = corrected.shifted(TimeDelta::hours(1), at(2)).unwrap();
    let deleted = moved.deleted(at(3)).unwrap();
    let restored = deleted.restored(at(4)).unwrap();
    let ages = [first, corrected, moved, deleted, restored];
    for (place, older) in ages.iter().enumerate() {
        for later in &ages[place..] {
            assert_eq!(after(older, later), *later);
            assert_eq!(merged(later, older), None);
        }
    }
}

#[test]
fn of_two_that_were_changed_apart_the_last_change_holds_and_a_clock_that_was_set_back_hides_none() {
    let first = entry(Status::Local);
    let (early, late) = (first.edited(action("C"), at(5)).unwrap(), first.deleted(at(9)).unwrap());
    assert_eq!((after(&early, &late), after(&late, &early)), (late.clone(), late.clone()));
    let set_back = late.restored(at(1)).unwrap();
    assert_eq!((after(&late, &set_back), after(&set_back, &late)), (set_back.clone(), set_back));
}

#[test]
fn what_is_committed_here_stays_and_what_is_in_doubt_does_not_wait_again() {
    let first = entry(Status::Local);
    let later = first.edited(action("C"), at(1)).unwrap();
    for status in [Status::Added, Status::Success] {
        for there in [&first, &later, &later.deleted(at(2)).unwrap()] {
            assert_eq!(merged(&with(&first, &status), there), None);
        }
    }
    assert_eq!(
        after(&entry(Status::Added), &entry(Status::Success)).status,
        Status::Success,
        "the queue was processed"
    );
    let doubt = &statuses()[4];
    // A person had it sent again, and corrected it: which of both Koha has nobody knows here.
    let found = after(&with(&first, doubt), &later);
    assert_eq!(found.transaction, later.transaction);
    assert!(matches!(found.status, Status::InDoubt { ref attempt, .. } if attempt.server.is_empty()), "{found:?}");
    assert_eq!(found, after(&later, &with(&first, doubt)));
    assert_eq!(merged(&with(&first, &statuses()[3]), &later), None, "it is being sent");
}

#[test]
fn what_was_answered_and_ticked_off_comes_too() {
    let warned = |confirmed| Warned { warning: Warning::LostCard, confirmed, as_of: None };
    let open = Entry { warnings: vec![warned(None)], ..entry(Status::Local) };
    let answered = open.confirmed(at(1), Warning::is_stop);
    assert_eq!((after(&open, &answered), merged(&answered, &open)), (answered.clone(), None));
    let committed = entry(Status::Success);
    let ticked = committed.ticked(Task::Late, true, at(2));
    assert_eq!((after(&committed, &ticked), merged(&ticked, &committed)), (ticked.clone(), None));
    assert_eq!(ticked.ticks, [Tick { task: Task::Late, at: at(2) }]);
}

#[test]
fn what_koha_said_as_it_took_an_item_back_comes_with_that_it_did() {
    let warned = |warning| Warned { warning, confirmed: None, as_of: None };
    let first = entry(Status::Local);
    let told = CheckedIn::of(Vec::new(), Some("CPL".into()));
    for warnings in
        [vec![], vec![warned(Warning::OnLoan)], vec![warned(Warning::Hold { hold: 9, pickup: "MPL".into() })]]
    {
        let waiting = Entry { warnings, ..first.clone() };
        for hold in [None, Some((3, "CPL".to_owned()))] {
            let taken_back = with(&waiting, &Status::Success).checked_in(told.clone(), hold.clone());
            assert_eq!(after(&waiting, &taken_back), taken_back, "where it goes, and who waits for it: {hold:?}");
            assert_eq!(merged(&taken_back, &waiting), None);
            // The clock of this desk was set right meanwhile: it is the same item.
            let moved = waiting.shifted(TimeDelta::minutes(1), at(5)).unwrap();
            let found = after(&moved, &taken_back);
            assert_eq!((&found.status, &found.checkin), (&Status::Success, &Some(told.clone())));
            assert_eq!((found.set_aside(), &found.history), (taken_back.set_aside(), &moved.history));
            assert_eq!(merged(&found, &taken_back), None);
        }
    }
    // Another item here: Koha said nothing of that one.
    let taken_back = with(&first, &Status::Success).checked_in(told, None);
    assert_eq!(after(&first.edited(action("C"), at(5)).unwrap(), &taken_back).checkin, None);
}

#[test]
fn what_was_warned_of_later_is_not_lost_to_an_older_copy() {
    let warned = |warning| Warned { warning, confirmed: None, as_of: None };
    let older = entry(Status::Local).warned(&[warned(Warning::OnLoan)]);
    let later = older.warned(&[warned(Warning::Waiting)]);
    assert_eq!((after(&older, &later), merged(&later, &older)), (later.clone(), None));
}

/// What may become of an entry in its log, one after the other.
#[derive(Debug, Clone, Copy)]
enum Act {
    Edit(u8),
    Shift,
    Delete,
    Restore,
    Refuse,
    Doubt,
    Prove,
    Again,
    Commit,
    Process,
    Warn(u8),
    TakeBack,
}

fn next(entry: &Entry, act: Act, second: i64) -> Option<Entry> {
    let status = &entry.status;
    let new = |status: &Status| Some(with(entry, status));
    match act {
        Act::Edit(code) => entry.edited(action(&format!("C{code}")), at(second)),
        Act::Shift => entry.shifted(TimeDelta::minutes(1), at(second)),
        Act::Delete => entry.deleted(at(second)),
        Act::Restore => entry.restored(at(second)),
        Act::Refuse if *status == Status::Local => new(&statuses()[2]),
        Act::Doubt if *status == Status::Local => {
            let over = Some(at(second).time());
            let attempt = Attempt { over, ..Attempt::unknown(CommitType::Apply) };
            new(&Status::InDoubt { reason: Doubt::TimedOut, attempt })
        }
        Act::Prove | Act::Again if status.state() == State::InDoubt => new(&Status::Local),
        Act::Again if status.state() == State::Rejected => new(&Status::Local),
        Act::Commit if *status == Status::Local => new(&Status::Added),
        Act::Process if *status == Status::Added => new(&Status::Success),
        Act::Warn(hold) if *status == Status::Local => {
            let warning = Warning::Hold { hold: hold.into(), pickup: "MPL".into() };
            Some(entry.warned(&[Warned { warning, confirmed: None, as_of: None }]))
        }
        Act::TakeBack if *status == Status::Local => {
            let told = CheckedIn::of(Vec::new(), Some("CPL".into()));
            Some(with(entry, &Status::Success).checked_in(told, Some((9, "CPL".into()))))
        }
        _ => None,
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (0_u8..3).prop_map(Act::Edit),
        Just(Act::Shift),
        Just(Act::Delete),
        Just(Act::Restore),
        Just(Act::Refuse),
        Just(Act::Doubt),
        Just(Act::Prove),
        Just(Act::Again),
        Just(Act::Commit),
        Just(Act::Process),
        (0_u8..3).prop_map(Act::Warn),
        Just(Act::TakeBack),
    ];
    prop::collection::vec(act, 0..12)
}

fn ages(from: &Entry, acts: &[Act], first: i64) -> Vec<Entry> {
    let mut ages = vec![from.clone()];
    for (second, act) in (first..).zip(acts) {
        ages.extend(next(&ages[ages.len() - 1], *act, second));
    }
    ages
}

/// What a file holds of it that was written while a commit ran, where one did.
fn told(entry: &Entry, is_running: bool) -> Entry {
    let running = Running::of(&batch(&[1])).filter(|_| is_running);
    running.iter().fold(entry.clone(), |entry, running| running.doubted(entry))
}

#[test]
fn a_file_of_a_running_commit_brings_the_later_edit_and_puts_it_in_doubt() {
    let first = entry(Status::Local);
    let (corrected, deleted) = (first.edited(action("C"), at(1)).unwrap(), first.deleted(at(1)).unwrap());
    let doubt = told(&corrected, true).status;
    assert_eq!(doubt.state(), State::InDoubt);
    let found = after(&first, &told(&corrected, true));
    assert_eq!(found, with(&corrected, &doubt), "it was sent, if it was, as it was corrected");
    assert_eq!(after(&first, &told(&deleted, true)), deleted, "what was deleted was not sent");
    // Corrected once more where it was brought in: Koha may have what it was in that file, and no server is asked.
    let again = corrected.edited(action("D"), at(9)).unwrap();
    let found = after(&again, &told(&corrected, true));
    assert_eq!(found.transaction, again.transaction);
    assert!(matches!(found.status, Status::InDoubt { ref attempt, .. } if attempt.server.is_empty()), "{found:?}");
    // The answer stands in a file that was written later, or in the log.
    for status in [Status::Added, Status::Success] {
        let answered = with(&corrected, &status);
        assert_eq!(after(&told(&corrected, true), &answered), answered);
        assert_eq!(merged(&answered, &told(&corrected, true)), None);
    }
}

proptest! {
    #[test]
    fn copies_of_one_log_of_any_age_end_the_same_in_any_order(
        acts in acts(),
        which in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..5),
        order in any::<prop::sample::Index>(),
    ) {
        let ages = ages(&entry(Status::Local), &acts, 1);
        let copies: Vec<Entry> = which.iter().map(|(which, is_running)| told(which.get(&ages), *is_running)).collect();
        let end = |copies: &mut dyn Iterator<Item = &Entry>| {
            copies.fold(None::<Entry>, |here, there| Some(here.map_or_else(|| there.clone(), |here| after(&here, there))))
        };
        let one = end(&mut copies.iter()).unwrap();
        let turned = order.index(copies.len());
        prop_assert_eq!(&one, &end(&mut copies.iter().rev()).unwrap());
        prop_assert_eq!(&one, &end(&mut copies[turned..].iter().chain(&copies[..turned])).unwrap());
        let last = copies.iter().max_by_key(|copy| (copy.history.len(), age(copy))).unwrap();
        prop_assert_eq!((&one.transaction, &one.history), (&last.transaction, &last.history), "the last correction holds");
        let any = |is_it: fn(State) -> bool| copies.iter().any(|copy| is_it(copy.status.state()));
        if any(State::is_committed) || any(State::is_doubtful) {
            prop_assert!(!one.status.state().is_to_send(), "nothing is sent twice unseen: {:?}", one);
        }
    }

    #[test]
    fn what_is_known_here_is_never_less_afterwards(
        before in acts(),
        here in acts(),
        there in acts(),
        is_running in any::<bool>(),
    ) {
        let begun = ages(&entry(Status::Local), &before, 1).pop().unwrap();
        let here = ages(&begun, &here, 20).pop().unwrap();
        let there = told(&ages(&begun, &there, 25).pop().unwrap(), is_running);
        let found = after(&here, &there);
        prop_assert!(found.original() == here.original() && found.id == here.id);
        if here.status.state().is_committed() {
            prop_assert_eq!((&found.transaction, &found.history), (&here.transaction, &here.history));
            prop_assert!(found.status.state().is_committed());
        }
        for state in [here.status.state(), there.status.state()] {
            if state.is_committed() || state.is_doubtful() {
                prop_assert!(found.status.state().is_committed() || found.status.state().is_doubtful());
            }
        }
        // Both were sent from there on: that a person must look is said the first time.
        let was_asked = matches!(&found.status, Status::InDoubt { attempt, .. } if attempt.server.is_empty());
        prop_assert!(was_asked || merged(&found, &there).is_none(), "brought in again, it changes nothing");
        prop_assert!(found.history.iter().all(|past| matches!(past.change, Change::Edited | Change::Shifted | Change::Deleted | Change::Restored)));
    }
}
