//! Checkins by Koha's own check-in, over real connections: every fault, what Koha says, and where it is not to be used.

use crate::native::{Native, entry};
use fake_koha::{Checkins, Config, DateFormat, Effect, Era, FakeKoha, Fault, FaultKind, Front, Hold, RetryAfter};
use koct_core::{
    CommitType, Entry, State,
    koha::checkins::Absence,
    log::{audited::Oddity, checked_in::CheckedIn},
};
use serde_json::json;

const PATRON: &str = "23529001223606";
const OTHER: &str = "23529001223601";

fn item(number: u32) -> String {
    format!("399990000000{number:02}")
}

fn back(seq: u32) -> Entry {
    let item = item(seq);
    entry(seq, json!({"action": "return", "barcode": item, "itemKey": item, "status": {"state": "local"}}))
}

fn koha(checkins: Option<Checkins>) -> FakeKoha {
    let koha = FakeKoha::start(Config { era: Era::From2405, checkins, ..Config::default() }).unwrap();
    koha.library(|library| {
        for number in 1..=9 {
            library.lend_before(PATRON, &item(number), "2026-11-01 10:00:00");
            library.item_mut(&item(number)).unwrap().materials = "".into();
        }
        library.holds.clear();
        library.effects.clear();
    });
    koha
}

fn desk(koha: &FakeKoha, numbers: impl IntoIterator<Item = u32>) -> Native {
    let mut desk = Native::new(koha, CommitType::Apply);
    desk.settings.koha_checkin = true;
    desk.log = numbers.into_iter().map(back).collect();
    desk
}

fn states(desk: &Native) -> Vec<State> {
    desk.log.iter().map(|entry| entry.status.state()).collect()
}

/// How often each way was asked to check something in: Koha's own, and offline processing.
fn asked(koha: &FakeKoha) -> (usize, usize) {
    let requests = koha.requests();
    let own = requests.iter().filter(|request| request.method == "POST" && request.path.ends_with("/checkins"));
    let classic = requests.iter().filter(|request| request.parameter("action") == Some("return"));
    (own.count(), classic.count())
}

fn returned(koha: &FakeKoha) -> usize {
    koha.library(|library| library.count_effects(|effect| matches!(effect, Effect::Returned { .. })))
}

/// Each fault, what then is the state, how often Koha was asked, and whether it did it.
fn faults() -> Vec<(FaultKind, State, usize, bool)> {
    let in_doubt = |fault, is_done| (fault, State::InDoubt, 1, is_done);
    let mut faults = vec![
        in_doubt(FaultKind::ResetBefore, false),
        in_doubt(FaultKind::ResetAfter, true),
        in_doubt(FaultKind::CutHeaders, true),
        in_doubt(FaultKind::Status(500), false),
        in_doubt(FaultKind::Status500After, true),
        in_doubt(FaultKind::Endless("Success. "), true),
        in_doubt(FaultKind::Endless("<html><title>Welcome</title>"), true),
        in_doubt(FaultKind::HtmlLogin, false),
        // Pages are anybody's: the interface itself answers with JSON.
        in_doubt(FaultKind::Status(401), false),
        in_doubt(FaultKind::Status(403), false),
        in_doubt(FaultKind::Status(404), false),
        in_doubt(FaultKind::Redirect("https://example.invalid/".into()), false),
        // Koha says that it does not know the session: a new one is made.
        (FaultKind::ExpireSession, State::Success, 2, true),
    ];
    for front in [
        Front::Page(403),
        Front::Page(404),
        Front::Basic,
        Front::Text("Access denied by policy"),
        Front::LoginPage,
        Front::Busy { status: 429, retry_after: RetryAfter::Seconds(1) },
        Front::Busy { status: 503, retry_after: RetryAfter::Missing },
    ] {
        faults.push(in_doubt(FaultKind::FrontBefore(front.clone()), false));
        faults.push(in_doubt(FaultKind::FrontAfter(front), true));
    }
    faults
}

