//! Downloads Koha's records: set after set, page after page, to be gone on with after any break.

use super::{
    CONTENTS, Known,
    disk::{Base, Disk, DiskError},
    key,
};
use crate::{clock, http::Http, lock, timer::sleep};
use koct_core::{
    Settings,
    directory::{
        self, Contents, Gap, Held, RowWriter, Unfinished,
        record::{Hold, Item, Loan, Patron, Record, Set},
    },
    koha::{
        connection::{Connection, ConnectionError, Next, Ready},
        records::{self, Listed, Point, ReadError, Reading, Report, RestCredentials, Source, Step, TokenError},
        rest,
        service::Access,
    },
    settings::records::RecordsSettings,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The name under which it is kept how far a download is.
pub(super) const DOWNLOAD: &str = "download";
/// The lock that only one window of a profile can hold.
pub(super) const LOCK: &str = "koct-records";
/// Rows of fewer bytes are not worth a write of their own.
const WORTH_WRITING: usize = 16 * 1024;

/// Whoever watches a download.
pub(crate) trait Watcher {
    /// So many rows of a set are read, and so many are to come, as far as Koha tells.
    fn read(&self, set: Set, rows: u32, left: Option<u32>);
    /// So many thousandths of a file are read.
    fn file(&self, thousandths: u16);
    /// A set is read, and is now made ready to be looked up.
    fn prepares(&self, set: Set);
    /// Whether it shall stop.
    fn is_stopped(&self) -> bool;
}

/// Why a download did not come to its end. What was read is kept, and the next one goes on there.
#[derive(Debug)]
pub(crate) enum DownloadError {
    /// Somebody stopped it.
    Stopped,
    /// Another window downloads.
    Busy,
    /// The passphrase is needed first.
    Locked,
    /// Koha cannot be used.
    Koha(ConnectionError),
    /// The file is older than records may be.
    TooOld,
    /// The file cannot be read, in words for the person.
    File(String),
    /// Koha gives no token for the API key.
    KeyRefused,
    /// What was read cannot be kept.
    Disk(DiskError),
}

impl From<DiskError> for DownloadError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// How far a download is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Progress {
    began: i64,
    done: BTreeSet<Set>,
    /// The set that is being read.
    open: BTreeMap<Set, Open>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    point: Point,
    written: Unfinished,
    began: i64,
}

struct Download<'a> {
    settings: Settings,
    lookup: &'a RecordsSettings,
    http: Http,
    pass: RestCredentials,
    disk: Disk,
    contents: Contents,
    progress: Progress,
    watcher: &'a dyn Watcher,
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
        lookup: &RecordsSettings,
        watcher: &dyn Watcher,
    ) -> Result<(), DownloadError> {
        let Some(_lock) = lock::lock_of(LOCK).await else { return Err(DownloadError::Busy) };
        let base = self.base().await?;
        if !lookup.passphrase && key::has_passphrase(&base).await? {
            // Not wanted any more: the key ends with the session of Firefox.
            key::set_passphrase(&base, None).await?;
        }
        let cipher = key::ready(&base).await?.ok_or(DownloadError::Locked)?;
        let http = Http::isolated(&settings.server.permission_pattern());
        let mut contents: Contents = base.state(CONTENTS).await?.unwrap_or_default();
        let pass = log_in(&http, &settings, lookup, &mut contents).await?;
        let progress = progress(&base).await?;
        // The number of a run that is being written is not in the contents yet.
        let open = progress.open.values().map(|open| open.written.run);
        contents.next_run = open.max().unwrap_or_default().max(contents.next_run);
        let disk = Disk::new(base, cipher);
        let mut download = Download { settings, lookup, http, pass, disk, contents, progress, watcher };
        let result = download.run().await;
        self.tell_others();
        result
    }
}

/// How far an earlier download is, or the beginning of a new one.
async fn progress(base: &Base) -> Result<Progress, DiskError> {
    let now = clock::millis();
    let earlier: Option<Progress> = base.state(DOWNLOAD).await?;
    let goes_on = earlier.filter(|earlier| records::goes_on(earlier.began, now));
    Ok(goes_on.unwrap_or(Progress { began: now, ..Progress::default() }))
}

