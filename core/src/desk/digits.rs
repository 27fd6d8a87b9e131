//! Numbers as text: codes of digits, and what a spreadsheet makes of them.

/// Whether it is digits alone, and at least one.
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number as `2.3529E+13`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exponential<'a> {
    /// The digits before the decimal sign.
    pub(crate) whole: &'a str,
    /// Those behind it, where there is one: a point or a comma.
    pub(crate) part: Option<&'a str>,
    /// The digits of the exponent.
    pub(crate) power: &'a str,
    /// Whether there is a plus before them.
    pub(crate) is_signed: bool,
}

impl<'a> Exponential<'a> {
    /// `None` where it is not of that form.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (number, exponent) = text.split_once(['E', 'e'])?;
        let parts = number.split_once(['.', ',']);
        let (whole, part) = parts.map_or((number, None), |(whole, part)| (whole, Some(part)));
        let unsigned = exponent.strip_prefix('+');
        let power = unsigned.unwrap_or(exponent);
        let is_one = [Some(whole), part, Some(power)].into_iter().flatten().all(is_number);
        is_one.then_some(Self { whole, part, power, is_signed: unsigned.is_some() })
    }
}

/// Whether a spreadsheet has written it so: `2.3529E+13`, where it was a long number.
pub(crate) fn is_exponential(code: &str) -> bool {
    Exponential::read(code).is_some_and(|number| number.part.is_some() || number.is_signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_a_number() {
        assert_eq!(
            ["0", "0042", "", "4.2", "-1", "４", "4 "].map(is_number),
            [true, true, false, false, false, false, false]
        );
    }

    #[test]
    fn an_exponential_number_is_taken_apart() {
        let read = |text| Exponential::read(text).map(|read| (read.whole, read.part, read.power, read.is_signed));
        assert_eq!(read("2.3529E+13"), Some(("2", Some("3529"), "13", true)));
        assert_eq!((read("12e5"), read("1,5E2")), (Some(("12", None, "5", false)), Some(("1", Some("5"), "2", false))));
        assert_eq!(["E+13", "2.E+13", "2E", "2E-5", "B1E+10", "1.2.3E+1", "39999"].map(read), [None; 7]);
    }

    #[test]
    fn a_number_of_a_spreadsheet_is_known() {
        for number in ["2.3529E+13", "2,3529E+13", "4E+13", "3.99990000013E13", "2.3529e+13"] {
            assert!(is_exponential(number), "{number}");
        }
        for code in ["12E5", "E+13", "2.3529E", "2.E+13", "ABE+13", "39999000001310", "2.3529", "1E-5", "2.5E1x"] {
            assert!(!is_exponential(code), "{code}");
        }
    }
}
