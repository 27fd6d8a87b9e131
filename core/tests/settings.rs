//! Every row of the table of settings has its field on the settings page with a label in `_locales/en`, and its line in
//! docs/deployment.md where it can be preset; and neither has one that is not in the table.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

use koct_core::{
    CommitType, Login,
    desk::{keyboard::ScannerKeyboard, scanner::ScannerEnd},
    settings::{
        key_kept::KeyKept,
        table::{Field, Kind, Preferences, Value},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// A file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What stands after `start`, up to `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start}"));
    rest.split(end).next().unwrap()
}

/// All that stand between `start` and `end`.
fn all_between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

struct Element<'a> {
    tag: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    /// All up to the next end of an element of this kind.
    content: &'a str,
}

impl<'a> Element<'a> {
    fn get(&self, attribute: &str) -> &'a str {
        self.attributes.get(attribute).copied().unwrap_or_default()
    }
}

/// The elements of a page that is written as ours is, in their order.
fn elements(html: &str) -> Vec<Element<'_>> {
    let starts = html.match_indices('<').filter(|(at, _)| html[at + 1..].starts_with(|c: char| c.is_ascii_lowercase()));
    starts
        .map(|(at, _)| {
            let (start, content) = html[at + 1..].split_once('>').unwrap();
            let (tag, attributes) = start.split_once(' ').unwrap_or((start, ""));
            // Those without a value (`hidden`) stand before the next name, or at the end.
            let attributes = attributes.split("\" ").filter_map(|attribute| attribute.split_once("=\""));
            let attributes =
                attributes.map(|(names, value)| (names.rsplit(' ').next().unwrap(), value.trim_end_matches('"')));
            let content = content.split(&format!("</{tag}>")).next().unwrap();
            Element { tag, attributes: attributes.collect(), content }
        })
        .collect()
}

/// The names of the choices, where it is one.
fn choices(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Login => Login::ALL.map(Login::name).to_vec(),
        Kind::CommitType => CommitType::ALL.map(CommitType::name).to_vec(),
        Kind::ScannerEnd => ScannerEnd::ALL.map(ScannerEnd::name).to_vec(),
        Kind::ScannerKeyboard => ScannerKeyboard::ALL.map(ScannerKeyboard::name).to_vec(),
        Kind::KeyKept => KeyKept::ALL.map(KeyKept::name).to_vec(),
        Kind::Text | Kind::Secret | Kind::Flag | Kind::Number | Kind::Amount | Kind::Rules => Vec::new(),
    }
}

fn can_be_wrong(field: Field) -> bool {
    let mut preferences = Preferences::default();
    preferences.records.client_id = "key".into();
    ["", "*", "a\u{7}b"].into_iter().any(|text| {
        let _ = field.set(&mut preferences, Value::Text(text.into()));
        field.error(&preferences).is_some()
    })
}

#[test]
fn every_setting_has_its_field_on_the_page_and_the_page_no_other() {
    let html = read("options/options.html");
    let elements = elements(between(&html, "<form id=\"settings-form\"", "</form>"));
    let texts: serde_json::Value = serde_json::from_str(&read("_locales/en/messages.json")).unwrap();
    let has_texts = |element: &Element| {
        let attribute = element.attributes.get("data-i18n").copied();
        let keys: Vec<_> = attribute.into_iter().chain(all_between(element.content, "data-i18n=\"", "\"")).collect();
        !keys.is_empty() && keys.into_iter().all(|key| texts[key]["message"].is_string())
    };
    let by_id = |id: &str| elements.iter().find(|element| element.get("id") == id);
    let mut order = Vec::new();
    for field in Field::ALL.iter().copied().filter(|field| field.is_on_page()) {
        let id = field.id();
        let is_its = |element: &&Element| element.get("id") == id || element.get("name") == id;
        order.push(elements.iter().position(|element| is_its(&element)));
        let controls: Vec<_> = elements.iter().filter(is_its).collect();
        let first = controls.first().unwrap_or_else(|| panic!("{field:?} is not on the page"));
        match (field.kind(), first.tag, first.get("type")) {
            (Kind::Flag, "input", "checkbox")
            | (Kind::Secret, "input", "password")
            | (Kind::Text | Kind::Number | Kind::Amount, "input", "text")
            | (Kind::Rules, "input", "hidden") => {}
            (kind, "input", "radio") => {
                let values: Vec<_> = controls.iter().map(|radio| radio.get("value")).collect();
                assert_eq!(values, choices(kind), "{field:?}");
            }
            (kind, "select", _) => {
                assert_eq!(all_between(first.content, "value=\"", "\""), choices(kind), "{field:?}");
                assert!(has_texts(first), "{field:?}");
            }
            other => panic!("{field:?} is of another kind on the page: {other:?}"),
        }
        if can_be_wrong(field) {
            let line =
                by_id(&format!("{id}-error")).unwrap_or_else(|| panic!("no line for what is wrong with {field:?}"));
            assert_eq!(line.get("class"), "error");
            assert!(first.get("aria-describedby").split(' ').any(|id| id == line.get("id")), "{field:?}");
        }
        for control in controls {
            let id = control.get("id");
            if control.get("type") == "hidden" {
                // What a list of rules holds: its parts have labels of their own.
                continue;
            }
            let is_for = |label: &&Element| {
                label.tag == "label" && (label.get("for") == id || label.content.contains(&format!(" id=\"{id}\"")))
            };
            assert!(elements.iter().find(is_for).is_some_and(has_texts), "no label for #{id}");
            let described = control.get("aria-describedby").split_whitespace();
            assert!(described.into_iter().all(|id| by_id(id).is_some()), "not all that describes #{id} is there");
        }
    }
    assert!(order.is_sorted(), "the table has the order of the page, in which errors come");
    let known: BTreeSet<_> = Field::ALL.iter().filter(|field| field.is_on_page()).map(|field| field.id()).collect();
    // These try what is set, and are no settings.
    let is_setting = |element: &&Element| !["try-scan", "try-code"].contains(&element.get("id"));
    let controls = elements.iter().filter(|element| ["input", "select", "textarea"].contains(&element.tag));
    for control in controls.filter(is_setting) {
        let names = ["id", "name", "data-sets"].map(|attribute| control.get(attribute));
        assert!(names.iter().any(|name| known.contains(name)), "a control outside the table: {names:?}");
    }
}

#[test]
fn every_preset_has_its_line_in_the_documentation_and_nothing_else_has_one() {
    let docs = read("docs/deployment.md");
    let lines = between(&docs, "\n## Preset the desks\n", "\n## ").lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once("` | ")).collect();
    // These preset nothing.
    assert!(["locked", "version"].iter().all(|name| documented.remove(name).is_some()));
    for field in Field::ALL {
        let Some(name) = field.policy_name() else { continue };
        let line = documented.remove(name).unwrap_or_else(|| panic!("{name} is not in docs/deployment.md"));
        let value = line.split(" | ").next().unwrap();
        let is_said = match field.kind() {
            Kind::Text | Kind::Secret => value.starts_with("text"),
            Kind::Flag => value == "`true` or `false`",
            Kind::Number => value.starts_with("number"),
            Kind::Amount => value.starts_with("number, or text"),
            Kind::Rules => value.starts_with("list of texts"),
            kind => choices(kind).iter().all(|choice| value.contains(&format!("`\"{choice}\"`"))),
        };
        assert!(is_said, "docs/deployment.md says of {name}: {value}");
    }
    assert!(documented.is_empty(), "no settings of KOCT's: {documented:?}");
}
