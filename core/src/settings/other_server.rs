//! What follows where the server is another one: a secret that was stored for one is never sent to another, and Firefox's
//! permission for one is given back.

use crate::settings::{
    form::{Secret, ServerUrl},
    table::{Field, Kind, Preferences, Value},
};

/// What a person has done on the settings page with a secret. What is stored is not there to be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SecretTyped {
    /// Nothing: what is stored is meant.
    #[default]
    Nothing,
    /// It shall be stored no more.
    Removed,
    /// Another one.
    New(Secret),
}

impl SecretTyped {
    /// From the text in its field, and whether the person has removed what is stored.
    pub fn from_page(text: String, is_removed: bool) -> Self {
        match (text.is_empty(), is_removed) {
            (false, _) => Self::New(Secret::new(text)),
            (true, true) => Self::Removed,
            (true, false) => Self::Nothing,
        }
    }
}

impl Preferences {
    /// Whether the secrets stored with these settings hold for a server that is typed so: only where scheme, host and port
    /// are the same. Another path on it is the same server.
    pub fn secrets_hold_for(&self, typed: &str) -> bool {
        let origin = |raw: &str| ServerUrl::parse(raw).ok()?.origin();
        match (origin(&self.form.server), origin(typed)) {
            (Some(stored), Some(typed)) => stored == typed,
            // Without a server nothing is sent, so what is stored may wait. An address that cannot be read is no server.
            (None, None) => self.form.server.trim() == typed.trim(),
            _ => false,
        }
    }

    /// Whether a secret is stored that is forgotten where the server is typed so, and saved.
    pub fn forgets_secrets(&self, typed: &str) -> bool {
        self.withholds_secrets || self.secrets().any(|(_, secret)| !secret.is_empty()) && !self.secrets_hold_for(typed)
    }

    /// Puts a secret into these settings of a page, which have their server. `stored` are those that the page was opened
    /// with.
    pub fn take_secret(&mut self, field: Field, typed: SecretTyped, stored: &Self) {
        debug_assert_eq!(field.kind(), Kind::Secret);
        let value = match typed {
            SecretTyped::New(secret) => Value::Text(secret.reveal().to_owned()),
            SecretTyped::Nothing if stored.secrets_hold_for(&self.form.server) => field.get(stored),
            SecretTyped::Nothing | SecretTyped::Removed => Value::Text(String::new()),
        };
        // A secret is a text.
        let _ = field.set(self, value);
    }

    /// Of the origins for which Firefox has given permission, those that are to be given back: each single server but that
    /// of the settings. KOCT never asks for more than one, so what stands for many is a person's own doing, and stays.
    pub fn origins_to_give_back(&self, granted: Vec<String>) -> Vec<String> {
        let own = self.form.server().map(|server| server.permission_pattern()).ok();
        let is_single = |origin: &str| origin.strip_suffix("/*").is_some_and(|server| !server.contains('*'));
        granted.into_iter().filter(|origin| is_single(origin) && Some(origin) != own.as_ref()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::{Form, Login};

    fn stored(server: &str) -> Preferences {
        let mut preferences = Preferences {
            form: Form { server: server.into(), password: Secret::new("letmein"), ..Form::default() },
            ..Preferences::default()
        };
        preferences.records.client_secret = Secret::new("s3cret");
        preferences
    }

    /// Password and client secret after this server and these were typed.
    fn after(stored: &Preferences, server: &str, typed: [SecretTyped; 2]) -> [String; 2] {
        let mut page = stored.clone();
        page.form.server = server.into();
        let fields = [Field::Password, Field::ClientSecret];
        for (field, typed) in fields.into_iter().zip(typed) {
            page.take_secret(field, typed, stored);
        }
        [page.form.password, page.records.client_secret].map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn another_scheme_host_or_port_forgets_both_secrets_and_nothing_else_does() {
        let nothing = || [SecretTyped::Nothing, SecretTyped::Nothing];
        for (before, server, holds) in [
            ("https://koha.example.org", "https://koha.example.org", true),
            ("https://koha.example.org", "koha.example.org", true),
            ("koha.example.org", " HTTPS://Koha.Example.org:443/ ", true),
            ("https://koha.example.org", "https://koha.example.org/cgi-bin/koha/mainpage.pl", true),
            ("https://koha.example.org/one", "https://koha.example.org/two", true),
            ("https://koha.example.org", "http://koha.example.org", false),
            ("https://koha.example.org", "https://koha.example.org:8443", false),
            ("https://koha.example.org", "https://koha.example.com", false),
            ("https://koha.example.org", "https://koha.example.org.example.com", false),
            ("https://koha.example.org", "https://u@koha.example.org", false),
            ("https://koha.example.org", "", false),
            ("https://koha.example.org", "https://", false),
            ("", "https://koha.example.org", false),
            ("ftp://koha.example.org", "https://koha.example.org", false),
            ("", " ", true),
        ] {
            let stored = stored(before);
            assert_eq!(stored.secrets_hold_for(server), holds, "{before} {server}");
            assert_eq!(stored.forgets_secrets(server), !holds, "{before} {server}");
            let expected = if holds { ["letmein", "s3cret"] } else { ["", ""] };
            assert_eq!(after(&stored, server, nothing()), expected, "{before} {server}");
        }
        assert!(!Preferences::default().forgets_secrets("koha.example.org"), "there is none");
        let mut unused = stored("koha.example.org");
        unused.form.login = Login::OpenKoha;
        assert!(unused.forgets_secrets("koha.example.com"), "the key's secret");
        unused.records.client_secret = Secret::default();
        assert!(!unused.forgets_secrets("koha.example.com"));
    }

    #[test]
    fn what_is_typed_or_removed_counts_whatever_the_server_is() {
        let stored = stored("https://koha.example.org");
        let typed = || [SecretTyped::from_page("new".into(), true), SecretTyped::from_page(String::new(), true)];
        for server in ["https://koha.example.org", "https://koha.example.com"] {
            assert_eq!(after(&stored, server, typed()), ["new", ""], "{server}");
        }
        assert_eq!(SecretTyped::from_page(String::new(), false), SecretTyped::Nothing);
        // Blanks are a password.
        assert_eq!(SecretTyped::from_page(" ".into(), false), SecretTyped::New(Secret::new(" ")));
    }

    #[test]
    fn permission_is_kept_for_the_server_in_the_settings_alone() {
        let granted = || vec!["https://koha.example.org/*".to_owned(), "http://old.example.org/*".to_owned()];
        let back = |server: &str| stored(server).origins_to_give_back(granted());
        assert_eq!(back("https://koha.example.org:8443/staff"), ["http://old.example.org/*"]);
        assert_eq!(back("https://old.example.org"), granted(), "another scheme");
        assert_eq!(back(""), granted());
        assert_eq!(back("https://u:p@koha.example.org"), granted());
        let many =
            ["<all_urls>", "https://*/*", "*://koha.example.org/*", "https://*.example.org/*"].map(str::to_owned);
        assert_eq!(stored("").origins_to_give_back(many.to_vec()), Vec::<String>::new());
    }
}
