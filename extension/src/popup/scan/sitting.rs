//! What was recorded in this sitting, under the fields: the checkouts of the patron whose card is there, and the checkins; the
//! newest on top, each with its title and with what it asks for.

use crate::{
    dom::{self, elements},
    i18n::{text, text_with},
    locale,
    popup::{Desk, Panel, known::labels::Labels},
    wording,
};
use koct_core::{
    Entry, TransactionId,
    directory::labels::Label,
    log::{
        event::LogEvent,
        said::{RowWord, Said, SaidOfScans, ScanRow},
        sitting::{is_checkin, is_checkout_of},
        warned::{Grade, Warned},
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// The number that are listed: the table has all.
const LISTED: usize = 60;

elements! {
    pub(crate) struct SittingLists(desk: Rc<Desk>, labels: Rc<Labels>) {
        cardnumber: HtmlInputElement = "checkout-patron",
        aside: HtmlElement = "checkin-aside",
        ;
        checkouts: List = List::new("patron-items")?,
        checkins: List = List::new("checkin-items")?,
        said: RefCell<SaidOfScans>,
        /// Whether titles are looked up.
        labelling: Cell<bool>,
    }
}

struct List {
    title: Element,
    items: Element,
    empty: HtmlElement,
    /// The newest first.
    rows: RefCell<VecDeque<SittingRow>>,
}

struct SittingRow {
    entry: Entry,
    /// `None` until it was looked up.
    label: Option<Label>,
    element: HtmlElement,
}

impl List {
    fn new(id: &str) -> Result<Self, JsValue> {
        Ok(Self {
            title: dom::by_id(&format!("{id}-title"))?,
            items: dom::by_id(&format!("{id}-list"))?,
            empty: dom::by_id(&format!("{id}-empty"))?,
            rows: RefCell::default(),
        })
    }

    /// How many there are.
    fn title(&self, key: &str, number: usize) {
        let words = (number > 0).then(|| text_with(key, &[&locale::number(number)]));
        self.title.set_text_content(words.as_deref());
        self.empty.set_hidden(number > 0);
    }

    /// Shows these, the newest first.
    fn show(&self, rows: VecDeque<SittingRow>) {
        dom::set_children(&self.items, rows.iter().map(|row| &row.element));
        self.rows.replace(rows);
    }

    /// Shows one more at the top.
    fn put(&self, row: SittingRow) {
        let _ = self.items.prepend_with_node_1(&row.element);
        let mut rows = self.rows.borrow_mut();
        rows.push_front(row);
        if rows.len() > LISTED
            && let Some(last) = rows.pop_back()
        {
            last.element.remove();
        }
    }

    /// The first that nobody has looked up yet.
    fn unlabelled(&self) -> Option<Entry> {
        self.rows.borrow().iter().find(|row| row.label.is_none()).map(|row| row.entry.clone())
    }
}

impl Panel for SittingLists {
    /// One that was recorded just now is shown at once; what it asks for, as soon as that is known; everything else at the next
    /// drawing.
    fn follow(self: Rc<Self>, event: &LogEvent) {
        match event {
            LogEvent::Recorded(entry) => self.add(entry),
            LogEvent::Changed(entries) => entries.iter().for_each(|entry| self.renew(entry)),
            LogEvent::Reload(_) => self.draw(),
            LogEvent::Committed => {}
        }
    }

    fn draw(self: Rc<Self>) {
        if self.desk.sitting_changed.get() {
            self.show();
        }
    }

    /// Without the records no name and no title stays.
    fn records_changed(self: Rc<Self>, are_there: bool) {
        if !are_there {
            self.said.borrow_mut().clear();
        }
        self.show();
    }
}

impl SittingLists {
    pub(crate) fn bind(self: &Rc<Self>) {
        dom::bind(&self.aside, "click", self, |this| {
            dom::set_flag(&this.aside, "aria-pressed", !this.shows_aside());
            this.show();
        });
    }

    /// The patron, or what was recorded in this sitting, has changed.
    pub(crate) fn show(self: &Rc<Self>) {
        self.desk.sitting_changed.set(false);
        {
            let sitting = self.desk.sitting.borrow();
            let of_patron = sitting.checkouts_of(&self.cardnumber.value());
            self.fill(&self.checkouts, &of_patron);
            self.checkouts.title("patronItems", of_patron.len());
            let checkins = sitting.checkins();
            let aside = checkins.iter().filter(|entry| entry.set_aside().is_some());
            let aside: Vec<&Entry> = aside.copied().collect();
            let only_aside = self.shows_aside() && !aside.is_empty();
            self.fill(&self.checkins, if only_aside { &aside } else { &checkins });
            self.checkins.title("checkinItems", checkins.len());
            self.show_aside(aside.len());
        }
        self.label_rows();
    }

    /// Whether those alone are listed that are to be set aside.
    fn shows_aside(&self) -> bool {
        self.aside.get_attribute("aria-pressed").as_deref() == Some("true")
    }

    fn show_aside(&self, number: usize) {
        self.aside.set_hidden(number == 0);
        self.aside.set_text_content(Some(&text_with("cartAside", &[&locale::number(number)])));
    }

    fn fill(&self, list: &List, entries: &[&Entry]) {
        let mut before: HashMap<TransactionId, HtmlElement> =
            list.rows.take().into_iter().map(|row| (row.entry.id, row.element)).collect();
        let newest = entries[entries.len().saturating_sub(LISTED)..].iter().rev();
        let rows = newest.filter_map(|entry| self.row(entry, before.remove(&entry.id)));
        list.show(rows.collect());
    }

    fn put(&self, list: &List, entry: &Entry) {
        if let Some(row) = self.row(entry, None) {
            list.put(row);
        }
    }

    fn row(&self, entry: &Entry, element: Option<HtmlElement>) -> Option<SittingRow> {
        let element = element.or_else(|| dom::from_template("sitting-template").ok())?;
        let row = SittingRow { entry: entry.clone(), label: self.labels.of(entry), element };
        self.draw_row(&row);
        Some(row)
    }

    fn add(self: &Rc<Self>, entry: &Entry) {
        {
            let sitting = self.desk.sitting.borrow();
            let card = self.cardnumber.value();
            if is_checkout_of(entry, &card) {
                self.put(&self.checkouts, entry);
                self.checkouts.title("patronItems", sitting.checkouts_of(&card).len());
            } else if is_checkin(entry) {
                if self.shows_aside() {
                    // What was just scanned is seen, and the others with it again.
                    dom::set_flag(&self.aside, "aria-pressed", false);
                    self.fill(&self.checkins, &sitting.checkins());
                } else {
                    self.put(&self.checkins, entry);
                }
                self.checkins.title("checkinItems", sitting.checkins().len());
            }
        }
        self.label_rows();
    }

    /// What is shown of this one is drawn anew.
    fn renew(&self, entry: &Entry) {
        for list in [&self.checkouts, &self.checkins] {
            if let Some(row) = list.rows.borrow_mut().iter_mut().find(|row| row.entry.id == entry.id) {
                row.entry = entry.clone();
                self.draw_row(row);
            }
        }
        if is_checkin(entry) && entry.set_aside().is_some() {
            let sitting = self.desk.sitting.borrow();
            self.show_aside(sitting.checkins().iter().filter(|entry| entry.set_aside().is_some()).count());
        }
    }

    /// What was found out of a scan.
    pub(crate) fn tell(&self, entry: &Entry, said: Said) {
        self.said.borrow_mut().say(entry, said);
        for list in [&self.checkouts, &self.checkins] {
            if let Some(row) = list.rows.borrow().iter().find(|row| row.entry.id == entry.id) {
                self.draw_row(row);
            }
        }
    }

    /// Whether what was told of it does not hold any more.
    pub(crate) fn is_outdated(&self, entry: &Entry) -> bool {
        self.said.borrow().is_outdated(entry)
    }

    /// Looks up what the rows are called.
    fn label_rows(self: &Rc<Self>) {
        if self.labelling.replace(true) {
            return;
        }
        let this = self.clone();
        spawn_local(async move {
            while let Some(entry) = this.checkouts.unlabelled().or_else(|| this.checkins.unlabelled()) {
                this.labels.look_up(&entry).await;
                let label = Some(this.labels.of(&entry).unwrap_or_default());
                for list in [&this.checkouts, &this.checkins] {
                    if let Some(row) = list.rows.borrow_mut().iter_mut().find(|row| row.entry.id == entry.id) {
                        row.label.clone_from(&label);
                        this.draw_row(row);
                    }
                }
            }
            this.labelling.set(false);
        });
    }

    fn draw_row(&self, SittingRow { entry, label, element }: &SittingRow) {
        let barcode = entry.transaction.action.barcode().map(ToString::to_string).unwrap_or_default();
        let title = label.as_ref().map(|label| wording::harmless(&label.title)).unwrap_or_default();
        let _ = element.set_attribute("data-seq", &entry.id.to_string());
        let _ = element.set_attribute("title", &wording::joined([&title, &barcode]));
        dom::set_field(element, "title", &title);
        dom::set_field(element, "barcode", &barcode);
        let time = wording::time_of_day(entry.transaction.moment);
        let said = self.said.borrow();
        let ScanRow { stops, word, place } = ScanRow::new(entry, &said);
        dom::set_field(element, "time", place.unwrap_or(&time));
        // The age of what is warned of, where it is not of the day of the scan.
        let as_of = Warned::oldest(&entry.warnings).map(wording::as_of);
        if let Some(chip) = dom::field(element, "word") {
            let (grade, words) = match word {
                Some(RowWord::Said(grade, words)) => (grade.name(), words.to_owned()),
                Some(RowWord::Warned(warning)) => (warning.grade().name(), wording::short_warning(warning)),
                None => ("", String::new()),
            };
            chip.set_hidden(word.is_none());
            chip.set_text_content(Some(&words));
            let _ = chip.set_attribute("data-grade", grade);
            chip.set_title(as_of.as_deref().unwrap_or_default());
        }
        let _ = element.set_attribute("data-grade", if stops.is_empty() { "" } else { Grade::Stop.name() });
        if let Some(why) = dom::field(element, "why") {
            why.set_hidden(stops.is_empty());
        }
        let in_words = stops.iter().map(|(stop, named)| {
            let unnamed = || wording::warning(stop, "", &str::to_owned);
            named.map_or_else(unnamed, str::to_owned)
        });
        let reason = wording::joined([in_words.collect::<Vec<_>>().join(" ")].into_iter().chain(as_of));
        if let Some(shown) = dom::field(element, "reason") {
            let reason = if stops.is_empty() { "" } else { &reason };
            shown.set_text_content(Some(reason));
            shown.set_title(reason);
        }
        dom::set_field(element, "lend", &text("warningLend"));
        dom::set_field(element, "take-back", &text("warningTakeBack"));
        if let Some(back) = dom::field(element, "back") {
            let words = text_with("takeBackThis", &[if title.is_empty() { &barcode } else { &title }]);
            let _ = back.set_attribute("aria-label", &words);
            back.set_title(&words);
            back.set_hidden(!entry.offers_take_back());
        }
    }
}
