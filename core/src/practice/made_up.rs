//! Made-up patrons and items, which show every grade and kind of warning.

use crate::{
    desk::{amount::Cents, clock::DeskTime, codes::Codes, transaction::Moment},
    directory::{
        Contents, Held, RowWriter, Unfinished,
        block_store::BlockStore,
        finish,
        record::{Hold, HoldState, Item, Loan, Marks, Patron, Record},
    },
    log::warned::Warning,
    ordered::Gather,
    settings::table::Preferences,
};
use chrono::{DateTime, TimeDelta, Utc};

/// The words of the person's language that names are made of, so that anybody sees that they are made up.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The family name of all patrons.
    pub surname: &'a str,
    /// What titles begin with.
    pub title: &'a str,
    /// The name of the other library.
    pub library: &'a str,
}

/// What a code shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shows {
    /// Nothing: all is well.
    Nothing,
    /// This warning; of an item, when it is checked out.
    Warning(Warning),
    /// It is to be set aside when it comes back.
    Aside,
    /// It comes back this number of days late.
    Late(u32),
    /// It goes to the other library when it comes back.
    ToLibrary,
    /// This must have come with it.
    Materials(&'static str),
    /// Something waits for the patron on the hold shelf.
    ToPickUp,
}

/// Something to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practised {
    /// The code, as it is typed.
    pub code: &'static str,
    /// Whether it is a patron's.
    pub is_card: bool,
    /// The name of the patron or the title; empty where nobody knows the code.
    pub name: String,
    /// What it shows.
    pub shows: Shows,
}

/// The branch code of the other library.
const ELSEWHERE: &str = "OTHER";
const MATERIALS: &str = "2 CDs";
/// How late an item comes back.
const LATE: u32 = 5;
/// By how much somebody owes more than they may, in hundredths.
const OVER: Cents = 2_000;

/// The patrons, by the places of their codes.
const ADA: usize = 0;
const BEN: usize = 1;
const CLEO: usize = 2;
const DAN: usize = 3;
const EVA: usize = 4;
const FINN: usize = 5;
const GINA: usize = 6;

/// The cards, each with a first name; digits only, which can be typed and printed as a barcode of any kind.
const CARDS: [(&str, &str); 7] = [
    ("9001", "Ada"),
    ("9002", "Ben"),
    ("9003", "Cleo"),
    ("9004", "Dan"),
    ("9005", "Eva"),
    ("9006", "Finn"),
    ("9007", "Gina"),
];
const UNKNOWN_CARD: &str = "9999";

/// The items, by the places of their codes.
const ON_LOAN: usize = 3;
const OVERDUE: usize = 4;
const WAITING: usize = 5;
const ON_HOLD: usize = 6;
const TRAVELLING: usize = 7;
const OF_OTHERS: usize = 8;
const WITH_MATERIALS: usize = 9;
const LOST: usize = 10;
const WITHDRAWN: usize = 11;
const REFERENCE: usize = 12;

const ITEMS: [&str; 13] =
    ["1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1009", "1010", "1011", "1012", "1013"];
const UNKNOWN_ITEM: &str = "1999";

/// Every code that is listed, and whether it is a patron's.
pub(super) fn every_code() -> impl Iterator<Item = (&'static str, bool)> {
    let cards = CARDS.iter().map(|(code, _)| *code).chain([UNKNOWN_CARD]);
    cards.map(|code| (code, true)).chain(ITEMS.into_iter().chain([UNKNOWN_ITEM]).map(|code| (code, false)))
}

/// What is meant by a made-up code, by the rules of the library.
pub(super) fn meant(codes: &Codes, code: &str, is_card: bool) -> String {
    if is_card { codes.card(code) } else { codes.item(code) }
}

/// A made-up library.
#[derive(Debug, Clone)]
pub struct MadeUp {
    pub(super) patrons: Vec<Patron>,
    pub(super) items: Vec<Item>,
    pub(super) loans: Vec<Loan>,
    holds: Vec<Hold>,
    library: String,
}

fn id(place: usize) -> u32 {
    u32::try_from(place).unwrap_or_default() + 1
}

