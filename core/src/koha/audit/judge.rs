//! What the loans of an item tell about the transactions of one commit.

use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        clock::{DeskTime, KohaTime},
        transaction::{Action, TransactionId},
    },
    koha::rest::Checkout,
    log::{Entry, audited::Oddity, status::State},
};
use chrono::TimeDelta;

/// What is known of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Koha holds what it should.
    Right,
    /// It does not.
    Odd(Oddity),
    /// Koha refused it, and holds nothing of it.
    Refused,
    /// Koha refused it, and had processed it all the same.
    Processed,
    /// It cannot be told.
    Unclear,
}

/// Whose a loan must be, and where it must be booked, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expected<'a> {
    pub(super) patron: Option<u32>,
    pub(super) library: Option<&'a str>,
}

impl Expected<'_> {
    fn is_of_other_patron(&self, loan: &Checkout) -> bool {
        self.patron.zip(loan.patron_id).is_some_and(|(patron, of)| u64::from(patron) != of)
    }

    /// Where it is booked, if that is elsewhere.
    fn other_library(&self, loan: &Checkout) -> Option<String> {
        let (library, at) = self.library.zip(loan.library_id.as_deref())?;
        (!at.eq_ignore_ascii_case(library)).then(|| at.to_owned())
    }
}

/// Judges these transactions of one item, in the order in which they were applied, by every loan that it ever had.
pub(super) fn judge<'a>(
    rows: &[Entry],
    loans: &[Checkout],
    expected: &dyn Fn(&Entry) -> Expected<'a>,
) -> Vec<(TransactionId, Judgement)> {
    let judge_committed = |row: &Entry| match &row.transaction.action {
        Action::Issue { cardnumber, .. } => checkout(row, cardnumber, rows, loans, expected(row)),
        Action::Return { .. } if ended(row, loans).is_some() => Judgement::Right,
        Action::Return { .. } => Judgement::Odd(Oddity::NoTrace),
        Action::Payment { .. } => Judgement::Unclear,
    };
    let judge_row = |row: &Entry| match (&row.transaction.action, row.status.state()) {
        (_, State::Success) => judge_committed(row),
        // It may wait in the queue still.
        (_, State::Added) => match judge_committed(row) {
            Judgement::Odd(Oddity::NoTrace) => Judgement::Unclear,
            other => other,
        },
        (Action::Return { .. }, State::Rejected) => refused_checkin(row, loans),
        _ => Judgement::Unclear,
    };
    rows.iter().map(|row| (row.id, judge_row(row))).collect()
}

/// Judges a checkout by its patron's open loans, where nothing tells which loan is of which item. What is not there may have come
/// back.
pub(super) fn judge_by_patron(
    row: &Entry,
    card: &Cardnumber,
    rows: &[Entry],
    loans: &[Checkout],
    expected: Expected<'_>,
) -> Judgement {
    let begun = loans.iter().filter(|loan| second_of(loan.checkout_date) == second(row));
    let doubled = begun.into_iter().find(|loan| is_renewed_in_vain(loan, second(row), card, rows, loans));
    match doubled {
        Some(loan) => Judgement::Odd(Oddity::Renewed { due: due(loan) }),
        None => match checkout(row, card, rows, loans, expected) {
            Judgement::Odd(Oddity::NoTrace) => Judgement::Unclear,
            other => other,
        },
    }
}

/// The loan that a checkout began.
pub(super) fn begun<'a>(row: &Entry, loans: &'a [Checkout]) -> Option<&'a Checkout> {
    let at = second(row);
    let exact = loans.iter().find(|loan| second_of(loan.checkout_date) == at);
    exact.or_else(|| loans.iter().find(|loan| is_at(loan.checkout_date, at)))
}

/// Whether a loan ended in the second of a transaction.
pub(super) fn ends_with(loan: &Checkout, row: &Entry) -> bool {
    loan.checkin_date.is_some_and(|end| is_at(end, second(row)))
}

/// The loan that a checkin ended.
pub(super) fn ended<'a>(row: &Entry, loans: &'a [Checkout]) -> Option<&'a Checkout> {
    loans.iter().find(|loan| ends_with(loan, row))
}

