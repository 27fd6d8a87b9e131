//! Looks up what was scanned: the patron with what she has, the item with who has it and who waits for it.
//!
//! Nothing waits for this. A scan is in the log before it is looked up, and what was found is added to it then. Scans are
//! looked up one after the other: of two copies that come in together, the second is for whoever waits next.

use crate::{
    clock::{self, DeskZone},
    directory::{DiskError, Records},
    popup::{Desk, window::message::Tone},
    wording,
};
use koct_core::{
    Action, Barcode, Entry, Moment,
    desk::{amount::Cents, barcode::same_code},
    directory::{
        aside,
        holder::{self, ChangesSinceDownload, Holder, LoanLine, PatronAtDesk},
        record::{Hold, HoldState, Item, Patron, Set},
        warning::{self, Checkout},
    },
    log::warned::{Warned, Warning},
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;

/// Of so many things without a title, the title is looked for.
const TITLED: usize = 60;

#[derive(Default)]
pub(crate) struct Lookups {
    /// Since when the log tells more of loans than the records.
    loans: RefCell<ChangesSinceDownload>,
    /// The same of what is owed.
    debts: RefCell<ChangesSinceDownload>,
    /// What is to be looked up yet.
    waiting: RefCell<VecDeque<Job>>,
    working: Cell<bool>,
}

struct Job {
    entry: Entry,
    /// When the patron's warnings were confirmed, where that was done before the scan.
    confirmed: Option<Moment>,
}

/// What is known of a patron.
#[derive(Debug, Clone, Default)]
pub(crate) struct PatronFound {
    /// Her cardnumber, or what was typed where she is not known.
    pub(crate) card: String,
    /// With what she owes by now.
    pub(crate) patron: Option<Patron>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) loans: Vec<LoanLine>,
    /// What stands on the hold shelf for her: title or barcode, and where.
    pub(crate) waiting: Vec<(String, String)>,
    /// What she paid here.
    pub(crate) paid: Cents,
}

/// A patron as she stands by now.
struct PatronNow {
    /// With what she owes by now.
    patron: Option<Patron>,
    /// What of her debts she has paid here.
    paid: Cents,
    /// What the log has of her.
    entries: Vec<Entry>,
}

/// What is known of an item that came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReturnFound {
    pub(crate) barcode: String,
    pub(crate) item: Option<Item>,
    /// The name and card of who had it.
    pub(crate) had: Option<String>,
    /// Since when, in words.
    pub(crate) since: Option<String>,
    /// Until when she was to have it, in milliseconds since 1970 in UTC.
    pub(crate) due: Option<i64>,
    /// By how many days it is late; `None` where it is not.
    pub(crate) late: Option<u32>,
    /// Who waits for it, and where it will be picked up.
    pub(crate) hold: Option<(String, String)>,
}

/// What was found of an item before it was scanned, as far as it is known.
struct ItemFound {
    item: Option<Item>,
    holder: Holder,
    holds: Vec<Hold>,
    /// The holds that need no item any more.
    over: BTreeSet<u32>,
    /// The hold for which it was set aside here.
    set_aside: Option<u32>,
}

fn name_and_card(patron: &Patron) -> String {
    wording::joined([&patron.name(), &patron.cardnumber])
}

fn keys<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeSet<String> {
    entries.into_iter().filter_map(|entry| entry.transaction.action.item_key()).collect()
}

impl Desk {
    /// The name of a library, or its code where that is all that is known.
    pub(crate) fn library_name(&self, code: &str) -> String {
        let records = self.records.get();
        let name = records.as_ref().and_then(|records| records.contents().libraries.get(code).cloned());
        name.unwrap_or_else(|| code.to_owned())
    }

    /// Finds out since when the log tells more than the records: after a download, and after a commit.
    pub(crate) async fn reload_since(&self) {
        let Some(records) = self.records.get() else { return };
        let batches = self.store.batches().await.unwrap_or_default();
        let since = |set| ChangesSinceDownload::new(records.contents().sets.get(&set).map(|held| held.as_of), &batches);
        self.lookups.loans.replace(since(Set::Loans));
        self.lookups.debts.replace(since(Set::Patrons));
    }

    fn records_unreadable(&self, error: &DiskError) {
        self.message.show(Tone::Bad, &wording::disk(error));
    }

    /// The entries of each of these items, in order.
    pub(crate) async fn of_items(&self, keys: BTreeSet<String>) -> BTreeMap<String, Vec<Entry>> {
        let entries = self.store.of_items(&keys.into_iter().collect::<Vec<_>>()).await.unwrap_or_default();
        aside::by_item(entries)
    }

