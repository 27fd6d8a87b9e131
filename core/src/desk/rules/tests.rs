use super::*;
use proptest::prelude::*;

fn read(rules: &str, raw: &str) -> String {
    Rules::parse(rules).unwrap().read(raw, "IMS").meant
}

/// The inputs and outputs that Koha's own test has (`t/Circulation_barcodedecode.t`, at the branch IMS).
#[test]
fn kohas_filters_do_what_kohas_tests_say() {
    const CUECAT: &str = ".C3nZC3nZC3nYD3b6ENnZCNnY.fHmc.C3D1Dxr2C3nZE3n7.";
    let with_line_end = format!("{CUECAT}\r\n");
    for (rule, scanned, meant) in [
        ("cuecat", "26002315", "26002315"),
        ("cuecat", CUECAT, "046675000808"),
        ("cuecat", &with_line_end, "046675000808"),
        ("cuecat", "q.C3nZC3nZC3nWDNzYDxf2CNnY.fHmc.C3DWC3nZCNjXD3nW.", "043000112403"),
        ("cuecat", ".C3nZC3nZC3nWCxjWE3D1C3nX.cGf2.ENr7C3v7D3T3ENj3C3zYDNnZ.", "978068484914051500"),
        ("whitespace", " 26002315", "26002315"),
        ("whitespace", "26002315 ", "26002315"),
        ("whitespace", "\n\t26002315\n", "26002315"),
        ("T-prefix", "T0031472", "T0031472"),
        ("T-prefix", "T32", "T0000002"),
        ("libsuite8", "b000126", "IMS-b-126"),
        ("libsuite8", "b12", "IMS-b-12"),
        ("libsuite8", "B0126", "IMS-B-126"),
        ("libsuite8", "IMS-B-126", "IMS-B-126"),
        ("libsuite8", "ims-b-126", "ims-b-126"),
        ("libsuite8", "CD0000024", "IMS-CD-24"),
        ("libsuite8", "00123", "IMS-b-123"),
        ("libsuite8", "11998", "IMS-b-11998"),
        ("EAN13", "892685001928", "0892685001928"),
        ("EAN13", "695152", "0000000695152"),
        ("", "26002315", "26002315"),
        ("", "T0031472", "T0031472"),
        ("", "T32", "T32"),
        ("", "Alphanum123", "Alphanum123"),
        ("", "Alpha Num 345", "Alpha Num 345"),
    ] {
        assert_eq!(read(rule, scanned), meant, "{rule}: {scanned}");
    }
}

#[test]
fn kohas_filters_leave_what_is_not_theirs() {
    for (rule, code) in [
        ("T-prefix", "T032"),
        // Koha makes T0000000 of all these.
        ("T-prefix", "Alphanum123"),
        ("T-prefix", "T1"),
        ("T-prefix", "T"),
        ("T-prefix", "Té1"),
        ("libsuite8", "123abc"),
        ("libsuite8", "abc"),
        ("libsuite8", "IMS-"),
        ("EAN13", "892685001929"),
        ("EAN13", "39999000001310"),
        ("EAN13", "ABC"),
        ("cuecat", "1.2.3.4"),
        ("cuecat", "...."),
        ("cuecat", ".C3nZ.fHmc.C3D1D.x"),
    ] {
        assert_eq!(read(rule, code), code, "{rule}");
    }
    assert_eq!(Rules::parse("libsuite8").unwrap().read("b000126", "").meant, "b000126", "no library is set");
    assert_eq!(read("T-prefix", "26002315"), "T26002315");
}

#[test]
fn what_scanners_add_is_taken_off() {
    for (rules, scanned, meant) in [
        ("start-stop", "*12345*", "12345"),
        ("start-stop", "*AB-12*", "AB-12"),
        ("start-stop", "a29934567a", "29934567"),
        ("start-stop", "A12345B", "12345"),
        ("start-stop ;?", ";23529001?", "23529001"),
        ("aim", "]C139999000001310", "39999000001310"),
        ("aim", "]A039999", "39999"),
        ("plain-digits", "３９９９９０００００１３１１", "39999000001311"),
        ("plain-digits", "٣٩٩۱", "3991"),
        ("drop-first 1", "X39999", "39999"),
        ("drop-first 2 of 7", "0139999", "39999"),
        ("drop-last 1 of 15", "399990000013101", "39999000001310"),
        ("pad 14 2352", "1310", "23520000001310"),
        ("pad 14 CPL=1111 ims=2352 9", "1310", "23520000001310"),
        ("pad 14 CPL=1111 9", "1310", "90000000001310"),
        ("pad 8", "1310", "00001310"),
        ("replace LIB-###* ###*", "lib-12345", "12345"),
        ("replace %*^*? *", "%23529^DOE?", "23529"),
        ("replace ??###### K######??", "AB123456", "K123456AB"),
        (r"replace A\*# A#", "A*7", "A7"),
        (r"replace A\ # #", "A 7", "7"),
        ("replace *-*-* *.*.*", "a-b-c-d", "a.b.c-d"),
        ("aim\nstart-stop\nwhitespace", "]A0*3 9*", "39"),
    ] {
        assert_eq!(read(rules, scanned), meant, "{rules}: {scanned}");
    }
}

