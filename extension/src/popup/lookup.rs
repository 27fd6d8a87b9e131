//! Looks up what was scanned: the patron with what she has, the item with who has it and who waits for it.
//!
//! Nothing waits for this. A scan is in the log before it is looked up, and what was found is added to it then.

use super::Desk;
use crate::{clock, directory::Records, i18n::text_with, popup::message::Tone, wording};
use koct_core::{
    barcode::{Barcode, same_code},
    directory::{
        holder::{self, Holder, Lent, Since},
        record::{Hold, HoldState, Item, Patron, Set},
        warning::{self, Warned, Warning},
    },
    log::Entry,
    status::State,
    transaction::{Action, Moment},
};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
use wasm_bindgen_futures::spawn_local;

/// Of so many things without a title, the title is looked for.
const TITLED: usize = 60;

/// Since when the log tells more than the records.
#[derive(Default)]
pub(crate) struct Lookups {
    since: RefCell<Since>,
}

/// What is known of a patron.
#[derive(Debug, Clone, Default)]
pub(crate) struct PatronFound {
    /// Her cardnumber, or what was typed where she is not known.
    pub(super) card: String,
    pub(super) patron: Option<Patron>,
    pub(super) warnings: Vec<Warning>,
    pub(super) loans: Vec<Lent>,
    /// What stands on the hold shelf for her: title or barcode, and where.
    pub(super) waiting: Vec<(String, String)>,
}

/// What is known of an item that came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReturnFound {
    pub(super) barcode: String,
    pub(super) item: Option<Item>,
    /// The name and card of who had it.
    pub(super) had: Option<String>,
    /// Until when she was to have it, in milliseconds since 1970 in UTC.
    pub(super) due: Option<i64>,
    /// Who waits for it, and where it will be picked up.
    pub(super) hold: Option<(String, String)>,
}

/// What was found of an item, as far as it is known.
struct ItemFound {
    item: Option<Item>,
    holder: Holder,
    holds: Vec<Hold>,
}

