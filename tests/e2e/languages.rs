//! KOCT in other languages, with texts made up: nothing is left in English, plural forms are right, and right is left.

use koct_tests::{
    desk::{self, Desk},
    firefox::Options,
    page::Page,
    pseudo::{self, Script},
};
use serde_json::json;

/// A desk in this language, and the folder that its add-on needs.
fn desk_in(language: &'static str, categories: &[&str], script: Script) -> (Desk, tempfile::TempDir) {
    let addon = pseudo::addon(&desk::addon().unwrap(), language, categories, script).unwrap();
    let options = Options { locale: Some(language), ..Options::default() };
    (Desk::with_addon(&options, addon.path()).unwrap(), addon)
}

/// What is shown, or said to who cannot see, that did not come out of the made-up language. Examples of what to enter are
/// the same in every language.
fn untranslated(page: &Page) -> Vec<String> {
    let script = format!(
        "(() => {{ const found = []; const own = text => /\\p{{L}}/u.test(text) && !text.includes('{}'); \
         const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
         const isTheSame = node => node.parentElement.closest('kbd, [translate=no]'); \
         while (walker.nextNode()) if (own(walker.currentNode.data) && !isTheSame(walker.currentNode)) found.push(walker.currentNode.data.trim()); \
         for (const element of document.querySelectorAll('[title], [placeholder], [aria-label]')) \
         for (const name of ['title', 'placeholder', 'aria-label']) {{ const text = element.getAttribute(name); \
         if (text && own(text) && !text.startsWith('https://')) found.push(text); }} \
         if (own(document.title)) found.push(document.title); return found; }})()",
        pseudo::BEGIN
    );
    serde_json::from_value(page.eval(&script).unwrap()).unwrap()
}

fn lang_and_dir(page: &Page) -> (String, String) {
    let root = |attribute: &str| {
        let value = page.eval(&format!("document.documentElement.{attribute}")).unwrap();
        value.as_str().unwrap_or_default().to_owned()
    };
    (root("lang"), root("dir"))
}

/// Checks items in until there are 1, 2 and 5, and looks which plural form says so.
fn plural_forms(desk: &Desk) -> Vec<String> {
    let mut forms = Vec::new();
    for number in 1..=5 {
        desk.check_in(&format!("3999900000000{number}")).unwrap();
        if [1, 2, 5].contains(&number) {
            desk.page.click("#clear").unwrap();
            let text = desk.page.eval("document.getElementById('clear-unsent-text').textContent").unwrap();
            let text = text.as_str().unwrap_or_default();
            assert!(text.contains(&number.to_string()), "{text}");
            forms.push(text.trim_start_matches(pseudo::BEGIN).split(' ').next().unwrap_or_default().to_owned());
            desk.page.click("#clear-cancel").unwrap();
        }
    }
    forms
}

#[test]
fn every_text_comes_from_the_language_and_counts_are_in_its_plural_forms() {
    let (desk, _addon) = desk_in("cs", &["one", "few", "many", "other"], Script::Accented);
    assert_eq!(lang_and_dir(&desk.page), ("cs".into(), "ltr".into()));
    assert_eq!(untranslated(&desk.page), Vec::<String>::new());
    assert_eq!(plural_forms(&desk), ["one", "few", "other"]);
    desk.pay("23529001223601", "3.50").unwrap();
    assert_eq!(desk.rows().unwrap()[0].barcode, "3,50");
    assert_eq!(untranslated(&desk.page), Vec::<String>::new());
    // What is looked for may be written as it is shown.
    let time = desk.page.eval("document.querySelector('#transactions-rows time').textContent").unwrap();
    for looked_for in [time.as_str().unwrap(), "3,50"] {
        desk.page.fill("#find-text", looked_for).unwrap();
        desk.page
            .wait("!document.getElementById('filter').hidden && document.querySelector('tr[data-seq=\"6\"]')")
            .unwrap();
    }
    desk.wait_for_total(1).unwrap();
    desk.page.click("#show-all").unwrap();
    let settings = desk.open_settings().unwrap();
    assert_eq!(lang_and_dir(&settings), ("cs".into(), "ltr".into()));
    assert_eq!(untranslated(&settings), Vec::<String>::new());
    assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new());
}

