//! What is left to do by hand: what Koha refused or may not have, what is to be checked in once more, whom and what to look at in
//! Koha.
//!
//! It follows the log entry by entry ([`Todo::take`]), so that a scan costs no more in a long log than in a short one. What a
//! group holds that the log does not know by itself is told: what is set aside for holds, and what Koha tells after a commit, which
//! adds to what was known at the desk, and corrects it.

mod csv;
mod group;
mod opening;
mod row;
mod told;

pub use csv::csv;

pub use group::Group;
pub use opening::Opening;
pub use row::{Knows, KohaPage, NamedBy, Offer, Refusal, Row, What};
pub use told::Told;

use crate::{
    desk::{
        barcode::folded,
        clock::DeskTime,
        transaction::{Action, TransactionId},
    },
    log::{
        Entry,
        event::LogEvent,
        fresh::{Fresh, HoldNow},
        status::{Decision, State},
        task::Task,
        warned::{Grade, Warned, Warning},
    },
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    rc::Rc,
};

impl Warning {
    /// Whether the patron is to be looked at in Koha: it would not have lent this to them, or asked somebody.
    fn is_grave_of_patron(&self) -> bool {
        self.is_of_patron() && self.grade() <= Grade::Careful
    }

    /// Whether the loan is to be looked at in Koha: it would not have lent this to anybody, or to somebody else alone.
    fn is_grave_of_loan(&self) -> bool {
        matches!(self, Self::NotForLoan | Self::LostItem | Self::Withdrawn | Self::Waiting | Self::InTransit)
    }
}

/// Rows of one entry each, those to be done and those that are ticked off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rows {
    open: BTreeSet<TransactionId>,
    ticked: BTreeSet<TransactionId>,
}

impl Rows {
    fn put(&mut self, id: TransactionId, is_ticked: bool) {
        if is_ticked {
            self.ticked.insert(id)
        } else {
            self.open.insert(id)
        };
    }

    fn remove(&mut self, id: TransactionId) {
        let _ = self.open.remove(&id) || self.ticked.remove(&id);
    }

    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.ticked.is_empty()
    }

    /// By which the rows of what was done for one patron stand in their place.
    fn first(&self) -> Option<(TransactionId, bool)> {
        let open = self.open.first().map(|id| (*id, false));
        open.or_else(|| self.ticked.first().map(|id| (*id, true)))
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    InDoubt,
    Refused,
    NotOnLoan,
    Transfers,
    Loans,
    Late,
    ReadBack,
    Payments,
}

/// How many lists there are.
const LISTS: usize = List::Payments as usize + 1;

/// What is left to do. Follows the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Todo {
    /// The entries that stand in a list, or may.
    kept: HashMap<TransactionId, Entry>,
    /// By [`List`].
    lists: [Rows; LISTS],
    /// What each patron took, by their card, and the first of each.
    patrons: HashMap<String, Rows>,
    firsts: Rows,
    /// What is set aside, in order; and which of that is to be done still, and which is ticked off.
    aside: Vec<TransactionId>,
    aside_keys: HashSet<String>,
    aside_open: Vec<TransactionId>,
    aside_ticked: Vec<TransactionId>,
    /// What Koha tells.
    told: Rc<Told>,
    /// While the log is read, what has changed meanwhile: it may have been read before.
    since: Option<Vec<Entry>>,
}

/// Whether something may be left to do about it that only what is kept with it tells.
pub fn is_candidate(entry: &Entry) -> bool {
    let is_refused_or_in_doubt = matches!(entry.status.state(), State::Rejected | State::InDoubt);
    is_refused_or_in_doubt
        || entry.late.is_some()
        || entry.set_aside().is_some()
        || warned(entry).any(|warning| warning.is_grave_of_patron() || warning.is_grave_of_loan())
        || matches!(entry.transaction.action, Action::Payment { .. })
}

