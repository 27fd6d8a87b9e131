//! The table of all settings: for each its element on the settings page, its name in a policy, the key that it is stored
//! under, its kind, where it is read and written, and what can be wrong with it.

use crate::{
    desk::{codes::Codes, keyboard::ScannerKeyboard, name::DeskName, scanner::ScannerEnd},
    settings::{
        desk::{CARD_ALSO, DeskSettings, ITEM_ALSO},
        form::{CommitType, FieldError, Form, Login, Secret, Settings},
        key_kept::KeyKept,
        records::RecordsSettings,
    },
};

/// The key that the name of the desk is stored under.
pub const DESK_NAME: &str = "desk";

/// The key that the keyboard of the scanners is stored under.
pub const SCANNER_KEYBOARD: &str = "scannerKeyboard";

/// What is set at a desk, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// What KOCT needs to talk to Koha, and the name of the desk.
    pub form: Form,
    /// How the desk works.
    pub desk: DeskSettings,
    /// What it shall know of patrons and items.
    pub records: RecordsSettings,
    /// Whether secrets stay on this computer when Firefox is closed.
    pub keep_password: bool,
    /// Whether secrets are stored that are not here, since they were stored for another server than this one.
    pub withholds_secrets: bool,
    /// Whether somebody has saved the settings once.
    pub saved: bool,
    /// What was tested last with success: [`tested_as`](crate::settings::guide::tested_as).
    pub tested: Option<String>,
}

/// Settings that matter together, and are stored together but for those that are stored apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What a connection needs.
    Koha,
    /// How the desk works, whatever Koha does.
    Desk,
    /// What is known of patrons and items.
    Records,
}

impl Group {
    /// The key in storage that they are under: older than the names in the code, and kept for what is stored.
    pub(crate) fn stored(self) -> &'static str {
        match self {
            Self::Koha => "settings",
            Self::Desk => "habits",
            Self::Records => "lookup",
        }
    }
}

/// A part of the settings page that is folded away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// What is known of patrons and items while Koha cannot be reached.
    Records,
    /// The scanner, and what is heard of it.
    Scanning,
    /// What is meant by codes.
    Codes,
    /// What is printed.
    Slips,
    /// Which of several desks this is.
    Desks,
    /// What matters where transactions are applied directly: what was recorded long ago, and how checkins go.
    Old,
}

/// What a setting is, to a policy and to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that must not be shown; no policy has one.
    Secret,
    /// Yes or no. The Windows registry has no such values: a policy may say 1 and 0.
    Flag,
    /// A whole number, also one written as a text.
    Number,
    /// An amount of money: a number, or a text as it is typed.
    Amount,
    /// `account` or `open-koha`.
    Login,
    /// `send` or `apply`.
    CommitType,
    /// `enter`, `tab` or `nothing`.
    ScannerEnd,
    /// `ask`, `us` or `as-typed`.
    ScannerKeyboard,
    /// `memory`, `passphrase` or `computer`; under its earlier name yes or no, for the first two.
    KeyKept,
    /// Rules for codes: a text with one in a line; a policy may say a list.
    Rules,
}

/// A value between the settings and the page, a policy or the storage. It may be a secret, and so cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// As typed, or the name of a choice.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

/// A value was of another kind, or the name of no choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongKind;

/// What can be read and written as a [`Value`].
trait Setting {
    fn get(&self) -> Value;
    fn set(&mut self, value: Value) -> Result<(), WrongKind>;
}

impl Setting for bool {
    fn get(&self) -> Value {
        Value::Flag(*self)
    }

    fn set(&mut self, value: Value) -> Result<(), WrongKind> {
        let Value::Flag(flag) = value else { return Err(WrongKind) };
        *self = flag;
        Ok(())
    }
}

