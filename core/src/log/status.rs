//! The life of a transaction.
//!
//! ```text
//! Local ──► Sending ──► Added | Success     committed: never sent again
//!                  ├──► Rejected            Koha answered no
//!                  └──► InDoubt             asked, but no answer seen
//!
//! Local | Rejected ──► Deleted              a person took it back; it stays in the log, and can be restored
//! ```
//! `Sending` is durable before the request leaves, so whatever is found in `Sending` when KOCT starts was interrupted and
//! becomes `InDoubt`. Neither `Rejected` nor `InDoubt` is ever sent again without a person's decision, which takes it back
//! to `Local`.

use crate::{
    desk::clock::{ClockDifference, DeskTime},
    settings::form::{CommitType, ServerUrl},
    stored::Missing,
};
use serde::{Deserialize, Serialize};

/// A request that may have left: what must be known to find out later whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// How it was to come into Koha: what was queued can be looked for only in the queue.
    pub commit_type: CommitType,
    /// The address of the server that was asked; another one knows nothing of it. As text, since it is compared and nothing
    /// else: the log is read before anything that must know what an address is.
    pub server: String,
    /// When it was over: nothing of it can have left later. Unknown until then, and where nobody saw it. What a computer
    /// gives out before it sleeps can leave long after, so no time from before the end tells when it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<DeskTime>,
    /// How far Koha's clock was ahead then. Where it is no more so, a clock was set, and `over` tells nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<ClockDifference>,
    /// What was answered, where that tells nothing about the transaction: for a person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The highest number in Koha's queue before anything of its commit was sent; absent where there was none, or it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_in_queue: Option<u64>,
    /// Whether it went by Koha's own check-in; else by its offline processing, as everything did before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_checkin: bool,
    /// The library for which it was given to the plugin, which remembers what it was given, and may be asked again. Absent where it
    /// went to Koha itself, which does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
}

impl Attempt {
    /// A request that is about to leave.
    pub fn new(commit_type: CommitType, server: &ServerUrl) -> Self {
        Self { server: server.as_str().to_owned(), ..Self::unknown(commit_type) }
    }

    /// One of which nobody knows where it went: no server is asked what became of it.
    pub fn unknown(commit_type: CommitType) -> Self {
        Self {
            commit_type,
            server: String::new(),
            over: None,
            ahead: None,
            answer: None,
            last_in_queue: None,
            own_checkin: false,
            plugin: None,
        }
    }
}

/// Where a transaction stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", try_from = "StoredStatus")]
pub enum Status {
    /// Only at this desk.
    Local,
    /// The request may have left; no answer is stored yet.
    Sending {
        /// The request.
        attempt: Attempt,
    },
    /// Koha queued it for review.
    Added,
    /// Koha processed it, or a person found it there.
    Success,
    /// Koha answered no.
    Rejected {
        /// Koha's own text.
        message: String,
    },
    /// It may or may not be in Koha.
    InDoubt {
        /// Why no answer counts.
        reason: Doubt,
        /// The request.
        attempt: Attempt,
    },
    /// A person took it back before it was in Koha. It is never sent, and stays to be seen.
    Deleted,
}

/// Where it stands, as it is stored: one object.
#[derive(Deserialize)]
struct StoredStatus {
    state: State,
    attempt: Option<Attempt>,
    message: Option<String>,
    reason: Option<Doubt>,
}

impl TryFrom<StoredStatus> for Status {
    type Error = Missing;
    fn try_from(stored: StoredStatus) -> Result<Self, Missing> {
        let StoredStatus { state, attempt, message, reason } = stored;
        let attempt = || attempt.ok_or(Missing("attempt"));
        Ok(match state {
            State::Local => Self::Local,
            State::Sending => Self::Sending { attempt: attempt()? },
            State::Added => Self::Added,
            State::Success => Self::Success,
            State::Rejected => Self::Rejected { message: message.ok_or(Missing("message"))? },
            State::InDoubt => Self::InDoubt { reason: reason.ok_or(Missing("reason"))?, attempt: attempt()? },
            State::Deleted => Self::Deleted,
        })
    }
}

/// Koha's answer to a checkin whose item nobody has: it was there already, or was used within the library, or this very checkin
/// arrived a second time.
pub const NOT_ISSUED: &str = "Item not issued.";

/// Koha's answer where it has no patron with this card.
pub const NO_PATRON: &str = "Borrower not found.";

