//! The .koc file.

use crate::{downloaded, koha, reopen};
use fake_koha::Era;
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::{fs, path::Path};

/// The text of the file that the click downloads.
fn export(desk: &Desk, folder: &Path) -> (String, String) {
    written(desk, folder, false)
}

fn written(desk: &Desk, folder: &Path, all: bool) -> (String, String) {
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
    let (name, text) = export(&desk, folder.path());
    assert!(name.starts_with("koct_CPL_20"), "{name}");
    let (head, line) = text.split_once('\n').unwrap();
    assert!(head.starts_with(&header) && head.contains("\tUtcOffset="), "{head}");
    let (time, rest) = line.split_once('\t').unwrap();
    assert_eq!(rest, "issue\tP é1\tBücher 📚\n");
    assert_eq!(time.rsplit_once(' ').unwrap().0, rows[0].timestamp, "local time");
    assert_eq!(time.len(), "2026-11-23 11:00:00 547".len());
    let (_, text) = written(&desk, folder.path(), true);
    assert_eq!(text.lines().count(), 3);
    assert!(text.lines().nth(1).unwrap().ends_with("\treturn\t39999000000001"));
    // Exporting changes nothing.
    reopen(&mut desk);
    desk.wait_for_states(&["added", "local"]).unwrap();
}

#[test]
fn the_files_of_several_desks_come_out_as_one_in_their_order() {
    let folder = koct_tests::keeper::folder().unwrap();
    let options = Options { downloads: Some(folder.path().to_owned()), ..Options::default() };
    let desk = Desk::open(&options).unwrap();
    let file = |desk: &str, lines: &str| format!("Version=1.0\tGenerator=koct\tDesk={desk}\tUtcOffset=0\n{lines}");
    let main = file(
        "Main",
        "2026-11-24 10:00:00 000\tissue\tP1\tB1\n2026-11-24 10:20:00 000\treturn\tB2\n2026-11-24 10:20:30 000\tpayment\tP1\t2.50\n",
    );
    // The second of its lines has a time a little before the first: the desk's own sequence stays.
    let bus = file(
        "Bus",
        "2026-11-24 10:10:00 000\treturn\tB1\n2026-11-24 10:09:30 000\tissue\tP2\tB1\n2026-11-24 10:20:00 500\tissue\tP3\tB2\n",
    );
    desk.page.drop_files("body", &[("bus.koc", bus.as_str()), ("main.koc", main.as_str())]).unwrap();
    desk.finish_import(2).unwrap();
    desk.page.click("#import-close").unwrap();
    let (_, text) = export(&desk, folder.path());
    let (head, lines) = text.split_once('\n').unwrap();
    assert!(!head.contains("Desk="), "a file of several desks is that of none: {head}");
    let lines: Vec<Vec<&str>> = lines.lines().map(|line| line.split('\t').collect()).collect();
    let actions: Vec<String> = lines.iter().map(|line| line[1..].join(" ")).collect();
    assert_eq!(
        actions,
        ["issue P1 B1", "return B1", "issue P2 B1", "return B2", "issue P3 B2", "payment P1 2.50"],
        "{text}"
    );
    // Koha orders by whole seconds: two of one item never share one, and never run backwards.
    let seconds = |item: &str| {
        let of_item = lines.iter().filter(|line| line.contains(&item));
        of_item.map(|line| line[0].rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    for item in ["B1", "B2"] {
        let seconds = seconds(item);
        assert!(seconds.windows(2).all(|pair| pair[0] < pair[1]), "{item}: {seconds:?}");
    }
}