    /// The cardnumber of whoever has this as a user name. `None` where it is a cardnumber, or nobody is known.
    pub(crate) async fn card_of_user(&self, typed: &str) -> Option<String> {
        let found = self.records.get()?.patron_by_code(typed).await.ok()??;
        let is_card = same_code(&found.cardnumber, typed);
        (!is_card && !found.cardnumber.is_empty()).then_some(found.cardnumber)
    }

    /// What is known of the patron with this card or user name. `None` where there are no records.
    pub(crate) async fn find_patron(&self, typed: &str) -> Option<PatronFound> {
        let records = self.records.get()?;
        match self.patron_found(&records, typed).await {
            Ok(found) => Some(found),
            Err(error) => {
                self.records_unreadable(&error);
                None
            }
        }
    }

    fn warnings_of(&self, records: &Records, patron: Option<&Patron>) -> Vec<Warning> {
        let Some(now) = clock::now() else { return Vec::new() };
        let limit = self.preferences.borrow().records.debt_limit().ok().flatten();
        warning::of_patron(patron, records.has(Set::Patrons), now.local().date(), limit)
    }

    /// The patron with this card or user name, as she stands by now.
    async fn patron_now(&self, records: &Records, typed: &str) -> Result<PatronNow, DiskError> {
        let mut patron = records.patron_by_code(typed).await?;
        let codes = PatronAtDesk { code: typed, patron: patron.as_ref(), knows_patrons: true }.codes();
        let entries = self.store.of_cards(&codes.into_iter().collect::<Vec<_>>()).await.unwrap_or_default();
        let mut paid = 0;
        if let Some(owes) = patron.as_mut().and_then(|patron| patron.owes.as_mut()) {
            paid = holder::paid(&entries, &self.lookups.debts.borrow());
            *owes = owes.saturating_sub(paid);
        }
        Ok(PatronNow { patron, paid, entries })
    }

    async fn patron_found(&self, records: &Records, typed: &str) -> Result<PatronFound, DiskError> {
        let typed = typed.trim();
        let PatronNow { patron, paid, entries } = self.patron_now(records, typed).await?;
        let card = patron.as_ref().map(|patron| patron.cardnumber.clone()).filter(|card| !card.is_empty());
        let card = card.unwrap_or_else(|| typed.to_owned());
        let warnings = self.warnings_of(records, patron.as_ref());
        let (mut downloaded, mut waiting) = (Vec::new(), Vec::new());
        if let Some(patron) = &patron {
            for loan in records.loans_of(patron.id).await? {
                let item = match loan.item {
                    Some(item) => records.item(item).await?,
                    None => None,
                };
                downloaded.push(LoanLine::downloaded(&loan, item.as_ref()));
            }
            waiting = self.waiting_for(records, patron).await?;
        }
        let visitor = PatronAtDesk { code: typed, patron: patron.as_ref(), knows_patrons: records.has(Set::Patrons) };
        let mut loans = self.loans_now(downloaded, &entries, &visitor).await;
        for loan in loans.iter_mut().filter(|loan| loan.title.is_empty() && !loan.barcode.is_empty()).take(TITLED) {
            loan.title = records.item_by_barcode(&loan.barcode).await?.map(|item| item.title).unwrap_or_default();
        }
        Ok(PatronFound { card, patron, warnings, loans, waiting, paid })
    }

    /// What waits for a patron: in Koha, or set aside here, unless somebody has taken it since.
    async fn waiting_for(&self, records: &Records, patron: &Patron) -> Result<Vec<(String, String)>, DiskError> {
        let holds = records.holds_of(patron.id).await?;
        let ids: Vec<u32> = holds.iter().map(|hold| hold.id).collect();
        let here = self.store.of_holds(&ids).await.unwrap_or_default();
        let mut waiting = Vec::new();
        for hold in holds {
            let of_hold = |entry: &&Entry| entry.set_aside().is_some_and(|(number, _)| number == hold.id);
            let of_hold = here.iter().filter(of_hold).filter_map(|entry| entry.transaction.action.barcode());
            let mut barcodes: Vec<String> = of_hold.map(ToString::to_string).collect();
            if let Some(item) = hold.item.filter(|_| hold.state == HoldState::Waiting) {
                barcodes.extend(records.item(item).await?.map(|item| item.barcode));
            }
            let keys = barcodes.iter().filter_map(|barcode| Some(Barcode::parse(barcode).ok()?.item_key()));
            let of_items = self.of_items(keys.collect()).await;
            let waits = |barcode: &&String| {
                let key = Barcode::parse(barcode).map(|barcode| barcode.item_key()).unwrap_or_default();
                let entries = of_items.get(&key).map(Vec::as_slice).unwrap_or_default();
                aside::waits(&hold, entries, &self.lookups.loans.borrow())
            };
            let found = barcodes.iter().find(waits);
            let is_waiting = found.is_some() || (hold.state == HoldState::Waiting && barcodes.is_empty());
            if is_waiting {
                let item = match found {
                    Some(barcode) => records.item_by_barcode(barcode).await?,
                    None => None,
                };
                let title = item.map(|item| item.title).filter(|title| !title.is_empty());
                waiting.push((title.or_else(|| found.cloned()).unwrap_or_default(), hold.pickup));
            }
        }
        Ok(waiting)
    }

