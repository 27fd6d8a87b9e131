//! What a library has preset for its desks, by Firefox's `storage.managed`.
//!
//! A preset is the value that a person finds before she has stored her own; where it is locked, it holds always. A mistake
//! in a policy never stops a desk: it is reported, and the rest is used.

use crate::{
    desk::scanner::ScannerEnd,
    settings::{
        form::{CommitType, Field, FieldError, Form},
        habits::DeskSettings,
        records::RecordsSettings,
    },
};
use serde_json::{Map, Value};

/// What can be preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Address of the staff client.
    Server,
    /// Name of the account. Its password cannot be preset: anybody at the computer can read a policy.
    Username,
    /// The library.
    Branchcode,
    /// `send` or `apply`.
    CommitType,
    /// The age in hours from which transactions are not applied without a question.
    StaleHours,
    /// Whether the password stays when Firefox is closed.
    KeepPassword,
    /// `enter`, `tab` or `nothing`.
    ScannerEnd,
    /// What cardnumbers look like.
    CardPattern,
    /// Whether scans are heard.
    Sounds,
    /// The library's name, for slips.
    LibraryName,
    /// For how many days things are lent, for slips.
    LoanDays,
    /// Whether records are kept for look-up.
    RecordsSettings,
    /// Whether a passphrase opens them.
    LookupPassphrase,
    /// What a patron may owe before a warning.
    LookupDebtLimit,
    /// After how many days a reminder says that they are old.
    LookupRemindDays,
    /// After how many days they are deleted.
    LookupDays,
    /// The number of the report on restrictions.
    LookupRestrictionsReport,
    /// A line that is shown in the window. No person sets it, so it always holds.
    Notice,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Server,
        Self::Username,
        Self::Branchcode,
        Self::CommitType,
        Self::StaleHours,
        Self::KeepPassword,
        Self::ScannerEnd,
        Self::CardPattern,
        Self::Sounds,
        Self::LibraryName,
        Self::LoanDays,
        Self::RecordsSettings,
        Self::LookupPassphrase,
        Self::LookupDebtLimit,
        Self::LookupRemindDays,
        Self::LookupDays,
        Self::LookupRestrictionsReport,
        Self::Notice,
    ];

    /// Its name in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Username => "username",
            Self::Branchcode => "branchcode",
            Self::CommitType => "commitType",
            Self::StaleHours => "staleHours",
            Self::KeepPassword => "keepPassword",
            Self::ScannerEnd => "scannerEnd",
            Self::CardPattern => "cardPattern",
            Self::Sounds => "sounds",
            Self::LibraryName => "libraryName",
            Self::LoanDays => "loanDays",
            Self::RecordsSettings => "lookup",
            Self::LookupPassphrase => "lookupPassphrase",
            Self::LookupDebtLimit => "lookupDebtLimit",
            Self::LookupRemindDays => "lookupRemindDays",
            Self::LookupDays => "lookupDays",
            Self::LookupRestrictionsReport => "lookupRestrictionsReport",
            Self::Notice => "notice",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// The field of the settings page that can be wrong, where it has one.
    fn field(self) -> Option<Field> {
        match self {
            Self::Server => Some(Field::Server),
            Self::Username => Some(Field::Username),
            Self::Branchcode => Some(Field::Branchcode),
            Self::StaleHours => Some(Field::StaleHours),
            Self::CardPattern => Some(Field::CardPattern),
            Self::LibraryName => Some(Field::LibraryName),
            Self::LoanDays => Some(Field::LoanDays),
            Self::LookupDebtLimit => Some(Field::DebtLimit),
            Self::LookupRemindDays => Some(Field::RemindDays),
            Self::LookupDays => Some(Field::WipeDays),
            Self::LookupRestrictionsReport => Some(Field::RestrictionsReport),
            Self::Notice => Some(Field::Notice),
            Self::CommitType
            | Self::KeepPassword
            | Self::ScannerEnd
            | Self::Sounds
            | Self::RecordsSettings
            | Self::LookupPassphrase => None,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::CommitType => Kind::CommitType,
            Self::ScannerEnd => Kind::ScannerEnd,
            Self::KeepPassword | Self::Sounds | Self::RecordsSettings | Self::LookupPassphrase => Kind::Flag,
            Self::StaleHours
            | Self::LoanDays
            | Self::LookupRemindDays
            | Self::LookupDays
            | Self::LookupRestrictionsReport => Kind::Number,
            Self::LookupDebtLimit => Kind::Amount,
            Self::Server | Self::Username | Self::Branchcode | Self::CardPattern | Self::LibraryName | Self::Notice => {
                Kind::Text
            }
        }
    }
}

