//! The library to start with: a small one, made by hand.

use crate::amount::Amount;
use crate::auth::Flag;
use crate::generate::VALID;
use crate::state::{AccountLine, ApiKey, Branch, Hold, Item, Library, Loan, Patron, Report};

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

/// When everything in the small library was last changed, server-local.
const UPDATED: &str = "2026-11-02 09:00:00";

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
    /// wanted by …609 and then …610, the copy …011 by …611; …012 is lost, …013 is not for loan. Report 1 says who is
    /// restricted.
    pub fn standard() -> Self {
        let mut library = Self::with_staff();
        for number in 0..20_usize {
            let id = library.next_id();
            let mut patron = Patron {
                id,
                cardnumber: format!("235290012236{:02}", number + 1),
                surname: SURNAMES[number % SURNAMES.len()].into(),
                firstname: FIRSTNAMES[number % FIRSTNAMES.len()].into(),
                branch: ["CPL", "MPL", "FPL"][number % 3].into(),
                category: "PT".into(),
                expiry_date: VALID.into(),
                updated_on: UPDATED.into(),
                ..Patron::default()
            };
            match number + 1 {
                1 => {
                    "patron1".clone_into(&mut patron.userid);
                    "patron1".clone_into(&mut patron.password);
                }
                3 => patron.expiry_date = "2020-01-31".into(),
                4 => {
                    patron.restricted_until = Some(VALID.into());
                    patron.restriction_comment = "Lost an atlas".into();
                }
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

    /// The branches and the accounts of the staff.
    pub(crate) fn with_staff() -> Self {
        let mut library = Self::default();
        library.reports.insert(1, Report::Restrictions);
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
                surname: "Staff".into(),
                firstname: name.into(),
                branch: branch.into(),
                category: "S".into(),
                expiry_date: VALID.into(),
                updated_on: UPDATED.into(),
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
            title: TITLES[title].into(),
            author: AUTHORS[title % AUTHORS.len()].into(),
            branch: ["CPL", "MPL", "FPL"][number % 3].into(),
            ..Item::default()
        });
    }

    /// Adds an account of the staff at CPL, whose password is its name, with these permissions.
    pub fn add_account(&mut self, userid: &'static str, permissions: &[Flag]) {
        let id = self.next_id();
        self.patrons.push(Patron {
            id,
            cardnumber: format!("STAFF-{userid}"),
            userid: userid.to_owned(),
            password: userid.to_owned(),
            surname: "Staff".into(),
            firstname: userid.into(),
            branch: "CPL".into(),
            category: "S".into(),
            expiry_date: VALID.into(),
            updated_on: UPDATED.into(),
            permissions: permissions.to_vec(),
            ..Patron::default()
        });
    }

    /// Gives an account a key of the REST API. Does nothing for an unknown name.
    pub fn add_api_key(&mut self, userid: &str, client_id: &str, secret: &str) {
        if let Some(patron_id) = self.account(userid).map(|patron| patron.id) {
            let (client_id, secret) = (client_id.to_owned(), secret.to_owned());
            self.api_keys.push(ApiKey { client_id, secret, patron_id, active: true });
        }
    }

    /// Adds a debt. Does nothing for an unknown card.
    pub fn owe(&mut self, cardnumber: &str, amount: Amount) {
        if let Some(patron_id) = self.patron(cardnumber).map(|patron| patron.id) {
            let (kind, date) = ("OVERDUE".into(), UPDATED[..10].into());
            self.account_lines.push(AccountLine { patron_id, kind, date, amount, outstanding: amount });
        }
    }

    /// Lends an item until then (`YYYY-MM-DD HH:MM:SS`, server-local). Does nothing if either is unknown.
    pub fn lend_until(&mut self, cardnumber: &str, barcode: &str, due: &str) {
        let Some(patron_id) = self.patron(cardnumber).map(|patron| patron.id) else { return };
        let Some(item) = self.item_mut(barcode) else { return };
        item.on_loan = Some(due.to_owned());
        let item_id = item.id;
        let id = self.next_id();
        self.loans.push(Loan {
            id,
            patron_id,
            item_id,
            branch: "CPL".to_owned(),
            issued_at: "2026-10-01 10:00:00".to_owned(),
            due_at: due.to_owned(),
            renewals: 0,
            last_renewed_at: None,
        });
    }

    /// Places a hold on the title of an item, or on that copy alone. Does nothing if either is unknown.
    pub fn hold(&mut self, cardnumber: &str, barcode: &str, this_copy: bool) {
        let (Some(patron), Some(item)) = (self.patron(cardnumber), self.item(barcode)) else { return };
        let (patron_id, branch) = (patron.id, patron.branch.clone().into_owned());
        let (biblio_id, item_id) = (item.biblio_id, this_copy.then_some(item.id));
        let before = self.holds.iter().filter(|hold| hold.biblio_id == biblio_id).count();
        let priority = u32::try_from(before + 1).unwrap_or(u32::MAX);
        let id = self.next_id();
        let placed_on = UPDATED[..10].into();
        self.holds.push(Hold {
            id,
            patron_id,
            biblio_id,
            item_id,
            branch,
            priority,
            placed_on,
            found: None,
            waiting_since: None,
        });
    }
}
