//! Takes patrons and their loans from a `borrowers.db` in place of what was downloaded.

use super::{
    CONTENTS, DownloadError, Known, Watcher,
    borrowers::{self, Failure, Sink},
    disk::{Disk, DiskError},
    download::{DOWNLOAD, LOCK},
    key,
};
use crate::{clock, lock};
use koct_borrowers_db::Report;
use koct_core::{
    directory::{
        self, Contents, Held, RowWriter, Unfinished,
        block_store::BlockStore,
        record::{Loan, Patron, Record, Set},
    },
    settings::records::RecordsSettings,
};
use web_sys::File;

/// The two runs that are written.
struct Runs<'a> {
    disk: &'a Disk,
    patrons: RowWriter<Patron>,
    loans: RowWriter<Loan>,
    watcher: &'a dyn Watcher,
}

async fn write<R: Record>(disk: &Disk, writer: &mut RowWriter<R>, rows: &[R]) -> Result<(), DiskError> {
    for row in rows {
        // They rise, each number once: the reader sees to it.
        let _ = writer.push(row);
    }
    disk.write(writer.take(false).0).await
}

impl Sink for Runs<'_> {
    type Error = DiskError;

    async fn patrons(&mut self, rows: Vec<Patron>) -> Result<(), DiskError> {
        write(self.disk, &mut self.patrons, &rows).await
    }

    async fn loans(&mut self, rows: Vec<Loan>) -> Result<(), DiskError> {
        write(self.disk, &mut self.loans, &rows).await
    }

    fn progress(&mut self, thousandths: u16) {
        self.watcher.file(thousandths);
    }

    fn is_wanted(&self) -> bool {
        !self.watcher.is_stopped()
    }
}

async fn finish<R: Record>(disk: &Disk, mut writer: RowWriter<R>, as_of: i64) -> Result<Held, DiskError> {
    let (blocks, written) = writer.take(true);
    disk.write(blocks).await?;
    let held = directory::finish::<R, _>(disk, written, as_of).await?;
    // What a file does not tell, such as restrictions, is told field by field.
    Ok(Held { has_extras: true, ..held })
}

impl Known {
    /// Reads a `borrowers.db`. What was there of patrons and loans is replaced once the file is read to its end, and stays
    /// where it cannot be.
    ///
    /// # Errors
    /// When it cannot be read or kept.
    pub(crate) async fn import(
        &self,
        file: &File,
        lookup: &RecordsSettings,
        watcher: &dyn Watcher,
    ) -> Result<Report, DownloadError> {
        let Some(_lock) = lock::lock_of(LOCK).await else { return Err(DownloadError::Busy) };
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
        let as_of = file.last_modified() as i64;
        if lookup.is_over(as_of, clock::millis()) {
            return Err(DownloadError::TooOld);
        }
        let base = self.base().await?;
        let cipher = key::ready(&base).await?.ok_or(DownloadError::Locked)?;
        let mut contents: Contents = base.state(CONTENTS).await?.unwrap_or_default();
        let disk = Disk::new(base, cipher);
        let writer = Unfinished::new;
        let (patrons, loans) = (writer(contents.new_run()), writer(contents.new_run()));
        let mut runs =
            Runs { disk: &disk, patrons: RowWriter::resume(patrons), loans: RowWriter::resume(loans), watcher };
        let read = borrowers::read_borrowers_db(file, &mut runs).await;
        // Of a file that is not read to its end nothing is in the contents, and its runs are deleted below.
        let result = match read {
            Ok(report) => {
                watcher.prepares(Set::Patrons);
                contents.sets.insert(Set::Patrons, finish(&disk, runs.patrons, as_of).await?);
                watcher.prepares(Set::Loans);
                contents.sets.insert(Set::Loans, finish(&disk, runs.loans, as_of).await?);
                contents.gaps.clear();
                disk.base().set_state(CONTENTS, &contents).await?;
                Ok(report)
            }
            Err(Failure::Stopped) => Err(DownloadError::Stopped),
            Err(Failure::Sink(error)) => Err(DownloadError::Disk(error)),
            Err(failure) => Err(DownloadError::File(failure.wording())),
        };
        // A download that was broken off began before this, and is begun anew.
        disk.base().set_state(DOWNLOAD, &None::<()>).await?;
        disk.base().keep_only(contents.runs()).await?;
        self.tell_others();
        result
    }
}
