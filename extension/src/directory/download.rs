//! Downloads Koha's records: makes the requests of core's [`Download`], writes what it gives, shows how far it is.

use super::{
    Known,
    disk::{Disk, DiskError},
    key,
};
use crate::{clock, http::Http, lock, timer::sleep};
use koct_core::{
    Settings,
    directory::{
        record::Set,
        write::{CONTENTS, DOWNLOAD},
    },
    koha::download::{Download, DownloadError, Input, Output},
    settings::records::RecordsSettings,
};

/// The lock that only one window of a profile can hold.
pub(super) const LOCK: &str = "koct-records";

/// Whoever watches a download.
pub(crate) trait Watcher {
    /// This number of rows of a set are read, and the number of those to come, as far as Koha tells.
    fn read(&self, set: Set, rows: u32, left: Option<u32>);
    /// The part of a file that is read, in thousandths.
    fn file(&self, thousandths: u16);
    /// A set is read, and is now made ready to be looked up.
    fn prepares(&self, set: Set);
    /// Whether it shall stop.
    fn is_stopped(&self) -> bool;
}

/// Why there are no new records.
#[derive(Debug)]
pub(crate) enum RecordsError {
    /// Another window downloads.
    Busy,
    /// The passphrase is needed first.
    Locked,
    /// The file is older than records may be.
    TooOld,
    /// The file cannot be read, in words for the person.
    File(String),
    /// The download did not come to its end, or what was read cannot be kept.
    Download(DownloadError<DiskError>),
}

impl From<DiskError> for RecordsError {
    fn from(error: DiskError) -> Self {
        Self::Download(DownloadError::Disk(error))
    }
}

impl Known {
    /// Downloads what has changed, or everything where Koha cannot tell or that was long ago. Goes on where an earlier
    /// download was broken off.
    ///
    /// # Errors
    /// When it does not come to its end.
    pub(crate) async fn download(
        &self,
        settings: Settings,
        wanted: &RecordsSettings,
        watcher: &dyn Watcher,
    ) -> Result<(), RecordsError> {
        let Some(_lock) = lock::lock_of(LOCK).await else { return Err(RecordsError::Busy) };
        let base = self.base().await?;
        if !wanted.passphrase && key::has_passphrase(&base).await? {
            // Not wanted any more: the key ends with the session of Firefox.
            key::set_passphrase(&base, None).await?;
        }
        let cipher = key::ready(&base).await?.ok_or(RecordsError::Locked)?;
        let http = Http::isolated(&settings.server.permission_pattern());
        let contents = base.state(CONTENTS).await?.unwrap_or_default();
        let earlier = base.state(DOWNLOAD).await?;
        let disk = Disk::new(base, cipher);
        let mut download = Download::new(settings, wanted.clone(), contents, earlier, clock::time());
        while let Some(output) = download.poll() {
            let input = match output {
                Output::Request(request) => Input::Answer(http.send(&request).await),
                Output::Wait(time) => {
                    sleep(time).await;
                    Input::Waited
                }
                Output::Write(write) => disk.apply(write).await.map_or_else(Input::NotWritten, |()| Input::Written),
                Output::Prepare(preparation) => {
                    watcher.prepares(preparation.set);
                    preparation.run(&disk).await.map_or_else(not_prepared, Input::Prepared)
                }
                Output::Read(set, rows, left) => {
                    watcher.read(set, rows, left);
                    continue;
                }
                Output::Changed => {
                    self.changed(&disk, download.contents());
                    continue;
                }
                Output::Finished(result) => return result.map_err(RecordsError::Download),
            };
            download.handle(input, clock::time());
            if watcher.is_stopped() {
                download.handle(Input::Stop, clock::time());
            }
        }
        Err(RecordsError::Download(DownloadError::Stopped))
    }
}

fn not_prepared(error: DiskError) -> Input<DiskError> {
    Input::NotPrepared { is_damaged: matches!(error, DiskError::DamagedBlockError(_)), error }
}
