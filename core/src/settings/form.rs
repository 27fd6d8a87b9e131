//! What the options page stores, checked.

use crate::desk::{amount::AmountError, barcode::CodeError, name::DeskName};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;
use url::{Host, Url};

/// How transactions come into Koha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitType {
    /// "Send data to Koha": queued there for review.
    #[default]
    Send,
    /// "Apply directly to Koha": processed at once.
    Apply,
}

impl CommitType {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Send, Self::Apply];

    /// The value in the page and in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Apply => "apply",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|commit_type| commit_type.name() == name)
    }

    /// The value of service.pl's `pending`: it queues at exactly `true`, and anything else applies.
    pub fn pending(self) -> &'static str {
        match self {
            Self::Send => "true",
            Self::Apply => "false",
        }
    }
}

/// As whom KOCT talks to Koha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// As the desk's account, by its name and password.
    #[default]
    Account,
    /// As whoever is logged in to Koha in this browser, in the session of their own tab.
    OpenKoha,
}

impl Login {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Account, Self::OpenKoha];

    /// The value in the page and in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::OpenKoha => "open-koha",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|login| login.name() == name)
    }
}

/// A text that must never be shown, logged or put into a URL.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the body of a request.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The address of a Koha staff client, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl(String);

/// Why a text is not the address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ServerUrlError {
    /// Nothing there.
    #[error("enter the address of your Koha staff client")]
    Empty,
    /// Not a URL.
    #[error("this is not an address")]
    NotAnAddress,
    /// Neither http nor https.
    #[error("the address must begin with https:// or http://")]
    Scheme,
    /// `user:password@` in the address.
    #[error("leave user name and password out of the address")]
    Credentials,
}

impl ServerUrl {
    /// Reads what a person types or pastes: with or without scheme, port, path and trailing slash. A pasted page address
    /// is cut at `/cgi-bin/koha`; a sub-path before that is kept.
    ///
    /// # Errors
    /// When it is no http or https address, or holds credentials.
    pub fn parse(raw: &str) -> Result<Self, ServerUrlError> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(ServerUrlError::Empty);
        }
        let with_scheme = if raw.contains("://") { raw.to_owned() } else { format!("https://{raw}") };
        let url = Url::parse(&with_scheme).map_err(|_| ServerUrlError::NotAnAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ServerUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerUrlError::Credentials);
        }
        // A star is allowed in names of hosts, and in a permission it would stand for every server.
        if url.host_str().is_none_or(|host| host.is_empty() || host.contains('*')) {
            return Err(ServerUrlError::NotAnAddress);
        }
        let path = url.path().split("/cgi-bin/koha").next().unwrap_or_default().trim_end_matches('/');
        Ok(Self(format!("{}{path}", url.origin().ascii_serialization())))
    }

    /// The server of a page with this address, where it is one of Koha's staff client and not of its public catalogue.
    pub fn from_staff_page(address: &str) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let (_, page) = url.path().split_once("/cgi-bin/koha/")?;
        let is_public = ["opac-", "sco/", "sci/"].iter().any(|start| page.starts_with(start));
        if is_public { None } else { Self::parse(address).ok() }
    }

    /// The path of a page of this server, without what leads to the server itself, where this is the address of one.
    pub fn path_below(&self, address: &str) -> Option<String> {
        let (own, page) = (self.url()?, Url::parse(address).ok()?);
        let rest = page.path().strip_prefix(own.path().trim_end_matches('/'))?;
        (own.origin() == page.origin() && (rest.is_empty() || rest.starts_with('/'))).then(|| rest.to_owned())
    }

    fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }

    /// Scheme, host and port: what is one server to a browser. `None` never comes of an address that was parsed.
    pub fn origin(&self) -> Option<String> {
        self.url().map(|url| url.origin().ascii_serialization())
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of a page or script below it; `path` begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The pattern by which Firefox grants access to this one server. Patterns know no port.
    pub fn permission_pattern(&self) -> String {
        let url = self.url();
        let part = |get: fn(&Url) -> Option<&str>| url.as_ref().and_then(get).unwrap_or_default();
        format!("{}://{}/*", part(|url| Some(url.scheme())), part(Url::host_str))
    }

    /// Whether what is sent could be read on the way: http to another computer.
    pub fn is_readable_on_the_way(&self) -> bool {
        self.url().is_some_and(|url| {
            url.scheme() == "http"
                && match url.host() {
                    Some(Host::Domain(name)) => name != "localhost",
                    Some(Host::Ipv4(address)) => !address.is_loopback(),
                    Some(Host::Ipv6(address)) => !address.is_loopback(),
                    None => true,
                }
        })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = ServerUrlError;
    fn try_from(raw: String) -> Result<Self, ServerUrlError> {
        Self::parse(&raw)
    }
}

impl From<ServerUrl> for String {
    fn from(server: ServerUrl) -> Self {
        server.0
    }
}

/// Everything that a commit needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Koha's staff client.
    pub server: ServerUrl,
    /// As whom it is made.
    pub login: Login,
    /// The account that KOCT logs in with; empty where it uses the session of a person.
    pub username: String,
    /// Its password; likewise.
    pub password: Secret,
    /// The library that the desk belongs to.
    pub branchcode: String,
    /// How transactions come into Koha.
    pub commit_type: CommitType,
    /// The age in hours from which a transaction is not applied without a question.
    pub stale_hours: u32,
    /// Whether checkins go by Koha's own check-in, where it has one for programs and they are applied.
    pub koha_checkin: bool,
    /// A key of Koha's REST API, where the library gives one: with it is read what the account may not read.
    pub key: Option<ApiKey>,
}

