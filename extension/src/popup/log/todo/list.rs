//! The rows of the groups as they are drawn. What stands right already is left alone: a control in it may have the focus.

use super::{TodoPanel, names::Name};
use crate::{
    dom,
    i18n::{text, text_with},
    locale,
    popup::scan::open::OpenScan,
    wording,
};
use koct_core::{
    desk::signs,
    koha::place,
    log::{
        audited::Odd,
        todo::{Group, KohaPage, Offer, Refusal, Row, What},
        warned::Grade,
    },
};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, HtmlElement, HtmlInputElement};

/// The number of rows of a group that are drawn, until more are wanted.
const FIRST: usize = 50;
/// The number of further ones that come then.
const MORE: usize = 500;

/// What a row shows: where that is the same, it is left as it is.
#[derive(Clone, PartialEq)]
struct Shown {
    row: Option<Row>,
    name: Option<Name>,
    words: Words,
}

/// A row in words.
#[derive(Clone, Default, PartialEq)]
struct Words {
    action: String,
    title: String,
    code: String,
    who: String,
    time: String,
    status: String,
    advice: String,
    /// The page of Koha's: its address, its text, and whether it is where items are checked in.
    link: Option<(String, String, bool)>,
    /// The buttons: the name of what each does, and its text.
    buttons: Vec<(&'static str, String)>,
    is_ticked: Option<bool>,
}

/// A row as a spreadsheet has it.
pub(super) struct RowInFile {
    pub(super) title: String,
    pub(super) code: String,
    pub(super) patron: String,
    pub(super) card: String,
    pub(super) time: String,
    pub(super) happened: String,
    pub(super) advice: String,
    pub(super) link: String,
}

/// A group as it stands in the page.
struct Drawn {
    group: Group,
    section: HtmlElement,
    count: HtmlElement,
    rows: HtmlElement,
    more: HtmlElement,
    limit: Cell<usize>,
    /// The rows, by the number of the first transaction or of the scan.
    shown: RefCell<HashMap<u32, (Shown, HtmlElement)>>,
}

/// All groups.
pub(super) struct Lists(Vec<Drawn>);

/// The control of a row that comes first.
const CONTROL: &str = "input:not([hidden]), button:not([hidden]), a:not([hidden])";

impl Lists {
    /// # Errors
    /// When the page lacks a group.
    pub(super) fn new() -> Result<Self, JsValue> {
        let page = dom::document()?;
        let drawn = |group: Group| {
            let section = page.query_selector(&format!("[data-group={}]", group.name()))?.ok_or("no group")?;
            let field = |name| dom::field(&section, name).ok_or_else(|| JsValue::from_str("a group lacks a field"));
            let (count, rows, more) = (field("count")?, field("rows")?, field("more")?);
            let (limit, shown) = (Cell::new(FIRST), RefCell::default());
            Ok(Drawn { group, section: section.unchecked_into(), count, rows, more, limit, shown })
        };
        Group::ALL.into_iter().map(drawn).collect::<Result<_, JsValue>>().map(Self)
    }

    fn of(&self, group: Group) -> Option<&Drawn> {
        self.0.iter().find(|drawn| drawn.group == group)
    }

    /// The rows that are drawn of which this is true.
    pub(super) fn drawn(&self, is_it: impl Fn(&Row) -> bool) -> Vec<Row> {
        let mut rows = Vec::new();
        for drawn in &self.0 {
            let shown = drawn.shown.borrow();
            rows.extend(shown.values().filter_map(|(shown, _)| shown.row.clone()).filter(|row| is_it(row)));
        }
        rows
    }

    /// The row in which this stands: its group and number.
    pub(super) fn place_of(element: &Element) -> Option<(Group, u32)> {
        let row = element.closest("li[data-row]").ok()??;
        Some((Group::from_name(&row.get_attribute("data-group")?)?, row.get_attribute("data-row")?.parse().ok()?))
    }

    /// The row of this place, as it is shown.
    pub(super) fn row(&self, group: Group, number: u32) -> Option<Row> {
        self.of(group)?.shown.borrow().get(&number)?.0.row.clone()
    }

