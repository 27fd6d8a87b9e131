//! A pattern, and what becomes of a code that fits it.

/// A sign of a pattern or of what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `#`: a digit.
    Digit,
    /// `?`: any character.
    One,
    /// `*`: any number of characters.
    Any,
    /// Itself.
    Literal(char),
}

/// As in the pattern of cards, `#` is a digit, `?` any character and `*` any number of characters; what stands behind `\` is itself.
/// In what becomes of the code, the first `#` is what the first `#` of the pattern was, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pattern: Vec<Sign>,
    result: Vec<Sign>,
}

/// Words with blanks between them, where `\` keeps a sign from meaning anything. `None` where it ends with one.
fn words(text: &str) -> Option<Vec<Vec<Sign>>> {
    let mut words = vec![Vec::new()];
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        let read = match sign {
            '\\' => Sign::Literal(signs.next()?),
            '#' => Sign::Digit,
            '?' => Sign::One,
            '*' => Sign::Any,
            blank if blank.is_whitespace() => {
                words.push(Vec::new());
                continue;
            }
            other => Sign::Literal(other),
        };
        words.last_mut()?.push(read);
    }
    words.retain(|word| !word.is_empty());
    Some(words)
}

impl Template {
    /// Reads a pattern and a result. `None` where one is missing, every code would fit, or the result needs more than the pattern has.
    pub(super) fn parse(details: &str) -> Option<Self> {
        let [pattern, result] = <[Vec<Sign>; 2]>::try_from(words(details)?).ok()?;
        let number = |of: &[Sign], sign| of.iter().filter(|other| **other == sign).count();
        let has_all =
            [Sign::Digit, Sign::One, Sign::Any].iter().all(|sign| number(&result, *sign) <= number(&pattern, *sign));
        let says_something = pattern.iter().any(|sign| !matches!(sign, Sign::One | Sign::Any));
        (has_all && says_something).then_some(Self { pattern, result })
    }

    /// What becomes of a code that fits.
    pub(super) fn apply(&self, code: &str) -> Option<String> {
        let code: Vec<char> = code.chars().collect();
        let stands = places(&self.pattern, &code)?;
        // What each sign of a kind was, in their order.
        let mut found = [Sign::Digit, Sign::One, Sign::Any].map(|kind| {
            let of_kind = self.pattern.iter().zip(&stands).filter(move |(sign, _)| **sign == kind);
            of_kind.map(|(_, place)| *place)
        });
        let mut result = String::new();
        for sign in &self.result {
            let [digits, ones, stars] = &mut found;
            let (from, to) = match sign {
                Sign::Literal(literal) => {
                    result.push(*literal);
                    continue;
                }
                Sign::Digit => digits.next()?,
                Sign::One => ones.next()?,
                Sign::Any => stars.next()?,
            };
            result.extend(&code[from..to]);
        }
        Some(result)
    }

    /// A code that fits.
    pub(super) fn example(&self) -> String {
        let mut digits = (1..10).cycle().map(|digit| char::from_digit(digit, 10).unwrap_or('0'));
        self.pattern.iter().fold(String::new(), |mut example, sign| {
            match sign {
                Sign::Digit => example.extend(digits.next()),
                Sign::One => example.push('X'),
                Sign::Any => example.push_str("12"),
                Sign::Literal(literal) => example.push(*literal),
            }
            example
        })
    }
}

impl Sign {
    fn is(self, character: char) -> bool {
        match self {
            Self::Digit => character.is_ascii_digit(),
            Self::One | Self::Any => true,
            Self::Literal(literal) => literal == character || literal.to_lowercase().eq(character.to_lowercase()),
        }
    }
}

/// Where each sign of the pattern stands in the code; `None` where it does not fit. Stars are as short as they can be. It goes back to
/// the last star where it fails, and so needs no more than length times length steps.
fn places(pattern: &[Sign], code: &[char]) -> Option<Vec<(usize, usize)>> {
    let mut places: Vec<(usize, usize)> = Vec::with_capacity(pattern.len());
    let mut at = 0;
    let mut star = None;
    loop {
        match pattern.get(places.len()) {
            Some(Sign::Any) => {
                star = Some(places.len());
                places.push((at, at));
                continue;
            }
            Some(sign) if code.get(at).is_some_and(|character| sign.is(*character)) => {
                places.push((at, at + 1));
                at += 1;
                continue;
            }
            None if at == code.len() => return Some(places),
            _ => {}
        }
        // The last star takes one more, and all behind it is tried again.
        let (start, end) = places[star?];
        if end == code.len() {
            return None;
        }
        places.truncate(star?);
        places.push((start, end + 1));
        at = end + 1;
    }
}