fn warned(entry: &Entry) -> impl Iterator<Item = &Warning> {
    entry.warnings.iter().map(|warned| &warned.warning)
}

fn told_of(warned: Vec<Warned>) -> Vec<Warning> {
    warned.into_iter().map(|warned| warned.warning).collect()
}

/// The newest of two ages, where none is that of the day itself.
fn newest(one: Option<DeskTime>, other: Option<DeskTime>) -> Option<DeskTime> {
    one.zip(other).map(|(one, other)| one.max(other))
}

impl Todo {
    /// The log is being read, to be taken by [`Todo::load`].
    pub fn begin_reading(&mut self) {
        self.since = Some(Vec::new());
    }

    /// It could not be read: what was known of it stays, with what has changed since.
    pub fn stop_reading(&mut self) {
        self.since = None;
    }

    /// Begins anew with what was read of the log: the candidates, what Koha tells of its entries, and what has changed while it
    /// was read. What is set aside is said afterwards.
    pub fn load(&mut self, read: impl IntoIterator<Item = Entry>, told: Told) {
        let since = self.since.take().unwrap_or_default();
        *self = Self { told: Rc::new(told), ..Self::default() };
        for entry in read.into_iter().chain(since) {
            self.take(&entry);
        }
    }

    /// What Koha tells, to be kept while it is asked about.
    pub fn told(&self) -> Rc<Told> {
        self.told.clone()
    }

    /// Follows the log. Returns whether something here may have changed.
    pub fn follow(&mut self, event: &LogEvent) -> bool {
        // Each of them, whatever the first has changed.
        event.entries().iter().filter(|entry| self.take(entry)).count() > 0
    }

    /// Takes over an entry as it is now. Returns whether something here may have changed.
    pub fn take(&mut self, entry: &Entry) -> bool {
        if let Some(since) = &mut self.since {
            since.push(entry.clone());
        }
        let id = entry.id;
        let is_kept = is_candidate(entry) || self.told.knows(id);
        let before = self.kept.remove(&id);
        if before.is_none() && !is_kept {
            return false;
        }
        let had_hold = before.as_ref().is_some_and(|before| self.has_hold(before));
        if let Some(before) = before {
            self.leave(&before);
        }
        if is_kept {
            self.enter(entry);
            self.kept.insert(id, entry.clone());
        }
        if had_hold || self.has_hold(entry) {
            self.part_aside();
        }
        true
    }

    fn lists_of(&self, entry: &Entry) -> Vec<(List, bool)> {
        let mut lists = Vec::new();
        match entry.status.state() {
            State::InDoubt => lists.push((List::InDoubt, false)),
            State::Rejected if Refusal::of(entry) == Some(Refusal::NotOnLoan) => lists.push((List::NotOnLoan, false)),
            State::Rejected => lists.push((List::Refused, false)),
            _ => {}
        }
        let fresh = self.told.fresh(entry.id);
        let is_taken_back = entry.status.state() == State::Deleted && !entry.was_settled();
        if fresh.is_some_and(|fresh| fresh.home.is_some()) && !is_taken_back {
            lists.push((List::Transfers, entry.is_ticked(Task::Transfer)));
        }
        let is_taken_over = fresh.is_some_and(|fresh| fresh.taken_over.is_some());
        if entry.status.state().has_happened() && (is_taken_over || !self.of_loan(entry).is_empty()) {
            lists.push((List::Loans, entry.is_ticked(Task::Loan)));
        }
        // Koha's own check-in has computed the fine.
        let is_fined = entry.checkin.is_some();
        if entry.status.state().has_happened()
            && !is_fined
            && (entry.late.is_some() || fresh.is_some_and(|fresh| fresh.late.is_some()))
        {
            lists.push((List::Late, entry.is_ticked(Task::Late)));
        }
        if self.told.odd(entry.id).is_some() {
            lists.push((List::ReadBack, entry.is_ticked(Task::ReadBack)));
        }
        if entry.status.state().is_committed() && matches!(entry.transaction.action, Action::Payment { .. }) {
            lists.push((List::Payments, entry.is_ticked(Task::Payment)));
        }
        lists
    }

