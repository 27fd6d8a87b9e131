//! Every kind of account that a desk may have, from a superlibrarian to a plain patron.

use fake_koha::{Effect, FakeKoha};

/// The accounts of fake-koha's library; each one's password is its name.
pub const ACCOUNTS: [&str; 5] = ["koha", "circ", "circonly", "noperm", "patron1"];

/// The branch of what Koha did last: where it was lent, or for which it was queued. `None` where it did something else.
pub fn last_branch(koha: &FakeKoha) -> Option<String> {
    koha.library(|library| match library.effects.last()? {
        Effect::Issued { branch, .. } => Some(branch.clone()),
        Effect::Queued(operation) => Some(operation.branch.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client,
        matrix::{BEFORE_TRANSACTIONS, Desk, transactions},
        native::Native,
    };
    use fake_koha::{Config, Era, Fault, FaultKind, Library};
    use koct_core::{
        ApiKey, CommitType, Secret, ServerUrl, Settings, State,
        koha::{
            connection::{Connection, ConnectionError, ConnectionStep},
            rest,
            trial::{FaultAt, Trial},
        },
        outbox::summary::CommitError,
        settings::table::Field,
    };
    use serde_json::json;

    #[test]
    fn an_account_that_may_not_read_is_proved_right_by_an_api_key() {
        for newest in [false, true] {
            for key in ["key-secret", "wrong"] {
                let mut library = Library::standard();
                library.add_api_key("koha", "desk-key", "key-secret");
                let koha =
                    FakeKoha::start(Config { era: Era::From2405, newest, library, ..Config::default() }).unwrap();
                let mut desk = Native::new(&koha, CommitType::Apply);
                desk.settings.username = "circonly".into();
                desk.settings.password = Secret::new("circonly");
                desk.settings.key = Some(ApiKey { id: "desk-key".into(), secret: Secret::new(key) });
                let item = "39999000000001";
                desk.put(json!({"action": "issue", "cardnumber": "23529001223601", "barcode": item, "itemKey": item,
                    "status": {"state": "local"}}));
                koha.fault(Fault::on("service.pl", FaultKind::ResetAfter).skip(BEFORE_TRANSACTIONS));
                desk.commit();
                assert_eq!(desk.state(), State::InDoubt, "newest {newest}, {key}");
                koha.clear_faults();
                let said = desk.commit();
                let state = if key == "wrong" { State::InDoubt } else { State::Success };
                assert_eq!(desk.state(), state, "newest {newest}, {key}: {said}");
                assert_eq!(koha.library(|library| library.effects.len()), 1, "nothing twice");
            }
        }
    }

    /// A desk at this Koha, with something to send.
    fn desk(koha: &FakeKoha, commit_type: CommitType) -> Native {
        let mut desk = Native::new(koha, commit_type);
        desk.put(json!({"action": "return", "barcode": "B1", "itemKey": "b1", "status": {"state": "local"}}));
        desk
    }

    #[test]
    fn a_wrong_password_and_an_unknown_branch_stop_it_at_the_first_try() {
        for (era, newest) in [(Era::Before2405, false), (Era::From2405, false), (Era::From2405, true)] {
            for commit_type in CommitType::ALL {
                let koha = FakeKoha::start(Config { era, newest, ..Config::default() }).unwrap();
                let mut wrong = desk(&koha, commit_type);
                wrong.settings.password = Secret::new("wrong");
                assert_eq!(wrong.run().stop, Some(CommitError::Connection(ConnectionError::WrongCredentials)));
                let attempts = koha.library(|library| library.account("koha").unwrap().login_attempts);
                assert_eq!(attempts, 1, "an account may lock after a few");
                let mut unknown = desk(&koha, commit_type);
                unknown.settings.branchcode = "ZZZ".into();
                let stop = unknown.run().stop;
                let names = |libraries: &[rest::Library]| libraries.iter().any(|library| library.branchcode == "CPL");
                assert!(
                    matches!(&stop, Some(CommitError::BranchUnknown { branch, libraries }) if branch == "ZZZ" && names(libraries)),
                    "{stop:?}"
                );
                assert_eq!((wrong.state(), unknown.state()), (State::Local, State::Local));
                assert!(transactions(&koha).is_empty());
            }
        }
    }

    #[test]
    fn payments_are_exact_to_the_last_cent() {
        for (era, newest) in [(Era::Before2405, false), (Era::From2405, false), (Era::From2405, true)] {
            let koha = FakeKoha::start(Config { era, newest, ..Config::default() }).unwrap();
            for amount in ["0.10", "0.20", "3.00", "12.345"] {
                let mut desk = Native::new(&koha, CommitType::Apply);
                desk.put(json!({"action": "payment", "cardnumber": "23529001223606", "amount": amount,
                    "status": {"state": "local"}}));
                desk.commit();
                assert_eq!(desk.state(), State::Success, "{era:?} {amount}");
                assert_eq!(transactions(&koha).last().unwrap().parameter("amount"), Some(amount), "{era:?}");
            }
            assert_eq!(
                koha.library(|library| library.count_effects(|effect| matches!(effect, Effect::Paid { .. }))),
                4
            );
        }
    }

    /// What the settings page's test of the connection finds, and how it is said there, is `koct_core::koha::trial`.
    #[test]
    fn a_trial_finds_what_is_wrong_whatever_koha_it_is() {
        for (era, newest) in [(Era::Before2405, false), (Era::From2405, false), (Era::From2405, true)] {
            let koha = FakeKoha::start(Config { era, newest, ..Config::default() }).unwrap();
            let tried = |change: &dyn Fn(&mut Settings)| {
                let mut settings = Native::new(&koha, CommitType::Send).settings;
                change(&mut settings);
                let (mut connection, mut request) = Connection::start(settings.clone());
                let tried = loop {
                    match connection.handle(client::send(&request)) {
                        ConnectionStep::Request(next) => request = next,
                        ConnectionStep::Ready(ready) => break Ok(ready),
                        ConnectionStep::Failed(error) => break Err(error),
                    }
                };
                Trial::of(tried.as_ref(), &settings)
            };
            let account = |name: &'static str, password: &'static str| {
                move |settings: &mut Settings| {
                    (settings.username, settings.password) = (name.into(), Secret::new(password));
                }
            };
            let at =
                |address: String| move |settings: &mut Settings| settings.server = ServerUrl::parse(&address).unwrap();
            let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let nobody = tried(&at(format!("http://{unused}")));
            assert_eq!(
                (nobody.fault_at(false), nobody.fault_at(true)),
                (FaultAt::Field(Field::Server), FaultAt::Away),
                "{nobody:?}"
            );
            let nothing = tried(&at(format!("{}/nothing", koha.url())));
            assert!(matches!(nothing, Trial::Failed(ConnectionError::NotKoha { .. })), "{nothing:?}");
            for wrong in [tried(&account("koha", "wrong")), tried(&account("circonly", "koha"))] {
                assert_eq!(wrong, Trial::Failed(ConnectionError::WrongCredentials), "{era:?}");
            }
            assert_eq!(tried(&|settings| settings.branchcode = "ZZZ".into()), Trial::BranchUnknown, "{era:?}");
            assert_eq!(tried(&|_| ()), Trial::Works, "{era:?}");
            assert_eq!(tried(&account("circonly", "circonly")), Trial::BranchUnchecked, "{era:?}");
            koha.library(|library| library.preferences.maintenance = true);
            assert_eq!(tried(&|_| ()), Trial::Failed(ConnectionError::Maintenance), "{era:?}");
        }
    }

    #[test]
    fn every_account_commits_at_the_library_of_the_desk() {
        for (era, newest) in [(Era::Before2405, false), (Era::From2405, false), (Era::From2405, true)] {
            for commit_type in CommitType::ALL {
                let koha = FakeKoha::start(Config { era, newest, ..Config::default() }).unwrap();
                for (number, account) in (1..).zip(ACCOUNTS) {
                    let case = format!("{era:?} newest {newest} {} {account}", commit_type.name());
                    let mut desk = Native::new(&koha, commit_type);
                    desk.settings.username = account.into();
                    desk.settings.password = Secret::new(account);
                    desk.settings.branchcode = "MPL".into();
                    let item = format!("3999900000000{number}");
                    desk.put(
                        json!({"action": "issue", "cardnumber": "23529001223601", "barcode": item, "itemKey": item,
                        "status": {"state": "local"}}),
                    );
                    let message = desk.commit();
                    let state = if commit_type == CommitType::Send { State::Added } else { State::Success };
                    assert_eq!(desk.state(), state, "{case}: {message}");
                    assert_eq!(last_branch(&koha).as_deref(), Some("MPL"), "{case}");
                    let attempts = koha.library(|library| library.account(account).unwrap().login_attempts);
                    assert_eq!(attempts, 0, "{case}: nothing counts against the account");
                }
            }
        }
    }
}
