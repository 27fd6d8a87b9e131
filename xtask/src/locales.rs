//! Checks `_locales`: that what the code shows is there, and that every language has all of it.

use crate::project::{self, Result, at};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
};

/// CLDR's plural categories of the languages that KOCT comes in, by the names of their folders.
const CATEGORIES: [(&str, &[&str]); 11] = [
    ("en", &["one", "other"]),
    ("ar", &["zero", "one", "two", "few", "many", "other"]),
    ("cs", &["one", "few", "many", "other"]),
    ("de", &["one", "other"]),
    ("es", &["one", "many", "other"]),
    ("fi", &["one", "other"]),
    ("fr", &["one", "many", "other"]),
    ("it", &["one", "many", "other"]),
    ("pt_BR", &["one", "many", "other"]),
    ("tr", &["one", "other"]),
    ("zh_TW", &["other"]),
];
const ALL_CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
/// What is typed, or stands in Koha or in a file, just so: where English has one of these, so has every language.
const LITERALS: [&str; 20] = [
    "KOCT",
    "Firefox",
    ".koc",
    "borrowers.db",
    "create_koc_db.pl",
    "SQLite",
    "--sqlite3",
    "http://",
    "https://",
    "https://koha-staff.example.org",
    "HTTP",
    "UTC",
    "UTF-8",
    "F8",
    "24.05",
    "-1:00",
    "+0:07",
    "#",
    "*",
    "1.0",
];
/// Words in the code that look like keys and are none: names of the browser's.
const NO_KEYS: [&str; 34] = [
    "additionalData",
    "byteLength",
    "byteOffset",
    "camelCase",
    "conflictAction",
    "copiesImported",
    "copyRun",
    "dateStyle",
    "deriveKey",
    "directoryKey",
    "filenameRegex",
    "fromCache",
    "hourCycle",
    "iconUrl",
    "ifAvailable",
    "inIncognitoContext",
    "indexedDB",
    "isProxy",
    "itemKey",
    "maximumSignificantDigits",
    "newVersion",
    "newestSeen",
    "numberingSystem",
    "onAdded",
    "originUrl",
    "requestHeaders",
    "requestId",
    "responseHeaders",
    "saveAs",
    "statusCode",
    "timeZone",
    "toString",
    "webRequest",
    "windowId",
];

