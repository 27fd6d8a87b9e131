//! Whose file it is: one desk's comes again under another name, or grown, and two desks' come under one name. What a file holds
//! tells more than what it is called; where that leaves it open, a person is asked.

use crate::{
    desk::name::DeskName,
    desks::{cleared::fingerprint, koc::Lines},
};
use std::collections::HashSet;

/// A file as it was looked at.
#[derive(Debug, Clone)]
pub struct Glance {
    /// Its name.
    pub file_name: String,
    /// The folder in which it was, where that is known.
    pub folder: Option<String>,
    /// The desk that it says itself, or its name tells.
    pub proposed: Option<DeskName>,
    /// Whether it says that itself.
    pub says_so: bool,
    /// Its transactions.
    pub lines: Lines,
}

/// A file that holds what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The desk whose it seems to be.
    pub desk: DeskName,
    /// The number of its transactions that are known, of whatever desk.
    pub known: usize,
    /// The number of those that are not.
    pub new: usize,
}

/// What a person is asked, or told, of a file's desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// It looks like the file of a desk that is known by another name.
    LooksLike(Again),
    /// A desk of that name is known, and nothing of the file is; or another file has that name.
    SameName {
        /// That desk.
        desk: DeskName,
        /// The name to propose where it is another one.
        other: DeskName,
        /// Whether it comes from another folder: then nothing is proposed, a person must say it.
        is_of_other_folder: bool,
    },
}

/// Another file that was chosen, and the desk that it is said to be of.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// What it is.
    pub file: &'a Glance,
    /// The name of its desk, as it stands now.
    pub desk: &'a DeskName,
}

