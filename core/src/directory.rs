//! What a desk knows of Koha's patrons, items, loans and holds while Koha cannot be reached.
//!
//! A set of records is a [run](RowWriter) of rows in compressed blocks, which lie on a [`BlockStore`]. To find a row, the first
//! numbers of all blocks are kept in memory (some kilobytes for a million rows), and one or two blocks are read. Only the
//! index of names is held in memory, from the first search on.
//!
//! What a desk is told lies over that: a [`DeskView`](desk_view::DeskView) has the records and the log, and finds a patron
//! ([`patron_now`]) or what was scanned ([`item_now`]) with all that is to be warned of; [`shown`] is what a person then
//! has to confirm.
//!
//! Measured before it was chosen, against finite state transducers (`fst`) and plain sorted keys: see `docs/directory.md`.

pub mod access;
pub mod announced;
pub mod aside;
mod block;
pub mod block_store;
pub mod desk_view;
mod fold;
pub mod holder;
pub mod import;
pub mod item_now;
pub mod labels;
mod names;
pub mod notes;
pub mod owing;
pub mod patron_fact;
pub mod patron_now;
mod reader;
pub mod record;
pub mod refresh;
mod run;
pub mod shown;
mod sorting;
#[cfg(test)]
pub(crate) mod testing;
pub mod unlike;
pub(crate) mod warning;
pub mod where_to;
pub mod write;

use crate::stored::Missing;
use crate::{
    desk::{
        barcode::{Cardnumber, same_code},
        clock::{DeskTime, KohaTime},
        guard::KnownCard,
        kinds::Kinds,
    },
    ordered::{self, LiteMap, as_map},
    settings::{asker::Asker, form::ServerUrl, records::RecordsSettings},
};
use block_store::BlockStore;
use reader::Reader;
use record::{Hold, Item, Key, Loan, Patron, Record, Restriction, Set, code_key};
pub use run::{OutOfOrder, RowWriter, Unfinished};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the directory holds, without any record: safe to be kept in the clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Contents {
    /// The number of the next run.
    pub next_run: u32,
    /// The address of the server of which a download has begun last; `None` where none has since this is noted.
    pub server: Option<String>,
    /// What is there of each set. Absent: nothing.
    #[serde(with = "as_map")]
    pub sets: LiteMap<Set, Held>,
    /// Why nothing new is there of a set, where the last download could not read it.
    #[serde(with = "as_map")]
    pub gaps: LiteMap<Set, Gap>,
    /// The names of the libraries, by branch code.
    #[serde(with = "as_map")]
    pub libraries: LiteMap<String, String>,
}

/// The name of a gap, as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Why {
    Refused,
    Absent,
    Strange,
    SameRows,
}

/// A gap as it is stored.
#[derive(Deserialize)]
struct StoredGap {
    why: Why,
    #[serde(default)]
    what: Value,
}

impl TryFrom<StoredGap> for Gap {
    type Error = Missing;
    fn try_from(StoredGap { why, what }: StoredGap) -> Result<Self, Missing> {
        let status = || what.as_u64().and_then(|status| status.try_into().ok());
        Ok(match why {
            Why::Refused => Self::Refused(what.as_str().ok_or(Missing("what"))?.to_owned()),
            Why::Absent => Self::Absent,
            Why::Strange => Self::Strange(status().ok_or(Missing("what"))?),
            Why::SameRows => Self::SameRows,
        })
    }
}

/// Why a set could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", content = "what", rename_all = "camelCase", try_from = "StoredGap")]
pub enum Gap {
    /// The account lacks these permissions, in Koha's words for them; empty where Koha names none.
    Refused(String),
    /// This version of Koha has no such list.
    Absent,
    /// Koha's answer of this status could not be understood.
    Strange(u16),
    /// The same rows came again and again.
    SameRows,
}

