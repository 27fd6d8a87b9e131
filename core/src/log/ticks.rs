//! What a person has ticked off of what was left to do by hand after a transaction, as the log keeps it.

pub use super::task::{Task, Tick};

use crate::{desk::transaction::Moment, log::Entry};

impl Entry {
    /// Whether a person has ticked this off.
    pub fn is_ticked(&self, task: Task) -> bool {
        self.ticks.iter().any(|tick| tick.task == task)
    }

    /// With this ticked off, or not any more.
    #[must_use]
    pub fn ticked(&self, task: Task, is_done: bool, at: Moment) -> Self {
        let mut entry = self.clone();
        match (self.is_ticked(task), is_done) {
            (false, true) => entry.ticks.push(Tick { task, at }),
            (true, false) => entry.ticks.retain(|tick| tick.task != task),
            _ => {}
        }
        entry
    }

    /// With the ticks alone that hold for it still, where its patron or its item was corrected.
    #[must_use]
    pub(super) fn with_ticks_of(self, same_patron: bool, same_item: bool) -> Self {
        let holds = |tick: &Tick| match tick.task {
            Task::Patron => same_patron,
            Task::SetAside | Task::Late | Task::Transfer => same_item,
            Task::ReadBack | Task::Payment | Task::Loan => same_patron && same_item,
        };
        Self { ticks: self.ticks.into_iter().filter(holds).collect(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{
        barcode::{Barcode, Cardnumber},
        transaction::{Action, Transaction, TransactionId},
    };
    use chrono::TimeDelta;

    fn now() -> Moment {
        Moment::new(1_795_428_000_000, 60).unwrap()
    }

    fn issue(card: &str, item: &str) -> Action {
        Action::Issue { cardnumber: Cardnumber::parse(card).unwrap(), barcode: Barcode::parse(item).unwrap() }
    }

    fn all_ticked() -> Entry {
        let entry = Entry::recorded(TransactionId(1), Transaction { moment: now(), action: issue("P1", "A") });
        Task::ALL.into_iter().fold(entry, |entry, task| entry.ticked(task, true, now()))
    }

    #[test]
    fn a_tick_is_kept_with_its_moment_until_it_is_taken_away() {
        let entry = Entry::recorded(TransactionId(1), Transaction { moment: now(), action: issue("P1", "A") });
        let ticked = entry.ticked(Task::SetAside, true, now());
        assert!(ticked.is_ticked(Task::SetAside) && !ticked.is_ticked(Task::Late));
        assert_eq!(
            ticked.ticked(Task::SetAside, true, now().shifted(TimeDelta::seconds(1)).unwrap()),
            ticked,
            "it was done then"
        );
        let stored = serde_json::to_string(&ticked).unwrap();
        assert!(stored.ends_with(r#""ticks":[{"task":"set-aside","at":{"utc":1795428000000,"offset":60}}]}"#));
        assert_eq!(serde_json::from_str::<Entry>(&stored).unwrap(), ticked);
        assert_eq!(ticked.ticked(Task::SetAside, false, now()), entry);
        assert!(!serde_json::to_string(&entry).unwrap().contains("ticks"), "as earlier versions wrote it");
    }

    #[test]
    fn a_correction_takes_the_ticks_of_what_was_corrected() {
        let left = |action| {
            let edited = all_ticked().edited(action, now()).unwrap();
            edited.ticks.into_iter().map(|tick| tick.task).collect::<Vec<_>>()
        };
        assert_eq!(left(issue("P1", "B")), [Task::Patron]);
        assert_eq!(left(issue("P2", "a")), [Task::SetAside, Task::Late, Task::Transfer]);
        assert_eq!(left(issue("P2", "B")), []);
    }
}