/// Koha's answers where it has no item with this barcode: to a checkout, or to a checkin.
pub const NO_ITEM: [&str; 2] = ["Item not found.", "Barcode not found."];

/// How the answer of Koha's own check-in begins where it does not take the item back, whoever asks; the reasons follow by their keys.
pub const BLOCKED: &str = "Checkin blocked";

/// How it begins where it asks what only a person with the item in hand can answer; what it asks follows by its keys.
pub const NEEDS_PERSON: &str = "Confirmation required";

/// Why it is not known whether a transaction is in Koha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// KOCT was closed, or stopped, before an answer was stored.
    Interrupted,
    /// The connection broke after the request may have left.
    ConnectionLost,
    /// No answer came within the time limit.
    TimedOut,
    /// Koha answered with a server error: a real one was seen to have done half.
    ServerError,
    /// An answer came that is not one of Koha's (an empty one, or somebody's web page).
    StrangeAnswer,
}

/// The states by name: what the log counts and filters by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// See [`Status::Local`].
    Local,
    /// See [`Status::Sending`].
    Sending,
    /// See [`Status::Added`].
    Added,
    /// See [`Status::Success`].
    Success,
    /// See [`Status::Rejected`].
    Rejected,
    /// See [`Status::InDoubt`].
    InDoubt,
    /// See [`Status::Deleted`].
    Deleted,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Local, Self::Sending, Self::Added, Self::Success, Self::Rejected, Self::InDoubt, Self::Deleted];

    /// What a commit must know of: what is to be sent, and what may have been.
    pub const TO_COMMIT: [Self; 3] = [Self::Local, Self::InDoubt, Self::Sending];

    /// Its name in the log and in `data-status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Sending => "sending",
            Self::Added => "added",
            Self::Success => "success",
            Self::Rejected => "rejected",
            Self::InDoubt => "in-doubt",
            Self::Deleted => "deleted",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Those of which this is true, as in `State::which(State::is_open)`.
    pub fn which(is_one: impl Fn(Self) -> bool) -> Vec<Self> {
        Self::ALL.into_iter().filter(|state| is_one(*state)).collect()
    }

    /// Whether Koha has it. A committed transaction is never sent again and never changed.
    pub fn is_committed(self) -> bool {
        matches!(self, Self::Added | Self::Success)
    }

    /// Whether nobody has to do anything about it any more: Koha has it, or it was taken back. Cleared from the log, it is
    /// remembered, and loses nothing.
    pub fn is_settled(self) -> bool {
        self.is_committed() || self == Self::Deleted
    }

    /// Whether somebody still has to do something about it: it shall come into Koha and is not known to be there.
    pub fn is_open(self) -> bool {
        !self.is_settled()
    }

    /// Whether the next commit sends it.
    pub fn is_to_send(self) -> bool {
        self == Self::Local
    }

    /// Whether it may be in Koha although no answer says so.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Sending | Self::InDoubt)
    }

    /// Whether it was taken back.
    pub fn is_taken_back(self) -> bool {
        self == Self::Deleted
    }

    /// Whether it happened, as far as Koha or nobody says otherwise.
    pub fn has_happened(self) -> bool {
        !matches!(self, Self::Deleted | Self::Rejected)
    }

    /// Whether a person may correct or delete it, and the clock of its desk may be set right: it is not in Koha, and cannot
    /// be.
    pub fn is_correctable(self) -> bool {
        matches!(self, Self::Local | Self::Rejected)
    }
}

impl Status {
    /// Its state.
    pub fn state(&self) -> State {
        match self {
            Self::Local => State::Local,
            Self::Sending { .. } => State::Sending,
            Self::Added => State::Added,
            Self::Success => State::Success,
            Self::Rejected { .. } => State::Rejected,
            Self::InDoubt { .. } => State::InDoubt,
            Self::Deleted => State::Deleted,
        }
    }

    /// What becomes of it when KOCT starts and no commit is running: an interrupted request is in doubt, and over `by` now.
    /// `None` where it was made at another computer, whose clock is unknown.
    #[must_use]
    pub fn after_restart(self, by: Option<DeskTime>) -> Self {
        match self {
            Self::Sending { attempt } => {
                Self::InDoubt { reason: Doubt::Interrupted, attempt: Attempt { over: by, ..attempt } }
            }
            other => other,
        }
    }

