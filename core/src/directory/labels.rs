//! What a row of the log is called: the item's title and the patron's name, where the records know them.

use super::{Directory, block_store::BlockStore};
use crate::desk::transaction::Transaction;

/// The words for a transaction; empty where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    /// The item's title.
    pub title: String,
    /// The patron's name.
    pub patron: String,
}

/// What the records know of this. Where they cannot be read, a row is as good with its numbers.
pub async fn label<S: BlockStore>(transaction: &Transaction, records: &Directory<S>) -> Label {
    let action = &transaction.action;
    let mut label = Label::default();
    if let Some(barcode) = action.barcode() {
        label.title = title(barcode.as_str(), records).await.unwrap_or_default();
    }
    if let Some(card) = action.cardnumber() {
        label.patron = name(card.as_str(), records).await.unwrap_or_default();
    }
    label
}

/// The title of the item with this barcode; empty where none is known.
///
/// # Errors
/// When the records cannot be read: then nobody knows whether one is known.
pub async fn title<S: BlockStore>(barcode: &str, records: &Directory<S>) -> Result<String, S::Error> {
    Ok(records.item_by_barcode(barcode).await?.map(|item| item.title).unwrap_or_default())
}

/// The name of the patron with this card; empty where none is known.
///
/// # Errors
/// As [`title`].
pub async fn name<S: BlockStore>(card: &str, records: &Directory<S>) -> Result<String, S::Error> {
    Ok(records.patron_by_code(card).await?.map(|patron| patron.name()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Action, Amount, Barcode, Cardnumber,
        directory::{
            Contents,
            record::{Item, Patron},
            testing::{Memory, at, at_once, set},
        },
    };

    #[test]
    fn a_row_is_called_by_title_and_name_as_far_as_they_are_known() {
        let (store, mut contents) = (Memory::default(), Contents::default());
        let patron = Patron { id: 1, cardnumber: "P1".into(), surname: "Austen".into(), ..Patron::default() };
        set(&store, &mut contents, std::slice::from_ref(&patron));
        set(&store, &mut contents, &[Item { id: 2, barcode: "B 1".into(), title: "Emma".into(), ..Item::default() }]);
        let records = Directory::new(&store, contents);
        let of = |action| {
            let label = at_once(label(&Transaction { moment: at(0), action }, &records));
            (label.title, label.patron)
        };
        let (card, barcode) = (Cardnumber::parse("p1").unwrap(), Barcode::parse("b 1").unwrap());
        let name = patron.name();
        let known = of(Action::Issue { cardnumber: card.clone(), barcode: barcode.clone() });
        assert_eq!(known, ("Emma".to_owned(), name.clone()));
        assert_eq!(of(Action::Return { barcode }), ("Emma".to_owned(), String::new()));
        let amount = Amount::parse("1.50").unwrap();
        assert_eq!(of(Action::Payment { cardnumber: card, amount }), (String::new(), name));
        let (card, barcode) = (Cardnumber::parse("P2").unwrap(), Barcode::parse("B 2").unwrap());
        assert_eq!(of(Action::Issue { cardnumber: card, barcode }), Default::default());
        // Damaged records take no row away.
        store.blocks.borrow_mut().values_mut().for_each(|block| *block = [0_u8; 4].into());
        let records = Directory::new(&store, records.contents().clone());
        let barcode = Barcode::parse("b 1").unwrap();
        let label = at_once(label(&Transaction { moment: at(0), action: Action::Return { barcode } }, &records));
        assert_eq!(label, Label::default());
        // Nor is it said of a code that nobody has it.
        assert!(at_once(title("b 1", &records)).is_err() && at_once(super::name("P2", &records)).is_err());
    }
}
