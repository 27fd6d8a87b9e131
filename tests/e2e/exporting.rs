//! The .koc file.

use crate::{
    clock::{SKEWED, set_ahead, stored},
    downloaded, koha, reopen,
};
use fake_koha::Era;
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::{fs, path::Path};

/// The name and the text of the file that the click downloads.
fn export(desk: &Desk, folder: &Path, all: bool) -> (String, String) {
    desk.export(all).unwrap();
    let path = downloaded(folder, "koc");
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    (path.file_name().unwrap().to_string_lossy().into_owned(), text)
}

#[test]
fn the_file_holds_what_is_uncommitted_and_all_if_asked() {
    let koha = koha(Era::Before2405);
    let folder = koct_tests::keeper::folder().unwrap();
    let options = Options { downloads: Some(folder.path().to_owned()), ..Options::default() };
    let mut desk = Desk::open(&options).unwrap();
    desk.set_up(&Settings::of(&koha.url(), "send")).unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.commit().unwrap();
    desk.check_out("P é1", "Bücher 📚").unwrap();
    let rows = desk.rows().unwrap();
    let header = format!("Version=1.0\tGenerator=koct\tGeneratorVersion={}\tDesk=Desk-", env!("CARGO_PKG_VERSION"));
    let (name, text) = export(&desk, folder.path(), false);
    assert!(name.starts_with("koct_CPL_20"), "{name}");
    let (head, line) = text.split_once('\n').unwrap();
    assert!(head.starts_with(&header) && head.contains("\tUtcOffset="), "{head}");
    let (time, rest) = line.split_once('\t').unwrap();
    assert_eq!(rest, "issue\tP é1\tBücher 📚\n");
    assert_eq!(time.rsplit_once(' ').unwrap().0, rows[0].timestamp, "local time");
    assert_eq!(time.len(), "2026-11-23 11:00:00 547".len());
    let (_, text) = export(&desk, folder.path(), true);
    assert_eq!(text.lines().count(), 3);
    assert!(text.lines().nth(1).unwrap().ends_with("\treturn\t39999000000001"));
    // Exporting changes nothing.
    reopen(&mut desk);
    desk.wait_for_states(&["added", "local"]).unwrap();
    what_had_to_be_kept_apart_brings_nothing_new_when_it_comes_back(&desk, folder.path());
}

/// Where a correction brought two of one item to the same second, or a little back, a file has them apart. The log has them where
/// the file has them, so that none is another scan when the file comes back.
fn what_had_to_be_kept_apart_brings_nothing_new_when_it_comes_back(desk: &Desk, folder: &Path) {
    desk.page.run(SKEWED).unwrap();
    desk.check_in("39999000000001").unwrap();
    set_ahead(desk, -2);
    desk.check_in("39999000000002").unwrap();
    // It was the other item.
    desk.page.click("tr[data-seq='4'] [data-edit]").unwrap();
    desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
    desk.page.fill("#edit-barcode", "39999000000001\n").unwrap();
    desk.page.wait_hidden("#edit-dialog").unwrap();
    let before = stored(desk);
    assert!(before[3] < before[2], "{before:?}");

    desk.export(false).unwrap();
    let file = downloaded(folder, "koc");
    let text = fs::read_to_string(&file).unwrap();
    let times: Vec<_> = text.lines().skip(1).map(|line| line.split('\t').next().unwrap()).collect();
    assert!(times.len() == 3 && times[1] < times[2], "{text}");
    let after = stored(desk);
    assert_eq!(after[..3], before[..3]);
    assert_eq!(after[3], (before[2] / 1000 + 1) * 1000, "as in the file");
    let name = desk.page.eval("browser.storage.local.get('desk').then(stored => stored.desk)").unwrap();
    assert!(text.contains(&format!("\tDesk={}\t", name.as_str().unwrap())), "{name} {text}");
    let said = desk.import(&[&file]).unwrap();
    assert!(said.contains("Imported: 0. Already there: 3. Refused: 0."), "{said}");
}