/// Checks all languages.
///
/// # Errors
/// Everything that is wrong, a line each.
pub(crate) fn check() -> Result {
    let problems = problems(&project::root())?;
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

fn problems(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("_locales");
    let mut problems = Vec::new();
    let mut languages = BTreeMap::new();
    for language in at(&folder, fs::read_dir(&folder))? {
        let path = at(&folder, language)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = path.join("messages.json");
        match serde_json::from_str::<Messages>(&at(&path, fs::read_to_string(&path))?) {
            Ok(messages) => {
                languages.insert(name, messages.0);
            }
            Err(error) => problems.push(format!("{name}: {error}")),
        }
    }
    let Some(english) = languages.get("en") else {
        problems.push("there is no _locales/en".into());
        return Ok(problems);
    };
    problems.extend(against_code(english, &Used::find(root)?));
    for (name, messages) in &languages {
        problems.extend(language(name, messages, english).into_iter().map(|problem| format!("{name}: {problem}")));
    }
    Ok(problems)
}

type Texts = BTreeMap<String, String>;

/// `messages.json`. Each key but once, and nothing in a message that Firefox would not read.
struct Messages(Texts);

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Messages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("messages by their keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Messages, A::Error> {
                let mut texts = Texts::new();
                while let Some((key, message)) = map.next_entry::<String, Message>()? {
                    if texts.insert(key.clone(), message.message).is_some() {
                        return Err(serde::de::Error::custom(format!("{key} is there twice")));
                    }
                }
                Ok(Messages(texts))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    message: String,
    #[serde(default)]
    #[expect(dead_code, reason = "it is for translators")]
    description: String,
}

/// The name of a message and its plural category, if it has one.
fn parts(key: &str) -> (&str, Option<&str>) {
    match key.rsplit_once('_') {
        Some((name, category)) if ALL_CATEGORIES.contains(&category) => (name, Some(category)),
        _ => (key, None),
    }
}

/// What is wrong between English and the code.
fn against_code(english: &Texts, used: &Used) -> Vec<String> {
    let mut problems = used.problems.clone();
    let (mut plain, mut counting) = (BTreeSet::new(), BTreeSet::new());
    for key in english.keys() {
        let (name, category) = parts(key);
        if category.is_some() {
            counting.insert(name)
        } else {
            plain.insert(name)
        };
    }
    problems.extend(plain.intersection(&counting).map(|name| format!("{name} is there with and without plural forms")));
    for (key, place) in &used.plain {
        if !plain.contains(key.as_str()) {
            problems.push(format!("{place}: there is no message {key}"));
        }
    }
    for (key, place) in &used.counting {
        if !counting.contains(key.as_str()) {
            problems.push(format!("{place}: there are no plural forms of {key}"));
        }
    }
    for (key, place) in &used.either {
        if !plain.contains(key.as_str()) && !counting.contains(key.as_str()) {
            problems.push(format!("{place}: there is no message {key} (if it is no key, name it in NO_KEYS)"));
        }
    }
    for name in plain.union(&counting) {
        if ![&used.plain, &used.counting, &used.either, &used.words].iter().any(|keys| keys.contains_key(*name)) {
            problems.push(format!("nothing uses the message {name}"));
        }
    }
    problems
}

/// What is wrong with a language.
fn language(name: &str, texts: &Texts, english: &Texts) -> Vec<String> {
    let Some((_, categories)) = CATEGORIES.iter().find(|(language, _)| *language == name) else {
        return vec!["its plural categories are not known here: add it to CATEGORIES".into()];
    };
    let mut problems = Vec::new();
    let mut expected = BTreeSet::new();
    for key in english.keys() {
        match parts(key) {
            (name, Some(_)) => expected.extend(categories.iter().map(|category| format!("{name}_{category}"))),
            (key, None) => {
                expected.insert(key.to_owned());
            }
        }
    }
    problems.extend(expected.iter().filter(|key| !texts.contains_key(*key)).map(|key| format!("{key} is missing")));
    for (key, text) in texts {
        let mut wrong = |what: &str| problems.push(format!("{key} {what}"));
        if !expected.contains(key) {
            wrong("is not wanted");
            continue;
        }
        if text.trim().is_empty() {
            wrong("is empty");
        } else if text.trim() != text {
            wrong("has blanks at its ends");
        }
        if text.chars().any(char::is_control) {
            wrong("holds a control character");
        }
        let Some(placeholders) = placeholders(text) else {
            wrong("has a $ that is not one of $1 to $9");
            continue;
        };
        let (plain_key, category) = parts(key);
        let source = if category.is_some() { format!("{plain_key}_other") } else { key.clone() };
        let Some(source) = english.get(&source) else { continue };
        let mut wanted = self::placeholders(source).unwrap_or_default();
        let mut has = placeholders;
        if category.is_some() {
            // “Ein Vorgang” is better than “1 Vorgang”.
            wanted.remove(&'1');
            has.remove(&'1');
        }
        if wanted != has {
            wrong(&format!("should have the placeholders of: {source}"));
        }
        for literal in LITERALS.iter().filter(|literal| source.contains(**literal) && !text.contains(**literal)) {
            wrong(&format!("should hold {literal}"));
        }
        for label in quoted(source) {
            let of_label: Vec<&String> = english
                .iter()
                .filter(|(other, text)| text.as_str() == label && *other != key)
                .filter_map(|(key, _)| texts.get(key))
                .collect();
            if !of_label.is_empty() && !of_label.iter().any(|label| text.contains(label.as_str())) {
                wrong(&format!("should name “{label}” as it is named elsewhere: {of_label:?}"));
            }
        }
    }
    if texts.get("language").is_some_and(|tag| *tag != name.replace('_', "-")) {
        problems.push("language should be the name of the folder, with - in place of _".into());
    }
    problems
}

/// The digits of the placeholders in a message, or `None` where a `$` is none of them.
fn placeholders(text: &str) -> Option<BTreeSet<char>> {
    let mut found = BTreeSet::new();
    for part in text.split('$').skip(1) {
        let mut characters = part.chars();
        let digit = characters.next().filter(|c| ('1'..='9').contains(c))?;
        // Firefox would read $12 as the twelfth.
        if characters.next().is_some_and(|c| c.is_ascii_digit()) {
            return None;
        }
        found.insert(digit);
    }
    Some(found)
}

/// What stands in “ ”.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('“').skip(1).filter_map(|part| part.split_once('”').map(|(label, _)| label))
}

