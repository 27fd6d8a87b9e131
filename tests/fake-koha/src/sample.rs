//! Libraries to start with: a small one by hand, and big ones from a seed.

use crate::amount::Amount;
use crate::auth::Flag;
use crate::state::{AccountLine, Branch, Hold, Item, Library, Patron};

const SURNAMES: [&str; 16] = [
    "Acosta",
    "Bretón",
    "Čermák",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Giordano",
    "Hernández",
    "Ito",
    "Jansen",
    "Kowalska",
    "Łukasik",
    "Moreau",
    "Nguyễn",
    "Okafor",
    "Peña",
];
const FIRSTNAMES: [&str; 14] = [
    "Edna",
    "Étienne",
    "Jiří",
    "Marie",
    "Anders",
    "Greta",
    "Luca",
    "María José",
    "Yuki",
    "Pieter",
    "Zofia",
    "Chloé",
    "Minh",
    "Ada",
];
const TITLES: [&str; 24] = [
    "The Secret Garden",
    "Les Misérables",
    "Cien años de soledad",
    "Osudy dobrého vojáka Švejka",
    "Die Verwandlung",
    "Pride and Prejudice",
    "Moby-Dick, or, The Whale",
    "Le Petit Prince",
    "Il nome della rosa",
    "Kristin Lavransdatter",
    "吾輩は猫である",
    "Frankenstein",
    "A Wizard of Earthsea",
    "Alice's Adventures in Wonderland",
    "Don Quijote",
    "Babička",
    "Buddenbrooks",
    "The Left Hand of Darkness",
    "Middlemarch",
    "L'Étranger",
    "Ficciones",
    "Rozprávky & <povesti>",
    "Things Fall Apart",
    "Momo",
];
const AUTHORS: [&str; 8] = [
    "Burnett, Frances Hodgson",
    "Hugo, Victor",
    "García Márquez, Gabriel",
    "Hašek, Jaroslav",
    "Kafka, Franz",
    "Austen, Jane",
    "Le Guin, Ursula K.",
    "Němcová, Božena",
];

/// The last day of a membership that no test will live to see.
const VALID: &str = "2099-12-31";

impl Library {
    /// A small library with three branches, five staff accounts, twenty patrons and sixty items.
    ///
    /// | account (its password is its name) | may | branch |
    /// |---|---|---|
    /// | `koha` (card `STAFF001`) | everything | CPL |
    /// | `circ` | circulate, catalogue | CPL |
    /// | `circonly` | circulate | MPL |
    /// | `noperm` | catalogue | CPL |
    /// | `patron1` (card 23529001223601) | nothing: a plain patron | CPL |
    ///
    /// Patrons have the cards 23529001223601 to 23529001223620: …603 has expired, …604 is restricted, …605 lost the
    /// card, …606 owes 15.75, …607's address is in doubt, …608 owes 3.00 and 9.50. Items have the barcodes
    /// 39999000000001 to 39999000000057, and `BC WITH SPACE`, `código-é60` and `LONG-BARCODE-OF-24-CHARS`. …010 is
    /// wanted by …609 and then …610, the copy …011 by …611; …012 is lost, …013 is not for loan.
    pub fn standard() -> Self {
        let mut library = Self::with_staff();
        for number in 0..20_usize {
            let id = library.next_id();
            let mut patron = Patron {
                id,
                cardnumber: format!("235290012236{:02}", number + 1),
                surname: SURNAMES[number % SURNAMES.len()].to_owned(),
                firstname: FIRSTNAMES[number % FIRSTNAMES.len()].to_owned(),
                branch: ["CPL", "MPL", "FPL"][number % 3].to_owned(),
                category: "PT".to_owned(),
                expiry_date: VALID.to_owned(),
                ..Patron::default()
            };
            match number + 1 {
                1 => {
                    "patron1".clone_into(&mut patron.userid);
                    "patron1".clone_into(&mut patron.password);
                }
                3 => "2020-01-31".clone_into(&mut patron.expiry_date),
                4 => patron.restricted_until = Some(VALID.to_owned()),
                5 => patron.card_lost = true,
                7 => patron.address_in_doubt = true,
                _ => {}
            }
            library.patrons.push(patron);
        }
        for (card, cents) in [("23529001223606", 1575), ("23529001223608", 300), ("23529001223608", 950)] {
            library.owe(card, Amount::cents(cents));
        }
        for number in 1..=60_usize {
            let barcode = match number {
                58 => "BC WITH SPACE".to_owned(),
                59 => "LONG-BARCODE-OF-24-CHARS".to_owned(),
                60 => "código-é60".to_owned(),
                _ => format!("399990000000{number:02}"),
            };
            library.add_item(number, barcode);
        }
        if let Some(item) = library.item_mut("39999000000012") {
            item.lost = 1;
        }
        if let Some(item) = library.item_mut("39999000000013") {
            item.not_for_loan = 1;
        }
        library.hold("23529001223609", "39999000000010", false);
        library.hold("23529001223610", "39999000000010", false);
        library.hold("23529001223611", "39999000000011", true);
        library
    }