    /// Forgets what is drawn: no name stays in the page.
    pub(super) fn clear(&self) {
        for drawn in &self.0 {
            drawn.shown.borrow_mut().clear();
            drawn.rows.set_text_content(None);
        }
    }

    /// Draws more rows of a group from now on.
    pub(super) fn want_more(&self, group: Group) {
        if let Some(drawn) = self.of(group) {
            drawn.limit.set(drawn.limit.get() + MORE);
        }
    }

    /// Brings a group into sight, and the focus to its first row.
    pub(super) fn go_to(&self, group: Group) {
        let Some(drawn) = self.of(group) else { return };
        drawn.section.scroll_into_view();
        if let Some(control) = drawn.rows.query_selector(CONTROL).ok().flatten() {
            let _ = control.unchecked_into::<HtmlElement>().focus();
        }
    }

    /// Goes a row on or back from where this stands; from the list itself, to its first or last. Returns whether there is one.
    pub(super) fn step(&self, from: &Element, by: isize) -> bool {
        let rows: Vec<Element> = self.0.iter().flat_map(|drawn| children(&drawn.rows)).collect();
        let here = from.closest("li[data-row]").ok().flatten();
        let here = here.and_then(|here| rows.iter().position(|row| *row == here));
        let here = here.and_then(|at| isize::try_from(at).ok()).unwrap_or(-1);
        let to = match (here, by) {
            (-1, -1) => rows.len().checked_sub(1),
            _ => usize::try_from(here + by).ok(),
        };
        to.and_then(|to| rows.get(to)).is_some_and(focus_in)
    }
}

fn children(list: &Element) -> Vec<Element> {
    let children = list.children();
    (0..children.length()).filter_map(|place| children.item(place)).collect()
}

fn focus_in(row: &Element) -> bool {
    let control = row.query_selector(CONTROL).ok().flatten();
    control.is_some_and(|control| control.unchecked_into::<HtmlElement>().focus().is_ok())
}

impl TodoPanel {
    /// Draws all groups. Returns whether there is nothing in any.
    pub(super) fn draw_lists(&self) -> bool {
        let before = focused_row(&self.panel);
        let mut is_empty = true;
        for drawn in &self.lists.0 {
            is_empty &= self.draw_group(drawn) == 0;
        }
        if let Some(before) = before {
            self.keep_focus(&before);
        }
        is_empty
    }

    /// Where the row is gone that had the focus, or is done and has sunk, what stands in its place now has it.
    fn keep_focus(&self, before: &Focused) {
        let (is_here, is_ticked) = (before.row.is_connected(), before.row.has_attribute("data-ticked"));
        if is_here && is_ticked == before.is_ticked && focused_row(&self.panel).is_some() {
            return;
        }
        let rows = self.lists.of(before.group).map(|drawn| children(&drawn.rows)).unwrap_or_default();
        let row = if is_here && !is_ticked { Some(&before.row) } else { rows.get(before.place).or(rows.last()) };
        if !row.is_some_and(focus_in) {
            let _ = self.panel.focus();
        }
    }

    fn draw_group(&self, drawn: &Drawn) -> usize {
        let todo = self.left.borrow();
        let scans = self.scans.all();
        let group = drawn.group;
        let is_scans = group == Group::NotRecorded;
        let (number, open) = if is_scans { (scans.len(), scans.len()) } else { (todo.number(group), todo.open(group)) };
        drawn.section.set_hidden(number == 0);
        drawn.count.set_text_content((open > 0).then(|| locale::number(open)).as_deref());
        let grade = todo.grade_of(group, scans.len()).map_or("", Grade::name);
        let _ = drawn.count.set_attribute("data-grade", grade);
        let limit = drawn.limit.get();
        let wanted: Vec<(u32, Shown)> = if is_scans {
            let shown = |scan: &Rc<OpenScan>| {
                let buttons = scan.answers.iter().map(|(answer, label)| (answer.name(), label.clone())).collect();
                let words =
                    Words { title: scan.scan.clone(), advice: scan.reason.clone(), buttons, ..Words::default() };
                (scan.id(), Shown { row: None, name: None, words })
            };
            scans.iter().take(limit).map(shown).collect()
        } else {
            todo.first_rows(group, limit).into_iter().map(|row| (row.entry.id.0, self.shown_row(row))).collect()
        };
        let left = number.saturating_sub(wanted.len());
        drawn.more.set_hidden(left == 0);
        drawn.more.set_text_content(Some(&text_with("todoMore", &[&locale::number(left)])));
        self.show_group_actions(drawn, open);
        drawn.put(wanted);
        number
    }

