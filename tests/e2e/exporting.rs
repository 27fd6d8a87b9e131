//! The .koc file.

use crate::{koha, reopen};
use fake_koha::Era;
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::{fs, path::Path, time::Duration};

/// The text of the file that the click downloads.
fn export(desk: &Desk, folder: &Path) -> (String, String) {
    desk.page.click("#export-koc").unwrap();
    for _ in 0..300 {
        let file = fs::read_dir(folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|end| end == "koc") && path.metadata().unwrap().len() > 0);
        if let Some(path) = file {
            let text = fs::read_to_string(&path).unwrap();
            fs::remove_file(&path).unwrap();
            return (path.file_name().unwrap().to_string_lossy().into_owned(), text);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no file was downloaded: {}", desk.message().unwrap());
}

#[test]
fn the_file_holds_what_is_uncommitted_and_all_if_asked() {
    let koha = koha(Era::Before2405);
    let folder = tempfile::tempdir().unwrap();
    let options = Options { downloads: Some(folder.path().to_owned()), ..Options::default() };
    let mut desk = Desk::open(&options).unwrap();
    desk.configure(&Settings::of(&koha.url(), "send")).unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.commit().unwrap();
    desk.check_out("P é1", "Bücher 📚").unwrap();
    let rows = desk.rows().unwrap();
    let header = format!("Version=1.0\tGenerator=koct\tGeneratorVersion={}\tDesk=Desk-", env!("CARGO_PKG_VERSION"));
    let (name, text) = export(&desk, folder.path());
    assert!(name.starts_with("koct_CPL_20"), "{name}");
    let (head, line) = text.split_once('\n').unwrap();
    assert!(head.starts_with(&header) && head.contains("\tUtcOffset="), "{head}");
    let (time, rest) = line.split_once('\t').unwrap();
    assert_eq!(rest, "issue\tP é1\tBücher 📚\n");
    assert_eq!(time.rsplit_once(' ').unwrap().0, rows[0].timestamp, "local time");
    assert_eq!(time.len(), "2026-11-23 11:00:00 547".len());
    desk.page.click("#export-all").unwrap();
    let (_, text) = export(&desk, folder.path());
    assert_eq!(text.lines().count(), 3);
    assert!(text.lines().nth(1).unwrap().ends_with("\treturn\t39999000000001"));
    // Exporting changes nothing.
    reopen(&mut desk);
    assert_eq!(desk.states().unwrap(), ["added", "local"]);
}
