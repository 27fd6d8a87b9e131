//! What trying the settings has shown, and where on the settings page that is said: at the field that is wrong, where one is.

use super::{
    Failure, NotSent,
    connection::{ConnectionError, Ready},
    front::Front,
};
use crate::settings::{form::Settings, table::Field};

/// How a connection with some settings went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// All is well.
    Works,
    /// It works, but for the branch code, which this account may not check.
    BranchUnchecked,
    /// The account works, but no library has this branch code.
    BranchUnknown,
    /// The account works, but nobody has said yet which library the desk belongs to; and whether Koha says which there are.
    BranchMissing {
        /// Then one is chosen from the list.
        listed: bool,
    },
    /// It does not work, and why.
    Failed(ConnectionError),
}

/// Where it is said what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultAt {
    /// At the setting that is to be changed.
    Field(Field),
    /// Nothing that was typed is wrong.
    Nowhere,
    /// Koha is away; with the same settings it has been there.
    Away,
}

/// What a press of a button on the settings page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// It stores the settings, and tries them.
    Saves,
    /// It would, but the library is missing: which there are is asked all the same.
    CannotSave,
    /// It tries them, and stores nothing.
    Tests,
}

/// How well it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Something is to be looked at.
    Doubt,
    /// It did not work.
    Bad,
}

impl Tone {
    /// As the page marks it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubt => "doubt",
            Self::Bad => "bad",
        }
    }
}

/// A sentence of what is said of a trial beside the buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sentence {
    /// The settings cannot be stored as they are.
    Invalid,
    /// They are stored.
    Saved,
    /// They are stored; what is wrong is said at this one.
    SavedSee(Field),
    /// What is wrong is said at this setting.
    TestSee(Field),
    /// Koha is away, nothing is wrong with the settings.
    Away,
    /// What the trial has shown.
    Shown,
}

/// What is said of a trial: once, at the setting that is wrong where one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How well it went.
    pub tone: Tone,
    /// The setting at which it is said what the trial has shown.
    pub wrong: Option<Field>,
    /// Whether it is said of the library too that it is missing.
    pub lacks_library: bool,
    /// What is said beside the buttons.
    pub sentences: Vec<Sentence>,
}

impl Trial {
    /// From what became of the connection.
    pub fn of(tried: Result<&Ready, &ConnectionError>, settings: &Settings) -> Self {
        match tried {
            Err(error) => Self::Failed(error.clone()),
            Ok(ready) if settings.branchcode.is_empty() => Self::BranchMissing {
                listed: ready.libraries.as_ref().is_some_and(|libraries| !libraries.list.is_empty()),
            },
            Ok(ready) => match ready.libraries.as_ref().and_then(|libraries| libraries.knows(&settings.branchcode)) {
                Some(true) => Self::Works,
                Some(false) => Self::BranchUnknown,
                None => Self::BranchUnchecked,
            },
        }
    }