#[test]
fn from_right_to_left_numbers_and_times_stay_as_they_are() {
    let (desk, _addon) = desk_in("ar", &["zero", "one", "two", "few", "many", "other"], Script::Arabic);
    assert_eq!(lang_and_dir(&desk.page), ("ar".into(), "rtl".into()));
    assert_eq!(plural_forms(&desk), ["one", "two", "few"]);
    desk.check_out("AB-1", "C-2").unwrap();
    // Not as it is seen: Firefox leaves these signs out there.
    let message = desk.page.eval("document.getElementById('message').textContent").unwrap();
    let message = message.as_str().unwrap();
    assert!(message.contains("\u{2068}AB-1\u{2069}") && message.contains("\u{2068}C-2\u{2069}"), "{message:?}");
    assert_eq!(desk.rows().unwrap()[0].barcode, "C-2", "what is stored or copied has no marks");
    // Day, month and year are in the order in which they are written, whatever stands around them.
    let time = desk.page.eval("document.querySelector('#transactions-rows time').textContent").unwrap();
    assert!(time.as_str().unwrap_or_default().is_ascii(), "{time}");
    for selector in ["time", "[data-field=barcode]"] {
        let place = format!(
            "(() => {{ const cell = document.querySelector('#transactions-rows {selector}'); \
             return [getComputedStyle(cell).direction, getComputedStyle(cell.closest('td')).direction]; }})()"
        );
        assert_eq!(desk.page.eval(&place).unwrap(), json!(["ltr", "rtl"]));
    }
    let beside = "document.getElementById('checkout').getBoundingClientRect().left > document.getElementById('checkin').getBoundingClientRect().left";
    desk.page.set_viewport(1060, 780).unwrap();
    assert_eq!(desk.page.eval(beside).unwrap(), json!(true));
    // A time that is cut off would be cut at its day.
    let whole = "(() => { const time = document.querySelector('#transactions-rows time'); const cell = time.closest('td'); return cell.scrollWidth <= cell.clientWidth; })()";
    assert_eq!(desk.page.eval(whole).unwrap(), json!(true));
    let settings = desk.open_settings().unwrap();
    assert_eq!(lang_and_dir(&settings), ("ar".into(), "rtl".into()));
}

#[test]
fn where_koct_does_not_speak_the_language_all_of_it_is_english() {
    let desk = Desk::open(&Options { locale: Some("he"), ..Options::default() }).unwrap();
    assert_eq!(lang_and_dir(&desk.page), ("en".into(), "ltr".into()));
    desk.check_in("39999000000001").unwrap();
    desk.page.wait_contains("#message", "Checked in 39999000000001.").unwrap();
    let time = desk.page.eval("document.querySelector('#transactions-rows time').textContent").unwrap();
    // Of today, the time alone; all of it is behind it.
    assert_eq!(time.as_str().unwrap(), &desk.rows().unwrap()[0].timestamp[11..16]);
    let title = desk.page.eval("document.querySelector('#transactions-rows time').title").unwrap();
    assert_eq!(title.as_str().unwrap(), desk.rows().unwrap()[0].timestamp);
}

/// What is wider than the place that it has, by its id: a button or a label that is cut off. Not what is only said, and what has its
/// whole text behind it where there is no room.
const CUT: &str = "[...document.querySelectorAll('header *, main button, main label, th, td, h1, h2, h3')] \
    .filter(element => element.checkVisibility() && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1 && element.id !== 'desk' && element.id !== 'reachable' \
    && !element.matches('.clip') && getComputedStyle(element).clipPath === 'none') \
    .map(element => element.id || element.textContent)";

/// What does not fit on the settings page, by its id, its class or its text: of more than two lines, or a line of help of more
/// than one.
const TOO_LONG: &str = "(() => { const found = []; \
    const lines = element => { const range = document.createRange(); range.selectNodeContents(element); \
        return new Set([...range.getClientRects()].filter(box => box.width > 1).map(box => Math.round(box.bottom / 8))).size; }; \
    const look = (css, most) => { for (const element of document.querySelectorAll(css)) if (element.checkVisibility() && lines(element) > most) \
        found.push(`${lines(element)} lines: ${element.innerText}`); }; \
    look('.questions .answer > p.help, .turns > p, .questions .more > summary', 1); \
    look('.name, .choice strong, .choice .help, .fold .says, .check, .rest, h1, h2', 2); \
    return found; })()";

