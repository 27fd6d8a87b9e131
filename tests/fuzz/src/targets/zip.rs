//! The reader of ZIP files: whatever stands in them, no file in it reaches beyond the bytes that are there, or is taken for what was packed
//! when it is not.

use crate::fuzz::Target;
use koct_core::desks::import::zip::{MOST_BYTES, Member, Packing, is_hidden, looks_like_one, members};
use std::collections::BTreeSet;

/// A ZIP file, as a mail program or a file manager may have made it.
pub const TARGET: Target = Target {
    name: "zip",
    words: &[
        "PK\x03\x04",
        "PK\x01\x02",
        "PK\x05\x06",
        "PK\x07\x08",
        "\x00\x00",
        "\x01\x00",
        "\x08\x00",
        "\x7f\x7f\x7f\x7f",
        "\x00\x00\x00\x00",
        "desk1.koc",
        "CPL/desk1.koc",
        "CPL\\desk1.koc",
        "../",
        "/",
        ".DS_Store",
        "__MACOSX/",
        "[Content_Types].xml",
        "mimetype",
    ],
    check,
};

/// # Panics
/// When a file in it reaches beyond the bytes, or a half is taken for a whole.
pub fn check(input: &[u8]) -> String {
    let begins = looks_like_one(input);
    let members = match members(input) {
        Err(error) => return format!("{begins} {error:?}"),
        Ok(members) => members,
    };
    let check = |member: &Member| {
        let packed = input.get(member.place.clone()).expect("its bytes are there");
        assert!(member.length <= MOST_BYTES && !is_hidden(&member.path), "{member:?}");
        let is_whole = member.check(packed).is_ok();
        assert!(!is_whole || usize::try_from(member.length) == Ok(packed.len()), "{member:?}");
        // One byte less, or another one, is not what was packed.
        if let Some((_, less)) = packed.split_last().filter(|_| is_whole) {
            assert!(member.check(less).is_err(), "{member:?}");
            let mut other = packed.to_vec();
            other[0] ^= 1;
            assert!(member.check(&other).is_err(), "{member:?}");
        }
        format!("{} {is_whole}", matches!(member.packing, Packing::Stored))
    };
    let kinds: BTreeSet<String> = members.iter().map(check).collect();
    format!("{begins} {} {kinds:?}", members.len().min(3))
}
