//! Several desks, one order: files in, conflicts seen, a wrong clock set right, everything into Koha as it happened.

use crate::{configured, desk, koha, transactions};
use fake_koha::{Effect, Era, FakeKoha};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const CARDS_THEN_ITEMS: &str = include_str!("../../core/tests/cases/cards-then-items.txt");

/// What was done: desk, seconds since the day began, patron (none for a checkin), item.
type Step = (&'static str, i64, Option<usize>, usize);

fn patron(number: usize) -> String {
    format!("2352900122360{number}")
}

fn item(number: usize) -> String {
    format!("399990000000{number:02}")
}

/// A true history: every book goes out at one desk and comes back at another, some go out again.
fn history() -> Vec<Step> {
    let mut steps = Vec::new();
    for number in 0..8_usize {
        let began = i64::try_from(number).unwrap() * 400;
        let book = number + 20;
        steps.push(("Main", began, Some(1), book));
        steps.push(("Van", began + 150, None, book));
        if number % 2 == 0 {
            steps.push(("Bus", began + 260, Some(2), book));
        }
    }
    steps.sort_by_key(|(_, at, ..)| *at);
    steps
}

/// Who has what after the history.
fn holders(history: &[Step]) -> BTreeMap<String, Option<String>> {
    history.iter().map(|(_, _, who, book)| (item(*book), who.map(patron))).collect()
}

/// Three hours ago, in milliseconds since 1970, by this computer's clock.
fn began() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    (i64::try_from(now.as_secs()).unwrap() - 3 * 3600) * 1000
}

/// `YYYY-MM-DD HH:MM:SS` in UTC.
fn utc(millis: i64) -> String {
    written(millis, "%Y-%m-%d %H:%M:%S")
}

fn written(millis: i64, format: &str) -> String {
    chrono::DateTime::from_timestamp_millis(millis).unwrap().format(format).to_string()
}

/// The files of the three desks, each as another program writes it. The van's clock was `skew` seconds off.
fn files(folder: &Path, history: &[Step], began: i64, skew: i64) -> Vec<PathBuf> {
    let line = |(_, _, who, book): &Step, time: String, end: &str| {
        let what = who.map_or_else(|| "return".to_owned(), |who| format!("issue\t{}", patron(who)));
        format!("{time}\t{what}\t{}{end}", item(*book))
    };
    let mut main = "Version=1.0\tGenerator=koct\tGeneratorVersion=0.1.0\tDesk=Main\tUtcOffset=0\n".to_owned();
    let mut bus = "Version=1.0\tGenerator=kocDesktop\tGeneratorVersion=2.4.0\r\n".to_owned();
    let mut van = "Version=1.0\tGenerator=koct-firefox\tGeneratorVersion=0.1\r\n".to_owned();
    for step in history {
        let millis = began + step.1 * 1000;
        match step.0 {
            "Main" => main += &line(step, format!("{} 007", utc(millis)), "\n"),
            "Bus" => bus += &line(step, written(millis, "%Y-%m-%d %H-%M-%S 000"), "\r\n"),
            _ => van += &line(step, utc(millis + skew * 1000), "\t\r\n"),
        }
    }
    let _ = writeln!(main, "{} 000\trenew\tP1", utc(began));
    [("main.koc", main), ("Bus 2026-11-23.koc", bus), ("Van.koc", van)]
        .into_iter()
        .map(|(name, text)| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path
        })
        .collect()
}

fn import(desk: &Desk, files: &[PathBuf]) -> String {
    desk.import(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>()).unwrap()
}

fn close_import(desk: &Desk) {
    desk.page.click("#import-close").unwrap();
}

/// The loans' beginnings and ends of each item, in the order in which Koha saw them.
fn seen_by_koha(koha: &FakeKoha) -> BTreeMap<String, Vec<Option<String>>> {
    let mut seen: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    koha.library(|library| {
        for effect in &library.effects {
            match effect {
                Effect::Issued { cardnumber, barcode, .. } => {
                    seen.entry(barcode.clone()).or_default().push(Some(cardnumber.clone()));
                }
                Effect::Returned { barcode, .. } => seen.entry(barcode.clone()).or_default().push(None),
                _ => {}
            }
        }
    });
    seen
}