/// Whether the bar of buttons hides some of the five questions.
const HIDDEN: &str = "(() => { const edge = (css, side) => document.querySelector(css).getBoundingClientRect()[side]; \
    return edge('.questions', 'bottom') > edge('.actions', 'top') ? ['not all questions are seen'] : []; })()";

/// What is wider than a dialog has room for. The one for questions asks what has the longest three answers.
const WIDE_DIALOGS: &str = "(() => { const found = []; \
    const say = (id, key) => document.getElementById(id).textContent = browser.i18n.getMessage(key, ['Children’s desk 2']); \
    say('question-title', 'backupAdoptTitle'); say('question-text', 'backupAdoptText'); say('question-other', 'backupAdoptNo'); \
    say('question-yes', 'backupAdoptYes'); \
    for (const dialog of document.querySelectorAll('dialog')) { dialog.showModal(); \
        for (const element of [dialog, ...dialog.querySelectorAll('form, button, h2, p')]) \
            if (element.checkVisibility() && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1 \
                && !element.matches('.clip, .unseen') && getComputedStyle(element).clipPath === 'none') \
                found.push(`${dialog.id}: ${element.id || element.textContent.trim()}`); \
        dialog.close(); } \
    return found; })()";

/// Whether a page must be scrolled sideways.
const WIDE: &str =
    "document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['the page scrolls sideways'] : []";

/// Shows all that is folded away, with records wanted.
const UNFOLD_ALL: &str = "(() => { document.querySelectorAll('details').forEach(fold => fold.open = true); \
    const wanted = document.getElementById('lookup'); if (!wanted.checked) wanted.click(); })()";

/// The codes of Firefox, where they differ from the folders' names.
const LANGUAGES: [&str; 10] = ["ar", "cs", "de", "es", "fi", "fr", "it", "pt-BR", "tr", "zh-TW"];

#[test]
fn in_each_language_all_is_said_and_has_its_place_in_both_pages() {
    for language in LANGUAGES.into_iter().chain(["en"]) {
        let desk = Desk::open(&Options { locale: Some(language), ..Options::default() }).unwrap();
        let direction = if language == "ar" { "rtl" } else { "ltr" };
        assert_eq!(lang_and_dir(&desk.page), (language.to_owned(), direction.to_owned()));
        assert_eq!(desk.page.text("#commit").unwrap() == "Send data to Koha", language == "en");
        desk.check_out("23529001223601", "39999000000001").unwrap();
        desk.check_in("39999000000001").unwrap();
        desk.pay("23529001223601", "2.50").unwrap();
        let mut wrong = cut_in_window(&desk.page);
        wrong.extend(too_long_in_settings(&desk.open_settings().unwrap()));
        assert!(wrong.is_empty(), "{language}\n{}", wrong.join("\n"));
        assert_eq!(desk.firefox.console_errors().unwrap(), Vec::<String>::new(), "{language}");
    }
}

/// Looks in a page at one size after the other for what the scripts find at each.
fn found(page: &Page, sizes: [(u32, u32); 2], look: impl Fn((u32, u32), &mut dyn FnMut(&str))) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for size in sizes {
        page.set_viewport(size.0, size.1).unwrap();
        look(size, &mut |script| {
            let here: Vec<String> = serde_json::from_value(page.eval(script).unwrap()).unwrap();
            found.extend(here.iter().map(|what| format!("{} at {}: {what}", page.url().unwrap(), size.0)));
        });
    }
    found
}

/// What is cut off in the window, or makes it scroll sideways.
fn cut_in_window(page: &Page) -> Vec<String> {
    found(page, [(1060, 780), (800, 600)], |(width, _), find| {
        find(WIDE);
        find(CUT);
        // They have a width of their own, and never more room than in the smaller window.
        if width == 800 {
            find(WIDE_DIALOGS);
        }
    })
}

/// What has no place on the settings page. The sizes are what KOCT's window leaves of 1060 × 780 and of 800 × 600.
fn too_long_in_settings(page: &Page) -> Vec<String> {
    found(page, [(1060, 694), (800, 514)], |(_, height), find| {
        page.eval("scrollTo(0, 0)").unwrap();
        if height == 694 {
            find(HIDDEN);
        }
        find(TOO_LONG);
        page.eval(UNFOLD_ALL).unwrap();
        page.click("#commit-apply").unwrap();
        find(TOO_LONG);
        find(CUT);
        find(WIDE);
        page.eval("void document.querySelectorAll('details').forEach(fold => fold.open = false)").unwrap();
    })
}