    fn enter(&mut self, entry: &Entry) {
        for (list, is_ticked) in self.lists_of(entry) {
            self.lists[list as usize].put(entry.id, is_ticked);
        }
        self.change_patron(entry, |rows| rows.put(entry.id, entry.is_ticked(Task::Patron)));
    }

    fn leave(&mut self, entry: &Entry) {
        for rows in &mut self.lists {
            rows.remove(entry.id);
        }
        self.change_patron(entry, |rows| rows.remove(entry.id));
    }

    /// What a person was warned of, and what Koha says of it now: that is newer, and has no age.
    fn warnings(&self, entry: &Entry, which: fn(&Warning) -> bool) -> Vec<Warned> {
        let fresh = self.told.fresh(entry.id).map(|fresh| fresh.warnings.as_slice()).unwrap_or_default();
        let is_of_kind = |known: &Warning, other: &Warning| mem::discriminant(known) == mem::discriminant(other);
        // Koha's list does not say until when.
        let is_newer = |known: &Warning, fresh: &Warning| {
            is_of_kind(known, fresh) && *fresh != Warning::Restricted { until: None }
        };
        let is_old = |known: &Warned| fresh.iter().any(|fresh| is_newer(&known.warning, fresh));
        let known = entry.warnings.iter().filter(|known| which(&known.warning) && !is_old(known));
        let mut warnings: Vec<Warned> = known.cloned().collect();
        for warning in fresh.iter().filter(|warning| which(warning)) {
            if !warnings.iter().any(|known| is_of_kind(&known.warning, warning)) {
                warnings.push(Warned { warning: warning.clone(), confirmed: None, as_of: None });
            }
        }
        warnings
    }

    fn of_patron(&self, entry: &Entry) -> Vec<Warned> {
        self.warnings(entry, Warning::is_grave_of_patron)
    }

    fn of_loan(&self, entry: &Entry) -> Vec<Warned> {
        let is_loan = matches!(entry.transaction.action, Action::Issue { .. });
        if is_loan { self.warnings(entry, Warning::is_grave_of_loan) } else { Vec::new() }
    }

    /// The patron who is to be looked at because of this.
    fn patron_of(&self, entry: &Entry) -> Option<String> {
        let card = entry
            .transaction
            .action
            .cardnumber()
            .filter(|_| entry.status.state().has_happened() && !self.of_patron(entry).is_empty());
        card.map(|card| folded(card.as_str()))
    }

    fn change_patron(&mut self, entry: &Entry, change: impl FnOnce(&mut Rows)) {
        let Some(card) = self.patron_of(entry) else { return };
        let rows = self.patrons.entry(card.clone()).or_default();
        if let Some((first, _)) = rows.first() {
            self.firsts.remove(first);
        }
        change(rows);
        match rows.first() {
            Some((first, is_ticked)) => self.firsts.put(first, is_ticked),
            None => drop(self.patrons.remove(&card)),
        }
    }

    fn has_hold(&self, entry: &Entry) -> bool {
        let fresh = self.told.fresh(entry.id).and_then(|fresh| fresh.hold.as_ref());
        entry.set_aside().is_some() || matches!(fresh, Some(HoldNow::Waits { .. }))
    }

    /// What is set aside for holds, in the order in which it is shown.
    pub fn set_aside(&mut self, ids: Vec<TransactionId>) {
        let key = |id| self.kept.get(id)?.transaction.action.item_key();
        self.aside_keys = ids.iter().filter_map(key).collect();
        self.aside = ids;
        self.part_aside();
    }

    /// Whether this may change what is set aside.
    pub fn touches_aside(&self, event: &LogEvent) -> bool {
        let is_aside = |entry: &Entry| {
            let is_of_item = |key: String| self.aside_keys.contains(&key);
            self.has_hold(entry) || entry.transaction.action.item_key().is_some_and(is_of_item)
        };
        matches!(event, LogEvent::Reload(_)) || event.entries().iter().any(is_aside)
    }

