//! Where an item goes that came back: the one thing that a person at the desk has to know.

use super::{
    item_now::{ItemWarning, ReturnFound},
    record::Patron,
};
use crate::{
    desk::barcode::same_code,
    log::warned::{Grade, Warning},
};

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhereTo<'a> {
    /// To the hold shelf, for somebody, at the library of this branch code.
    SetAside {
        /// Who waits; `None` where that is not known.
        who: Option<&'a Patron>,
        /// Where they pick it up.
        pickup: &'a str,
    },
    /// To another library, of this branch code: its home.
    Library(&'a str),
    /// To its place. The call number is empty where it is not known.
    Shelf {
        /// Where it stands.
        call_number: &'a str,
    },
    /// Nobody knows the item: the book itself is to be looked at.
    Unknown,
    /// Nothing is known of items here.
    Nowhere,
}

impl<'a> WhereTo<'a> {
    /// The call number of its place; empty where it goes elsewhere, or where that is not known.
    pub fn shelf(self) -> &'a str {
        match self {
            Self::Shelf { call_number } => call_number,
            _ => "",
        }
    }
}

/// What is to be said of it beside its title, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnWord<'a> {
    /// It is to be set aside.
    SetAside,
    /// It goes to the library of this branch code.
    Library(&'a str),
    /// Nobody knows it.
    Unknown,
    /// Koha has marked it as lost: it is found.
    Lost,
    /// Koha has marked it as withdrawn: it belongs on no shelf.
    Withdrawn,
    /// This must have come with it.
    Materials(&'a str),
    /// It came this number of days late.
    Late(u32),
}

impl ReturnWord<'_> {
    /// What that asks for.
    pub fn grade(self) -> Grade {
        match self {
            Self::SetAside | Self::Library(_) => Grade::Do,
            Self::Unknown | Self::Lost | Self::Withdrawn | Self::Materials(_) => Grade::Careful,
            Self::Late(_) => Grade::Note,
        }
    }
}

