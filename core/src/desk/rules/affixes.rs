//! What scanners and labels put around a code, and what is missing in front of it.

/// What Codabar can hold between its letters.
const CODABAR: &str = "-$:/.+";

/// Without the first and the last sign, where both are among these. Letters, in upper or lower case, are such ends only around what
/// Codabar can hold: a name may begin and end with the same letter.
pub(super) fn without_ends(code: &str, ends: &str) -> Option<String> {
    let mut inner = code.chars();
    let (first, last) = (inner.next()?, inner.next_back()?);
    let inner = inner.as_str();
    let is_end = |sign: char| ends.chars().any(|end| end.eq_ignore_ascii_case(&sign));
    let holds = |sign: char| sign.is_ascii_digit() || CODABAR.contains(sign);
    let is_letter = first.is_alphanumeric() || last.is_alphanumeric();
    let is_code = !inner.is_empty() && is_end(first) && is_end(last) && (!is_letter || inner.chars().all(holds));
    is_code.then(|| inner.to_owned())
}

/// Without `]`, the letter of the kind of barcode and its modifier (ISO/IEC 15424).
pub(super) fn without_aim(code: &str) -> Option<String> {
    let rest = code.strip_prefix(']')?.strip_prefix(|kind: char| kind.is_ascii_alphabetic())?;
    rest.strip_prefix(|modifier: char| modifier.is_ascii_alphanumeric()).map(str::to_owned)
}

fn is_droppable(code: &str, number: usize, of: Option<usize>) -> bool {
    let length = code.chars().count();
    length > number && of.is_none_or(|of| of == length)
}

/// Without this number of the first characters, where the code has this length, or any.
pub(super) fn without_first(code: &str, number: usize, of: Option<usize>) -> Option<String> {
    is_droppable(code, number, of).then(|| code.chars().skip(number).collect())
}

/// Without this number of the last characters.
pub(super) fn without_last(code: &str, number: usize, of: Option<usize>) -> Option<String> {
    is_droppable(code, number, of).then(|| code.chars().take(code.chars().count() - number).collect())
}

/// Wide, Arabic and Persian digits as plain ones.
pub(super) fn plain_digits(code: &str) -> Option<String> {
    const ZEROS: [char; 3] = ['０', '٠', '۰'];
    let plain = |sign: char| {
        let digit =
            |zero: char| u32::from(sign).checked_sub(u32::from(zero)).and_then(|digit| char::from_digit(digit, 10));
        ZEROS.into_iter().find_map(digit).unwrap_or(sign)
    };
    (!code.is_ascii()).then(|| code.chars().map(plain).collect())
}

/// Digits are brought to a length: a prefix in front, which may be another one in each library, and zeros between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pad {
    length: usize,
    /// With the code of the library; `None` for all others.
    prefixes: Vec<(Option<String>, String)>,
}

impl Pad {
    /// Reads `14 CPL=2352 MPL=2353 2350`: the length, and the prefixes, all of which may be missing.
    pub(super) fn parse(details: &str) -> Option<Self> {
        let mut words = details.split_whitespace();
        let length = words.next()?.parse().ok().filter(|length| (1..=40).contains(length))?;
        let prefix = |word: &str| {
            let (branch, prefix) = match word.split_once('=') {
                Some((branch, prefix)) => (Some(branch.to_owned()), prefix),
                None => (None, word),
            };
            (prefix.chars().count() < length).then(|| (branch, prefix.to_owned()))
        };
        Some(Self { length, prefixes: words.map(prefix).collect::<Option<_>>()? })
    }

    fn prefix(&self, branch: &str) -> Option<&str> {
        let of = |is_of: &dyn Fn(&str) -> bool| {
            self.prefixes
                .iter()
                .find(|(code, _)| code.as_deref().map_or(is_of(""), is_of))
                .map(|(_, prefix)| prefix.as_str())
        };
        let own = of(&|code| !code.is_empty() && code.eq_ignore_ascii_case(branch));
        own.or_else(|| of(&str::is_empty)).or_else(|| self.prefixes.is_empty().then_some(""))
    }

    /// The code at its length. What is no number stays, and so does what has the length already, or has no room for the prefix.
    pub(super) fn apply(&self, code: &str, branch: &str) -> Option<String> {
        let prefix = self.prefix(branch)?;
        let zeros = self.length.checked_sub(prefix.chars().count() + code.len())?;
        let is_short_number = code.len() < self.length && code.bytes().all(|byte| byte.is_ascii_digit());
        is_short_number.then(|| format!("{prefix}{}{code}", "0".repeat(zeros)))
    }

    pub(super) fn example(&self, branch: &str) -> String {
        let room = self.length - self.prefix(branch).map_or(0, |prefix| prefix.chars().count());
        "1310"[4 - room.clamp(1, 4)..].to_owned()
    }
}
