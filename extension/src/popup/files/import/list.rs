//! A list without times: what each of its lines becomes is shown, and nothing else is taken.

use crate::{
    clock::{self, DeskZone},
    directory::DiskError,
    dom::{self, elements},
    i18n::{text, text_with},
    locale,
    popup::{Desk, known::records::RecordsPanel, on_enter},
    slices,
    store::StoreError,
    timer::sleep,
    wording::{self, Explained as _},
};
use koct_core::{
    Action, Cardnumber, Transaction, TransactionId,
    desk::{barcode::same_code, clock::DeskTime, pattern::CardPattern},
    desks::list::{self, Becomes, Before, Choices, Codes, Doing, List, WhenError},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement, HtmlSelectElement};

/// How many entries of the log are read at once.
const READ_AT_ONCE: u32 = 2_000;
/// The values of the choice what was done.
const DOING: [(&str, &str, Doing); 2] = [("issue", "checkout", Doing::Checkout), ("return", "checkin", Doing::Checkin)];

elements! {
    pub(crate) struct ListPreview(desk: Rc<Desk>, records: Rc<RecordsPanel>) {
        dialog: HtmlDialogElement = "list-dialog",
        about: Element = "list-about",
        when: HtmlInputElement = "list-when",
        doing_row: HtmlElement = "list-doing-row",
        doing: HtmlSelectElement = "list-doing",
        patron_row: HtmlElement = "list-patron-row",
        patron: HtmlInputElement = "list-patron",
        cards: HtmlInputElement = "list-cards",
        turned_row: HtmlElement = "list-turned-row",
        turned: HtmlInputElement = "list-turned",
        lines: Element = "list-lines",
        error: Element = "list-error",
        state: Element = "list-state",
        ;
        now: RefCell<Option<Now>>,
        /// Whether a person has said what was done. Until then it is what such a list usually is.
        is_said: Cell<bool>,
    }
}

/// The list that is shown.
struct Now {
    bytes: Vec<u8>,
    codes: Codes,
    list: List,
    /// How much of it the person was told to stand in the log.
    told: Option<usize>,
    /// What it comes to, once a person has said yes to it.
    taken: Option<Vec<Transaction>>,
}

