//! What is still to be sent, in the order of all desks, and what must wait for something before it.

use crate::{
    desk::{
        barcode::Cardnumber,
        transaction::{Action, TransactionId},
    },
    log::Entry,
    ordered::{self, Gather},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem,
};

/// The number of transactions among which the next is looked for that may go now.
const LOOK_AHEAD: usize = 64;

/// The transactions of a commit that are neither under way nor over.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    /// The place of each in the order of all desks.
    ranks: HashMap<TransactionId, usize>,
    /// To be sent, in that order.
    next: VecDeque<Entry>,
    /// To be sent, but a transaction of the same item is in doubt, or one of the same patron met a server error.
    blocked: Vec<Entry>,
    /// The items of those in doubt: what comes later must not overtake them.
    in_doubt: HashMap<TransactionId, Option<String>>,
    /// The cards of those that met a server error in this commit: the error may be about the patron.
    failed_cards: HashSet<String>,
    /// The libraries that may be booked at, where that is not any, and the one that this desk is set to.
    only: Option<Only>,
    /// The number of those that wait since theirs is another, or behind such a one.
    elsewhere: usize,
}

/// The libraries at which the session that applies books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Only {
    /// What this desk is set to.
    pub(super) own: String,
    /// At which it may book.
    pub(super) at: Vec<String>,
}

impl Only {
    /// Whether it may be booked now.
    pub(super) fn allows(&self, entry: &Entry) -> bool {
        let branch = entry.branch_or(&self.own);
        self.at.iter().any(|at| at == branch)
    }
}

