//! The desk's log: its entries, what may be appended next, and how many stand where.

pub mod audited;
pub mod badge;
pub mod checked_in;
pub mod commit;
pub mod correction;
pub mod dividers;
pub mod event;
pub mod fresh;
pub mod handled;
pub mod leftover;
pub mod listing;
pub mod offers;
pub mod order;
pub mod revision;
pub mod rows;
pub mod run;
pub mod said;
pub mod search;
pub mod seen;
pub mod seen_warnings;
pub mod sitting;
pub mod slip;
pub mod status;
pub mod stored;
pub mod taken;
pub mod task;
pub mod ticks;
pub mod todo;
pub mod warned;

use crate::{
    desk::{
        branch::BranchCode,
        clock::DeskTime,
        codes::{Reads, Scanned},
        name::DeskName,
        transaction::{Action, Moment, Transaction, TransactionId},
    },
    log::{
        checked_in::CheckedIn,
        fresh::Fresh,
        revision::Revision,
        status::{State, Status},
        task::Tick,
        warned::{Grade, Warned, Warning},
    },
};
/// A transaction in the log. [`stored`] says how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, given by the log.
    pub id: TransactionId,
    /// What happened, as it goes to Koha.
    pub transaction: Transaction,
    /// What was scanned, where something else was meant.
    pub scanned: Scanned,
    /// Where it stands.
    pub status: Status,
    /// The desk that recorded it. Absent where that is this one.
    pub desk: Option<DeskName>,
    /// The library at which it was recorded. Absent where that is what this desk is set to: earlier versions kept none.
    pub branch: Option<BranchCode>,
    /// Which of the sequences of its desk it belongs to: files that do not overlap may come in any order.
    pub part: u32,
    /// What was changed by a person or by the merge of desks, oldest first.
    pub history: Vec<Revision>,
    /// What the person was warned of when it was recorded, and whether they confirmed it.
    pub warnings: Vec<Warned>,
    /// By how many days what came back was late, as far as was known then. Absent where it was not.
    pub late: Option<u32>,
    /// As of when that was known, where it was not of the day of the scan: earlier versions did not keep it.
    pub late_as_of: Option<DeskTime>,
    /// What Koha said, where it was checked in by Koha's own check-in.
    pub checkin: Option<CheckedIn>,
    /// What a person has done by hand since, of what was left to do.
    pub ticks: Vec<Tick>,
}

impl Entry {
    /// One that this desk has just recorded.
    pub fn recorded(id: TransactionId, transaction: Transaction) -> Self {
        Self {
            id,
            transaction,
            scanned: Scanned::default(),
            status: Status::Local,
            desk: None,
            branch: None,
            part: 0,
            history: Vec::new(),
            warnings: Vec::new(),
            late: None,
            late_as_of: None,
            checkin: None,
            ticks: Vec::new(),
        }
    }

