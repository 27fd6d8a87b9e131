//! Paper: a slip for a patron, and the part of the log that is shown.
//!
//! What is printed stands in a part of the page that is seen on paper only, and only until Firefox has taken it.

use crate::{
    anew::Anew,
    clock,
    dom::{self, elements},
    ground,
    i18n::{js_error, text, text_with},
    locale,
    popup::{Desk, Panel, Tone, Topic, log::table::Table, window::press::let_go},
    store::StoreError,
    wording::{self, Explained},
};
use koct_core::{
    Cardnumber, Entry, Moment, TransactionId,
    log::{
        event::LogEvent,
        slip::{self, Due, DueError, Line, Slip},
    },
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

/// What somebody wants printed. It is read anew when it is printed: another window may have changed it meanwhile.
#[derive(Clone, PartialEq)]
enum Wish {
    /// What this patron takes home of what was recorded in this window.
    Patron(String),
    /// These of the log.
    Log(Vec<TransactionId>),
}

/// A list for the paper; what stands first in each row is a code.
pub(crate) struct PaperList {
    pub(crate) title: String,
    /// What is to be done with it.
    pub(crate) about: String,
    pub(crate) rows: Vec<[String; 5]>,
}

/// What is to be printed.
struct Chosen {
    entries: Vec<Entry>,
    /// Of how many these are the last.
    of: usize,
    /// Whether it is for a patron to take home, rather than a part of the log.
    is_for_patron: bool,
}

elements! {
    pub(crate) struct Print(desk: Rc<Desk>, table: Rc<Table>) {
        dialog: HtmlDialogElement = "slip-dialog",
        title: Element = "slip-title",
        about: Element = "slip-about",
        due: HtmlInputElement = "slip-due",
        error: Element = "slip-error",
        go: HtmlElement = "slip-print",
        paper: HtmlElement = "print",
        ;
        wish: RefCell<Option<Wish>>,
        following: Anew,
    }
}

impl Panel for Print {
    fn follow(self: Rc<Self>, _event: &LogEvent) {
        if self.dialog.open() && self.following.ask() {
            spawn_local(self.follow_log());
        }
    }
}

impl Print {
    /// # Errors
    /// When the page lacks an element.
    pub(crate) fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        for id in ["print-slip", "menu-slip"] {
            dom::on_click(id, self, Self::offer_slip)?;
        }
        dom::on_click("print-log", self, |this| spawn_local(this.clone().offer(Wish::Log(this.table.shown()))))?;
        dom::on_click("slip-cancel", self, |this| this.dialog.close())?;
        dom::on_submit("slip-form", self, |this| spawn_local(this.clone().print_chosen()))
    }

    /// Offers a slip for the patron in the field, or the last one.
    fn offer_slip(self: &Rc<Self>) {
        let typed = dom::by_id::<HtmlInputElement>("checkout-patron").map(|field| field.value()).unwrap_or_default();
        let patron = slip::whose(&typed, self.desk.sitting.borrow().all()).to_owned();
        spawn_local(self.clone().offer(Wish::Patron(patron)));
    }

    /// What is to be printed, as it is now.
    ///
    /// # Errors
    /// When the log cannot be read.
    async fn read(&self, wish: &Wish) -> Result<Chosen, StoreError> {
        Ok(match wish {
            Wish::Patron(patron) => {
                let entries = slip::taken_home(self.desk.sitting.borrow().all(), patron);
                Chosen { entries: slip::last_of(&entries).to_vec(), of: entries.len(), is_for_patron: true }
            }
            Wish::Log(ids) => {
                let entries = self.desk.store.get(slip::last_of(ids)).await?;
                Chosen { entries, of: ids.len(), is_for_patron: false }
            }
        })
    }

    /// The same. `None` where there is nothing, and then the message line says so.
    async fn choose(&self, wish: &Wish) -> Option<Chosen> {
        let chosen = self.read(wish).await.map_err(|error| self.print_failed(&error)).ok()?;
        if chosen.entries.is_empty() {
            let nothing = if chosen.is_for_patron { "slipNothing" } else { "printNothing" };
            self.desk.message.about(Topic::Print).show(Tone::Doubt, &text(nothing));
            return None;
        }
        Some(chosen)
    }

    fn print_failed(&self, reason: &dyn Explained) {
        self.desk.failed(Topic::Print, "printFailed", reason);
    }

    async fn offer(self: Rc<Self>, wish: Wish) {
        let Some(chosen) = self.choose(&wish).await else { return };
        let print = &self;
        self.tell_about(&wish, &chosen);
        print.title.set_text_content(Some(&text(if chosen.is_for_patron { "printSlip" } else { "printTitle" })));
        print.error.set_text_content(None);
        let loan_days = self.desk.preferences.borrow().desk.loan_days().ok().flatten();
        let offered = clock::now().and_then(|now| Due::offered(loan_days, now));
        print.due.set_value(&offered.map(|date| date.to_string()).unwrap_or_default());
        *print.wish.borrow_mut() = Some(wish);
        if !print.dialog.open() && print.dialog.show_modal().is_ok() {
            let _ = print.go.focus();
        }
    }

    /// Says what would be printed.
    fn tell_about(&self, wish: &Wish, chosen: &Chosen) {
        let preferences = self.desk.preferences.borrow();
        let library = preferences.desk.library_name.trim();
        let number = locale::number(chosen.entries.len());
        let last = chosen.entries.last().and_then(|entry| entry.transaction.action.cardnumber());
        let mut about = vec![match wish {
            Wish::Patron(patron) => {
                text_with("slipAbout", &[last.map_or(patron.as_str(), Cardnumber::as_str), &number])
            }
            Wish::Log(_) => text_with("printAbout", &[&number]),
        }];
        about.extend(cut(chosen));
        about.push(if library.is_empty() { text("slipNoLibrary") } else { text_with("slipLibrary", &[library]) });
        self.about.set_text_content(Some(&about.join("\n")));
    }

    /// The log has changed while it is asked about: says what would be printed now. Where that cannot be read, printing says so.
    async fn follow_log(self: Rc<Self>) {
        while self.following.goes_on() {
            let Some(wish) = self.wish.borrow().clone() else { continue };
            let Ok(chosen) = self.read(&wish).await else { continue };
            let_go(&self.dialog).await;
            // Something else may be asked by now.
            if self.dialog.open() && self.wish.borrow().as_ref() == Some(&wish) {
                self.tell_about(&wish, &chosen);
            }
        }
    }

    /// Prints what was chosen, with the date that stands in the field.
    async fn print_chosen(self: Rc<Self>) {
        let print = &self;
        let Some(wish) = print.wish.borrow().clone() else { return };
        let Some(chosen) = self.choose(&wish).await else { return print.dialog.close() };
        let Some(now) = clock::now() else { return print.error.set_text_content(Some(&text("attentionClock"))) };
        let is_half_typed = print.due.validity().bad_input();
        let desk_settings = self.desk.preferences.borrow().desk.clone();
        let due = Due::chosen(&print.due.value(), is_half_typed, desk_settings.loan_days().ok().flatten(), now);
        let slip = due.and_then(|due| Slip::new(&desk_settings.library_name, chosen.entries.clone(), due));
        let drawn = match slip {
            Ok(slip) => self.draw_slip(&slip, &chosen, now),
            Err(error) => {
                print.error.set_text_content(Some(&text(match error {
                    DueError::NotADate => "slipDueWrong",
                    DueError::BeforeCheckout => "slipDueEarly",
                })));
                let _ = print.due.focus();
                return;
            }
        };
        print.dialog.close();
        if let Err(error) = drawn {
            return self.print_failed(&js_error(&error));
        }
        self.print_paper();
    }

    /// Prints lists under a title.
    pub(crate) fn print_lists(self: &Rc<Self>, title: &str, lists: &[PaperList]) {
        let Some(now) = clock::now() else { return self.print_failed(&text("attentionClock")) };
        let library = self.desk.preferences.borrow().desk.library_name.trim().to_owned();
        match self.draw_lists(&library, title, lists, now) {
            Ok(()) => self.print_paper(),
            Err(error) => self.print_failed(&js_error(&error)),
        }
    }

    /// Prints what was drawn.
    fn print_paper(self: &Rc<Self>) {
        // In a task of its own: Firefox does not return from printing until its dialog is closed.
        let this = self.clone();
        let printing = Closure::once_into_js(move || {
            let printed = dom::window().and_then(|window| window.print());
            this.paper.set_text_content(None);
            this.desk.focus.back();
            if let Err(error) = printed {
                // What Firefox says of it is for the console.
                js_error(&error);
                this.print_failed(&text("printBroken"));
            }
        });
        let _ = dom::window().and_then(|window| window.set_timeout_with_callback(printing.unchecked_ref()));
    }
}