/// A key of Koha's REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Which it is.
    pub id: String,
    /// What shows that it is ours.
    pub secret: Secret,
}

with_defaults! {
    /// What KOCT needs to talk to Koha, and the name of the desk, as typed.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub struct Form {
        /// Address of the staff client.
        pub server: String = String::new(),
        /// As whom KOCT talks to Koha.
        pub login: Login = Login::default(),
        /// Name of the account.
        pub username: String = String::new(),
        /// Its password.
        #[serde(skip)]
        pub password: Secret = Secret::default(),
        /// The library.
        pub branchcode: String = String::new(),
        /// How transactions come into Koha.
        pub commit_type: CommitType = CommitType::default(),
        /// The age in hours from which a transaction is not applied without a question.
        pub stale_hours: String = "24".to_owned(),
        /// Whether checkins go by Koha's own check-in.
        pub koha_checkin: bool = false,
        /// The name of this desk.
        #[serde(skip)]
        pub desk_name: String = String::new(),
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The server's address.
    #[error(transparent)]
    Server(#[from] ServerUrlError),
    /// Nothing there.
    #[error("fill this in")]
    Missing,
    /// A control character inside.
    #[error("it holds the control character U+{0:04X}")]
    ControlCharacter(u32),
    /// Not a number of hours that is of use.
    #[error("enter a whole number of hours, from 1 to {0}")]
    Hours(u32),
    /// Hours of the night that cannot be read.
    #[error("enter two hours from 0 to 24, as 22-6, or nothing")]
    QuietHours,
    /// Not a number of days that is of use; none is.
    #[error("enter a whole number of days, from 1 to {0}, or nothing")]
    Days(u16),
    /// Not a number of days that is of use, where one is needed.
    #[error("enter a whole number of days, from 1 to {0}")]
    SomeDays(u16),
    /// Not the number of a report; none is.
    #[error("enter the number of a saved report, or nothing")]
    ReportNumber,
    /// An amount that cannot be read.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// Every code would fit this pattern.
    #[error("a pattern needs at least one digit, letter or #")]
    Pattern,
    /// Lengths that cannot be read.
    #[error("lengths are numbers from 1 to 40, with commas between them")]
    Lengths,
    /// The rule of this number cannot be read.
    #[error("rule {0} cannot be read")]
    Rule(usize),
    /// Koha would cut or refuse it.
    #[error("it has {length} characters, and at most {limit} are kept")]
    TooLong {
        /// Characters typed.
        length: usize,
        /// Characters kept.
        limit: usize,
    },
}

/// The column `pending_offline_operations.userid`.
const QUEUED_USERID_LIMIT: usize = 30;
/// The column `borrowers.userid`.
const USERID_LIMIT: usize = 75;
/// The columns `branches.branchcode` and `pending_offline_operations.branchcode`.
const BRANCHCODE_LIMIT: usize = 10;

/// A year.
const STALE_HOURS_LIMIT: u32 = 8_784;

fn required(raw: &str, limit: usize) -> Result<String, FieldError> {
    let text = raw.trim();
    if text.is_empty() {
        return Err(FieldError::Missing);
    }
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(FieldError::ControlCharacter(u32::from(control)));
    }
    let length = text.chars().count();
    if length > limit { Err(FieldError::TooLong { length, limit }) } else { Ok(text.to_owned()) }
}