    /// The code of the library at which it is to be booked. `own` is what this desk is set to.
    pub fn branch_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.branch.as_ref().map_or(own, BranchCode::as_str)
    }

    /// Whether this desk has recorded it when it was set to another library than now, and it waits still: a person must say
    /// whether the setting was wrong then, or the desk was elsewhere.
    pub fn waits_for_other_branch(&self, own: &str) -> bool {
        self.desk.is_none() && self.status.state() == State::Local && self.branch_or(own) != own
    }

    /// As recorded at this library, which nobody had set right before. `None` where it is not waiting.
    pub fn at_branch(&self, branch: BranchCode) -> Option<Self> {
        (self.status.state() == State::Local).then(|| Self { branch: Some(branch), ..self.clone() })
    }

    /// The same where a person says now at which library it was recorded. `None` where it is kept with that library already, or is
    /// not waiting.
    pub fn at_other_branch(&self, branch: &BranchCode) -> Option<Self> {
        self.at_branch(branch.clone()).filter(|_| self.branch.as_ref() != Some(branch))
    }

    /// With these warnings besides.
    #[must_use]
    pub fn warned(&self, warnings: &[Warned]) -> Self {
        let mut entry = self.clone();
        for warned in warnings {
            if entry.warnings.iter().all(|known| known.warning != warned.warning) {
                entry.warnings.push(warned.clone());
            }
        }
        entry
    }

    /// With what `found` says of warnings and of how late it came, and nothing else of it: whatever else has changed meanwhile stays.
    #[must_use]
    pub fn with_findings_of(&self, found: Self) -> Self {
        let Self { warnings, late, late_as_of, .. } = found;
        Self { warnings, late, late_as_of, ..self.clone() }
    }

    /// With those warnings confirmed of which this is true, where nobody has confirmed them before.
    #[must_use]
    pub fn confirmed(&self, now: Moment, which: impl Fn(&Warning) -> bool) -> Self {
        let mut entry = self.clone();
        for warned in &mut entry.warnings {
            if warned.confirmed.is_none() && which(&warned.warning) {
                warned.confirmed = Some(now);
            }
        }
        entry
    }

    /// What a person still has to answer: to lend it all the same, or to take it back, as long as that is possible.
    pub fn open_stops(&self) -> impl Iterator<Item = &Warning> {
        let is_here = self.status.state() == State::Local;
        let open = self.warnings.iter().filter(move |warned| is_here && warned.confirmed.is_none());
        open.map(|warned| &warned.warning).filter(|warning| warning.is_stop())
    }

    /// Whether it is warned of this, and nobody has confirmed it.
    pub fn is_open(&self, warning: &Warning) -> bool {
        self.warnings.iter().any(|warned| warned.warning == *warning && warned.confirmed.is_none())
    }

    /// Whether a person is asked about it.
    pub fn is_stopped(&self) -> bool {
        self.open_stops().next().is_some()
    }

    /// The gravest grade of what was warned of.
    pub fn grade(&self) -> Option<Grade> {
        self.warnings.iter().map(|warned| warned.warning.grade()).min()
    }

    /// The hold for which the item was set aside, and where it will be picked up.
    pub fn set_aside(&self) -> Option<(u32, &str)> {
        self.warnings.iter().find_map(|warned| match &warned.warning {
            Warning::Hold { hold, pickup } => Some((*hold, pickup.as_str())),
            _ => None,
        })
    }

    /// With what Koha said at its check-in, and the hold that it found, as if a person had been warned of it.
    #[must_use]
    pub fn checked_in(&self, told: CheckedIn, hold: Option<(u32, String)>) -> Self {
        let mut entry = Self { checkin: Some(told), ..self.clone() };
        if let Some((hold, pickup)) = hold {
            entry.warnings.retain(|warned| !matches!(warned.warning, Warning::Hold { .. }));
            entry.warnings.push(Warned { warning: Warning::Hold { hold, pickup }, confirmed: None, as_of: None });
        }
        entry
    }

    /// What of that is to be done by hand, where nothing else tells: it is to go elsewhere.
    pub(crate) fn told_at_checkin(&self) -> Option<Fresh> {
        let home = self.checkin.as_ref()?.to.clone()?;
        Some(Fresh { home: Some(home), ..Fresh::of(self.id) })
    }

    /// What its desk recorded, before any change: by this it is recognised when it comes again in a file.
    pub fn original(&self) -> &Transaction {
        self.history.first().map_or(&self.transaction, |revision| &revision.was)
    }

    /// What was scanned for its item, read as a patron's card: rules for items say nothing of cards. Where the item is another by
    /// now, what was scanned says nothing of it. `None` where it has no item.
    pub fn item_as_card(&self, codes: &dyn Reads) -> Option<String> {
        let barcode = self.transaction.action.barcode()?.as_str();
        let is_scanned = self.original().action.item_key() == self.transaction.action.item_key();
        let scanned = self.scanned.barcode.as_deref().filter(|_| is_scanned);
        Some(codes.card(scanned.unwrap_or(barcode)))
    }
}