/// Says that there are more than can be printed.
fn cut(chosen: &Chosen) -> Option<String> {
    let printed = chosen.entries.len();
    (printed < chosen.of).then(|| text_with("printCut", &[&locale::number(printed), &locale::number(chosen.of)]))
}

impl Print {
    fn add(&self, tag: &str, class: &str, words: &str) -> Result<(), JsValue> {
        let element = element(tag, class, words)?;
        self.paper.append_with_node_1(&element)
    }

    /// Begins a paper of this library's.
    fn begin(&self, library: &str) -> Result<(), JsValue> {
        self.paper.set_text_content(None);
        if ground::is_practice() {
            self.add("p", "print-practice", &text("practicePrinted"))?;
        }
        if library.is_empty() { Ok(()) } else { self.add("p", "print-library", library) }
    }

    fn draw_lists(&self, library: &str, title: &str, lists: &[PaperList], now: Moment) -> Result<(), JsValue> {
        self.begin(library)?;
        self.add("h1", "", title)?;
        for PaperList { title, about, rows } in lists {
            self.add("h2", "", title)?;
            self.add("p", "", about)?;
            let table = element("table", "", "")?;
            let body = element("tbody", "", "")?;
            for cells in rows {
                let row = element("tr", "", "")?;
                for (place, words) in cells.iter().enumerate() {
                    let class = if place == 0 { "print-code" } else { "" };
                    row.append_with_node_1(element("td", class, words)?.as_ref())?;
                }
                body.append_with_node_1(&row)?;
            }
            table.append_with_node_1(&body)?;
            self.paper.append_with_node_1(&table)?;
        }
        self.add("p", "", &text_with("printedAt", &[&wording::moment(now)]))
    }

