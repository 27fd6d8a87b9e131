//! How a commit went, and why it ended early.

use crate::{
    desk::transaction::{Moment, TransactionId},
    koha::{Failure, connection::ConnectionError, front::Front, inquiry::Finding, rest::Library},
    log::{
        audited::Audited,
        commit::{Batch, BatchEnd},
    },
};

use std::time::Duration;

/// Why a commit ended before everything was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// The person cancelled it.
    Cancelled,
    /// No connection to Koha could be made, or Koha did not let us in.
    Connection(ConnectionError),
    /// The configured branch code does not exist in Koha.
    BranchUnknown {
        /// Those that do.
        libraries: Vec<Library>,
    },
    /// The connection was lost in mid-run.
    ConnectionLost(Failure),
    /// Koha answered with server errors several times in a row; the last was this.
    ServerErrors(u16),
    /// An answer came that is not Koha's.
    NotKoha {
        /// Who answered.
        front: Front,
        /// In these words.
        words: String,
    },
    /// Koha, or a server in front of it, asks again and again to come back later, or much later: after this time.
    Busy(Duration),
    /// What was applied is booked at another library than the desk's, the one of this code.
    BookedElsewhere(String),
    /// The log could not be written.
    NotPersisted,
}

/// How a commit went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Queued for review in this run.
    pub added: u32,
    /// Processed in this run.
    pub success: u32,
    /// Refused by Koha in this run.
    pub rejected: u32,
    /// In doubt since this run.
    pub in_doubt: u32,
    /// Held back, since an earlier transaction of the same item is in doubt.
    pub waiting: u32,
    /// Still to be sent, those held back included.
    pub left: u32,
    /// What Koha was found to hold of those that were in doubt before.
    pub findings: Vec<(TransactionId, Finding)>,
    /// Those that got their end in this run, in the order in which they got it: committed, refused or in doubt.
    pub settled: Vec<TransactionId>,
    /// What Koha was found to hold of what it had said yes to, and whether that is all that can be found out.
    pub audited: Audited,
    /// See there.
    pub is_audited: bool,
    /// Whether Koha confirmed the branch code.
    pub branch_checked: bool,
    /// Why it ended early.
    pub stop: Option<CommitError>,
}

impl Summary {
    /// Whether everything that was to be sent is in Koha now.
    pub fn is_complete(&self) -> bool {
        self.stop.is_none() && self.rejected == 0 && self.in_doubt == 0 && self.left == 0 && self.unclear() == 0
    }

    /// Whether nothing of it wants to be looked at by a person.
    pub fn is_clean(&self) -> bool {
        self.is_complete() && self.audited.odd.is_empty()
    }

    /// How many are in Koha since this run, or were found there.
    pub fn committed(&self) -> u32 {
        self.added + self.success + self.found()
    }

    /// How many that were in doubt were found in Koha.
    pub fn found(&self) -> u32 {
        self.count_findings(|finding| matches!(finding, Finding::Found(_)))
    }

    /// How many that were in doubt were proved not to be in Koha, and so were to be sent.
    pub fn missing(&self) -> u32 {
        self.count_findings(|finding| matches!(finding, Finding::Missing(_)))
    }

    /// How many that were in doubt still are, although Koha was asked.
    pub fn unclear(&self) -> u32 {
        self.count_findings(|finding| matches!(finding, Finding::Unclear(_)))
    }

    fn count_findings(&self, is_such: fn(&Finding) -> bool) -> u32 {
        count(self.findings.iter().filter(|(_, finding)| is_such(finding)).count())
    }
}

impl Batch {
    /// The record of a commit that has ended, with what the person was told.
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
        let audit = summary
            .is_audited
            .then(|| Audited { odd: summary.audited.among(&summary.settled), ..summary.audited.clone() });
        Self { end: Some(end), transactions: summary.settled.clone(), audit, ..self }
    }
}

/// `number`, or as many as a `u32` holds.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log::{
            audited::{Odd, Oddity},
            order::Ordered,
        },
        settings::form::{CommitType, ServerUrl, Settings},
    };

    #[test]
    fn holds_what_was_told_and_no_secret() {
        let settings = Settings {
            server: ServerUrl::parse("https://koha.example.org").unwrap(),
            ..Settings::of_a_desk(CommitType::Apply)
        };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let begun = Batch::begin(&settings, moment, &Ordered::default());
        let odd = [3, 2].map(|id| Odd { id: TransactionId(id), oddity: Oddity::NoTrace }).to_vec();
        let audited = Audited { checked: 3, unread: 0, odd };
        let settled = vec![TransactionId(3)];
        let summary = Summary { success: 2, rejected: 1, settled, audited, is_audited: true, ..Summary::default() };
        assert_eq!(begun.clone().ended(moment, &Summary::default(), String::new()).audit, None, "it was broken off");
        let ended = begun.ended(moment, &summary, "Done".into());
        assert_eq!(ended.transactions, [TransactionId(3)]);
        assert_eq!(ended.audit.as_ref().map(|audited| audited.odd.len()), Some(1), "of its own alone");
        let stored = serde_json::to_string(&ended).unwrap();
        assert!(!stored.contains("letmein"));
        assert_eq!(serde_json::from_str::<Batch>(&stored).unwrap(), ended);
        assert_eq!(ended.end.map(|end| (end.committed, end.rejected)), Some((2, 1)));
    }
}