/// The keys in code, pages and manifest, with the place where each was found.
#[derive(Default)]
struct Used {
    /// Must be there, without plural forms.
    plain: BTreeMap<String, String>,
    /// Must be there, with plural forms.
    counting: BTreeMap<String, String>,
    /// Must be there.
    either: BTreeMap<String, String>,
    /// May be keys.
    words: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Used {
    fn find(root: &Path) -> Result<Self> {
        let mut used = Self::default();
        for folder in ["extension/src", "popup", "options"] {
            used.folder(root, &root.join(folder))?;
        }
        let manifest = root.join("manifest.json");
        let text = at(&manifest, fs::read_to_string(&manifest))?;
        for part in text.split("__MSG_").skip(1) {
            let key = part.split("__").next().unwrap_or_default();
            used.plain.insert(key.to_owned(), "manifest.json".into());
        }
        Ok(used)
    }

    fn folder(&mut self, root: &Path, folder: &Path) -> Result {
        let mut paths: Vec<PathBuf> = at(folder, fs::read_dir(folder))?.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let place = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            let kind = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            match kind.as_str() {
                _ if path.is_dir() => self.folder(root, &path)?,
                "rs" => self.rust(&place, &at(&path, fs::read_to_string(&path))?),
                "html" => self.page(&place, &at(&path, fs::read_to_string(&path))?),
                _ => {}
            }
        }
        Ok(())
    }

    fn page(&mut self, place: &str, text: &str) {
        for part in text.split("data-i18n").skip(1) {
            if let Some((_, rest)) = part.split_once("=\"") {
                let key = rest.split('"').next().unwrap_or_default();
                self.plain.insert(key.to_owned(), place.to_owned());
            }
        }
    }

    fn rust(&mut self, place: &str, text: &str) {
        let text = without_comments(text);
        for literal in literals(&text) {
            let known = if is_camel_case(literal.text) && !NO_KEYS.contains(&literal.text) {
                &mut self.either
            } else {
                &mut self.words
            };
            known.insert(literal.text.to_owned(), place.to_owned());
        }
        for (call, counts) in [("text(", false), ("text_with(", false), ("plural(", true)] {
            for (start, _) in text.match_indices(call) {
                if text[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
                    continue;
                }
                let argument = first_argument(&text[start + call.len()..]);
                if argument.contains("format!") {
                    self.problems
                        .push(format!("{place}: a key is put together in {call}{argument}), so it cannot be found"));
                }
                for literal in literals(argument).filter(|literal| !literal.is_pattern && literal.depth == 0) {
                    let keys = if counts { &mut self.counting } else { &mut self.plain };
                    keys.insert(literal.text.to_owned(), place.to_owned());
                }
            }
        }
    }
}

