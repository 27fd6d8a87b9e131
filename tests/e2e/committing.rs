//! Bringing transactions into Koha.

use fake_koha::{Config, Era, FakeKoha};
use koct_tests::{
    desk::{Desk, Settings},
    firefox::Options,
};

const ERAS: [Era; 2] = [Era::Before2405, Era::From2405];

#[test]
fn both_commit_types_work_in_both_eras() {
    for era in ERAS {
        for (commit_type, state, word) in [("send", "added", "Added."), ("apply", "success", "Success.")] {
            let koha = FakeKoha::start(Config { era, ..Config::default() }).unwrap();
            let desk = Desk::open(&Options::default()).unwrap();
            desk.configure(&Settings::of(&koha.url(), commit_type)).unwrap();
            desk.check_out("23529001223601", "39999000000001").unwrap();
            desk.check_out("23529001223602", "39999000000002").unwrap();
            desk.check_in("39999000000001").unwrap();
            let message = desk.commit().unwrap();
            assert_eq!(desk.states().unwrap(), [state; 3], "{era:?} {commit_type}: {message}");
            assert_eq!(desk.rows().unwrap()[0].status, word);
            assert!(message.starts_with("Done: 3"), "{message}");
            assert_eq!(desk.page.text("#count-unsent").unwrap(), "0");
            if commit_type == "send" {
                assert_eq!(koha.library(|library| library.pending_at("CPL").len()), 3);
                assert!(message.contains("library CPL"), "{message}");
            } else {
                let holder = |barcode: &str| koha.library(|library| library.holder_of(barcode).map(str::to_owned));
                assert_eq!(holder("39999000000001"), None);
                assert_eq!(holder("39999000000002").as_deref(), Some("23529001223602"));
            }
            for request in koha.requests() {
                assert!(
                    request.query_parameters.iter().all(|(_, value)| value != "koha"),
                    "a secret in an address: {request:?}"
                );
            }
            assert_eq!(desk.firefox.console_errors(), Vec::<String>::new());
        }
    }
}