/// What the value of a name must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// `true` or `false`. The Windows registry has no such values: 1 and 0 are taken too.
    Flag,
    /// A whole number, also one written as a text.
    Number,
    /// An amount of money: a number, or a text as it is typed.
    Amount,
    /// `send` or `apply`.
    CommitType,
    /// `enter`, `tab` or `nothing`.
    ScannerEnd,
    /// `true`, `false`, or names: a list of them, or a text with commas or blanks in between.
    Locked,
}

/// What is wrong in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is no object of names and values.
    NotAnObject,
    /// A name that KOCT does not know, cut to a length that can be shown.
    Unknown(String),
    /// A password, which is not taken.
    Password,
    /// A value of another kind.
    Kind(&'static str, Kind),
    /// A value that cannot be used.
    Value(Key, FieldError),
    /// `locked` names something that is not preset.
    NotPreset(String),
}

/// The name by which presets are locked.
const LOCKED: &str = "locked";
/// The longest unknown name that is shown, in characters.
const SHOWN: usize = 40;

/// The presets of a library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    form: Form,
    habits: DeskSettings,
    lookup: RecordsSettings,
    keep_password: bool,
    /// What is preset. All else in the four above is unused.
    preset: Vec<Key>,
    locked: Vec<Key>,
    problems: Vec<Problem>,
}

impl Policy {
    /// Reads what `storage.managed` gives, as JSON.
    ///
    /// ```
    /// use koct_core::settings::policy::{Key, Policy};
    /// let policy = Policy::parse(r#"{"server": "https://koha.example.org", "branchcode": "CPL", "locked": ["server"]}"#);
    /// assert!(policy.problems().is_empty());
    /// assert_eq!(policy.form(None).branchcode, "CPL");
    /// assert!(policy.is_locked(Key::Server) && !policy.is_locked(Key::Branchcode));
    /// ```
    pub fn parse(json: &str) -> Self {
        let mut policy = Self::default();
        match serde_json::from_str(json) {
            Ok(Value::Object(values)) => policy.read(&values),
            Ok(Value::Null) => {}
            _ => policy.problems.push(Problem::NotAnObject),
        }
        policy
    }

    fn read(&mut self, values: &Map<String, Value>) {
        for (name, value) in values {
            match Key::from_name(name) {
                Some(key) => match self.take(key, value) {
                    Ok(()) => self.preset.push(key),
                    Err(problem) => self.problems.push(problem),
                },
                None if name == LOCKED => {}
                None if name.eq_ignore_ascii_case("password") => self.problems.push(Problem::Password),
                None => self.problems.push(Problem::Unknown(shown(name))),
            }
        }
        if let Some(locked) = values.get(LOCKED) {
            self.lock(locked);
        }
    }

    /// Keeps a value that can be used.
    fn take(&mut self, key: Key, value: &Value) -> Result<(), Problem> {
        let unlike = Problem::Kind(key.name(), key.kind());
        let text = match (key.kind(), value) {
            (Kind::Number | Kind::Amount, Value::Number(number)) => Some(number.to_string()),
            (Kind::Flag, _) => None,
            (_, Value::String(text)) => Some(text.trim().to_owned()),
            _ => return Err(unlike),
        };
        let flag = flag(value);
        match (key, text, flag) {
            (Key::Server, Some(text), _) => self.form.server = text,
            (Key::Username, Some(text), _) => self.form.username = text,
            (Key::Branchcode, Some(text), _) => self.form.branchcode = text,
            (Key::StaleHours, Some(text), _) => self.form.stale_hours = text,
            (Key::CardPattern, Some(text), _) => self.habits.card_pattern = text,
            (Key::LibraryName, Some(text), _) => self.habits.library_name = text,
            (Key::LoanDays, Some(text), _) => self.habits.loan_days = text,
            (Key::Notice, Some(text), _) => self.habits.notice = text,
            (Key::CommitType, Some(text), _) => self.form.commit_type = CommitType::from_name(&text).ok_or(unlike)?,
            (Key::ScannerEnd, Some(text), _) => self.habits.scanner_end = ScannerEnd::from_name(&text).ok_or(unlike)?,
            (Key::KeepPassword, _, Some(flag)) => self.keep_password = flag,
            (Key::Sounds, _, Some(flag)) => self.habits.sounds = flag,
            (Key::LookupDebtLimit, Some(text), _) => self.lookup.debt_limit = text,
            (Key::LookupRemindDays, Some(text), _) => self.lookup.remind_days = text,
            (Key::LookupDays, Some(text), _) => self.lookup.wipe_days = text,
            (Key::LookupRestrictionsReport, Some(text), _) => self.lookup.restrictions_report = text,
            (Key::RecordsSettings, _, Some(flag)) => self.lookup.enabled = flag,
            (Key::LookupPassphrase, _, Some(flag)) => self.lookup.passphrase = flag,
            _ => return Err(unlike),
        }
        self.error(key).map_or(Ok(()), |error| Err(Problem::Value(key, error)))
    }