    fn part_aside(&mut self) {
        let known = self.aside.iter().filter_map(|id| self.kept.get(id));
        let (ticked, open) = known.partition::<Vec<_>, _>(|entry| entry.is_ticked(Task::SetAside));
        let ids = |entries: Vec<&Entry>| entries.into_iter().map(|entry| entry.id).collect();
        (self.aside_open, self.aside_ticked) = (ids(open), ids(ticked));
    }

    fn rows(&self, list: List) -> Option<&Rows> {
        Some(&self.lists[list as usize]).filter(|rows| !rows.is_empty())
    }

    fn open_in(&self, list: List) -> usize {
        self.rows(list).map_or(0, |rows| rows.open.len())
    }

    /// The number of rows of a group that are still to be done.
    pub fn open(&self, group: Group) -> usize {
        match group {
            Group::NotRecorded => 0,
            Group::InDoubt => self.open_in(List::InDoubt),
            Group::Refused => self.open_in(List::Refused) + self.open_in(List::NotOnLoan),
            Group::SetAside => self.aside_open.len(),
            Group::Patrons => self.firsts.open.len(),
            Group::Transfers => self.open_in(List::Transfers),
            Group::Loans => self.open_in(List::Loans),
            Group::Late => self.open_in(List::Late),
            Group::ReadBack => self.open_in(List::ReadBack),
            Group::Payments => self.open_in(List::Payments),
        }
    }

    /// How much a group matters; `None` where nothing of it is to be done.
    fn grade(&self, group: Group) -> Option<Grade> {
        let grade = match group {
            Group::NotRecorded => Grade::Stop,
            Group::InDoubt | Group::Patrons | Group::Loans | Group::ReadBack => Grade::Careful,
            Group::Refused if self.open_in(List::Refused) > 0 => Grade::Stop,
            Group::SetAside | Group::Transfers => Grade::Do,
            Group::Refused | Group::Late | Group::Payments => Grade::Note,
        };
        (self.open(group) > 0).then_some(grade)
    }

    /// The number of rows that are still to be done, and the gravest of their grades. With this number that is not recorded.
    pub fn summary(&self, not_recorded: usize) -> (usize, Option<Grade>) {
        let number = Group::ALL.into_iter().map(|group| self.open(group)).sum::<usize>() + not_recorded;
        let of_groups = Group::ALL.into_iter().filter_map(|group| self.grade_of(group, not_recorded)).min();
        (number, of_groups)
    }

    /// How much a group matters, as its head shows it: see [`Todo::summary`].
    pub fn grade_of(&self, group: Group, not_recorded: usize) -> Option<Grade> {
        let is_open = group == Group::NotRecorded && not_recorded > 0;
        if is_open { Some(Grade::Stop) } else { self.grade(group) }
    }

    /// Whether a commit has left something that a person must decide about or look at.
    pub fn is_work_left(&self) -> bool {
        [Group::InDoubt, Group::Refused, Group::ReadBack].into_iter().any(|group| self.open(group) > 0)
    }

    /// The first rows of a group, no more than the limit: what is to be done, then what is ticked off.
    pub fn first_rows(&self, group: Group, limit: usize) -> Vec<Row> {
        let lists: &[List] = match group {
            Group::NotRecorded => &[],
            Group::InDoubt => &[List::InDoubt],
            Group::Refused => &[List::Refused, List::NotOnLoan],
            Group::Transfers => &[List::Transfers],
            Group::Loans => &[List::Loans],
            Group::Late => &[List::Late],
            Group::ReadBack => &[List::ReadBack],
            Group::Payments => &[List::Payments],
            Group::SetAside => {
                let ids = self.aside_open.iter().chain(&self.aside_ticked);
                return ids.filter_map(|id| self.row(group, *id)).take(limit).collect();
            }
            Group::Patrons => {
                let ids = self.firsts.open.iter().chain(&self.firsts.ticked);
                return ids.filter_map(|id| self.patron_row(*id)).take(limit).collect();
            }
        };
        let rows = || lists.iter().filter_map(|list| self.rows(*list));
        let ids = rows().flat_map(|rows| &rows.open).chain(rows().flat_map(|rows| &rows.ticked));
        ids.filter_map(|id| self.row(group, *id)).take(limit).collect()
    }