impl MadeUp {
    /// The library as it stands now, by the settings of practice.
    pub fn new(words: Words<'_>, preferences: &Preferences, now: Moment) -> Self {
        let branch = &preferences.form.branchcode;
        let codes = preferences.desk.codes(branch);
        let (today, utc) = (now.local().date(), now.time().millis());
        let limit = preferences.records.debt_limit().ok().flatten().unwrap_or_default();
        let day = |days: i64| today + TimeDelta::days(days);
        let patrons = CARDS.iter().enumerate().map(|(place, (code, firstname))| Patron {
            id: id(place),
            cardnumber: meant(&codes, code, true),
            surname: words.surname.to_owned(),
            firstname: (*firstname).to_owned(),
            library: branch.clone(),
            expires: Some(day(if place == CLEO { -3 } else { 400 })),
            restricted: Some(place == BEN),
            card_lost: Some(place == EVA),
            wrong_address: Some(place == FINN),
            owes: Some(if place == DAN { limit + OVER } else { 0 }),
            ..Patron::default()
        });
        let items = ITEMS.iter().enumerate().map(|(place, code)| Item {
            id: id(place),
            barcode: meant(&codes, code, false),
            biblio: id(place),
            title: format!("{} {}", words.title, id(place)),
            call_number: format!("100 {}", id(place)),
            materials: if place == WITH_MATERIALS { MATERIALS } else { "" }.to_owned(),
            library: if place == OF_OTHERS { ELSEWHERE } else { branch }.to_owned(),
            marks: Marks { lost: place == LOST, withdrawn: place == WITHDRAWN, not_for_loan: place == REFERENCE },
            ..Item::default()
        });
        let at = |days: i64| DateTime::<Utc>::from_timestamp_millis(utc).map(|now| now + TimeDelta::days(days));
        let loan = |place: usize, due: i64| Loan {
            id: id(place),
            patron: id(GINA),
            item: Some(id(place)),
            due: at(due),
            since: at(due - 28),
            ..Loan::default()
        };
        let hold = |place: usize, patron: usize, state: HoldState| Hold {
            id: id(place),
            patron: id(patron),
            biblio: id(place),
            item: (state != HoldState::Placed).then(|| id(place)),
            pickup: branch.clone(),
            priority: u32::from(state == HoldState::Placed),
            state,
            suspended: false,
        };
        Self {
            patrons: patrons.collect(),
            items: items.collect(),
            // What shows something when it comes back must be out.
            loans: vec![
                loan(ON_LOAN, 14),
                loan(OVERDUE, -i64::from(LATE)),
                loan(ON_HOLD, 14),
                loan(OF_OTHERS, 14),
                loan(WITH_MATERIALS, 14),
            ],
            holds: vec![
                hold(WAITING, GINA, HoldState::Waiting),
                hold(ON_HOLD, ADA, HoldState::Placed),
                hold(TRAVELLING, BEN, HoldState::InTransit),
            ],
            library: words.library.to_owned(),
        }
    }

    /// All that can be scanned, and what each shows.
    pub fn codes(&self) -> Vec<Practised> {
        let of_card = |(place, patron): (usize, &Patron)| Practised {
            code: CARDS.get(place).map_or(UNKNOWN_CARD, |(code, _)| code),
            is_card: true,
            name: patron.name(),
            shows: match place {
                BEN => Shows::Warning(Warning::Restricted { until: None }),
                CLEO => patron.expires.map_or(Shows::Nothing, |on| Shows::Warning(Warning::Expired { on })),
                DAN => patron.owes.map_or(Shows::Nothing, |cents| Shows::Warning(Warning::Debts { cents })),
                EVA => Shows::Warning(Warning::LostCard),
                FINN => Shows::Warning(Warning::WrongAddress),
                GINA => Shows::ToPickUp,
                _ => Shows::Nothing,
            },
        };
        let of_item = |(place, item): (usize, &Item)| Practised {
            code: ITEMS.get(place).copied().unwrap_or(UNKNOWN_ITEM),
            is_card: false,
            name: item.title.clone(),
            shows: match place {
                ON_LOAN => Shows::Warning(Warning::OnLoan),
                OVERDUE => Shows::Late(LATE),
                WAITING => Shows::Warning(Warning::Waiting),
                ON_HOLD => Shows::Aside,
                TRAVELLING => Shows::Warning(Warning::InTransit),
                OF_OTHERS => Shows::ToLibrary,
                WITH_MATERIALS => Shows::Materials(MATERIALS),
                LOST => Shows::Warning(Warning::LostItem),
                WITHDRAWN => Shows::Warning(Warning::Withdrawn),
                REFERENCE => Shows::Warning(Warning::NotForLoan),
                _ => Shows::Nothing,
            },
        };
        let unknown =
            |code, is_card, warning| Practised { code, is_card, name: String::new(), shows: Shows::Warning(warning) };
        let cards = self.patrons.iter().enumerate().map(of_card);
        let cards = cards.chain([unknown(UNKNOWN_CARD, true, Warning::UnknownCard)]);
        let items = self.items.iter().enumerate().map(of_item);
        cards.chain(items).chain([unknown(UNKNOWN_ITEM, false, Warning::UnknownItem)]).collect()
    }

    /// The name of the other library.
    pub fn other_library(&self) -> &str {
        &self.library
    }

