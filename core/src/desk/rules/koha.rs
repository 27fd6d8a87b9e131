//! Koha's own filters: what its system preference `itemBarcodeInputFilter` does online (`C4::Circulation::barcodedecode`, with the
//! values of `t/Circulation_barcodedecode.t`). Koha trims first; so does [`Rules::read`](super::Rules::read).

use crate::desk::digits::is_number;

/// Without any blank.
pub(super) fn whitespace(code: &str) -> String {
    code.split_whitespace().collect()
}

/// T and a number of seven digits. Koha drops the first digit behind a T, unless it is 0, when nothing changes. What is no number
/// Koha would make 0 of; it stays as it is.
pub(super) fn t_prefix(code: &str) -> Option<String> {
    let number = match code.strip_prefix(['T', 't']) {
        Some(rest) if rest.starts_with('0') => return None,
        Some(rest) => rest.get(1..)?,
        None => code,
    };
    is_number(number).then(|| format!("T{:0>7}", without_zeros(number)))
}

/// Branch code, kind and number. A number alone is of the kind b.
pub(super) fn libsuite8(code: &str, branch: &str) -> Option<String> {
    let is_in_koha_style = || {
        let (start, rest) = (code.get(..branch.len())?, code.get(branch.len()..)?);
        (start.eq_ignore_ascii_case(branch) && rest.starts_with('-')).then_some(())
    };
    if branch.is_empty() || is_in_koha_style().is_some() {
        return None;
    }
    let digits = code.find(|sign: char| sign.is_ascii_digit())?;
    let (kind, number) = code.split_at(digits);
    let kind = if kind.is_empty() { "b" } else { kind };
    is_number(number).then(|| format!("{branch}-{kind}-{}", without_zeros(number)))
}

/// Zeros in front of a code with the check digit of an EAN, up to 13 digits.
pub(super) fn ean13(code: &str) -> Option<String> {
    if code.len() < 2 || !is_number(code) {
        return None;
    }
    let weighted = code.bytes().rev().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = weighted.enumerate().map(|(place, digit)| if place % 2 == 0 { digit } else { 3 * digit }).sum();
    sum.is_multiple_of(10).then(|| format!("{code:0>13}"))
}

/// What a `CueCat` has read: the last of three parts, each in a base 64 of its own and masked.
pub(super) fn cuecat(code: &str) -> Option<String> {
    let parts: Vec<&str> = code.trim_end_matches('.').split('.').skip(1).collect();
    let [_, _, read] = parts[..] else { return None };
    let bytes = decoded(read)?;
    let is_text = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    String::from_utf8(bytes).ok().filter(|_| is_text)
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    /// What the bytes are masked with.
    const MASK: u8 = 67;
    let value = |sign: u8| match sign {
        b'a'..=b'z' => Some(sign - b'a'),
        b'A'..=b'Z' => Some(sign - b'A' + 26),
        b'0'..=b'9' => Some(sign - b'0' + 52),
        b'+' => Some(62),
        b'-' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::new();
    for signs in part.as_bytes().chunks(4) {
        let mut four = [0; 4];
        for (place, sign) in four.iter_mut().zip(signs) {
            *place = value(*sign)?;
        }
        let [a, b, c, d] = four;
        let three = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        // Four signs are three bytes, three are two, two are one; one is none.
        let whole = signs.len().checked_sub(1).filter(|whole| *whole > 0)?;
        bytes.extend(three[..whole].iter().map(|byte| byte ^ MASK));
    }
    Some(bytes)
}

/// The number without zeros in front; of nothing else, one is left.
fn without_zeros(number: &str) -> &str {
    let rest = number.trim_start_matches('0');
    if rest.is_empty() { "0" } else { rest }
}
