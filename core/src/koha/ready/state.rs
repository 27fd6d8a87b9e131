//! What a desk tells those who look after all desks: a small file beside the second copy, with neither a code nor a name in it.
//! docs/deployment.md describes it.

use super::{Grade, Verdict};
use crate::{
    desk::{name::DeskName, transaction::Moment, version::Version},
    desks::{copy::kept::FOLDER, koc},
    log::{Counts, status::State},
};
use serde::Serialize;

/// The version of the format.
const VERSION: u32 = 1;
const PREFIX: &str = "koct_state_";
const ENDING: &str = ".json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeskState {
    koct: &'static str,
    version: u32,
    desk: String,
    generator: String,
    written: String,
    waiting: u32,
    in_doubt: u32,
    refused: u32,
    to_do: Vec<ToDo>,
}

#[derive(Serialize)]
struct ToDo {
    line: &'static str,
    grade: &'static str,
}

/// The name of the file, with its folder: always the same for a desk of this name.
pub fn name(desk: &DeskName) -> String {
    format!("{FOLDER}/{PREFIX}{}{ENDING}", koc::safe_in_names(desk.as_str()))
}

/// Whether a file of this name is one, wherever it lies.
pub fn is_one(path: &str) -> bool {
    path.rsplit(['/', '\\']).next().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(ENDING))
}

/// Whether this is passed over of this number of files that were chosen at once: whoever takes a whole folder takes what tells how the
/// desk stands, too. Chosen alone it is told that it cannot be imported.
pub fn is_passed_over(path: &str, chosen: usize) -> bool {
    chosen > 1 && is_one(path)
}

/// What stands in it: how many transactions are not in Koha, and which lines of “Is this desk ready?” are not in order.
pub fn text(desk: &DeskName, written: Moment, counts: Counts, verdicts: &[Verdict]) -> String {
    let grade = |grade| match grade {
        Grade::Good | Grade::Note => None,
        Grade::Careful => Some("careful"),
        Grade::Stop => Some("stop"),
    };
    let to_do = |verdict: &Verdict| Some(ToDo { line: verdict.line.id(), grade: grade(verdict.grade)? });
    let state = DeskState {
        koct: "state",
        version: VERSION,
        desk: desk.as_str().to_owned(),
        generator: Version::own().to_string(),
        written: written.iso_local(),
        waiting: counts.of(State::Local),
        in_doubt: counts.of(State::InDoubt) + counts.of(State::Sending),
        refused: counts.of(State::Rejected),
        to_do: verdicts.iter().filter_map(to_do).collect(),
    };
    // Numbers and texts have a form in JSON.
    serde_json::to_string(&state).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::koha::ready::{Finding, Line};

    #[test]
    fn those_who_look_after_all_desks_read_what_waits_and_what_is_to_be_done() {
        let mut counts = Counts::default();
        for (state, number) in
            [(State::Local, 12), (State::Sending, 1), (State::InDoubt, 2), (State::Rejected, 3), (State::Added, 9)]
        {
            counts.add(state, number);
        }
        let verdict = |line, grade, finding| Verdict { line, grade, finding };
        let verdicts = [
            verdict(Line::Settings, Grade::Good, Finding::Set),
            verdict(Line::Permission, Grade::Stop, Finding::NotAllowed),
            verdict(Line::Branch, Grade::Note, Finding::BranchUntested),
            verdict(Line::Records, Grade::Careful, Finding::NoRecords),
        ];
        let desk = DeskName::parse("Bus/2").unwrap();
        let text = text(&desk, Moment::new(1_795_428_000_000, -210).unwrap(), counts, &verdicts);
        let own = Version::own();
        assert_eq!(
            text,
            format!(
                "{{\"koct\":\"state\",\"version\":1,\"desk\":\"Bus/2\",\"generator\":\"{own}\",\
                 \"written\":\"2026-11-23T06:30:00-03:30\",\"waiting\":12,\"inDoubt\":3,\"refused\":3,\
                 \"toDo\":[{{\"line\":\"permission\",\"grade\":\"stop\"}},{{\"line\":\"records\",\"grade\":\"careful\"}}]}}\n"
            )
        );
    }

    #[test]
    fn its_name_tells_it_from_what_can_be_imported() {
        let name = name(&DeskName::parse("Bus/2").unwrap());
        assert!(is_one(&name) && is_one(&name.replace('/', "\\")) && is_one("koct_state_Bus.json"), "{name}");
        assert_eq!(name.matches('/').count(), 1);
        for other in ["KOCT/koct_copy_Bus_0123.jsonl", "koct_state_Bus.json/x.koc", "x_koct_state_Bus.json", ""] {
            assert!(!is_one(other) && !is_passed_over(other, 2), "{other}");
        }
        assert!(is_passed_over(&name, 2), "it came with a folder");
        assert!(!is_passed_over(&name, 1), "somebody means it");
    }
}