impl Queue {
    /// One that knows these, in that order, and holds none of them yet.
    pub(super) fn of<'a>(in_order: impl Iterator<Item = &'a Entry>) -> Self {
        Self {
            ranks: in_order.enumerate().map(|(rank, entry)| (entry.id, rank)).collect(),
            next: VecDeque::new(),
            blocked: Vec::new(),
            in_doubt: HashMap::new(),
            failed_cards: HashSet::new(),
            only: None,
            elsewhere: 0,
        }
    }

    /// The place in the order of all desks.
    fn rank(&self, id: TransactionId) -> Option<usize> {
        self.ranks.get(&id).copied()
    }

    /// One that is to be sent, in its place. Whether it must wait is found out by [`Queue::arrange`].
    pub(super) fn add(&mut self, entry: Entry) {
        self.blocked.push(entry);
    }

    /// One that was about to go, in its place.
    pub(super) fn put_back(&mut self, entry: Entry) {
        let place = self.next.partition_point(|other| self.rank(other.id) < self.rank(entry.id));
        self.next.insert(place, entry);
    }

    /// It is in doubt: what comes later of its item waits.
    pub(super) fn doubt(&mut self, entry: &Entry) {
        self.in_doubt.insert(entry.id, entry.transaction.action.item_key());
    }

    /// It is in doubt no more.
    pub(super) fn settle(&mut self, id: TransactionId) {
        self.in_doubt.remove(&id);
    }

    /// It met a server error, which may be about its card: what else is of that waits.
    pub(super) fn fail_card(&mut self, entry: &Entry) {
        self.failed_cards.extend(entry.transaction.action.cardnumber().map(ToString::to_string));
    }

    /// From now on only what is of these libraries may go; all, where there are none.
    pub(super) fn stay_at(&mut self, only: Option<Only>) {
        if self.only != only {
            self.only = only;
            self.arrange();
        }
    }

    /// Whether this one may go, by its library.
    pub(super) fn allows(&self, entry: &Entry) -> bool {
        self.only.as_ref().is_none_or(|only| only.allows(entry))
    }

    /// The desk's library, and those of what is to be sent.
    pub(super) fn branches<'a>(&'a self, own: &'a str) -> Vec<&'a str> {
        let of_entries = self.next.iter().chain(&self.blocked).map(|entry| entry.branch_or(own));
        of_entries.chain([own]).into_list()
    }

    /// The number of those that wait for a session at their library.
    pub(super) fn elsewhere(&self) -> usize {
        self.elsewhere
    }

    /// Lets go what waits for nothing any more, and blocks what must wait now.
    pub(super) fn arrange(&mut self) {
        let mut items: HashSet<_> = self.in_doubt.values().flatten().cloned().collect();
        let failed_cards = &self.failed_cards;
        let only = &self.only;
        let mut elsewhere = 0;
        let mut items_elsewhere: HashSet<String> = HashSet::new();
        let waits = |entry: &Entry| {
            let action = &entry.transaction.action;
            let is_behind = |items: &HashSet<String>| {
                !items.is_empty() && action.item_key().is_some_and(|item| items.contains(&item))
            };
            if only.as_ref().is_some_and(|only| !only.allows(entry)) || is_behind(&items_elsewhere) {
                elsewhere += 1;
                items_elsewhere.extend(action.item_key());
                return true;
            }
            if items.is_empty() && failed_cards.is_empty() {
                return false;
            }
            let waits = action.cardnumber().is_some_and(|card| failed_cards.contains(card.as_str()))
                || action.item_key().is_some_and(|item| items.contains(&item));
            if waits {
                // Nor must what comes later overtake this one.
                items.extend(action.item_key());
            }
            waits
        };
        let mut entries: Vec<_> = mem::take(&mut self.blocked);
        entries.extend(self.next.drain(..));
        // What has no place in the order comes first.
        ordered::sort(&mut entries, |entry| (0, self.rank(entry.id).map_or(0, |place| place as u64 + 1)));
        let (blocked, next): (Vec<_>, Vec<_>) = entries.into_iter().partition(waits);
        self.elsewhere = elsewhere;
        self.blocked = blocked;
        self.next = next.into();
    }

    /// Takes out the first that may go and whose item has no other transaction before it or among these.
    pub(super) fn take<'a>(&mut self, under_way: impl Iterator<Item = &'a Entry>) -> Option<Entry> {
        let item = |entry: &Entry| entry.transaction.action.item_key();
        let mut busy: HashSet<String> = under_way.filter_map(item).collect();
        let place =
            self.next.iter().take(LOOK_AHEAD).position(|entry| item(entry).is_none_or(|item| busy.insert(item)))?;
        self.next.remove(place)
    }

    /// Takes out as many of the first as may go together: no two of one item, all of one library (`own` where nothing says which), this many, up to one that goes in another way, and none
    /// behind one that `ends` them.
    pub(super) fn take_together(
        &mut self,
        most: usize,
        own: &str,
        is_other: impl Fn(&Entry) -> bool,
        ends: impl Fn(&Entry) -> bool,
    ) -> Vec<Entry> {
        let mut items = HashSet::new();
        let branch = self.next.front().map(|first| first.branch_or(own).to_owned());
        let mut is_over = false;
        let goes = |entry: &&Entry| {
            let is_free = !is_over && Some(entry.branch_or(own)) == branch.as_deref() && !is_other(entry);
            is_over |= ends(entry);
            is_free && entry.transaction.action.item_key().is_none_or(|item| items.insert(item))
        };
        let number = self.next.iter().take(most).take_while(goes).count();
        self.next.drain(..number).collect()
    }

    /// Takes this one out, where it is there.
    pub(super) fn remove(&mut self, id: TransactionId) -> Option<Entry> {
        if let Some(place) = self.next.iter().position(|entry| entry.id == id) {
            return self.next.remove(place);
        }
        let place = self.blocked.iter().position(|entry| entry.id == id)?;
        Some(self.blocked.remove(place))
    }

    /// Takes out the payments of a card.
    pub(super) fn take_payments(&mut self, card: &Cardnumber) -> Vec<TransactionId> {
        let is_theirs = |entry: &mut Entry| {
            let action = &entry.transaction.action;
            action.amount().is_some() && action.cardnumber() == Some(card)
        };
        let mut all: Vec<Entry> = mem::take(&mut self.next).into();
        all.append(&mut self.blocked);
        let theirs = all.extract_if(.., is_theirs).map(|entry| entry.id).collect();
        self.blocked = all;
        self.arrange();
        theirs
    }

    /// The cards of the payments that are to be sent.
    pub(super) fn payers(&self) -> impl Iterator<Item = &Cardnumber> {
        let entries = self.next.iter().chain(&self.blocked);
        let payments = entries.filter(|entry| entry.transaction.action.amount().is_some());
        payments.filter_map(|entry| entry.transaction.action.cardnumber())
    }

    /// Whether something of it is to be checked in.
    pub(super) fn has_checkins(&self) -> bool {
        self.next.iter().any(|entry| matches!(entry.transaction.action, Action::Return { .. }))
    }

    /// Whether a later transaction of the same item is in doubt.
    pub(super) fn doubts_later(&self, entry: &Entry) -> bool {
        let item = entry.transaction.action.item_key();
        self.in_doubt.iter().any(|(id, other)| self.rank(*id) > self.rank(entry.id) && *other == item)
    }

    /// Whether another transaction of the same item is in doubt that is not one of these.
    pub(super) fn doubts_others(&self, entry: &Entry, but: &HashSet<TransactionId>) -> bool {
        let item = entry.transaction.action.item_key();
        item.is_some() && self.in_doubt.iter().any(|(id, other)| !but.contains(id) && *other == item)
    }

    /// The number of those that may go.
    pub(super) fn len(&self) -> usize {
        self.next.len()
    }

    /// The number of those that wait for one in doubt.
    pub(super) fn waiting(&self) -> usize {
        self.blocked.len().saturating_sub(self.elsewhere)
    }
}