    fn show_group_actions(&self, drawn: &Drawn, open: usize) {
        let button = |name: &str| {
            let button = drawn.section.query_selector(&format!("[data-all={name}]")).ok().flatten();
            button.map(JsCast::unchecked_into::<HtmlElement>)
        };
        if let Some(tick) = button("tick") {
            tick.set_hidden(open == 0);
        }
        if let Some(retry) = button("retry") {
            retry.set_hidden(!self.scans.all().iter().any(|scan| scan.is_as_it_was));
        }
        if let Some(settle) = button("settle") {
            let number = self.left.borrow().number_to_settle();
            settle.set_hidden(number == 0);
            settle.set_text_content(Some(&text_with("settleAll", &[&locale::number(number)])));
        }
    }

    /// A row as it is printed: the code first.
    pub(super) fn row_on_paper(&self, row: &Row) -> [String; 5] {
        let Words { title, code, who, status, advice, .. } = self.words(row, self.names.of(row).unwrap_or_default());
        // Paper is read on other days, too.
        let time = locale::date_and_minutes(row.entry.transaction.moment.local());
        [code, title, who, format!("{status} {advice}").trim().to_owned(), time]
    }

    /// A row as it stands in a file.
    pub(super) fn row_in_file(&self, row: &Row) -> RowInFile {
        let name = self.names.of(row).unwrap_or_default();
        let action = &row.entry.transaction.action;
        let words = self.words(row, name.clone());
        let card = action.cardnumber().map(ToString::to_string).unwrap_or_default();
        let code = action.barcode().map(ToString::to_string).or(action.amount().map(locale::amount));
        RowInFile {
            title: name.title,
            code: code.unwrap_or_default(),
            // Who waits for it or had it is told with the card.
            patron: name.who,
            card,
            time: locale::date_and_minutes(row.entry.transaction.moment.local()),
            happened: wording::joined([&words.action, &words.status]),
            advice: words.advice,
            link: words.link.map(|(address, ..)| address).unwrap_or_default(),
        }
    }

    fn shown_row(&self, row: Row) -> Shown {
        let name = self.names.of(&row);
        let words = self.words(&row, name.clone().unwrap_or_default());
        Shown { row: Some(row), name, words }
    }