    /// What becomes of it when a person decides, or `None` where there is nothing to decide.
    pub fn decided(&self, decision: Decision) -> Option<Self> {
        match (self, decision) {
            (Self::InDoubt { .. } | Self::Rejected { .. }, Decision::SendAgain) => Some(Self::Local),
            (Self::InDoubt { .. }, Decision::IsInKoha) => Some(Self::Success),
            _ => None,
        }
    }
}

/// What a person decides about a transaction that was refused or is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// "It is in Koha": they looked.
    IsInKoha,
    /// "Send it again".
    SendAgain,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        Attempt::new(CommitType::Apply, &server)
    }

    fn every_status() -> [Status; 7] {
        [
            Status::Local,
            Status::Sending { attempt: attempt() },
            Status::Added,
            Status::Success,
            Status::Rejected { message: "Borrower not found.".into() },
            Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt() },
            Status::Deleted,
        ]
    }

    #[test]
    fn is_stored_under_the_name_of_its_state() {
        for status in every_status() {
            let stored = serde_json::to_value(&status).unwrap();
            assert_eq!(stored["state"], status.state().name());
            assert_eq!(serde_json::from_value::<Status>(stored).unwrap(), status);
            assert_eq!(State::from_name(status.state().name()), Some(status.state()));
        }
    }

    #[test]
    fn an_attempt_of_an_earlier_version_is_read() {
        // Its time was the server's before the request left, which tells nothing about when it was over.
        let stored = r#"{"state":"in-doubt","reason":"timed-out","attempt":
            {"commitType":"apply","server":"https://koha.example.org","at":1795428000000}}"#;
        let read: Status = serde_json::from_str(stored).unwrap();
        assert_eq!(read, Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt() });
        assert!(!serde_json::to_string(&read).unwrap().contains("ownCheckin"), "as earlier versions wrote it");
        let own = Status::Sending { attempt: Attempt { own_checkin: true, ..attempt() } };
        assert_eq!(serde_json::from_value::<Status>(serde_json::to_value(&own).unwrap()).unwrap(), own);
        // What earlier versions stored never went to the plugin, and what did not is stored as by them.
        assert!(!serde_json::to_string(&read).unwrap().contains("plugin"));
        let plugin = Status::Sending { attempt: Attempt { plugin: Some("CPL".into()), ..attempt() } };
        assert_eq!(serde_json::from_value::<Status>(serde_json::to_value(&plugin).unwrap()).unwrap(), plugin);
    }

    #[test]
    fn what_may_be_in_koha_is_open_and_not_correctable() {
        let open = every_status().map(|status| (status.state().is_open(), status.state().is_correctable()));
        let expected =
            [(true, true), (true, false), (false, false), (false, false), (true, true), (true, false), (false, false)];
        assert_eq!(open, expected);
    }

    #[test]
    fn each_question_has_its_states() {
        use State::{Added, Deleted, InDoubt, Local, Rejected, Sending, Success};
        assert_eq!(State::which(State::is_committed), [Added, Success]);
        assert_eq!(State::which(State::is_settled), [Added, Success, Deleted]);
        assert_eq!(State::which(State::is_open), [Local, Sending, Rejected, InDoubt]);
        assert_eq!(State::which(State::is_to_send), [Local]);
        assert_eq!(State::which(State::is_doubtful), [Sending, InDoubt]);
        assert_eq!(State::which(State::is_correctable), [Local, Rejected]);
    }

    #[test]
    fn only_an_interrupted_request_changes_at_start() {
        for status in every_status() {
            let by = Some(DeskTime::from_millis(1_795_428_000_000));
            let after = status.clone().after_restart(by);
            match status {
                Status::Sending { attempt } => {
                    let attempt = Attempt { over: by, ..attempt };
                    assert_eq!(after, Status::InDoubt { reason: Doubt::Interrupted, attempt });
                }
                other => assert_eq!(after, other),
            }
        }
    }

    #[test]
    fn nobody_can_reopen_what_is_committed_or_running() {
        for status in every_status() {
            for decision in [Decision::SendAgain, Decision::IsInKoha] {
                if !matches!(status.state(), State::Rejected | State::InDoubt) {
                    assert_eq!(status.decided(decision), None, "{status:?} {decision:?}");
                }
            }
        }
        assert_eq!(every_status()[4].decided(Decision::IsInKoha), None, "Koha said no: a person cannot say yes for it");
        assert_eq!(every_status()[5].decided(Decision::IsInKoha), Some(Status::Success));
    }
}