/// Logs in as records are asked for: with the API key where there is one.
async fn log_in(
    http: &Http,
    settings: &Settings,
    lookup: &RecordsSettings,
    contents: &mut Contents,
) -> Result<RestCredentials, DownloadError> {
    let (pass, libraries) = if let Ok(Some((id, secret))) = lookup.api_key() {
        let request = records::token(settings, id, secret);
        let response =
            http.send(&request).await.map_err(|failure| DownloadError::Koha(ConnectionError::NoAnswer(failure)))?;
        let pass = RestCredentials::Token(records::read_token(&response).map_err(|none| match none {
            TokenError::Refused => DownloadError::KeyRefused,
            TokenError::ConnectionError(trouble) => DownloadError::Koha(trouble),
        })?);
        let answer = http.send(&records::libraries(settings, &pass)).await.ok();
        (pass, answer.and_then(|response| rest::read_libraries(&response)))
    } else {
        log_in_account(http, settings).await?
    };
    if let Some(libraries) = libraries {
        contents.libraries = libraries.list.into_iter().map(|library| (library.branchcode, library.name)).collect();
    }
    Ok(pass)
}

/// Logs in with the account of the desk.
async fn log_in_account(
    http: &Http,
    settings: &Settings,
) -> Result<(RestCredentials, Option<rest::Libraries>), DownloadError> {
    let (mut connection, mut request) = Connection::start(settings.clone());
    loop {
        match connection.handle(http.send(&request).await) {
            Next::Request(next) => request = next,
            Next::Failed(trouble) => return Err(DownloadError::Koha(trouble)),
            Next::Ready(Ready { access: Access::Session(session), libraries }) => {
                return Ok((RestCredentials::Session(session), libraries));
            }
            Next::Ready(Ready { access: Access::Credentials, libraries }) => {
                return Ok((RestCredentials::Basic, libraries));
            }
        }
    }
}

