//! What is meant by what was scanned. Online, Koha rewrites codes before it looks them up, and scanners add signs of their own; a
//! library says by rules what becomes of them, for items and for cards.
//!
//! Rules are written one in a line, and are followed in this order. A rule that does not fit a code leaves it as it is.

mod affixes;
mod koha;
mod template;

use crate::desk::signs;
use affixes::Pad;
use template::Template;
use thiserror::Error;

/// The most rules that are kept.
const LIMIT: usize = 20;
/// The longest rule, in characters.
const LENGTH_LIMIT: usize = 300;
/// What stands at the ends of codes, where nobody has said anything else: the star of Code 39, and Codabar's letters.
const START_STOP: &str = "*ABCD";

/// A kind of rule, as it is offered and named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Koha's `whitespace`: no blanks.
    Whitespace,
    /// Koha's `T-prefix`: T and seven digits.
    TPrefix,
    /// Koha's `libsuite8`: branch code, kind and number, with hyphens.
    Libsuite8,
    /// Koha's `EAN13`: zeros in front, up to 13 digits.
    Ean13,
    /// Koha's `cuecat`: what a `CueCat` has encoded.
    Cuecat,
    /// Without the signs or letters at both ends.
    StartStop,
    /// Without the AIM identifier in front, which says what kind of barcode it was.
    Aim,
    /// Without the first characters.
    DropFirst,
    /// Without the last characters.
    DropLast,
    /// Digits with a prefix and zeros in front, up to a length.
    Pad,
    /// What fits a pattern becomes something else.
    Replace,
    /// Wide and Arabic digits as plain ones.
    PlainDigits,
}

impl Kind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 12] = [
        Self::Whitespace,
        Self::TPrefix,
        Self::Libsuite8,
        Self::Ean13,
        Self::Cuecat,
        Self::StartStop,
        Self::Aim,
        Self::PlainDigits,
        Self::DropFirst,
        Self::DropLast,
        Self::Pad,
        Self::Replace,
    ];

    /// Its name in a policy; Koha's own for Koha's filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whitespace => "whitespace",
            Self::TPrefix => "T-prefix",
            Self::Libsuite8 => "libsuite8",
            Self::Ean13 => "EAN13",
            Self::Cuecat => "cuecat",
            Self::StartStop => "start-stop",
            Self::Aim => "aim",
            Self::DropFirst => "drop-first",
            Self::DropLast => "drop-last",
            Self::Pad => "pad",
            Self::Replace => "replace",
            Self::PlainDigits => "plain-digits",
        }
    }

    /// The one of this name, in upper or lower case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// What is to be said behind its name, as an example; empty where nothing is.
    pub fn details(self) -> &'static str {
        match self {
            Self::StartStop => START_STOP,
            Self::DropFirst | Self::DropLast => "1 of 15",
            Self::Pad => "14 CPL=2352 MPL=2353",
            Self::Replace => "LIB-###* ###*",
            _ => "",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    kind: Kind,
    does: Does,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Does {
    /// What its kind says.
    Plain,
    /// Ends.
    Ends(String),
    /// This number of characters, of codes of this length or of any.
    Drop(usize, Option<usize>),
    Pad(Pad),
    Replace(Template),
}

/// A rule that cannot be read: its number in the list, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("rule {0} cannot be read")]
pub struct RuleError(pub usize);

impl Rule {
    /// Reads a line.
    fn parse(line: &str) -> Option<Self> {
        let (name, details) = parts(line);
        let kind = Kind::from_name(name)?;
        let does = match kind {
            Kind::StartStop if details.is_empty() => Does::Ends(START_STOP.to_owned()),
            Kind::StartStop => Does::Ends(Some(details.to_owned()).filter(|ends| !ends.contains(char::is_whitespace))?),
            Kind::DropFirst | Kind::DropLast => {
                let (number, of) = match details.split_once("of") {
                    Some((number, of)) => (number, Some(of.trim().parse().ok()?)),
                    None => (details, None),
                };
                let number = number.trim().parse().ok().filter(|number| *number > 0)?;
                // Something must be left.
                Does::Drop(number, Some(of).filter(|of| of.is_none_or(|of| of > number))?)
            }
            Kind::Pad => Does::Pad(Pad::parse(details)?),
            Kind::Replace => Does::Replace(Template::parse(details)?),
            _ if details.is_empty() => Does::Plain,
            _ => return None,
        };
        Some(Self { kind, does })
    }

    /// What kind it is of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the code is by this rule; `None` where it does not fit. `branch` is the library's code, empty where nobody has said it.
    fn apply(&self, code: &str, branch: &str) -> Option<String> {
        match (&self.does, self.kind) {
            (Does::Ends(ends), _) => affixes::without_ends(code, ends),
            (Does::Drop(number, of), Kind::DropLast) => affixes::without_last(code, *number, *of),
            (Does::Drop(number, of), _) => affixes::without_first(code, *number, *of),
            (Does::Pad(pad), _) => pad.apply(code, branch),
            (Does::Replace(template), _) => template.apply(code),
            (Does::Plain, Kind::Whitespace) => Some(koha::whitespace(code)),
            (Does::Plain, Kind::TPrefix) => koha::t_prefix(code),
            (Does::Plain, Kind::Libsuite8) => koha::libsuite8(code, branch),
            (Does::Plain, Kind::Ean13) => koha::ean13(code),
            (Does::Plain, Kind::Cuecat) => koha::cuecat(code),
            (Does::Plain, Kind::Aim) => affixes::without_aim(code),
            (Does::Plain, _) => affixes::plain_digits(code),
        }
    }

    /// A code that it fits, to show what it does.
    pub fn example(&self, branch: &str) -> String {
        match (&self.does, self.kind) {
            (Does::Ends(ends), _) => {
                let mut ends = ends.chars();
                let start = ends.next().unwrap_or('*');
                format!("{start}12345{}", if start == '*' { start } else { ends.next().unwrap_or(start) })
            }
            (Does::Drop(number, of), _) => {
                let length = of.unwrap_or(14 + number).min(40);
                (0..length).map(|place| char::from(b'0' + u8::try_from(place % 10).unwrap_or_default())).collect()
            }
            (Does::Pad(pad), _) => pad.example(branch),
            (Does::Replace(template), _) => template.example(),
            (Does::Plain, kind) => match kind {
                Kind::Whitespace => "3 9990 00019 2148",
                Kind::TPrefix => "T32",
                Kind::Libsuite8 => "b000126",
                Kind::Ean13 => "892685001928",
                Kind::Cuecat => ".C3nZC3nZC3nYD3b6ENnZCNnY.fHmc.C3D1Dxr2C3nZE3n7.",
                Kind::Aim => "]C139999000001310",
                _ => "３９９９９０００００１３１１",
            }
            .to_owned(),
        }
    }
}

/// Rules, in their order.
///
/// ```
/// use koct_core::desk::rules::Rules;
/// let rules = Rules::parse("aim\nwhitespace\nEAN13").unwrap();
/// let read = rules.read("]E0 892685 001928", "CPL");
/// assert_eq!((read.meant.as_str(), read.by.as_slice()), ("0892685001928", [0, 1, 2].as_slice()));
/// assert!(rules.read("39999000001310", "CPL").by.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Vec<Rule>);

/// What a code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The code that is meant.
    pub meant: String,
    /// The places of the rules that have changed it.
    pub by: Vec<usize>,
}