impl From<CodeError> for FieldError {
    fn from(error: CodeError) -> Self {
        match error {
            // A name is only read, not scanned: no such number is refused there.
            CodeError::Empty | CodeError::Spreadsheet => Self::Missing,
            CodeError::ControlCharacter(code_point) => Self::ControlCharacter(code_point),
            CodeError::Invisible(sign) => Self::ControlCharacter(u32::from(sign)),
            CodeError::TooLong { length, limit } => Self::TooLong { length, limit },
        }
    }
}

impl Form {
    /// Whether a connection to Koha is wanted: a desk that only writes .koc files names no server and no account.
    pub fn connects(&self) -> bool {
        let account = self.login == Login::Account && !(self.username.trim().is_empty() && self.password.is_empty());
        account || !self.server.trim().is_empty()
    }

    /// The address of the staff client.
    ///
    /// # Errors
    /// When it is no http or https address, or holds credentials.
    pub fn server(&self) -> Result<ServerUrl, FieldError> {
        Ok(ServerUrl::parse(&self.server)?)
    }

    /// The name of the account; none where it is not used. In `send` it must fit Koha's queue, which is shorter than its accounts'.
    ///
    /// # Errors
    /// When it is missing, or Koha would cut or refuse it.
    pub fn username(&self) -> Result<String, FieldError> {
        if self.login == Login::OpenKoha {
            return Ok(String::new());
        }
        let limit = match self.commit_type {
            CommitType::Send => QUEUED_USERID_LIMIT,
            CommitType::Apply => USERID_LIMIT,
        };
        required(&self.username, limit)
    }

    /// Its password, as typed; none where it is not used.
    ///
    /// # Errors
    /// When it is missing.
    pub fn password(&self) -> Result<Secret, FieldError> {
        match self.login {
            Login::OpenKoha => Ok(Secret::default()),
            Login::Account if self.password.is_empty() => Err(FieldError::Missing),
            Login::Account => Ok(self.password.clone()),
        }
    }

    /// The library that the desk belongs to.
    ///
    /// # Errors
    /// When it is missing, or Koha would cut or refuse it.
    pub fn branchcode(&self) -> Result<String, FieldError> {
        required(&self.branchcode, BRANCHCODE_LIMIT)
    }

    /// The age in hours from which a transaction is not applied without a question.
    ///
    /// # Errors
    /// When it is no whole number of hours within a year.
    pub fn stale_hours(&self) -> Result<u32, FieldError> {
        let hours = self.stale_hours.trim().parse().ok().filter(|hours| (1..=STALE_HOURS_LIMIT).contains(hours));
        hours.ok_or(FieldError::Hours(STALE_HOURS_LIMIT))
    }

    /// The name of this desk. Scanning and sending work without one; what it exports would bear no name.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn desk_name(&self) -> Result<DeskName, FieldError> {
        Ok(DeskName::parse(&self.desk_name)?)
    }

    /// Everything that a commit needs.
    ///
    /// # Errors
    /// What is wrong with the first field that cannot be used; `table` has all of them by name.
    pub fn validate(&self) -> Result<Settings, FieldError> {
        Ok(Settings {
            server: self.server()?,
            login: self.login,
            username: self.username()?,
            password: self.password()?,
            branchcode: self.branchcode()?,
            commit_type: self.commit_type,
            stale_hours: self.stale_hours()?,
            koha_checkin: self.koha_checkin,
            key: None,
        })
    }
}

impl Settings {
    /// Those of an account at a library, where nothing else is chosen.
    pub fn at(server: ServerUrl, username: &str, password: &str, branchcode: &str) -> Self {
        Self {
            server,
            login: Login::Account,
            username: username.to_owned(),
            password: Secret::new(password),
            branchcode: branchcode.to_owned(),
            commit_type: CommitType::Send,
            stale_hours: 24,
            koha_checkin: false,
            key: None,
        }
    }
}

impl From<&Settings> for Form {
    /// As it is typed best.
    fn from(settings: &Settings) -> Self {
        Self {
            server: settings.server.to_string(),
            login: settings.login,
            username: settings.username.clone(),
            password: settings.password.clone(),
            branchcode: settings.branchcode.clone(),
            commit_type: settings.commit_type,
            stale_hours: settings.stale_hours.to_string(),
            koha_checkin: settings.koha_checkin,
            ..Self::default()
        }
    }
}

