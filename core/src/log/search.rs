//! Finds transactions in a long log: by text, action, state, desk. An index in memory holds what is looked for in few
//! bytes, so that every letter typed is answered at once.

use crate::{
    desk::{barcode::folded, clock::DeskTime, digits::is_number, name::DeskName, transaction::TransactionId},
    log::{
        Counts, Entry,
        order::{self, Placed},
        status::State,
    },
};
use std::{cmp::Ordering, collections::HashSet};

/// Barcodes and cardnumbers, in whatever case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes(HashSet<String>);

impl Codes {
    /// Whether this is one of them.
    pub fn has(&self, code: &str) -> bool {
        self.0.contains(&folded(code))
    }

    /// The number of codes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Extend<&'a str> for Codes {
    fn extend<T: IntoIterator<Item = &'a str>>(&mut self, codes: T) {
        self.0.extend(codes.into_iter().map(folded));
    }
}

/// What is looked for. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that stand in the barcode, the cardnumber, the amount, the desk or the local time, in whatever case.
    pub text: String,
    /// The cards of those whom the text names, and the barcodes of what is called so: these are found as well.
    pub named: Codes,
    /// Koha's word for the action.
    pub action: Option<String>,
    /// Where it stands.
    pub state: Option<State>,
    /// Only those that somebody was warned of.
    pub warned: bool,
    /// The desk; `Some(None)` is this one.
    pub desk: Option<Option<DeskName>>,
    /// Only these.
    pub among: Option<HashSet<TransactionId>>,
}

impl Filter {
    /// Whether everything is found.
    pub fn is_empty(&self) -> bool {
        let is_of_text = Self { text: self.text.clone(), named: self.named.clone(), ..Self::default() };
        self.text.trim().is_empty() && *self == is_of_text
    }
}

/// A transaction as it is searched.
#[derive(Debug, Clone)]
struct Indexed {
    id: TransactionId,
    millis: i64,
    state: State,
    is_warned: bool,
    action: &'static str,
    /// The place in the list of desks.
    desk: u32,
    part: u32,
    /// All that can be found by text, folded.
    text: Box<str>,
}

impl Indexed {
    /// The barcode and the cardnumber, folded, where there are such.
    fn codes(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n').take(2).filter(|code| !code.is_empty())
    }
}

/// The index of a log.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// By number.
    rows: Vec<Indexed>,
    desks: Vec<Option<DeskName>>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The numbers, rising.
    pub ids: Vec<TransactionId>,
    /// How many stand in each state of those that would be found if none were asked for.
    pub counts: Counts,
    /// How many somebody was warned of, likewise.
    pub warned: u32,
}

impl Index {
    /// Takes an entry in, new or changed.
    pub fn put(&mut self, entry: &Entry) {
        let row = self.row(entry);
        match self.rows.last() {
            Some(last) if last.id >= row.id => match self.rows.binary_search_by_key(&row.id, |row| row.id) {
                Ok(place) => self.rows[place] = row,
                Err(place) => self.rows.insert(place, row),
            },
            _ => self.rows.push(row),
        }
    }

    fn row(&mut self, entry: &Entry) -> Indexed {
        let desk = self.desks.iter().position(|desk| *desk == entry.desk).unwrap_or_else(|| {
            self.desks.push(entry.desk.clone());
            self.desks.len() - 1
        });
        let action = &entry.transaction.action;
        let mut text = String::with_capacity(64);
        for part in [
            action.barcode().map(|barcode| folded(barcode.as_str())),
            action.cardnumber().map(|cardnumber| folded(cardnumber.as_str())),
            action.amount().map(|amount| amount.to_string()),
            Some(entry.transaction.moment.local().format("%Y-%m-%d %H:%M:%S").to_string()),
            entry.desk.as_ref().map(|desk| folded(desk.as_str())),
        ] {
            text.push_str(&part.unwrap_or_default());
            text.push('\n');
        }
        Indexed {
            id: entry.id,
            millis: entry.transaction.moment.utc_millis(),
            state: entry.status.state(),
            is_warned: !entry.warnings.is_empty(),
            action: action.word(),
            desk: u32::try_from(desk).unwrap_or(u32::MAX),
            part: entry.part,
            text: text.into(),
        }
    }

    /// How many transactions it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The barcodes and cardnumbers that stand in the log.
    pub fn codes(&self) -> Codes {
        Codes(self.rows.iter().flat_map(Indexed::codes).map(ToOwned::to_owned).collect())
    }

