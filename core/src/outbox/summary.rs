//! How a commit went, and why it ended early.

use crate::{
    desk::transaction::{Moment, TransactionId},
    koha::{
        Failure, NotSent,
        checkins::Absence,
        connection::ConnectionError,
        front::Front,
        inquiry::{Finding, Trace},
        rest::Library,
        trial,
    },
    log::{
        audited::Audited,
        commit::{Batch, BatchEnd, Queued},
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
    /// A branch code does not exist in Koha: the configured one, or that of a transaction.
    BranchUnknown {
        /// It.
        branch: String,
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
    /// What was applied is booked at another library than it was for. Branch codes.
    BookedElsewhere {
        /// Where it was booked.
        at: String,
        /// Where it was to be.
        not_at: String,
    },
    /// The log could not be written.
    NotPersisted,
    /// What was to be sent was changed by somebody meanwhile.
    Changed,
}

impl CommitError {
    /// Whether Koha is away, or a person wanted it to end: nothing is to be set right before what waits can be sent. `worked`
    /// tells whether these settings have worked before; else an address at which nobody answers may be a wrong one.
    pub fn passes(&self, worked: bool) -> bool {
        match self {
            Self::Cancelled | Self::Changed | Self::Busy(_) => true,
            Self::Connection(error) if trial::nobody_answers(error) => worked,
            Self::Connection(error) => matches!(
                error,
                ConnectionError::NoAnswer(Failure::NotSent(NotSent::Offline) | Failure::Lost)
                    | ConnectionError::Maintenance
                    | ConnectionError::Busy(_)
                    | ConnectionError::ServerError { status: 502..=504 }
            ),
            Self::ConnectionLost(failure) => is_broken_off(failure),
            Self::BranchUnknown { .. }
            | Self::ServerErrors(_)
            | Self::NotKoha { .. }
            | Self::BookedElsewhere { .. }
            | Self::NotPersisted => false,
        }
    }
}

/// Whether Koha went away in the middle of it, rather than that something else answered in its place.
pub fn is_broken_off(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::NotSent(NotSent::Offline | NotSent::UnknownHost | NotSent::Refused)
            | Failure::Lost
            | Failure::TimedOut
    )
}

/// How a person is to take what a commit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// All of it is as it should be.
    Done,
    /// Something is left, or wants to be looked at.
    LookAt,
    /// Something must be set right before what waits can be sent.
    Failed,
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
    /// Held back, since they are of another library than that of the session that applies, or behind such a one.
    pub elsewhere: u32,
    /// Still to be sent, those held back included.
    pub left: u32,
    /// The libraries in whose queues something was put.
    pub queued_at: Vec<String>,
    /// What Koha was found to hold of those that were in doubt before, or that were sent before by somebody else.
    pub findings: Vec<(TransactionId, Finding)>,
    /// Those that got their end in this run, in the order in which they got it: committed, refused or in doubt.
    pub settled: Vec<TransactionId>,
    /// What Koha was found to hold of what it had said yes to, and whether that is all that can be found out.
    pub audited: Audited,
    /// See there.
    pub is_audited: bool,
    /// Under which numbers what was sent was seen in Koha's queue.
    pub queued: Vec<Queued>,
    /// Why checkins did not go by Koha's own check-in, or not all of them, where they were to.
    pub no_own_checkin: Option<Absence>,
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

    /// Whether it was not ended early, and something became of what was sent.
    pub fn went_through(&self) -> bool {
        self.stop.is_none() && !self.settled.is_empty()
    }

    /// Whether nothing of it wants to be looked at by a person.
    pub fn is_clean(&self) -> bool {
        self.is_complete() && self.audited.odd.is_empty()
    }

    /// How the person at the desk is to take it, with settings that have `worked` before or not. An outage is no error, and what
    /// is left to do stands in To do.
    pub fn mood(&self, worked: bool) -> Mood {
        match &self.stop {
            None if self.is_clean() => Mood::Done,
            Some(stop) if !stop.passes(worked) => Mood::Failed,
            _ => Mood::LookAt,
        }
    }

    /// Whether it did not even begin, since Koha is down still: with settings that have `worked` before, nothing else can be the
    /// reason that nobody answers.
    pub fn is_still_down(&self, worked: bool) -> bool {
        let nobody_answers = matches!(&self.stop, Some(CommitError::Connection(error)) if trial::nobody_answers(error));
        nobody_answers && worked && self.committed() == 0 && self.left > 0
    }

    /// How many it was about.
    pub fn total(&self) -> u32 {
        [self.rejected, self.in_doubt, self.left].iter().fold(self.committed(), |all, more| all.saturating_add(*more))
    }

    /// How many are in Koha since this run, or were found there.
    pub fn committed(&self) -> u32 {
        self.added + self.success + self.found()
    }

    /// How many that were in doubt were found in Koha.
    pub fn found(&self) -> u32 {
        self.count_findings(|finding| matches!(finding, Finding::Found(_)))
    }

    /// How many of those stand in its queue.
    pub fn found_queued(&self) -> u32 {
        self.count_findings(|finding| *finding == Finding::Found(Trace::Queued))
    }

    /// How many were given to the plugin before, and done then: it remembers them.
    pub fn found_remembered(&self) -> u32 {
        self.count_findings(|finding| *finding == Finding::Found(Trace::Remembered))
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
        let audit = summary.is_audited.then(|| summary.audited.among(&summary.settled));
        let (transactions, queued) = (summary.settled.clone(), summary.queued.clone());
        Self { end: Some(end), transactions, audit, queued, ..self }
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

    fn stopped(stop: CommitError) -> Summary {
        Summary { left: 18, stop: Some(stop), ..Summary::default() }
    }

    #[test]
    fn koha_is_still_down_where_nobody_answers_at_an_address_that_has_worked() {
        let refused = || CommitError::Connection(ConnectionError::NoAnswer(Failure::NotSent(NotSent::Refused)));
        assert!(stopped(refused()).is_still_down(true));
        assert!(!stopped(refused()).is_still_down(false), "the address may be wrong");
        assert!(
            !Summary { left: 0, ..stopped(refused()) }.is_still_down(true),
            "nothing waits: only doubts were asked about"
        );
        let insecure = CommitError::Connection(ConnectionError::NoAnswer(Failure::NotSent(NotSent::Insecure)));
        assert!(!stopped(insecure).is_still_down(true));
        assert!(!stopped(CommitError::ConnectionLost(Failure::Lost)).is_still_down(true), "it had begun");
    }

    #[test]
    fn an_outage_passes_by_itself_and_nothing_else_does() {
        let refused = CommitError::Connection(ConnectionError::NoAnswer(Failure::NotSent(NotSent::Refused)));
        assert!(refused.passes(true) && !refused.passes(false));
        let unavailable = |status| CommitError::Connection(ConnectionError::ServerError { status });
        for stop in [
            CommitError::Cancelled,
            CommitError::Changed,
            CommitError::ConnectionLost(Failure::TimedOut),
            CommitError::Connection(ConnectionError::Maintenance),
            unavailable(503),
        ] {
            assert!(stop.passes(false), "{stop:?}");
            assert_eq!(stopped(stop).mood(false), Mood::LookAt);
        }
        for stop in [
            CommitError::NotPersisted,
            CommitError::ServerErrors(500),
            CommitError::ConnectionLost(Failure::TooLong),
            CommitError::ConnectionLost(Failure::NotSent(NotSent::Insecure)),
            CommitError::Connection(ConnectionError::WrongCredentials),
            unavailable(500),
        ] {
            assert!(!stop.passes(true), "{stop:?}");
            assert_eq!(stopped(stop).mood(true), Mood::Failed);
        }
    }

    #[test]
    fn it_was_about_all_that_had_an_end_and_all_that_waits() {
        let summary =
            Summary { added: 1, success: 2, rejected: 3, in_doubt: 4, left: 5, waiting: 5, ..Summary::default() };
        assert_eq!((summary.committed(), summary.total()), (3, 15));
        assert!(!summary.went_through(), "nothing came to its end");
        let ended = Summary { settled: vec![TransactionId(1)], ..summary.clone() };
        assert!(ended.went_through());
        assert!(!Summary { stop: Some(CommitError::Cancelled), ..ended }.went_through());
        assert_eq!(summary.mood(true), Mood::LookAt, "it came to its end, and leaves something");
        assert_eq!(Summary { success: 2, ..Summary::default() }.mood(true), Mood::Done);
        let odd = vec![Odd { id: TransactionId(3), oddity: Oddity::NoTrace }];
        let audited = Audited { odd, ..Audited::default() };
        assert_eq!(Summary { audited, ..Summary::default() }.mood(true), Mood::LookAt);
    }

    #[test]
    fn holds_what_was_told_and_no_secret() {
        let settings = Settings {
            server: ServerUrl::parse("https://koha.example.org").unwrap(),
            ..Settings::for_tests(CommitType::Apply)
        };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let begun = Batch::begin(&settings, moment, &Ordered::default());
        let odd = [3, 2].map(|id| Odd { id: TransactionId(id), oddity: Oddity::NoTrace }).to_vec();
        let audited = Audited { checked: 3, odd, ..Audited::default() };
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
