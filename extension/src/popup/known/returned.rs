//! What came back: where it goes. Who had it is not said: the screen faces the public.

use super::lookup::Lookups;
use crate::{
    dom::elements,
    i18n::{plural, text, text_with},
    popup::{Panel, scan::sitting::SittingLists},
    wording,
};
use koct_core::{
    Entry, TransactionId,
    directory::{
        holder,
        item_now::ReturnFound,
        where_to::{ReturnWord, WhereTo},
    },
    log::{event::LogEvent, said::Said, warned::Grade},
};
use std::{cell::RefCell, rc::Rc};
use web_sys::{Element, HtmlElement};

elements! {
    pub(crate) struct Returned(lookups: Rc<Lookups>, lists: Rc<SittingLists>) {
        panel: HtmlElement = "checkin-panel",
        where_to: Element = "returned-where",
        about: Element = "returned-title",
        ;
        /// The checkin that is shown.
        shown: RefCell<Option<Entry>>,
    }
}

impl Panel for Returned {
    /// What was taken back, cleared, or turned out to be another item is not shown.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        let is_other = |shown: &Entry| {
            let now = event.entries().iter().find(|entry| entry.id == shown.id);
            event.is_gone(shown.id) || now.is_some_and(|now| !holder::is_up_to_date(shown, now))
        };
        let hides = self.shown.borrow().as_ref().is_some_and(is_other);
        if hides {
            self.hide();
        }
    }

    /// The checkin that is shown, if one is.
    fn kept(&self) -> Vec<TransactionId> {
        self.shown.borrow().iter().map(|entry| entry.id).collect()
    }

    fn records_changed(self: Rc<Self>, are_there: bool) {
        if !are_there {
            self.hide();
        }
    }
}

impl Returned {
    /// Shows nothing; no name stays in the page.
    fn hide(&self) {
        *self.shown.borrow_mut() = None;
        for name in ["data-grade", "data-elsewhere", "title"] {
            let _ = self.panel.remove_attribute(name);
        }
        for part in [&self.where_to, &self.about] {
            part.set_text_content(None);
        }
    }

    /// Shows this, in place of what came back before.
    pub(crate) fn show(&self, entry: &Entry, found: &ReturnFound) {
        *self.shown.borrow_mut() = Some(entry.clone());
        let item = found.item.as_ref();
        let title = item.map(|item| item.title.as_str()).unwrap_or_default();
        let barcode = found.barcode.to_string();
        let materials = Some(found.materials()).filter(|materials| !materials.is_empty());
        let materials = materials.map(|materials| text_with("returnedMaterials", &[materials]));
        let late = found.late().map(|days| plural("returnedLate", days, &[]));
        let mut about = vec![title.to_owned()];
        let here = self.lookups.own_library();
        let where_to = found.where_to(&here);
        let words = match where_to {
            WhereTo::SetAside { who, pickup } => {
                about.insert(0, text_with("returnedPickup", &[&self.lookups.library_name(pickup)]));
                about.extend(item.map(|item| item.call_number.clone()));
                match who {
                    Some(who) => text_with("returnedAsideFor", &[&who.name()]),
                    None => text("returnedAside"),
                }
            }
            WhereTo::Unknown => text("returnedUnknown"),
            WhereTo::Library(library) => {
                about.extend(item.map(|item| item.call_number.clone()));
                text_with("returnedSendTo", &[&self.lookups.library_name(library)])
            }
            WhereTo::Shelf { call_number: "" } => text("returnedShelf"),
            WhereTo::Shelf { call_number } => text_with("returnedShelfAt", &[call_number]),
            WhereTo::Nowhere => barcode.clone(),
        };
        about.extend(found.marks().map(|mark| self.in_words(mark)));
        about.extend(materials);
        about.extend(late);
        about.push(barcode);
        let grade = found.word(&here).map_or(Grade::Note, ReturnWord::grade);
        let _ = self.panel.set_attribute("data-grade", grade.name());
        let _ = self.panel.toggle_attribute_with_force("data-elsewhere", matches!(where_to, WhereTo::Library(_)));
        self.where_to.set_text_content(Some(&wording::harmless(&words)));
        self.where_to.set_class_name("clip sign");
        let _ = self.where_to.set_attribute("data-grade", grade.name());
        let line = wording::joined(about.iter().filter(|part| !part.is_empty() && **part != words));
        self.about.set_text_content(Some(&wording::harmless(&line)));
        let _ = self.panel.set_attribute("title", &format!("{words}\n{line}"));
        self.tell(entry, found);
    }

    /// Says in its row where it goes.
    pub(super) fn tell(&self, entry: &Entry, found: &ReturnFound) {
        let here = self.lookups.own_library();
        let word = found.word(&here).map(|word| (word.grade(), self.in_words(word)));
        let place = found.where_to(&here).shelf().to_owned();
        self.lists.tell(entry, Said { word, place, ..Said::default() });
    }

    fn in_words(&self, word: ReturnWord<'_>) -> String {
        match word {
            ReturnWord::SetAside => text("shortAside"),
            ReturnWord::Library(library) => self.lookups.library_name(library),
            ReturnWord::Unknown => text("shortUnknownItem"),
            ReturnWord::Lost => text("shortLostItem"),
            ReturnWord::Withdrawn => text("shortWithdrawn"),
            ReturnWord::Materials(materials) => text_with("returnedMaterials", &[materials]),
            ReturnWord::Late(days) => plural("returnedLate", days, &[]),
        }
    }
}