#[test]
fn every_fault_proves_what_the_log_says_and_nothing_is_checked_in_twice() {
    for (fault, state, times, is_done) in faults() {
        let case = format!("{fault:?}");
        let koha = koha(Some(Checkins::default()));
        // After the question whether it is there.
        koha.fault(Fault::on("/api/v1/checkins", fault).skip(1).times(1));
        let mut desk = desk(&koha, [1]);
        let summary = desk.run();
        assert_eq!(states(&desk), [state], "{case}: {summary:?}");
        assert_eq!((asked(&koha), returned(&koha)), ((times, 0), usize::from(is_done)), "{case}");
        koha.clear_faults();
        // It is proved by the loan; what is not there may come still, and waits.
        desk.run();
        let end = if is_done { State::Success } else { state };
        assert_eq!((states(&desk), asked(&koha)), (vec![end], (times, 0)), "{case}, pressed again");
        assert_eq!(returned(&koha), usize::from(is_done), "{case}, pressed again");
    }
}

#[test]
fn what_was_lent_again_meanwhile_is_not_taken_back_by_a_checkin_in_doubt() {
    for (fault, end) in [(FaultKind::ResetAfter, State::Success), (FaultKind::ResetBefore, State::InDoubt)] {
        let koha = koha(Some(Checkins::default()));
        koha.fault(Fault::on("/api/v1/checkins", fault).skip(1).times(1));
        let mut desk = desk(&koha, [1]);
        desk.run();
        koha.clear_faults();
        koha.library(|library| library.lend_before(OTHER, &item(1), "2026-11-25 10:00:00"));
        desk.run();
        assert_eq!((states(&desk), asked(&koha)), (vec![end], (1, 0)));
        assert_eq!(koha.library(|library| library.holder_of(&item(1)).map(str::to_owned)).as_deref(), Some(OTHER));
    }
}

#[test]
fn what_somebody_sends_again_is_refused_the_second_time_and_shown_as_done() {
    let koha = koha(Some(Checkins::default()));
    koha.fault(Fault::on("/api/v1/checkins", FaultKind::SentAgain).skip(1).times(1));
    let mut desk = desk(&koha, [1]);
    let summary = desk.run();
    assert_eq!((states(&desk), returned(&koha)), (vec![State::Success], 1));
    assert_eq!((summary.rejected, summary.success), (0, 1));
}

/// A library with a hold on the first item, and the second and the eighth from elsewhere; the third has a part, the ninth nobody
/// has.
fn busy(checkins: Checkins, date_format: DateFormat) -> FakeKoha {
    let koha = koha(Some(checkins));
    koha.library(|library| {
        library.preferences.date_format = date_format;
        let patron_id = library.patron(OTHER).unwrap().id;
        let (biblio_id, item_id) = library.item(&item(1)).map(|item| (item.biblio_id, item.id)).unwrap();
        library.holds.push(Hold {
            id: 501,
            patron_id,
            biblio_id,
            item_id: Some(item_id),
            branch: "MPL".into(),
            priority: 1,
            placed_on: "2026-11-02".into(),
            found: None,
            waiting_since: None,
        });
        for number in 1..=9 {
            let home = if number == 2 { "MPL" } else { "CPL" };
            library.item_mut(&item(number)).unwrap().branch = home.into();
        }
        library.item_mut(&item(3)).unwrap().materials = "1 CD".into();
        let nobodys = library.item(&item(9)).unwrap().id;
        library.loans.retain(|loan| loan.item_id != nobodys);
    });
    koha
}