    /// What was downloaded, with what the log holds over it.
    async fn loans_now(
        &self,
        downloaded: Vec<LoanLine>,
        of_card: &[Entry],
        visitor: &PatronAtDesk<'_>,
    ) -> Vec<LoanLine> {
        let mut keys = keys(of_card);
        keys.extend(downloaded.iter().filter_map(|loan| Some(Barcode::parse(&loan.barcode).ok()?.item_key())));
        let by_item = self.of_items(keys).await;
        holder::loans(downloaded, &by_item, &self.lookups.loans.borrow(), visitor)
    }

    async fn item_found(&self, records: &Records, entry: &Entry, barcode: &Barcode) -> Result<ItemFound, DiskError> {
        let item = records.item_by_barcode(barcode.as_str()).await?;
        let (loan, holds) = match &item {
            Some(item) => (records.loan_of(item.id).await?, records.holds_on(item.biblio).await?),
            None => (None, Vec::new()),
        };
        let key = barcode.item_key();
        let before =
            holder::before(self.store.of_items(std::slice::from_ref(&key)).await.unwrap_or_default(), entry.id);
        let ids: Vec<u32> = holds.iter().map(|hold| hold.id).collect();
        let mut others = keys(&self.store.of_holds(&ids).await.unwrap_or_default());
        others.remove(&key);
        let others = self.of_items(others).await;
        let mut patrons = BTreeMap::new();
        if aside::must_know_patrons(&before, &others) {
            for hold in &holds {
                patrons.extend(records.patron(hold.patron).await?.map(|patron| (patron.id, patron)));
            }
        }
        let is = |hold: &Hold, code: &str| patrons.get(&hold.patron).is_some_and(|patron| patron.goes_by(code));
        let since = self.lookups.loans.borrow();
        Ok(ItemFound {
            holder: Holder::after(loan, &before, &since),
            over: aside::over(&holds, &before, &others, &since, is),
            set_aside: aside::hold_of(&before),
            item,
            holds,
        })
    }

    /// Looks up what was just recorded, and warns where there is something to be warned of. Never waits.
    pub(crate) fn look_up(self: &Rc<Self>, entry: Entry) {
        if self.records.get().is_none() {
            return;
        }
        let confirmed = entry.transaction.action.cardnumber().and_then(|card| self.patron.confirmed_for(card.as_str()));
        self.lookups.waiting.borrow_mut().push_back(Job { entry, confirmed });
        if !self.lookups.working.replace(true) {
            spawn_local(self.clone().look_up_waiting());
        }
    }

    async fn look_up_waiting(self: Rc<Self>) {
        loop {
            // Not in the head of a `while let`: the queue must not stay borrowed over the await.
            let next = self.lookups.waiting.borrow_mut().pop_front();
            let Some(job) = next else { break };
            let Some(records) = self.records.get() else { continue };
            let looked = match &job.entry.transaction.action {
                Action::Issue { .. } => self.look_up_checkout(&records, &job).await,
                Action::Return { .. } => self.look_up_checkin(&records, &job.entry).await,
                Action::Payment { .. } => Ok(()),
            };
            self.patron.refresh_soon(&self);
            if let Err(error) = looked {
                self.records_unreadable(&error);
            }
        }
        self.lookups.working.set(false);
    }

