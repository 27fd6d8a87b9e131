//! Made-up translations, never shipped: to see what is not translated, what gets too long and what does not turn around.

use crate::Result;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};
use tempfile::TempDir;

/// What the made-up texts look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Latin letters with accents, and 40 % longer than English.
    Accented,
    /// Arabic letters.
    Arabic,
}

/// Stands before every made-up text.
pub const BEGIN: char = '⟦';
/// Stands after every made-up text.
pub const END: char = '⟧';

const LATIN: &str = "abcdefghijklmnopqrstuvwxyz";
const ACCENTED: &str = "áƀçďéƒǧĥíĵķĺɱñóþǫřšťúṽŵẋýž";
const ARABIC: &str = "ابتثجحخدذرزسشصضطظعغفقكلمنه";

/// A copy of the add-on that also comes in this language, with texts made up. A text for a plural category begins with the
/// category's name.
///
/// # Errors
/// When the add-on cannot be read or copied.
pub fn addon(addon: &Path, language: &str, categories: &[&str], script: Script) -> Result<TempDir> {
    let folder = crate::keeper::folder()?;
    copy(addon, folder.path())?;
    let locales = folder.path().join("_locales");
    let english: Map<String, Value> = serde_json::from_slice(&fs::read(locales.join("en/messages.json"))?)?;
    let mut messages = Map::new();
    for (key, message) in &english {
        let text = message["message"].as_str().unwrap_or_default();
        let mut put = |key: &str, text: String| messages.insert(key.to_owned(), json!({ "message": text }));
        match key.rsplit_once('_') {
            Some((name, "other")) => {
                for category in categories {
                    put(&format!("{name}_{category}"), format!("{BEGIN}{category} {}{END}", written(text, script)));
                }
            }
            Some(_) => {}
            None if key == "language" => {
                put(key, language.replace('_', "-"));
            }
            None => {
                put(key, format!("{BEGIN}{}{END}", written(text, script)));
            }
        }
    }
    let folder_of_language = locales.join(language);
    fs::create_dir_all(&folder_of_language)?;
    fs::write(folder_of_language.join("messages.json"), Value::Object(messages).to_string())?;
    Ok(folder)
}

/// The text in the script. Placeholders stay, for they are digits.
fn written(text: &str, script: Script) -> String {
    let letters = if script == Script::Accented { ACCENTED } else { ARABIC };
    let letter = |c: char| {
        let place = LATIN.chars().position(|latin| latin == c.to_ascii_lowercase());
        place.and_then(|place| letters.chars().nth(place)).unwrap_or(c)
    };
    let mut written: String = text.chars().map(letter).collect();
    if script == Script::Accented {
        let more = text.chars().count() * 2 / 5;
        written.push(' ');
        written.extend("óňé ťŵó ťĥřéé ".chars().cycle().take(more));
    }
    written
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