    /// What the settings page would say of this value.
    fn error(&self, key: Key) -> Option<FieldError> {
        let field = key.field()?;
        let form = self.form.validate().err().unwrap_or_default();
        let lookup = RecordsSettings { enabled: true, ..self.lookup.clone() }.errors();
        form.into_iter()
            .chain(self.habits.errors())
            .chain(lookup)
            .find(|(wrong, _)| *wrong == field)
            .map(|(_, error)| error)
    }

    fn lock(&mut self, value: &Value) {
        let unlike = Problem::Kind(LOCKED, Kind::Locked);
        let names: Vec<&str> = match value {
            Value::String(names) => names.split([',', ';', ' ', '\t']).filter(|name| !name.is_empty()).collect(),
            Value::Array(names) => {
                let texts: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                if texts.len() < names.len() {
                    self.problems.push(unlike);
                }
                texts
            }
            other => {
                match flag(other) {
                    Some(true) => self.locked.clone_from(&self.preset),
                    Some(false) => {}
                    None => self.problems.push(unlike),
                }
                return;
            }
        };
        for name in names {
            match Key::from_name(name.trim()) {
                Some(key) if self.preset.contains(&key) => self.locked.push(key),
                _ => self.problems.push(Problem::NotPreset(shown(name))),
            }
        }
    }

    /// What is wrong in it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether this is the library's alone to set.
    pub fn is_locked(&self, key: Key) -> bool {
        self.locked.contains(&key)
    }

    /// Whether the preset is to be used; `own` where the person has stored her settings.
    fn holds(&self, key: Key, own: bool) -> bool {
        self.preset.contains(&key) && (!own || self.is_locked(key))
    }

    /// The form to use, given what the person has stored, if anything.
    pub fn form(&self, stored: Option<Form>) -> Form {
        let own = stored.is_some();
        let holds = |key| self.holds(key, own);
        let mut form = stored.unwrap_or_default();
        for (key, text, preset) in [
            (Key::Server, &mut form.server, &self.form.server),
            (Key::Username, &mut form.username, &self.form.username),
            (Key::Branchcode, &mut form.branchcode, &self.form.branchcode),
            (Key::StaleHours, &mut form.stale_hours, &self.form.stale_hours),
        ] {
            if holds(key) {
                text.clone_from(preset);
            }
        }
        if holds(Key::CommitType) {
            form.commit_type = self.form.commit_type;
        }
        form
    }

    /// The desk's habits to use, given what the person has stored, if anything.
    pub fn habits(&self, stored: Option<DeskSettings>) -> DeskSettings {
        let own = stored.is_some();
        let holds = |key| self.holds(key, own);
        let mut habits = stored.unwrap_or_default();
        for (key, text, preset) in [
            (Key::CardPattern, &mut habits.card_pattern, &self.habits.card_pattern),
            (Key::LibraryName, &mut habits.library_name, &self.habits.library_name),
            (Key::LoanDays, &mut habits.loan_days, &self.habits.loan_days),
        ] {
            if holds(key) {
                text.clone_from(preset);
            }
        }
        if holds(Key::ScannerEnd) {
            habits.scanner_end = self.habits.scanner_end;
        }
        if holds(Key::Sounds) {
            habits.sounds = self.habits.sounds;
        }
        // Never the person's own: one that was stored is an earlier policy's.
        habits.notice = if self.preset.contains(&Key::Notice) { self.habits.notice.clone() } else { String::new() };
        habits
    }

