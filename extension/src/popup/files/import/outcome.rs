//! What became of a file, in words.

use crate::{
    i18n::{plural, text, text_with},
    locale, wording,
};
use koct_core::desks::{
    backup::adoption::Adopted,
    koc::{Reading, Warning},
};

/// What became of a file.
#[derive(Default, Clone)]
pub(crate) struct Outcome {
    pub(crate) imported: usize,
    pub(crate) already_there: u32,
    /// Of those, the ones that were cleared from the log.
    pub(crate) cleared: u32,
    /// Line numbers and reasons.
    pub(crate) refused: Vec<(usize, String)>,
    notes: Vec<String>,
    pub(crate) failed: Option<String>,
}

impl Outcome {
    pub(crate) fn failed(reason: String) -> Self {
        Self { failed: Some(reason), ..Self::default() }
    }

    /// What reading a .koc file tells.
    pub(super) fn from_reading(reading: &Reading) -> Self {
        let note = |warning: &Warning| match warning {
            Warning::NoHeader => text("importNoHeader"),
            Warning::Version(version) => text_with("importVersion", &[version]),
        };
        Self {
            refused: reading.problems.iter().map(|p| (p.line, wording::koc_reason(&p.reason))).collect(),
            notes: reading.warnings.iter().map(note).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn from_backup(adopted: Adopted) -> Self {
        Self {
            imported: adopted.imported,
            already_there: adopted.already_there,
            refused: adopted.refused.into_iter().map(|line| (line, text("backupLine"))).collect(),
            notes: adopted.is_cut.then(|| text("backupCut")).into_iter().collect(),
            ..Self::default()
        }
    }

    pub(super) fn notes(&self) -> String {
        self.notes.join("\n")
    }

    pub(super) fn words(&self) -> String {
        let numbers =
            [locale::number(self.imported), locale::number(self.already_there), locale::number(self.refused.len())];
        let mut lines: Vec<String> = self.failed.iter().map(|reason| text_with("importFailed", &[reason])).collect();
        if self.failed.is_none() || self.imported > 0 {
            lines.push(text_with("importResult", &numbers.each_ref().map(String::as_str)));
        }
        if self.cleared > 0 {
            lines.push(plural("importCleared", self.cleared, &[]));
        }
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }
}
