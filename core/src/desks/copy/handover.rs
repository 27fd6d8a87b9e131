//! What one who writes the second copy leaves to the next: a word that stands where a page can put it while it is closed, which waits
//! for nothing. It is the run of Firefox in which all was copied as somebody ended in good order.

use super::Left;

/// The word where that is not so, whoever says it is.
pub const OPEN: &str = "";

/// The run in which the one before ended in good order, of the word that stood there as a page was loaded, and the one that stands
/// there as it begins to write.
pub fn settled(loaded: Option<String>, since: Option<String>) -> Option<String> {
    // Who wrote until now, and has ended since, may not have heard of what was open then.
    if loaded.as_deref() == Some(OPEN) { loaded } else { since.or(loaded) }
}

/// Whether one that ends so puts its run where this stands.
pub fn is_told(left: Left, stands: Option<&str>) -> bool {
    left.is_settled && stands != Some(OPEN)
}

/// Whether more is to be done after one that ends so where this stands: another has left open what this one never heard of.
pub fn is_more(left: Left, stands: Option<&str>) -> bool {
    left.has_more || stands == Some(OPEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(loaded: Option<&str>, since: Option<&str>) -> Option<String> {
        settled(loaded.map(str::to_owned), since.map(str::to_owned))
    }

    #[test]
    fn who_wrote_until_now_may_have_ended_since() {
        assert_eq!(given(None, None).as_deref(), None);
        assert_eq!(given(None, Some("2")).as_deref(), Some("2"));
        assert_eq!(given(Some("1"), Some("2")).as_deref(), Some("2"));
        assert_eq!(given(Some("1"), None).as_deref(), Some("1"));
        assert_eq!(given(Some("1"), Some(OPEN)).as_deref(), Some(OPEN));
    }

    #[test]
    fn what_a_third_window_left_open_is_closed_by_nobodys_good_end() {
        let (good, bad) = (Left { is_settled: true, has_more: false }, Left { is_settled: false, has_more: true });
        // It stood there as the next was loaded, or as the writer ended.
        assert_eq!(given(Some(OPEN), Some("1")).as_deref(), Some(OPEN));
        assert!(!is_told(good, Some(OPEN)));
        assert!(is_told(good, None) && is_told(good, Some("1")));
        assert!(!is_told(bad, None));
        assert!(is_more(good, Some(OPEN)) && !is_more(good, None) && !is_more(good, Some("1")));
        assert!(is_more(bad, None));
    }
}