fn name_and_card(patron: &Patron) -> String {
    let parts = [patron.name(), patron.cardnumber.clone()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

impl Desk {
    /// The name of a library, or its code where that is all that is known.
    pub(super) fn library_name(&self, code: &str) -> String {
        let records = self.records.get();
        let name = records.as_ref().and_then(|records| records.contents().libraries.get(code).cloned());
        name.unwrap_or_else(|| code.to_owned())
    }

    /// Finds out since when the log tells more than the records.
    pub(super) async fn reload_since(&self) {
        let Some(records) = self.records.get() else { return };
        // Where no loans were downloaded, everything in the log does.
        let as_of = records.contents().sets.get(&Set::Loans).map_or(0, |held| held.as_of);
        let batches = self.store.batches().await.unwrap_or_default();
        let is_since = |end: &Moment| end.utc_millis() >= as_of;
        let since = batches.into_iter().filter(|batch| batch.end.as_ref().is_none_or(|end| is_since(&end.at)));
        let committed = since.flat_map(|batch| batch.transactions).collect();
        self.lookups.since.replace(Since { as_of, committed });
    }

    fn records_unreadable(&self, error: &crate::directory::DiskError) {
        self.message.show(Tone::Bad, &text_with("recordsFailed", &[&error.to_string()]));
    }

    /// The cardnumber of whoever has this as a user name. `None` where it is a cardnumber, or nobody is known.
    pub(super) async fn card_of_user(&self, typed: &str) -> Option<String> {
        let found = self.records.get()?.patron_by_code(typed).await.ok()??;
        let is_card = same_code(&found.cardnumber, typed);
        (!is_card && !found.cardnumber.is_empty()).then_some(found.cardnumber)
    }

    /// What is known of the patron with this card or user name. `None` where there are no records.
    pub(super) async fn find_patron(&self, typed: &str) -> Option<PatronFound> {
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
        let limit = self.preferences.borrow().lookup.debt_limit().ok().flatten();
        warning::of_patron(patron, records.has(Set::Patrons), now.local().date(), limit)
    }

    async fn patron_found(&self, records: &Records, typed: &str) -> Result<PatronFound, crate::directory::DiskError> {
        let typed = typed.trim();
        let patron = records.patron_by_code(typed).await?;
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
                downloaded.push(Lent::downloaded(&loan, item.as_ref()));
            }
            for hold in records.holds_of(patron.id).await?.into_iter().filter(|hold| hold.state == HoldState::Waiting) {
                let item = match hold.item {
                    Some(item) => records.item(item).await?,
                    None => None,
                };
                let what = item.map(|item| if item.title.is_empty() { item.barcode } else { item.title });
                waiting.push((what.unwrap_or_default(), hold.pickup));
            }
        }
        let mut loans = self.loans_now(downloaded, patron.as_ref(), &card, typed).await;
        for loan in loans.iter_mut().filter(|loan| loan.title.is_empty() && !loan.barcode.is_empty()).take(TITLED) {
            loan.title = records.item_by_barcode(&loan.barcode).await?.map(|item| item.title).unwrap_or_default();
        }
        Ok(PatronFound { card, patron, warnings, loans, waiting })
    }

    /// What was downloaded, with what the log holds over it.
    async fn loans_now(&self, downloaded: Vec<Lent>, patron: Option<&Patron>, card: &str, typed: &str) -> Vec<Lent> {
        let mut spellings = BTreeSet::new();
        for code in [card, typed] {
            spellings.extend([code.to_owned(), code.to_lowercase(), code.to_uppercase()]);
        }
        let of_card = self.store.of_cards(&spellings.into_iter().collect::<Vec<_>>()).await.unwrap_or_default();
        let mut keys: BTreeSet<String> =
            of_card.iter().filter_map(|entry| entry.transaction.action.item_key()).collect();
        keys.extend(downloaded.iter().filter_map(|loan| Some(Barcode::parse(&loan.barcode).ok()?.item_key())));
        let entries = self.store.of_items(&keys.into_iter().collect::<Vec<_>>()).await.unwrap_or_default();
        holder::loans(downloaded, &entries, &self.lookups.since.borrow(), patron, card)
    }

    async fn item_found(
        &self,
        records: &Records,
        entry: &Entry,
        barcode: &Barcode,
    ) -> Result<ItemFound, crate::directory::DiskError> {
        let item = records.item_by_barcode(barcode.as_str()).await?;
        let (loan, holds) = match &item {
            Some(item) => (records.loan_of(item.id).await?, records.holds_on(item.biblio).await?),
            None => (None, Vec::new()),
        };
        let mut before = self.store.of_items(&[barcode.item_key()]).await.unwrap_or_default();
        before.retain(|other| other.id != entry.id);
        let holder = Holder::after(loan, &before, &self.lookups.since.borrow());
        Ok(ItemFound { item, holder, holds })
    }

    /// Looks up what was just recorded, and warns where there is something to be warned of.
    pub(super) fn look_up(self: &Rc<Self>, entry: Entry) {
        let Some(records) = self.records.get() else { return };
        let desk = self.clone();
        spawn_local(async move {
            let looked = match &entry.transaction.action {
                Action::Issue { .. } => desk.look_up_checkout(&records, &entry).await,
                Action::Return { .. } => desk.look_up_checkin(&records, &entry).await,
                Action::Payment { .. } => Ok(()),
            };
            if let Err(error) = looked {
                desk.records_unreadable(&error);
            }
        });
    }

    async fn look_up_checkout(
        self: &Rc<Self>,
        records: &Records,
        entry: &Entry,
    ) -> Result<(), crate::directory::DiskError> {
        let Action::Issue { cardnumber, barcode } = &entry.transaction.action else { return Ok(()) };
        let patron = records.patron_by_code(cardnumber.as_str()).await?;
        let found = self.item_found(records, entry, barcode).await?;
        let of_item = warning::of_checkout(
            found.item.as_ref(),
            records.has(Set::Items),
            &found.holder,
            &found.holds,
            patron.as_ref(),
            cardnumber.as_str(),
        );
        let mut said = Vec::new();
        for warning in &of_item {
            said.push(self.words_for_checkout(records, warning, &found).await?);
        }
        let of_patron = self.warnings_of(records, patron.as_ref());
        let confirmed = self.patron.confirmed_for(cardnumber.as_str());
        let warned: Vec<Warned> = of_patron
            .into_iter()
            .map(|warning| Warned { warning, confirmed })
            .chain(of_item.into_iter().map(|warning| Warned { warning, confirmed: None }))
            .collect();
        self.patron.refresh_soon(self);
        self.warn(entry, &warned, &said).await;
        Ok(())
    }

    async fn words_for_checkout(
        &self,
        records: &Records,
        warning: &Warning,
        found: &ItemFound,
    ) -> Result<String, crate::directory::DiskError> {
        let who = match (warning, &found.holder) {
            (Warning::OnLoan, Holder::AsDownloaded(Some(loan))) => records.patron(loan.patron).await?,
            (Warning::OnLoan, Holder::CheckedOut(card)) => {
                let known = records.patron_by_code(card.as_str()).await?;
                Some(known.unwrap_or(Patron { cardnumber: card.to_string(), ..Patron::default() }))
            }
            (Warning::Waiting | Warning::InTransit, _) => {
                let is_it = |hold: &&Hold| {
                    found.item.as_ref().is_some_and(|item| hold.item == Some(item.id))
                        || matches!(found.holder, Holder::CheckedIn { set_aside: Some(number) } if hold.id == number)
                };
                match found.holds.iter().find(is_it) {
                    Some(hold) => records.patron(hold.patron).await?,
                    None => None,
                }
            }
            _ => None,
        };
        let who = who.as_ref().map(name_and_card).unwrap_or_default();
        Ok(wording::warning(warning, &who, &|code| self.library_name(code)))
    }

    async fn look_up_checkin(
        self: &Rc<Self>,
        records: &Records,
        entry: &Entry,
    ) -> Result<(), crate::directory::DiskError> {
        let Action::Return { barcode } = &entry.transaction.action else { return Ok(()) };
        let found = self.item_found(records, entry, barcode).await?;
        let aside = self.store.set_aside().await.unwrap_or_default();
        let others = aside.iter().filter(|other| other.id != entry.id && other.status.state() != State::Deleted);
        let taken: BTreeSet<u32> = others.filter_map(|other| other.set_aside().map(|(hold, _)| hold)).collect();
        let hold = found.item.as_ref().and_then(|item| warning::hold_for(item, &found.holds, &taken));
        let (had, due) = match &found.holder {
            Holder::AsDownloaded(Some(loan)) => (records.patron(loan.patron).await?, loan.due),
            Holder::CheckedOut(card) => {
                let known = records.patron_by_code(card.as_str()).await?;
                (Some(known.unwrap_or(Patron { cardnumber: card.to_string(), ..Patron::default() })), None)
            }
            _ => (None, None),
        };
        let waits = match hold {
            Some(hold) => records.patron(hold.patron).await?.as_ref().map(name_and_card),
            None => None,
        };
        let warnings = warning::of_checkin(found.item.as_ref(), records.has(Set::Items), hold);
        let who = waits.clone().unwrap_or_default();
        let said: Vec<String> =
            warnings.iter().map(|warning| wording::warning(warning, &who, &|code| self.library_name(code))).collect();
        self.returned.show(&ReturnFound {
            barcode: barcode.to_string(),
            item: found.item,
            had: had.as_ref().map(name_and_card),
            due: due.map(|due| due.timestamp_millis()),
            hold: hold.map(|hold| (who, self.library_name(&hold.pickup))),
        });
        let warned: Vec<Warned> = warnings.into_iter().map(|warning| Warned { warning, confirmed: None }).collect();
        self.patron.refresh_soon(self);
        self.warn(entry, &warned, &said).await;
        Ok(())
    }
}
