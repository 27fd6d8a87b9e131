//! The name of a desk: how its transactions are told from those of other desks.

use crate::desk::barcode::code;
use serde::{Deserialize, Serialize};

code! {
    /// The name of a desk.
    ///
    /// ```
    /// use koct_core::desk::name::DeskName;
    /// assert_eq!(DeskName::parse(" Bus 2 ").unwrap().as_str(), "Bus 2");
    /// ```
    DeskName, 40
}

/// How the names of files end that hold what a desk recorded, also one behind the other.
const ENDINGS: [&str; 6] = [".koc", ".txt", ".csv", ".tsv", ".jsonl", ".zip"];

/// A file's name without its endings, and without the number that a browser adds to a second download.
fn stem(file_name: &str) -> &str {
    let without_ending = |name: &str| {
        let is_one = |ending: &&&str| {
            let at = name.len().checked_sub(ending.len());
            at.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
        };
        ENDINGS.iter().find(is_one).map(|ending| name.len() - ending.len())
    };
    let mut stem = file_name.trim_end();
    if without_ending(stem).is_none() {
        stem = stem.rsplit_once('.').map_or(stem, |(before, _)| before).trim_end();
    }
    loop {
        let numbered = stem.strip_suffix(')').and_then(|stem| stem.rsplit_once('('));
        stem = match (without_ending(stem), numbered) {
            (Some(end), _) => stem[..end].trim_end(),
            (None, Some((before, number))) if number.bytes().all(|byte| byte.is_ascii_digit()) => before.trim_end(),
            _ => return stem,
        };
    }
}

/// From this number of digits on, the end of a file's name is a date or a time and not the number of a desk.
const DATE_DIGITS: usize = 6;

impl DeskName {
    /// The name of a desk that has none yet, from a random number: two desks must not have the same by chance.
    pub fn suggested(random: u32) -> Self {
        Self(format!("Desk-{:04X}", random & 0xffff))
    }

    /// What the name of a file tells about the desk that wrote it: the name without its endings, without the number
    /// that a browser adds to a second download, and without date and time. So the files that one desk writes day after
    /// day belong to one desk.
    pub fn from_file_name(file_name: &str) -> Option<Self> {
        let stem = stem(file_name);
        let is_separator = |c: char| matches!(c, '_' | '-' | '.' | ' ' | ':');
        let mut kept = stem;
        let mut digits = 0;
        while let Some(place) = kept.rfind(|c: char| !c.is_ascii_digit()) {
            let number = &kept[place..].trim_start_matches(|c: char| !c.is_ascii_digit());
            let before = kept[..kept.len() - number.len()].trim_end_matches(is_separator);
            let is_apart = before.len() + number.len() < kept.len();
            if number.is_empty() || !is_apart || before.is_empty() {
                break;
            }
            digits += number.len();
            kept = before;
        }
        let name = if digits >= DATE_DIGITS { kept } else { stem };
        let clean: String = name.chars().filter(|c| !c.is_control()).take(Self::LIMIT).collect();
        Self::parse(&clean).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_of_one_desk_give_one_name() {
        for (file, name) in [
            ("desk2.koc", "desk2"),
            ("desk-2.koc", "desk-2"),
            ("desk 2 (1).koc", "desk 2"),
            ("bus_2026-11-23_11-00-00.koc", "bus"),
            ("bus_2026-11-24_09-30-00(2).koc", "bus"),
            ("koct_CPL_2026-11-23_11-00-00.koc", "koct_CPL"),
            ("van-20261123.koc", "van"),
            ("20261123.koc", "20261123"),
            ("offline.circ.koc", "offline.circ"),
            ("Bücherbus", "Bücherbus"),
            ("desk.koc.txt", "desk"),
            ("Desk 2.KOC", "Desk 2"),
            ("desk1.koc (1).txt", "desk1"),
            ("DESK1.Koc.TXT", "DESK1"),
            ("list.CSV", "list"),
        ] {
            assert_eq!(DeskName::from_file_name(file).unwrap().as_str(), name, "{file}");
        }
        assert_eq!(DeskName::from_file_name(".koc"), None);
    }

    #[test]
    fn suggests_a_short_name() {
        assert_eq!(DeskName::suggested(0x1_0a2b).as_str(), "Desk-0A2B");
    }

    proptest! {
        #[test]
        fn the_name_of_a_file_gives_one_that_can_be_typed(
            raw in "[a-zäö (_:-]{0,40}[0-9_.: -]{0,24}(\\([0-9]{1,2}\\))?(\\.koc)?|\\PC{0,60}",
        ) {
            let name = DeskName::from_file_name(&raw);
            // What is too long is cut, and no reason to have none.
            prop_assert!(name.is_some() || !raw.starts_with(|c: char| c.is_ascii_lowercase()), "{raw:?}");
            if let Some(name) = name {
                prop_assert_eq!(DeskName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().chars().all(|c| raw.contains(c)), "{name:?} of {raw:?}");
            }
        }

        #[test]
        fn a_date_changes_nothing(stem in "[a-z]{1,10}", day in 1..29_u32, hour in 0..24_u32) {
            let file = format!("{stem}_2026-11-{day:02}_{hour:02}-00-00.koc");
            prop_assert_eq!(DeskName::from_file_name(&file), DeskName::parse(&stem).ok());
        }
    }
}
