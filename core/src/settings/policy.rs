//! What a library has preset for its desks, by Firefox's `storage.managed`.
//!
//! A preset is the value that a person finds before they have stored their own; where it is locked, it holds always. A
//! mistake in a policy never stops a desk: it is reported, and the rest is used.

use crate::{
    desk::version::Version,
    settings::{
        form::FieldError,
        key_kept::KeyKept,
        table::{Field, Group, Kind, Preferences, Value},
    },
};
use serde_json::{Map, Value as Json};

/// What is wrong in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is no object of names and values.
    NotAnObject,
    /// A name that KOCT does not know, cut to a length that can be shown.
    Unknown(String),
    /// A password, which is not taken.
    Password,
    /// The value of this name is of another kind.
    Kind(&'static str, Kind),
    /// A value that cannot be used.
    Value(&'static str, FieldError),
    /// `locked` is neither `true`, `false` nor names: a list of them, or a text with commas or blanks in between.
    Locked,
    /// `locked` names something that is not preset.
    NotPreset(String),
}

/// The name by which presets are locked.
const LOCKED: &str = "locked";
/// The name of the version of KOCT that the library's desks have; no setting, and nothing is preset by it.
const VERSION: &str = "version";
/// The name under which earlier versions preset how the key of the records is kept: whether a passphrase does it.
const PASSPHRASE: &str = "lookupPassphrase";
/// The longest unknown name that is shown, in characters.
const SHOWN: usize = 40;

/// The presets of a library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// All that is not preset stands as it is at first.
    values: Preferences,
    preset: Vec<Field>,
    locked: Vec<Field>,
    problems: Vec<Problem>,
    version: Option<Version>,
}

impl Policy {
    /// Reads what `storage.managed` gives, as JSON.
    ///
    /// ```
    /// use koct_core::settings::{policy::Policy, table::{Field, Preferences}};
    /// let policy = Policy::parse(r#"{"server": "https://koha.example.org", "branchcode": "CPL", "locked": ["server"]}"#);
    /// assert!(policy.problems().is_empty());
    /// let mut preferences = Preferences::default();
    /// policy.apply(&mut preferences, &[]);
    /// assert_eq!(preferences.form.branchcode, "CPL");
    /// assert!(policy.is_locked(Field::Server) && !policy.is_locked(Field::Branchcode));
    /// ```
    pub fn parse(json: &str) -> Self {
        Self::parse_checked(json, Field::error)
    }

    /// Reads it without looking whether values can be used, for whoever reads how the desk works and no more.
    pub fn parse_unchecked(json: &str) -> Self {
        Self::parse_checked(json, |_, _| None)
    }

    fn parse_checked(json: &str, check: fn(Field, &Preferences) -> Option<FieldError>) -> Self {
        let mut policy = Self::default();
        match serde_json::from_str(json) {
            Ok(Json::Object(values)) => policy.read(&values, check),
            Ok(Json::Null) => {}
            _ => policy.problems.push(Problem::NotAnObject),
        }
        policy
    }

    fn read(&mut self, values: &Map<String, Json>, check: fn(Field, &Preferences) -> Option<FieldError>) {
        for (name, value) in values {
            // One that has the new name beside it, for desks with an earlier version, says nothing here.
            if name == PASSPHRASE && values.contains_key(Field::KeyKept.policy_name().unwrap_or_default()) {
                continue;
            }
            match named(name) {
                Some(field) => match self.take(field, value, check) {
                    Ok(()) => self.preset.push(field),
                    Err(problem) => self.problems.push(problem),
                },
                None if name == LOCKED => {}
                None if name == VERSION => {
                    self.version = value.as_str().and_then(|text| text.parse().ok());
                    if self.version.is_none() {
                        self.problems.push(Problem::Kind(VERSION, Kind::Text));
                    }
                }
                None if name.eq_ignore_ascii_case("password") => self.problems.push(Problem::Password),
                None => self.problems.push(Problem::Unknown(shown(name))),
            }
        }
        if let Some(locked) = values.get(LOCKED) {
            self.lock(locked);
        }
    }

