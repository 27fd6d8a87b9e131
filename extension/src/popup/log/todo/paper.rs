//! The list on paper: what is still to be done, group by group.

use super::TodoPanel;
use crate::{
    i18n::text,
    popup::{log::slip::PaperList, scan::open::OpenScan},
};
use koct_core::log::todo::Group;
use std::rc::Rc;

/// The number of rows of a group that are printed: a longer list is worked through on the screen.
const PRINTED: usize = 500;

impl TodoPanel {
    /// Prints what is still to be done, with names as far as they are known.
    pub(super) async fn print(self: Rc<Self>) {
        let mut lists = Vec::new();
        for group in Group::ALL {
            let scans = self.scans.all();
            let rows: Vec<[String; 5]> = if group == Group::NotRecorded {
                let row = |scan: &Rc<OpenScan>| {
                    [scan.scan.clone(), scan.reason.clone(), String::new(), String::new(), String::new()]
                };
                scans.iter().map(row).collect()
            } else {
                let rows = self.left.borrow().first_rows(group, PRINTED);
                let mut lines = Vec::new();
                for row in rows.into_iter().filter(|row| !row.is_ticked) {
                    if self.names.of(&row).is_none() {
                        self.names.look_up(&row).await;
                    }
                    lines.push(self.row_on_paper(&row));
                }
                lines
            };
            if !rows.is_empty() {
                let [title, about] = titles(group).map(text);
                lists.push(PaperList { title, about, rows });
            }
        }
        self.printer.print_lists(&text("todo"), &lists);
    }
}

/// The title of a group and what is to be done.
pub(super) fn titles(group: Group) -> [&'static str; 2] {
    match group {
        Group::NotRecorded => ["todoNotRecorded", "todoNotRecordedWhy"],
        Group::InDoubt => ["stateInDoubt", "todoInDoubtWhy"],
        Group::Refused => ["todoRefused", "todoRefusedWhy"],
        Group::SetAside => ["todoAside", "todoAsideWhy"],
        Group::Transfers => ["todoTransfers", "todoTransfersWhy"],
        Group::Patrons => ["todoPatrons", "todoPatronsWhy"],
        Group::Loans => ["todoLoans", "todoLoansWhy"],
        Group::Late => ["todoLate", "todoLateWhy"],
        Group::ReadBack => ["todoReadBack", "todoReadBackWhy"],
        Group::Payments => ["todoPayments", "todoPaymentsWhy"],
    }
}
