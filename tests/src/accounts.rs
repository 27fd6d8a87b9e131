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
        matrix::{BEFORE_TRANSACTIONS, Desk},
        native::Native,
    };
    use fake_koha::{Config, Era, Fault, FaultKind, Library};
    use koct_core::{ApiKey, CommitType, Secret, State};
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
