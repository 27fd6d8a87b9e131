//! Downloads Koha's records: makes the requests of core's [`Download`], writes what it gives, shows how far it is.

use super::{
    Known,
    disk::{Disk, DiskError},
    key, refresh,
};
use crate::{clock, http::Http, lock, preferences, timer::sleep};
use koct_core::{
    Settings,
    directory::{
        owing,
        record::Set,
        refresh::{Ended, Scope},
        write::{CONTENTS, DOWNLOAD},
    },
    koha::download::{Download, DownloadError, Input, Output},
    settings::records::RecordsSettings,
};
use std::time::Duration;

/// The lock that only one window of a profile can hold.
pub(super) const LOCK: &str = "koct-records";

/// How often it is looked whether a rest is over.
const STEP: Duration = Duration::from_millis(250);

/// How a download is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) scope: Scope,
    /// Nobody waits for it: Koha gets a rest between two answers, and a commit goes first.
    pub(crate) is_gentle: bool,
}

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
        manner: Manner,
        watcher: &dyn Watcher,
    ) -> Result<Ended, RecordsError> {
        let result = self.run(settings, wanted, manner, watcher).await;
        refresh::ended(&result);
        result
    }

    async fn run(
        &self,
        settings: Settings,
        wanted: &RecordsSettings,
        Manner { scope, is_gentle }: Manner,
        watcher: &dyn Watcher,
    ) -> Result<Ended, RecordsError> {
        let Some(_lock) = lock::lock_of(LOCK).await else { return Err(RecordsError::Busy) };
        let base = self.base().await?;
        let cipher = key::ready(&base, wanted.key_kept).await?.ok_or(RecordsError::Locked)?;
        let http = Http::isolated(&settings.server.permission_pattern());
        let contents = base.state(CONTENTS).await?.unwrap_or_default();
        let earlier = base.state(DOWNLOAD).await?;
        let disk = Disk::new(base, cipher);
        let download = Download::new(settings, wanted.clone(), contents, earlier, clock::time());
        let mut download = download.with(scope, refresh::remembered().owing_after);
        if is_gentle {
            download = download.gently();
        }
        loop {
            if watcher.is_stopped() {
                download.handle(Input::Stop, clock::time());
            }
            let Some(output) = download.poll() else { break };
            let input = match output {
                Output::Rest(pause) => {
                    rest(pause, watcher).await;
                    continue;
                }
                Output::Request(request) => {
                    if !download.is_over() {
                        if !is_up_to_date(&download).await {
                            download.handle(Input::Outdated, clock::time());
                            continue;
                        }
                        // Meanwhile: it is stopped before anything else.
                        if watcher.is_stopped() {
                            continue;
                        }
                    }
                    let began = clock::ran();
                    let answer = http.send(&request).await;
                    download.took(clock::ran().saturating_sub(began));
                    Input::Answer(answer)
                }
                Output::Find(after) => {
                    // Without it, what Koha reports is there all the same.
                    Input::Found(owing::round(&disk, download.contents(), after).await.unwrap_or_default())
                }
                Output::Owing(up_to) => {
                    refresh::asked_what_is_owed(up_to);
                    continue;
                }
                Output::Wait(time) => {
                    wait(time, watcher).await;
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
                Output::Finished(result) => return result.map(|()| download.came_to()).map_err(RecordsError::Download),
            };
            download.handle(input, clock::time());
        }
        Err(RecordsError::Download(DownloadError::Stopped))
    }
}

/// Whether the settings are still those that it goes by, as far as Firefox tells. Where something was taken out of them, they are not.
async fn is_up_to_date(download: &Download<DiskError>) -> bool {
    let Ok(stored) = preferences::stored().await else { return true };
    stored.settings().is_ok_and(|settings| download.is_of(&settings, &stored.records))
}

/// Lets Koha rest for this long, and for as long as somebody commits.
async fn rest(pause: Duration, watcher: &dyn Watcher) {
    wait(pause, watcher).await;
    while !watcher.is_stopped() && lock::is_sending().await {
        sleep(STEP).await;
    }
}

/// Waits for this long, but for nobody who has stopped it.
async fn wait(time: Duration, watcher: &dyn Watcher) {
    let until = clock::ran() + time;
    while !watcher.is_stopped() && clock::ran() < until {
        sleep(STEP.min(until.saturating_sub(clock::ran()))).await;
    }
}

fn not_prepared(error: DiskError) -> Input<DiskError> {
    Input::NotPrepared { is_damaged: matches!(error, DiskError::DamagedBlockError(_)), error }
}