#[test]
fn three_desks_files_go_into_koha_as_it_happened_though_one_clock_was_wrong() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    let (folder, history) = (koct_tests::keeper::folder().unwrap(), history());
    // The van's clock was an hour and a half slow: its checkins lie before the checkouts.
    let files = files(folder.path(), &history, began(), -5400);
    let said = import(&desk, &files);
    assert!(said.contains("Files: 3. Imported: 20. Already there: 0. Refused: 1."), "{said}");
    let list = desk.page.text("#import-list").unwrap();
    assert!(list.contains("Imported: 8. Already there: 0. Refused: 1."), "{list}");
    let refused = desk.page.eval("document.querySelector('[data-field=refused-lines]').textContent").unwrap();
    assert_eq!(refused, "Line 10: “renew” is not an action that Koha knows");
    close_import(&desk);
    assert_eq!(desk.total().unwrap(), 20);
    let desks: std::collections::BTreeSet<String> = desk.rows().unwrap().into_iter().map(|row| row.desk).collect();
    assert!(desks.iter().all(|name| ["Main", "Bus", "Van"].contains(&name.as_str())), "{desks:?}");

    // The button does not send yet: it shows what is wrong, and which clock.
    desk.page.click("#commit").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    desk.page.wait_visible("#review-conflicts [data-kind=ReturnBeforeIssue]").unwrap();
    let kind = desk.page.text("#review-conflicts [data-kind=ReturnBeforeIssue]").unwrap();
    assert!(kind.contains("Item not issued"), "it says what Koha will do: {kind}");
    let suggestion = desk.page.text("#review-suggestions [data-desk=Van] [data-field=words]").unwrap();
    assert!(suggestion.starts_with("Van: its clock seems to be 1:30 slow."), "{suggestion}");
    assert_eq!(transactions(&koha).len(), 0);

    // The shift is tried, and the new order seen, before anything is stored.
    desk.page.click("#review-suggestions [data-desk=Van] [data-field=move]").unwrap();
    desk.page.wait("document.getElementById('review-conflicts').childElementCount === 0").unwrap();
    assert_eq!(desk.page.text("#review-desks [data-desk=Van] [data-field=clock]").unwrap(), "clock -1:30");
    assert_eq!(desk.page.value("#review-desks [data-desk=Van] [data-field=shift]").unwrap(), "-1:30");
    desk.page.click("#review-order-box > summary").unwrap();
    let order = desk.page.wait("(lines => lines.length && lines.map(line => ['barcode', 'desk'].map(name => line.querySelector(`[data-field=${name}]`).textContent)))([...document.querySelectorAll('#review-order li')])").unwrap();
    let order: Vec<(String, String)> = serde_json::from_value(order).unwrap();
    let expected: Vec<(String, String)> =
        history.iter().map(|(desk, _, _, book)| (item(*book), (*desk).to_owned())).collect();
    assert_eq!(order, expected);
    desk.send_in_this_order().unwrap();
    let message = desk.wait_for_commit().unwrap();
    assert!(message.contains("Done: 20"), "{message}");

    for (barcode, holder) in holders(&history) {
        let in_koha = koha.library(|library| library.holder_of(&barcode).map(str::to_owned));
        assert_eq!(in_koha, holder, "{barcode}");
    }
    let mut expected: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for (_, _, who, book) in &history {
        expected.entry(item(*book)).or_default().push(who.map(patron));
    }
    assert_eq!(seen_by_koha(&koha), expected);
    let van = desk.rows().unwrap().into_iter().find(|row| row.desk == "Van").unwrap();
    assert_eq!(van.state, "success");
    desk.page.click(&format!("tr[data-seq='{}'] [data-edit]", van.seq)).unwrap();
    desk.page.wait_contains("#edit-history", "time set right").unwrap();
    desk.page.click("#edit-cancel").unwrap();

    // The same files again bring nothing, not even after the log was cleared.
    let said = import(&desk, &files);
    assert!(said.contains("Imported: 0. Already there: 20. Refused: 1."), "{said}");
    close_import(&desk);
    desk.clear_committed().unwrap();
    desk.wait_for_total(0).unwrap();
    let said = import(&desk, &files);
    assert!(said.contains("Imported: 0. Already there: 20. Refused: 1."), "{said}");
    desk.page.wait_contains("#import-list", "cleared from the log").unwrap();
    close_import(&desk);
    assert_eq!(transactions(&koha).len(), 20);
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn the_order_of_the_files_does_not_matter_and_no_two_of_an_item_share_a_second_in_the_queue() {
    let history = history();
    let began = began();
    let mut queues = Vec::new();
    for order in [[0, 1, 2], [2, 0, 1]] {
        let koha = koha(Era::Before2405);
        let desk = configured(&koha, "send");
        let folder = koct_tests::keeper::folder().unwrap();
        // All three had one book in the same second.
        let mut history = history.clone();
        history.extend([("Main", 9_000, Some(3), 40), ("Bus", 9_000, None, 40), ("Van", 9_000, Some(4), 40)]);
        let files = files(folder.path(), &history, began, 0);
        for place in order {
            import(&desk, &files[place..=place]);
            close_import(&desk);
        }
        desk.page.click("#commit").unwrap();
        desk.page.wait("document.getElementById('review-dialog').open").unwrap();
        desk.send_in_this_order().unwrap();
        let message = desk.wait_for_commit().unwrap();
        assert!(message.starts_with("Done: 23"), "{message}");
        let mut queue: Vec<(String, String, String, String)> = koha.library(|library| {
            let row = |row: &fake_koha::Operation| {
                (row.timestamp.clone(), row.barcode.clone(), row.action.clone(), row.cardnumber.clone())
            };
            library.pending_at("CPL").into_iter().map(row).collect()
        });
        queue.sort();
        let mut seconds: Vec<_> = queue.iter().map(|(at, barcode, ..)| (barcode.clone(), at.clone())).collect();
        seconds.sort();
        seconds.dedup();
        assert_eq!(seconds.len(), 23, "Koha can tell them apart");
        queues.push(queue);
    }
    assert_eq!(queues[0], queues[1]);
}

