//! The record of one commit: what was brought into Koha when, where and how, and which transactions it was.

use crate::{
    desk::transaction::{Moment, TransactionId},
    log::{order::Ordered, status::State},
    settings::form::{CommitType, Settings},
};
use serde::{Deserialize, Serialize};

/// One commit, from the press of the button to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// When the button was pressed.
    pub started: Moment,
    /// How it ended. Absent while it runs, and for ever where KOCT was closed before.
    pub end: Option<BatchEnd>,
    /// How the transactions came into Koha.
    pub commit_type: CommitType,
    /// The server's address.
    pub server: String,
    /// The library.
    pub branchcode: String,
    /// Those that got an answer or came into doubt; while it runs, those that are to be sent.
    pub transactions: Vec<TransactionId>,
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchEnd {
    /// When.
    pub at: Moment,
    /// Queued or processed, and those found in Koha that had been in doubt.
    pub committed: u32,
    /// Refused by Koha.
    pub rejected: u32,
    /// In doubt since.
    pub in_doubt: u32,
    /// Not sent.
    pub left: u32,
    /// What the person was told.
    pub message: String,
}

impl Batch {
    /// The record of a commit that begins with what is uncommitted: it is to send what is in `Local`.
    pub fn begin(settings: &Settings, started: Moment, uncommitted: &Ordered) -> Self {
        let to_send = uncommitted.iter().filter(|entry| entry.status.state() == State::Local);
        Self {
            started,
            end: None,
            commit_type: settings.commit_type,
            server: settings.server.as_str().to_owned(),
            branchcode: settings.branchcode.clone(),
            transactions: to_send.map(|entry| entry.id).collect(),
        }
    }
}
