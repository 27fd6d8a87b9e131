//! What was set aside for holds offline, where it is now, and which holds are served by it.

use super::{
    holder::ChangesSinceDownload,
    record::{Hold, HoldState},
};
use crate::{
    desk::transaction::{Action, TransactionId},
    log::{Entry, order, status::State, todo::Told},
    ordered,
};
use std::{collections::HashMap, future::Future};

fn is_checkout(entry: &Entry) -> bool {
    matches!(entry.transaction.action, Action::Issue { .. })
}

/// The checkin by which an item was set aside, where nobody has taken the item since; by its entries in order.
pub(super) fn set_aside(entries: &[Entry]) -> Option<&Entry> {
    let is_there = |entry: &Entry| entry.status.state() != State::Deleted || entry.was_settled();
    let is_aside = |entry: &Entry| entry.set_aside().is_some() && is_there(entry);
    let place = entries.iter().rposition(is_aside)?;
    let is_gone = entries[place + 1..].iter().any(|entry| entry.status.state().has_happened() && is_checkout(entry));
    (!is_gone).then(|| &entries[place])
}

/// The hold for which an item is set aside; by its entries in order.
pub(super) fn hold_of(entries: &[Entry]) -> Option<u32> {
    set_aside(entries)?.set_aside().map(|(hold, _)| hold)
}

/// Entries by their items, each in the order in which Koha must see them.
pub(super) fn by_item(entries: Vec<Entry>) -> HashMap<String, Vec<Entry>> {
    let mut by_item: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in entries {
        if let Some(key) = entry.transaction.action.item_key() {
            by_item.entry(key).or_default().push(entry);
        }
    }
    by_item.values_mut().for_each(order::sort);
    by_item
}

/// All that is set aside, by the library of pickup and the time; from the entries of each item in order.
fn list(of_items: &HashMap<String, Vec<Entry>>) -> Vec<Entry> {
    let mut list: Vec<Entry> = of_items.values().filter_map(|entries| set_aside(entries)).cloned().collect();
    ordered::sort(&mut list, |entry| (entry.transaction.moment.utc_millis(), u64::from(entry.id.0)));
    ordered::sort_by_text(&mut list, |entry| {
        entry.set_aside().map(|(_, pickup)| pickup.to_owned()).unwrap_or_default()
    });
    list
}

/// The log, as what is set aside is found in it.
pub trait AsideEntries {
    /// Why the log could not be read.
    type Error;

    /// The entries whose items were set aside for a hold, also those that were taken back.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn of_any_hold(&self) -> impl Future<Output = Result<Vec<Entry>, Self::Error>>;

    /// Those of these numbers that are there.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn numbered(&self, ids: &[TransactionId]) -> impl Future<Output = Result<Vec<Entry>, Self::Error>>;

    /// The entries of these items, by [`Barcode::item_key`](crate::Barcode::item_key).
    ///
    /// # Errors
    /// When the log cannot be read.
    fn of_items(&self, keys: &[String]) -> impl Future<Output = Result<Vec<Entry>, Self::Error>>;
}

/// The checkins by which something is set aside that nobody has taken since, in the order of the list. What Koha tells counts as
/// if it had been known when the item came back.
///
/// # Errors
/// When the log cannot be read.
pub async fn find<L: AsideEntries>(log: &L, told: &Told) -> Result<Vec<TransactionId>, L::Error> {
    let mut entries = log.of_any_hold().await?;
    entries.extend(log.numbered(&told.waited_for()).await?);
    let keys = ordered::texts(entries.iter().filter_map(|entry| entry.transaction.action.item_key()));
    Ok(among(log.of_items(&keys).await?, told))
}

/// The same among all the entries of some items.
pub fn among(entries: Vec<Entry>, told: &Told) -> Vec<TransactionId> {
    let entries = entries.into_iter().map(|entry| told.with_hold(entry)).collect();
    list(&by_item(entries)).into_iter().map(|entry| entry.id).collect()
}

/// Of the holds on a title, those that need no item any more: another copy is set aside for them, or their patron has taken one.
///
/// `before` are the entries of the item that is looked at, up to now; `others` those of each other item that was set aside for
/// one of the holds; both in order. `is` says whether a code stands for the patron of a hold.
pub(super) fn over(
    holds: &[Hold],
    before: &[Entry],
    others: &HashMap<String, Vec<Entry>>,
    since: &ChangesSinceDownload,
    is: impl Fn(&Hold, &str) -> bool,
) -> Vec<u32> {
    let took = |hold: &Hold, entries: &[Entry]| {
        let checkouts = entries.iter().filter(|entry| since.counts(entry) && is_checkout(entry));
        checkouts.filter_map(|entry| entry.transaction.action.cardnumber()).any(|card| is(hold, card.as_str()))
    };
    let has = |hold: &Hold, entries: &[Entry]| hold_of(entries) == Some(hold.id);
    let had = |hold: &Hold, entries: &[Entry]| {
        entries.iter().any(|entry| {
            entry.status.state().has_happened() && entry.set_aside().is_some_and(|(number, _)| number == hold.id)
        })
    };
    let is_over = |hold: &&Hold| {
        let by_other = |entries: &Vec<Entry>| has(hold, entries) || (had(hold, entries) && took(hold, entries));
        took(hold, before) || others.values().any(by_other)
    };
    holds.iter().filter(is_over).map(|hold| hold.id).collect()
}

