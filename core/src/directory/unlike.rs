//! Codes that are like none of the library's, as far as the records show what those are like.

use super::{Contents, Directory, block_store::BlockStore, record::Set};
use crate::desk::{
    barcode::{Barcode, Cardnumber},
    codes::Codes,
    transaction::Action,
};

impl Contents {
    /// The lengths that items' codes have which are numbers, as far as the records tell.
    pub fn lengths_of_items(&self) -> impl Iterator<Item = usize> {
        self.sets.get(&Set::Items).into_iter().flat_map(|held| held.kinds.lengths_of_numbers())
    }
}

impl<S: BlockStore> Directory<S> {
    /// The codes of this action that nobody has and that are like none of the library's: they may have been misread. Not where a person
    /// has set what codes look like: that goes before what was learned. Nothing is read for a code that is as most are.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unlike(&self, action: &Action, codes: &Codes) -> Result<Vec<String>, S::Error> {
        let mut unlike = Vec::new();
        let is_odd = |set: Set, code: &str| self.contents.sets.get(&set).is_some_and(|held| !held.kinds.has(code));
        let card = action.cardnumber().map(Cardnumber::as_str);
        if let Some(card) = card.filter(|card| codes.patrons.is_open(card) && is_odd(Set::Patrons, card))
            && self.patron_by_code(card).await?.is_none()
        {
            unlike.push(card.to_owned());
        }
        let item = action.barcode().map(Barcode::as_str);
        if let Some(item) = item.filter(|item| codes.items.is_open(item) && is_odd(Set::Items, item))
            && self.item_by_barcode(item).await?.is_none()
        {
            unlike.push(item.to_owned());
        }
        Ok(unlike)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Action, Amount, Barcode, Cardnumber,
        desk::{codes::Codes, pattern::CardPattern, shape::Shape},
        directory::{
            Contents, Directory, Held,
            record::{Item, Patron, Set},
            testing::{Memory, at_once, set},
        },
    };

    fn library(memory: &Memory) -> Contents {
        let mut contents = Contents::default();
        let item = |id: u32, barcode: String| Item { id, barcode, ..Item::default() };
        let mut items: Vec<Item> = (1..250).map(|id| item(id, format!("39999{id:09}"))).collect();
        items.extend([item(300, "OLD-7".into()), item(301, String::new())]);
        set(memory, &mut contents, &items);
        let patron = |id: u32, cardnumber: String| Patron { id, cardnumber, ..Patron::default() };
        let mut patrons: Vec<Patron> = (1..250).map(|id| patron(id, format!("23529{id:09}"))).collect();
        patrons.push(Patron { userid: "vera".into(), ..patron(250, "23529000000250".into()) });
        set(memory, &mut contents, &patrons);
        contents
    }

    fn issue(card: &str, item: &str) -> Action {
        let (cardnumber, barcode) = (Cardnumber::parse(card).unwrap(), Barcode::parse(item).unwrap());
        Action::Issue { cardnumber, barcode }
    }

    #[test]
    fn what_nobody_has_and_is_like_none_is_found() {
        let memory = Memory::default();
        let directory = Directory::new(&memory, library(&memory));
        let unlike = |action: &Action, codes: &Codes| at_once(directory.unlike(action, codes)).unwrap();
        let codes = Codes::default();
        assert_eq!(directory.contents().lengths_of_items().collect::<Vec<_>>(), [14]);
        let reads = memory.reads.get();
        for usual in [issue("23529000000001", "39999000000001"), issue("23529999999999", "39999999999999")] {
            assert!(unlike(&usual, &codes).is_empty());
        }
        assert_eq!(memory.reads.get(), reads, "nothing is read for what is as most are");
        for known in [issue("VERA", "39999000000001"), issue("23529000000001", "old-7")] {
            assert!(unlike(&known, &codes).is_empty(), "{known:?}");
        }
        let both = issue("2352900000001", "3999900000001");
        assert_eq!(unlike(&both, &codes), ["2352900000001", "3999900000001"], "one says nothing of the other");
        let changed = issue("39999000000001", "2352900000001");
        assert_eq!(unlike(&changed, &codes), ["39999000000001", "2352900000001"]);
        for (odd, code) in [
            (issue("2352900000001", "39999000000001"), "2352900000001"),
            (issue("23529000000001", "3999900000001"), "3999900000001"),
            (issue("23529000000001", "40000000000001"), "40000000000001"),
            (Action::Return { barcode: Barcode::parse("OLD-8").unwrap() }, "OLD-8"),
            (
                Action::Payment {
                    cardnumber: Cardnumber::parse("ver").unwrap(),
                    amount: Amount::parse("1.00").unwrap(),
                },
                "ver",
            ),
        ] {
            assert_eq!(unlike(&odd, &codes), [code], "{odd:?}");
        }
        let taught = Codes {
            items: Shape::default().and_also(CardPattern::parse("4000##########").ok()),
            patrons: Shape::parse("13, 14", false).unwrap(),
            ..Codes::default()
        };
        assert!(unlike(&issue("2352900000001", "40000000000001"), &taught).is_empty(), "it is set, and it is taught");
    }

    #[test]
    fn records_of_an_earlier_version_have_taught_nothing() {
        let memory = Memory::default();
        let mut contents = library(&memory);
        let stored = serde_json::to_string(&contents).unwrap();
        assert_eq!(serde_json::from_str::<Contents>(&stored).unwrap(), contents);
        for (_, held) in &mut contents.sets {
            let mut earlier = serde_json::to_value(&*held).unwrap();
            assert!(earlier.as_object_mut().unwrap().remove("kinds").is_some());
            *held = serde_json::from_value::<Held>(earlier).unwrap();
        }
        let directory = Directory::new(&memory, contents);
        assert!(directory.has(Set::Items));
        assert!(at_once(directory.unlike(&issue("1", "2"), &Codes::default())).unwrap().is_empty());
    }
}