impl ListPreview {
    /// # Errors
    /// When the page lacks an element.
    pub(super) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        dom::fill_options(&self.doing, DOING.map(|(value, key, _)| (value, text(key))));
        dom::bind(&self.doing, "change", self, |this| {
            this.is_said.set(true);
            this.show();
        });
        dom::bind(&self.turned, "change", self, |this| this.show());
        dom::bind(&self.patron, "input", self, |this| this.show());
        dom::bind(&self.cards, "input", self, |this| this.show());
        // The end of a scan must not say yes to what nobody has looked at yet.
        let this = self.clone();
        on_enter(&self.patron, move || this.show());
        dom::on_click("list-cancel", self, |this| this.dialog.close())?;
        dom::on_submit("list-form", self, |this| spawn_local(this.clone().take()))
    }

    /// Shows a list, and waits until a person has looked at it. Gives its transactions where they are to be taken.
    ///
    /// `lengths` are those of the library's barcodes.
    pub(super) async fn look(
        &self,
        name: &str,
        bytes: Vec<u8>,
        lengths: Vec<usize>,
        changed: DeskTime,
    ) -> Option<Vec<Transaction>> {
        self.about.set_text_content(Some(&text_with("listAbout", &[name, &wording::day_and_time(changed)])));
        self.cards.set_value(&self.desk.preferences.borrow().desk.card_pattern);
        self.patron.set_value("");
        self.when.set_value("");
        self.turned.set_checked(false);
        self.is_said.set(false);
        self.error.set_text_content(None);
        self.lines.set_text_content(None);
        self.state.set_text_content(Some(&text("listReading")));
        let codes = self.codes(&bytes).await.unwrap_or_else(|error| {
            // What becomes of each line is shown, and nothing else is taken.
            self.say(&wording::disk(&error));
            Codes::default()
        });
        let codes = Codes { lengths, ..codes };
        let list = list::read(&bytes, &codes, &self.choices(None));
        self.now.replace(Some(Now { bytes, codes, list, told: None, taken: None }));
        self.show();
        let closed = dom::closing(&self.dialog);
        if self.dialog.show_modal().is_err() {
            return None;
        }
        let _ = self.when.focus();
        let _ = JsFuture::from(closed).await;
        self.now.take().and_then(|now| now.taken)
    }

    /// What the records know of the codes in it.
    async fn codes(&self, bytes: &[u8]) -> Result<Codes, DiskError> {
        let mut codes = Codes::default();
        let Some(records) = self.records.get() else { return Ok(codes) };
        let all = list::codes(bytes);
        let mut rests = slices::Rests::default();
        for spellings in list::spellings(&all) {
            for code in spellings {
                let patron = records.patron_by_code(&code).await?;
                if patron.is_some_and(|patron| same_code(&patron.cardnumber, &code)) {
                    codes.cards.insert(code);
                    break;
                }
                if records.item_by_barcode(&code).await?.is_some() {
                    codes.items.insert(code);
                    break;
                }
            }
            rests.rest().await;
        }
        Ok(codes)
    }

    fn choices(&self, doing: Option<Doing>) -> Choices {
        Choices {
            doing,
            patron: Cardnumber::scanned(&self.patron.value()).ok(),
            item_first: self.turned.checked(),
            cards: CardPattern::parse(&self.cards.value()).ok(),
        }
    }

    /// Reads it as it is to be read now, and shows that.
    fn show(&self) {
        let doing = DOING.iter().find(|(value, ..)| *value == self.doing.value()).map(|(.., doing)| *doing);
        let choices = self.choices(doing.filter(|_| self.is_said.get()));
        let mut now = self.now.borrow_mut();
        let Some(now) = now.as_mut() else { return };
        now.list = list::read(&now.bytes, &now.codes, &choices);
        self.doing_row.set_hidden(now.list.usual.is_none());
        let usual = DOING.iter().find(|(.., doing)| Some(*doing) == now.list.usual).map(|(value, ..)| value);
        if let Some(usual) = usual.filter(|_| !self.is_said.get()) {
            self.doing.set_value(usual);
        }
        self.patron_row.set_hidden(!now.list.lacks_patron);
        self.turned_row.set_hidden(!now.list.order_is_open);
        dom::fill_list(&self.lines, &now.list.lines, |line| {
            let row = dom::from_template("list-template")?;
            let kind = match &line.becomes {
                Becomes::Action(_) => "action",
                Becomes::Patron(_) | Becomes::Command(_) | Becomes::Heading => "note",
                Becomes::Refused(_) => "refused",
            };
            row.set_attribute("data-kind", kind)?;
            dom::set_field(&row, "number", &locale::number(line.number));
            dom::set_field(&row, "text", &line.text);
            dom::set_field(&row, "becomes", &wording::list_line(&line.becomes));
            Ok(row)
        });
        let is_checkout = |action: &&Action| matches!(action, Action::Issue { .. });
        let checkouts = now.list.actions().filter(is_checkout).count();
        let numbers = [checkouts, now.list.actions().count() - checkouts, now.list.refused()].map(locale::number);
        self.state.set_text_content(Some(&text_with("listCounts", &numbers.each_ref().map(String::as_str))));
    }

    /// How much of it stands in the log already.
    async fn number_in_log(&self) -> Result<usize, StoreError> {
        let before = self.now.borrow().as_ref().map(|now| Before::new(&now.list));
        let Some(mut before) = before else { return Ok(0) };
        let mut last = TransactionId(0);
        loop {
            let entries = self.desk.store.after(last, READ_AT_ONCE).await?;
            let Some(newest) = entries.last() else { break };
            last = newest.id;
            for entry in &entries {
                before.take(entry);
            }
            sleep(Duration::ZERO).await;
        }
        Ok(self.now.borrow().as_ref().map_or(0, |now| before.number(&now.list)))
    }

    fn say(&self, words: &str) {
        self.error.set_text_content(Some(words));
    }

    /// The person says yes to what is shown. Somebody may have taken the list before: where that seems so, they are told, and say
    /// it once more.
    async fn take(self: Rc<Self>) {
        let known = match self.number_in_log().await {
            Ok(known) => known,
            Err(error) => return self.say(&text_with("readFailed", &[&error.explained()])),
        };
        let mut now = self.now.borrow_mut();
        let (Some(shown), Some(clock)) = (now.as_mut(), clock::now()) else { return };
        let number = shown.list.actions().count();
        let first = match list::when(&self.when.value(), &DeskZone, clock, number) {
            Ok(first) if number > 0 => first,
            Ok(_) => return self.say(&text("listNothing")),
            Err(error) => {
                self.say(&text(if error == WhenError::Missing { "listWhenMissing" } else { "listWhenFuture" }));
                let _ = self.when.focus();
                return;
            }
        };
        if shown.told.replace(known) != Some(known) && known > 0 {
            return self.say(&text_with("listKnown", &[&locale::number(known), &text("listGo")]));
        }
        shown.taken = shown.list.transactions(first);
        self.dialog.close();
    }
}