#[test]
fn what_koha_says_stands_in_the_log_in_each_of_its_branches() {
    let silent = Checkins { asks_not_issued: true, messages: false, sends_home: true, ..Checkins::default() };
    for (checkins, date_format, away) in [
        (Checkins::default(), DateFormat::Us, CheckedIn::NEEDS_TRANSFER),
        (silent, DateFormat::Iso, CheckedIn::TRANSFERRED),
    ] {
        let koha = busy(checkins, date_format);
        let mut desk = desk(&koha, [1, 2, 3, 4, 9]);
        let summary = desk.run();
        let [hold, home, parts, plain, nobodys] = &desk.log[..] else { unreachable!() };
        let (yes, no) = (State::Success, State::Rejected);
        assert_eq!(states(&desk), [yes, yes, no, yes, no], "{summary:?}");
        assert_eq!(hold.set_aside(), Some((501, "MPL")));
        let told = home.checkin.as_ref().unwrap();
        assert!(told.said.iter().any(|key| key == away) && told.to.as_deref() == Some("MPL"), "{told:?}");
        assert!(plain.checkin.is_some() && nobodys.was_not_on_loan());
        let words = serde_json::to_value(&parts.status).unwrap();
        assert_eq!(words["message"], "Confirmation required: item_parts");
        assert_eq!((asked(&koha).1, summary.no_own_checkin, summary.audited.odd.len()), (0, None, 0), "{summary:?}");
        koha.library(|library| {
            let times: Vec<&str> = library.old_loans.iter().map(|old| old.returned_at.as_str()).collect();
            assert_eq!(times, ["2026-11-23 11:00:01", "2026-11-23 11:00:02", "2026-11-23 11:00:04"]);
            assert!(library.loan_of(&item(3)).is_some(), "nobody has answered for its part");
            assert!(library.holds[0].found.is_none(), "a person catches it");
        });
    }
}

#[test]
fn a_library_that_takes_back_its_own_alone_refuses_the_others() {
    let koha = busy(Checkins { at_home_alone: true, ..Checkins::default() }, DateFormat::Iso);
    let mut desk = desk(&koha, [2, 4]);
    desk.run();
    assert_eq!(states(&desk), [State::Rejected, State::Success]);
    assert_eq!(serde_json::to_value(&desk.log[0].status).unwrap()["message"], "Checkin blocked: wrong_branch");
}

#[test]
fn where_it_is_not_to_be_used_all_goes_as_before() {
    let no_dates = Checkins { takes_dates: false, ..Checkins::default() };
    for (checkins, account, absence, own) in [
        (None, "koha", Absence::NotThere, 0),
        (Some(Checkins::default()), "noperm", Absence::NotAllowed, 0),
        (Some(no_dates), "koha", Absence::NoDates, 1),
    ] {
        let koha = koha(checkins);
        let mut desk = desk(&koha, 1..=3);
        (desk.settings.username, desk.settings.password) = (account.into(), koct_core::Secret::new(account));
        let summary = desk.run();
        assert_eq!(summary.no_own_checkin, Some(absence), "{summary:?}");
        assert_eq!((states(&desk), asked(&koha)), (vec![State::Success; 3], (own, 3)), "{absence:?}");
        assert_eq!(returned(&koha), 3);
        let looks = koha.requests().iter().filter(|request| request.path.ends_with("/checkins/availability")).count();
        assert_eq!(looks, 1, "once");
    }
}

#[test]
fn a_server_in_another_zone_that_reads_no_zone_dates_one_wrong_and_no_more() {
    let checkins = Some(Checkins::default());
    let config = Config { era: Era::From2405, checkins, zone_offset_minutes: -300, ..Config::default() };
    let koha = FakeKoha::start(config).unwrap();
    koha.library(|library| {
        for number in 1..=3 {
            library.lend_before(PATRON, &item(number), "2026-11-01 10:00:00");
            library.item_mut(&item(number)).unwrap().materials = "".into();
        }
        library.preferences.date_format = DateFormat::Metric;
    });
    let mut desk = desk(&koha, 1..=3);
    let summary = desk.run();
    assert_eq!((summary.no_own_checkin, asked(&koha)), (Some(Absence::OtherTime), (1, 2)));
    let odd: Vec<_> = summary.audited.odd.iter().map(|odd| (odd.id.0, odd.oddity.clone())).collect();
    assert_eq!(odd, [(1, Oddity::NoTrace)], "a person is told of it");
    // One whose days are written as the standard has it reads the zone too.
    koha.library(|library| {
        library.preferences.date_format = DateFormat::Iso;
        library.lend_before(PATRON, &item(1), "2026-11-01 10:00:00");
    });
    desk.log = vec![back(1)];
    assert_eq!(desk.run().no_own_checkin, None);
    koha.library(|library| assert_eq!(library.old_loans.last().unwrap().returned_at, "2026-11-23 05:00:01"));
}
