//! What a desk keeps of its settings, and for how long: on this computer (`storage.local`), or secrets in this session of
//! the browser only (`storage.session`).

use crate::settings::{
    desk::DeskSettings,
    form::{Login, Secret},
    key_kept::KeyKept,
    policy::Policy,
    table::{Field, Group, Kind, Preferences, Value},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

/// The key of what was tested last with success.
pub const TESTED: &str = "tested";

/// Under this name earlier versions look whether a passphrase keeps the key of the records.
const PASSPHRASE: &str = "passphrase";

/// The keys of all that is stored of the settings and is no secret.
pub fn keys_without_secrets() -> impl Iterator<Item = &'static str> {
    let apart = Field::ALL.iter().filter(|field| field.kind() != Kind::Secret).filter_map(|field| field.stored_apart());
    [Group::Koha, Group::Desk, Group::Records].map(Group::stored).into_iter().chain(apart)
}

/// What the browser has stored.
#[derive(Default)]
pub struct Stored {
    local: Map<String, Json>,
    session: Map<String, Json>,
}

impl Stored {
    /// Reads it from JSON. What cannot be read is as if it were not there.
    pub fn parse(local: &str, session: &str) -> Self {
        let read = |json| serde_json::from_str(json).unwrap_or_default();
        Self { local: read(local), session: read(session) }
    }

    fn local_text(&self, key: &str) -> Option<&str> {
        self.local.get(key)?.as_str()
    }

    /// Reads the settings that are stored together.
    fn group<T: DeserializeOwned>(&self, group: Group, own: &mut Vec<Group>) -> Option<T> {
        let mut stored = self.local.get(group.stored())?.clone();
        if let Some(fields) = stored.as_object_mut().filter(|fields| fields.contains_key("keyKept")) {
            // For earlier versions.
            fields.remove(PASSPHRASE);
        }
        // From its text, as all else is read.
        let read = serde_json::from_str(&stored.to_string()).ok()?;
        own.push(group);
        Some(read)
    }

    /// How the desk works, by itself, and the code of its library, which rules for codes go by. A window reads this before it knows what the address of a server is, to be ready for
    /// scans; so a preset of [`Policy::parse_unchecked`] will do, and one that cannot be used has no effect here either.
    pub fn desk(&self, policy: &Policy) -> (DeskSettings, String) {
        let mut own = Vec::new();
        let desk = self.group(Group::Desk, &mut own).unwrap_or_default();
        let mut preferences = Preferences { desk, ..Preferences::default() };
        // The rest of this group would bring what is known of addresses.
        if let Some(koha) = self.local.get(Group::Koha.stored()).and_then(Json::as_object) {
            own.push(Group::Koha);
            let branchcode = koha.get("branchcode").and_then(Json::as_str).unwrap_or_default();
            branchcode.clone_into(&mut preferences.form.branchcode);
        }
        policy.apply(&mut preferences, &own);
        let of_desk = |field: &&Field| field.group() == Group::Desk && field.kind() != Kind::Secret;
        for field in Field::ALL.iter().filter(of_desk) {
            self.read_apart(*field, policy, &mut preferences);
        }
        (preferences.desk, preferences.form.branchcode)
    }

    /// Reads a setting that is stored apart and no secret. Where it is the library's alone, what is stored does not count.
    fn read_apart(&self, field: Field, policy: &Policy, preferences: &mut Preferences) {
        if let Some(text) =
            field.stored_apart().and_then(|key| self.local_text(key)).filter(|_| !policy.is_locked(field))
        {
            // What cannot be read is as if it were not there.
            let _ = field.set(preferences, Value::Text(text.to_owned()));
        }
    }

    /// The settings to use: what is stored, the library's presets, defaults where there is neither. The desk may have no name
    /// yet.
    pub fn preferences(&self, policy: &Policy) -> Preferences {
        let mut own = Vec::new();
        let mut preferences = Preferences {
            form: self.group(Group::Koha, &mut own).unwrap_or_default(),
            desk: self.group(Group::Desk, &mut own).unwrap_or_default(),
            records: self.group(Group::Records, &mut own).unwrap_or_default(),
            keep_password: false,
            withholds_secrets: false,
            saved: self.local.contains_key(Group::Koha.stored()),
            tested: self.local_text(TESTED).map(str::to_owned),
        };
        let password = Field::Password.stored_apart().and_then(|key| self.local_text(key));
        preferences.keep_password = own.contains(&Group::Koha) && password.is_some();
        let stored_for = preferences.clone();
        policy.apply(&mut preferences, &own);
        // A policy may name another server than they were stored for.
        let holds = stored_for.secrets_hold_for(&preferences.form.server);
        for field in Field::ALL {
            let Some(key) = field.stored_apart() else { continue };
            if field.kind() != Kind::Secret {
                self.read_apart(*field, policy, &mut preferences);
                continue;
            }
            let session = || self.session.get(key)?.as_str();
            let Some(text) = self.local_text(key).or_else(session) else { continue };
            if holds {
                // What is stored apart is a text.
                let _ = field.set(&mut preferences, Value::Text(text.to_owned()));
            } else {
                preferences.withholds_secrets |= !text.is_empty();
            }
        }
        preferences
    }