    /// Whether one can send with these settings.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Works | Self::BranchUnchecked)
    }

    /// What is said of it after this press of a button, with these settings. `worked` as with [`Trial::fault_at`].
    pub fn told(&self, press: Press, settings: &Settings, worked: bool) -> Told {
        let place = self.fault_at(worked);
        let wrong = match place {
            FaultAt::Field(field) => Some(field),
            FaultAt::Nowhere | FaultAt::Away => None,
        };
        let first = match press {
            Press::CannotSave => Some(Sentence::Invalid),
            Press::Saves => wrong.is_none().then_some(Sentence::Saved),
            Press::Tests => None,
        };
        let then = match (place, press) {
            (FaultAt::Field(_), Press::CannotSave) => None,
            (FaultAt::Field(field), Press::Saves) => Some(Sentence::SavedSee(field)),
            (FaultAt::Field(field), Press::Tests) => Some(Sentence::TestSee(field)),
            (FaultAt::Away, _) => Some(Sentence::Away),
            (FaultAt::Nowhere, _) => Some(Sentence::Shown),
        };
        Told {
            tone: match self {
                Self::Works => Tone::Good,
                Self::BranchUnchecked => Tone::Doubt,
                // The desk can record.
                _ if press == Press::Saves => Tone::Doubt,
                _ => Tone::Bad,
            },
            wrong,
            lacks_library: settings.branchcode.is_empty() && wrong != Some(Field::Branchcode),
            sentences: first.into_iter().chain(then).collect(),
        }
    }

    /// Where it is said what is wrong. `worked` tells whether the same server, account and library have worked before: then an
    /// address at which nobody answers is no mistake in the address.
    pub fn fault_at(&self, worked: bool) -> FaultAt {
        let error = match self {
            Self::Works | Self::BranchUnchecked => return FaultAt::Nowhere,
            Self::BranchUnknown | Self::BranchMissing { .. } => return FaultAt::Field(Field::Branchcode),
            Self::Failed(error) => error,
        };
        let at_address = if worked { FaultAt::Away } else { FaultAt::Field(Field::Server) };
        match error {
            ConnectionError::WrongCredentials => FaultAt::Field(Field::Password),
            ConnectionError::NobodyLoggedIn => FaultAt::Field(Field::Login),
            ConnectionError::NotReadable => FaultAt::Field(Field::Username),
            ConnectionError::NoAnswer(
                Failure::NotSent(NotSent::UnknownHost | NotSent::Refused) | Failure::TimedOut,
            ) => at_address,
            // Somebody else answers there, whatever answered before.
            ConnectionError::NoAnswer(
                Failure::NotSent(NotSent::Insecure | NotSent::NotAllowed)
                | Failure::Redirected { .. }
                | Failure::TooLong,
            )
            | ConnectionError::NotKoha { front: Front::Other, .. } => FaultAt::Field(Field::Server),
            // What stands in between says itself what to do.
            ConnectionError::NotKoha { .. }
            | ConnectionError::NoAnswer(Failure::NotSent(NotSent::Offline) | Failure::Lost)
            | ConnectionError::Maintenance
            | ConnectionError::TokenRefused
            | ConnectionError::Busy(_)
            | ConnectionError::ServerError { .. } => FaultAt::Nowhere,
        }
    }
}