    /// A row in words.
    fn words(&self, row: &Row, name: Name) -> Words {
        let action = &row.entry.transaction.action;
        let barcode = action.barcode().map(ToString::to_string);
        let card = action.cardnumber().map(ToString::to_string).unwrap_or_default();
        let patron = if name.who.is_empty() { card.clone() } else { wording::joined([&name.who, &card]) };
        let (mut status, mut advice) = self.why(row, &name);
        // Of what the records said at the desk.
        if let Some(as_of) = row.as_of.map(wording::as_of) {
            let said = if status.is_empty() { &mut advice } else { &mut status };
            *said = wording::joined([&*said, &as_of]);
        }
        let link = self.desk.settings().zip(row.place()).map(|(settings, place)| {
            (place::address(&settings.server, place), link_label(place), place == KohaPage::Checkin)
        });
        let (title, code, who) = match &row.what {
            // What the patron took stands in the log.
            What::Patron(_) => (name.who, card, String::new()),
            What::SetAside { pickup, .. } => {
                let who = wording::joined([name.who, self.names.records.library_name(pickup)]);
                (name.title, barcode.unwrap_or_default(), who)
            }
            What::Late { .. } => (name.title, barcode.unwrap_or_default(), String::new()),
            _ => (name.title, barcode.or(action.amount().map(locale::amount)).unwrap_or_default(), patron),
        };
        let offers = row.offers(self.knows());
        Words {
            action: wording::action(action),
            title: signs::harmless(&title).into(),
            code,
            who: signs::harmless(&who).into(),
            time: wording::row_time(row.entry.transaction.moment),
            status,
            advice,
            link,
            buttons: offers.iter().map(|offer| (offer.name(), label(*offer))).collect(),
            is_ticked: row.group.task().map(|_| row.is_ticked),
        }
    }
}

impl TodoPanel {
    /// What is to be done about it and why: what Koha said, and what helps.
    fn why(&self, row: &Row, name: &Name) -> (String, String) {
        let of_status = || wording::status(&row.entry.status);
        match &row.what {
            What::InDoubt | What::Refused(Refusal::Other) => (of_status(), String::new()),
            What::Refused(Refusal::NoPatron) => (of_status(), text("todoNoPatron")),
            What::Refused(Refusal::NoItem) => (of_status(), text("todoNoItem")),
            What::Refused(Refusal::NotOnLoan) => (of_status(), text("notOnLoan")),
            What::Refused(Refusal::Lost) => (of_status(), text("todoLost")),
            What::Refused(Refusal::ByHand) => (of_status(), text("todoByHand")),
            What::SetAside { is_over: true, .. } => (String::new(), text("todoHoldOver")),
            What::SetAside { .. } | What::Payment => (String::new(), String::new()),
            What::Transfer(library) => {
                (text_with("todoBelongs", &[&self.names.records.library_name(library)]), String::new())
            }
            What::Loan(warnings, taken_over) => {
                let words = warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned));
                let other = &name.other;
                let taken_over = taken_over.map(|_| {
                    if other.is_empty() { text("todoTakenOver") } else { text_with("todoTakenOverFrom", &[other]) }
                });
                (words.collect::<Vec<_>>().join(" "), taken_over.unwrap_or_default())
            }
            What::Patron(warnings) => {
                let words = warnings.iter().map(|warning| wording::warning(warning, "", &str::to_owned));
                let number = locale::number(row.ids.len());
                (words.collect::<Vec<_>>().join(" "), text_with("todoCheckouts", &[&number]))
            }
            What::Late { days, due } => {
                let due = due.map(|due| text_with("todoWasDue", &[&locale::day(due)]));
                let had = (!name.who.is_empty()).then(|| text_with("todoHad", &[&name.who]));
                let advice: Vec<String> = due.into_iter().chain(had).collect();
                (text_with("todoDaysLate", &[&locale::number(*days)]), advice.join(" "))
            }
            What::ReadBack(oddities) => {
                let odd = |oddity| Odd { id: row.entry.id, oddity };
                let words = oddities.iter().map(|oddity| wording::oddity(&odd(oddity.clone()), Some(&row.entry)));
                (String::new(), words.collect::<Vec<_>>().join(" "))
            }
        }
    }
}

fn link_label(place: KohaPage) -> String {
    text(match place {
        KohaPage::Patron(_) => "todoOpenPatron",
        KohaPage::Account(_) => "todoOpenAccount",
        KohaPage::Item { .. } => "todoOpenItem",
        KohaPage::Checkin => "todoOpenCheckin",
    })
}

fn label(offer: Offer) -> String {
    text(match offer {
        Offer::IsInKoha => "todoInKoha",
        Offer::NotInKoha => "todoNotInKoha",
        Offer::FindPatron => "todoFindPatron",
        Offer::FindItem => "todoFindItem",
        Offer::Change => "editChange",
        Offer::Settle => "settle",
        Offer::TryAgain => "attentionRetry",
        Offer::Drop => "todoDrop",
        Offer::CopyBarcode => "todoCopy",
        Offer::OpenQueue => "openQueue",
    })
}

/// The row that has the focus.
struct Focused {
    row: Element,
    group: Group,
    place: usize,
    is_ticked: bool,
}

