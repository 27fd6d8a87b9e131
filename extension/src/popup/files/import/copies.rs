//! Files of a second copy, put together and brought into the log as one backup.

use super::{
    chosen::Chosen,
    outcome::{Outcome, Refused},
};
use crate::{
    i18n::{text, text_with},
    locale,
    popup::{Desk, files::backup},
    ready, slices,
};
use koct_core::desks::{
    backup::Header,
    copy::together::{self, Set},
    import::knowledge::Knowledge,
};
use std::rc::Rc;

/// Imports the files of a set, given in its order. The first says what came of it.
pub(super) async fn import(desk: &Desk, files: &[Rc<Chosen>], set: &Set, knowledge: &mut Knowledge) {
    if set.is_replaced || set.is_gone {
        let why = text(if set.is_replaced { "importCopyReplaced" } else { "importCopyGone" });
        for file in files {
            file.show_outcome(Outcome::from_copy(why.clone()));
        }
        return;
    }
    let mut bytes = Vec::new();
    let mut read = Vec::new();
    for file in files {
        match file.bytes().await {
            Some(content) => {
                bytes.push(content);
                read.push(file);
            }
            None => file.show_outcome(Outcome::failed(text("importNotReadable"))),
        }
    }
    let Some((first, others)) = read.split_first() else { return };
    let together = slices::through(together::putting_together(&bytes)).await;
    let of = Header::from_file(&together.bytes).map(|header| header.desk);
    let mut outcome = backup::import(desk, &together.bytes, knowledge).await.without_end();
    // What another state of this desk has told of stands in the log now.
    if outcome.failed.is_none() && of.is_ok_and(|of| of == desk.preferences.borrow().desk_name()) {
        ready::copies_imported().await;
    }
    if !set.missing.is_empty() {
        let numbers: Vec<String> = set.missing.iter().map(|number| locale::number(*number)).collect();
        outcome = outcome.with_note(text_with("importCopyMissing", &[&numbers.join(", ")]));
    }
    // Each line that was refused is told with the file in which it stands.
    let mut refused: Vec<Vec<Refused>> = read.iter().map(|_| Vec::new()).collect();
    for line in std::mem::take(&mut outcome.refused) {
        let origin = line.line_of_backup().and_then(|line| together.origin(line));
        let (place, line) = origin.map_or((0, line), |(place, line)| (place, Refused::Backup(line)));
        if let Some(of_file) = refused.get_mut(place) {
            of_file.push(line);
        }
    }
    let mut outcomes = vec![outcome];
    outcomes.extend(others.iter().map(|_| Outcome::from_copy(text_with("importCopyWith", &[&first.path]))));
    for (place, ((file, mut outcome), refused)) in read.into_iter().zip(outcomes).zip(refused).enumerate() {
        if together.cut.contains(&place) {
            outcome = outcome.with_note(text("backupCut"));
        }
        outcome.refused = refused;
        file.show_outcome(outcome);
    }
}