/// What is to be asked of a file, given what the log knows of it, and the files that were chosen before it. `is_known` tells whether
/// the log holds something of a desk.
pub fn whose(
    file: &Glance,
    in_log: Option<Again>,
    before: &[Other<'_>],
    is_known: impl Fn(&DeskName) -> bool,
) -> Option<Whose> {
    let again = in_log.or_else(|| before.iter().find_map(|other| among(file, other)));
    let proposed = file.proposed.as_ref();
    if let Some(again) = again {
        return (proposed != Some(&again.desk)).then_some(Whose::LooksLike(again));
    }
    let desk = proposed.filter(|_| !file.says_so)?;
    let of_name = || before.iter().filter(|other| other.desk == desk);
    let is_of_other_folder = of_name().any(|other| other.file.folder != file.folder);
    let is_twice = of_name().any(|other| other.file.file_name.eq_ignore_ascii_case(&file.file_name));
    (is_of_other_folder || is_twice || is_known(desk)).then(|| {
        let is_taken = |name: &DeskName| is_known(name) || before.iter().any(|other| other.desk == name);
        Whose::SameName {
            desk: desk.clone(),
            other: another_name(desk, file.folder.as_deref(), is_taken),
            is_of_other_folder: is_of_other_folder || is_twice,
        }
    })
}

/// What two files have in common.
fn among(file: &Glance, other: &Other<'_>) -> Option<Again> {
    let prints: HashSet<u128> = other.file.lines.transactions.iter().map(fingerprint).collect();
    let lines = &file.lines.transactions;
    let known = lines.iter().filter(|transaction| prints.contains(&fingerprint(transaction))).count();
    (known > 0).then(|| Again { desk: other.desk.clone(), known, new: lines.len() - known })
}

/// A name for another desk that has the same: with its folder, or a number.
fn another_name(desk: &DeskName, folder: Option<&str>, is_taken: impl Fn(&DeskName) -> bool) -> DeskName {
    let room = |other: &str| -> String {
        desk.as_str().chars().take(DeskName::LIMIT.saturating_sub(other.chars().count() + 1)).collect()
    };
    let of_folder = folder.and_then(|folder| DeskName::parse(&format!("{} {folder}", room(folder))).ok());
    let numbered = (2..).filter_map(|number: u32| {
        let number = number.to_string();
        DeskName::parse(&format!("{} {number}", room(&number))).ok()
    });
    // There are more numbers than desks.
    of_folder.into_iter().chain(numbered).find(|name| !is_taken(name)).unwrap_or_else(|| desk.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::{transaction::TransactionId, zone::FixedZone},
        desks::{cleared::cleared_key, import::knowledge::Knowledge, koc},
        log::Entry,
    };

    const DESK1: &[u8] = include_bytes!("../../../tests/cases/desk1.koc");
    const GROWN: &[u8] = include_bytes!("../../../tests/cases/desk1-grown-and-renamed.koc");

    fn desk(name: &str) -> DeskName {
        DeskName::parse(name).unwrap()
    }

    fn glance(bytes: &[u8], folder: Option<&str>, file_name: &str) -> Glance {
        let reading = koc::read(bytes, &FixedZone(60), None);
        Glance {
            file_name: file_name.into(),
            folder: folder.map(str::to_owned),
            proposed: reading.proposed_desk(file_name),
            says_so: reading.desk.is_some(),
            lines: reading.into_lines(),
        }
    }

    /// The log that holds this file as that of a desk.
    fn log_with(file: &Glance, of: &str) -> Knowledge {
        let mut knowledge = Knowledge::new(desk("Main"));
        let plan = knowledge.planning(&desk(of), file.lines.clone()).at_once();
        for (id, entry) in (1..).zip(plan.into_entries(&desk(of), None)) {
            knowledge.take(&Entry { id: TransactionId(id), ..entry });
        }
        knowledge
    }

    fn asked(file: &Glance, knowledge: &Knowledge, before: &[Other<'_>]) -> Option<Whose> {
        let in_log = knowledge.recognising(file).at_once();
        whose(file, in_log, before, |desk| knowledge.has(desk))
    }

    #[test]
    fn a_file_that_has_grown_and_was_renamed_is_known_again() {
        let (first, grown) = (glance(DESK1, None, "desk1.koc"), glance(GROWN, None, "desk1-grown-and-renamed.koc"));
        let again = Again { desk: desk("desk1"), known: 2, new: 1 };
        let mut knowledge = log_with(&first, "desk1");
        assert_eq!(asked(&grown, &knowledge, &[]), Some(Whose::LooksLike(again.clone())));
        // Under its own name nothing is to be asked, and under any only what is new is taken.
        assert_eq!(asked(&glance(GROWN, None, "desk1.koc"), &knowledge, &[]), None);
        for name in ["desk1", "desk1-grown-and-renamed"] {
            let of = desk(name);
            let plan = knowledge.planning(&of, grown.lines.clone()).at_once();
            assert_eq!((plan.new.len(), plan.already_there), (1, 2), "{name}");
        }
        // Chosen together.
        let empty = Knowledge::new(desk("Main"));
        let before = [Other { file: &first, desk: &desk("desk1") }];
        assert_eq!(asked(&grown, &empty, &before), Some(Whose::LooksLike(again.clone())));
        // Committed and cleared.
        knowledge = empty;
        for transaction in &first.lines.transactions {
            knowledge.take_cleared(cleared_key(&desk("desk1"), transaction));
        }
        assert_eq!(asked(&grown, &knowledge, &[]), Some(Whose::LooksLike(again)));
        let of = desk("another");
        let plan = knowledge.planning(&of, grown.lines.clone()).at_once();
        assert_eq!((plan.new.len(), plan.cleared), (1, 2));
    }

    #[test]
    fn two_files_of_one_name_are_asked_about() {
        let other = b"Version=1.0\tGenerator=kocQt\n2026-11-28 09:00:00 000\treturn\t39999000000077\n";
        let (cpl, mpl) = (glance(DESK1, Some("CPL"), "desk1.koc"), glance(other, Some("MPL"), "desk1.koc"));
        let empty = Knowledge::new(desk("Main"));
        assert_eq!(asked(&cpl, &empty, &[]), None);
        let (desk1, second) = (desk("desk1"), desk("desk1 MPL"));
        let before = [Other { file: &cpl, desk: &desk1 }];
        let question = |other: &DeskName, is_of_other_folder| {
            Some(Whose::SameName { desk: desk("desk1"), other: other.clone(), is_of_other_folder })
        };
        assert_eq!(asked(&mpl, &empty, &before), question(&second, true));
        // Two that were chosen from two folders, which a browser does not tell.
        let mpl = glance(other, None, "Desk1.KOC");
        let mpl = Glance { proposed: Some(desk("desk1")), ..mpl };
        let cpl = Glance { folder: None, ..cpl };
        let before = [Other { file: &cpl, desk: &desk1 }];
        assert_eq!(asked(&mpl, &empty, &before), question(&desk("desk1 2"), true));
        // One that came yesterday: the same desk, as long as nobody says otherwise.
        let knowledge = log_with(&cpl, "desk1");
        assert_eq!(asked(&mpl, &knowledge, &[]), question(&desk("desk1 2"), false));
        let day_after = glance(other, None, "desk1_2026-11-29.koc");
        let before = [Other { file: &cpl, desk: &desk1 }];
        assert_eq!(asked(&day_after, &empty, &before), None, "the files of two days");
        // A file that says itself whose it is needs no question.
        let ours = b"Version=1.0\tGenerator=koct\tDesk=desk1\n2026-11-28 09:00:00 000\treturn\t39999000000077\n";
        assert_eq!(asked(&glance(ours, Some("MPL"), "x.koc"), &knowledge, &before), None);
    }

    #[test]
    fn a_name_for_the_other_desk_is_free_and_fits() {
        let taken = [desk("bus MPL"), desk("bus 2")];
        let name = |of: &str, folder| another_name(&desk(of), folder, |name| taken.contains(name)).to_string();
        assert_eq!(
            (name("bus", Some("CPL")), name("bus", Some("MPL")), name("bus", None)),
            ("bus CPL".into(), "bus 3".into(), "bus 3".into())
        );
        assert_eq!(name(&"x".repeat(40), None).chars().count(), 40);
        assert_eq!(name("bus", Some(&"y".repeat(60))), "bus 3");
    }
}