/// What is there of one set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Held {
    /// The run.
    pub run: u32,
    /// How many blocks of rows it has.
    pub blocks: u32,
    /// How many records.
    pub rows: u32,
    /// As of when: the beginning of the last download, by the desk's clock.
    pub as_of: DeskTime,
    /// The beginning of the last download that was not of changes only.
    pub whole_as_of: DeskTime,
    /// What Koha's clock showed at the beginning of the last download: what changed since then is new.
    pub koha_as_of: Option<KohaTime>,
    /// Whether it has what not every Koha tells: what patrons owe, the titles of items.
    pub has_extras: bool,
    /// How many rows had no number and are missing.
    pub unreadable: u32,
    /// Who asked for them.
    #[serde(skip_serializing_if = "Asker::is_unknown")]
    pub asker: Asker,
    /// What their codes are like: none where there are none, or an earlier version has written the run.
    #[serde(skip_serializing_if = "Kinds::is_empty")]
    pub kinds: Kinds,
}

impl Contents {
    /// A number for a new run.
    pub fn new_run(&mut self) -> u32 {
        self.next_run += 1;
        self.next_run
    }

    /// The runs that are in use; whatever else lies in the store is left from something that was not finished.
    pub fn runs(&self) -> impl Iterator<Item = u32> {
        self.sets.values().map(|held| held.run)
    }

    /// Whether they are of this server, as far as is known: a file does not say of which it is, nor did earlier versions.
    pub fn are_of(&self, server: Option<&ServerUrl>) -> bool {
        match (self.server.as_deref(), server) {
            (Some(known), Some(server)) => known == server.as_str(),
            _ => true,
        }
    }

    /// Whatever is written next is of this server: drops what is of another.
    pub fn turn_to(&mut self, server: &ServerUrl) {
        if !self.are_of(Some(server)) {
            // Another Koha has other patrons under the same numbers.
            *self = Self { next_run: self.next_run, ..Self::default() };
        }
        self.server = Some(server.as_str().to_owned());
    }

    /// As of when everything is: the oldest of all sets. `None` where there is nothing.
    pub fn as_of(&self) -> Option<DeskTime> {
        self.sets.values().map(|held| held.as_of).min()
    }

    /// As of when all that Koha gives was read as a whole: the oldest of these sets. `None` where there is nothing.
    pub fn whole_as_of(&self) -> Option<DeskTime> {
        self.given().map(|held| held.whole_as_of).min()
    }

    /// As of when all is that a download brings up to date: the oldest of these sets. Of all, where Koha gives none.
    pub fn fresh_as_of(&self) -> Option<DeskTime> {
        self.given().map(|held| held.as_of).min().or_else(|| self.as_of())
    }

    /// Drops each set that is older than records may be, and no other: what Koha refuses ages alone. Returns whether there was one.
    pub fn drop_old(&mut self, settings: &RecordsSettings, desk_time: DeskTime) -> bool {
        let before = self.sets.len();
        self.sets.retain(|_, held| !settings.is_over(held.as_of, desk_time));
        self.sets.len() < before
    }

    /// The sets of which Koha gives something new. What it refuses, or does not have, stays as old as it is, however often it is
    /// asked.
    fn given(&self) -> impl Iterator<Item = &Held> {
        self.sets.iter().filter(|(set, _)| !self.gaps.contains_key(set)).map(|(_, held)| held)
    }
}

/// A whole set was written: makes what its rows are found by. Then it takes the place of what was there.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn finish<R: Record, S: BlockStore>(
    store: &S,
    written: Unfinished,
    as_of: DeskTime,
) -> Result<Held, S::Error> {
    let (rows, kinds) = run::finish::<R, S>(store, written).await?;
    Ok(Held { run: written.run, blocks: written.blocks, rows, as_of, whole_as_of: as_of, kinds, ..Held::default() })
}

/// The changes since `held` were written, and the rows of the numbers in `gone`, which rise, are gone: brings all together in a
/// run of the number `into`.
///
/// # Errors
/// As [`finish`].
pub async fn finish_changes<R: Record, S: BlockStore>(
    store: &S,
    held: &Held,
    changes: Unfinished,
    gone: &[u32],
    into: u32,
    as_of: DeskTime,
) -> Result<Held, S::Error> {
    if changes.rows == 0 && gone.is_empty() {
        return Ok(Held { as_of, ..held.clone() });
    }
    let newer = (changes.run, changes.blocks);
    let written = run::merge::<R, S>(store, (held.run, held.blocks), newer, gone, into).await?;
    Ok(Held { whole_as_of: held.whole_as_of, ..finish::<R, S>(store, written, as_of).await? })
}