#[cfg(test)]
impl Form {
    /// As somebody types it at a desk that only a test knows.
    pub(crate) fn for_tests() -> Self {
        Self {
            server: "koha.example.org".into(),
            username: "desk".into(),
            password: Secret::new("letmein"),
            branchcode: "CPL".into(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
impl Settings {
    /// Those of a desk that only a test knows.
    pub(crate) fn for_tests(commit_type: CommitType) -> Self {
        let server = ServerUrl::parse("https://example.org").unwrap();
        Self { commit_type, ..Self::at(server, "desk", "letmein", "CPL") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::table::{Field, Preferences};
    use proptest::prelude::*;

    #[test]
    fn takes_an_address_as_people_paste_it() {
        for (raw, address) in [
            ("https://koha.example.org", "https://koha.example.org"),
            (" https://koha.example.org/ ", "https://koha.example.org"),
            ("koha.example.org", "https://koha.example.org"),
            ("koha.example.org:8443", "https://koha.example.org:8443"),
            ("HTTP://Koha.Example.org:8080/", "http://koha.example.org:8080"),
            ("https://koha.example.org:443", "https://koha.example.org"),
            ("https://example.org/koha/", "https://example.org/koha"),
            ("https://example.org/koha/cgi-bin/koha/mainpage.pl?x=1#y", "https://example.org/koha"),
            ("https://example.org/cgi-bin/koha/mainpage.pl", "https://example.org"),
            ("http://[::1]:8081/", "http://[::1]:8081"),
            ("https://bücherei.example", "https://xn--bcherei-n2a.example"),
        ] {
            assert_eq!(ServerUrl::parse(raw).map(String::from).as_deref(), Ok(address), "{raw}");
        }
    }

    #[test]
    fn refuses_other_addresses_with_a_reason() {
        for (raw, error) in [
            ("  ", ServerUrlError::Empty),
            ("ftp://koha.example.org", ServerUrlError::Scheme),
            ("javascript://x", ServerUrlError::Scheme),
            ("https://koha:secret@koha.example.org", ServerUrlError::Credentials),
            ("https://", ServerUrlError::NotAnAddress),
            ("https://a b", ServerUrlError::NotAnAddress),
            ("https://*", ServerUrlError::NotAnAddress),
            ("*.example.org", ServerUrlError::NotAnAddress),
        ] {
            assert_eq!(ServerUrl::parse(raw), Err(error), "{raw}");
        }
    }

    #[test]
    fn asks_for_one_server_only() {
        let pattern = |raw| ServerUrl::parse(raw).unwrap().permission_pattern();
        assert_eq!(pattern("https://koha.example.org:8443/koha"), "https://koha.example.org/*");
        assert_eq!(pattern("http://127.0.0.1:8081"), "http://127.0.0.1/*");
    }

    #[test]
    fn warns_of_http_to_another_computer() {
        let readable = |raw| ServerUrl::parse(raw).unwrap().is_readable_on_the_way();
        assert!(readable("http://koha.example.org"));
        for raw in ["https://koha.example.org", "http://127.0.0.1:8081", "http://localhost", "http://[::1]"] {
            assert!(!readable(raw), "{raw}");
        }
    }

    fn form() -> Form {
        Form {
            server: "https://koha.example.org".into(),
            username: " desk ".into(),
            password: Secret::new("letmein"),
            branchcode: "CPL".into(),
            ..Form::default()
        }
    }

    /// What is wrong with the fields that a connection needs.
    fn errors(form: Form) -> Vec<(Field, FieldError)> {
        Preferences { form: Form { desk_name: "Bus 2".into(), ..form }, ..Preferences::default() }.errors(true)
    }

    #[test]
    fn a_desk_may_do_without_koha() {
        assert!(form().connects());
        assert!(!Form { branchcode: "CPL".into(), ..Form::default() }.connects());
        let begun = Form { username: "desk".into(), ..Form::default() };
        assert!(begun.connects(), "not left out");
        assert!(!Form { login: Login::OpenKoha, ..begun }.connects(), "no account is asked for");
    }

    #[test]
    fn a_desk_needs_a_name_to_be_told_from_others() {
        let named = |raw: &str| Form { desk_name: raw.into(), ..form() }.desk_name();
        assert_eq!(named(" Bus 2 ").map(String::from), Ok("Bus 2".into()));
        assert_eq!(named(" "), Err(FieldError::Missing));
        assert_eq!(named(&"x".repeat(41)), Err(FieldError::TooLong { length: 41, limit: 40 }));
        assert!(form().validate().is_ok(), "sending works without");
    }

    #[test]
    fn takes_only_whole_hours_of_a_year() {
        for (raw, hours) in [("24", Some(24)), (" 1 ", Some(1)), ("8784", Some(8784)), ("0", None), ("8785", None)] {
            let settings = Form { stale_hours: raw.into(), ..form() }.validate();
            assert_eq!(settings.ok().map(|settings| settings.stale_hours), hours, "{raw}");
        }
        for raw in ["", "-1", "1.5", "a day", "99999999999"] {
            let errors = errors(Form { stale_hours: raw.into(), ..form() });
            assert_eq!(errors, [(Field::StaleHours, FieldError::Hours(8_784))], "{raw}");
        }
        assert_eq!(serde_json::from_str::<Form>("{}").unwrap().stale_hours, "24", "settings of before");
    }

    #[test]
    fn a_page_of_the_staff_client_names_its_server() {
        let server = |address: &str| ServerUrl::from_staff_page(address).map(|server| server.to_string());
        let of = |address: &str| Some(address.to_owned());
        assert_eq!(server("https://staff.example.org/cgi-bin/koha/mainpage.pl"), of("https://staff.example.org"));
        assert_eq!(
            server("http://example.org:8081/koha/cgi-bin/koha/circ/circulation.pl?borrowernumber=7"),
            of("http://example.org:8081/koha")
        );
        for other in [
            "https://example.org/cgi-bin/koha/opac-user.pl",
            "https://example.org/cgi-bin/koha/sco/sco-main.pl",
            "https://example.org/cgi-bin/kohasomething.pl",
            "https://example.org/?q=/cgi-bin/koha/mainpage.pl",
            "https://name:secret@example.org/cgi-bin/koha/mainpage.pl",
            "about:blank",
            "moz-extension://1d1f4e52/popup/popup.html",
            "",
        ] {
            assert_eq!(server(other), None, "{other}");
        }
    }

    #[test]
    fn names_every_field_that_cannot_be_used() {
        assert_eq!(form().validate().unwrap().username, "desk");
        let missing = errors(Form::default());
        assert_eq!(
            missing.iter().map(|(field, _)| field.id()).collect::<Vec<_>>(),
            ["server", "username", "password", "branchcode"]
        );
        let long = errors(Form { branchcode: "x".repeat(11), ..form() });
        assert_eq!(long, [(Field::Branchcode, FieldError::TooLong { length: 11, limit: 10 })]);
    }

    #[test]
    fn whoever_is_logged_in_needs_no_account() {
        let form = Form { login: Login::OpenKoha, username: "u".repeat(99), password: Secret::default(), ..form() };
        assert_eq!(errors(form.clone()), []);
        // What an earlier choice has left is not used.
        let settings = Form { password: Secret::new("letmein"), ..form }.validate().unwrap();
        assert_eq!((settings.username.as_str(), settings.password.is_empty()), ("", true));
        assert!(!errors(Form { login: Login::OpenKoha, ..Form::default() }).is_empty(), "server and library are");
    }

    #[test]
    fn the_queue_takes_shorter_user_names_than_accounts_have() {
        let long = Form { username: "u".repeat(31), ..form() };
        assert_eq!(errors(long.clone()), [(Field::Username, FieldError::TooLong { length: 31, limit: 30 })]);
        assert!(Form { commit_type: CommitType::Apply, ..long }.validate().is_ok());
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert!(!format!("{:?} {:?}", form(), form().validate().unwrap()).contains("letmein"));
        assert!(!serde_json::to_string(&form()).unwrap().contains("letmein"), "the password is stored apart");
    }

    proptest! {
        #[test]
        fn reading_an_address_never_panics_and_is_done_after_once(raw in "\\PC{0,60}|(https?://)?[a-zA-Z0-9.:/@?#_-]{0,40}") {
            if let Ok(server) = ServerUrl::parse(&raw) {
                prop_assert_eq!(ServerUrl::parse(server.as_str()).unwrap(), server.clone());
                prop_assert!(!server.as_str().ends_with('/'));
                prop_assert!(server.permission_pattern().ends_with("/*"));
            }
        }
    }
}