#[test]
fn what_would_be_done_twice_is_found_and_deleted_from_within_the_review() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.check_out("23529001223601", "39999000000002").unwrap();
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.check_out("23529001223602", "39999000000002").unwrap();
    // In a window that is too small to show it all, it must be seen to its end before it can be sent.
    desk.page.set_viewport(800, 340).unwrap();
    desk.page.click("#commit").unwrap();
    desk.page.wait_visible("#review-unseen").unwrap();
    assert_eq!(desk.page.eval("document.getElementById('review-go').disabled").unwrap(), true);
    desk.page.set_viewport(1060, 780).unwrap();
    desk.page.wait("!document.getElementById('review-go').disabled").unwrap();
    desk.page.wait("document.getElementById('review-dialog').open").unwrap();
    // The safe answer has the focus: a scanner's Enter sends nothing.
    desk.page.wait_focused("review-cancel").unwrap();
    desk.page.click("#review-conflicts [data-kind=Repeated] li p:nth-child(2) [data-field=edit]").unwrap();
    desk.page.wait("document.getElementById('edit-dialog').open").unwrap();
    desk.page.click("#edit-delete").unwrap();
    desk.page.wait("!document.querySelector('#review-conflicts [data-kind=Repeated]')").unwrap();
    desk.page.wait_visible("#review-conflicts [data-kind=TwoPatrons]").unwrap();
    desk.page.click("#review-cancel").unwrap();
    desk.page.wait("document.getElementById('commit').getAttribute('aria-disabled') === 'false'").unwrap();
    assert_eq!(transactions(&koha).len(), 0, "cancelled");
    desk.wait_for_states(&["local", "local", "deleted", "local"]).unwrap();
    desk.page.click("#commit").unwrap();
    desk.send_in_this_order().unwrap();
    assert!(desk.wait_for_commit().unwrap().starts_with("Done: 3"));
    desk.wait_for_states(&["success", "success", "deleted", "success"]).unwrap();
}