    /// Those that the filter lets through.
    pub fn find(&self, filter: &Filter) -> Found {
        let text = folded(&filter.text);
        let words: Vec<[String; 2]> = text.split_whitespace().map(readings).collect();
        let desk = filter.desk.as_ref().map(|wanted| {
            let place = self.desks.iter().position(|desk| desk == wanted);
            place.and_then(|place| u32::try_from(place).ok())
        });
        let is_named =
            |row: &Indexed| !filter.named.is_empty() && row.codes().any(|code| filter.named.0.contains(code));
        let has_words =
            |row: &Indexed| words.iter().all(|[word, other]| row.text.contains(word) || row.text.contains(other));
        let mut found = Found::default();
        for row in &self.rows {
            let fits = filter.action.as_ref().is_none_or(|action| row.action == action)
                && desk.is_none_or(|desk| desk == Some(row.desk))
                && (has_words(row) || is_named(row))
                && filter.among.as_ref().is_none_or(|among| among.contains(&row.id));
            if fits {
                found.counts.add(row.state, 1);
                found.warned += u32::from(row.is_warned);
                if filter.state.is_none_or(|state| row.state == state) && (row.is_warned || !filter.warned) {
                    found.ids.push(row.id);
                }
            }
        }
        found
    }

    /// These in the order in which Koha must see them.
    pub fn merged(&self, ids: &[TransactionId]) -> Vec<TransactionId> {
        let of = |id: &TransactionId| {
            let row = &self.rows[self.rows.binary_search_by_key(id, |row| row.id).ok()?];
            let desk = self.desks.get(usize::try_from(row.desk).ok()?)?.as_ref();
            Some(InOrder { row, desk: desk.map(DeskName::as_str) })
        };
        let rows: Vec<InOrder> = ids.iter().filter_map(of).collect();
        order::merge(&rows).into_iter().map(|place| rows[place].row.id).collect()
    }
}

/// A word as it was written, and as it stands in the index if it is an amount, a date or a time in the way of some language:
/// `3,50`, `25.11.2026`, `25/11/2026`, `2026/11/25`, `11.00.00`, or the `25.` of `25. 11. 2026`.
fn readings(word: &str) -> [String; 2] {
    let parts: Vec<&str> = word.split(['.', '/', '-', ',']).collect();
    let other = match parts[..] {
        [number, ""] => number.to_owned(),
        [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        [year, month, day] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        [hours, minutes, seconds] if word.matches('.').count() == 2 => format!("{hours:0>2}:{minutes}:{seconds}"),
        [whole, decimals] if word.contains(',') => format!("{whole}.{decimals}"),
        _ => return [word.to_owned(), word.to_owned()],
    };
    let are_numbers =
        parts.iter().all(|part| is_number(part)) || (parts.len() == 2 && parts[1].is_empty() && is_number(parts[0]));
    [word.to_owned(), if are_numbers { other } else { word.to_owned() }]
}

struct InOrder<'a> {
    row: &'a Indexed,
    desk: Option<&'a str>,
}

