//! The code of a library: where something was recorded, and where Koha books it.

use crate::desk::barcode::code;
use serde::{Deserialize, Serialize};

// The columns `branches.branchcode` and `pending_offline_operations.branchcode`.
code! {
    /// The code of a library.
    ///
    /// ```
    /// use koct_core::desk::branch::BranchCode;
    /// assert_eq!(BranchCode::parse(" CPL ").unwrap().as_str(), "CPL");
    /// ```
    BranchCode, 10
}

impl BranchCode {
    /// The library after which a folder is named: one of those that are known, or where none is, what looks like a code.
    pub fn from_folder<'a>(folder: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut known = known.into_iter().filter(|code| !code.is_empty()).peekable();
        if known.peek().is_some() {
            return known.find(|code| code.eq_ignore_ascii_case(folder.trim())).and_then(|code| Self::parse(code).ok());
        }
        let is_of_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let looks_like_one = folder.chars().all(is_of_code) && folder.chars().any(|c| c.is_ascii_uppercase());
        Self::parse(folder).ok().filter(|_| looks_like_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_library_where_its_name_is_a_code() {
        let of =
            |folder, known: &[&'static str]| BranchCode::from_folder(folder, known.iter().copied()).map(String::from);
        assert_eq!(of("cpl", &["CPL", "MPL"]).as_deref(), Some("CPL"));
        assert_eq!((of("XYZ", &["CPL", ""]), of("Monday", &["CPL"])), (None, None));
        assert_eq!(of("MPL", &[]).as_deref(), Some("MPL"));
        for folder in ["Desktop", "2026-11-28", "", "MUCH-TOO-LONG"] {
            assert_eq!(of(folder, &[]), None, "{folder}");
        }
    }
}
