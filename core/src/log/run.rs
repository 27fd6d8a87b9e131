//! The record of a run through Koha's queue: a [`Batch`] whose rows are the queue's and not the log's.

use super::{
    commit::{Batch, BatchEnd},
    handled::{Handled, Outcome, Shown},
};
use crate::{
    desk::transaction::Moment,
    settings::form::{CommitType, Settings},
};

impl Batch {
    /// The record of a run through the queue that begins.
    pub fn begin_processing(settings: &Settings, started: Moment) -> Self {
        Self {
            started,
            end: None,
            commit_type: CommitType::Apply,
            server: settings.server.as_str().to_owned(),
            branchcode: settings.branchcode.clone(),
            transactions: Vec::new(),
            audit: None,
            queued: Vec::new(),
            handled: Some(Vec::new()),
        }
    }

    /// With a row as it is now.
    #[must_use]
    pub fn with_handled(mut self, handled: Handled) -> Self {
        let ends = matches!(handled.outcome, Some(Outcome::Success | Outcome::Refused { .. } | Outcome::Deleted));
        if let Some(own) = handled.own.filter(|own| ends && !self.transactions.contains(own)) {
            self.transactions.push(own);
        }
        let rows = self.handled.get_or_insert_default();
        match rows.iter_mut().find(|row| row.number == handled.number) {
            Some(row) => *row = handled,
            None => rows.push(handled),
        }
        self
    }

    /// Its rows.
    fn rows(&self) -> impl Iterator<Item = &Handled> {
        self.handled.iter().flatten()
    }

    /// Rows about which Koha was asked at this server, and of which no end is known.
    pub fn unended<'a>(&'a self, settings: &Settings) -> impl Iterator<Item = &'a Handled> {
        let is_here = self.server == settings.server.as_str() && self.branchcode == settings.branchcode;
        self.rows().filter(move |row| is_here && row.outcome.is_none())
    }

    /// Rows that were left in the queue of this server although Koha was asked: it may be at them still.
    pub fn left_in_queue<'a>(&'a self, settings: &Settings) -> impl Iterator<Item = &'a Handled> {
        let is_here = self.server == settings.server.as_str();
        self.rows().filter(move |row| is_here && matches!(row.outcome, Some(Outcome::Left { .. })))
    }

    /// What Koha refused, or what was not seen of it, for a person to look at.
    pub fn to_look_at(&self) -> impl Iterator<Item = &Handled> {
        let is_over = |row: &&Handled| {
            !matches!(row.outcome, Some(Outcome::Success | Outcome::Deleted))
                && !row.outcome.as_ref().is_some_and(Outcome::is_left)
        };
        self.rows().filter(is_over)
    }

    /// Without the codes of its rows, once nobody looks at them any more. What has no end yet keeps them: by them its row is known.
    #[must_use]
    pub fn without_codes(mut self) -> Self {
        for row in self.handled.iter_mut().flatten().filter(|row| row.outcome.is_some()) {
            row.shown = Shown::default();
        }
        self
    }

    /// The record of a run that has ended, with what the person was told.
    #[must_use]
    pub fn processing_ended(self, at: Moment, left: u32, message: String) -> Self {
        let count = |is_it: fn(&Outcome) -> bool| {
            let number = self.rows().filter(|row| row.outcome.as_ref().is_some_and(is_it)).count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let end = BatchEnd {
            at,
            committed: count(|outcome| *outcome == Outcome::Success),
            rejected: count(|outcome| matches!(outcome, Outcome::Refused { .. })),
            in_doubt: count(|outcome| matches!(outcome, Outcome::Gone | Outcome::Unseen)),
            left,
            message,
        };
        Self { end: Some(end), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::transaction::TransactionId,
        log::{
            handled::Deed,
            status::{Attempt, Doubt},
        },
    };

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn row(number: u64, own: Option<u32>) -> Handled {
        let settings = Settings::for_tests(CommitType::Apply);
        let shown = Shown { action: "return".into(), barcode: "B".into(), cardnumber: "P".into(), ..Shown::default() };
        let attempt = Attempt::new(CommitType::Apply, &settings.server);
        Handled { number, deed: Deed::Process, own: own.map(TransactionId), shown, attempt, outcome: None }
    }

    fn refused() -> Outcome {
        Outcome::Refused { message: "Item not issued.".into() }
    }

    #[test]
    fn a_run_keeps_each_row_once_and_of_other_desks_no_more_than_is_left_to_look_at() {
        let settings = Settings::for_tests(CommitType::Send);
        let batch = Batch::begin_processing(&settings, now());
        let batch = batch.with_handled(row(7, None)).with_handled(row(8, Some(1))).with_handled(row(9, None));
        assert_eq!(batch.unended(&settings).map(|row| row.number).collect::<Vec<_>>(), [7, 8, 9]);
        let elsewhere = Settings { branchcode: "MPL".into(), ..settings.clone() };
        assert_eq!(batch.unended(&elsewhere).count(), 0);
        let left = Outcome::Left { reason: Doubt::ServerError };
        let batch = batch
            .with_handled(row(7, None).ended(Outcome::Success))
            .with_handled(row(8, Some(1)).ended(refused()))
            .with_handled(row(9, None).ended(left))
            .with_handled(row(10, None).ended(Outcome::Unseen));
        assert_eq!((batch.unended(&settings).count(), batch.left_in_queue(&settings).count()), (0, 1));
        assert_eq!(batch.to_look_at().map(|row| row.number).collect::<Vec<_>>(), [8, 10]);
        assert_eq!(batch.transactions, [TransactionId(1)]);
        let ended = batch.processing_ended(now(), 1, "Done".into());
        let resolved = ended.clone().with_handled(row(10, Some(2)).ended(Outcome::Success)).without_codes();
        assert!(resolved.is_of_the_same(&ended), "a row's end was found out later");
        let stored = serde_json::to_string(&ended).unwrap();
        assert_eq!(stored.matches("\"P\"").count(), 3, "{stored}");
        assert_eq!(serde_json::from_str::<Batch>(&stored).unwrap(), ended);
        let end = ended.end.clone().unwrap();
        assert_eq!((end.committed, end.rejected, end.in_doubt, end.left), (1, 1, 1, 1));
        let cleared = serde_json::to_string(&Batch { end: None, ..ended }.with_handled(row(11, None)).without_codes());
        assert_eq!(cleared.unwrap().matches("\"P\"").count(), 1, "of the one that has no end");
    }
}
