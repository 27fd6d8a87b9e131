//! What the tests of backups are made of.

use crate::{
    desk::{
        name::DeskName,
        transaction::{Moment, TransactionId},
    },
    log::{
        commit::Batch,
        status::{Attempt, Doubt, Status},
    },
    settings::form::{CommitType, ServerUrl},
};

pub(super) fn desk(name: &str) -> DeskName {
    DeskName::parse(name).unwrap()
}

pub(super) fn now() -> Moment {
    Moment::new(1_795_428_000_000, 60).unwrap()
}

fn attempt() -> Attempt {
    Attempt::new(CommitType::Apply, &ServerUrl::parse("https://koha.example.org").unwrap())
}

pub(super) fn statuses() -> [Status; 7] {
    [
        Status::Local,
        Status::Deleted,
        Status::Rejected { message: "Borrower not found.".into() },
        Status::Sending { attempt: attempt() },
        Status::InDoubt { reason: Doubt::TimedOut, attempt: attempt() },
        Status::Added,
        Status::Success,
    ]
}

/// A commit of these that has not ended.
pub(super) fn batch(transactions: &[u32]) -> Batch {
    Batch {
        started: now(),
        end: None,
        commit_type: CommitType::Apply,
        server: "https://koha.example.org".into(),
        branchcode: "CPL".into(),
        transactions: transactions.iter().copied().map(TransactionId).collect(),
        audit: None,
        queued: Vec::new(),
        handled: None,
    }
}