    /// Writes it all to an empty store. Gives what is there then.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn write<S: BlockStore>(&self, store: &S, as_of: DeskTime) -> Result<Contents, S::Error> {
        let libraries = [(ELSEWHERE.to_owned(), self.library.clone())].into_iter().into_map();
        let mut contents = Contents { libraries, ..Contents::default() };
        put(store, &mut contents, &self.patrons, as_of).await?;
        put(store, &mut contents, &self.items, as_of).await?;
        put(store, &mut contents, &self.loans, as_of).await?;
        put(store, &mut contents, &self.holds, as_of).await?;
        Ok(contents)
    }
}

async fn put<R: Record, S: BlockStore>(
    store: &S,
    contents: &mut Contents,
    rows: &[R],
    as_of: DeskTime,
) -> Result<(), S::Error> {
    let mut writer = RowWriter::resume(Unfinished::new(contents.new_run()));
    for row in rows {
        // They rise: their numbers are their places.
        let _ = writer.push(row);
    }
    let (blocks, written) = writer.take(true);
    store.write(blocks).await?;
    let held = finish::<R, _>(store, written, as_of).await?;
    contents.sets.insert(R::SET, Held { has_extras: true, ..held });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::zone::FixedZone,
        directory::{
            patron_fact::PatronFact,
            testing::{Library, at, at_once},
            where_to::ReturnWord,
        },
        log::warned::Grade,
        settings::desk::DeskSettings,
    };
    use std::collections::BTreeSet;

    fn made_up(desk: DeskSettings) -> MadeUp {
        let preferences = crate::practice::settings::preferences(Preferences { desk, ..Preferences::default() });
        let words = Words { surname: "Practice", title: "Practice book", library: "Practice branch" };
        MadeUp::new(words, &preferences, at(0))
    }

    fn library(made_up: &MadeUp) -> Library {
        let mut library = Library::default();
        library.contents = at_once(made_up.write(&&library.store, at(0).time())).unwrap();
        library
    }

    /// What stands in the list is what the desk then sees.
    #[test]
    fn each_code_shows_what_is_said_of_it() {
        let made_up = made_up(DeskSettings::default());
        let mut seen = BTreeSet::new();
        for practised in made_up.codes() {
            let library = library(&made_up);
            if practised.is_card {
                let found = library.patron(practised.code).unwrap();
                let facts = found.facts(at(3_600), &FixedZone(60));
                match &practised.shows {
                    Shows::Warning(warning) => assert_eq!(&found.warnings, std::slice::from_ref(warning)),
                    Shows::ToPickUp => assert!(facts.contains(&PatronFact::ToPickUp(1)), "{facts:?}"),
                    shows => assert_eq!((shows, facts.len()), (&Shows::Nothing, 0), "{practised:?}"),
                }
                let name = found.patron.map(|patron| patron.name()).unwrap_or_default();
                assert_eq!(name, practised.name);
                seen.extend(facts.iter().map(PatronFact::grade));
                continue;
            }
            let out = library.checkout(&library.log.issue("9001", practised.code)).unwrap().unwrap();
            let warned: Vec<Warning> = out.of_item.into_iter().map(|about| about.warning).collect();
            seen.extend(warned.iter().map(Warning::grade));
            let back = self::library(&made_up);
            let back = back.checkin(&back.log.back(practised.code)).unwrap().unwrap();
            let word = back.word("HERE");
            seen.extend(word.map(ReturnWord::grade));
            match practised.shows {
                Shows::Warning(warning) => assert_eq!(warned, [warning]),
                Shows::Aside => assert_eq!(word, Some(ReturnWord::SetAside)),
                Shows::Late(days) => assert_eq!(word, Some(ReturnWord::Late(days))),
                Shows::ToLibrary => assert_eq!(word, Some(ReturnWord::Library(ELSEWHERE))),
                Shows::Materials(what) => assert_eq!(word, Some(ReturnWord::Materials(what))),
                shows => assert_eq!((shows, warned.len(), word), (Shows::Nothing, 0, None), "{}", practised.code),
            }
        }
        assert_eq!(seen, [Grade::Stop, Grade::Careful, Grade::Do, Grade::Note].into(), "every grade");
    }

    #[test]
    fn codes_are_found_as_the_library_reads_them() {
        let desk = DeskSettings { item_rules: "libsuite8".into(), ..DeskSettings::default() };
        let made_up = made_up(desk.clone());
        let found = library(&made_up);
        let codes = desk.codes("HERE");
        for practised in made_up.codes().iter().filter(|practised| !practised.is_card && !practised.name.is_empty()) {
            let read = codes.item(practised.code);
            assert_ne!(read, practised.code, "the rule does something");
            let item = found.checkin(&found.log.back(&read)).unwrap().unwrap().item;
            assert_eq!(item.map(|item| item.title), Some(practised.name.clone()));
        }
        assert_eq!(found.contents.libraries.get(ELSEWHERE).unwrap(), made_up.other_library());
    }
}
