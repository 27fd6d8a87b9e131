//! What a person does at the desk, in a real Firefox against a stand-in Koha.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a failed unwrap is the failure report")]

mod accessibility;
mod answers;
mod aside;
mod backup;
mod borrowers;
mod clearing;
mod clock;
mod codes;
mod committing;
mod copying;
mod correcting;
mod desks;
mod doubts;
mod exporting;
mod faults;
mod finding;
mod fresh;
mod fronts;
mod guarding;
mod hearing;
mod helping;
mod isolation;
mod killing;
mod knowing;
mod languages;
mod long;
mod matrix;
mod odd_rows;
mod open_koha;
mod opening;
mod outage;
mod paying;
mod pointing;
mod policy;
mod practising;
mod printing;
mod queue;
mod ready;
mod records;
mod refreshing;
mod scanning;
mod settings;
mod still;
mod todo;
mod traces;
mod unread;
mod windows;

use fake_koha::{Config, Era, FakeKoha, Library};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
    matrix::{BEFORE_TRANSACTIONS, transactions},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const ERAS: [Era; 2] = [Era::Before2405, Era::From2405];

/// A Koha of which nothing is left to be done about items that come back: nobody waits for them, and they are where they belong.
fn library_at_home() -> Library {
    let mut library = Library::standard();
    library.holds.clear();
    library.items.iter_mut().for_each(|item| item.branch = "CPL".into());
    library
}

fn koha_at_home() -> FakeKoha {
    FakeKoha::start(Config { era: Era::From2405, library: library_at_home(), ..Config::default() }).unwrap()
}

fn koha(era: Era) -> FakeKoha {
    FakeKoha::start(Config { era, ..Config::default() }).unwrap()
}

fn desk() -> Desk {
    Desk::open(&Options::default()).unwrap()
}

/// A desk that is set up for this Koha.
fn configured(koha: &FakeKoha, commit_type: &str) -> Desk {
    let desk = desk();
    desk.set_up(&Settings::of(&koha.url(), commit_type)).unwrap();
    desk
}

/// Closes the window, and opens it again by the button.
fn reopen(desk: &mut Desk) {
    desk.page.close().unwrap();
    desk.page = koct_tests::desk::open_window(&desk.firefox).unwrap();
}

/// Waits for something that comes at any speed, other than in a page.
fn wait<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_mins(3), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The file with this ending that Firefox has downloaded into a folder.
fn downloaded(folder: &Path, ending: &str) -> PathBuf {
    wait("nothing was downloaded", || {
        let files = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        // Firefox makes the file first, and fills it when it is whole.
        files
            .filter(|path| path.extension().is_some_and(|end| end == ending))
            .find(|path| path.metadata().is_ok_and(|file| file.len() > 0))
    })
}
