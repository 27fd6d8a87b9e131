//! What was done with rows of Koha's queue, as the record of a run keeps it, and what follows for this log's own.

use super::{
    Entry,
    revision::Change,
    status::{Attempt, Doubt, State, Status},
};
use crate::{
    desk::transaction::{Moment, TransactionId},
    settings::form::CommitType,
    stored::Missing,
};
use serde::{Deserialize, Serialize};

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// It is processed.
    Process,
    /// It is taken out of the queue.
    Delete,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", try_from = "StoredOutcome")]
pub enum Outcome {
    /// Koha processed it.
    Success,
    /// Koha processed it and said no.
    Refused {
        /// In these words.
        message: String,
    },
    /// Koha took it out of the queue without processing it.
    Deleted,
    /// It was not in the queue any more: somebody else processed or deleted it.
    Gone,
    /// It is in the queue no more, and what Koha made of it was not seen.
    Unseen,
    /// Koha was asked, gave no answer that counts, and has it in the queue still.
    Left {
        /// Why no answer counts.
        reason: Doubt,
    },
    /// It was about to be asked about, and provably was not.
    NotAsked,
}

/// The name of an outcome, as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Success,
    Refused,
    Deleted,
    Gone,
    Unseen,
    Left,
    NotAsked,
}

/// An outcome as it is stored: one object.
#[derive(Deserialize)]
struct StoredOutcome {
    kind: Kind,
    message: Option<String>,
    reason: Option<Doubt>,
}

impl TryFrom<StoredOutcome> for Outcome {
    type Error = Missing;
    fn try_from(stored: StoredOutcome) -> Result<Self, Missing> {
        let StoredOutcome { kind, message, reason } = stored;
        Ok(match kind {
            Kind::Success => Self::Success,
            Kind::Refused => Self::Refused { message: message.ok_or(Missing("message"))? },
            Kind::Deleted => Self::Deleted,
            Kind::Gone => Self::Gone,
            Kind::Unseen => Self::Unseen,
            Kind::Left => Self::Left { reason: reason.ok_or(Missing("reason"))? },
            Kind::NotAsked => Self::NotAsked,
        })
    }
}

impl Outcome {
    /// Whether the row is in the queue still, as far as is known.
    pub fn is_left(&self) -> bool {
        matches!(self, Self::Left { .. } | Self::NotAsked)
    }
}

/// A row as the queue showed it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Shown {
    /// When it happened, in Koha's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub time: String,
    /// What was to be done, by Koha's word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub action: String,
    /// The item's barcode.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub barcode: String,
    /// The patron's card.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cardnumber: String,
    /// What was paid.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub amount: String,
}

/// One row, from before it is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handled {
    /// Koha's number for it.
    pub number: u64,
    /// What was to be done with it.
    pub deed: Deed,
    /// The transaction of this log that it is, where it is one.
    #[serde(rename = "seq", default, skip_serializing_if = "Option::is_none")]
    pub own: Option<TransactionId>,
    /// What it is about. Other desks' rows are nobody's business here: forgotten as soon as nothing is left to look at.
    #[serde(default)]
    pub shown: Shown,
    /// The request.
    pub attempt: Attempt,
    /// Its end. Absent while Koha is asked, and where KOCT was closed meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl Handled {
    /// With this end.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        let is_over = matches!(outcome, Outcome::Success | Outcome::Deleted | Outcome::NotAsked);
        let shown = if is_over { Shown::default() } else { self.shown };
        Self { shown, outcome: Some(outcome), ..self }
    }
}

/// The states of what is to be known before these are committed, since it may stand in Koha's queue: nothing, unless one of them may
/// stand there itself. None of it may be taken for another.
pub fn queued_besides(uncommitted: &[Entry]) -> &'static [State] {
    if uncommitted.iter().any(Entry::may_be_queued) { &[State::Added] } else { &[] }
}

impl Entry {
    /// Whether it stands in Koha's queue, or may.
    pub fn may_be_queued(&self) -> bool {
        match &self.status {
            Status::Added => true,
            Status::InDoubt { attempt, .. } => attempt.commit_type == CommitType::Send,
            _ => false,
        }
    }

    /// Whether it does so in the queue of this library, at a desk that is set to that: Koha shows each library its own rows alone, and
    /// what is like one of them and is of another is not that one.
    pub fn may_be_queued_at(&self, branch: &str) -> bool {
        self.may_be_queued() && self.branch_or(branch) == branch
    }