fn checkout(row: &Entry, card: &Cardnumber, rows: &[Entry], loans: &[Checkout], expected: Expected<'_>) -> Judgement {
    let at = second(row);
    if let Some(loan) = begun(row, loans) {
        if expected.is_of_other_patron(loan) {
            return Judgement::Odd(Oddity::OtherPatron);
        }
        if is_renewed_in_vain(loan, at, card, rows, loans) {
            return Judgement::Odd(Oddity::Renewed { due: due(loan) });
        }
        let elsewhere = expected.other_library(loan).map(|library| Judgement::Odd(Oddity::OtherLibrary { library }));
        return elsewhere.unwrap_or(Judgement::Right);
    }
    let mut earlier = loans.iter().filter(|loan| second_of(loan.checkout_date) < at);
    let renewed = |loan: &Checkout| loan.last_renewed_date.is_some_and(|renewed| is_at(renewed, at));
    let of_ours = |loan: &Checkout| {
        rows.iter().any(|other| is_checkout_to(other, card) && is_at(loan.checkout_date, second(other)))
    };
    if let Some(loan) = earlier.clone().find(|loan| renewed(loan)) {
        // The patron's own checkout of this commit, which the desk has in its log twice, is no surprise.
        return if of_ours(loan) { Judgement::Right } else { Judgement::Odd(Oddity::HadIt { due: due(loan) }) };
    }
    // A loan that was renewed again since no longer tells of it.
    if earlier.any(|loan| loan.last_renewed_date.is_some_and(|renewed| second_of(renewed) > at)) {
        return Judgement::Unclear;
    }
    Judgement::Odd(Oddity::NoTrace)
}

/// Whether the loan that this second's checkout began was renewed once more than the later checkouts to the same patron, and
/// one renewal by somebody else, account for.
fn is_renewed_in_vain(loan: &Checkout, at: DeskTime, card: &Cardnumber, rows: &[Entry], loans: &[Checkout]) -> bool {
    let Some(renewed) = loan.last_renewed_date else { return false };
    if second_of(renewed) == second_of(loan.checkout_date) {
        // Nothing else dates a renewal like the loan itself.
        return true;
    }
    let Some(count) = loan.number_of_renewals() else { return false };
    let end = loan.checkin_date.map(second_of);
    // Desks' clocks differ, so a later checkout may look as if it fell into this loan. One that began a loan of its own did not,
    // nor one before which the patron took the item anew.
    let is_of_later = |second: DeskTime| {
        let begun = loans.iter().filter(|other| other.patron_id == loan.patron_id);
        begun.map(|other| second_of(other.checkout_date)).any(|begun| begun > at && begun <= second)
    };
    let renewing = |row: &&Entry| {
        is_checkout_to(row, card)
            && second(row) > at
            && end.is_none_or(|end| second(row) <= end)
            && !is_of_later(second(row))
    };
    let asked_for: Vec<DeskTime> = rows.iter().filter(renewing).map(second).collect();
    let is_ours = asked_for.iter().any(|second| is_at(renewed, *second));
    usize::try_from(count).unwrap_or(usize::MAX) > asked_for.len() + usize::from(!is_ours)
}

fn refused_checkin(row: &Entry, loans: &[Checkout]) -> Judgement {
    let at = second(row);
    let ended = loans.iter().filter(|loan| loan.checkin_date.is_some_and(|end| second_of(end) == at)).count();
    // A checkout to somebody else ends the loan before it, in its own second.
    let begun = loans.iter().filter(|loan| second_of(loan.checkout_date) == at).count();
    match ended {
        0 => Judgement::Refused,
        _ if ended > begun => Judgement::Processed,
        _ => Judgement::Unclear,
    }
}

fn is_checkout_to(row: &Entry, card: &Cardnumber) -> bool {
    row.status.state().is_committed()
        && row.transaction.action.item_key().is_some()
        && row.transaction.action.cardnumber().is_some_and(|other| same_code(other.as_str(), card.as_str()))
}

fn second(row: &Entry) -> DeskTime {
    row.transaction.moment.time().whole_second()
}

/// Koha writes the desk's time down, and keeps no finer one.
fn second_of(time: KohaTime) -> DeskTime {
    time.taken_for_desk_time().whole_second()
}

/// Whether it is this second. Koha keeps local times: of the hour that comes twice when the clocks go back it does not know
/// which of the two it was.
fn is_at(time: KohaTime, second: DeskTime) -> bool {
    let apart = second_of(time).since(second).abs();
    apart.is_zero() || apart == TimeDelta::hours(1)
}

fn due(loan: &Checkout) -> Option<chrono::NaiveDate> {
    loan.due_date.filter(|_| loan.checkin_date.is_none()).map(|due| due.date_naive())
}
