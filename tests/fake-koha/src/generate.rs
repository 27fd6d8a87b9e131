//! Libraries of any size, the same for the same seed.

use crate::amount::Amount;
use crate::circulation::due_after;
use crate::names::{
    BEGINNINGS, BRANCHES, CATEGORIES, ITEM_TYPES, MATERIALS, OPAC_NOTES, PEOPLE, RESTRICTIONS, STAFF_NOTES, STREETS,
    SUBJECTS, TOWNS, WORKS, WRITERS,
};
use crate::state::{AccountLine, Branch, Found, Hold, Item, Library, Loan, Patron, Text};

/// The last day of a membership, or of a restriction, that no test will live to see.
pub(crate) const VALID: &str = "2099-12-31";

/// How big a generated library is.
///
/// A million patrons and two million items take about 1.5 GiB and, in a release build, a few seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Patrons, besides the staff.
    pub patrons: usize,
    /// Items.
    pub items: usize,
    /// Of them on loan.
    pub loans: usize,
    /// Holds; a third of them have an item on the shelf or on its way, as far as there are items.
    pub holds: usize,
}

impl Library {
    /// A library with the staff of [`Library::standard`], patrons with the cards 20000000000001 onward, items with the
    /// barcodes 30000000000001 onward, a loan for every eighth item, and no holds.
    pub fn generate(seed: u64, patrons: usize, items: usize) -> Self {
        Self::generate_sized(seed, &Size { patrons, items, loans: if patrons > 0 { items / 8 } else { 0 }, holds: 0 })
    }

    /// As [`Library::generate`], of this size.
    ///
    /// Of a hundred patrons, about ten have expired, three are restricted, two lost the card, three live nobody knows
    /// where, fifteen owe something. Loans go to items at equal distances.
    pub fn generate_sized(seed: u64, size: &Size) -> Self {
        let mut library = Self::with_staff();
        for (code, name) in BRANCHES {
            library.branches.push(Branch { code: code.to_owned(), name: name.to_owned() });
        }
        let codes = ["CPL", "MPL", "FPL"].into_iter().chain(BRANCHES.map(|(code, _)| code)).collect();
        let mut generator = Generator { random: Random(fastrand::Rng::with_seed(seed)), library, codes };
        generator.patrons(size.patrons);
        generator.items(size.items);
        generator.loans(size.loans.min(size.items));
        generator.holds(size.holds);
        generator.library
    }
}

struct Generator {
    random: Random,
    library: Library,
    codes: Vec<&'static str>,
}

impl Generator {
    /// Nearly half is at CPL, as in a town with a main library.
    fn branch(&mut self) -> Text {
        if self.random.one_in(2) { "CPL".into() } else { Text::from(self.random.pick(&self.codes)) }
    }

    fn patrons(&mut self, count: usize) {
        self.library.patrons.reserve_exact(count);
        for number in 1..=count {
            let id = self.library.next_id();
            let patron = self.patron(id, number);
            self.library.patrons.push(patron);
            if self.random.one_in(7) {
                self.debts(id);
            }
        }
    }

    fn patron(&mut self, id: u64, number: usize) -> Patron {
        let random = &mut self.random;
        let mut share = random.below(100);
        let people = PEOPLE.iter().find(|people| {
            let is_it = share < people.share;
            share = share.saturating_sub(people.share);
            is_it
        });
        let people = people.unwrap_or(&PEOPLE[0]);
        let firstname = random.pick(people.firstnames);
        let mut patron = Patron {
            id,
            cardnumber: format!("2{number:013}"),
            surname: random.pick(people.surnames).into(),
            firstname: firstname.into(),
            category: random.pick(&CATEGORIES).into(),
            expiry_date: VALID.into(),
            enrolled_on: random.day(2005, 20).into(),
            date_of_birth: random.day(1935, 82).into(),
            phone: format!("+00 555 {:06}", random.below(1_000_000)).into(),
            address: format!("{} {}", random.pick(&STREETS), random.below(300) + 1).into(),
            city: random.pick(&TOWNS).into(),
            updated_on: format!("{} {}", random.day(2026, 1), random.time()).into(),
            ..Patron::default()
        };
        if random.one_in(2) {
            patron.email = format!("reader{number}@mail.example").into();
        }
        if random.one_in(6) {
            patron.middle_name = random.pick(people.firstnames).into();
        }
        if random.one_in(20) {
            patron.preferred_name = random.pick(people.firstnames).into();
        }
        if random.one_in(10) {
            patron.expiry_date = random.day(2018, 8).into();
        }
        if random.one_in(33) {
            let until = if random.one_in(3) {
                "9999-12-31".into()
            } else {
                Text::from(format!("20{}-06-30", 90 + random.below(9)))
            };
            patron.restricted_until = Some(until);
            patron.restriction_comment = random.pick(&RESTRICTIONS).into();
        } else if random.one_in(50) {
            // Over since long.
            patron.restricted_until = Some(random.day(2019, 5).into());
            patron.restriction_comment = random.pick(&RESTRICTIONS).into();
        }
        patron.card_lost = random.one_in(50);
        patron.address_in_doubt = random.one_in(33);
        if random.one_in(12) {
            patron.staff_note = random.pick(&STAFF_NOTES).into();
        }
        if random.one_in(40) {
            patron.opac_note = random.pick(&OPAC_NOTES).into();
        }
        patron.branch = self.branch();
        patron
    }

    fn debts(&mut self, patron_id: u64) {
        for _ in 0..=self.random.below(2) {
            let cents = i64::try_from(self.random.below(4000)).unwrap_or(0) + 5;
            let amount = Amount::cents(cents);
            let kind = self.random.pick(&["OVERDUE", "LOST", "NEW_CARD"]).into();
            let date = self.random.day(2025, 1).into();
            let outstanding = if self.random.one_in(4) { Amount::cents(cents / 2) } else { amount };
            self.library.account_lines.push(AccountLine { patron_id, kind, date, amount, outstanding });
        }
    }

