//! The part of the settings page that says what is meant by codes: a list of rules for items and one for cards, each with what it makes
//! of an example, and a field in which a code is tried.

use super::{Options, fields};
use crate::{
    dom::{self, elements},
    i18n::{isolated, text, text_with},
    wording,
};
use koct_core::{
    Barcode, Cardnumber,
    desk::rules::{Kind, Reading, Rules, line, lines, parts},
    settings::table::Field,
};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent};

/// A list of rules. What it holds is in a field that nobody sees, one rule in a line.
struct RuleList {
    options: Rc<Options>,
    holds: HtmlInputElement,
    list: Element,
    add: HtmlSelectElement,
}

elements! {
    struct CodesPart(lists: [Rc<RuleList>; 2]) {
        field: HtmlInputElement = "try-code",
        said_of_item: HtmlElement = "try-code-item",
        said_of_card: HtmlElement = "try-code-card",
    }
}

/// What a kind of rule is called.
fn name(kind: Kind) -> String {
    text(match kind {
        Kind::Whitespace => "ruleWhitespace",
        Kind::TPrefix => "ruleTPrefix",
        Kind::Libsuite8 => "ruleLibsuite8",
        Kind::Ean13 => "ruleEan13",
        Kind::Cuecat => "ruleCuecat",
        Kind::StartStop => "ruleStartStop",
        Kind::Aim => "ruleAim",
        Kind::PlainDigits => "rulePlainDigits",
        Kind::DropFirst => "ruleDropFirst",
        Kind::DropLast => "ruleDropLast",
        Kind::Pad => "rulePad",
        Kind::Replace => "ruleReplace",
    })
}

/// Binds the lists and the field.
///
/// # Errors
/// When the page lacks an element.
pub(super) fn bind(options: &Rc<Options>) -> Result<(), JsValue> {
    let list = |field: Field| {
        let list = Rc::new(RuleList {
            options: options.clone(),
            holds: dom::by_id(field.id())?,
            list: dom::by_id(&format!("{}-list", field.id()))?,
            add: dom::by_id(&format!("{}-add", field.id()))?,
        });
        list.bind()?;
        Ok::<_, JsValue>(list)
    };
    let part = Rc::new(CodesPart::new([list(Field::ItemRules)?, list(Field::CardRules)?])?);
    dom::bind_event(&part.field, "keydown", &part, |this, event: KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            // Never does it save what is set; the next code replaces this one.
            event.prevent_default();
            this.field.select();
        }
    });
    dom::bind_event(&part.field, "input", &part, |this, event: Event| {
        // What is tried is nothing that is set.
        event.stop_propagation();
        this.say();
    });
    for event in ["input", "change"] {
        dom::bind(&options.form, event, &part, |this| {
            this.lists.iter().for_each(|list| list.show_examples());
            this.say();
        });
    }
    Ok(())
}

impl CodesPart {
    /// Says what is meant by the code, as an item and as a card, and by which rules.
    fn say(&self) {
        let (raw, codes) = (self.field.value(), self.lists[0].options.read().codes());
        let is_there = !raw.trim().is_empty();
        let item = codes.item_rules.read(&raw, &codes.branch);
        let card = codes.card_rules.read(&raw, &codes.branch);
        let wrong = [Barcode::scanned(&item.meant).err(), Cardnumber::scanned(&card.meant).err()];
        let said = [("tryCodeItem", codes.item_rules, item), ("tryCodeCard", codes.card_rules, card)];
        for (place, ((key, rules, reading), wrong)) in
            [&self.said_of_item, &self.said_of_card].into_iter().zip(said.into_iter().zip(wrong))
        {
            let words = [Some(text_with(key, &[&reading.meant])), by(&rules, &reading)];
            let wrong = wrong.map(|error| wording::code_error(&error));
            let words = is_there.then(|| wording::joined(words.into_iter().chain([wrong]).flatten()));
            place.set_text_content(words.as_deref());
        }
    }
}

/// The rules that have changed a code.
fn by(rules: &Rules, reading: &Reading) -> Option<String> {
    let names: Vec<String> =
        reading.by.iter().filter_map(|place| rules.all().get(*place)).map(|rule| name(rule.kind())).collect();
    (!names.is_empty()).then(|| names.join(" → "))
}

