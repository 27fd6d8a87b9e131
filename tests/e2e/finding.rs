//! Looking for transactions.

use crate::{configured, koha};
use fake_koha::Era;
use koct_tests::desk::Desk;

fn shown(desk: &Desk) -> Vec<u64> {
    desk.rows().unwrap().into_iter().rev().map(|row| row.seq).collect()
}

pub(crate) fn choose(desk: &Desk, select: &str, value: &str) {
    let script = format!(
        "(() => {{ const s = document.getElementById('{select}'); s.value = {}; s.dispatchEvent(new Event('change')); return s.value; }})()",
        serde_json::json!(value)
    );
    assert_eq!(desk.page.eval(&script).unwrap(), value);
}

#[test]
fn text_action_status_and_desk_narrow_what_is_shown() {
    let koha = koha(Era::From2405);
    let desk = configured(&koha, "apply");
    desk.check_out("23529001223601", "39999000000001").unwrap();
    desk.check_out("99999", "39999000000002").unwrap();
    desk.check_in("39999000000001").unwrap();
    desk.pay("23529001223601", "3.50").unwrap();
    desk.commit().unwrap();
    desk.check_in("39999000000099").unwrap();
    let file = "Version=1.0\tGenerator=koct\tDesk=Bus\tUtcOffset=0\n2026-11-23 11:00:00 000\treturn\t39999000000055\n";
    desk.page.drop_files("body", &[("bus.koc", file)]).unwrap();
    desk.finish_import(1).unwrap();
    desk.page.click("#import-close").unwrap();
    desk.wait_for_total(6).unwrap();

    desk.open_log().unwrap();
    desk.page.fill("#find-text", "23529001223601").unwrap();
    desk.wait_for_total(2).unwrap();
    assert_eq!(shown(&desk), [1, 4]);
    desk.page.wait_text("#filter-text", "Shown: 2 of 6.").unwrap();
    desk.page.fill("#find-text", "3.50").unwrap();
    desk.wait_for_total(1).unwrap();
    desk.page.fill("#find-text", "bus").unwrap();
    desk.page
        .wait("document.querySelector(\"tr[data-seq='6']\") && !document.querySelector(\"tr[data-seq='4']\")")
        .unwrap();
    desk.page.click("#show-all").unwrap();
    desk.wait_for_total(6).unwrap();
    desk.page.wait_hidden("#filter").unwrap();

    choose(&desk, "find-action", "return");
    desk.wait_for_total(3).unwrap();
    choose(&desk, "find-state", "local");
    desk.wait_for_total(2).unwrap();
    assert_eq!(shown(&desk), [5, 6]);
    let states =
        desk.page.eval("[...document.getElementById('find-state').options].map(option => option.text)").unwrap();
    let states: Vec<String> = serde_json::from_value(states).unwrap();
    assert!(states.contains(&"Local (2)".to_owned()) && states.contains(&"Success (1)".to_owned()), "{states:?}");
    choose(&desk, "find-desk", "Bus");
    desk.wait_for_total(1).unwrap();
    assert_eq!(shown(&desk), [6]);
    choose(&desk, "find-action", "");
    choose(&desk, "find-state", "");
    choose(&desk, "find-desk", "\t");
    desk.wait_for_total(5).unwrap();

    // In the order in which it goes to Koha: the bus's came long before.
    choose(&desk, "find-desk", "");
    choose(&desk, "find-order", "merged");
    desk.wait_for_total(6).unwrap();
    assert_eq!(shown(&desk), [6, 1, 2, 3, 4, 5]);

    // A scan is always seen, and ends the search.
    desk.page.fill("#find-text", "nothing like it").unwrap();
    desk.wait_for_total(0).unwrap();
    desk.page.click("#checkin-item").unwrap();
    desk.page.type_text("39999000000042\n").unwrap();
    desk.wait_for_total(7).unwrap();
    assert_eq!(desk.page.value("#find-text").unwrap(), "");
    // What is committed while a state is looked for leaves the list.
    choose(&desk, "find-state", "local");
    desk.wait_for_total(3).unwrap();
    desk.page.click("#commit").unwrap();
    // The bus's is old.
    desk.page.wait_contains("#question-title", "1 transaction is old").unwrap();
    desk.page.click("#question-other").unwrap();
    desk.wait_for_commit().unwrap();
    desk.wait_for_total(0).unwrap();
}