impl Rules {
    /// Reads rules, one in a line. Empty lines are none.
    ///
    /// # Errors
    /// When one of them cannot be read, or there are too many.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let lines: Vec<&str> = lines(text).collect();
        if lines.len() > LIMIT {
            return Err(RuleError(LIMIT + 1));
        }
        let read = |(place, line): (usize, &&str)| {
            let is_short = line.chars().count() <= LENGTH_LIMIT;
            Rule::parse(line).filter(|_| is_short).ok_or(RuleError(place + 1))
        };
        lines.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What the code means that was scanned or typed. `branch` is the library's code, empty where nobody has said it.
    pub fn read(&self, raw: &str, branch: &str) -> Reading {
        let mut reading = Reading { meant: signs::trimmed(raw).to_owned(), by: Vec::new() };
        for (place, rule) in self.0.iter().enumerate() {
            let changed = rule.apply(&reading.meant, branch).map(|code| code.trim().to_owned());
            if let Some(code) = changed.filter(|code| !code.is_empty() && *code != reading.meant) {
                reading.meant = code;
                reading.by.push(place);
            }
        }
        reading
    }

    /// All of them.
    pub fn all(&self) -> &[Rule] {
        &self.0
    }
}

/// The lines of a text in which something stands: a rule each.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A rule as it is written: its name, and what stands behind it.
pub fn parts(line: &str) -> (&str, &str) {
    let (name, details) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (name, details.trim())
}

/// The line of a rule of this name, with what is typed behind it.
pub fn line(name: &str, details: &str) -> String {
    format!("{name} {}", details.trim()).trim_end().to_owned()
}

#[cfg(test)]
mod tests;