    /// Keeps a value that can be used.
    fn take(
        &mut self,
        field: Field,
        json: &Json,
        check: fn(Field, &Preferences) -> Option<FieldError>,
    ) -> Result<(), Problem> {
        let name = field.policy_name().unwrap_or_default();
        let unlike = || Problem::Kind(name, field.kind());
        let value = match (field.kind(), json) {
            (Kind::Flag, json) => flag(json).map(Value::Flag),
            (Kind::KeyKept, Json::Bool(_) | Json::Number(_)) => {
                flag(json).map(|passphrase| Value::Text(KeyKept::from_passphrase(passphrase).name().to_owned()))
            }
            (Kind::Number | Kind::Amount, Json::Number(number)) => Some(Value::Text(number.to_string())),
            (Kind::Rules, Json::Array(lines)) => {
                let lines: Option<Vec<&str>> = lines.iter().map(Json::as_str).collect();
                lines.map(|lines| Value::Text(lines.join("\n")))
            }
            (_, Json::String(text)) => Some(Value::Text(text.trim().to_owned())),
            _ => None,
        };
        let mut values = self.values.clone();
        value.and_then(|value| field.set(&mut values, value).ok()).ok_or_else(unlike)?;
        // What the settings page would say of it.
        if let Some(error) = check(field, &values) {
            return Err(Problem::Value(name, error));
        }
        self.values = values;
        Ok(())
    }

    fn lock(&mut self, value: &Json) {
        let names: Vec<&str> = match value {
            Json::String(names) => names.split([',', ';', ' ', '\t']).filter(|name| !name.is_empty()).collect(),
            Json::Array(names) => {
                let texts: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
                if texts.len() < names.len() {
                    self.problems.push(Problem::Locked);
                }
                texts
            }
            other => {
                match flag(other) {
                    Some(true) => self.locked.clone_from(&self.preset),
                    Some(false) => {}
                    None => self.problems.push(Problem::Locked),
                }
                return;
            }
        };
        for name in names {
            match named(name.trim()) {
                Some(field) if self.preset.contains(&field) => self.locked.push(field),
                _ => self.problems.push(Problem::NotPreset(shown(name))),
            }
        }
    }

    /// What is wrong in it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The version of KOCT that the library's desks are to have, where it says so.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether this is the library's alone to set.
    pub fn is_locked(&self, field: Field) -> bool {
        self.locked.contains(&field)
    }

    /// Puts the presets into the settings; the person has stored those in the groups of `own`, so there only what is locked
    /// holds.
    pub fn apply(&self, preferences: &mut Preferences, own: &[Group]) {
        for field in Field::ALL {
            let preset = self.preset.contains(field) && (!own.contains(&field.group()) || self.is_locked(*field));
            // What no person sets is never the person's own: one that was stored is an earlier policy's.
            if preset || !field.is_on_page() {
                // The kind is the same.
                let _ = field.set(preferences, field.get(&self.values));
            }
        }
    }
}

/// The setting of this name, also of an earlier one.
fn named(name: &str) -> Option<Field> {
    if name == PASSPHRASE { Some(Field::KeyKept) } else { Field::from_policy_name(name) }
}

