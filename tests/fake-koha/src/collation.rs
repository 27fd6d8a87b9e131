//! Text equality as the database's `utf8mb4_unicode_ci` collation sees it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters without case and accents, and without blanks at the end.
pub(crate) fn fold(text: &str) -> String {
    text.trim_end_matches(' ').nfd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase).collect()
}

/// Are the two the same to the database? `código-é60` is `CODIGO-E60`, `koha ` is `koha`, but ` koha` is not.
pub(crate) fn same(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        // Nearly all barcodes: a big library is searched from end to end for each.
        return left.trim_end_matches(' ').eq_ignore_ascii_case(right.trim_end_matches(' '));
    }
    fold(left) == fold(right)
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn ignores_case_accents_and_trailing_blanks() {
        assert!(same("código-é60", "CODIGO-E60"));
        assert!(same("koha", "KOHA "));
        assert!(!same("koha", " koha"));
        assert!(!same("c\u{fffd}digo", "código"));
    }
}