    fn items(&mut self, count: usize) {
        self.library.items.reserve_exact(count);
        let (mut biblio_id, mut copies) = (0, 0);
        let (mut title, mut author, mut call_number) = (Text::default(), Text::default(), String::new());
        for number in 1..=count {
            if copies == 0 {
                biblio_id += 1;
                copies = 1 + self.random.below(3) * self.random.below(2);
                (title, author) = self.work();
                let class = self.random.below(1000);
                call_number =
                    format!("{class:03}.{} {}", self.random.below(100), &"ABCDEFGHIJKLMNOP"[class % 14..][..3]);
            }
            copies -= 1;
            let id = self.library.next_id();
            let random = &mut self.random;
            let mut item = Item {
                id,
                biblio_id,
                barcode: format!("3{number:013}"),
                title: title.clone(),
                author: author.clone(),
                call_number: call_number.clone().into(),
                item_type: random.pick(&ITEM_TYPES).into(),
                lost: u8::from(random.one_in(200)),
                not_for_loan: u8::from(random.one_in(100)),
                ..Item::default()
            };
            if random.one_in(25) {
                item.materials = random.pick(&MATERIALS).into();
            }
            item.branch = self.branch();
            if self.random.one_in(8) {
                item.holding_branch = self.branch();
            }
            self.library.items.push(item);
        }
    }

    fn work(&mut self) -> (Text, Text) {
        let random = &mut self.random;
        if random.one_in(3) {
            let (title, author) = WORKS[random.below(WORKS.len())];
            return (title.into(), author.into());
        }
        let title = format!("{} {}", random.pick(&BEGINNINGS), random.pick(&SUBJECTS));
        (title.into(), random.pick(&WRITERS).into())
    }

    fn loans(&mut self, count: usize) {
        let staff = self.library.patrons.iter().position(|patron| !patron.cardnumber.starts_with("STAFF"));
        let Some(first) = staff.filter(|_| count > 0) else { return };
        let step = self.library.items.len() / count;
        self.library.loans.reserve_exact(count);
        for number in 1..=count {
            let patron = first + self.random.below(self.library.patrons.len() - first);
            let patron = &self.library.patrons[patron];
            let (patron_id, branch) = (patron.id, patron.branch.clone().into_owned());
            let issued_at = format!("2026-{:02}-{:02} {}", 10, 10 + self.random.below(20), self.random.time());
            let due_at = due_after(&issued_at);
            let id = self.library.next_id();
            let renewals = u32::from(self.random.one_in(5));
            let item = &mut self.library.items[number * step - 1];
            item.on_loan = Some(due_at.clone());
            item.lost = 0;
            item.holding_branch = Text::default();
            let last_renewed_at = (renewals > 0).then(|| issued_at.clone());
            let item_id = item.id;
            self.library.loans.push(Loan {
                id,
                patron_id,
                item_id,
                branch,
                issued_at,
                due_at,
                renewals,
                last_renewed_at,
            });
        }
    }

    /// Every third hold has an item, as far as there are any that are not on loan.
    fn holds(&mut self, count: usize) {
        let (patrons, items) = (self.library.patrons.len(), self.library.items.len());
        if patrons == 0 || items == 0 {
            return;
        }
        let mut last: Option<(u64, u32)> = None;
        let mut next_in = 0;
        for number in 0..count {
            let id = self.library.next_id();
            let patron = &self.library.patrons[self.random.below(patrons)];
            let (patron_id, branch) = (patron.id, patron.branch.clone().into_owned());
            let placed_on: Text = self.random.day(2026, 1).into();
            let mut hold = Hold {
                id,
                patron_id,
                biblio_id: 0,
                item_id: None,
                branch,
                priority: 1,
                placed_on,
                found: None,
                waiting_since: None,
            };
            let free = (next_in..items).find(|index| self.library.items[*index].on_loan.is_none());
            if let Some(index) = free.filter(|_| number % 3 == 0) {
                next_in = index + 1;
                let item = &mut self.library.items[index];
                item.lost = 0;
                item.not_for_loan = 0;
                hold.priority = 0;
                (hold.biblio_id, hold.item_id) = (item.biblio_id, Some(item.id));
                if number % 2 == 0 {
                    hold.found = Some(Found::Waiting);
                    hold.waiting_since = Some("2026-11-20".into());
                    item.holding_branch = hold.branch.clone().into();
                } else {
                    hold.found = Some(Found::InTransit);
                }
            } else {
                // Every other one queues behind the one before.
                let (biblio_id, priority) = match last.filter(|_| self.random.one_in(2)) {
                    Some((biblio_id, priority)) => (biblio_id, priority + 1),
                    None => (self.library.items[items - 1 - self.random.below(items / 2 + 1)].biblio_id, 1),
                };
                (hold.biblio_id, hold.priority) = (biblio_id, priority);
                last = Some((biblio_id, priority));
            }
            self.library.holds.push(hold);
        }
    }
}

/// What is made up at random, from a seed.
struct Random(fastrand::Rng);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0.usize(..limit.max(1))
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// A day in one of this number of years.
    fn day(&mut self, first_year: usize, years: usize) -> String {
        let year = first_year + self.below(years);
        // In the year of the tests nothing lies after October.
        let months = if year == 2026 { 10 } else { 12 };
        format!("{year}-{:02}-{:02}", self.below(months) + 1, self.below(28) + 1)
    }

    fn time(&mut self) -> String {
        format!("{:02}:{:02}:{:02}", 8 + self.below(12), self.below(60), self.below(60))
    }
}