impl RuleList {
    fn bind(self: &Rc<Self>) -> Result<(), JsValue> {
        let kinds = Kind::ALL.map(|kind| (kind.name(), name(kind)));
        dom::fill_options(&self.add, [("", text("ruleAdd"))].into_iter().chain(kinds));
        dom::bind_event(&self.add, "change", self, |this, event: Event| {
            event.stop_propagation();
            if let Some(kind) = Kind::from_name(&this.add.value()) {
                this.add.set_value("");
                this.change(|rules| rules.push(line(kind.name(), kind.details())));
                this.focus(this.list.child_element_count().saturating_sub(1), "details");
            }
        });
        dom::bind_event(&self.list, "click", self, |this, event: Event| this.clicked(&event));
        dom::bind_event(&self.list, "input", self, |this, _: Event| this.keep_typed());
        self.draw()
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.holds.value()).map(str::to_owned).collect()
    }

    /// Changes the rules, and shows them anew.
    fn change(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut rules = self.lines();
        change(&mut rules);
        self.holds.set_value(&rules.join("\n"));
        // It is in the page by now.
        let _ = self.draw();
        fields::tell_changed(&self.holds);
    }

    fn rows(&self) -> impl Iterator<Item = Element> {
        let rows = self.list.children();
        (0..rows.length()).filter_map(move |place| rows.item(place))
    }

    /// What was typed behind the name of a rule.
    fn keep_typed(&self) {
        let rules: Vec<String> = self
            .lines()
            .iter()
            .zip(self.rows())
            .map(|(rule, row)| {
                let details = dom::field(&row, "details").and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
                line(parts(rule).0, &details.map(|field| field.value()).unwrap_or_default())
            })
            .collect();
        self.holds.set_value(&rules.join("\n"));
    }

    fn clicked(&self, event: &Event) {
        let Some(button) = dom::target_in(event, "button") else { return };
        let Some(row) = button.closest("li").ok().flatten() else { return };
        let Some(place) = self.rows().position(|other| other == row) else { return };
        let what = button.get_attribute("data-field").unwrap_or_default();
        let to = match what.as_str() {
            "up" => place.checked_sub(1),
            "down" => Some(place + 1),
            _ => None,
        };
        self.change(|rules| match to {
            Some(to) if to < rules.len() && place < rules.len() => rules.swap(place, to),
            None if what == "remove" && place < rules.len() => drop(rules.remove(place)),
            _ => {}
        });
        let to = to.unwrap_or(place).min(self.lines().len().saturating_sub(1));
        self.focus(u32::try_from(to).unwrap_or_default(), &what);
    }

    /// Goes to a part of the row at this place, or to what adds a rule where there is none.
    fn focus(&self, place: u32, part: &str) {
        let row = self.list.children().item(place);
        let usable = |name: &str| {
            let part = row.as_ref().and_then(|row| dom::field(row, name))?;
            (!part.hidden() && !part.has_attribute("disabled")).then_some(part)
        };
        let part = usable(part).or_else(|| usable("remove"));
        let _ = part.as_ref().unwrap_or(self.add.unchecked_ref::<HtmlElement>()).focus();
    }

    fn draw(&self) -> Result<(), JsValue> {
        let (rules, is_locked) = (self.lines(), self.holds.has_attribute("disabled"));
        self.list.set_text_content(None);
        for (place, line) in rules.iter().enumerate() {
            let (written, details) = parts(line);
            let row = dom::from_template("rule-template")?;
            let kind = Kind::from_name(written);
            let called = kind.map_or_else(|| written.to_owned(), name);
            dom::set_field(&row, "name", &called);
            for (part, key) in
                [("up", "ruleUp"), ("down", "ruleDown"), ("remove", "ruleRemove"), ("details", "ruleDetails")]
            {
                let Some(part) = dom::field(&row, part) else { continue };
                part.set_attribute("aria-label", &text_with(key, &[&called]))?;
            }
            for (part, is_of_no_use) in [("up", place == 0), ("down", place + 1 == rules.len()), ("remove", false)] {
                let Some(button) = dom::field(&row, part) else { continue };
                button.toggle_attribute_with_force("disabled", is_of_no_use || is_locked)?;
            }
            if let Some(field) = dom::field(&row, "details").and_then(|field| field.dyn_into::<HtmlInputElement>().ok())
            {
                let example = kind.map_or("", Kind::details);
                field.set_hidden(example.is_empty() && details.is_empty());
                field.set_placeholder(example);
                field.set_value(details);
                field.set_read_only(is_locked);
            }
            self.list.append_child(&row)?;
        }
        self.show_examples();
        Ok(())
    }

    /// Shows what each rule makes of an example, as the page is.
    fn show_examples(&self) {
        // What another part of the page has put there.
        if self.rows().count() != self.lines().len() {
            let _ = self.draw();
            return;
        }
        let branch = self.options.read().form.branchcode;
        for (line, row) in self.lines().iter().zip(self.rows()) {
            let rules = Rules::parse(line);
            let words = match rules.as_ref().map(|rules| (rules, rules.all())) {
                Ok((rules, [rule])) => {
                    let example = rule.example(&branch);
                    let meant = rules.read(&example, &branch).meant;
                    if meant == example && branch.trim().is_empty() {
                        text("ruleNoBranch")
                    } else {
                        format!("{} → {}", isolated(&example), isolated(&meant))
                    }
                }
                _ => match Kind::from_name(parts(line).0) {
                    Some(kind) if !kind.details().is_empty() => text_with("ruleUnread", &[kind.details()]),
                    _ => text("ruleUnknown"),
                },
            };
            dom::set_field(&row, "example", &words);
            if let Some(example) = dom::field(&row, "example") {
                dom::set_flag(&example, "data-wrong", rules.is_err());
            }
        }
    }
}