    /// The number of rows of a group, with those that are ticked off.
    pub fn number(&self, group: Group) -> usize {
        let ticked = |list| self.rows(list).map_or(0, |rows: &Rows| rows.ticked.len());
        self.open(group)
            + match group {
                Group::NotRecorded | Group::InDoubt | Group::Refused => 0,
                Group::SetAside => self.aside_ticked.len(),
                Group::Patrons => self.firsts.ticked.len(),
                Group::Transfers => ticked(List::Transfers),
                Group::Loans => ticked(List::Loans),
                Group::Late => ticked(List::Late),
                Group::ReadBack => ticked(List::ReadBack),
                Group::Payments => ticked(List::Payments),
            }
    }

    fn row(&self, group: Group, id: TransactionId) -> Option<Row> {
        let entry = self.kept.get(&id)?;
        let fresh = self.told.fresh(id);
        let mut as_of = None;
        let what = match group {
            Group::NotRecorded | Group::Patrons => return None,
            Group::InDoubt => What::InDoubt,
            Group::Refused => {
                let refusal = Refusal::of(entry)?;
                let marks = entry.warnings.iter().filter(|warned| warned.warning == Warning::LostItem);
                as_of = Warned::oldest(marks).filter(|_| refusal == Refusal::Lost);
                What::Refused(refusal)
            }
            Group::SetAside => {
                let pickup = entry.set_aside().map(|(_, pickup)| pickup.to_owned()).unwrap_or_default();
                // Koha says of those for whom somebody waits, and of those for whom nobody does.
                let is_hold = |warned: &&Warned| matches!(warned.warning, Warning::Hold { .. });
                let of_koha = fresh.is_some_and(|fresh| fresh.hold.is_some());
                as_of = Warned::oldest(entry.warnings.iter().filter(is_hold)).filter(|_| !of_koha);
                let (pickup, is_over) = match fresh.and_then(|fresh| fresh.hold.clone()) {
                    Some(HoldNow::Waits { pickup, .. }) => (pickup, false),
                    Some(HoldNow::Nobody) => (pickup, true),
                    None => (pickup, false),
                };
                What::SetAside { pickup, is_over }
            }
            Group::Transfers => What::Transfer(fresh?.home.clone()?),
            Group::Loans => {
                let warned = self.of_loan(entry);
                as_of = Warned::oldest(&warned);
                What::Loan(told_of(warned), fresh.and_then(|fresh| fresh.taken_over))
            }
            Group::Late => {
                let of_koha = fresh.and_then(|fresh| fresh.late);
                as_of = entry.late_as_of.filter(|_| of_koha.is_none());
                What::Late { days: of_koha.map(|late| late.days).or(entry.late)?, due: of_koha.map(|late| late.due) }
            }
            Group::ReadBack => What::ReadBack(self.told.odd(id)?.to_vec()),
            Group::Payments => What::Payment,
        };
        let is_ticked = group.task().is_some_and(|task| entry.is_ticked(task));
        Some(Row { group, ids: vec![id], entry: entry.clone(), what, as_of, fresh: fresh.cloned(), is_ticked })
    }

