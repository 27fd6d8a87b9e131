//! The record of one commit: what was brought into Koha when, where and how, and which transactions it was.

use crate::{
    log::Entry,
    outbox::Summary,
    settings::{CommitType, Settings},
    transaction::{Moment, TransactionId},
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
    /// The record of a commit that begins.
    pub fn begin(settings: &Settings, started: Moment, to_send: &[Entry]) -> Self {
        Self {
            started,
            end: None,
            commit_type: settings.commit_type,
            server: settings.server.as_str().to_owned(),
            branchcode: settings.branchcode.clone(),
            transactions: to_send.iter().map(|entry| entry.id).collect(),
        }
    }

    /// The record of one that has ended, with what the person was told.
    #[must_use]
    pub fn ended(self, at: Moment, summary: &Summary, message: String) -> Self {
        let end = BatchEnd {
            at,
            committed: summary.committed(),
            rejected: summary.rejected,
            in_doubt: summary.in_doubt,
            left: summary.left,
            message,
        };
        Self { end: Some(end), transactions: summary.settled.clone(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Secret, ServerUrl};

    #[test]
    fn holds_what_was_told_and_no_secret() {
        let settings = Settings {
            server: ServerUrl::parse("https://koha.example.org").unwrap(),
            username: "desk".into(),
            password: Secret::new("letmein"),
            branchcode: "CPL".into(),
            commit_type: CommitType::Apply,
            stale_hours: 24,
        };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let begun = Batch::begin(&settings, moment, &[]);
        let summary = Summary { success: 2, rejected: 1, settled: vec![TransactionId(3)], ..Summary::default() };
        let ended = begun.ended(moment, &summary, "Done".into());
        assert_eq!(ended.transactions, [TransactionId(3)]);
        let stored = serde_json::to_string(&ended).unwrap();
        assert!(!stored.contains("letmein"));
        assert_eq!(serde_json::from_str::<Batch>(&stored).unwrap(), ended);
        assert_eq!(ended.end.map(|end| (end.committed, end.rejected)), Some((2, 1)));
    }
}
