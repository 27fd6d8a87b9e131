//! A transaction that is in the log and in a backup: what it is in the log afterwards. Several backups of one log, of whatever age
//! and in whatever order, end in the same.
//!
//! - What was done to it last holds: the correction, the deletion, the other time. By when it was done, since the longer history of
//!   two that begin alike is the later one too.
//! - Of two statuses that one holds which has seen more of Koha. What Koha has, or may have, is waiting in neither, whatever was
//!   done to it since.
//! - What is committed in the log stays as it is.

use crate::{
    desk::clock::DeskTime,
    log::{
        Entry,
        status::{Attempt, Doubt, State, Status},
    },
    settings::form::CommitType,
};

/// What becomes of the log's entry `here`, of which the backup holds `there`. `None` where it stays as it is.
pub fn merged(here: &Entry, there: &Entry) -> Option<Entry> {
    let there = &Entry { status: there.status.clone().after_restart(None), ..there.clone() };
    // What is being sent is known better here, until Koha's answer stands there.
    if here.status.state() == State::Sending && !there.status.state().is_committed() {
        return None;
    }
    let is_later = !here.status.state().is_committed() && age(there) > age(here);
    let (content, other) = if is_later { (there, here) } else { (here, there) };
    let mut entry = Entry {
        id: here.id,
        desk: here.desk.clone(),
        part: here.part,
        status: status(here, content, other),
        ..content.clone()
    };
    let last_tick = |entry: &Entry| entry.ticks.iter().map(|tick| tick.at.utc_millis()).max();
    if other.transaction.action == content.transaction.action && last_tick(other) > last_tick(content) {
        entry.ticks.clone_from(&other.ticks);
    }
    if let Some(told) = other.checkin.as_ref().filter(|_| entry.checkin.is_none())
        && other.transaction.action == content.transaction.action
    {
        // What Koha said as it took the item back stands nowhere else: where it goes, and who waits for it.
        let hold = other.set_aside().map(|(hold, pickup)| (hold, pickup.to_owned()));
        entry = entry.checked_in(told.clone(), hold);
    }
    (entry != *here).then_some(entry)
}

/// Where it stands that is `content` now, and was `other` in the other of the two.
fn status(here: &Entry, content: &Entry, other: &Entry) -> Status {
    let (stands, stood) = (content.status.state(), other.status.state());
    let is_settled = |state: State| state.is_committed() || state.is_doubtful();
    if here.status.state().is_committed() {
        // Koha's queue may have been processed since.
        let is_same = content.transaction.action == other.transaction.action;
        let further = if is_same && stood.is_committed() { further(&content.status, &other.status) } else { None };
        return further.unwrap_or(&content.status).clone();
    }
    match (is_settled(stands), is_settled(stood)) {
        _ if content.transaction == other.transaction && content.history == other.history => {
            further(&content.status, &other.status).unwrap_or(&content.status).clone()
        }
        (_, false) => content.status.clone(),
        // Whoever did more to it knew what had become of it before.
        (true, true) if stands.is_committed() && progress(stood) <= progress(stands) && knows(content, other) => {
            content.status.clone()
        }
        (_, true) if stayed_the_same(content, other) => {
            further(&content.status, &other.status).unwrap_or(&content.status).clone()
        }
        // Koha has, or may have, something else than it is now: a person must look, and no server is asked about it.
        (_, true) => {
            let attempt = Attempt::unknown(commit_type(&other.status));
            let unknown = Status::InDoubt { reason: Doubt::Interrupted, attempt };
            let own = Some(&content.status).filter(|own| own.state().is_doubtful());
            own.and_then(|own| further(&unknown, own)).unwrap_or(&unknown).clone()
        }
    }
}

/// Whether what an entry is to do in Koha is what the other one was, and was nothing else since.
fn stayed_the_same(entry: &Entry, other: &Entry) -> bool {
    let since = entry.history.iter().skip(other.history.len()).map(|past| &past.was.action);
    since.chain([&entry.transaction.action]).all(|action| *action == other.transaction.action)
}

/// Whether an entry was what the other one is, at some time.
fn knows(entry: &Entry, other: &Entry) -> bool {
    let action = &other.transaction.action;
    entry.transaction.action == *action || entry.history.iter().any(|past| past.was.action == *action)
}

fn commit_type(status: &Status) -> CommitType {
    match status {
        Status::Added => CommitType::Send,
        Status::Sending { attempt } | Status::InDoubt { attempt, .. } => attempt.commit_type,
        _ => CommitType::Apply,
    }
}

/// When something was done to an entry last, and how often. Of two that differ, neither is ever both older and later.
fn age(entry: &Entry) -> (i64, usize, usize, String) {
    let changes = entry.history.iter().map(|revision| revision.at);
    let answers = entry.warnings.iter().filter_map(|warned| warned.confirmed);
    let last = changes.chain(answers).map(|at| at.utc_millis()).max().unwrap_or(i64::MIN);
    let answered = entry.warnings.iter().filter(|warned| warned.confirmed.is_some()).count();
    let as_it_is = serde_json::to_string(&(&entry.transaction, &entry.history, &entry.warnings)).unwrap_or_default();
    // What is warned of comes one by one, and goes with a correction alone.
    (last, entry.history.len() + answered, entry.warnings.len(), as_it_is)
}

/// How much an entry in this state has seen of Koha.
fn progress(state: State) -> u8 {
    match state {
        State::Local => 0,
        State::Deleted => 1,
        State::Rejected => 2,
        State::Sending | State::InDoubt => 3,
        State::Added => 4,
        State::Success => 5,
    }
}

/// The second of these where it has seen more of Koha.
fn further<'a>(one: &Status, other: &'a Status) -> Option<&'a Status> {
    (seen(other) > seen(one)).then_some(other)
}

/// Of two doubts the one of which less is known, or else that was asked about last: nothing proves too early that it did not arrive.
fn seen(status: &Status) -> (u8, bool, bool, Option<DeskTime>, String) {
    let (over, is_unknown) = match status {
        Status::InDoubt { attempt, .. } => (attempt.over, attempt.server.is_empty()),
        _ => (None, false),
    };
    let as_it_is = serde_json::to_string(status).unwrap_or_default();
    (progress(status.state()), is_unknown, over.is_none(), over, as_it_is)
}

#[cfg(test)]
mod tests;
