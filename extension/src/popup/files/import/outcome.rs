//! What became of a file, in words.

use crate::{
    i18n::{plural, text, text_with},
    locale, wording,
};
use koct_core::{
    desk::signs,
    desks::{
        backup::adoption::Adopted,
        koc::{Problem, Reading, Warning},
    },
};

/// A line that was refused. A file may have a million of them: they are put into words where they are read.
#[derive(Clone)]
pub(crate) enum Refused {
    Koc(Problem),
    /// Of a backup, by its number.
    Backup(usize),
}

impl Refused {
    /// The number of the line, where it is one of a backup.
    pub(super) fn line_of_backup(&self) -> Option<usize> {
        match self {
            Self::Backup(line) => Some(*line),
            Self::Koc(_) => None,
        }
    }

    pub(super) fn words(&self) -> String {
        let (line, reason) = match self {
            Self::Koc(problem) => (problem.line, wording::koc_reason(&problem.reason)),
            Self::Backup(line) => (*line, text("backupLine")),
        };
        text_with("importLine", &[&locale::number(line), &reason])
    }
}

/// What became of a file.
#[derive(Default, Clone)]
pub(crate) struct Outcome {
    pub(crate) imported: usize,
    pub(crate) already_there: u32,
    /// Of those, the ones that were cleared from the log.
    pub(crate) cleared: u32,
    /// The lines that were refused.
    pub(crate) refused: Vec<Refused>,
    /// How many of those already there are of another library now.
    pub(crate) moved: usize,
    notes: Vec<String>,
    /// Whether the end of a backup is missing.
    is_cut: bool,
    /// Whether what came of it is told with another file.
    has_no_numbers: bool,
    pub(crate) failed: Option<String>,
}

impl Outcome {
    pub(crate) fn failed(reason: String) -> Self {
        Self { failed: Some(reason), ..Self::default() }
    }

    /// What reading a .koc file tells.
    pub(super) fn from_reading(reading: &mut Reading) -> Self {
        let note = |warning: &Warning| match warning {
            Warning::NoHeader => text("importNoHeader"),
            Warning::Version(version) => text_with("importVersion", &[version]),
            Warning::OddSigns { line, sign, lines } => {
                text_with("importOddSign", &[&locale::number(*line), &signs::name(*sign), &locale::number(*lines)])
            }
        };
        Self {
            refused: std::mem::take(&mut reading.problems).into_iter().map(Refused::Koc).collect(),
            notes: reading.warnings.iter().map(note).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn from_backup(adopted: Adopted) -> Self {
        Self {
            is_cut: adopted.is_cut,
            imported: adopted.imported,
            already_there: adopted.already_there,
            refused: adopted.refused.into_iter().map(Refused::Backup).collect(),
            ..Self::default()
        }
    }

    /// Of files that were put together: whether they have their ends was told already.
    pub(super) fn without_end(self) -> Self {
        Self { is_cut: false, ..self }
    }

    /// Something else that is to be said.
    pub(super) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    /// Of a file that was taken together with others, or not at all.
    pub(super) fn from_copy(note: String) -> Self {
        Self { has_no_numbers: true, ..Self::default() }.with_note(note)
    }

    pub(super) fn notes(&self) -> String {
        self.notes.join("\n")
    }

    pub(super) fn words(&self) -> String {
        let numbers =
            [locale::number(self.imported), locale::number(self.already_there), locale::number(self.refused.len())];
        let mut lines: Vec<String> = self.failed.iter().map(|reason| text_with("importFailed", &[reason])).collect();
        if (self.failed.is_none() && !self.has_no_numbers) || self.imported > 0 {
            lines.push(text_with("importResult", &numbers.each_ref().map(String::as_str)));
        }
        if self.cleared > 0 {
            lines.push(plural("importCleared", self.cleared, &[]));
        }
        if self.moved > 0 {
            lines.push(text_with("importMoved", &[&locale::number(self.moved)]));
        }
        lines.extend(self.is_cut.then(|| text("backupCut")));
        lines.extend(self.notes.iter().cloned());
        lines.join("\n")
    }
}