/// Whether this is that nobody answers at the address: with settings that have worked before, Koha is down, and nothing is wrong
/// with them.
pub fn nobody_answers(error: &ConnectionError) -> bool {
    Trial::Failed(error.clone()).fault_at(true) == FaultAt::Away
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        koha::{rest::Libraries, service::Access},
        settings::form::CommitType,
    };
    use std::time::Duration;

    fn ready(libraries: Option<Libraries>) -> Ready {
        Ready { access: Access::Account { anonymous: None }, reading: None, libraries, has_plugin: false }
    }

    #[test]
    fn a_library_is_there_or_not_or_nobody_may_say() {
        let settings = Settings::for_tests(CommitType::Send);
        let list = |code: &str| {
            let json = format!(r#"[{{"library_id": "{code}", "name": "Centerville"}}]"#);
            crate::koha::rest::read_libraries(&crate::koha::Response {
                status: 200,
                content_type: "application/json".into(),
                body: json,
                ..crate::koha::Response::default()
            })
        };
        let of = |libraries: Option<Libraries>| Trial::of(Ok(&ready(libraries)), &settings);
        assert_eq!(of(list(&settings.branchcode)), Trial::Works);
        assert_eq!(of(None), Trial::BranchUnchecked);
        assert_eq!(of(list("XYZ")), Trial::BranchUnknown);
        let unsaid = Settings { branchcode: String::new(), ..settings.clone() };
        for (libraries, listed) in [(list("XYZ"), true), (None, false)] {
            let trial = Trial::of(Ok(&ready(libraries)), &unsaid);
            assert_eq!(trial, Trial::BranchMissing { listed });
            assert!(!trial.is_good() && trial.fault_at(true) == FaultAt::Field(Field::Branchcode));
        }
        let error = ConnectionError::Maintenance;
        assert_eq!(Trial::of(Err(&error), &settings), Trial::Failed(error));
        assert!(Trial::Works.is_good() && Trial::BranchUnchecked.is_good() && !Trial::BranchUnknown.is_good());
    }

    #[test]
    fn what_is_wrong_is_said_once_and_what_is_stored_is_said_too() {
        use Sentence::{Away, Invalid, Saved, SavedSee, Shown, TestSee};
        let settings = Settings::for_tests(CommitType::Send);
        let unsaid = Settings { branchcode: String::new(), ..settings.clone() };
        let refused = || Trial::Failed(ConnectionError::NoAnswer(Failure::NotSent(NotSent::Refused)));
        let (password, server) = (Field::Password, Field::Server);
        let wrong_password = || Trial::Failed(ConnectionError::WrongCredentials);
        let maintenance = || Trial::Failed(ConnectionError::Maintenance);
        for (trial, press, worked, tone, wrong, sentences) in [
            (Trial::Works, Press::Saves, false, Tone::Good, None, vec![Saved, Shown]),
            (Trial::Works, Press::Tests, false, Tone::Good, None, vec![Shown]),
            (Trial::BranchUnchecked, Press::Tests, false, Tone::Doubt, None, vec![Shown]),
            (wrong_password(), Press::Saves, false, Tone::Doubt, Some(password), vec![SavedSee(password)]),
            (wrong_password(), Press::Tests, false, Tone::Bad, Some(password), vec![TestSee(password)]),
            (refused(), Press::Tests, false, Tone::Bad, Some(server), vec![TestSee(server)]),
            (refused(), Press::Tests, true, Tone::Bad, None, vec![Away]),
            (refused(), Press::Saves, true, Tone::Doubt, None, vec![Saved, Away]),
            (maintenance(), Press::Saves, false, Tone::Doubt, None, vec![Saved, Shown]),
        ] {
            let told = Told { tone, wrong, lacks_library: false, sentences };
            assert_eq!(trial.told(press, &settings, worked), told, "{trial:?}, {press:?}");
        }
        let library = Some(Field::Branchcode);
        for (trial, wrong, lacks_library, sentences) in [
            (Trial::BranchMissing { listed: true }, library, false, vec![Invalid]),
            (wrong_password(), Some(password), true, vec![Invalid]),
            (maintenance(), None, true, vec![Invalid, Shown]),
        ] {
            let told = Told { tone: Tone::Bad, wrong, lacks_library, sentences };
            assert_eq!(trial.told(Press::CannotSave, &unsaid, false), told, "{trial:?}");
        }
        assert_eq!([Tone::Good, Tone::Doubt, Tone::Bad].map(Tone::name), ["good", "doubt", "bad"]);
    }

    #[test]
    fn what_is_wrong_is_said_where_it_can_be_changed() {
        let no_answer = |failure| Trial::Failed(ConnectionError::NoAnswer(failure));
        let not_sent = |why| no_answer(Failure::NotSent(why));
        let not_koha = |front| Trial::Failed(ConnectionError::NotKoha { status: 404, front });
        let server = FaultAt::Field(Field::Server);
        for (trial, new, worked) in [
            (Trial::Works, FaultAt::Nowhere, FaultAt::Nowhere),
            (Trial::BranchUnchecked, FaultAt::Nowhere, FaultAt::Nowhere),
            (Trial::BranchUnknown, FaultAt::Field(Field::Branchcode), FaultAt::Field(Field::Branchcode)),
            (
                Trial::Failed(ConnectionError::WrongCredentials),
                FaultAt::Field(Field::Password),
                FaultAt::Field(Field::Password),
            ),
            (
                Trial::Failed(ConnectionError::NobodyLoggedIn),
                FaultAt::Field(Field::Login),
                FaultAt::Field(Field::Login),
            ),
            (
                Trial::Failed(ConnectionError::NotReadable),
                FaultAt::Field(Field::Username),
                FaultAt::Field(Field::Username),
            ),
            (not_sent(NotSent::UnknownHost), server, FaultAt::Away),
            (not_sent(NotSent::Refused), server, FaultAt::Away),
            (no_answer(Failure::TimedOut), server, FaultAt::Away),
            (not_sent(NotSent::Insecure), server, server),
            (no_answer(Failure::Redirected { to: None }), server, server),
            (no_answer(Failure::TooLong), server, server),
            (not_koha(Front::Other), server, server),
            (not_koha(Front::BotWall), FaultAt::Nowhere, FaultAt::Nowhere),
            (not_koha(Front::LoginPage), FaultAt::Nowhere, FaultAt::Nowhere),
            (not_sent(NotSent::Offline), FaultAt::Nowhere, FaultAt::Nowhere),
            (no_answer(Failure::Lost), FaultAt::Nowhere, FaultAt::Nowhere),
            (Trial::Failed(ConnectionError::Maintenance), FaultAt::Nowhere, FaultAt::Nowhere),
            (Trial::Failed(ConnectionError::Busy(Duration::from_mins(1))), FaultAt::Nowhere, FaultAt::Nowhere),
            (Trial::Failed(ConnectionError::ServerError { status: 500 }), FaultAt::Nowhere, FaultAt::Nowhere),
        ] {
            assert_eq!((trial.fault_at(false), trial.fault_at(true)), (new, worked), "{trial:?}");
        }
    }
}