    /// Whether a secret is stored that shall not be. Where it was forbidden since to keep it on this computer, it is forgotten
    /// when the browser is closed, as if the box had never been ticked; a password that is not used any more, at once. One that
    /// was stored for another server waits for a person, who is told.
    pub fn keeps_too_much(&self, preferences: &Preferences) -> bool {
        let is_unused = |key| [&self.local, &self.session].iter().any(|at| at.get(key).is_some_and(|it| it != ""));
        preferences.secrets().any(|(key, secret)| {
            (!preferences.keep_password && self.local_text(key).is_some())
                || (secret.is_empty() && is_unused(key) && !preferences.withholds_secrets)
        })
    }
}

impl Preferences {
    /// What is to be stored on this computer, as JSON: all but the secrets.
    pub fn to_local(&self) -> String {
        let mut local = json!({
            (Group::Koha.stored()): self.form,
            (Group::Desk.stored()): self.desk,
            (Group::Records.stored()): self.records,
        });
        local[Group::Records.stored()][PASSPHRASE] = (self.records.key_kept == KeyKept::Passphrase).into();
        for field in Field::ALL.iter().filter(|field| field.kind() != Kind::Secret) {
            if let (Some(key), Value::Text(text)) = (field.stored_apart(), field.get(self)) {
                local[key] = text.into();
            }
        }
        local.to_string()
    }

    /// Whether it matters for how long secrets are kept: there is an account, or an API key.
    pub fn has_secret_to_keep(&self) -> bool {
        self.form.login == Login::Account || !self.records.client_secret.is_empty()
    }

