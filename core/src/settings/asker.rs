//! Which Koha records are asked of, and as whom: what one account sees, another may not.

use crate::settings::form::Settings;
use serde::{Deserialize, Serialize};

/// The server, and whoever asks: what is asked for as another is other records. Holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asker(String);

impl Asker {
    /// With these settings. The library counts: where libraries are independent, Koha shows an account what belongs to the one it has
    /// logged in to (system preference `IndependentBranches`).
    pub fn of(settings: &Settings) -> Self {
        let who = match &settings.key {
            Some(key) => format!("key\t{}", key.id),
            None => format!("{}\t{}", settings.login.name(), settings.username),
        };
        Self([settings.server.as_str(), &who, &settings.branchcode].join("\t"))
    }

    /// Whether an earlier version has asked, which has not kept who it was.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what was asked for so can be gone on with by this one.
    pub fn is_as(&self, other: &Self) -> bool {
        self.is_unknown() || self == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::form::{ApiKey, Form, Login, Secret};

    #[test]
    fn another_server_account_key_or_library_is_another_and_another_password_is_not() {
        let settings = Form::for_tests().validate().unwrap();
        let asker = Asker::of(&settings);
        assert!(!serde_json::to_string(&asker).unwrap().contains("letmein"));
        let of = |change: fn(&mut Settings)| {
            let mut settings = settings.clone();
            change(&mut settings);
            Asker::of(&settings)
        };
        let key = |id: &str| Some(ApiKey { id: id.into(), secret: Secret::new("secret") });
        assert_eq!(of(|it| it.password = Secret::new("other")), asker);
        assert_eq!(of(|it| it.commit_type = crate::CommitType::Apply), asker);
        let others = [
            of(|it| it.server = crate::ServerUrl::parse("https://other.example.org").unwrap()),
            of(|it| it.username = "other".into()),
            of(|it| it.branchcode = "MPL".into()),
            of(|it| it.login = Login::OpenKoha),
            Asker::of(&Settings { key: key("1"), ..settings.clone() }),
            Asker::of(&Settings { key: key("2"), ..settings.clone() }),
        ];
        for (place, other) in others.iter().enumerate() {
            assert!(!other.is_as(&asker) && !others[..place].contains(other), "{other:?}");
        }
        assert!(Asker::default().is_as(&asker), "nobody knows who asked");
    }
}