    /// Puts the slip onto the paper.
    fn draw_slip(&self, slip: &Slip, chosen: &Chosen, now: Moment) -> Result<(), JsValue> {
        self.begin(&slip.library)?;
        let add = |tag: &str, class: &str, words: &str| self.add(tag, class, words);
        let title = match &slip.patron {
            Some(patron) => text_with("slipPatron", &[patron.as_str()]),
            None => text("transactions"),
        };
        add("h1", "", &title)?;
        if let Some(due) = slip.due {
            add("p", "print-due", &text_with("slipDue", &[&wording::day(due)]))?;
        }
        let table = element("table", "", "")?;
        let body = element("tbody", "", "")?;
        for line in &slip.lines {
            body.append_with_node_1(row(line, slip, chosen.is_for_patron)?.as_ref())?;
        }
        table.append_with_node_1(&body)?;
        self.paper.append_with_node_1(&table)?;
        let totals = slip.totals;
        let numbers = [totals.checkouts, totals.checkins, totals.payments].map(locale::number);
        let mut words = if chosen.is_for_patron {
            text_with("slipTotal", &[&numbers[0]])
        } else {
            text_with("printTotals", &numbers.each_ref().map(String::as_str))
        };
        if let Some(paid) = totals.paid {
            words = format!("{words} {}", text_with("printPaid", &[&locale::amount(paid)]));
        }
        add("p", "print-totals", &words)?;
        if let Some(words) = cut(chosen) {
            add("p", "", &words)?;
        }
        if slip.lines.iter().any(|line| line.due.is_some()) {
            add("p", "", &text("slipNote"))?;
        }
        add("p", "", &text_with("printedAt", &[&wording::moment(now)]))
    }
}

/// A line of the slip. What is the same for all lines is not said again in each.
fn row(line: &Line, slip: &Slip, is_for_patron: bool) -> Result<Element, JsValue> {
    let row = element("tr", "", "")?;
    let action = &line.transaction.action;
    let what = action.barcode().map(ToString::to_string).or(action.amount().map(locale::amount));
    let due = line.due.filter(|_| slip.due.is_none()).map(|due| text_with("slipLineDue", &[&wording::day(due)]));
    let cells = [
        ("print-code", what),
        ("", (!is_for_patron).then(|| wording::action(action))),
        ("", action.cardnumber().filter(|_| slip.patron.is_none()).map(ToString::to_string)),
        ("", Some(wording::moment(line.transaction.moment))),
        ("", due),
        ("", (!is_for_patron).then(|| wording::status(&line.status))),
    ];
    for (class, words) in cells {
        row.append_with_node_1(element("td", class, &words.unwrap_or_default())?.as_ref())?;
    }
    Ok(row)
}

fn element(tag: &str, class: &str, words: &str) -> Result<Element, JsValue> {
    let element = dom::document()?.create_element(tag)?;
    element.set_class_name(class);
    element.set_text_content(Some(words));
    Ok(element)
}