impl Download<'_> {
    async fn run(&mut self) -> Result<(), DownloadError> {
        for set in Set::ALL {
            if self.progress.done.contains(&set) {
                continue;
            }
            match set {
                Set::Patrons => self.read_list::<Patron>().await?,
                Set::Items => self.read_list::<Item>().await?,
                Set::Loans => self.read_list::<Loan>().await?,
                Set::Holds => self.read_list::<Hold>().await?,
                Set::Restrictions => self.read_restrictions().await?,
            }
        }
        self.disk.base().set_state(DOWNLOAD, &None::<Progress>).await?;
        self.tidy().await?;
        Ok(())
    }

    async fn read_list<R: Listed>(&mut self) -> Result<(), DownloadError> {
        let start = Point::after::<R>(self.contents.sets.get(&R::SET), clock::millis());
        self.read(start, Reading::<R>::new).await
    }

    async fn read_restrictions(&mut self) -> Result<(), DownloadError> {
        // What was typed and is no number was said where it was typed.
        let Ok(Some(number)) = self.lookup.restrictions_report() else {
            self.contents.sets.remove(&Set::Restrictions);
            self.contents.gaps.remove(&Set::Restrictions);
            return self.done(Set::Restrictions).await;
        };
        if matches!(self.pass, RestCredentials::Token(_)) {
            // Only the REST API takes tokens. Nothing is asked for with this one after it.
            match log_in_account(&self.http, &self.settings).await {
                Ok((pass, _)) => self.pass = pass,
                Err(broken @ DownloadError::Koha(ConnectionError::NoAnswer(_))) => return Err(broken),
                Err(_) => return self.leave_out(Set::Restrictions, Gap::Refused(String::new())).await,
            }
        }
        self.read(Point::start(None), |point| Report::new(number, point)).await
    }

    /// The pass for what is being read has ended: another one.
    async fn renew_pass(&mut self, set: Set) -> Result<(), DownloadError> {
        self.pass = if set == Set::Restrictions {
            log_in_account(&self.http, &self.settings).await?.0
        } else {
            log_in(&self.http, &self.settings, self.lookup, &mut self.contents).await?
        };
        Ok(())
    }

    /// A set cannot be read; the rest can.
    async fn leave_out(&mut self, set: Set, gap: Gap) -> Result<(), DownloadError> {
        self.contents.gaps.insert(set, gap);
        self.done(set).await
    }

    /// Reads a set, from `start` or from where it was broken off.
    async fn read<S: Source>(&mut self, start: Point, source: impl FnOnce(Point) -> S) -> Result<(), DownloadError> {
        let set = S::Row::SET;
        let open = self.progress.open.get(&set).cloned().unwrap_or_else(|| {
            let written = Unfinished::new(self.contents.new_run());
            Open { point: start, written, began: clock::millis() }
        });
        let began = open.began;
        let mut reading = source(open.point);
        let mut writer = RowWriter::<S::Row>::resume(open.written);
        let mut rows_read = open.written.rows;
        self.watcher.read(set, rows_read, None);
        loop {
            if self.watcher.is_stopped() {
                return Err(DownloadError::Stopped);
            }
            let request = reading.request(&self.settings, &self.pass);
            let (rows, left) = match reading.handle(self.http.send(&request).await) {
                Step::Rows { rows, left } => (rows, left),
                Step::Done(rows) => (rows, Some(0)),
                Step::Again(millis) => {
                    if reading.point().is_start() && rows_read > 0 {
                        // Koha must be asked in another way, from the start.
                        writer = RowWriter::resume(Unfinished::new(self.contents.new_run()));
                        rows_read = 0;
                    }
                    sleep(Duration::from_millis(millis.into())).await;
                    continue;
                }
                Step::PassEnded => {
                    self.renew_pass(set).await?;
                    continue;
                }
                Step::Stopped(stop) => {
                    let gap = match stop {
                        ReadError::Refused(permissions) => Gap::Refused(permissions),
                        ReadError::NotLetIn => Gap::Refused(String::new()),
                        ReadError::Absent => Gap::Absent,
                        ReadError::Strange(status @ (408 | 429 | 500..)) => {
                            return Err(DownloadError::Koha(ConnectionError::ServerError { status }));
                        }
                        ReadError::Strange(status) => Gap::Strange(status),
                        ReadError::NotKoha(status) => {
                            return Err(DownloadError::Koha(ConnectionError::NotKoha { status }));
                        }
                        ReadError::Maintenance => return Err(DownloadError::Koha(ConnectionError::Maintenance)),
                        ReadError::NoAnswer(failure) => {
                            return Err(DownloadError::Koha(ConnectionError::NoAnswer(failure)));
                        }
                    };
                    return self.leave_out(set, gap).await;
                }
            };
            let is_last = left == Some(0);
            rows_read += u32::try_from(rows.len()).unwrap_or_default();
            for row in rows {
                // They rise: the reading sees to it.
                let _ = writer.push(&row);
            }
            self.watcher.read(set, rows_read, left);
            if is_last || writer.written() >= WORTH_WRITING {
                let (blocks, written) = writer.take(true);
                self.progress.open.insert(set, Open { point: reading.point().clone(), written, began });
                let state = serde_json::to_string(&self.progress).map_err(DiskError::from)?;
                self.disk.write_with(blocks, Some((DOWNLOAD, state))).await?;
                if is_last {
                    return self.finish::<S::Row>(reading.point(), written, began).await;
                }
            }
        }
    }

    async fn finish<R: Record>(&mut self, point: &Point, written: Unfinished, began: i64) -> Result<(), DownloadError> {
        self.watcher.prepares(R::SET);
        let before = self.contents.sets.get(&R::SET).filter(|_| point.is_changes()).cloned();
        let held = match &before {
            Some(before) => {
                let into = self.contents.new_run();
                directory::finish_changes::<R, _>(&self.disk, before, written, into, began).await?
            }
            None => directory::finish::<R, _>(&self.disk, written, began).await?,
        };
        let held = Held {
            koha_as_of: point.began(),
            has_extras: point.has_extras || before.is_some_and(|before| before.has_extras),
            unreadable: point.unreadable,
            ..held
        };
        self.contents.sets.insert(R::SET, held);
        self.contents.gaps.remove(&R::SET);
        self.done(R::SET).await
    }

    /// Nothing more is to be read of this set.
    async fn done(&mut self, set: Set) -> Result<(), DownloadError> {
        self.progress.open.remove(&set);
        self.progress.done.insert(set);
        self.disk.base().set_state(CONTENTS, &self.contents).await?;
        self.disk.base().set_state(DOWNLOAD, &self.progress).await?;
        self.tidy().await?;
        Ok(())
    }

    /// Deletes what is not in use any more.
    async fn tidy(&self) -> Result<(), DiskError> {
        let open = self.progress.open.values().map(|open| open.written.run);
        self.disk.base().keep_only(self.contents.runs().chain(open)).await
    }
}