#[test]
fn dropped_files_are_asked_for_desk_and_time_zone() {
    let desk = desk();
    let line =
        |time: &str, code: &str| format!("Version=1.0\tGenerator=kolt\tGeneratorVersion=0.1\n{time}\treturn\t{code}\n");
    let one = line("2026-11-23 11:00:00", "A1");
    let files = [
        ("van_2026-11-23.koc", one.as_str()),
        ("notes.txt", "call Mrs Miller"),
        ("leave.koc", one.as_str()),
        ("by hand.txt", CARDS_THEN_ITEMS),
    ];
    desk.page.drop_files("#transactions", &files).unwrap();
    desk.page.wait("document.querySelectorAll('#import-list > li').length === 4").unwrap();
    desk.page.wait("document.getElementById('import-state').textContent === ''").unwrap();
    desk.page.wait_contains("#import-list li:nth-child(2)", "no .koc file").unwrap();
    let field = |name: &str| format!("#import-list li:nth-child(1) [data-field={name}]");
    assert_eq!(desk.page.value(&field("desk")).unwrap(), "van");
    desk.page.fill(&field("desk"), "Bücherbus").unwrap();
    desk.page.eval(&format!("document.querySelector(\"{}\").value = '120'", field("zone"))).unwrap();
    desk.page.click("#import-list li:nth-child(3) [data-field=leave-out]").unwrap();
    // A list is not taken before it was looked through, and has no time before a person gives one.
    desk.page.wait_text("#import-go", "Import (1)").unwrap();
    desk.page.click("#import-list li:last-child [data-field=look]").unwrap();
    desk.page.wait_contains("#list-lines tr:first-child", "Checkin of 23529000000010").unwrap();
    desk.page.fill("#list-cards", "23529#########").unwrap();
    desk.page.wait_contains("#list-state", "Checkouts: 3. Checkins: 0. Not taken: 0.").unwrap();
    desk.page.wait_contains("#list-lines tr:nth-child(2)", "Checkout of 39999000000040 to 23529000000010").unwrap();
    desk.page.click("#list-go").unwrap();
    desk.page.wait_contains("#list-error", "Say on which day").unwrap();
    desk.page.eval("document.getElementById('list-when').value = '2026-11-23T09:00'").unwrap();
    desk.page.click("#list-go").unwrap();
    desk.page.wait_text("#import-go", "Import (2)").unwrap();
    desk.page.click("#import-go").unwrap();
    desk.wait_for_import().unwrap();
    close_import(&desk);
    desk.wait_for_total(4).unwrap();
    let rows = desk.rows().unwrap();
    let found: Vec<_> = rows.iter().map(|row| [&row.desk, &row.timestamp, &row.barcode].map(String::as_str)).collect();
    assert_eq!(
        found,
        [
            ["by hand", "2026-11-23 09:00:02", "39999000000042"],
            ["by hand", "2026-11-23 09:00:01", "39999000000041"],
            ["by hand", "2026-11-23 09:00:00", "39999000000040"],
            ["Bücherbus", "2026-11-23 11:00:00", "A1"],
        ]
    );
    // The same list at another time: somebody may have brought it in before.
    desk.page.drop_files("#transactions", &files[3..]).unwrap();
    desk.page.wait_visible("#import-list li [data-field=look]").unwrap();
    desk.page.wait("document.getElementById('import-state').textContent === ''").unwrap();
    desk.page.click("#import-list li [data-field=look]").unwrap();
    desk.page.fill("#list-cards", "23529#########").unwrap();
    desk.page.eval("document.getElementById('list-when').value = '2026-11-22T09:00:30'").unwrap();
    desk.page.click("#list-go").unwrap();
    desk.page.wait_contains("#list-error", "In the log already, at another time: 3.").unwrap();
    desk.page.click("#list-go").unwrap();
    desk.page.wait_text("#import-go", "Import (1)").unwrap();
    close_import(&desk);
}

/// Drops a folder with these files in folders, as a file manager does: a page can make no folder, so what the browser gives of one is
/// stood in for.
fn drop_folder(desk: &Desk, name: &str, files: &[(&str, &str, &str)]) {
    let script = format!(
        "(() => {{
            const file = (name, text) => ({{isDirectory: false, name, file: done => done(new File([text], name))}});
            const folder = (name, inner) => ({{isDirectory: true, name, createReader: () => {{
                const parts = [inner, []];
                return {{readEntries: done => done(parts.shift())}};
            }}}});
            const folders = new Map();
            for (const [where, name, text] of {})
                folders.set(where, [...(folders.get(where) || []), file(name, text)]);
            const all = folder({}, [...folders].map(([name, files]) => folder(name, files)));
            const drop = new DragEvent('drop', {{bubbles: true, cancelable: true}});
            Object.defineProperty(drop, 'dataTransfer', {{value: {{items: [{{webkitGetAsEntry: () => all}}]}}}});
            document.getElementById('transactions').dispatchEvent(drop);
        }})()",
        serde_json::json!(files),
        serde_json::json!(name),
    );
    desk.page.eval(&script).unwrap();
}

