//! A model of a desk: its disk, its clock, the person there, and the outbox that runs on it.

use crate::{
    dice::Dice,
    koha::{ITEMS, Key, Koha, PATRONS, key},
    mutants::Mutant,
};
use koct_core::{
    Action, Amount, Barcode, Cardnumber, CommitType, Entry, Moment, ServerUrl, Settings, State, Status, Transaction,
    TransactionId,
    desk::clock::DeskTime,
    koha::{
        Request,
        service::{self, Access},
    },
    log::{self, audited::Odd, commit::Batch, status::Decision},
    outbox::{Input, Outbox, Output, SETTLED_AFTER, Ticket, summary::Summary},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a person has decided about one transaction.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Decided {
    /// "Send it again", though Koha had it, or was about to.
    pub(crate) wrongly_again: u32,
    /// "It is in Koha", though it was not.
    pub(crate) wrongly_there: bool,
    pub(crate) any: bool,
}

pub(crate) struct Desk {
    settings: Settings,
    /// How wrong the clock is, in milliseconds.
    skew: i64,
    /// What survives a crash.
    pub(crate) disk: BTreeMap<TransactionId, Entry>,
    /// What the person saw confirmed.
    pub(crate) confirmed: BTreeMap<TransactionId, (Transaction, Key)>,
    /// What was recorded here, as Koha sees it.
    pub(crate) ids: HashMap<Key, TransactionId>,
    pub(crate) decided: BTreeMap<TransactionId, Decided>,
    /// What each commit that was not read back was to apply, or applied. It survives a crash, too.
    unaudited: Vec<Vec<TransactionId>>,
    /// What the person was told of: each is not as it should be in Koha.
    pub(crate) told: Vec<Odd>,
    /// Of these it was said that they could not be read back.
    pub(crate) unread: HashSet<TransactionId>,
    /// What was queued by commits at whose end the queue was looked at. What was queued before a crash no look tells apart.
    pub(crate) queue_seen: HashSet<TransactionId>,
    outbox: Option<Outbox>,
    under_way: Vec<(Ticket, Request)>,
    waits: Vec<Ticket>,
    mutant: Mutant,
    /// A mutant's statuses that it has not stored yet.
    unstored: Vec<(TransactionId, Status)>,
    /// The computer died in the middle of something, and has not been started again.
    is_dead: bool,
    pub(crate) steps: u32,
    /// Whether the disk is full, or the computer dies, now and then.
    pub(crate) ails: bool,
}

impl Desk {
    pub(crate) fn new(number: usize, dice: &mut Dice, mutant: Mutant) -> Self {
        let server = ServerUrl::parse("https://koha.example.org").unwrap();
        let settings = Settings {
            commit_type: dice.pick(&[CommitType::Send, CommitType::Apply]),
            ..Settings::at(server, &format!("desk{number}"), "letmein", "CPL")
        };
        Self {
            settings,
            skew: dice.millis(7_200_000) - 3_600_000,
            disk: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            ids: HashMap::new(),
            decided: BTreeMap::new(),
            unaudited: Vec::new(),
            told: Vec::new(),
            unread: HashSet::new(),
            queue_seen: HashSet::new(),
            outbox: None,
            under_way: Vec::new(),
            waits: Vec::new(),
            mutant,
            unstored: Vec::new(),
            is_dead: false,
            steps: 0,
            ails: true,
        }
    }

    /// What Koha sees of a transaction.
    fn key(&self, transaction: &Transaction) -> Key {
        key(&service::commit(
            &self.settings,
            &Access::Account { anonymous: None },
            transaction,
            &self.settings.branchcode,
        ))
    }

    fn now(&self, koha: &Koha) -> Moment {
        Moment::new(self.time(koha).millis(), 60).unwrap()
    }

    /// The time of the outbox's reports.
    fn time(&self, koha: &Koha) -> DeskTime {
        DeskTime::from_millis(koha.now + self.skew)
    }

    /// The person scans something. Sometimes the disk is full, and nothing is confirmed.
    pub(crate) fn scan(&mut self, koha: &Koha, dice: &mut Dice) {
        let number = u32::try_from(self.disk.len()).unwrap() + 1;
        let barcode = Barcode::parse(if dice.percent(5) { "unknown" } else { ITEMS[dice.below(ITEMS.len())] }).unwrap();
        let cardnumber = Cardnumber::parse(PATRONS[dice.below(PATRONS.len())]).unwrap();
        let action = match dice.below(10) {
            0 => Action::Payment { cardnumber, amount: Amount::parse("1.50").unwrap() },
            1..=6 => Action::Issue { cardnumber, barcode },
            _ => Action::Return { barcode },
        };
        let last = self.disk.values().rev().find(|entry| entry.transaction.action.item_key() == action.item_key());
        let mut transaction = log::record(action, self.now(koha), last.map(|entry| entry.transaction.moment));
        // Two payments of one second look the same to this model, which must count each.
        while self.ids.contains_key(&self.key(&transaction)) {
            transaction.moment = Moment::new(transaction.moment.utc_millis() + 1000, 60).unwrap();
        }
        if dice.percent(3) {
            return;
        }
        let id = TransactionId(number);
        self.disk.insert(id, Entry::recorded(id, transaction.clone()));
        let key = self.key(&transaction);
        self.ids.insert(key.clone(), id);
        self.confirmed.insert(id, (transaction, key));
    }

    /// Somebody sets the clock.
    pub(crate) fn set_clock(&mut self, dice: &mut Dice) {
        self.skew = dice.millis(14_400_000) - 7_200_000;
    }

    pub(crate) fn change_commit_type(&mut self, dice: &mut Dice) {
        if self.outbox.is_none() {
            self.settings.commit_type = dice.pick(&[CommitType::Send, CommitType::Apply]);
        }
    }

    /// Its library wants Koha's own check-in.
    pub(crate) fn wants_own_checkin(&mut self) {
        self.settings.koha_checkin = true;
    }

    pub(crate) fn is_committing(&self) -> bool {
        self.outbox.is_some()
    }

    /// Whether nothing runs and something is in doubt.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.outbox.is_none() && self.disk.values().any(|entry| entry.status.state() == State::InDoubt)
    }

    pub(crate) fn commit(&mut self) {
        if self.outbox.is_none() {
            let uncommitted = self.disk.values().filter(|entry| !entry.status.state().is_committed());
            let uncommitted: Vec<_> = uncommitted.map(|entry| self.as_it_is_taken(entry)).collect();
            let earlier: Vec<_> = self.unaudited.iter().flatten().filter_map(|id| self.disk.get(id)).cloned().collect();
            let batch = Batch::begin(&self.settings, Moment::new(0, 0).unwrap(), &uncommitted.clone().into());
            self.unaudited.push(batch.transactions);
            let added = self.disk.values().filter(|entry| entry.status == Status::Added).cloned().collect::<Vec<_>>();
            let outbox = Outbox::new(self.settings.clone(), uncommitted.into());
            self.outbox = Some(outbox.auditing_too(earlier).knowing_queued(added));
        }
    }

    /// An entry as a commit reads it.
    fn as_it_is_taken(&self, entry: &Entry) -> Entry {
        let mut entry = entry.clone();
        if let Status::InDoubt { attempt, .. } = &mut entry.status {
            match self.mutant {
                Mutant::TakesKohaForPlugin => attempt.plugin = Some(self.settings.branchcode.clone()),
                Mutant::AsksPluginAtOnce if attempt.plugin.is_some() => {
                    attempt.over = attempt.over.map(|over| over.minus(SETTLED_AFTER));
                }
                _ => {}
            }
        }
        entry
    }

    /// KOCT, or the computer, ends without warning. What was under way may arrive all the same.
    pub(crate) fn crash(&mut self, koha: &mut Koha, dice: &mut Dice) {
        self.outbox = None;
        self.is_dead = false;
        self.waits.clear();
        self.unstored.clear();
        for (_, request) in std::mem::take(&mut self.under_way) {
            if dice.percent(50) {
                let _ = koha.answer(&request, dice);
            }
        }
        self.recover(koha);
    }

    /// What is found in Sending while nothing is being sent was interrupted.
    fn recover(&mut self, koha: &Koha) {
        let now = self.time(koha);
        for entry in self.disk.values_mut() {
            let status = entry.status.clone();
            entry.status = if self.mutant == Mutant::ForgetsAtRestart && status.state() == State::Sending {
                Status::Local
            } else {
                status.after_restart(Some(now))
            };
        }
    }

    pub(crate) fn cancel(&mut self, koha: &Koha) {
        let now = self.time(koha);
        if let Some(outbox) = &mut self.outbox {
            outbox.handle(Input::Cancel, now);
        }
    }

    /// One step of the commit that runs: an output is done, or an answer arrives.
    pub(crate) fn step(&mut self, koha: &mut Koha, dice: &mut Dice) {
        self.steps += 1;
        let now = self.time(koha);
        let Some(outbox) = &mut self.outbox else { return };
        let answer_first = !self.under_way.is_empty() && dice.percent(40);
        match if answer_first { None } else { outbox.poll() } {
            Some(Output::Persist(statuses)) => self.persist(statuses, now, dice),
            Some(Output::Request(ticket, request)) => {
                if self.mutant == Mutant::SendsTwice && dice.percent(10) {
                    let _ = koha.answer(&request, dice);
                }
                self.under_way.push((ticket, request));
            }
            Some(Output::Wait(ticket, _)) => self.waits.push(ticket),
            Some(Output::LogIn(..) | Output::Person(_) | Output::Elsewhere(..)) => unreachable!("it is an account's"),
            Some(Output::Finished(summary)) => {
                self.outbox = None;
                self.hear(&summary);
                // What only read may still be under way.
                self.under_way.clear();
                self.waits.clear();
                self.store_the_rest();
                self.recover(koha);
            }
            None if !self.under_way.is_empty() => {
                let place = dice.below(self.under_way.len());
                let (ticket, request) = self.under_way.remove(place);
                // The computer may sleep before the request leaves, and before the answer is heard.
                let given_out = now;
                koha.sleep(&request, dice);
                let mut answer = koha.answer(&request, dice);
                koha.sleep(&request, dice);
                let now = if self.mutant == Mutant::DatesTooEarly {
                    given_out
                } else {
                    DeskTime::from_millis(koha.now + self.skew)
                };
                if self.mutant == Mutant::TakesLossForNo && answer.is_err() {
                    answer = Err(koct_core::koha::Failure::NotSent(koct_core::koha::NotSent::Insecure));
                }
                outbox.handle(Input::Answer(ticket, answer), now);
            }
            None => {
                if let Some(ticket) = self.waits.pop() {
                    outbox.handle(Input::Waited(ticket), now);
                }
            }
        }
    }

    /// As the store does: all or nothing, and what is committed never changes.
    fn persist(&mut self, statuses: Vec<(TransactionId, Status)>, now: DeskTime, dice: &mut Dice) {
        let Some(outbox) = &mut self.outbox else { return };
        let refused = statuses.iter().any(|(id, _)| self.disk[id].status.state().is_committed());
        if refused {
            return outbox.handle(Input::Changed, now);
        }
        if self.ails && dice.percent(2) {
            return outbox.handle(Input::NotPersisted, now);
        }
        if self.mutant == Mutant::PersistsLater {
            // It says that they are durable, and stores them one round later.
            self.store_the_rest();
            self.unstored = statuses;
        } else {
            for (id, status) in statuses {
                let entry = Entry { status, ..self.disk[&id].clone() };
                self.disk.insert(id, outbox.as_answered(entry));
            }
        }
        if self.ails && dice.percent(2) {
            // Durable, but the computer dies before anybody hears of it.
            self.is_dead = true;
        } else if let Some(outbox) = &mut self.outbox {
            outbox.handle(Input::Persisted, now);
        }
    }

    /// What a commit tells at its end.
    fn hear(&mut self, summary: &Summary) {
        if !summary.is_audited {
            if let Some(last) = self.unaudited.last_mut() {
                last.clone_from(&summary.settled);
            }
            return;
        }
        let of_it = std::mem::take(&mut self.unaudited).into_iter().flatten().chain(summary.settled.iter().copied());
        self.queue_seen.extend(&summary.settled);
        if summary.audited.unread > 0 {
            self.unread.extend(of_it);
        }
        if self.mutant != Mutant::TellsOfNoDoubles {
            self.told.extend(summary.audited.odd.iter().cloned());
        }
    }

    fn store_the_rest(&mut self) {
        for (id, status) in std::mem::take(&mut self.unstored) {
            self.disk.get_mut(&id).unwrap().status = status;
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// The person looks into Koha, mostly with care, and decides.
    pub(crate) fn decide(&mut self, koha: &Koha, dice: &mut Dice) {
        if self.outbox.is_some() {
            return;
        }
        let open = |entry: &&Entry| matches!(entry.status.state(), State::InDoubt | State::Rejected);
        let ids: Vec<_> = self.disk.values().filter(open).map(|entry| entry.id).collect();
        if ids.is_empty() {
            return;
        }
        let id = dice.pick(&ids);
        let key = &self.confirmed[&id].1;
        // Whoever decides while the server is still at it can only guess.
        let is_under_way = koha.is_under_way(key);
        let is_there = koha.effects.contains_key(key);
        let looks = dice.percent(85);
        let decision = if is_there == looks { Decision::IsInKoha } else { Decision::SendAgain };
        if let Some(status) = self.disk[&id].status.decided(decision) {
            let decided = self.decided.entry(id).or_default();
            decided.any = true;
            decided.wrongly_again += u32::from(decision == Decision::SendAgain && (is_there || is_under_way));
            decided.wrongly_there |= decision == Decision::IsInKoha && !is_there;
            self.disk.get_mut(&id).unwrap().status = status;
        }
    }
}