    /// What one patron took of which nobody has looked yet; or all of it, where somebody has.
    fn patron_row(&self, first: TransactionId) -> Option<Row> {
        let entry = self.kept.get(&first)?;
        let rows = self.patrons.get(&self.patron_of(entry)?)?;
        let is_ticked = rows.open.is_empty();
        let ids: Vec<_> = if is_ticked { &rows.ticked } else { &rows.open }.iter().copied().collect();
        let mut warnings: Vec<Warned> = Vec::new();
        for warned in ids.iter().filter_map(|id| self.kept.get(id)).flat_map(|entry| self.of_patron(entry)) {
            match warnings.iter_mut().find(|known| known.warning.covers(&warned.warning)) {
                // The same, known later.
                Some(known) if known.warning == warned.warning => known.as_of = newest(known.as_of, warned.as_of),
                Some(_) => {}
                None => {
                    warnings.retain(|known| !warned.warning.covers(&known.warning));
                    warnings.push(warned);
                }
            }
        }
        // Of whichever of them Koha has told who it is.
        let has_patron = |fresh: &&Fresh| fresh.numbers.patron.is_some();
        let fresh = ids.iter().filter_map(|id| self.told.fresh(*id)).find(has_patron).cloned();
        let as_of = Warned::oldest(&warnings);
        let what = What::Patron(told_of(warnings));
        Some(Row { group: Group::Patrons, ids, entry: entry.clone(), what, as_of, fresh, is_ticked })
    }

    /// What is to be ticked off when all of a group is done.
    pub fn open_ids(&self, group: Group) -> Vec<TransactionId> {
        let list = |list| self.rows(list).map_or_else(Vec::new, |rows| rows.open.iter().copied().collect());
        match group {
            Group::NotRecorded | Group::InDoubt | Group::Refused => Vec::new(),
            Group::SetAside => self.aside_open.clone(),
            Group::Patrons => TransactionId::in_order(self.patrons.values().flat_map(|rows| &rows.open).copied()),
            Group::Transfers => list(List::Transfers),
            Group::Loans => list(List::Loans),
            Group::Late => list(List::Late),
            Group::ReadBack => list(List::ReadBack),
            Group::Payments => list(List::Payments),
        }
    }

    fn entries_in(&self, list: List) -> impl Iterator<Item = &Entry> {
        let ids = self.rows(list).into_iter().flat_map(|rows| &rows.open);
        ids.filter_map(|id| self.kept.get(id))
    }

    /// The number of checkins that can be settled all at once.
    pub fn number_to_settle(&self) -> usize {
        self.open_in(List::NotOnLoan)
    }

    /// The checkins that can be settled all at once: nothing is to be done about them.
    pub fn to_settle(&self) -> Vec<Entry> {
        self.entries_in(List::NotOnLoan).cloned().collect()
    }

    /// Those in doubt that are decided about all at once.
    pub fn to_decide(&self, decision: Decision) -> Vec<Entry> {
        let entries = self.entries_in(List::InDoubt);
        entries.filter(|entry| entry.decided_among_all(decision).is_some()).cloned().collect()
    }

    /// What Koha refused because it has no patron with the card of this one, or no item with its barcode: all of it is put right
    /// with one answer.
    pub fn of_same_code(&self, entry: &Entry) -> Vec<Entry> {
        let code = |entry: &Entry| {
            let refusal = Refusal::of(entry)?;
            let action = &entry.transaction.action;
            let code = match refusal {
                Refusal::NoPatron => action.cardnumber().map(|card| folded(card.as_str())),
                Refusal::NoItem => action.item_key(),
                Refusal::NotOnLoan | Refusal::Lost | Refusal::ByHand | Refusal::Other => None,
            };
            Some((refusal, code?))
        };
        let of_entry = code(entry);
        let is_it = |other: &&Entry| of_entry.is_some() && code(other) == of_entry;
        self.entries_in(List::Refused).filter(is_it).cloned().collect()
    }

    /// An entry of a row, as it is shown.
    pub fn entry(&self, id: TransactionId) -> Option<&Entry> {
        self.kept.get(&id)
    }
}

#[cfg(test)]
mod tests;