    /// A library of any size, the same for the same seed: the staff of [`Library::standard`], patrons with the cards
    /// 20000000000001 onward, items with the barcodes 30000000000001 onward, a loan for every eighth item.
    pub fn generate(seed: u64, patrons: usize, items: usize) -> Self {
        let mut library = Self::with_staff();
        let mut random = Random(seed);
        for number in 1..=patrons {
            let id = library.next_id();
            library.patrons.push(Patron {
                id,
                cardnumber: format!("2{number:013}"),
                surname: random.pick(&SURNAMES).to_owned(),
                firstname: random.pick(&FIRSTNAMES).to_owned(),
                branch: random.pick(&["CPL", "MPL", "FPL"]).to_owned(),
                category: "PT".to_owned(),
                expiry_date: random.pick(&[VALID, VALID, VALID, "2020-01-31"]).to_owned(),
                ..Patron::default()
            });
        }
        for number in 1..=items {
            let title = random.below(TITLES.len());
            library.add_item(title + 1, format!("3{number:013}"));
            if let Some(item) = library.items.last_mut() {
                item.biblio_id = u64::try_from(number).unwrap_or(u64::MAX);
            }
            if patrons > 0 && number % 8 == 0 {
                let card = format!("2{:013}", random.below(patrons) + 1);
                library.lend_before(&card, &format!("3{number:013}"), "2026-11-02 10:00:00");
            }
        }
        library
    }

    /// The branches and the accounts of the staff.
    fn with_staff() -> Self {
        let mut library = Self::default();
        for (code, name) in [("CPL", "Centerville"), ("MPL", "Midway"), ("FPL", "Fairview")] {
            library.branches.push(Branch { code: code.to_owned(), name: name.to_owned() });
        }
        for (number, name, branch, permissions) in [
            (1, "koha", "CPL", vec![Flag::Superlibrarian]),
            (2, "circ", "CPL", vec![Flag::Circulate, Flag::Catalogue]),
            (3, "circonly", "MPL", vec![Flag::Circulate]),
            (4, "noperm", "CPL", vec![Flag::Catalogue]),
        ] {
            let id = library.next_id();
            library.patrons.push(Patron {
                id,
                cardnumber: format!("STAFF{number:03}"),
                userid: name.to_owned(),
                password: name.to_owned(),
                surname: "Staff".to_owned(),
                firstname: name.to_owned(),
                branch: branch.to_owned(),
                category: "S".to_owned(),
                expiry_date: VALID.to_owned(),
                permissions,
                ..Patron::default()
            });
        }
        library
    }

    fn add_item(&mut self, number: usize, barcode: String) {
        let id = self.next_id();
        let title = (number - 1) % TITLES.len();
        self.items.push(Item {
            id,
            biblio_id: u64::try_from(number).unwrap_or_default(),
            barcode,
            title: TITLES[title].to_owned(),
            author: AUTHORS[title % AUTHORS.len()].to_owned(),
            branch: ["CPL", "MPL", "FPL"][number % 3].to_owned(),
            ..Item::default()
        });
    }

    /// Adds a debt. Does nothing for an unknown card.
    pub fn owe(&mut self, cardnumber: &str, amount: Amount) {
        if let Some(patron_id) = self.patron(cardnumber).map(|patron| patron.id) {
            self.account_lines.push(AccountLine { patron_id, kind: "OVERDUE".to_owned(), amount, outstanding: amount });
        }
    }

    /// Places a hold on the title of an item, or on that copy alone. Does nothing if either is unknown.
    pub fn hold(&mut self, cardnumber: &str, barcode: &str, this_copy: bool) {
        let (Some(patron), Some(item)) = (self.patron(cardnumber), self.item(barcode)) else { return };
        let (patron_id, branch) = (patron.id, patron.branch.clone());
        let (biblio_id, item_id) = (item.biblio_id, this_copy.then_some(item.id));
        let before = self.holds.iter().filter(|hold| hold.biblio_id == biblio_id).count();
        let priority = u32::try_from(before + 1).unwrap_or(u32::MAX);
        let id = self.next_id();
        self.holds.push(Hold { id, patron_id, biblio_id, item_id, branch, priority });
    }
}

/// Splitmix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}