    async fn look_up_checkout(self: &Rc<Self>, records: &Records, job: &Job) -> Result<(), DiskError> {
        let entry = &job.entry;
        let Action::Issue { cardnumber, barcode } = &entry.transaction.action else { return Ok(()) };
        let patron = self.patron_now(records, cardnumber.as_str()).await?.patron;
        let found = self.item_found(records, entry, barcode).await?;
        let knows_patrons = records.has(Set::Patrons);
        let of_item = warning::of_checkout(&Checkout {
            item: found.item.as_ref(),
            knows_items: records.has(Set::Items),
            visitor: PatronAtDesk { code: cardnumber.as_str(), patron: patron.as_ref(), knows_patrons },
            holder: &found.holder,
            holds: &found.holds,
            over: &found.over,
            set_aside: found.set_aside,
        });
        let mut said = Vec::new();
        for warning in &of_item {
            said.push(self.words_for_checkout(records, warning, &found).await?);
        }
        let of_patron = self.warnings_of(records, patron.as_ref());
        let confirmed = job.confirmed.or_else(|| self.patron.confirmed_for(cardnumber.as_str()));
        let warned: Vec<Warned> = of_patron
            .into_iter()
            .map(|warning| Warned { warning, confirmed })
            .chain(of_item.into_iter().map(|warning| Warned { warning, confirmed: None }))
            .collect();
        self.warn(entry, &warned, &said).await;
        Ok(())
    }

    async fn words_for_checkout(
        &self,
        records: &Records,
        warning: &Warning,
        found: &ItemFound,
    ) -> Result<String, DiskError> {
        let who = match (warning, &found.holder) {
            (Warning::OnLoan, Holder::AsDownloaded(Some(loan))) => records.patron(loan.patron).await?,
            (Warning::OnLoan, Holder::CheckedOut { card, .. }) => {
                let known = records.patron_by_code(card.as_str()).await?;
                Some(known.unwrap_or(Patron { cardnumber: card.to_string(), ..Patron::default() }))
            }
            (Warning::Waiting | Warning::InTransit, _) => {
                let item = found.item.as_ref().map(|item| item.id);
                let is_aside = |hold: &&Hold| found.set_aside == Some(hold.id);
                let has_it = |hold: &&Hold| hold.item == item && hold.state != HoldState::Placed;
                match found.holds.iter().find(is_aside).or_else(|| found.holds.iter().find(has_it)) {
                    Some(hold) => records.patron(hold.patron).await?,
                    None => None,
                }
            }
            _ => None,
        };
        let who = who.as_ref().map(name_and_card).unwrap_or_default();
        Ok(wording::warning(warning, &who, &|code| self.library_name(code)))
    }

    async fn look_up_checkin(self: &Rc<Self>, records: &Records, entry: &Entry) -> Result<(), DiskError> {
        let Action::Return { barcode } = &entry.transaction.action else { return Ok(()) };
        let found = self.item_found(records, entry, barcode).await?;
        let hold = found.item.as_ref().and_then(|item| warning::hold_for(item, &found.holds, &found.over));
        let mut shown =
            ReturnFound { barcode: barcode.to_string(), item: found.item.clone(), ..ReturnFound::default() };
        match &found.holder {
            Holder::AsDownloaded(Some(loan)) => {
                shown.had = records.patron(loan.patron).await?.as_ref().map(name_and_card);
                shown.since = loan.since.map(|since| wording::millis(since.timestamp_millis()));
                shown.due = loan.due.map(|due| due.timestamp_millis());
                shown.late = holder::overdue(loan.due, entry.transaction.moment, &DeskZone);
            }
            Holder::CheckedOut { card, at } => {
                let known = records.patron_by_code(card.as_str()).await?;
                shown.had = Some(known.as_ref().map_or_else(|| card.to_string(), name_and_card));
                shown.since = Some(wording::millis(at.utc_millis()));
            }
            Holder::AsDownloaded(None) | Holder::CheckedIn | Holder::Nobody => {}
        }
        let waits = match hold {
            Some(hold) => records.patron(hold.patron).await?.as_ref().map(name_and_card),
            None => None,
        };
        let warnings = warning::of_checkin(found.item.as_ref(), records.has(Set::Items), hold);
        let who = waits.unwrap_or_default();
        let said: Vec<String> =
            warnings.iter().map(|warning| wording::warning(warning, &who, &|code| self.library_name(code))).collect();
        shown.hold = hold.map(|hold| (who, self.library_name(&hold.pickup)));
        self.returned.show(entry.id, &shown);
        let warned: Vec<Warned> = warnings.into_iter().map(|warning| Warned { warning, confirmed: None }).collect();
        self.warn(entry, &warned, &said).await;
        Ok(())
    }
}