/// The transaction to append for what was scanned `now`, given the last moment at which the same item is in the log. Its time
/// is moved by seconds at most: where the clock was wrong, the order of the item is that of its numbers.
pub fn record(action: Action, now: Moment, last_of_item: Option<Moment>) -> Transaction {
    Transaction { moment: now.kept_apart_from(last_of_item), action }
}

/// Why a commit has nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NothingToCommit {
    /// All is in Koha, or nothing was recorded.
    Nothing,
    /// This number is not in Koha, and no commit brings it there: a person has to decide about it first.
    ButOpen(u32),
}

/// How many transactions stand in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u32; State::ALL.len()]);

impl Counts {
    /// With this number in each of these states, for tests.
    #[cfg(test)]
    pub(crate) fn from_states(numbers: impl IntoIterator<Item = (State, u32)>) -> Self {
        let mut counts = Self::default();
        numbers.into_iter().for_each(|(state, number)| counts.add(state, number));
        counts
    }

    fn slot(&mut self, state: State) -> &mut u32 {
        &mut self.0[state as usize]
    }

    /// Counts some more in this state.
    pub fn add(&mut self, state: State, number: u32) {
        let slot = self.slot(state);
        *slot = slot.saturating_add(number);
    }

    /// One transaction went from one state to another.
    pub fn moved(&mut self, from: State, to: State) {
        let slot = self.slot(from);
        *slot = slot.saturating_sub(1);
        self.add(to, 1);
    }

    /// How many stand in this state.
    pub fn of(&self, state: State) -> u32 {
        self.0[state as usize]
    }

    /// All of them.
    pub fn total(&self) -> u32 {
        self.0.iter().fold(0, |total, number| total.saturating_add(*number))
    }

    /// Those that shall come into Koha and are not known to be there: clearing them would lose them.
    pub fn uncommitted(&self) -> u32 {
        self.which(State::is_open)
    }

    /// Those that Koha has.
    pub fn committed(&self) -> u32 {
        self.which(State::is_committed)
    }

    /// Those that the next commit is about.
    pub fn to_commit(&self) -> u32 {
        self.which(|state| State::TO_COMMIT.contains(&state))
    }

    /// What there is instead of something to commit. `None` where there is something: to be sent, or in doubt, about which Koha is asked.
    pub fn nothing_to_commit(&self) -> Option<NothingToCommit> {
        let is_something = self.of(State::Local) > 0 || self.of(State::InDoubt) > 0;
        let rest = match self.uncommitted() {
            0 => NothingToCommit::Nothing,
            open => NothingToCommit::ButOpen(open),
        };
        (!is_something).then_some(rest)
    }

    /// Those that the next commit sends, or that are being sent.
    pub fn waiting(&self) -> u32 {
        self.of(State::Local).saturating_add(self.of(State::Sending))
    }