/// Whether to tell [`over`] one must know who the patrons of the holds are: somebody took something.
pub(super) fn must_know_patrons(before: &[Entry], others: &HashMap<String, Vec<Entry>>) -> bool {
    before.iter().chain(others.values().flatten()).any(is_checkout)
}

/// Whether an item waits for the patron of a hold: Koha said so and nobody has taken it since, or it was set aside offline.
/// `entries` are those of the item in order, `hold` is the patron's.
pub(super) fn waits(hold: &Hold, entries: &[Entry], since: &ChangesSinceDownload) -> bool {
    let is_set_aside = hold_of(entries) == Some(hold.id);
    let is_gone = entries.iter().any(|entry| since.counts(entry) && is_checkout(entry));
    is_set_aside || (hold.state == HoldState::Waiting && !is_gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{
            barcode::{Barcode, Cardnumber},
            clock::DeskTime,
            transaction::{Moment, Transaction},
        },
        directory::testing::at_once,
        log::{
            audited::Audited,
            commit::Batch,
            fresh::{Fresh, HoldNow},
            order::Ordered,
            status::Status,
            warned::{Warned, Warning},
        },
        settings::form::{CommitType, Settings},
    };
    use std::convert::Infallible;

    fn entry(id: u32, action: Action, status: Status, hold: Option<(u32, &str)>) -> Entry {
        let moment = Moment::new(1_795_428_000_000 + i64::from(id) * 1000, 60).unwrap();
        let warning = hold.map(|(hold, pickup)| Warning::Hold { hold, pickup: pickup.into() });
        let warnings = warning.into_iter().map(|warning| Warned { warning, confirmed: None, as_of: None }).collect();
        Entry { status, warnings, ..Entry::recorded(TransactionId(id), Transaction { moment, action }) }
    }

    fn issue(id: u32, card: &str, status: Status) -> Entry {
        let (cardnumber, barcode) = (Cardnumber::parse(card).unwrap(), Barcode::parse("A").unwrap());
        entry(id, Action::Issue { cardnumber, barcode }, status, None)
    }

    fn back(id: u32, hold: Option<(u32, &str)>) -> Entry {
        entry(id, Action::Return { barcode: Barcode::parse("A").unwrap() }, Status::Local, hold)
    }

    fn rejected() -> Status {
        Status::Rejected { message: "Borrower not found.".into() }
    }

    fn hold(id: u32, patron: u32, state: HoldState) -> Hold {
        Hold { id, patron, biblio: 7, item: None, pickup: "CPL".into(), priority: id, state, suspended: false }
    }

    fn others(entries: Vec<Entry>) -> HashMap<String, Vec<Entry>> {
        HashMap::from([("b".to_owned(), entries)])
    }

    #[test]
    fn an_item_is_set_aside_until_somebody_takes_it() {
        let id = |entries: &[Entry]| set_aside(entries).map(|entry| entry.id.0);
        let mut entries = vec![back(1, None), back(2, Some((7, "CPL")))];
        assert_eq!(id(&entries), Some(2));
        entries.push(issue(3, "P3", rejected()));
        entries.push(issue(4, "P4", Status::Deleted));
        assert_eq!(id(&entries), Some(2));
        // Scanned once more, perhaps without records at hand.
        entries.push(back(5, None));
        assert_eq!(id(&entries), Some(2));
        entries.push(issue(6, "P6", Status::Success));
        assert_eq!(id(&entries), None);
        entries.push(back(7, Some((8, "MPL"))));
        assert_eq!(id(&entries), Some(7));
        entries[6].status = Status::Deleted;
        assert_eq!(id(&entries), None);
    }

    /// A log in memory.
    struct Log(Vec<Entry>);

    impl Log {
        fn which(&self, is: impl Fn(&Entry) -> bool) -> Vec<Entry> {
            self.0.iter().filter(|entry| is(entry)).cloned().collect()
        }
    }

    impl AsideEntries for Log {
        type Error = Infallible;

        async fn of_any_hold(&self) -> Result<Vec<Entry>, Infallible> {
            Ok(self.which(|entry| entry.set_aside().is_some()))
        }

        async fn numbered(&self, ids: &[TransactionId]) -> Result<Vec<Entry>, Infallible> {
            Ok(self.which(|entry| ids.contains(&entry.id)))
        }

        async fn of_items(&self, keys: &[String]) -> Result<Vec<Entry>, Infallible> {
            assert!(keys.is_sorted_by(|one, next| one < next), "each once: {keys:?}");
            Ok(self.which(|entry| entry.transaction.action.item_key().is_some_and(|key| keys.contains(&key))))
        }
    }

    #[test]
    fn what_is_set_aside_is_found_by_the_log_and_by_what_koha_tells() {
        let of = |id: u32, item: &str, hold: Option<(u32, &str)>| {
            let action = Action::Return { barcode: Barcode::parse(item).unwrap() };
            entry(id, action, Status::Success, hold)
        };
        let out = |id: u32, item: &str| {
            let (cardnumber, barcode) = (Cardnumber::parse("P").unwrap(), Barcode::parse(item).unwrap());
            entry(id, Action::Issue { cardnumber, barcode }, Status::Success, None)
        };
        let log = Log(vec![
            of(1, "A", Some((1, "MPL"))),
            of(2, "a", Some((1, "MPL"))),
            of(3, "B", Some((2, "MPL"))),
            // Nobody was known to wait for these, when they came back.
            of(4, "C", None),
            of(5, "D", None),
            of(6, "E", None),
            out(7, "B"),
            out(8, "D"),
        ]);
        let found = |told: &Told| at_once(find(&log, told)).unwrap().iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(found(&Told::default()), [2]);
        let waits = |id, pickup: &str| Fresh {
            hold: Some(HoldNow::Waits { hold: id, patron: 4, pickup: pickup.into() }),
            ..Fresh::of(TransactionId(id))
        };
        let fresh = vec![waits(4, "CPL"), waits(5, "CPL"), waits(2, "FPL")];
        let batch =
            Batch::begin(&Settings::for_tests(CommitType::Apply), log.0[0].transaction.moment, &Ordered::default());
        let server = batch.server.clone();
        let told = Told::by(&[Batch { audit: Some(Audited { fresh, ..Audited::default() }), ..batch }], &server);
        assert_eq!(found(&told), [4, 2], "D was taken since, and A is for another library");
    }

    #[test]
    fn the_list_goes_by_library() {
        let of = |id, pickup| vec![back(id, Some((id, pickup)))];
        let of_items = HashMap::from([
            ("a".to_owned(), of(1, "MPL")),
            ("b".to_owned(), of(3, "CPL")),
            ("c".to_owned(), of(2, "CPL")),
            ("d".to_owned(), vec![back(4, None)]),
        ]);
        assert_eq!(list(&of_items).iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [2, 3, 1]);
    }

    #[test]
    fn a_hold_is_served_by_one_copy() {
        let holds = [hold(7, 17, HoldState::Placed), hold(8, 18, HoldState::Placed)];
        let since = ChangesSinceDownload::new(Some(DeskTime::default()), &[]);
        let is = |hold: &Hold, code: &str| code == format!("P{}", hold.patron);
        let over = |before: &[Entry], other: Vec<Entry>| {
            over(&holds, before, &others(other), &since, is).into_iter().collect::<Vec<_>>()
        };
        let aside = || back(1, Some((7, "CPL")));
        assert_eq!(over(&[], vec![]), [0_u32; 0]);
        assert_eq!(over(&[], vec![aside()]), [7]);
        assert_eq!(over(&[], vec![aside(), issue(2, "P17", Status::Local)]), [7], "they came for it");
        assert_eq!(over(&[], vec![aside(), issue(2, "P17", Status::Local), back(3, None)]), [7], "and brought it back");
        assert_eq!(over(&[], vec![aside(), issue(2, "P99", Status::Local)]), [0_u32; 0], "it was given to another");
        assert_eq!(over(&[issue(2, "P18", Status::Local), back(3, None)], vec![]), [8], "they had this very copy");
        assert_eq!(over(&[issue(2, "P18", Status::Deleted)], vec![]), [0_u32; 0]);
        let undone = Entry { status: Status::Deleted, ..aside() };
        assert_eq!(over(&[], vec![undone]), [0_u32; 0]);
        assert!(must_know_patrons(&[], &others(vec![aside(), issue(2, "P1", Status::Local)])));
        assert!(!must_know_patrons(&[aside()], &others(vec![aside()])));
    }

    #[test]
    fn a_patron_hears_what_waits_for_them() {
        let since = ChangesSinceDownload::new(Some(DeskTime::default()), &[]);
        let waiting = hold(7, 17, HoldState::Waiting);
        assert!(waits(&waiting, &[], &since));
        assert!(waits(&waiting, &[back(1, None)], &since));
        assert!(!waits(&waiting, &[issue(1, "P17", Status::Local)], &since));
        let placed = hold(7, 17, HoldState::Placed);
        assert!(!waits(&placed, &[back(1, None)], &since));
        assert!(waits(&placed, &[back(1, Some((7, "CPL")))], &since));
        assert!(!waits(&placed, &[back(1, Some((8, "CPL")))], &since));
        assert!(!waits(&hold(7, 17, HoldState::InTransit), &[], &since));
    }
}