/// Two words at least, written `likeThis`.
fn is_camel_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.contains(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What stands before the first comma or the end of a call that is in no bracket and no text.
fn first_argument(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (place, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ',' | ')' if depth == 0 => return &text[..place],
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}

/// A text in the code.
struct Literal<'a> {
    text: &'a str,
    /// Whether it stands before `=>`: what is matched, not what comes of it.
    is_pattern: bool,
    /// In how many calls it stands.
    depth: u32,
}

fn literals(code: &str) -> impl Iterator<Item = Literal<'_>> {
    let mut found = Vec::new();
    let (mut start, mut escaped, mut depth) = (None, false, 0_u32);
    for (place, c) in code.char_indices() {
        match (c, start) {
            _ if escaped => escaped = false,
            ('\\', Some(_)) => escaped = true,
            ('"', None) => start = Some(place + 1),
            ('"', Some(begin)) => {
                let rest = code[place + 1..].trim_start();
                let is_pattern = rest.starts_with("=>") || rest.starts_with('|');
                found.push(Literal { text: &code[begin..place], is_pattern, depth });
                start = None;
            }
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[(&str, &str)]) -> Texts {
        texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn every_language_is_complete() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn what_a_translation_lacks_is_found() {
        let english = texts(&[
            ("language", "en"),
            ("gone_one", "$1 gone to $2"),
            ("gone_other", "$1 gone to $2"),
            ("save", "Save"),
            ("help", "Press “Save” for a .koc file"),
        ]);
        assert_eq!(language("en", &english, &english), Vec::<String>::new());
        let good = texts(&[
            ("language", "cs"),
            ("gone_one", "do $2"),
            ("gone_few", "$1 do $2"),
            ("gone_many", "$1 do $2"),
            ("gone_other", "$1 do $2"),
            ("save", "Uložit"),
            ("help", "„Uložit“ .koc"),
        ]);
        assert_eq!(language("cs", &good, &english), Vec::<String>::new());
        for (key, text, problem) in [
            ("language", "de", "language should be"),
            ("gone_few", "$1 do", "gone_few should have the placeholders"),
            ("gone_few", "$1 do $2 $3", "gone_few should have the placeholders"),
            ("gone_two", "$1 do $2", "gone_two is not wanted"),
            ("extra", "x", "extra is not wanted"),
            ("save", " Uložit", "save has blanks"),
            ("save", " ", "save is empty"),
            ("save", "Uložit $", "save has a $"),
            ("save", "Uložit $0", "save has a $"),
            ("save", "Uložit $12", "save has a $"),
            ("save", "Uložit $1", "save should have the placeholders"),
            ("help", "„Ulož“ .koc", "help should name “Save”"),
            ("help", "„Uložit“", "help should hold .koc"),
        ] {
            let mut bad = good.clone();
            bad.insert(key.to_owned(), text.to_owned());
            let problems = language("cs", &bad, &english);
            assert!(problems.iter().any(|found| found.starts_with(problem)), "{key} {text}: {problems:?}");
        }
        let mut bad = good;
        bad.remove("gone_many");
        assert_eq!(language("cs", &bad, &english), ["gone_many is missing"]);
    }

    #[test]
    fn a_key_twice_is_no_json_and_nor_is_an_unknown_part() {
        let read = |json: &str| serde_json::from_str::<Messages>(json).map(|messages| messages.0.len());
        assert_eq!(read(r#"{"a": {"message": "x", "description": "d"}, "b": {"message": "y"}}"#).unwrap(), 2);
        assert!(read(r#"{"a": {"message": "x"}, "a": {"message": "y"}}"#).is_err());
        assert!(read(r#"{"a": {"message": "x", "placeholders": {}}}"#).is_err());
        assert!(read(r#"{"a": {"description": "x"}}"#).is_err());
    }

    #[test]
    fn keys_are_found_wherever_they_stand_in_the_code() {
        let english = texts(&[("save", "a"), ("gone_other", "b"), ("someKey", "c"), ("unused", "d"), ("title", "e")]);
        let problems_of = |code: &str| {
            let mut used = Used::default();
            used.rust("x.rs", code);
            used.page("x.html", r#"<p data-i18n="title" data-i18n-title="save">"#);
            against_code(&english, &used)
        };
        let unused = "nothing uses the message unused";
        assert_eq!(problems_of(r#"plural("gone", n, &["x"]); let k = "someKey";"#), [unused]);
        let missing =
            problems_of(r#"plural("gone", n); let k = "someKey"; text(match x { "a" | "b" => "one", _ => "two" })"#);
        assert_eq!(missing, ["x.rs: there is no message one", "x.rs: there is no message two", unused]);
        let missing = problems_of(r#"plural("save", n); text_with("gone", &[text("what")]); f("someKey", "otherKey")"#);
        assert_eq!(
            missing,
            [
                "x.rs: there is no message gone",
                "x.rs: there is no message what",
                "x.rs: there are no plural forms of save",
                "x.rs: there is no message otherKey (if it is no key, name it in NO_KEYS)",
                unused
            ]
        );
        assert!(problems_of(r#"text(&format!("some{x}"))"#)[0].contains("put together"));
        assert!(problems_of(r#"// text("gone") "aComment""#).iter().all(|problem| problem.starts_with("nothing")));
    }
}
