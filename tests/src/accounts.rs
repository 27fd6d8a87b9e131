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
    use crate::{matrix::Desk, native::Native};
    use fake_koha::{Config, Era};
    use koct_core::{CommitType, Secret, State};
    use serde_json::json;

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