/// A type whose values are texts.
macro_rules! text_setting {
    ($type:ty, $get:expr, $set:expr) => {
        impl Setting for $type {
            fn get(&self) -> Value {
                let get: fn(&Self) -> String = $get;
                Value::Text(get(self))
            }

            fn set(&mut self, value: Value) -> Result<(), WrongKind> {
                let set: fn(String) -> Option<Self> = $set;
                let Value::Text(text) = value else { return Err(WrongKind) };
                *self = set(text).ok_or(WrongKind)?;
                Ok(())
            }
        }
    };
}

text_setting!(String, Self::clone, |text| Some(text.trim().to_owned()));
// Blanks around a password are part of it.
text_setting!(Secret, |secret| secret.reveal().to_owned(), |text| Some(Self::new(text)));
text_setting!(Login, |login| login.name().to_owned(), |name| Self::from_name(&name));
text_setting!(CommitType, |commit_type| commit_type.name().to_owned(), |name| Self::from_name(&name));
text_setting!(ScannerKeyboard, |keyboard| keyboard.name().to_owned(), |name| Self::from_name(&name));
text_setting!(KeyKept, |kept| kept.name().to_owned(), |name| Self::from_name(&name));
text_setting!(ScannerEnd, |end| end.name().to_owned(), |name| Self::from_name(&name));

/// A row of the table.
struct SettingRow {
    kind: Kind,
    id: &'static str,
    read: fn(&Preferences) -> &dyn Setting,
    write: fn(&mut Preferences) -> &mut dyn Setting,
    policy: Option<&'static str>,
    stored: Option<&'static str>,
    is_on_page: bool,
}

impl SettingRow {
    /// It can be preset, under this name.
    fn preset(self, name: &'static str) -> Self {
        Self { policy: Some(name), ..self }
    }

    /// It is stored under a key of its own.
    fn apart(self, key: &'static str) -> Self {
        Self { stored: Some(key), ..self }
    }

    /// No person sets it, only a policy.
    fn by_policy_only(self) -> Self {
        Self { is_on_page: false, ..self }
    }
}

/// Kind and id, with the path of its field in [`Preferences`].
macro_rules! row {
    ($kind:ident, $id:literal, $($path:ident).+) => {
        SettingRow {
            kind: Kind::$kind,
            id: $id,
            read: |all| &all.$($path).+,
            write: |all| &mut all.$($path).+,
            policy: None,
            stored: None,
            is_on_page: true,
        }
    };
}

