//! What Koha tells after commits, as it is kept with their records.

use crate::{
    desk::transaction::TransactionId,
    log::{
        Entry,
        audited::Oddity,
        commit::Batch,
        fresh::{Fresh, HoldNow, Part},
        warned::{Warned, Warning},
    },
};
use std::collections::HashMap;

/// What the records of commits say of their transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    of_entries: HashMap<TransactionId, OfEntry>,
    silent: Vec<Part>,
}

/// What is told of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfEntry {
    odd: Vec<Oddity>,
    fresh: Option<Fresh>,
}

impl Told {
    /// What these commits say, the newest first. Where one was at another server than this, Koha's numbers lead nowhere here.
    pub fn by(commits: &[Batch], server: &str) -> Self {
        let mut told = Self::default();
        let audits = || commits.iter().filter_map(|batch| batch.audit.as_ref());
        for odd in audits().flat_map(|audit| &audit.odd) {
            let of_this = &mut told.of_entries.entry(odd.id).or_default().odd;
            if !of_this.contains(&odd.oddity) {
                of_this.push(odd.oddity.clone());
            }
        }
        for batch in commits {
            let is_here = batch.server == server;
            for fresh in batch.audit.iter().flat_map(|audit| &audit.fresh) {
                let here = || if is_here { fresh.clone() } else { fresh.clone().without_numbers() };
                // What was asked last holds.
                told.of_entries.entry(fresh.id).or_default().fresh.get_or_insert_with(here);
            }
        }
        told.silent = audits().next().map(|audit| audit.silent.clone()).unwrap_or_default();
        told
    }

    /// Whether something is told of it.
    pub(super) fn knows(&self, id: TransactionId) -> bool {
        self.of_entries.contains_key(&id)
    }

    /// What is odd about it.
    pub(super) fn odd(&self, id: TransactionId) -> Option<&[Oddity]> {
        self.of_entries.get(&id).map(|told| told.odd.as_slice()).filter(|odd| !odd.is_empty())
    }

    /// What Koha tells of it.
    pub fn fresh(&self, id: TransactionId) -> Option<&Fresh> {
        self.of_entries.get(&id)?.fresh.as_ref()
    }

    /// Those of which something is told, in no order.
    pub fn ids(&self) -> impl Iterator<Item = TransactionId> {
        self.of_entries.keys().copied()
    }

    /// What Koha did not tell the account when it was asked last.
    pub fn silent(&self) -> &[Part] {
        &self.silent
    }

    /// Those for which somebody waits by Koha's list.
    pub fn waited_for(&self) -> Vec<TransactionId> {
        let waits = |fresh: &&Fresh| matches!(fresh.hold, Some(HoldNow::Waits { .. }));
        let fresh = self.of_entries.values().filter_map(|told| told.fresh.as_ref());
        TransactionId::in_order(fresh.filter(waits).map(|fresh| fresh.id))
    }

    /// With the hold that Koha tells of, as if a person had been warned of it when it came back.
    #[must_use]
    pub fn with_hold(&self, entry: Entry) -> Entry {
        let Some(HoldNow::Waits { hold, pickup, .. }) = self.fresh(entry.id).and_then(|fresh| fresh.hold.as_ref())
        else {
            return entry;
        };
        let is_other = |warned: &Warned| !matches!(warned.warning, Warning::Hold { .. });
        let kept: Vec<Warned> = entry.warnings.iter().filter(|warned| is_other(warned)).cloned().collect();
        let warning = Warning::Hold { hold: *hold, pickup: pickup.clone() };
        Entry { warnings: kept, ..entry }.warned(&[Warned { warning, confirmed: None, as_of: None }])
    }
}
