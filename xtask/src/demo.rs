//! The main job, shown: a desk, a stand-in Koha, and KOCT between them.

use crate::{
    addon,
    project::{self, Result, at},
    setup,
};
use fake_koha::{Config, Era, FakeKoha};
use koct_tests::{
    desk::{self, Desk, Settings},
    firefox::{Firefox, Options, display_available},
    settings_page,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The library of the demo.
const BRANCH: &str = "CPL";

/// Reads `--headless` and `--era`, and shows KOCT: with windows where there is a display, else by itself.
///
/// # Errors
/// When the arguments are wrong, or something is not as it should be.
pub(crate) fn demo(arguments: &[&str]) -> Result {
    let era = era(arguments)?;
    let headless = arguments.contains(&"--headless") || !display_available();
    setup::all()?;
    let addon = addon::build()?;
    let koha = FakeKoha::start(Config { era, ..Config::default() }).map_err(|error| error.to_string())?;
    if headless { by_itself(&koha, &addon).map_err(|error| error.to_string()) } else { by_hand(&koha, &addon) }
}

/// Opens Firefox with the add-on for hand work.
///
/// # Errors
/// When there is no display, or Firefox does not start.
pub(crate) fn by_person(arguments: &[&str]) -> Result {
    if !display_available() {
        return Err("there is no display for Firefox; `cargo xtask demo --headless` runs without one".into());
    }
    let era = era(arguments)?;
    setup::all()?;
    let addon = addon::build()?;
    let koha = FakeKoha::start(Config { era, ..Config::default() }).map_err(|error| error.to_string())?;
    by_hand(&koha, &addon)
}

fn era(arguments: &[&str]) -> Result<Era> {
    match arguments.iter().position(|argument| *argument == "--era").map(|at| arguments.get(at + 1)) {
        None | Some(Some(&"from-24.05")) => Ok(Era::From2405),
        Some(Some(&"before-24.05")) => Ok(Era::Before2405),
        Some(_) => Err("--era takes before-24.05 or from-24.05".into()),
    }
}

fn by_hand(koha: &FakeKoha, addon: &Path) -> Result {
    let prefs = vec![("extensions.webextOptionalPermissionPrompts".to_owned(), true.into())];
    let mut firefox =
        Firefox::start(&Options { headless: false, prefs, ..Options::default() }).map_err(|error| error.to_string())?;
    firefox.install(addon).map_err(|error| error.to_string())?;
    println!("A stand-in Koha is at {} (user koha, password koha, branch code {BRANCH}).", koha.url());
    println!("Click the KOCT button in the toolbar, open Settings, enter these, and scan, for example");
    println!("patron 23529001223601 with the items 39999000000001 to 39999000000057. Close Firefox to end.");
    firefox.wait_until_closed().map_err(|error| error.to_string())
}

fn by_itself(koha: &FakeKoha, addon: &Path) -> koct_tests::Result {
    let folder = project::target().join("demo");
    if folder.exists() {
        at(&folder, fs::remove_dir_all(&folder))?;
    }
    at(&folder, fs::create_dir_all(&folder))?;
    let options = Options { downloads: Some(folder.clone()), ..Options::default() };
    let desk = Desk::with_addon(&options, addon)?;
    desk.page.set_viewport(1060, 780)?;
    let settings = desk.configure(&Settings::of(&koha.url(), "send"))?;
    settings.set_viewport(900, 1000)?;
    settings.screenshot(&folder.join("settings.png"))?;
    for (patron, item) in [
        ("23529001223601", "39999000000001"),
        ("23529001223601", "39999000000002"),
        ("23529001223602", "39999000000003"),
    ] {
        desk.check_out(patron, item)?;
    }
    for item in ["39999000000001", "39999000000004"] {
        desk.check_in(item)?;
    }
    desk.page.screenshot(&folder.join("desk.png"))?;
    desk.export(false)?;
    let koc = wait_for_koc(&folder)?;
    let message = desk.commit()?;
    desk.page.screenshot(&folder.join("committed.png"))?;
    println!("{message}\n\nTransactions at the desk:");
    for row in desk.rows()?.iter().rev() {
        println!("  {}  {:8} {:16} {:16} {}", row.timestamp, row.action, row.cardnumber, row.barcode, row.status);
    }
    println!("\nPending offline circulation actions in Koha, at {BRANCH}:");
    let queue = koha.library(|library| library.pending_at(BRANCH).into_iter().cloned().collect::<Vec<_>>());
    for row in &queue {
        println!("  {}  {:8} {:16} {:16} by {}", row.timestamp, row.action, row.cardnumber, row.barcode, row.userid);
    }
    let lines = fs::read_to_string(&koc)?.lines().count();
    dark(koha, addon, &folder)?;
    println!(
        "\nScreenshots and {} ({lines} lines) are in {}",
        koc.file_name().unwrap_or_default().display(),
        folder.display()
    );
    let states = desk.states()?;
    let errors = desk.firefox.console_errors()?;
    if states != ["added"; 5] || queue.len() != 5 || lines != 6 || !errors.is_empty() {
        return Err(format!(
            "not as it should be: {states:?}, {} in the queue, {lines} lines, {errors:?}",
            queue.len()
        )
        .into());
    }
    Ok(())
}

/// The same pages in dark colours.
fn dark(koha: &FakeKoha, addon: &Path, folder: &Path) -> koct_tests::Result {
    let desk = Desk::with_addon(&Options { dark: true, ..Options::default() }, addon)?;
    desk.page.set_viewport(1060, 780)?;
    let settings = desk.open_settings()?;
    settings.set_viewport(900, 1000)?;
    desk::enter(&settings, &Settings { branchcode: "XYZ".into(), ..Settings::of(&koha.url(), "apply") })?;
    settings_page::test_only(&settings)?;
    settings.screenshot(&folder.join("settings-dark.png"))?;
    desk.page.activate()?;
    desk.check_out("23529001223601", "39999000000005")?;
    desk.page.type_text("a-barcode-that-is-far-too-long-for-koha\n")?;
    desk.page.wait("document.querySelector('#attention-checkout > li')")?;
    desk.page.screenshot(&folder.join("desk-dark.png"))
}

fn wait_for_koc(folder: &Path) -> koct_tests::Result<PathBuf> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(15) {
        let found = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).find(|path| {
            path.extension().is_some_and(|end| end == "koc") && path.metadata().is_ok_and(|data| data.len() > 0)
        });
        if let Some(path) = found {
            return Ok(path);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the .koc file was not downloaded".into())
}