fn focused_row(panel: &Element) -> Option<Focused> {
    let active = dom::active().filter(|active| panel.contains(Some(active)))?;
    let row = active.closest("li[data-row]").ok()??;
    let (group, _) = Lists::place_of(&row)?;
    let place = children(&row.parent_element()?).iter().position(|other| *other == row)?;
    let is_ticked = row.has_attribute("data-ticked");
    Some(Focused { row, group, place, is_ticked })
}

impl Drawn {
    /// Brings these rows into the list.
    fn put(&self, wanted: Vec<(u32, Shown)>) {
        let mut before = self.shown.take();
        let mut kept = HashMap::with_capacity(wanted.len());
        let mut rows = Vec::with_capacity(wanted.len());
        for (number, shown) in wanted {
            let old = before.remove(&number);
            let is_same = old.as_ref().is_some_and(|(old, _)| *old == shown);
            // The page is checked at start.
            let made = old.map(|(_, element)| element).or_else(|| dom::from_template("todo-template").ok());
            let Some(element) = made else { continue };
            if !is_same {
                self.fill(&element, number, &shown);
            }
            rows.push(element.clone());
            kept.insert(number, (shown, element));
        }
        dom::set_children(&self.rows, &rows);
        self.shown.replace(kept);
    }

    fn fill(&self, element: &HtmlElement, number: u32, Shown { row, words, .. }: &Shown) {
        let set = |name: &str, value: &str| drop(element.set_attribute(name, value));
        set("data-row", &number.to_string());
        set("data-group", self.group.name());
        set("data-action", row.as_ref().map_or("", |row| row.entry.transaction.action.word()));
        set("data-grade", row.as_ref().map_or(Grade::Stop, Row::grade).name());
        let _ = element.toggle_attribute_with_force("data-who", !words.who.is_empty());
        let _ = element.toggle_attribute_with_force("data-ticked", words.is_ticked == Some(true));
        let id = format!("todo-{}-{number}", self.group.name());
        if let Some(line) = dom::field(element, "line") {
            line.set_id(&id);
        }
        for (field, words) in [
            ("action", &words.action),
            ("title", &words.title),
            ("code", &words.code),
            ("who", &words.who),
            ("time", &words.time),
            ("status", &words.status),
            ("advice", &words.advice),
        ] {
            dom::set_field(element, field, words);
        }
        if let Some(tick) = dom::field(element, "tick").and_then(|tick| tick.dyn_into::<HtmlInputElement>().ok()) {
            tick.set_hidden(words.is_ticked.is_none());
            tick.set_checked(words.is_ticked == Some(true));
            let _ = tick.set_attribute("aria-labelledby", &id);
        }
        if let Some(link) = dom::field(element, "link").and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) {
            link.set_hidden(words.link.is_none());
            let (address, label, is_checkin) = words.link.clone().unwrap_or_default();
            link.set_href(&address);
            link.set_text_content(Some(&label));
            let _ = link.toggle_attribute_with_force("data-checkin", is_checkin);
            let _ = link.set_attribute("aria-describedby", &id);
        }
        if let Some(actions) = element.query_selector(".row-actions").ok().flatten() {
            let have = children(&actions);
            let is_as_before = have.len() == words.buttons.len()
                && have.iter().zip(&words.buttons).all(|(button, (name, label))| {
                    button.get_attribute("data-offer").as_deref() == Some(name)
                        && button.text_content().as_deref() == Some(label)
                });
            if !is_as_before {
                // What helps is seen first.
                let is_refused = self.group == Group::Refused;
                dom::fill_list(&actions, &words.buttons, |(name, label)| {
                    let button = dom::document()?.create_element("button")?;
                    button.set_attribute("type", "button")?;
                    button.set_attribute("data-offer", name)?;
                    button.set_attribute("aria-describedby", &id)?;
                    button.set_class_name(if is_refused && *name == words.buttons[0].0 {
                        "small primary"
                    } else {
                        "small"
                    });
                    button.set_text_content(Some(label));
                    Ok(button.unchecked_into())
                });
            }
        }
    }
}
