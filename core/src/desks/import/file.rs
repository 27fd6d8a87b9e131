//! What kind of file a person has chosen.

use crate::{
    desk::{branch::BranchCode, transaction::Moment, version::Version, zone::Zone},
    desks::{
        backup::{self, BackupError, Header},
        koc::{self, Reading},
        list,
    },
    slices::Sliced,
};
use serde::Deserialize;
use thiserror::Error;

/// A file that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportFile {
    /// What another desk, or another program, recorded.
    Koc(Reading),
    /// The backup of a log, by its first line.
    Backup(Header),
    /// A list without times, which a person must look through.
    List,
}

/// Why a file cannot be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ImportError {
    /// It is neither a .koc file nor a backup.
    #[error("this is neither a .koc file nor a backup")]
    Unknown,
    /// A backup that a later version of KOCT wrote.
    #[error("a later version of KOCT wrote this backup")]
    TooNew,
    /// A list with more lines than anybody looks through.
    #[error("the list has more than {} lines", list::MOST_LINES)]
    ListTooLong,
}

/// Tells what a file is, in slices. `zone` is that of this computer.
pub fn recognising<'a>(bytes: &'a [u8], zone: &'a dyn Zone) -> Sliced<'a, Result<ImportFile, ImportError>> {
    Sliced::new(move |pace| async move {
        if backup::looks_like_one(bytes) {
            return Header::from_file(bytes).map(ImportFile::Backup).map_err(|error| match error {
                BackupError::TooNew(_) => ImportError::TooNew,
                BackupError::NotABackup | BackupError::Line(_) => ImportError::Unknown,
            });
        }
        let reading = koc::reading(bytes, zone, None).within(&pace).await;
        if reading.is_koc() {
            return Ok(ImportFile::Koc(reading));
        }
        match list::is_too_long(bytes) {
            _ if !list::looks_like_one(bytes) => Err(ImportError::Unknown),
            true => Err(ImportError::ListTooLong),
            false => Ok(ImportFile::List),
        }
    })
}

/// The version of KOCT that wrote a file, where one did and says so: also one whose backups this one cannot read.
pub fn written_by(bytes: &[u8]) -> Option<Version> {
    #[derive(Deserialize)]
    struct Backup {
        koct: String,
        generator: String,
    }
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let line = str::from_utf8(line).ok()?.trim_start_matches('\u{feff}');
    if let Ok(backup) = serde_json::from_str::<Backup>(line) {
        return (backup.koct == "log").then(|| backup.generator.parse().ok()).flatten();
    }
    let value = |key: &str| line.split('\t').filter_map(|field| field.split_once('=')).find(|(name, _)| *name == key);
    value("Generator").filter(|(_, generator)| *generator == koc::GENERATOR)?;
    value("GeneratorVersion")?.1.parse().ok()
}

/// The library at which a file was probably recorded: as it says itself, as its folder is called, or as its desk was `before`. `known`
/// are the codes of the libraries, where they are known.
pub fn proposed_branch<'a>(
    said: Option<BranchCode>,
    folder: Option<&str>,
    known: impl IntoIterator<Item = &'a str>,
    before: impl FnOnce() -> Option<BranchCode>,
) -> Option<BranchCode> {
    said.or_else(|| BranchCode::from_folder(folder?, known)).or_else(before)
}

