//! Reads what is to be sent, and looks through it at the times that the shifts tried so far give.
//!
//! That of a long log takes a while: it is done in slices, and only what was asked for last is shown.

use super::ReviewPanel;
use crate::{clock, latest::Latest, ready, slices, store::StoreError, wording};
use koct_core::{
    Entry, State, Transaction, TransactionId,
    desk::drift::Wrong,
    desks::{
        conflict,
        shift::{Move, Plan, Shifts},
    },
    log::order::{self, Ordered},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
};

/// More transactions than this take a while.
const LONG: u32 = 20_000;

/// What is being looked at.
#[derive(Default)]
pub(crate) struct Looking {
    /// None while it is being read or looked through.
    pub(crate) looked_at: RefCell<Option<LookedAt>>,
    /// How far the times of each desk are moved here, and nowhere else yet.
    pub(crate) shifts: RefCell<Shifts>,
    /// What was shown of them last: this is stored, and nothing else.
    pub(crate) shown: RefCell<(Shifts, Plan)>,
    /// Counts what was asked.
    asked: Latest,
    /// Whether a commit waits for it.
    pub(crate) before_commit: Cell<bool>,
}

/// What was looked through.
#[derive(Default)]
pub(crate) struct LookedAt {
    /// What is to be sent or may have been, at the times that the shifts give.
    pub(crate) entries: Ordered,
    pub(crate) committed: Vec<Entry>,
    /// What Koha refused, at its stored times: it is moved as well, so that it is right when it is sent again.
    pub(crate) refused: Vec<Entry>,
    pub(crate) shifts: Shifts,
    pub(crate) plan: Plan,
    pub(crate) review: conflict::Review,
    /// When this computer's clock was found wrong beside Koha's.
    pub(crate) wrong: Option<Wrong>,
}

/// What a look before a commit came to.
pub(crate) enum Looked {
    /// Nothing stands out in these.
    Clear(Ordered),
    /// A person should see it first.
    StandsOut,
    /// It is not asked for any more.
    Stopped,
}

impl LookedAt {
    /// Moves the times of the desks to where these shifts put them.
    async fn move_to(&mut self, shifts: Shifts) {
        if self.shifts == shifts {
            return;
        }
        self.shifts = shifts;
        let mut entries = std::mem::take(&mut self.entries).into_entries();
        self.plan.take_off(&mut entries);
        self.plan = self.shifts.plan(entries.iter().chain(&self.refused));
        self.plan.try_on(&mut entries);
        self.entries = slices::through(order::sorting(entries)).await;
    }

    /// One of those that may be moved, at the time at which it is looked at.
    pub(super) fn find(&self, id: TransactionId) -> Option<&Entry> {
        self.entries.iter().chain(&self.refused).find(|entry| entry.id == id)
    }

    /// What is moved, in one line, with its time as it is stored.
    pub(super) fn words(&self, moving: &Move) -> String {
        let found = self.find(moving.id).map(|entry| entry.transaction.action.clone());
        found.map_or_else(String::new, |action| wording::transaction(&Transaction { moment: moving.from, action }))
    }

    pub(crate) fn to_send(&self) -> usize {
        self.entries.iter().filter(|entry| entry.status.state().is_to_send()).count()
    }

    /// Whether a person should see it before it is committed.
    fn stands_out(&self) -> bool {
        self.review.stands_out()
    }
}

impl Looking {
    /// Lets go of it, whether it is there or still being looked through.
    pub(crate) fn stop(&self) {
        self.asked.give_up();
        *self.looked_at.borrow_mut() = None;
    }

    /// What the look came to that was just made, at no shift.
    pub(crate) fn looked(&self) -> Looked {
        match self.looked_at.take() {
            None => Looked::Stopped,
            Some(looked_at) if !looked_at.stands_out() => Looked::Clear(looked_at.entries),
            Some(looked_at) => {
                *self.looked_at.borrow_mut() = Some(looked_at);
                Looked::StandsOut
            }
        }
    }

    /// Looks through it, at the shifts that are tried by the end. Returns whether it is still asked for.
    async fn through(&self, mut looked_at: LookedAt) -> bool {
        let asked = self.asked.last();
        loop {
            let shifts = self.shifts.borrow().clone();
            looked_at.move_to(shifts).await;
            let work = conflict::reviewing(&looked_at.entries, &looked_at.committed, clock::time());
            let is_asked = || self.asked.is(asked);
            let is_wanted = || is_asked() && *self.shifts.borrow() == looked_at.shifts;
            let review = slices::while_wanted(work, is_wanted).await;
            if !is_asked() {
                return false;
            }
            if let Some(review) = review {
                looked_at.review = review;
                *self.looked_at.borrow_mut() = Some(looked_at);
                return true;
            }
        }
    }
}

impl ReviewPanel {
    /// Whether looking through takes long enough that a person should see that it is being done.
    pub(in super::super) fn is_long(&self) -> bool {
        self.desk.counts.get().uncommitted() > LONG
    }

    /// Reads what is to be sent, and looks through it. Returns whether it is still asked for.
    pub(crate) async fn look_at_order(&self) -> Result<bool, StoreError> {
        let looking = &self.looking;
        looking.stop();
        let asked = looking.asked.last();
        let entries = self.desk.store.in_states(&State::TO_COMMIT).await?;
        if !looking.asked.is(asked) {
            return Ok(false);
        }
        self.look_through(entries).await
    }

    /// Looks through this. Returns whether it is still asked for.
    pub(super) async fn look_through(&self, entries: Ordered) -> Result<bool, StoreError> {
        let looking = &self.looking;
        looking.stop();
        let asked = looking.asked.last();
        let counts = self.desk.counts.get();
        let nothing_committed = counts.committed() == 0;
        let items = if nothing_committed { HashSet::new() } else { slices::through(conflict::items(&entries)).await };
        let committed = self.desk.store.latest_committed(&items).await?;
        let refused = self.desk.store.in_states_by_number(&[State::Rejected]).await?;
        if !looking.asked.is(asked) {
            return Ok(false);
        }
        let wrong = ready::wrong_clock().await;
        Ok(looking.through(LookedAt { entries, committed, refused, wrong, ..LookedAt::default() }).await)
    }

    /// Looks through it again, since a shift was tried. Returns whether that is there to be shown.
    pub(crate) async fn look_at_shifts(self: &Rc<Self>) -> bool {
        // Where it is not there, whoever looks through it sees the new shift.
        let looked_at = self.looking.looked_at.take();
        let Some(looked_at) = looked_at else { return false };
        self.looking.through(looked_at).await
    }
}