impl ReturnFound {
    /// Where the item goes from the library of this branch code.
    pub fn where_to(&self, here: &str) -> WhereTo<'_> {
        let here = here.trim();
        let is_elsewhere = |library: &&str| !library.is_empty() && !here.is_empty() && !same_code(library, here);
        let home = self.item.as_ref().map(|item| item.library.as_str()).filter(is_elsewhere);
        let place = |about: &ItemWarning| matches!(about.warning, Warning::Hold { .. } | Warning::UnknownItem);
        match self.warnings.iter().find(|about| place(about)) {
            Some(ItemWarning { warning: Warning::Hold { pickup, .. }, who }) => {
                WhereTo::SetAside { who: who.as_ref(), pickup }
            }
            Some(_) => WhereTo::Unknown,
            None => match (home, &self.item) {
                (Some(library), _) => WhereTo::Library(library),
                (None, Some(item)) => WhereTo::Shelf { call_number: &item.call_number },
                (None, None) => WhereTo::Nowhere,
            },
        }
    }

    /// The one word that matters most: where it goes, unless that is its shelf; else what Koha has marked it as; else a disc that may not be in its box, which is
    /// missed today; else a fine, which nobody computes.
    pub fn word(&self, here: &str) -> Option<ReturnWord<'_>> {
        match self.where_to(here) {
            WhereTo::SetAside { .. } => Some(ReturnWord::SetAside),
            WhereTo::Library(library) => Some(ReturnWord::Library(library)),
            WhereTo::Unknown => Some(ReturnWord::Unknown),
            WhereTo::Shelf { .. } | WhereTo::Nowhere => {
                let marked = self.marks().next();
                let materials = Some(self.materials()).filter(|materials| !materials.is_empty());
                let materials = || materials.map(ReturnWord::Materials);
                marked.or_else(materials).or_else(|| self.late().map(ReturnWord::Late))
            }
        }
    }

    /// What Koha has marked it as, where that is to be seen to.
    pub fn marks(&self) -> impl Iterator<Item = ReturnWord<'static>> {
        self.warnings.iter().filter_map(|about| match about.warning {
            Warning::LostItem => Some(ReturnWord::Lost),
            Warning::Withdrawn => Some(ReturnWord::Withdrawn),
            _ => None,
        })
    }

    /// By how many days it came late; `None` where it did not, or came on the day itself.
    pub fn late(&self) -> Option<u32> {
        self.loan.as_ref().and_then(|loan| loan.late).filter(|days| *days > 0)
    }

    /// What belongs to it and must have come with it; empty where that is nothing, or not known.
    pub fn materials(&self) -> &str {
        self.item.as_ref().map_or("", |item| &item.materials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Barcode,
        directory::{item_now::LoanEnded, record::Item},
    };

    #[test]
    fn it_goes_to_whoever_waits_or_to_its_shelf_or_into_a_hand() {
        let item =
            Item { call_number: "010 CAL".into(), materials: "2 CDs".into(), library: "CPL".into(), ..Item::default() };
        let anna = Patron { surname: "Anna".into(), ..Patron::default() };
        let word = |found: &ReturnFound, here| found.word(here).map(|word| (format!("{word:?}"), word.grade()));
        let is = |word: &str, grade| Some((word.to_owned(), grade));
        let of = |item: Option<Item>, warnings: Vec<ItemWarning>| ReturnFound {
            barcode: Barcode::parse("B").unwrap(),
            item,
            loan: Some(LoanEnded { late: Some(3), ..LoanEnded::default() }),
            warnings,
        };
        let warning = |warning, who| ItemWarning { warning, who };
        let hold = || Warning::Hold { hold: 7, pickup: "MPL".into() };
        let for_anna = of(Some(item.clone()), vec![warning(hold(), Some(anna.clone()))]);
        assert_eq!(for_anna.where_to("CPL"), WhereTo::SetAside { who: Some(&anna), pickup: "MPL" });
        assert_eq!(
            [for_anna.where_to("CPL").shelf(), WhereTo::Shelf { call_number: "010 CAL" }.shelf()],
            ["", "010 CAL"]
        );
        assert_eq!(word(&for_anna, "CPL"), is("SetAside", Grade::Do));
        assert_eq!((for_anna.late(), for_anna.materials()), (Some(3), "2 CDs"));
        let shelf = of(Some(item), vec![]);
        assert_eq!(shelf.where_to("cpl"), WhereTo::Shelf { call_number: "010 CAL" });
        assert_eq!(word(&shelf, "cpl"), is("Materials(\"2 CDs\")", Grade::Careful), "it is missed today");
        assert_eq!(shelf.where_to("MPL"), WhereTo::Library("CPL"));
        assert_eq!(word(&shelf, "MPL"), is("Library(\"CPL\")", Grade::Do));
        let lost = ReturnFound { warnings: vec![warning(Warning::LostItem, None)], ..shelf.clone() };
        assert_eq!(word(&lost, "CPL"), is("Lost", Grade::Careful), "before what must have come with it");
        assert_eq!(word(&lost, "MPL"), is("Library(\"CPL\")", Grade::Do), "whoever opens the box there sees to it");
        let withdrawn = ReturnFound { warnings: vec![warning(Warning::Withdrawn, None)], ..shelf.clone() };
        assert_eq!(word(&withdrawn, "CPL"), is("Withdrawn", Grade::Careful));
        let alone = |late| ReturnFound {
            loan: Some(LoanEnded { late: Some(late), ..LoanEnded::default() }),
            ..of(Some(Item::default()), vec![])
        };
        assert_eq!(word(&alone(3), "CPL"), is("Late(3)", Grade::Note));
        assert_eq!(word(&alone(0), "CPL"), None, "on the day itself");
        assert_eq!(
            shelf.where_to(" "),
            WhereTo::Shelf { call_number: "010 CAL" },
            "a desk that does not say where it is"
        );
        let unknown = of(None, vec![warning(Warning::UnknownItem, None)]);
        assert_eq!((unknown.where_to("CPL"), word(&unknown, "CPL")), (WhereTo::Unknown, is("Unknown", Grade::Careful)));
        let nothing = ReturnFound { loan: None, ..of(None, vec![]) };
        assert_eq!((nothing.where_to("CPL"), nothing.late(), nothing.materials()), (WhereTo::Nowhere, None, ""));
    }
}