/// The name of the report of an import, by the time where this computer's clock shows one.
pub fn report_name(now: Option<Moment>) -> String {
    now.map_or_else(|| "koct_import.txt".to_owned(), |now| format!("koct_import_{}.txt", koc::time_in_names(now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::{name::DeskName, zone::FixedZone};
    use proptest::prelude::*;

    fn recognised(bytes: &[u8]) -> Result<ImportFile, ImportError> {
        recognising(bytes, &FixedZone(60)).at_once()
    }

    #[test]
    fn what_a_file_says_of_its_library_goes_before_its_folder_and_that_before_its_desk() {
        let code = |code: &str| BranchCode::parse(code).ok();
        let of = |said: Option<&str>, folder, before: Option<&str>| {
            let before = || before.and_then(code);
            proposed_branch(said.and_then(code), folder, ["CPL", "MPL"], before).map(String::from)
        };
        assert_eq!(of(Some("FPL"), Some("mpl"), Some("CPL")).as_deref(), Some("FPL"));
        assert_eq!(of(None, Some("mpl"), Some("CPL")).as_deref(), Some("MPL"));
        assert_eq!(of(None, Some("Desktop"), Some("CPL")).as_deref(), Some("CPL"));
        assert_eq!((of(None, None, Some("CPL")).as_deref(), of(None, None, None)), (Some("CPL"), None));
    }

    #[test]
    fn a_backup_is_known_by_its_first_line() {
        let header = Header::new(DeskName::parse("Bus").unwrap(), Moment::new(1_795_428_000_000, 60).unwrap());
        let line = backup::write(&header);
        for file in [line.clone(), format!("\u{feff}{line}{{\"transaction\""), format!("{line}\nnonsense")] {
            assert_eq!(recognised(file.as_bytes()), Ok(ImportFile::Backup(header.clone())), "{file}");
        }
        let newer = line.replace("\"version\":1", "\"version\":2");
        assert_eq!(recognised(newer.as_bytes()), Err(ImportError::TooNew));
        for cut in 1..line.len() - 1 {
            assert_eq!(recognised(&line.as_bytes()[..cut]), Err(ImportError::Unknown), "cut at {cut}");
        }
        assert_eq!(recognised(b"{\"koct\":\"settings\",\"version\":1}"), Err(ImportError::Unknown));
    }

    #[test]
    fn which_version_wrote_a_file_is_known_where_koct_did() {
        let version = |text: &str| text.parse::<Version>().ok();
        let own = Header::new(DeskName::parse("Bus").unwrap(), Moment::new(1_795_428_000_000, 60).unwrap());
        for (file, expected) in [
            (backup::write(&own), Some(Version::own())),
            (r#"{"koct":"log","version":9,"generator":"9.1.0","more":[]}"#.into(), version("9.1.0")),
            (r#"{"koct":"settings","generator":"9.1.0"}"#.into(), None),
            ("\u{feff}Version=1.0\tGenerator=koct\tGeneratorVersion=0.7.2\r\n".into(), version("0.7.2")),
            ("Version=1.0\tGenerator=koct-firefox\tGeneratorVersion=9.9\n".into(), None),
            ("Version=1.0\tGenerator=koct\tGeneratorVersion=new\n".into(), None),
            ("Version=1.0\tGenerator=koct\n".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(written_by(file.as_bytes()), expected, "{file}");
        }
        assert_eq!(written_by(&[0xff, 0xfe, b'\n']), None);
    }

    #[test]
    fn the_report_is_named_after_the_time_where_there_is_one() {
        assert_eq!(report_name(Moment::new(1_795_428_000_000, 60).ok()), "koct_import_2026-11-23_11-00-00.txt");
        assert_eq!(report_name(None), "koct_import.txt");
    }

    #[test]
    fn a_koc_file_has_a_generator_or_a_transaction() {
        for (file, transactions) in [
            (&b"Version=1.0\tGenerator=kolt\n"[..], 0),
            (b"2026-11-23 11:00:00\treturn\tB1\n", 1),
            (b"\xef\xbb\xbfVersion=1.0\tGenerator=x\n2026-11-23 11:00:00\treturn\tB1\nnonsense", 1),
        ] {
            let Ok(ImportFile::Koc(reading)) = recognised(file) else { panic!("{file:?}") };
            assert_eq!(reading.transactions.len(), transactions);
        }
        for file in [&b""[..], b"\n\n", b"call Mrs Miller\n", b"Version=1.0\nnonsense", b"PK\x03\x04", b"<html>"] {
            assert_eq!(recognised(file), Err(ImportError::Unknown), "{file:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), opens in any::<bool>()) {
            let bytes = if opens { [b"{\"koct\":\"log\",", &bytes[..]].concat() } else { bytes };
            let _ = recognised(&bytes);
        }
    }
}