    fn which(&self, is_one: impl Fn(State) -> bool) -> u32 {
        State::which(is_one).into_iter().fold(0, |total, state| total.saturating_add(self.of(state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{
        amount::Amount,
        barcode::{Barcode, Cardnumber},
        codes::Codes,
        rules::Rules,
    };
    use chrono::TimeDelta;

    #[test]
    fn after_a_scan_in_2099_the_same_item_has_the_time_that_the_clock_shows() {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let now = Moment::new(1_795_428_000_547, 60).unwrap();
        let far = now.shifted(TimeDelta::days(73 * 365)).unwrap();
        assert_eq!(record(action.clone(), now, Some(far)).moment, now);
        // The clock was put right by a minute and a half.
        let ahead = now.shifted(TimeDelta::seconds(90)).unwrap();
        assert_eq!(record(action, now, Some(ahead)).moment.utc_millis(), 1_795_428_091_000);
    }

    #[test]
    fn what_was_found_is_taken_over_with_its_age_and_nothing_else() {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let old = Entry::recorded(TransactionId(1), Transaction { moment, action });
        let warnings = vec![Warned { warning: Warning::LostItem, confirmed: None, as_of: None }];
        let (late, late_as_of) = (Some(3), Some(DeskTime::from_millis(1_795_000_000_000)));
        let expected = Entry { warnings, late, late_as_of, ..old.clone() };
        let found = Entry { status: Status::Success, part: 7, ..expected.clone() };
        assert_eq!(old.with_findings_of(found), expected);
    }

    #[test]
    fn what_was_scanned_is_stored_where_something_else_was_meant() {
        let action = Action::Return { barcode: Barcode::parse("T0000002").unwrap() };
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        let entry = Entry::recorded(TransactionId(1), Transaction { moment: now, action });
        let stored = serde_json::to_value(&entry).unwrap();
        assert_eq!(stored.get("scanned"), None, "as every version has stored it");
        assert_eq!(serde_json::from_value::<Entry>(stored).unwrap(), entry);
        let scanned = Scanned { barcode: Some("T32".into()), cardnumber: None };
        let entry = Entry { scanned, ..entry };
        let stored = serde_json::to_value(&entry).unwrap();
        assert_eq!(stored["scanned"], serde_json::json!({"barcode": "T32"}));
        assert_eq!(stored["barcode"], "T0000002");
        assert_eq!(serde_json::from_value::<Entry>(stored).unwrap(), entry);
    }

    #[test]
    fn what_was_scanned_for_an_item_is_read_as_a_card_while_it_is_that_item() {
        let codes = Codes { card_rules: Rules::parse("start-stop").unwrap(), ..Codes::default() };
        let issue = |barcode| {
            let (cardnumber, barcode) = (Cardnumber::parse("P1").unwrap(), Barcode::parse(barcode).unwrap());
            Action::Issue { cardnumber, barcode }
        };
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        let recorded = |action| Entry::recorded(TransactionId(1), Transaction { moment: now, action });
        assert_eq!(recorded(issue("A2352B")).item_as_card(&codes).as_deref(), Some("2352"));
        let scanned = Scanned { barcode: Some("A2352B".into()), cardnumber: None };
        let entry = Entry { scanned, ..recorded(issue("T0002352")) };
        assert_eq!(entry.item_as_card(&codes).as_deref(), Some("2352"));
        let other = entry.edited(issue("B9"), now).unwrap();
        assert_eq!(other.item_as_card(&codes).as_deref(), Some("B9"), "nobody has scanned a card for it");
        let back = other.edited(issue("t0002352"), now).unwrap();
        assert_eq!(back.item_as_card(&codes).as_deref(), Some("2352"));
        let (cardnumber, amount) = (Cardnumber::parse("P1").unwrap(), Amount::parse("1.00").unwrap());
        assert_eq!(recorded(Action::Payment { cardnumber, amount }).item_as_card(&codes), None);
    }

    #[test]
    fn a_person_is_asked_as_long_as_they_can_still_take_it_back() {
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let now = Moment::new(1_795_428_000_000, 60).unwrap();
        let entry = Entry::recorded(TransactionId(1), Transaction { moment: now, action });
        assert_eq!((entry.is_stopped(), entry.grade()), (false, None));
        let warned = |warning| Warned { warning, confirmed: None, as_of: None };
        let entry = entry.warned(&[warned(Warning::OnLoan), warned(Warning::LostCard), warned(Warning::Waiting)]);
        assert_eq!(entry.open_stops().collect::<Vec<_>>(), [&Warning::LostCard, &Warning::Waiting]);
        assert_eq!(entry.grade(), Some(Grade::Stop));
        let answered = entry.confirmed(now, Warning::is_of_patron);
        assert_eq!(answered.open_stops().collect::<Vec<_>>(), [&Warning::Waiting]);
        let open = [Warning::OnLoan, Warning::LostCard, Warning::InTransit].map(|warning| answered.is_open(&warning));
        assert_eq!(open, [true, false, false]);
        for status in [Status::Deleted, Status::Success, Status::Added] {
            assert!(!Entry { status, ..entry.clone() }.is_stopped());
        }
        assert!(!entry.confirmed(now, Warning::is_stop).is_stopped(), "what is to be looked at needs no answer");
    }

    #[test]
    fn a_row_keeps_its_library_until_a_person_says_that_it_was_wrong() {
        let branch = |code: &str| BranchCode::parse(code).unwrap();
        let action = Action::Return { barcode: Barcode::parse("B").unwrap() };
        let moment = Moment::new(1_795_428_000_000, 60).unwrap();
        let old = Entry::recorded(TransactionId(1), Transaction { moment, action });
        assert_eq!((old.branch_or("CPL"), old.waits_for_other_branch("CPL")), ("CPL", false));
        let json = serde_json::to_string(&old).unwrap();
        assert!(!json.contains("branch"), "as earlier versions stored it");
        let row = Entry { branch: Some(branch("MPL")), ..old };
        assert_eq!((row.branch_or("CPL"), row.waits_for_other_branch("CPL")), ("MPL", true));
        let json = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), row);
        assert_eq!(serde_json::from_str::<Entry>(&json.replace(",\"branch\":\"MPL\"", "")).unwrap().branch, None);
        let right = row.at_branch(branch("CPL")).unwrap();
        assert!(!right.waits_for_other_branch("CPL"));
        let sent = Entry { status: Status::Added, ..row.clone() };
        assert_eq!((sent.at_branch(branch("CPL")), sent.waits_for_other_branch("CPL")), (None, false));
        assert_eq!(row.at_other_branch(&branch("CPL")), Some(right.clone()));
        assert_eq!(right.at_other_branch(&branch("CPL")), None, "nothing changes");
        let unsaid = Entry { branch: None, ..right.clone() };
        assert_eq!(unsaid.at_other_branch(&branch("CPL")), Some(right), "now it is said");
        assert_eq!(sent.at_other_branch(&branch("MPL")), None);
        let of_bus = Entry { desk: DeskName::parse("Bus").ok(), ..row };
        assert!(!of_bus.waits_for_other_branch("CPL"), "another desk is where it is");
    }

    #[test]
    fn counts_what_is_unsent() {
        let mut counts = Counts::from_states(State::ALL.into_iter().zip(1..));
        assert_eq!(counts.total(), 28);
        // Local 1, Sending 2, Rejected 5, InDoubt 6.
        assert_eq!((counts.uncommitted(), counts.waiting(), counts.to_commit()), (14, 3, 9));
        // Added 3, Success 4.
        assert_eq!(counts.committed(), 7);
        counts.moved(State::Local, State::Added);
        assert_eq!((counts.of(State::Local), counts.of(State::Added), counts.total()), (0, 4, 28));
        counts.moved(State::Local, State::Added);
        assert_eq!(counts.of(State::Local), 0, "a count never runs below zero");
    }

    #[test]
    fn a_commit_has_something_to_do_where_something_waits_or_is_in_doubt() {
        let nothing =
            |states: &[State]| Counts::from_states(states.iter().map(|state| (*state, 2))).nothing_to_commit();
        assert_eq!(nothing(&[]), Some(NothingToCommit::Nothing));
        assert_eq!(nothing(&[State::Added, State::Success, State::Deleted]), Some(NothingToCommit::Nothing));
        assert_eq!(nothing(&[State::Success, State::Rejected]), Some(NothingToCommit::ButOpen(2)));
        assert_eq!(nothing(&[State::Sending]), Some(NothingToCommit::ButOpen(2)), "another window has it in hand");
        for state in [State::Local, State::InDoubt] {
            assert_eq!(nothing(&[state, State::Rejected]), None);
        }
    }
}