    /// With what became of its row in Koha's queue. `None` where that changes nothing of it.
    pub fn handled(&self, outcome: &Outcome, at: Moment) -> Option<Self> {
        let status = match outcome {
            _ if !self.may_be_queued() => return None,
            Outcome::Success => Status::Success,
            Outcome::Refused { message } => Status::Rejected { message: message.clone() },
            Outcome::Deleted => {
                return Some(self.changed(Change::Deleted, at, self.transaction.clone(), Status::Deleted));
            }
            Outcome::Gone | Outcome::Unseen | Outcome::Left { .. } | Outcome::NotAsked => return None,
        };
        Some(Self { status, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::Barcode,
            transaction::{Action, Transaction},
        },
        settings::form::Settings,
    };

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn attempt(commit_type: CommitType) -> Attempt {
        Attempt::new(commit_type, &Settings::for_tests(commit_type).server)
    }

    fn row(number: u64, own: Option<u32>) -> Handled {
        let shown = Shown { action: "return".into(), barcode: "B".into(), cardnumber: "P".into(), ..Shown::default() };
        let own = own.map(TransactionId);
        Handled { number, deed: Deed::Process, own, shown, attempt: attempt(CommitType::Apply), outcome: None }
    }

    fn entry(status: Status) -> Entry {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        Entry { status, ..Entry::recorded(TransactionId(1), Transaction { moment: now(), action }) }
    }

    fn refused() -> Outcome {
        Outcome::Refused { message: "Item not issued.".into() }
    }

    #[test]
    fn what_koha_says_of_a_row_becomes_the_status_of_what_was_queued_and_of_nothing_else() {
        let reason = Doubt::TimedOut;
        let in_doubt = |commit_type| entry(Status::InDoubt { reason, attempt: attempt(commit_type) });
        for queued in [entry(Status::Added), in_doubt(CommitType::Send)] {
            let status = |outcome: &Outcome| queued.handled(outcome, now()).map(|entry| entry.status);
            assert_eq!(status(&Outcome::Success), Some(Status::Success));
            assert_eq!(status(&refused()), Some(Status::Rejected { message: "Item not issued.".into() }));
            assert_eq!(status(&Outcome::Deleted), Some(Status::Deleted));
            for nothing in [Outcome::Gone, Outcome::Unseen, Outcome::Left { reason }, Outcome::NotAsked] {
                assert_eq!(status(&nothing), None, "{nothing:?}");
            }
        }
        let deleted = entry(Status::Added).handled(&Outcome::Deleted, now()).unwrap();
        assert_eq!(deleted.history[0].change, Change::Deleted, "and can be seen");
        assert!(deleted.restored(now()).is_some());
        for other in [Status::Local, Status::Success, Status::Deleted, Status::Rejected { message: String::new() }] {
            assert_eq!(entry(other).handled(&Outcome::Success, now()), None);
        }
        assert_eq!(in_doubt(CommitType::Apply).handled(&refused(), now()), None, "it was to be applied");
    }

    #[test]
    fn what_was_queued_before_is_looked_at_where_something_may_be_queued() {
        let in_doubt = |commit_type| entry(Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt(commit_type) });
        let waiting = || entry(Status::Local);
        assert_eq!(queued_besides(&[waiting(), in_doubt(CommitType::Send)]), [State::Added]);
        assert!(queued_besides(&[waiting(), in_doubt(CommitType::Apply)]).is_empty());
    }

    #[test]
    fn is_stored_by_these_names() {
        let stored = serde_json::to_value(row(7, Some(3)).ended(refused())).unwrap();
        let expected = serde_json::json!({
            "number": 7, "deed": "process", "seq": 3,
            "shown": {"action": "return", "barcode": "B", "cardnumber": "P"},
            "attempt": {"commitType": "apply", "server": stored["attempt"]["server"]},
            "outcome": {"kind": "refused", "message": "Item not issued."},
        });
        assert_eq!(stored, expected);
        let least = serde_json::json!({"number": 7, "deed": "delete", "attempt": stored["attempt"]});
        let read: Handled = serde_json::from_value(least).unwrap();
        assert_eq!((read.own, read.shown, read.outcome), (None, Shown::default(), None));
    }
}