#[test]
fn files_come_as_people_have_them_and_each_goes_to_its_own_library() {
    let koha = koha(Era::From2405);
    let folder = koct_tests::keeper::folder().unwrap();
    let options = Options { downloads: Some(folder.path().join("out")), ..Options::default() };
    let desk = Desk::open(&options).unwrap();
    desk.set_up(&Settings::of(&koha.url(), "send")).unwrap();
    let header = "Version=1.0\tGenerator=kocQt\tGeneratorVersion=2.4.0\n";
    let line = |seconds: i64, book: usize| {
        format!(
            "{}\treturn\t{}\n",
            written(began() / 1000 * 1000 + seconds * 1000, "%Y-%m-%d %H:%M:%S 000"),
            item(book)
        )
    };
    let (one, two) = (line(0, 1), line(60, 2));
    let first = folder.path().join("desk1.koc.txt");
    fs::write(&first, format!("{header}{one}{two}")).unwrap();
    import(&desk, std::slice::from_ref(&first));
    close_import(&desk);
    desk.wait_for_total(2).unwrap();
    assert_eq!(desk.rows().unwrap()[0].desk, "desk1");

    // The same file, grown and under another name, and one of another library under the first name.
    let grown = format!("{header}{one}{two}{}", line(120, 3));
    let other = format!("{header}{}", line(180, 4));
    let files = [("CPL", "renamed.KOC", grown.as_str()), ("MPL", "desk1.koc", &other), ("MPL", ".DS_Store", "x")];
    drop_folder(&desk, "outage", &files);
    desk.page.wait("document.querySelectorAll('#import-list > li').length === 2").unwrap();
    desk.page.wait("document.getElementById('import-state').textContent === ''").unwrap();
    let field = |row: u32, name: &str| format!("#import-list li:nth-child({row}) [data-field={name}]");
    let said = desk.page.text(&field(1, "whose-words")).unwrap();
    assert_eq!(said, "This looks like the file of desk1. Known: 2. New: 1.");
    let value = |row, name| desk.page.value(&field(row, name)).unwrap();
    assert_eq!((value(1, "desk"), value(1, "branch")), ("desk1".to_owned(), "CPL".to_owned()));
    assert!(desk.page.text(&field(2, "file")).unwrap().ends_with("outage/MPL/desk1.koc"));
    // Nothing is imported before somebody has said which desk that is.
    assert_eq!(desk.page.eval("document.getElementById('import-go').disabled").unwrap(), true);
    desk.page.click(&field(2, "whose-other")).unwrap();
    assert_eq!((value(2, "desk"), value(2, "branch")), ("desk1 MPL".to_owned(), "MPL".to_owned()));
    let said = desk.finish_import(2).unwrap();
    assert!(said.contains("Files: 2. Imported: 2. Already there: 2. Refused: 0."), "{said}");
    close_import(&desk);

    // What a mail program has packed.
    let said = import(&desk, &[Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/files/mailed.zip")]);
    assert!(said.contains("Files: 1. Imported: 2. Already there: 0. Refused: 0."), "{said}");
    close_import(&desk);
    desk.wait_for_total(6).unwrap();
    let desks: Vec<String> = desk.rows().unwrap().into_iter().map(|row| row.desk).collect();
    assert!(desks.contains(&"VAN".to_owned()) && desks.contains(&"desk1 MPL · MPL".to_owned()), "{desks:?}");

    // Each library has a file of its own, since Koha books all of one at the library of whoever uploads it.
    desk.page.click("#export-koc").unwrap();
    desk.page.wait_visible("#export-each-row").unwrap();
    desk.page.click("#export-go").unwrap();
    desk.page.wait_contains("#message", "Exported 1 transaction to koct_MPL_").unwrap();
    assert!(desk.message().unwrap().contains("Exported 5 transactions to koct_CPL_"));

    // Each stands in the queue of its own library.
    desk.page.click("#commit").unwrap();
    let message = desk.wait_for_commit().unwrap();
    assert!(message.contains("library CPL") && message.contains("library MPL"), "{message}");
    let queued = |branch| -> Vec<String> {
        koha.library(|library| library.pending_at(branch).into_iter().map(|row| row.barcode.clone()).collect())
    };
    assert_eq!(queued("MPL"), [item(4)]);
    assert_eq!(queued("CPL").len(), 5);

    // What this desk itself has recorded keeps its library, and that is asked about where the desk is set to another since.
    desk.check_in(&item(9)).unwrap();
    let move_desk = "browser.storage.local.get('settings').then(({settings}) => browser.storage.local.set({settings: {...settings, branchcode: 'MPL'}}))";
    desk.page.eval(move_desk).unwrap();
    desk.page.click("#commit").unwrap();
    desk.page.wait_text("#question-title", "Recorded at library CPL").unwrap();
    desk.page.wait("document.getElementById('question').open").unwrap();
    desk.page.click("#question-yes").unwrap();
    desk.wait_for_commit().unwrap();
    assert_eq!((queued("CPL").len(), queued("MPL").len()), (6, 1));
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}
