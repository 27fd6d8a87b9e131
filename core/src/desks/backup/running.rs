//! A commit that was running when a backup, or a file of a second copy, was written: what stands there as waiting may be in Koha.

use crate::{
    desk::transaction::TransactionId,
    log::{
        Entry,
        commit::Batch,
        status::{Attempt, Doubt, State, Status},
    },
    settings::form::CommitType,
};
use serde::{Deserialize, Serialize};

/// The commit, in the first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// The highest number of those that it was to send.
    pub up_to: TransactionId,
    /// How they were to come into Koha.
    pub commit_type: CommitType,
    /// The server's address.
    pub server: String,
}

impl Running {
    /// That of this record. `None` where it has ended, was to send nothing, or is of Koha's queue, which sends nothing of the log.
    pub fn of(batch: &Batch) -> Option<Self> {
        let runs = batch.end.is_none() && batch.handled.is_none();
        let up_to = batch.transactions.iter().max().copied().filter(|_| runs)?;
        Some(Self { up_to, commit_type: batch.commit_type, server: batch.server.clone() })
    }

    /// What this entry of the file is, now that nobody can say how far the commit came: it may have been sent after the file was
    /// written. Koha is asked about it as about every doubt.
    #[must_use]
    pub fn doubted(&self, entry: Entry) -> Entry {
        if entry.status.state() != State::Local || entry.id > self.up_to {
            return entry;
        }
        let attempt = Attempt { server: self.server.clone(), ..Attempt::unknown(self.commit_type) };
        Entry { status: Status::InDoubt { reason: Doubt::Interrupted, attempt }, ..entry }
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
        desks::backup::testing::{batch, now, statuses},
        log::commit::BatchEnd,
    };

    fn entry(id: u32, status: Status) -> Entry {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        Entry { status, ..Entry::recorded(TransactionId(id), Transaction { moment: now(), action }) }
    }

    #[test]
    fn only_a_commit_that_has_not_ended_runs() {
        let running = Running::of(&Batch { commit_type: CommitType::Send, ..batch(&[3, 7, 5]) }).unwrap();
        assert_eq!((running.up_to, running.commit_type), (TransactionId(7), CommitType::Send));
        let line = serde_json::to_string(&running).unwrap();
        assert_eq!(line, r#"{"upTo":7,"commitType":"send","server":"https://koha.example.org"}"#);
        assert_eq!(serde_json::from_str::<Running>(&line).unwrap(), running);
        let end = BatchEnd { at: now(), committed: 3, rejected: 0, in_doubt: 0, left: 0, message: String::new() };
        assert_eq!(Running::of(&Batch { end: Some(end), ..batch(&[3]) }), None);
        assert_eq!(Running::of(&Batch { handled: Some(Vec::new()), ..batch(&[3]) }), None);
        assert_eq!(Running::of(&batch(&[])), None);
    }

    #[test]
    fn what_waited_when_it_began_is_in_doubt_and_nothing_else_changes() {
        let running = Running::of(&batch(&[7])).unwrap();
        for status in statuses() {
            let doubted = running.doubted(entry(7, status.clone()));
            match doubted.status {
                Status::InDoubt { reason: Doubt::Interrupted, attempt } if status == Status::Local => {
                    assert_eq!((attempt.server.as_str(), attempt.over), ("https://koha.example.org", None));
                }
                same => assert_eq!(same, status),
            }
            let later = entry(8, status);
            assert_eq!(running.doubted(later.clone()), later, "recorded after it began");
        }
    }
}
