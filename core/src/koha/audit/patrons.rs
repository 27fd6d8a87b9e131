//! The patrons of a commit, as Koha has them now.

use crate::{
    desk::barcode::{Cardnumber, folded, same_code},
    directory::record::Patron,
    koha::{
        Request, Response,
        records::Listed,
        rest::{self, RestCredentials},
    },
    log::Entry,
    settings::form::Settings,
};
use std::collections::HashMap;

pub(super) type RawPatron = <Patron as Listed>::Raw;

/// What is known of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Patrons {
    /// By card, or user name; `None` where Koha has nobody.
    known: HashMap<String, Option<Patron>>,
    asked: Vec<Cardnumber>,
    /// Whether they are asked for by user name.
    by_name: bool,
    is_refused: bool,
    /// Whether this Koha does not add what they owe.
    without_debts: bool,
}

impl Patrons {
    /// Whether some of these are to be asked for.
    pub(super) fn want<'a>(&mut self, cards: impl Iterator<Item = &'a Cardnumber>) -> bool {
        self.asked.clear();
        self.by_name = false;
        if self.is_refused {
            return false;
        }
        for card in cards {
            let is_asked = self.asked.iter().any(|asked| same_code(asked.as_str(), card.as_str()));
            if !is_asked && !self.known.contains_key(&folded(card.as_str())) {
                self.asked.push(card.clone());
            }
        }
        !self.asked.is_empty()
    }

    pub(super) fn request(&self, settings: &Settings, credentials: &RestCredentials, page: u32) -> Request {
        let cards: Vec<&str> = self.asked.iter().map(Cardnumber::as_str).collect();
        let field = if self.by_name { "userid" } else { "cardnumber" };
        rest::patrons_of(settings, credentials, field, &cards, !self.without_debts, page)
    }

    /// Whether the same may be asked once more without debts.
    pub(super) fn ask_for_less(&mut self, response: &Response) -> bool {
        response.status == 400 && !std::mem::replace(&mut self.without_debts, true)
    }

    /// The account may not see them.
    pub(super) fn give_up(&mut self) {
        self.is_refused = true;
    }

    pub(super) fn lacks_debts(&self) -> bool {
        self.without_debts && !self.is_refused
    }

    /// Takes what came. Returns whether to ask once more: who is not found by a card may be by a user name, which newer versions
    /// take for one.
    pub(super) fn add(&mut self, rows: Vec<RawPatron>) -> bool {
        let patrons: Vec<Patron> =
            rows.into_iter().filter_map(|row| Patron::read(row).map(|(patron, _)| patron)).collect();
        let field = if self.by_name {
            |patron: &Patron| patron.userid.clone()
        } else {
            |patron: &Patron| patron.cardnumber.clone()
        };
        for card in std::mem::take(&mut self.asked) {
            match patrons.iter().find(|patron| same_code(&field(patron), card.as_str())) {
                None if !self.by_name => self.asked.push(card),
                found => drop(self.known.insert(folded(card.as_str()), found.cloned())),
            }
        }
        self.by_name = !self.asked.is_empty();
        self.by_name
    }

    /// Whoever is named by a transaction.
    pub(super) fn of(&self, entry: &Entry) -> Option<&Patron> {
        let card = entry.transaction.action.cardnumber()?;
        self.known.get(&folded(card.as_str()))?.as_ref()
    }
}