/// The directory.
#[derive(Debug)]
pub struct Directory<S> {
    reader: Reader<S>,
    contents: Contents,
}

/// What a person has typed where a card belongs, as far as anybody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedCard {
    /// A card: this one, or that of whoever has this as a user name.
    Card(String),
    /// The barcode of an item, and nobody's card.
    Item,
}

/// What a search by name has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The first of them: those whose names begin as typed before the others, each by name.
    pub patrons: Vec<Patron>,
    /// How many there are in all.
    pub total: usize,
}

/// Whether a name may come of what was typed so far: there is a letter in it. A scanner's digits are none.
pub fn may_begin_name(typed: &str) -> bool {
    typed.chars().any(char::is_alphabetic)
}

/// Whether a name may be looked for with what was typed so far: two signs, one of them a letter.
pub fn may_be_name(typed: &str) -> bool {
    typed.trim().chars().count() >= 2 && may_begin_name(typed)
}

impl<S: BlockStore> Directory<S> {
    /// The directory that lies in this store.
    pub fn new(store: S, contents: Contents) -> Self {
        Self { reader: Reader::new(store), contents }
    }

    /// What it holds.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The store it lies in.
    pub fn store(&self) -> &S {
        self.reader.store()
    }

    /// Whether anything is known of this set: only then does it mean something that a record is not there.
    pub fn has(&self, set: Set) -> bool {
        self.contents.sets.contains_key(&set)
    }

    fn run(&self, set: Set) -> Option<u32> {
        self.contents.sets.get(&set).map(|held| held.run)
    }

    async fn row<R: Record>(&self, id: u32) -> Result<Option<R>, S::Error> {
        let Some(run) = self.run(R::SET) else { return Ok(None) };
        self.reader.row(run, id).await
    }

    async fn rows<R: Record>(&self, kind: Key, key: u32) -> Result<Vec<R>, S::Error> {
        let Some(run) = self.run(R::SET) else { return Ok(Vec::new()) };
        self.reader.rows(run, kind, key).await
    }

    /// The patron with this cardnumber or, failing that, this user name.
    ///
    /// # Errors
    /// As all look-ups: when the store cannot be read.
    pub async fn patron_by_code(&self, code: &str) -> Result<Option<Patron>, S::Error> {
        let patrons: Vec<Patron> = self.rows(Key::Code, code_key(code)).await?;
        let by = |field: fn(&Patron) -> &str| {
            let is_it = |patron: &&Patron| !field(patron).is_empty() && same_code(field(patron), code);
            patrons.iter().find(is_it).cloned()
        };
        match by(|patron| &patron.cardnumber).or_else(|| by(|patron| &patron.userid)) {
            Some(patron) => self.with_restriction(patron).await.map(Some),
            None => Ok(None),
        }
    }

