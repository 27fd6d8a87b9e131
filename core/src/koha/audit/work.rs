//! What is to be done by hand about the transactions of an item, since Koha's offline processing does it not: holds are not caught,
//! nothing is sent home, no fine is computed, and nobody is stopped.

use super::{judge, patrons::Patrons};
use crate::{
    desk::{amount::Cents, transaction::Action},
    directory::{
        record::{Hold, HoldState, Patron},
        warning,
    },
    koha::rest::{Checkout, Item},
    log::{
        Entry,
        fresh::{Fresh, HoldNow, Late, Numbers, TakenOver},
        status::State,
        warned::{Grade, Warning},
    },
};
use std::collections::HashSet;

/// What is known of an item.
pub(super) struct Work<'a> {
    pub(super) item: &'a Item,
    /// Every loan that it ever had.
    pub(super) loans: &'a [Checkout],
    /// The holds on its title and others; absent where they cannot be read.
    pub(super) holds: Option<&'a [Hold]>,
    pub(super) patrons: &'a Patrons,
    /// The desk's library.
    pub(super) here: &'a str,
    pub(super) debt_limit: Option<Cents>,
}

/// What a patron would have been warned of now, as far as somebody must look at it.
pub(super) fn warnings_of(patron: &Patron, row: &Entry, debt_limit: Option<Cents>) -> Vec<Warning> {
    let today = row.transaction.moment.local().date();
    let mut warnings = warning::of_patron(Some(patron), true, today, debt_limit);
    warnings.retain(|warning| warning.grade() < Grade::Note);
    warnings
}

fn small(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}

impl Work<'_> {
    /// What is to be done about each of its transactions, in their order. Holds that are served by an item that is there are `served`.
    pub(super) fn of(&self, rows: &[Entry], served: &mut HashSet<u32>) -> Vec<Fresh> {
        let last = rows.len().saturating_sub(1);
        let of_row = |(place, row): (usize, &Entry)| {
            let numbers = Numbers { patron: None, item: small(self.item.item_id), biblio: self.item.biblio_id };
            let fresh = Fresh { numbers, ..Fresh::of(row.id) };
            match row.transaction.action {
                Action::Issue { .. } => self.checkout(row, fresh),
                Action::Return { .. } if place == last && !self.is_on_loan() => self.last_checkin(row, fresh, served),
                Action::Return { .. } => self.checkin(row, fresh),
                Action::Payment { .. } => fresh,
            }
        };
        rows.iter().enumerate().map(of_row).collect()
    }

    fn is_on_loan(&self) -> bool {
        self.loans.iter().any(|loan| loan.checkin_date.is_none())
    }

    fn holds_of_title(&self) -> Option<impl Iterator<Item = &Hold>> {
        let (holds, biblio) = self.holds.zip(self.item.biblio_id)?;
        Some(holds.iter().filter(move |hold| hold.biblio == biblio))
    }

    fn is_item(&self, number: Option<u32>) -> bool {
        number.map(u64::from) == Some(self.item.item_id)
    }

    fn checkout(&self, row: &Entry, mut fresh: Fresh) -> Fresh {
        // What waits in the queue is no loan yet.
        let Some(loan) = judge::begun(row, self.loans) else { return fresh };
        let patron = self.patrons.of(row);
        let number = patron.map(|patron| patron.id).or_else(|| small(loan.patron_id?));
        fresh.numbers.patron = number;
        fresh.warnings = patron.map(|patron| warnings_of(patron, row, self.debt_limit)).unwrap_or_default();
        if self.item.is_not_for_loan() {
            fresh.warnings.push(Warning::NotForLoan);
        }
        let others = self.holds_of_title().into_iter().flatten().filter(|hold| Some(hold.patron) != number);
        let state = others
            .filter(|hold| self.is_item(hold.item))
            .map(|hold| hold.state)
            .find(|state| *state != HoldState::Placed);
        fresh.warnings.extend(state.map(|state| match state {
            HoldState::InTransit => Warning::InTransit,
            HoldState::Waiting | HoldState::Placed => Warning::Waiting,
        }));
        let ended = self.loans.iter().find(|other| judge::ends_with(other, row) && other.patron_id != loan.patron_id);
        fresh.taken_over = ended.map(|other| TakenOver { from: other.patron_id.and_then(small) });
        fresh
    }

    fn checkin(&self, row: &Entry, mut fresh: Fresh) -> Fresh {
        let loan = self.loans.iter().find(|loan| judge::ends_with(loan, row));
        let is_committed = row.status.state().is_committed();
        let due = loan.filter(|_| is_committed).and_then(|loan| loan.due_date).map(|due| due.date_naive());
        let late = due.map(|due| (due, (row.transaction.moment.local().date() - due).num_days()));
        if let Some((due, days)) =
            late.and_then(|(due, days)| Some((due, u32::try_from(days).ok()?))).filter(|(_, days)| *days > 0)
        {
            fresh.late = Some(Late { days, due });
            fresh.numbers.patron = loan.and_then(|loan| loan.patron_id).and_then(small);
        }
        fresh
    }

    /// It is there now.
    fn last_checkin(&self, row: &Entry, fresh: Fresh, served: &mut HashSet<u32>) -> Fresh {
        let mut fresh = self.checkin(row, fresh);
        if row.status.state() == State::Added && judge::ended(row, self.loans).is_none() {
            return fresh;
        }
        fresh.hold = self.hold_now(row, served);
        let is_wanted = matches!(fresh.hold, Some(HoldNow::Waits { .. }));
        // It is where it was checked in, which may be another library than the one that the desk is set to now.
        let here = row.branch_or(self.here).trim();
        let is_elsewhere = |home: &&String| !home.is_empty() && !home.eq_ignore_ascii_case(here);
        let home = self.item.home_library_id.as_ref().filter(is_elsewhere);
        fresh.home = home.filter(|_| !is_wanted && !here.is_empty()).cloned();
        fresh
    }

    fn hold_now(&self, row: &Entry, served: &mut HashSet<u32>) -> Option<HoldNow> {
        let holds: Vec<&Hold> = self.holds_of_title()?.collect();
        // Somebody has checked it in in Koha since: that has caught the hold.
        if holds.iter().any(|hold| hold.state != HoldState::Placed && self.is_item(hold.item)) {
            return Some(HoldNow::Nobody);
        }
        let may_have_it = |hold: &&&Hold| {
            let is_free = hold.state == HoldState::Placed && !hold.suspended && !served.contains(&hold.id);
            is_free && (hold.item.is_none() || self.is_item(hold.item))
        };
        let set_aside_for = row.set_aside().map(|(hold, _)| hold);
        let first = holds
            .iter()
            .filter(may_have_it)
            .min_by_key(|hold| (Some(hold.id) != set_aside_for, hold.priority, hold.id));
        Some(match first {
            Some(hold) => {
                served.insert(hold.id);
                HoldNow::Waits { hold: hold.id, patron: hold.patron, pickup: hold.pickup.clone() }
            }
            None => HoldNow::Nobody,
        })
    }
}
