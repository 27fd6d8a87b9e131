//! The list as a file for a spreadsheet: all of it, with what is ticked off.

use super::{TodoPanel, list::RowInFile, paper};
use crate::{
    clock,
    i18n::{js_error, text, text_with},
    popup::{Tone, Topic, files::export},
};
use koct_core::{
    desks::koc,
    log::todo::{self, Group},
};
use std::rc::Rc;

/// The titles of the columns.
const HEAD: [&str; 10] = [
    "fileGroup",
    "fileTitle",
    "fileCode",
    "filePatron",
    "fileCard",
    "fileTime",
    "fileHappened",
    "fileAdvice",
    "fileLink",
    "fileDone",
];

impl TodoPanel {
    /// Gives the list to the person as a file, with names as far as they are known.
    pub(super) async fn save_file(self: Rc<Self>) {
        let message = self.desk.message.about(Topic::Export);
        let Some(now) = clock::now() else { return message.show(Tone::Bad, &text("attentionClock")) };
        let mut rows = vec![HEAD.map(text).to_vec()];
        for group in Group::ALL {
            let [title, _] = paper::titles(group).map(text);
            if group == Group::NotRecorded {
                for scan in self.scans.all() {
                    let mut cells = vec![String::new(); HEAD.len()];
                    (cells[0], cells[2], cells[6]) = (title.clone(), scan.scan.clone(), scan.reason.clone());
                    rows.push(cells);
                }
                continue;
            }
            let of_group = self.left.borrow().first_rows(group, usize::MAX);
            for row in of_group {
                if self.names.of(&row).is_none() {
                    self.names.look_up(&row).await;
                }
                let RowInFile { title: of, code, patron, card, time, happened, advice, link } = self.row_in_file(&row);
                let done = if row.is_ticked { text("fileDone") } else { String::new() };
                rows.push(vec![title.clone(), of, code, patron, card, time, happened, advice, link, done]);
            }
        }
        let name = koc::todo_name(self.desk.preferences.borrow().form.branchcode.trim(), now);
        match export::download(&name, &[todo::csv(&rows)]) {
            Ok(()) => message.show(Tone::Good, &text_with("todoSaved", &[&name])),
            Err(error) => message.show(Tone::Bad, &text_with("exportFailed", &[&js_error(&error)])),
        }
    }
}
