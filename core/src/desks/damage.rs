//! What a spreadsheet program does to codes and times when a file goes through it: the digits are gone, and nobody can tell
//! what stood there. Such a field is named, never taken.

use crate::desk::digits::{Exponential, is_number};

/// Whether a code was taken for a number and rewritten: `2.3529E+13`, or `39999000000040,00`.
///
/// A code of a library has no decimal sign before an exponent with a sign, and no zeros behind one.
pub fn is_rewritten_number(field: &str) -> bool {
    let field = field.trim();
    if let Some(number) = Exponential::read(field) {
        return number.whole.len() == 1 && number.is_signed && number.power.len() == 2;
    }
    let parts = field.split_once(['.', ',']);
    parts.is_some_and(|(whole, zeros)| {
        whole.len() > 6 && is_number(whole) && is_number(zeros) && zeros.bytes().all(|byte| byte == b'0')
    })
}

/// Whether a time was rewritten as a country writes it: `7/22/2026 10:15`, `22.07.2026`, or without its seconds.
pub fn is_rewritten_time(field: &str) -> bool {
    let mut parts = field.split_whitespace();
    let Some(date) = parts.next() else { return false };
    let numbers: Vec<&str> = date.split(['/', '.', '-']).collect();
    if numbers.len() != 3 || !numbers.iter().all(|part| part.len() <= 4 && is_number(part)) {
        return false;
    }
    let lengths = [numbers[0].len(), numbers[1].len(), numbers[2].len()];
    match lengths {
        // Year first, as it should be: what lacks are the seconds.
        [4, 2, 2] if date.contains('-') => parts.next().is_some_and(|clock| clock.split(':').count() == 2),
        [1 | 2, 1 | 2, 2 | 4] | [4, ..] => true,
        _ => false,
    }
}

/// How many zeros at the beginning of a code a spreadsheet may have dropped.
const MOST_ZEROS: usize = 6;

/// What a number may have been before a spreadsheet dropped its leading zeros, shortest first.
pub fn with_zeros(code: &str) -> impl Iterator<Item = String> {
    let is_number = is_number(code);
    (1..=MOST_ZEROS).filter(move |_| is_number).map(move |zeros| format!("{}{code}", "0".repeat(zeros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_lost_their_digits_are_known() {
        for field in ["2.3529E+13", "2,3529E+13", "4E+13", " 3.9999e+13 ", "39999000000040.00", "39999000000040,0"] {
            assert!(is_rewritten_number(field), "{field}");
        }
        for field in [
            "39999000000040",
            "E+13",
            "12.5E+13",
            "2.3529E13",
            "1E+5",
            "B1E+10",
            "3.50",
            "123456.0",
            "1.2.0",
            "",
            "2.E+13",
        ] {
            assert!(!is_rewritten_number(field), "{field}");
        }
    }

    #[test]
    fn times_of_a_country_are_known() {
        for field in ["7/22/2026 10:15", "22.07.2026 10:15:00", "22-07-26", "2026-07-22 10:15", "2026/7/22 10:15:00"] {
            assert!(is_rewritten_time(field), "{field}");
        }
        for field in
            ["2026-07-22 10:15:00", "2026-02-30 11:00:00", "2026-07-22", "10:15", "39999000000040", "1.2", "x/y/z", ""]
        {
            assert!(!is_rewritten_time(field), "{field}");
        }
    }

    #[test]
    fn only_numbers_have_lost_zeros() {
        assert_eq!(with_zeros("35").take(2).collect::<Vec<_>>(), ["035", "0035"]);
        assert_eq!((with_zeros("35").count(), with_zeros("B35").count(), with_zeros("").count()), (6, 0, 0));
    }
}
