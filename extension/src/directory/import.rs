//! Takes patrons and their loans from a `borrowers.db` in place of what was downloaded.

use super::{
    Known, RecordsError, Watcher,
    borrowers::{self, Failure, Sink},
    disk::{Disk, DiskError},
    download::LOCK,
    key,
};
use crate::{clock, lock};
use koct_borrowers_db::Report;
use koct_core::{
    desk::clock::DeskTime,
    directory::{
        Contents,
        import::Import,
        record::{Loan, Patron},
        write::CONTENTS,
    },
    koha::download::DownloadError,
    settings::{form::ServerUrl, records::RecordsSettings},
};
use web_sys::File;

/// Where the rows of a file go.
struct Rows<'a> {
    import: &'a mut Import,
    disk: &'a Disk,
    watcher: &'a dyn Watcher,
}

impl Sink for Rows<'_> {
    type Error = DiskError;

    async fn patrons(&mut self, rows: Vec<Patron>) -> Result<(), DiskError> {
        self.import.patrons(self.disk, &rows).await
    }

    async fn loans(&mut self, rows: Vec<Loan>) -> Result<(), DiskError> {
        self.import.loans(self.disk, &rows).await
    }

    fn progress(&mut self, thousandths: u16) {
        self.watcher.file(thousandths);
    }

    fn is_wanted(&self) -> bool {
        !self.watcher.is_stopped()
    }
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
        wanted: &RecordsSettings,
        server: Option<&ServerUrl>,
        watcher: &dyn Watcher,
    ) -> Result<Report, RecordsError> {
        let Some(_lock) = lock::lock_of(LOCK).await else { return Err(RecordsError::Busy) };
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
        let as_of = DeskTime::from_millis(file.last_modified() as i64);
        let base = self.base().await?;
        let cipher = key::ready(&base, wanted.key_kept).await?.ok_or(RecordsError::Locked)?;
        let contents: Contents = base.state(CONTENTS).await?.unwrap_or_default();
        let disk = Disk::new(base, cipher);
        let (mut import, clean) =
            Import::new(&contents, wanted, server, as_of, clock::time()).map_err(|_| RecordsError::TooOld)?;
        disk.apply(clean.clone()).await?;
        let mut rows = Rows { import: &mut import, disk: &disk, watcher };
        let result = match borrowers::read_borrowers_db(file, &mut rows).await {
            Ok(report) => match import.finish(&disk, |set| watcher.prepares(set)).await {
                Ok(write) => disk.apply(write).await.map(|()| report).map_err(RecordsError::from),
                Err(error) => Err(error.into()),
            },
            Err(Failure::Stopped) => Err(RecordsError::Download(DownloadError::Stopped)),
            Err(Failure::Sink(error)) => Err(error.into()),
            Err(failure) => Err(RecordsError::File(failure.wording())),
        };
        if result.is_err() {
            disk.apply(clean).await?;
        }
        self.tell_others();
        result
    }
}
