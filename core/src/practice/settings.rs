//! The settings that hold in practice.

use super::made_up::{every_code, meant};
use crate::settings::{
    form::{Form, ServerUrl, Settings},
    records::RecordsSettings,
    table::Preferences,
};

/// No server has such a name (RFC 6761), and practice asks none.
pub(super) const SERVER: &str = "https://practice.invalid";
/// The name and the password of the account there.
const ACCOUNT: &str = "practice";
/// The library of a desk that is not set up yet.
const BRANCH: &str = "HERE";

/// The settings that hold in practice, where these are stored: those of the desk, and of Koha only the library, how transactions come
/// into it, and the name of the desk. The made-up codes are right, whatever the library's look like.
pub fn preferences(stored: Preferences) -> Preferences {
    let Preferences { form, desk, records, .. } = stored;
    let branchcode = form.branchcode().unwrap_or_else(|_| BRANCH.to_owned());
    let form = Form { branchcode, commit_type: form.commit_type, desk_name: form.desk_name, ..Form::default() };
    let mut desk = desk;
    desk.notify = false;
    desk.second_copy = false;
    let codes = desk.codes(&form.branchcode);
    for (code, is_card) in every_code() {
        desk.teach(&meant(&codes, code, is_card), is_card);
    }
    let records = RecordsSettings { enabled: true, debt_limit: records.debt_limit, ..RecordsSettings::default() };
    Preferences { form, desk, records, saved: true, ..Preferences::default() }
}

/// With what a commit goes to the made-up Koha. `None` where it has no address, which cannot be.
pub fn to_commit(preferences: &Preferences) -> Option<Settings> {
    let Form { branchcode, commit_type, .. } = &preferences.form;
    Some(Settings {
        commit_type: *commit_type,
        stale_hours: preferences.form.stale_hours().unwrap_or(24),
        ..Settings::at(ServerUrl::parse(SERVER).ok()?, ACCOUNT, ACCOUNT, branchcode)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{desk::DeskSettings, form::CommitType, policy::Policy, stored::Stored};

    #[test]
    fn practice_knows_no_server_and_no_secret_and_works_as_the_library_has_set() {
        let local = r#"{"settings": {"server": "https://koha.example.org", "username": "desk", "branchcode": "CPL",
            "commitType": "apply", "kohaCheckin": true}, "habits": {"itemLengths": "14", "cardLengths": "10", "sounds": false,
            "cardPattern": "2352*", "notify": true}, "lookup": {"enabled": false, "debtLimit": "20", "keyKept": "computer",
            "clientId": "key"}, "desk": "Bus 2", "password": "letmein", "clientSecret": "s3cret", "tested": "x"}"#;
        let stored =
            Stored::parse(local, "{}").preferences(&Policy::parse(r#"{"server": "https://other.example.org"}"#));
        let practice = preferences(stored);
        assert!(practice.settings().is_err() && !practice.form.connects() && practice.tested.is_none());
        assert!(practice.secrets().all(|(_, secret)| secret.is_empty()) && practice.records.client_id.is_empty());
        assert!(!format!("{practice:?}").contains("example.org"));
        assert_eq!((practice.form.branchcode.as_str(), practice.form.desk_name.as_str()), ("CPL", "Bus 2"));
        assert_eq!((practice.records.enabled, practice.records.debt_limit.as_str()), (true, "20"));
        assert!(!practice.desk.sounds && !practice.desk.notify && practice.desk.item_lengths == "14");
        let asked = to_commit(&practice).unwrap();
        assert_eq!((asked.server.as_str(), asked.branchcode.as_str()), (SERVER, "CPL"));
        assert_eq!((asked.commit_type, asked.koha_checkin), (CommitType::Apply, false));
    }

    #[test]
    fn a_desk_that_is_not_set_up_can_practise() {
        let practice = preferences(Preferences::default());
        assert_eq!(to_commit(&practice).unwrap().branchcode, BRANCH);
        assert!(practice.saved, "nobody is asked to set it up");
    }

    #[test]
    fn made_up_codes_are_asked_about_in_no_library() {
        let desk = DeskSettings {
            item_rules: "libsuite8".into(),
            item_lengths: "14".into(),
            item_check_digit: true,
            card_lengths: "9".into(),
            card_check_digit: true,
            card_also: "ILL-#".into(),
            ..DeskSettings::default()
        };
        let practice = preferences(Preferences { desk, ..Preferences::default() });
        let codes = practice.desk.codes(&practice.form.branchcode);
        for (code, is_card) in every_code() {
            let shape = if is_card { &codes.patrons } else { &codes.items };
            assert_eq!(shape.oddity(&meant(&codes, code, is_card)), None, "{code}");
        }
        assert!(codes.patrons.oddity("23529000").is_some() && codes.patrons.oddity("ILL-7").is_none());
    }
}