    /// The secrets with their keys. A password that is not used is none.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, Secret)> {
        let secrets = Field::ALL.iter().filter(|field| field.kind() == Kind::Secret);
        let is_unused = |field| field == Field::Password && self.form.login == Login::OpenKoha;
        secrets.filter_map(move |field| match (field.stored_apart(), field.get(self)) {
            (Some(key), _) if is_unused(*field) => Some((key, Secret::default())),
            (Some(key), Value::Text(secret)) => Some((key, Secret::new(secret))),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::keyboard::ScannerKeyboard,
        settings::{form::Form, table::tests::changed},
    };
    use proptest::prelude::*;

    /// What an earlier version has stored: the keys and names of it are read for ever.
    const LOCAL: &str = r#"{"settings": {"server": "https://koha.example.org", "username": "desk", "branchcode": "CPL",
        "commitType": "apply", "staleHours": "48"}, "habits": {"scannerEnd": "tab", "cardPattern": "2352*", "sounds": false,
        "libraryName": "Centerville", "loanDays": "21", "notice": "of an old policy"}, "lookup": {"enabled": true, "passphrase":
        true, "debtLimit": "7.5", "remindDays": "2", "wipeDays": "7", "restrictionsReport": "12", "clientId": "key"},
        "desk": "Bus 2", "tested": "https://koha.example.org\tdesk\tCPL"}"#;
    const SECRETS: &str = r#"{"password": " letmein", "clientSecret": "s3cret"}"#;

    #[test]
    fn what_earlier_versions_stored_is_read() {
        let policy = Policy::default();
        let all_local = LOCAL.replacen('{', &SECRETS.replace('}', ","), 1);
        for (local, session, keep_password) in [(LOCAL, SECRETS, false), (all_local.as_str(), "{}", true)] {
            let stored = Stored::parse(local, session);
            let preferences = stored.preferences(&policy);
            assert!(!stored.keeps_too_much(&preferences));
            assert_eq!(stored.desk(&policy), (preferences.desk.clone(), "CPL".to_owned()));
            assert_eq!((preferences.saved, preferences.keep_password), (true, keep_password));
            assert_eq!(preferences.tested.as_deref(), Some("https://koha.example.org\tdesk\tCPL"));
            for (field, text) in [
                (Field::Server, "https://koha.example.org"),
                (Field::Username, "desk"),
                (Field::Password, " letmein"),
                (Field::Branchcode, "CPL"),
                (Field::CommitType, "apply"),
                (Field::StaleHours, "48"),
                (Field::DeskName, "Bus 2"),
                (Field::ScannerEnd, "tab"),
                (Field::CardPattern, "2352*"),
                (Field::LibraryName, "Centerville"),
                (Field::LoanDays, "21"),
                (Field::Notice, ""),
                (Field::KeyKept, "passphrase"),
                (Field::DebtLimit, "7.5"),
                (Field::RemindDays, "2"),
                (Field::WipeDays, "7"),
                (Field::RestrictionsReport, "12"),
                (Field::ClientId, "key"),
                (Field::ClientSecret, "s3cret"),
            ] {
                assert!(field.get(&preferences) == Value::Text(text.into()), "{field:?}");
            }
            for (field, flag) in [(Field::Sounds, false), (Field::Records, true)] {
                assert!(field.get(&preferences) == Value::Flag(flag), "{field:?}");
            }
        }
        assert_eq!(Stored::parse("{}", "{}").preferences(&policy), Preferences::default());
        // Before there was anything but the account.
        let oldest = Stored::parse(r#"{"settings": {"server": "koha.example.org"}}"#, "{}").preferences(&policy);
        let form = Form { server: "koha.example.org".into(), ..Form::default() };
        assert_eq!(oldest, Preferences { form, saved: true, ..Preferences::default() });
    }

    #[test]
    fn rules_for_codes_go_by_the_library_before_the_rest_is_read() {
        let policy = Policy::parse(r#"{"branchcode": "MPL", "itemRules": ["libsuite8"]}"#);
        let (desk, branch) = Stored::parse("{}", "").desk(&policy);
        assert_eq!(desk.codes(&branch).item("b000126"), "MPL-b-126");
        let (desk, branch) = Stored::parse(LOCAL, SECRETS).desk(&policy);
        assert_eq!((desk.item_rules.as_str(), branch.as_str()), ("", "CPL"), "the person has stored their own");
    }

    #[test]
    fn the_keyboard_of_the_scanners_is_kept_by_itself() {
        let local = r#"{"scannerKeyboard": "us"}"#;
        let of = |local, policy| {
            let (stored, policy) = (Stored::parse(local, ""), Policy::parse(policy));
            let desk = stored.preferences(&policy).desk;
            assert_eq!(stored.desk(&policy).0, desk);
            (desk.scanner_keyboard, desk.sounds)
        };
        assert_eq!(of(local, "{}"), (ScannerKeyboard::Us, true));
        // What else is preset holds still: nobody has stored it.
        let policy = r#"{"scannerKeyboard": "as-typed", "sounds": false}"#;
        assert_eq!(of(local, policy), (ScannerKeyboard::Us, false));
        assert_eq!(of("{}", policy), (ScannerKeyboard::AsTyped, false));
        let locked = policy.replace('{', r#"{"locked": true, "#);
        assert_eq!(of(local, &locked), (ScannerKeyboard::AsTyped, false));
        assert_eq!(of(r#"{"scannerKeyboard": "dvorak"}"#, "{}"), (ScannerKeyboard::Ask, true));
    }

    /// A window begins with what is read first: a setting that is forgotten there would silently be what it is by default.
    #[test]
    fn how_the_desk_works_is_read_first_as_it_is_read_in_the_end() {
        let policy = Policy::default();
        let local = changed().to_local();
        let stored = Stored::parse(&local, "");
        assert_eq!(stored.desk(&policy).0, stored.preferences(&policy).desk);
    }

    #[test]
    fn what_is_stored_can_be_read_by_earlier_versions() {
        let preferences = Stored::parse(LOCAL, SECRETS).preferences(&Policy::default());
        let local: Json = serde_json::from_str(&preferences.to_local()).unwrap();
        let mut earlier: Json = serde_json::from_str(LOCAL).unwrap();
        earlier.as_object_mut().unwrap().remove(TESTED);
        earlier["habits"]["notice"] = "".into();
        for (key, group) in earlier.as_object().unwrap() {
            match group.as_object() {
                Some(fields) => {
                    assert!(fields.iter().all(|(name, value)| local[key][name] == *value), "{key}: {local}");
                }
                None => assert_eq!(&local[key], group, "{key}"),
            }
        }
        let secrets: Vec<_> = preferences.secrets().map(|(key, secret)| (key, secret.reveal().to_owned())).collect();
        assert_eq!(secrets, [("password", " letmein".to_owned()), ("clientSecret", "s3cret".to_owned())]);
    }

    #[test]
    fn every_setting_is_stored_and_read_again_and_no_secret_with_the_others() {
        let mut all = changed();
        let local = all.to_local();
        assert!(local.contains("open-koha"));
        all.form.login = Login::Account;
        let local = all.to_local();
        for (_, secret) in all.secrets() {
            assert!(!secret.is_empty() && !local.contains(secret.reveal()));
        }
        let secrets = all.secrets().map(|(key, secret)| (key.to_owned(), secret.reveal().into()));
        let secrets = Json::Object(secrets.collect()).to_string();
        for keep in [false, true] {
            let session = if keep { String::new() } else { secrets.clone() };
            let local = if keep { local.replacen('{', &secrets.replace('}', ","), 1) } else { local.clone() };
            let mut expected = Preferences { keep_password: keep, saved: true, ..all.clone() };
            // No person's own.
            expected.desk.notice.clear();
            assert_eq!(Stored::parse(&local, &session).preferences(&Policy::default()), expected);
        }
    }

    #[test]
    fn a_secret_that_may_not_stay_is_moved_and_not_lost() {
        let policy = Policy::parse(r#"{"keepPassword": false, "locked": true}"#);
        let stored =
            Stored::parse(&LOCAL.replacen('{', r#"{"password": "letmein","#, 1), r#"{"clientSecret": "s3cret"}"#);
        let preferences = stored.preferences(&policy);
        assert!(!preferences.keep_password && stored.keeps_too_much(&preferences));
        assert_eq!(preferences.form.password.reveal(), "letmein");
        assert_eq!(preferences.records.client_secret.reveal(), "s3cret");
    }

    #[test]
    fn a_policy_that_names_another_server_does_not_get_what_was_stored_for_the_one_before() {
        let all_local = LOCAL.replacen('{', &SECRETS.replace('}', ","), 1);
        for (local, session) in [(LOCAL, SECRETS), (all_local.as_str(), "{}")] {
            let stored = Stored::parse(local, session);
            for (server, holds) in [
                ("https://koha.example.org", true),
                ("https://koha.example.org/staff", true),
                ("http://koha.example.org", false),
                ("https://koha.example.com", false),
            ] {
                let policy = Policy::parse(&format!(r#"{{"server": "{server}", "locked": true}}"#));
                let preferences = stored.preferences(&policy);
                assert_eq!(preferences.form.server, server);
                let secrets: Vec<_> = preferences.secrets().map(|(_, secret)| secret.reveal().to_owned()).collect();
                assert_eq!(secrets, if holds { [" letmein", "s3cret"] } else { ["", ""] }, "{server}");
                assert_eq!(preferences.withholds_secrets, !holds, "{server}");
                assert!(!stored.keeps_too_much(&preferences), "they wait for a person: {server}");
            }
        }
        // Whose they are cannot be read: they are nobody's.
        let policy = Policy::parse(r#"{"server": "https://koha.example.org"}"#);
        let preferences = Stored::parse(r#"{"settings": 7}"#, SECRETS).preferences(&policy);
        assert!(preferences.form.password.is_empty() && preferences.withholds_secrets);
        let nothing = Stored::parse(LOCAL, r#"{"password": "", "clientSecret": ""}"#);
        let policy = Policy::parse(r#"{"server": "https://koha.example.com", "locked": true}"#);
        assert!(!nothing.preferences(&policy).withholds_secrets, "there is nothing");
    }

    #[test]
    fn a_password_that_is_not_used_is_stored_nowhere() {
        let policy = Policy::parse(r#"{"login": "open-koha", "locked": true}"#);
        let local = LOCAL.replacen('{', r#"{"password": "letmein","#, 1);
        for (local, session) in [(LOCAL, SECRETS), (local.as_str(), r#"{"clientSecret": "s3cret"}"#)] {
            let stored = Stored::parse(local, session);
            assert!(!stored.keeps_too_much(&stored.preferences(&Policy::default())));
            let preferences = stored.preferences(&policy);
            assert!(stored.keeps_too_much(&preferences));
            let secrets: Vec<_> = preferences.secrets().map(|(_, secret)| secret.reveal().to_owned()).collect();
            assert_eq!(secrets, ["", "s3cret"]);
        }
        let stored = Stored::parse(LOCAL, r#"{"password": "", "clientSecret": "s3cret"}"#);
        assert!(!stored.keeps_too_much(&stored.preferences(&policy)), "it is done");
    }

    #[test]
    fn how_long_secrets_are_kept_matters_where_there_is_one() {
        let mut preferences = Preferences::default();
        assert!(preferences.has_secret_to_keep(), "an account has a password");
        preferences.form.login = Login::OpenKoha;
        assert!(!preferences.has_secret_to_keep());
        preferences.records.client_secret = Secret::new("s3cret");
        assert!(preferences.has_secret_to_keep());
    }

    proptest! {
        #[test]
        fn what_cannot_be_read_is_as_if_it_were_not_there(
            key in "settings|habits|lookup|desk|password|tested",
            value in "null|true|[0-9]{1,30}|\"[a-z]{0,9}\"|\\[\\]|\\{\"(server|sounds|enabled|commitType)\": (null|7|\"x\"|true)\\}",
        ) {
            let policy = Policy::default();
            let preferences = Stored::parse(&format!("{{{}: {value}}}", json!(key)), &value).preferences(&policy);
            let again = Stored::parse(&preferences.to_local(), "").preferences(&policy);
            prop_assert_eq!((again.desk, again.records, again.form.server), (preferences.desk, preferences.records, preferences.form.server));
        }
    }
}