impl Placed for InOrder<'_> {
    fn id(&self) -> TransactionId {
        self.row.id
    }

    fn time(&self) -> DeskTime {
        DeskTime::from_millis(self.row.millis)
    }

    fn sequence(&self) -> (Option<&str>, u32) {
        (self.desk, self.row.part)
    }

    fn compare_content(&self, other: &Self) -> Ordering {
        (self.row.action, &self.row.text).cmp(&(other.row.action, &other.row.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::transaction::arbitrary,
        log::{
            status::Status,
            warned::{Warned, Warning},
        },
    };
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        prop::collection::vec((0..6_u32, any::<bool>(), arbitrary::transaction(Just(60_i16))), 0..40).prop_map(|rows| {
            let entry = |(id, (number, committed, transaction))| {
                let (desk, is_warned) = (number % 3, number > 2);
                let desk = DeskName::parse(&format!("Desk {desk}")).ok().filter(|_| desk > 0);
                let status = if committed { Status::Success } else { Status::Local };
                let warnings = if is_warned {
                    vec![Warned { warning: Warning::OnLoan, confirmed: None, as_of: None }]
                } else {
                    vec![]
                };
                Entry { status, desk, warnings, ..Entry::recorded(TransactionId(id), transaction) }
            };
            (1..).zip(rows).map(entry).collect()
        })
    }

    fn index(entries: &[Entry]) -> Index {
        let mut index = Index::default();
        for entry in entries {
            index.put(entry);
        }
        index
    }

    fn ids(entries: &[Entry]) -> Vec<TransactionId> {
        entries.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn reads_numbers_and_times_as_languages_write_them() {
        for (written, read) in [
            ("3,50", "3.50"),
            ("25.11.2026", "2026-11-25"),
            ("5.1.2026", "2026-01-05"),
            ("25/11/2026", "2026-11-25"),
            ("2026/11/25", "2026-11-25"),
            ("25.", "25"),
            ("11.00.00", "11:00:00"),
            ("2026-11-25", "2026-11-25"),
            ("3.50", "3.50"),
            ("main.", "main."),
            ("a,b", "a,b"),
            ("3,", "3"),
            ("", ""),
        ] {
            assert_eq!(readings(written), [written, read]);
        }
    }

    #[test]
    fn knows_when_nothing_is_looked_for() {
        assert!(Filter::default().is_empty());
        assert!(Filter { text: "  ".into(), ..Filter::default() }.is_empty());
        assert!(!Filter { text: "a".into(), ..Filter::default() }.is_empty());
        assert!(!Filter { desk: Some(None), ..Filter::default() }.is_empty());
        assert!(!Filter { among: Some(HashSet::new()), ..Filter::default() }.is_empty());
    }

    proptest! {
        #[test]
        fn finds_each_by_what_it_shows(entries in entries(), pick in any::<prop::sample::Index>()) {
            let index = index(&entries);
            prop_assert_eq!(index.find(&Filter::default()).ids, ids(&entries));
            if entries.is_empty() {
                return Ok(());
            }
            let one = pick.get(&entries);
            let action = &one.transaction.action;
            let shown = [
                action.barcode().map(ToString::to_string),
                action.cardnumber().map(ToString::to_string),
                action.amount().map(|amount| amount.to_string()),
                Some(one.transaction.moment.local().format("%Y-%m-%d %H:%M").to_string()),
            ];
            for text in shown.into_iter().flatten() {
                for typed in [text.to_uppercase(), text.clone()] {
                    // Upper case is not always undone by lower case: only what folds to the same must be found.
                    if folded(&typed) == folded(&text) && typed.is_ascii() {
                        let found = index.find(&Filter { text: typed.clone(), ..Filter::default() });
                        prop_assert!(found.ids.contains(&one.id), "{typed}");
                    }
                }
            }
        }

        #[test]
        fn finds_besides_what_bears_the_codes_of_those_who_are_named(entries in entries(), pick in any::<prop::sample::Index>()) {
            let index = index(&entries);
            let codes = |entry: &Entry| {
                let action = &entry.transaction.action;
                let codes = [action.barcode().map(ToString::to_string), action.cardnumber().map(ToString::to_string)];
                // Nobody is found by accents alone.
                codes.into_iter().flatten().filter(|code| !folded(code).is_empty()).collect::<Vec<_>>()
            };
            prop_assert!(entries.iter().flat_map(codes).all(|code| index.codes().has(&code)));
            let mut named = Codes::default();
            if let Some(code) = (!entries.is_empty()).then(|| codes(pick.get(&entries)).pop()).flatten() {
                named.extend([code.to_uppercase().as_str()]);
            }
            let found = index.find(&Filter { text: "no such text".into(), named: named.clone(), ..Filter::default() });
            let expected = entries.iter().filter(|entry| codes(entry).iter().any(|code| named.has(code))).cloned();
            prop_assert_eq!(found.ids, ids(&expected.collect::<Vec<_>>()));
        }

        #[test]
        fn each_part_of_a_filter_narrows(entries in entries(), committed in any::<bool>(), desk in 0..3_u32, text in "[0-9a-z]{0,2}") {
            let index = index(&entries);
            let state = if committed { State::Success } else { State::Local };
            let desk = DeskName::parse(&format!("Desk {desk}")).ok().filter(|_| desk > 0);
            let filter = Filter { text, action: Some("issue".into()), state: Some(state), desk: Some(desk.clone()), ..Filter::default() };
            let found = index.find(&filter);
            let by_text = index.find(&Filter { text: filter.text.clone(), ..Filter::default() }).ids;
            let others = |entry: &&Entry| by_text.contains(&entry.id) && entry.transaction.action.word() == "issue" && entry.desk == desk;
            let expected: Vec<_> = entries.iter().filter(others).filter(|entry| entry.status.state() == state).cloned().collect();
            prop_assert_eq!(&found.ids, &ids(&expected));
            prop_assert_eq!(usize::try_from(found.counts.total()).unwrap(), entries.iter().filter(others).count());
            prop_assert_eq!(usize::try_from(found.counts.of(state)).unwrap(), expected.len());
            let warned = index.find(&Filter { state: None, warned: true, ..filter });
            prop_assert_eq!(warned.ids.len(), entries.iter().filter(others).filter(|entry| !entry.warnings.is_empty()).count());
            prop_assert_eq!(usize::try_from(warned.warned).unwrap(), warned.ids.len());
        }

        #[test]
        fn putting_again_replaces_and_the_order_of_putting_does_not_matter(entries in entries().prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle()))) {
            let (entries, shuffled) = entries;
            let mut index = index(&shuffled);
            for entry in &entries {
                index.put(&Entry { status: Status::Added, ..entry.clone() });
            }
            prop_assert_eq!(index.len(), entries.len());
            let found = index.find(&Filter { state: Some(State::Added), ..Filter::default() });
            prop_assert_eq!(found.ids, ids(&entries));
        }

        #[test]
        fn its_order_is_that_of_the_merge(entries in entries()) {
            let mut merged = entries.clone();
            order::sort(&mut merged);
            prop_assert_eq!(index(&entries).merged(&ids(&entries)), ids(&merged));
        }
    }
}