fn flag(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        Json::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{amount::AmountError, keyboard::ScannerKeyboard, scanner::ScannerEnd},
        settings::{
            desk::DeskSettings,
            form::{CommitType, Form, Login},
            records::RecordsSettings,
        },
    };
    use proptest::prelude::*;

    const FULL: &str = r#"{"server": "https://koha.example.org/", "login": "open-koha", "username": "desk", "branchcode": "CPL", "commitType": "apply",
        "staleHours": 48, "kohaCheckin": true, "keepPassword": true, "scannerEnd": "tab", "scannerKeyboard": "us", "cardPattern": "2352*",
        "itemRules": ["aim", "T-prefix"], "cardRules": "start-stop AB", "sounds": false,
        "libraryName": "Centerville", "loanDays": "21", "lookup": true, "lookupKey": "computer", "lookupRefreshHours": 6, "lookupQuietHours": "22-6", "lookupDebtLimit": 7.5,
        "lookupRemindDays": 2, "lookupDays": 7, "lookupRestrictionsReport": 12, "notice": "Call 1234."}"#;

    /// What is used of each group, given what the person has stored of it, if anything.
    impl Policy {
        fn used(&self, stored: Preferences, own: bool) -> Preferences {
            let mut used = stored;
            self.apply(&mut used, if own { &[Group::Koha, Group::Desk, Group::Records] } else { &[] });
            used
        }

        fn form(&self, stored: Option<Form>) -> Form {
            let own = stored.is_some();
            self.used(Preferences { form: stored.unwrap_or_default(), ..Preferences::default() }, own).form
        }

        fn desk(&self, stored: Option<DeskSettings>) -> DeskSettings {
            let own = stored.is_some();
            self.used(Preferences { desk: stored.unwrap_or_default(), ..Preferences::default() }, own).desk
        }

        fn records(&self, stored: Option<RecordsSettings>) -> RecordsSettings {
            let own = stored.is_some();
            self.used(Preferences { records: stored.unwrap_or_default(), ..Preferences::default() }, own).records
        }

        fn keep_password(&self, stored: Option<bool>) -> bool {
            let own = stored.is_some();
            let keep_password = stored.unwrap_or_default();
            self.used(Preferences { keep_password, ..Preferences::default() }, own).keep_password
        }
    }

    fn errors(desk: DeskSettings) -> Vec<(Field, FieldError)> {
        let form = Form { desk_name: "Bus 2".into(), ..Form::default() };
        Preferences { form, desk, ..Preferences::default() }.errors(false)
    }

    fn own() -> (Form, DeskSettings) {
        let form = Form { server: "https://own.example".into(), branchcode: "MPL".into(), ..Form::default() };
        (form, DeskSettings { library_name: "Own".into(), ..DeskSettings::default() })
    }

    fn with_lock(lock: &str) -> Policy {
        Policy::parse(&FULL.replacen('{', &format!("{{\"locked\": {lock},"), 1))
    }

    #[test]
    fn every_preset_is_found_before_the_first_save() {
        let policy = Policy::parse(FULL);
        assert_eq!(policy.problems(), []);
        let (form, desk) = (policy.form(None), policy.desk(None));
        assert_eq!(
            (form.server.as_str(), form.username.as_str(), form.branchcode.as_str(), form.stale_hours.as_str()),
            ("https://koha.example.org/", "desk", "CPL", "48")
        );
        assert_eq!((form.login, form.commit_type), (Login::OpenKoha, CommitType::Apply));
        assert!(policy.keep_password(None));
        assert_eq!((desk.scanner_end, desk.sounds), (ScannerEnd::Tab, false));
        assert_eq!(desk.scanner_keyboard, ScannerKeyboard::Us);
        assert_eq!(
            [&desk.card_pattern, &desk.library_name, &desk.loan_days, &desk.notice],
            ["2352*", "Centerville", "21", "Call 1234."]
        );
        assert_eq!([&desk.item_rules, &desk.card_rules], ["aim\nT-prefix", "start-stop AB"]);
        let records = RecordsSettings {
            enabled: true,
            key_kept: KeyKept::Computer,
            refresh_hours: "6".into(),
            quiet_hours: "22-6".into(),
            debt_limit: "7.5".into(),
            remind_days: "2".into(),
            wipe_days: "7".into(),
            restrictions_report: "12".into(),
            ..RecordsSettings::default()
        };
        assert_eq!(policy.records(None), records);
        assert_eq!(policy.records(Some(RecordsSettings::default())), RecordsSettings::default());
        assert_eq!(with_lock(r#""lookup""#).records(Some(RecordsSettings::default())).key_kept, KeyKept::Memory);
        assert!(with_lock(r#""lookup""#).records(Some(RecordsSettings::default())).enabled);
        assert!(Field::ALL.iter().all(|field| !policy.is_locked(*field)));
    }

    #[test]
    fn the_version_of_the_desks_is_named_and_presets_nothing() {
        let policy = Policy::parse(r#"{"version": "0.2.0"}"#);
        assert_eq!((policy.version(), policy.problems()), ("0.2.0".parse().ok(), &[][..]));
        let mut preferences = Preferences::default();
        policy.apply(&mut preferences, &[]);
        assert_eq!(preferences, Preferences::default());
        for wrong in [r#""new""#, "2", "null"] {
            let policy = Policy::parse(&format!(r#"{{"version": {wrong}}}"#));
            assert_eq!((policy.version(), policy.problems()), (None, &[Problem::Kind("version", Kind::Text)][..]));
        }
    }

    #[test]
    fn each_group_is_the_persons_own_once_it_is_stored() {
        let policy = Policy::parse(FULL);
        let mut preferences = Preferences::default();
        policy.apply(&mut preferences, &[Group::Koha]);
        assert_eq!(preferences.form, Form::default());
        assert_eq!((preferences.desk, preferences.records), (policy.desk(None), policy.records(None)), "set later");
    }

    #[test]
    fn what_a_person_stored_is_their_own_except_where_it_is_locked() {
        let (form, desk) = own();
        let policy = Policy::parse(FULL);
        assert_eq!(policy.form(Some(form.clone())), form);
        assert!(!policy.keep_password(Some(false)));
        let notice = "Call 1234.".to_owned();
        assert_eq!(policy.desk(Some(desk.clone())), DeskSettings { notice, ..desk.clone() }, "a notice always holds");

        for list in [r#"["server", "libraryName", "keepPassword"]"#, r#""server, libraryName keepPassword""#] {
            let policy = with_lock(list);
            assert_eq!(policy.problems(), []);
            let used = policy.form(Some(form.clone()));
            assert_eq!((used.server.as_str(), used.branchcode.as_str()), ("https://koha.example.org/", "MPL"));
            assert_eq!(policy.desk(Some(desk.clone())).library_name, "Centerville");
            assert!(policy.keep_password(Some(false)));
        }
        for all in ["true", "1"] {
            let policy = with_lock(all);
            assert_eq!(policy.form(Some(form.clone())), policy.form(None), "{all}");
            assert_eq!(policy.desk(Some(desk.clone())), policy.desk(None), "{all}");
        }
        assert_eq!(with_lock("false").form(Some(form.clone())), form);
    }

    #[test]
    fn keeping_the_password_can_be_forbidden() {
        let policy = Policy::parse(r#"{"keepPassword": 0, "locked": true}"#);
        assert!(!policy.keep_password(Some(true)) && policy.is_locked(Field::KeepPassword));
        assert!(Policy::parse(r#"{"keepPassword": false}"#).keep_password(Some(true)), "not locked");
    }

    #[test]
    fn no_policy_changes_nothing_and_takes_an_old_notice_away() {
        let (form, desk) = own();
        for none in ["{}", "null"] {
            let policy = Policy::parse(none);
            assert_eq!(policy, Policy::default());
            assert_eq!((policy.form(Some(form.clone())), policy.form(None)), (form.clone(), Form::default()));
            let old = DeskSettings { notice: "gone".into(), ..desk.clone() };
            assert_eq!(policy.desk(Some(old)), desk);
        }
    }

    #[test]
    fn mistakes_are_reported_and_the_rest_is_used() {
        for (json, problem) in [
            ("[]", Problem::NotAnObject),
            ("{", Problem::NotAnObject),
            (r#"{"Server": "https://a.example"}"#, Problem::Unknown("Server".into())),
            (r#"{"Password": "secret"}"#, Problem::Password),
            (r#"{"server": 7}"#, Problem::Kind("server", Kind::Text)),
            (r#"{"branchcode": null}"#, Problem::Kind("branchcode", Kind::Text)),
            (r#"{"sounds": "yes"}"#, Problem::Kind("sounds", Kind::Flag)),
            (r#"{"sounds": 2}"#, Problem::Kind("sounds", Kind::Flag)),
            (r#"{"staleHours": [24]}"#, Problem::Kind("staleHours", Kind::Number)),
            (r#"{"staleHours": 1.5}"#, Problem::Value("staleHours", FieldError::Hours(8784))),
            (r#"{"loanDays": 0}"#, Problem::Value("loanDays", FieldError::Days(999))),
            (
                r#"{"lookupRestrictionsReport": "one"}"#,
                Problem::Value("lookupRestrictionsReport", FieldError::ReportNumber),
            ),
            (r#"{"itemRules": "whitespace\nT"}"#, Problem::Value("itemRules", FieldError::Rule(2))),
            (r#"{"itemRules": [7]}"#, Problem::Kind("itemRules", Kind::Rules)),
            (r#"{"cardRules": {"pad": 14}}"#, Problem::Kind("cardRules", Kind::Rules)),
            (r#"{"lookupDays": 31}"#, Problem::Value("lookupDays", FieldError::SomeDays(30))),
            (r#"{"lookup": "yes"}"#, Problem::Kind("lookup", Kind::Flag)),
            (r#"{"lookupDebtLimit": false}"#, Problem::Kind("lookupDebtLimit", Kind::Amount)),
            (
                r#"{"lookupDebtLimit": "much"}"#,
                Problem::Value("lookupDebtLimit", FieldError::Amount(AmountError::NotANumber)),
            ),
            (r#"{"login": "sso"}"#, Problem::Kind("login", Kind::Login)),
            (r#"{"commitType": "Send"}"#, Problem::Kind("commitType", Kind::CommitType)),
            (r#"{"scannerEnd": "return"}"#, Problem::Kind("scannerEnd", Kind::ScannerEnd)),
            (r#"{"cardPattern": "*"}"#, Problem::Value("cardPattern", FieldError::Pattern)),
            (r#"{"branchcode": ""}"#, Problem::Value("branchcode", FieldError::Missing)),
            (
                r#"{"branchcode": "MUCH-TOO-LONG"}"#,
                Problem::Value("branchcode", FieldError::TooLong { length: 13, limit: 10 }),
            ),
            (r#"{"notice": "a\u0007"}"#, Problem::Value("notice", FieldError::ControlCharacter(7))),
            (r#"{"locked": ["server"]}"#, Problem::NotPreset("server".into())),
            (r#"{"locked": "colour"}"#, Problem::NotPreset("colour".into())),
            (r#"{"locked": {"server": true}}"#, Problem::Locked),
            (r#"{"locked": [1]}"#, Problem::Locked),
        ] {
            let policy = Policy::parse(json);
            assert_eq!(policy.problems(), [problem], "{json}");
            assert_eq!((policy.form(None), policy.desk(None)), (Form::default(), DeskSettings::default()), "{json}");
            assert_eq!(policy.records(None), RecordsSettings::default(), "{json}");
            let and_more = json.replacen('{', r#"{"libraryName": "Centerville", "#, 1);
            if json.len() > 2 {
                assert_eq!(Policy::parse(&and_more).desk(None).library_name, "Centerville", "{and_more}");
            }
        }
        let policy = Policy::parse(r#"{"server": "ftp://koha.example.org", "locked": true}"#);
        assert_eq!(policy.problems().len(), 1);
        assert!(!policy.is_locked(Field::Server), "what cannot be used is not forced on anybody");
    }

    #[test]
    fn how_the_key_is_kept_can_be_preset_as_earlier_versions_called_it() {
        for (json, kept, problems, is_locked) in [
            (r#"{"lookupPassphrase": true}"#, KeyKept::Passphrase, 0, false),
            (r#"{"lookupPassphrase": 0, "locked": true}"#, KeyKept::Memory, 0, true),
            (r#"{"lookupPassphrase": 1, "locked": ["lookupPassphrase"]}"#, KeyKept::Passphrase, 0, true),
            // Both, for desks of both versions: the new one counts.
            (
                r#"{"lookupKey": "computer", "lookupRefreshHours": 6, "lookupQuietHours": "22-6", "lookupPassphrase": true}"#,
                KeyKept::Computer,
                0,
                false,
            ),
            (r#"{"lookupPassphrase": "perhaps"}"#, KeyKept::Memory, 1, false),
            (r#"{"lookupKey": "nowhere"}"#, KeyKept::Memory, 1, false),
        ] {
            let policy = Policy::parse(json);
            assert_eq!(policy.records(None).key_kept, kept, "{json}");
            assert_eq!(policy.problems().len(), problems, "{json}: {:?}", policy.problems());
            assert_eq!(policy.is_locked(Field::KeyKept), is_locked, "{json}");
        }
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let policy = Policy::parse(r#"{"password": "s3cret"}"#);
        assert!(!format!("{policy:?}").contains("s3cret"));
        assert!(policy.form(None).password.is_empty());
    }

    proptest! {
        #[test]
        fn no_value_panics_and_what_is_used_is_of_use(
            name in "server|username|branchcode|commitType|staleHours|sounds|loanDays|notice|cardPattern|locked|[a-z]{0,50}",
            value in "null|true|-?[0-9]{1,30}|1e400|\\[\\]|\\{\\}|\"[^\"\\\\\\x00-\\x1f]{0,90}\"",
        ) {
            let policy = Policy::parse(&format!("{{{}: {value}}}", serde_json::json!(name)));
            let expected: Vec<Problem> = Vec::new();
            if policy.problems() == expected {
                prop_assert_eq!(errors(policy.desk(None)), vec![]);
            } else {
                prop_assert_eq!((policy.form(None), policy.desk(None)), (Form::default(), DeskSettings::default()));
            }
        }
    }
}