#[test]
fn what_a_rule_does_not_fit_stays() {
    for (rules, code) in [
        ("start-stop", "anna"),
        ("start-stop", "A12345"),
        ("start-stop", "**"),
        ("start-stop", "*"),
        ("start-stop", "A12E5B"),
        ("aim", "]C1"),
        ("aim", "]1C39999"),
        ("plain-digits", "39999é"),
        ("drop-first 1", "7"),
        ("drop-first 2 of 7", "39999"),
        ("drop-last 1 of 15", "39999000001310"),
        ("pad 14 2352", "39999000001310"),
        ("pad 14 2352", "399990000013101"),
        ("pad 14 2352", "12345678901"),
        ("pad 14 2352", "jane"),
        ("pad 14 CPL=2352", "1310"),
        ("replace LIB-### ###", "LIB-1234"),
        ("replace LIB-*# *", "LIB-"),
        ("", "anything at all"),
    ] {
        assert_eq!(read(rules, code), code, "{rules}");
    }
}

#[test]
fn a_rule_that_cannot_be_read_is_told_by_its_number() {
    for rule in [
        "unknown",
        "whitespace 1",
        "drop-first",
        "drop-first 0",
        "drop-first x",
        "drop-first 5 of 5",
        "drop-last 1 of",
        "start-stop a b",
        "pad",
        "pad 0",
        "pad 41",
        "pad 4 2352",
        "replace A",
        "replace A# ##",
        "replace * A",
        "replace A* B C",
        r"replace A* \",
    ] {
        assert_eq!(Rules::parse(&format!("whitespace\n\n{rule}")), Err(RuleError(2)), "{rule}");
    }
    assert_eq!(Rules::parse(&"whitespace\n".repeat(21)), Err(RuleError(21)));
    assert_eq!(Rules::parse(&format!("replace {}# #", "a".repeat(300))), Err(RuleError(1)));
    assert_eq!(Rules::parse(" \n ").unwrap(), Rules::default());
}

#[test]
fn each_kind_is_read_by_its_name_and_its_example_shows_what_it_does() {
    for kind in Kind::ALL {
        for name in [kind.name().to_owned(), kind.name().to_ascii_uppercase()] {
            let rules = Rules::parse(&format!("{name} {}", kind.details())).unwrap();
            let [rule] = rules.all() else { panic!("{kind:?}") };
            assert_eq!(rule.kind(), kind);
            assert_eq!(rules.read(&rule.example("CPL"), "CPL").by, [0], "{kind:?}: {}", rule.example("CPL"));
        }
    }
    for rule in ["pad 2 9", "pad 14", "drop-last 3", "start-stop ;?", "replace A?# ?"] {
        let rules = Rules::parse(rule).unwrap();
        assert_eq!(rules.read(&rules.all()[0].example(""), "").by, [0], "{rule}");
    }
}

proptest! {
    /// What Koha's filters have made of a code, they make of it again; a T is the one that Koha goes on with.
    #[test]
    fn filters_are_idempotent_where_kohas_are(
        raw in "[0-9]{1,14}|[bBTt]0{0,3}[0-9]{1,9}|[A-Za-z0-9 .-]{1,20}",
        rule in prop::sample::select(vec!["whitespace", "libsuite8", "EAN13", "aim", "plain-digits", "pad 14 2352"]),
    ) {
        let once = read(rule, &raw);
        prop_assert_eq!(read(rule, &once), once);
    }

    /// Whatever is scanned, nothing panics; and no code becomes another one without the rule that has done it.
    #[test]
    fn what_changes_a_code_is_named(
        raw in "\\PC{0,60}|[0-9A-D*\\]. ]{0,30}",
        kinds in prop::collection::vec(prop::sample::select(Kind::ALL.to_vec()), 0..5),
        branch in "[A-Z]{0,5}",
    ) {
        let lines: Vec<String> = kinds.iter().map(|kind| line(kind.name(), kind.details())).collect();
        let reading = Rules::parse(&lines.join("\n")).unwrap().read(&raw, &branch);
        prop_assert_eq!(reading.by.is_empty(), reading.meant == signs::trimmed(&raw).trim() || reading.meant == signs::trimmed(&raw));
        prop_assert!(reading.by.iter().all(|place| *place < kinds.len()));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|(replace|pad|drop-first|start-stop) \\PC{0,30}", raw in "\\PC{0,30}") {
        if let Ok(rules) = Rules::parse(&text) {
            rules.read(&raw, "CPL");
            for rule in rules.all() {
                rule.example("CPL");
            }
        }
    }
}