    /// What the desk shall know of patrons and items, given what the person has stored, if anything.
    pub fn lookup(&self, stored: Option<RecordsSettings>) -> RecordsSettings {
        let own = stored.is_some();
        let holds = |key| self.holds(key, own);
        let mut lookup = stored.unwrap_or_default();
        if holds(Key::RecordsSettings) {
            lookup.enabled = self.lookup.enabled;
        }
        if holds(Key::LookupPassphrase) {
            lookup.passphrase = self.lookup.passphrase;
        }
        for (key, text, preset) in [
            (Key::LookupDebtLimit, &mut lookup.debt_limit, &self.lookup.debt_limit),
            (Key::LookupRemindDays, &mut lookup.remind_days, &self.lookup.remind_days),
            (Key::LookupDays, &mut lookup.wipe_days, &self.lookup.wipe_days),
            (Key::LookupRestrictionsReport, &mut lookup.restrictions_report, &self.lookup.restrictions_report),
        ] {
            if holds(key) {
                text.clone_from(preset);
            }
        }
        lookup
    }

    /// Whether the password stays on the computer, given what the person has stored, if anything.
    pub fn keep_password(&self, stored: Option<bool>) -> bool {
        if self.holds(Key::KeepPassword, stored.is_some()) { self.keep_password } else { stored.unwrap_or_default() }
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_u64() {
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
    use crate::desk::amount::AmountError;
    use proptest::prelude::*;

    const FULL: &str = r#"{"server": "https://koha.example.org/", "username": "desk", "branchcode": "CPL", "commitType": "apply",
        "staleHours": 48, "keepPassword": true, "scannerEnd": "tab", "cardPattern": "2352*", "sounds": false,
        "libraryName": "Centerville", "loanDays": "21", "lookup": true, "lookupPassphrase": 1, "lookupDebtLimit": 7.5,
        "lookupRemindDays": 2, "lookupDays": 7, "lookupRestrictionsReport": 12, "notice": "Call 1234."}"#;

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
        let (form, habits) = (policy.form(None), policy.habits(None));
        assert_eq!(
            (form.server.as_str(), form.username.as_str(), form.branchcode.as_str(), form.stale_hours.as_str()),
            ("https://koha.example.org/", "desk", "CPL", "48")
        );
        assert_eq!(form.commit_type, CommitType::Apply);
        assert!(policy.keep_password(None));
        let expected = DeskSettings {
            scanner_end: ScannerEnd::Tab,
            card_pattern: "2352*".into(),
            sounds: false,
            library_name: "Centerville".into(),
            loan_days: "21".into(),
            notice: "Call 1234.".into(),
        };
        assert_eq!(habits, expected);
        let lookup = RecordsSettings {
            enabled: true,
            passphrase: true,
            debt_limit: "7.5".into(),
            remind_days: "2".into(),
            wipe_days: "7".into(),
            restrictions_report: "12".into(),
            ..RecordsSettings::default()
        };
        assert_eq!(policy.lookup(None), lookup);
        assert_eq!(policy.lookup(Some(RecordsSettings::default())), RecordsSettings::default());
        assert!(!with_lock(r#""lookup""#).lookup(Some(RecordsSettings::default())).passphrase);
        assert!(with_lock(r#""lookup""#).lookup(Some(RecordsSettings::default())).enabled);
        assert!(Key::ALL.into_iter().all(|key| !policy.is_locked(key)));
    }

    #[test]
    fn what_a_person_stored_is_hers_except_where_it_is_locked() {
        let (form, habits) = own();
        let policy = Policy::parse(FULL);
        assert_eq!(policy.form(Some(form.clone())), form);
        assert!(!policy.keep_password(Some(false)));
        let notice = "Call 1234.".to_owned();
        assert_eq!(
            policy.habits(Some(habits.clone())),
            DeskSettings { notice, ..habits.clone() },
            "a notice always holds"
        );

        for list in [r#"["server", "libraryName", "keepPassword"]"#, r#""server, libraryName keepPassword""#] {
            let policy = with_lock(list);
            assert_eq!(policy.problems(), []);
            let used = policy.form(Some(form.clone()));
            assert_eq!((used.server.as_str(), used.branchcode.as_str()), ("https://koha.example.org/", "MPL"));
            assert_eq!(policy.habits(Some(habits.clone())).library_name, "Centerville");
            assert!(policy.keep_password(Some(false)));
        }
        for all in ["true", "1"] {
            let policy = with_lock(all);
            assert_eq!(policy.form(Some(form.clone())), policy.form(None), "{all}");
            assert_eq!(policy.habits(Some(habits.clone())), policy.habits(None), "{all}");
        }
        assert_eq!(with_lock("false").form(Some(form.clone())), form);
    }

    #[test]
    fn keeping_the_password_can_be_forbidden() {
        let policy = Policy::parse(r#"{"keepPassword": 0, "locked": true}"#);
        assert!(!policy.keep_password(Some(true)) && policy.is_locked(Key::KeepPassword));
        assert!(Policy::parse(r#"{"keepPassword": false}"#).keep_password(Some(true)), "not locked");
    }

    #[test]
    fn no_policy_changes_nothing_and_takes_an_old_notice_away() {
        let (form, habits) = own();
        for none in ["{}", "null"] {
            let policy = Policy::parse(none);
            assert_eq!(policy, Policy::default());
            assert_eq!((policy.form(Some(form.clone())), policy.form(None)), (form.clone(), Form::default()));
            let old = DeskSettings { notice: "gone".into(), ..habits.clone() };
            assert_eq!(policy.habits(Some(old)), habits);
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
            (r#"{"staleHours": 1.5}"#, Problem::Value(Key::StaleHours, FieldError::Hours(8784))),
            (r#"{"loanDays": 0}"#, Problem::Value(Key::LoanDays, FieldError::Days(999))),
            (
                r#"{"lookupRestrictionsReport": "one"}"#,
                Problem::Value(Key::LookupRestrictionsReport, FieldError::ReportNumber),
            ),
            (r#"{"lookupDays": 31}"#, Problem::Value(Key::LookupDays, FieldError::SomeDays(30))),
            (r#"{"lookup": "yes"}"#, Problem::Kind("lookup", Kind::Flag)),
            (r#"{"lookupDebtLimit": false}"#, Problem::Kind("lookupDebtLimit", Kind::Amount)),
            (
                r#"{"lookupDebtLimit": "much"}"#,
                Problem::Value(Key::LookupDebtLimit, FieldError::Amount(AmountError::NotANumber)),
            ),
            (r#"{"commitType": "Send"}"#, Problem::Kind("commitType", Kind::CommitType)),
            (r#"{"scannerEnd": "return"}"#, Problem::Kind("scannerEnd", Kind::ScannerEnd)),
            (r#"{"cardPattern": "*"}"#, Problem::Value(Key::CardPattern, FieldError::Pattern)),
            (r#"{"branchcode": ""}"#, Problem::Value(Key::Branchcode, FieldError::Missing)),
            (
                r#"{"branchcode": "MUCH-TOO-LONG"}"#,
                Problem::Value(Key::Branchcode, FieldError::TooLong { length: 13, limit: 10 }),
            ),
            (r#"{"notice": "a\u0007"}"#, Problem::Value(Key::Notice, FieldError::ControlCharacter(7))),
            (r#"{"locked": ["server"]}"#, Problem::NotPreset("server".into())),
            (r#"{"locked": "colour"}"#, Problem::NotPreset("colour".into())),
            (r#"{"locked": {"server": true}}"#, Problem::Kind("locked", Kind::Locked)),
            (r#"{"locked": [1]}"#, Problem::Kind("locked", Kind::Locked)),
        ] {
            let policy = Policy::parse(json);
            assert_eq!(policy.problems(), [problem], "{json}");
            assert_eq!((policy.form(None), policy.habits(None)), (Form::default(), DeskSettings::default()), "{json}");
            assert_eq!(policy.lookup(None), RecordsSettings::default(), "{json}");
            let and_more = json.replacen('{', r#"{"libraryName": "Centerville", "#, 1);
            if json.len() > 2 {
                assert_eq!(Policy::parse(&and_more).habits(None).library_name, "Centerville", "{and_more}");
            }
        }
        let policy = Policy::parse(r#"{"server": "ftp://koha.example.org", "locked": true}"#);
        assert_eq!(policy.problems().len(), 1);
        assert!(!policy.is_locked(Key::Server), "what cannot be used is not forced on anybody");
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
                prop_assert_eq!(policy.habits(None).errors(), vec![]);
            } else {
                prop_assert_eq!((policy.form(None), policy.habits(None)), (Form::default(), DeskSettings::default()));
            }
        }
    }
}