macro_rules! table {
    ($($group:ident $(in $fold:ident)? { $($(#[$doc:meta])* $field:ident = $row:expr $(, $check:expr)?;)* })*) => {
        /// A setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Field {
            $($($(#[$doc])* $field,)*)*
        }

        impl Field {
            /// All of them, in the order of the settings page.
            pub const ALL: &'static [Self] = &[$($(Self::$field,)*)*];

            fn row(self) -> SettingRow {
                match self {
                    $($(Self::$field => $row,)*)*
                }
            }

            /// What can be wrong with it. Not in its row: whoever only reads settings needs none of it.
            fn check(self) -> fn(&Preferences) -> Option<FieldError> {
                match self {
                    $($(Self::$field => table!(@ $($check)?),)*)*
                }
            }

            /// What it matters together with.
            pub fn group(self) -> Group {
                match self {
                    $($(Self::$field)|* => Group::$group,)*
                }
            }

            /// The fold that it stands in; `None` for what every desk is asked.
            pub fn fold(self) -> Option<Fold> {
                match self {
                    $($(Self::$field)|* => table!(fold $($fold)?),)*
                }
            }
        }
    };
    (@) => { |_| None };
    (@ $check:expr) => { $check };
    (fold) => { None };
    (fold $fold:ident) => { Some(Fold::$fold) };
}

table! {
    Koha {
        /// Address of the staff client.
        Server = row!(Text, "server", form.server).preset("server"), |it| it.form.server().err();
        /// As whom KOCT talks to Koha. On the page, radio buttons of this name.
        Login = row!(Login, "login", form.login).preset("login");
        /// Name of the account. Its password cannot be preset: anybody at the computer can read a policy.
        Username = row!(Text, "username", form.username).preset("username"), |it| it.form.username().err();
        /// Password of the account.
        Password = row!(Secret, "password", form.password).apart("password"), |it| it.form.password().err();
        /// Whether secrets stay on this computer when Firefox is closed. Not stored: it shows in where they are.
        KeepPassword = row!(Flag, "keep-password", keep_password).preset("keepPassword");
        /// The library.
        Branchcode = row!(Text, "branchcode", form.branchcode).preset("branchcode"), |it| it.form.branchcode().err();
        /// How transactions come into Koha. On the page, radio buttons of this name.
        CommitType = row!(CommitType, "commit-type", form.commit_type).preset("commitType");
    }
    Records in Records {
        /// Whether records are kept for look-up.
        Records = row!(Flag, "lookup", records.enabled).preset("lookup");
        /// How their key is kept. On the page, radio buttons of this name.
        KeyKept = row!(KeyKept, "lookup-key", records.key_kept).preset("lookupKey");
        /// After how many hours they are brought up to date without anybody's doing.
        RefreshHours = row!(Number, "refresh-hours", records.refresh_hours).preset("lookupRefreshHours"),
            |it| it.records.refreshed_every().err();
        /// The hours in which a whole download does not disturb.
        QuietHours = row!(Text, "quiet-hours", records.quiet_hours).preset("lookupQuietHours"),
            |it| it.records.quiet_hours().err();
        /// What a patron may owe before a warning.
        DebtLimit = row!(Amount, "debt-limit", records.debt_limit).preset("lookupDebtLimit"),
            |it| it.records.debt_limit().err();
        /// After how many days a reminder says that they are old.
        RemindDays = row!(Number, "remind-days", records.remind_days).preset("lookupRemindDays"),
            |it| it.records.old_after().err();
        /// After how many days they are deleted.
        WipeDays = row!(Number, "wipe-days", records.wipe_days).preset("lookupDays"),
            |it| it.records.deleted_after().err();
        /// The number of the report on restrictions.
        RestrictionsReport = row!(Number, "restrictions-report", records.restrictions_report).preset("lookupRestrictionsReport"),
            |it| it.records.restrictions_report().err();
        /// The ID of an API key.
        ClientId = row!(Text, "client-id", records.client_id);
        /// The secret of the key.
        ClientSecret = row!(Secret, "client-secret", records.client_secret).apart("clientSecret"),
            |it| it.records.api_key().err();
    }
    Desk in Scanning {
        /// What scanners type after a code.
        ScannerEnd = row!(ScannerEnd, "scanner-end", desk.scanner_end).preset("scannerEnd");
        /// Which keyboard scanners are set to.
        ScannerKeyboard = row!(ScannerKeyboard, "scanner-keyboard", desk.scanner_keyboard)
            .preset("scannerKeyboard")
            .apart(SCANNER_KEYBOARD);
        /// What cardnumbers look like.
        CardPattern = row!(Text, "card-pattern", desk.card_pattern).preset("cardPattern"), |it| it.desk.cards().err();
        /// Whether scans are heard.
        Sounds = row!(Flag, "sounds", desk.sounds).preset("sounds");
    }
    Desk in Codes {
        /// What is meant by an item's code.
        ItemRules = row!(Rules, "item-rules", desk.item_rules).preset("itemRules"), |it| it.desk.item_rules().err();
        /// How many characters items' codes have.
        ItemLengths = row!(Text, "item-lengths", desk.item_lengths).preset("itemLengths"), |it| it.desk.items().err();
        /// Whether items' codes end with a check digit.
        ItemCheckDigit = row!(Flag, "item-check-digit", desk.item_check_digit).preset("itemCheckDigit");
        /// What items' codes look like that are right besides.
        ItemAlso = row!(Text, "item-also", desk.item_also).preset("itemAlso").apart(ITEM_ALSO),
            |it| it.desk.also_items().err();
        /// What is meant by a patron's code.
        CardRules = row!(Rules, "card-rules", desk.card_rules).preset("cardRules"), |it| it.desk.card_rules().err();
        /// How many characters patrons' codes have.
        CardLengths = row!(Text, "card-lengths", desk.card_lengths).preset("cardLengths"), |it| it.desk.patrons().err();
        /// Whether patrons' codes end with a check digit.
        CardCheckDigit = row!(Flag, "card-check-digit", desk.card_check_digit).preset("cardCheckDigit");
        /// What patrons' codes look like that are right besides.
        CardAlso = row!(Text, "card-also", desk.card_also).preset("cardAlso").apart(CARD_ALSO),
            |it| it.desk.also_patrons().err();
    }
    Desk in Slips {
        /// The library's name, for slips.
        LibraryName = row!(Text, "library-name", desk.library_name).preset("libraryName"),
            |it| it.desk.library_name().err();
        /// For how many days things are lent, for slips.
        LoanDays = row!(Number, "loan-days", desk.loan_days).preset("loanDays"), |it| it.desk.loan_days().err();
    }
    Desk in Desks {
        /// The name of this desk.
        DeskName = row!(Text, "desk-name", form.desk_name).apart(DESK_NAME), |it| it.form.desk_name().err();
        /// Whether Firefox shows a notification when Koha does not answer.
        Notify = row!(Flag, "notify", desk.notify).preset("notify");
        /// Whether what is recorded is written into files outside the profile, too.
        SecondCopy = row!(Flag, "second-copy", desk.second_copy).preset("secondCopy");
    }
    Desk {
        /// A line that is shown in the window.
        Notice = row!(Text, "notice", desk.notice).preset("notice").by_policy_only(), |it| it.desk.notice().err();
    }
    Koha in Old {
        /// The age in hours from which transactions are not applied without a question.
        StaleHours = row!(Number, "stale-hours", form.stale_hours).preset("staleHours"),
            |it| it.form.stale_hours().err();
        /// Whether checkins go by Koha's own check-in.
        KohaCheckin = row!(Flag, "koha-checkin", form.koha_checkin).preset("kohaCheckin");
    }
}

impl Field {
    /// The id of its element on the settings page, or the name of its radio buttons.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    /// Its name in a policy; `None` where it cannot be preset.
    pub fn policy_name(self) -> Option<&'static str> {
        self.row().policy
    }

    /// The one of this name in a policy.
    pub(crate) fn from_policy_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.policy_name() == Some(name))
    }

    /// Whether a person sets it; otherwise only a policy does.
    pub fn is_on_page(self) -> bool {
        self.row().is_on_page
    }

    /// Its own key in storage, where it is not stored with its group.
    pub(crate) fn stored_apart(self) -> Option<&'static str> {
        self.row().stored
    }

    /// Its value.
    pub fn get(self, preferences: &Preferences) -> Value {
        (self.row().read)(preferences).get()
    }

    /// Writes its value, texts without the blanks around them.
    ///
    /// # Errors
    /// When it cannot have such a value.
    pub fn set(self, preferences: &mut Preferences, value: Value) -> Result<(), WrongKind> {
        (self.row().write)(preferences).set(value)
    }

    /// What is wrong with it, whether or not it matters.
    pub fn error(self, preferences: &Preferences) -> Option<FieldError> {
        (self.check())(preferences)
    }
}

impl Preferences {
    /// Everything that talking to Koha needs.
    ///
    /// # Errors
    /// What the first field that cannot be used lacks.
    pub fn settings(&self) -> Result<Settings, FieldError> {
        Ok(Settings { key: self.records.api_key().ok().flatten(), ..self.form.validate()? })
    }

    /// Everything that talking to Koha needs but the library, where nothing else is wrong: enough to ask which there are.
    pub fn settings_without_library(&self) -> Option<Settings> {
        let is_all = self.errors(true) == [(Field::Branchcode, FieldError::Missing)];
        let mut any = self.clone();
        "-".clone_into(&mut any.form.branchcode);
        let settings = any.settings().ok().filter(|_| is_all)?;
        Some(Settings { branchcode: String::new(), ..settings })
    }

    /// What a page that was filled with `loaded`, and holds this, is to hold once this is `stored` by somebody else: what the person
    /// has changed on the page stays as it is there, and all else is what is stored. A secret is not in the page.
    #[must_use]
    pub fn following(&self, loaded: &Self, stored: &Self) -> Self {
        let mut followed = stored.clone();
        for field in Field::ALL.iter().filter(|field| field.kind() != Kind::Secret) {
            let value = field.get(self);
            if value != field.get(loaded) {
                // It is of the same kind.
                let _ = field.set(&mut followed, value);
            }
        }
        followed
    }

    /// What is to be stored of such a page. What talks to Koha is stored as the page shows it: by that Koha is asked, and Firefox.
    #[must_use]
    pub fn over(&self, loaded: &Self, stored: &Self) -> Self {
        let mut over = self.clone();
        let is_followed = |field: &&Field| field.kind() != Kind::Secret && field.group() != Group::Koha;
        for field in Field::ALL.iter().filter(is_followed).filter(|field| field.get(self) == field.get(loaded)) {
            let _ = field.set(&mut over, field.get(stored));
        }
        over
    }

    /// The name of this desk.
    pub fn desk_name(&self) -> DeskName {
        self.form.desk_name().unwrap_or_else(|_| DeskName::suggested(0))
    }

    /// How codes are read.
    pub fn codes(&self) -> Codes {
        self.desk.codes(&self.form.branchcode)
    }

    /// What cannot be used, in the order of the page. What records need matters only where they are wanted;
    /// `connects` says whether what a connection needs does.
    pub fn errors(&self, connects: bool) -> Vec<(Field, FieldError)> {
        let matters = |field: &&Field| match field.group() {
            Group::Koha => connects,
            Group::Desk => true,
            Group::Records => self.records.enabled,
        };
        let fields = Field::ALL.iter().filter(matters);
        fields.filter_map(|field| field.error(self).map(|error| (*field, error))).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::settings::form::Secret;
    use serde_json::Value as Json;
    use std::collections::BTreeSet;

    /// All settings other than they are at first.
    pub(crate) fn changed() -> Preferences {
        let mut preferences = Preferences::default();
        for field in Field::ALL {
            let other = match field.get(&preferences) {
                Value::Flag(flag) => Value::Flag(!flag),
                Value::Text(_) => Value::Text(match field.kind() {
                    Kind::Login => "open-koha".to_owned(),
                    Kind::CommitType => "apply".to_owned(),
                    Kind::ScannerEnd => "nothing".to_owned(),
                    Kind::ScannerKeyboard => "us".to_owned(),
                    Kind::KeyKept => "passphrase".to_owned(),
                    _ => format!("of {}", field.id()),
                }),
            };
            field.set(&mut preferences, other).unwrap();
        }
        preferences
    }

    #[test]
    fn no_setting_stands_outside_the_table() {
        let stored = |preferences: &Preferences| -> Json { serde_json::from_str(&preferences.to_local()).unwrap() };
        let (before, after) = (stored(&Preferences::default()), stored(&changed()));
        for (key, group) in before.as_object().unwrap() {
            match group {
                Json::Object(fields) => {
                    for (name, value) in fields {
                        assert_ne!(value, &after[key][name], "{key}.{name} has no row");
                    }
                }
                value => assert_ne!(value, &after[key], "{key} has no row"),
            }
        }
    }

    #[test]
    fn each_has_names_of_its_own() {
        let unique =
            |names: Vec<&str>| assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        unique(Field::ALL.iter().map(|field| field.id()).collect());
        unique(Field::ALL.iter().filter_map(|field| field.policy_name()).collect());
        let groups = [Group::Koha, Group::Desk, Group::Records].map(Group::stored);
        unique(groups.into_iter().chain(Field::ALL.iter().filter_map(|field| field.stored_apart())).collect());
        assert!(Field::ALL.is_sorted(), "errors come in this order");
    }

    #[test]
    fn a_secret_cannot_be_preset() {
        assert!(Field::ALL.iter().all(|field| field.kind() != Kind::Secret || field.policy_name().is_none()));
    }

    #[test]
    fn values_of_another_kind_change_nothing() {
        for field in Field::ALL {
            let mut preferences = Preferences::default();
            let wrong = match field.get(&preferences) {
                Value::Flag(_) => Value::Text("true".into()),
                Value::Text(_) => Value::Flag(true),
            };
            assert_eq!(field.set(&mut preferences, wrong), Err(WrongKind), "{field:?}");
            if matches!(
                field.kind(),
                Kind::Login | Kind::CommitType | Kind::ScannerEnd | Kind::ScannerKeyboard | Kind::KeyKept
            ) {
                assert_eq!(field.set(&mut preferences, Value::Text("other".into())), Err(WrongKind), "{field:?}");
            }
            assert_eq!(preferences, Preferences::default());
        }
    }

    #[test]
    fn koha_can_be_asked_for_its_libraries_where_nothing_else_is_missing() {
        let form = Form { branchcode: String::new(), desk_name: "Bus 2".into(), ..Form::for_tests() };
        let with = |form: Form| Preferences { form, ..Preferences::default() }.settings_without_library();
        let settings = with(form.clone()).unwrap();
        assert_eq!((settings.username.as_str(), settings.branchcode.as_str()), ("desk", ""));
        for other in [
            Form { branchcode: "CPL".into(), ..form.clone() },
            Form { branchcode: "MUCH-TOO-LONG".into(), ..form.clone() },
            Form { password: Secret::default(), ..form.clone() },
            Form { desk_name: String::new(), ..form.clone() },
        ] {
            assert_eq!(with(other.clone()), None, "{other:?}");
        }
    }

    #[test]
    fn a_page_follows_what_is_stored_meanwhile_field_by_field() {
        let loaded = Preferences::default();
        let stored = changed();
        for touched in Field::ALL.iter().filter(|field| field.kind() != Kind::Secret) {
            let mut page = loaded.clone();
            let typed = match (touched.get(&page), touched.kind()) {
                (Value::Flag(flag), _) => Value::Flag(!flag),
                (_, Kind::Login | Kind::CommitType | Kind::ScannerEnd | Kind::ScannerKeyboard | Kind::KeyKept) => {
                    touched.get(&stored)
                }
                _ => Value::Text("typed".to_owned()),
            };
            touched.set(&mut page, typed.clone()).unwrap();
            let followed = page.following(&loaded, &stored);
            for field in Field::ALL {
                let expected = if field == touched { typed.clone() } else { field.get(&stored) };
                assert!(field.get(&followed) == expected, "{touched:?}: {field:?}");
            }
        }
        // Stored at that moment: what a window has learned is kept, and what is typed of Koha is stored together.
        let mut page = loaded.clone();
        page.form.server = "koha.example.org".into();
        page.form.password = crate::settings::form::Secret::new("letmein");
        page.desk.loan_days = "21".into();
        let mut learned = loaded.clone();
        learned.desk.item_also = "ILL-##".into();
        learned.desk.loan_days = "14".into();
        learned.form.server = "other.example.org".into();
        learned.form.username = "other".into();
        let over = page.over(&loaded, &learned);
        assert_eq!(over.form, page.form);
        assert_eq!([over.desk.item_also.as_str(), &over.desk.loan_days], ["ILL-##", "21"]);
    }

    #[test]
    fn what_does_not_matter_hinders_nothing() {
        let mut preferences = changed();
        preferences.form.desk_name = "Bus 2".into();
        preferences.desk = DeskSettings::default();
        preferences.records.enabled = false;
        assert_eq!(preferences.errors(false), []);
        let all_of = |errors: Vec<(Field, FieldError)>, group| {
            assert!(!errors.is_empty() && errors.iter().all(|(field, _)| field.group() == group), "{errors:?}");
        };
        all_of(preferences.errors(true), Group::Koha);
        preferences.records.enabled = true;
        all_of(preferences.errors(false), Group::Records);
    }
}
