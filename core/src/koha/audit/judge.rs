//! What the loans of an item tell about the transactions of one commit.

use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        clock::KohaTime,
        transaction::{Action, TransactionId},
    },
    koha::rest::Checkout,
    log::{
        Entry,
        audited::Oddity,
        status::{State, Status},
    },
};

/// What is known of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Judges these transactions of one item, in the order in which they were applied, by every loan that it ever had.
pub(super) fn judge(rows: &[Entry], loans: &[Checkout]) -> Vec<(TransactionId, Judgement)> {
    let judge_row = |row: &Entry| match (&row.transaction.action, row.status.state()) {
        (Action::Issue { cardnumber, .. }, State::Success) => checkout(row, cardnumber, rows, loans),
        (Action::Return { .. }, State::Success) => {
            let is_there = loans.iter().any(|loan| loan.checkin_date.is_some_and(|end| is_at(end, second(row))));
            if is_there { Judgement::Right } else { Judgement::Odd(Oddity::NoTrace) }
        }
        (Action::Return { .. }, State::Rejected) => refused_checkin(row, loans),
        _ => Judgement::Unclear,
    };
    rows.iter().map(|row| (row.id, judge_row(row))).collect()
}

/// Judges a checkout by its patron's open loans, where nothing tells which loan is of which item. What is not there may have come
/// back.
pub(super) fn judge_by_patron(row: &Entry, card: &Cardnumber, rows: &[Entry], loans: &[Checkout]) -> Judgement {
    let begun = loans.iter().filter(|loan| seconds(loan.checkout_date) == second(row));
    let doubled = begun.into_iter().find(|loan| is_renewed_in_vain(loan, second(row), card, rows, loans));
    match doubled {
        Some(loan) => Judgement::Odd(Oddity::Renewed { due: due(loan) }),
        None => match checkout(row, card, rows, loans) {
            Judgement::Odd(Oddity::NoTrace) => Judgement::Unclear,
            other => other,
        },
    }
}

fn checkout(row: &Entry, card: &Cardnumber, rows: &[Entry], loans: &[Checkout]) -> Judgement {
    let at = second(row);
    let exact = loans.iter().find(|loan| seconds(loan.checkout_date) == at);
    let begun = exact.or_else(|| loans.iter().find(|loan| is_at(loan.checkout_date, at)));
    if let Some(loan) = begun {
        return if is_renewed_in_vain(loan, at, card, rows, loans) {
            Judgement::Odd(Oddity::Renewed { due: due(loan) })
        } else {
            Judgement::Right
        };
    }
    let mut earlier = loans.iter().filter(|loan| seconds(loan.checkout_date) < at);
    let renewed = |loan: &Checkout| loan.last_renewed_date.is_some_and(|renewed| is_at(renewed, at));
    let of_ours = |loan: &Checkout| {
        rows.iter().any(|other| is_checkout_to(other, card) && is_at(loan.checkout_date, second(other)))
    };
    if let Some(loan) = earlier.clone().find(|loan| renewed(loan)) {
        // The patron's own checkout of this commit, which the desk has in its log twice, is no surprise.
        return if of_ours(loan) { Judgement::Right } else { Judgement::Odd(Oddity::HadIt { due: due(loan) }) };
    }
    // A loan that was renewed again since no longer tells of it.
    if earlier.any(|loan| loan.last_renewed_date.is_some_and(|renewed| seconds(renewed) > at)) {
        return Judgement::Unclear;
    }
    Judgement::Odd(Oddity::NoTrace)
}

/// Whether the loan that this second's checkout began was renewed once more than the later checkouts to the same patron, and
/// one renewal by somebody else, account for.
fn is_renewed_in_vain(loan: &Checkout, at: i64, card: &Cardnumber, rows: &[Entry], loans: &[Checkout]) -> bool {
    let Some(renewed) = loan.last_renewed_date else { return false };
    if seconds(renewed) == seconds(loan.checkout_date) {
        // Nothing else dates a renewal like the loan itself.
        return true;
    }
    let Some(count) = loan.number_of_renewals() else { return false };
    let end = loan.checkin_date.map_or(i64::MAX, seconds);
    // Desks' clocks differ, so a later checkout may look as if it fell into this loan. One that began a loan of its own did not,
    // nor one before which the patron took the item anew.
    let is_of_later = |second: i64| {
        let begun = loans.iter().filter(|other| other.patron_id == loan.patron_id);
        begun.map(|other| seconds(other.checkout_date)).any(|begun| begun > at && begun <= second)
    };
    let renewing =
        |row: &&Entry| is_checkout_to(row, card) && second(row) > at && second(row) <= end && !is_of_later(second(row));
    let asked_for: Vec<i64> = rows.iter().filter(renewing).map(second).collect();
    let is_ours = asked_for.iter().any(|second| is_at(renewed, *second));
    usize::try_from(count).unwrap_or(usize::MAX) > asked_for.len() + usize::from(!is_ours)
}

fn refused_checkin(row: &Entry, loans: &[Checkout]) -> Judgement {
    let at = second(row);
    let ended = loans.iter().filter(|loan| loan.checkin_date.is_some_and(|end| seconds(end) == at)).count();
    // A checkout to somebody else ends the loan before it, in its own second.
    let begun = loans.iter().filter(|loan| seconds(loan.checkout_date) == at).count();
    match ended {
        0 => Judgement::Refused,
        _ if ended > begun => Judgement::Processed,
        _ => Judgement::Unclear,
    }
}

fn is_checkout_to(row: &Entry, card: &Cardnumber) -> bool {
    row.status == Status::Success
        && row.transaction.action.item_key().is_some()
        && row.transaction.action.cardnumber().is_some_and(|other| same_code(other.as_str(), card.as_str()))
}

fn second(row: &Entry) -> i64 {
    row.transaction.moment.utc_seconds()
}

/// Koha writes the desk's time down, and keeps no finer one.
fn seconds(time: KohaTime) -> i64 {
    time.taken_for_desk_time().seconds()
}

/// Whether it is this second. Koha keeps local times: of the hour that comes twice when the clocks go back it does not know
/// which of the two it was.
fn is_at(time: KohaTime, second: i64) -> bool {
    matches!(seconds(time).abs_diff(second), 0 | 3600)
}

fn due(loan: &Checkout) -> Option<chrono::NaiveDate> {
    loan.due_date.filter(|_| loan.checkin_date.is_none()).map(|due| due.date_naive())
}