    /// The cardnumber of whoever has this as a user name. `None` where it is a cardnumber, or nobody is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn card_of_user(&self, typed: &str) -> Result<Option<String>, S::Error> {
        let card = self.patron_by_code(typed).await?.map(|patron| patron.cardnumber);
        Ok(card.filter(|card| !card.is_empty() && !same_code(card, typed)))
    }

    /// What was typed where a card belongs. Nobody's card may be a new patron's, unless it is an item.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn typed_card(&self, typed: &str) -> Result<TypedCard, S::Error> {
        if let Some(patron) = self.patron_by_code(typed).await? {
            let card = Some(patron.cardnumber).filter(|card| !card.is_empty());
            return Ok(TypedCard::Card(card.unwrap_or_else(|| typed.to_owned())));
        }
        let is_item = self.item_by_barcode(typed).await?.is_some();
        Ok(if is_item { TypedCard::Item } else { TypedCard::Card(typed.to_owned()) })
    }

    /// The patron's card that came where this item's barcode belongs, where it is one. `as_card` is what was scanned, read as a card. A user
    /// name is no card.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn card_for_item(&self, as_card: &str, barcode: &str) -> Result<Option<KnownCard>, S::Error> {
        let patrons: Vec<Patron> = self.rows(Key::Code, code_key(as_card)).await?;
        let is_theirs = |patron: &&Patron| !patron.cardnumber.is_empty() && same_code(&patron.cardnumber, as_card);
        let patron = patrons.iter().find(is_theirs);
        let Some((patron, card)) =
            patron.and_then(|patron| Some((patron.id, Cardnumber::parse(&patron.cardnumber).ok()?)))
        else {
            return Ok(None);
        };
        let is_item = self.item_by_barcode(barcode).await?.is_some();
        Ok(Some(KnownCard { card, patron, is_item }))
    }

    /// With what is known of the patron's restriction, where the record itself does not say that there is none.
    async fn with_restriction(&self, patron: Patron) -> Result<Patron, S::Error> {
        if patron.restricted == Some(false) {
            return Ok(patron);
        }
        let Some(Restriction { until, comment, .. }) = self.row(patron.id).await? else { return Ok(patron) };
        Ok(Patron { restricted: Some(true), restricted_until: until, restriction_comment: comment, ..patron })
    }

    /// The patron of this number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn patron(&self, id: u32) -> Result<Option<Patron>, S::Error> {
        self.row(id).await
    }

    /// The item with this barcode.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn item_by_barcode(&self, barcode: &str) -> Result<Option<Item>, S::Error> {
        let items: Vec<Item> = self.rows(Key::Code, code_key(barcode)).await?;
        Ok(items.into_iter().find(|item| same_code(&item.barcode, barcode)))
    }

    /// The item of this number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn item(&self, id: u32) -> Result<Option<Item>, S::Error> {
        self.row(id).await
    }

    /// The open loan of this item.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn loan_of(&self, item: u32) -> Result<Option<Loan>, S::Error> {
        Ok(self.rows(Key::Item, item).await?.pop())
    }

    /// The open loans of this patron.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn loans_of(&self, patron: u32) -> Result<Vec<Loan>, S::Error> {
        self.rows(Key::Patron, patron).await
    }

    /// The holds on the title of this number, by priority: those set aside first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn holds_on(&self, biblio: u32) -> Result<Vec<Hold>, S::Error> {
        let mut holds: Vec<Hold> = self.rows(Key::Biblio, biblio).await?;
        ordered::sort(&mut holds, |hold| (i64::from(hold.priority), u64::from(hold.id)));
        Ok(holds)
    }

    /// The holds of this patron.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn holds_of(&self, patron: u32) -> Result<Vec<Hold>, S::Error> {
        self.rows(Key::Patron, patron).await
    }

    /// The patrons in whose names every word typed stands, in whatever case, with or without accents.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn search(&self, typed: &str, limit: usize) -> Result<Hits, S::Error> {
        let Some(held) = self.contents.sets.get(&Set::Patrons) else { return Ok(Hits::default()) };
        let (patrons, total) = self.reader.search(held.run, held.rows, typed, limit).await?;
        Ok(Hits { patrons, total })
    }

    /// The first items that are wanted, by Koha's numbers, in whose title, author or call number every word typed stands. They are
    /// read from end to end, since nothing is kept for it in memory, until that many are found or `goes_on` says no.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn items_by_title(
        &self,
        typed: &str,
        limit: usize,
        is_wanted: impl Fn(&Item) -> bool,
        goes_on: impl Fn() -> bool,
    ) -> Result<Vec<Item>, S::Error> {
        let Some(held) = self.contents.sets.get(&Set::Items) else { return Ok(Vec::new()) };
        let typed = fold::folded(typed);
        let words: Vec<&str> = fold::words(&typed).collect();
        let is_it = |item: &Item| {
            if item.barcode.is_empty() || !is_wanted(item) {
                return false;
            }
            let about = fold::folded(&format!("{} {} {}", item.title, item.author, item.call_number));
            words.iter().all(|word| about.contains(word))
        };
        run::find(self.reader.store(), (held.run, held.blocks), limit, is_it, goes_on).await
    }

    /// Reads the index of names, where that was not done yet: so that the first search does not wait for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn prepare_search(&self) -> Result<(), S::Error> {
        match self.run(Set::Patrons) {
            Some(run) => self.reader.names(run).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// How many bytes the index of names takes in memory: nothing before the first search.
    pub fn names_in_memory(&self) -> usize {
        self.reader.names_in_memory()
    }
}

#[cfg(test)]
mod tests;
