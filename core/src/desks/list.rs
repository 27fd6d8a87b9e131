//! Lists without times: codes that were scanned into a text file or a spreadsheet when nothing else was at hand.
//!
//! ```text
//! 23529000000010,39999000000040      card and item, with commas, semicolons or tabs
//!
//! 23529000000010                     a card, and the items that were lent to it; a card is known by what cards
//! 39999000000040                     look like, or by the records
//! 39999000000041
//!
//! %C123H                             the commands of Follett's hand-held devices: check out, then the patron,
//! 15547                              then the items (destinyhelp, “Circulation Command Codes”)
//! 55478
//! %C127L                             check in, then the items
//! 55478
//! ```
//! What each line becomes is shown before anything is taken, and when it was done, and what where the list does not say it, is said
//! by a person.

use crate::{
    desk::{
        barcode::{Barcode, Cardnumber, CodeError},
        digits::is_number,
        pattern::CardPattern,
        transaction::{Action, Moment, Transaction},
        zone::Zone,
    },
    desks::damage,
    log::{Entry, status::State},
    ordered,
};
use chrono::TimeDelta;
use std::collections::{HashMap, HashSet};

mod cells;

/// The most lines of a list: each is to be seen by a person.
pub const MOST_LINES: usize = 3_000;

/// Up to this number of codes, those that are unknown are looked for with zeros before them.
const MOST_WITH_ZEROS: usize = 500;

/// How many characters of a line are shown.
const LONGEST_TEXT: usize = 80;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Items were lent.
    Checkout,
    /// Items came back.
    Checkin,
}

/// The commands of the library circulation. Those of textbooks and resources are none of Koha's.
const COMMANDS: [(&str, Doing); 2] = [("%C123H", Doing::Checkout), ("%C127L", Doing::Checkin)];

/// Words that say what was done, in a cell of their own.
const WORDS: [(&str, Doing); 6] = [
    ("issue", Doing::Checkout),
    ("checkout", Doing::Checkout),
    ("check out", Doing::Checkout),
    ("return", Doing::Checkin),
    ("checkin", Doing::Checkin),
    ("check in", Doing::Checkin),
];

/// What is known of codes.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    /// Cards of patrons, by the records.
    pub cards: HashSet<String>,
    /// Barcodes of items, by the records.
    pub items: HashSet<String>,
    /// The lengths of the library's barcodes that are numbers, where they are known.
    pub lengths: Vec<usize>,
}

/// What a person says about a list.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// What was done, where the list does not say it.
    pub doing: Option<Doing>,
    /// The patron of items that stand without one.
    pub patron: Option<Cardnumber>,
    /// Whether the item stands before the card, where nothing tells which is which.
    pub item_first: bool,
    /// What cards look like.
    pub cards: Option<CardPattern>,
}

/// A list as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Every line that is not blank.
    pub lines: Vec<Line>,
    /// What was done where nobody has said it.
    pub usual: Option<Doing>,
    /// Whether items stand without a patron whom they were lent to.
    pub lacks_patron: bool,
    /// Whether nothing tells which of two codes is the card.
    pub order_is_open: bool,
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// As much of it as is shown.
    pub text: String,
    /// What it becomes.
    pub becomes: Becomes,
}

/// What a line becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Becomes {
    /// A transaction.
    Action(Action),
    /// The patron of the items that follow.
    Patron(Cardnumber),
    /// What is done with those that follow.
    Command(Doing),
    /// The names of the columns.
    Heading,
    /// Nothing, and why.
    Refused(LineReason),
}

/// Why a line becomes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineReason {
    /// It is no text.
    NotUtf8,
    /// A spreadsheet has rewritten this code, or this time.
    Rewritten(String),
    /// A spreadsheet may have dropped the zeros at the beginning of this code.
    Zeros {
        /// As it stands.
        code: String,
        /// As it may have been.
        meant: String,
    },
    /// It has a time, and a list that has times must be a .koc file.
    Time(String),
    /// It has this number of codes.
    Cells(usize),
    /// Nobody is said to have borrowed this.
    NoPatron,
    /// It is a card where an item is to be.
    Card(Cardnumber),
    /// Both codes are cards.
    TwoCards,
    /// It is a command of a device that Koha has nothing like, or stands behind one.
    Command(String),
    /// The code cannot be taken as a card.
    Cardnumber(CodeError),
    /// The code cannot be taken as a barcode.
    Barcode(CodeError),
}

/// Whether a text may be a list: most of its lines hold nothing but codes, two or three at most.
pub fn looks_like_one(bytes: &[u8]) -> bool {
    let lines = cells::lines(bytes);
    let is_code = |cell: &String| {
        let is_of_code = |c: char| c.is_ascii_alphanumeric() || "-_.+%*$/,".contains(c);
        cell.chars().any(|c| c.is_ascii_digit()) && cell.chars().all(is_of_code)
    };
    let is_word = |cell: &String| WORDS.iter().any(|(word, _)| cell.eq_ignore_ascii_case(word));
    let holds_codes = |line: &cells::TextLine| {
        let cells = line.cells.as_deref().unwrap_or_default();
        (1..=3).contains(&cells.len())
            && cells.iter().any(is_code)
            && cells.iter().all(|cell| is_code(cell) || is_word(cell))
    };
    let number = lines.iter().filter(|line| holds_codes(line)).count();
    number > 0 && number * 2 >= lines.len()
}

/// Whether a list has more lines than anybody looks through.
pub fn is_too_long(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count() > MOST_LINES
}

/// The codes of a list that are to be looked for in the records, each once, by its [`spellings`].
pub fn codes(bytes: &[u8]) -> Vec<String> {
    let cells = cells::lines(bytes).into_iter().filter_map(|line| line.cells.ok()).flatten();
    ordered::texts(cells.filter(|cell| cell.chars().count() <= Cardnumber::LIMIT))
}

/// As what each of these codes is to be looked for, until it is found: as it stands, and where they are few, with the zeros that
/// [a spreadsheet may have dropped](damage::with_zeros).
pub fn spellings(codes: &[String]) -> impl Iterator<Item = impl Iterator<Item = String>> {
    let are_few = codes.len() <= MOST_WITH_ZEROS;
    codes.iter().map(move |code| {
        let with_zeros = damage::with_zeros(code).filter(move |_| are_few);
        std::iter::once(code.clone()).chain(with_zeros)
    })
}

/// Reads a list.
pub fn read(bytes: &[u8], codes: &Codes, choices: &Choices) -> List {
    let lines = cells::lines(bytes);
    let alone = |line: &cells::TextLine| matches!(line.cells.as_deref(), Ok([_]));
    let has_commands =
        lines.iter().any(|line| alone(line) && line.cells.as_deref().is_ok_and(|cells| is_command(&cells[0])));
    let is_card = |code: &str| {
        codes.cards.contains(code)
            || (!codes.items.contains(code) && choices.cards.as_ref().is_some_and(|cards| cards.fits(code)))
    };
    let has_pairs = lines.iter().filter(|line| !alone(line)).count() * 2 >= lines.len();
    let has_cards = lines.iter().any(|line| line.cells.iter().flatten().any(|cell| is_card(cell)));
    let usual = match (has_commands, has_pairs || has_cards) {
        (true, _) => None,
        (false, true) => Some(Doing::Checkout),
        (false, false) => Some(Doing::Checkin),
    };
    let mut reader = Reader {
        codes,
        choices,
        is_card: &is_card,
        doing: choices.doing.filter(|_| !has_commands).or(usual),
        patron: None,
        at_patron: false,
        unknown: None,
        lacks_patron: false,
        order_is_open: false,
    };
    let mut list = List { usual, ..List::default() };
    for (place, line) in lines.into_iter().enumerate() {
        let becomes = match &line.cells {
            Err(_) => Becomes::Refused(LineReason::NotUtf8),
            Ok(cells) if place == 0 && is_heading(cells) => Becomes::Heading,
            Ok(cells) => reader.take(cells).unwrap_or_else(Becomes::Refused),
        };
        list.lines.push(Line { number: line.number, text: beginning(&line.text), becomes });
    }
    list.lacks_patron = reader.lacks_patron;
    list.order_is_open = reader.order_is_open;
    list
}

fn is_command(cell: &str) -> bool {
    let rest = cell.strip_prefix("%C").unwrap_or_default().as_bytes();
    matches!(rest, [a, b, c, letter] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()) && letter.is_ascii_uppercase())
}

fn is_heading(cells: &[String]) -> bool {
    let is_of_separator = cells.first().is_some_and(|cell| cell.to_ascii_lowercase().starts_with("sep="));
    is_of_separator || !cells.iter().any(|cell| cell.chars().any(|c| c.is_ascii_digit()))
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Where a list has been read to.
struct Reader<'a> {
    codes: &'a Codes,
    choices: &'a Choices,
    is_card: &'a dyn Fn(&str) -> bool,
    /// What is done with items now.
    doing: Option<Doing>,
    /// Who borrows them.
    patron: Option<Cardnumber>,
    /// The next code is a patron's.
    at_patron: bool,
    /// The command that was met last, where Koha has nothing like it.
    unknown: Option<String>,
    lacks_patron: bool,
    order_is_open: bool,
}

impl Reader<'_> {
    fn take(&mut self, cells: &[String]) -> Result<Becomes, LineReason> {
        let mut doing = None;
        let mut codes: Vec<&str> = Vec::new();
        for cell in cells {
            match WORDS.iter().find(|(word, _)| cell.eq_ignore_ascii_case(word)) {
                Some((_, said)) => doing = Some(*said),
                None => codes.push(cell),
            }
        }
        if let [command] = codes[..]
            && is_command(command)
        {
            return self.command(command);
        }
        if let Some(command) = &self.unknown {
            return Err(LineReason::Command(command.clone()));
        }
        for code in &codes {
            if damage::is_rewritten_number(code) || damage::is_rewritten_time(code) {
                return Err(LineReason::Rewritten(beginning(code)));
            }
            if is_time(code) {
                return Err(LineReason::Time(beginning(code)));
            }
        }
        match codes[..] {
            [code] => self.alone(code, doing),
            [one, other] => self.pair(one, other, doing.or(self.doing)),
            _ => Err(LineReason::Cells(codes.len())),
        }
    }

    fn command(&mut self, command: &str) -> Result<Becomes, LineReason> {
        let known = COMMANDS.iter().find(|(text, _)| *text == command);
        self.patron = None;
        let Some((_, doing)) = known else {
            self.unknown = Some(command.to_owned());
            return Err(LineReason::Command(command.to_owned()));
        };
        self.unknown = None;
        self.doing = Some(*doing);
        self.at_patron = *doing == Doing::Checkout;
        Ok(Becomes::Command(*doing))
    }

    /// A code that stands alone in its line.
    fn alone(&mut self, code: &str, said: Option<Doing>) -> Result<Becomes, LineReason> {
        let doing = said.or(self.doing);
        if std::mem::take(&mut self.at_patron) || (self.is_card)(code) {
            let card = self.card(code)?;
            if doing == Some(Doing::Checkin) {
                return Err(LineReason::Card(card));
            }
            self.patron = Some(card.clone());
            return Ok(Becomes::Patron(card));
        }
        let patron = self.patron.clone().or_else(|| self.choices.patron.clone());
        let barcode = self.item(code);
        if doing == Some(Doing::Checkin) {
            return Ok(Becomes::Action(Action::Return { barcode: barcode? }));
        }
        self.lacks_patron |= self.patron.is_none();
        let cardnumber = patron.ok_or(LineReason::NoPatron)?;
        Ok(Becomes::Action(Action::Issue { cardnumber, barcode: barcode? }))
    }

    /// A card and an item.
    fn pair(&mut self, one: &str, other: &str, doing: Option<Doing>) -> Result<Becomes, LineReason> {
        let (card, item) = match ((self.is_card)(one), (self.is_card)(other)) {
            (true, true) => return Err(LineReason::TwoCards),
            (true, false) => (one, other),
            (false, true) => (other, one),
            (false, false) => {
                // An item that is known stands not for a card.
                let is_item = |code| self.codes.items.contains(code);
                self.order_is_open |= !is_item(one) && !is_item(other);
                let is_turned = if is_item(one) == is_item(other) { self.choices.item_first } else { is_item(one) };
                if is_turned { (other, one) } else { (one, other) }
            }
        };
        let (cardnumber, barcode) = (self.card(card)?, self.item(item)?);
        Ok(Becomes::Action(match doing {
            Some(Doing::Checkin) => Action::Return { barcode },
            _ => Action::Issue { cardnumber, barcode },
        }))
    }

    fn card(&self, code: &str) -> Result<Cardnumber, LineReason> {
        let fits = |code: &str| self.choices.cards.as_ref().is_some_and(|cards| cards.fits(code));
        if !(self.is_card)(code)
            && let Some(meant) = damage::with_zeros(code).find(|other| self.codes.cards.contains(other) || fits(other))
        {
            return Err(LineReason::Zeros { code: code.to_owned(), meant });
        }
        Cardnumber::scanned(code).map_err(LineReason::Cardnumber)
    }

    fn item(&self, code: &str) -> Result<Barcode, LineReason> {
        if let Some(meant) = self.lost_zeros(code) {
            return Err(LineReason::Zeros { code: code.to_owned(), meant });
        }
        Barcode::scanned(code).map_err(LineReason::Barcode)
    }

    /// What an item's code was that lost its zeros.
    fn lost_zeros(&self, code: &str) -> Option<String> {
        let Codes { items, lengths, .. } = self.codes;
        let has_length = |code: &str| lengths.contains(&code.chars().count());
        if items.contains(code) || has_length(code) {
            return None;
        }
        damage::with_zeros(code)
            .find(|other| items.contains(other))
            .or_else(|| damage::with_zeros(code).find(|other| has_length(other)))
    }
}

/// Whether a cell is a day or a time of day.
fn is_time(cell: &str) -> bool {
    let is_day = chrono::NaiveDate::parse_from_str(cell.get(..10).unwrap_or_default(), "%Y-%m-%d").is_ok();
    let parts: Vec<&str> = cell.split(':').collect();
    is_day || ((2..=3).contains(&parts.len()) && parts.iter().all(|part| part.len() <= 2 && is_number(part)))
}

impl List {
    /// What it comes to.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.lines.iter().filter_map(|line| match &line.becomes {
            Becomes::Action(action) => Some(action),
            _ => None,
        })
    }

    /// The number of lines that become nothing.
    pub fn refused(&self) -> usize {
        self.lines.iter().filter(|line| matches!(line.becomes, Becomes::Refused(_))).count()
    }

    /// Its transactions, the first of them then, and each a second after the one before. `None` where they do not end in time.
    pub fn transactions(&self, first: Moment) -> Option<Vec<Transaction>> {
        let at = |place: i64| first.shifted(TimeDelta::try_seconds(place)?);
        (0..)
            .zip(self.actions())
            .map(|(place, action)| Some(Transaction { moment: at(place)?, action: action.clone() }))
            .collect()
    }
}

/// Why a time cannot be that of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenError {
    /// It is not given, or is no time.
    Missing,
    /// The last of the list would not have happened yet.
    Future,
}

/// When the first of this number of transactions happened, as typed into a field of the page: `2026-11-28T09:00`, or with seconds.
///
/// # Errors
/// When it cannot be.
pub fn when(typed: &str, zone: &dyn Zone, now: Moment, number: usize) -> Result<Moment, WhenError> {
    let read = |format| chrono::NaiveDateTime::parse_from_str(typed.trim(), format).ok();
    let local = read("%Y-%m-%dT%H:%M").or_else(|| read("%Y-%m-%dT%H:%M:%S")).or_else(|| read("%Y-%m-%dT%H:%M:%S%.f"));
    let local = local.ok_or(WhenError::Missing)?;
    let first = Moment::from_local(local, zone.offset_at_local(local)).map_err(|_| WhenError::Missing)?;
    let last = i64::try_from(number.saturating_sub(1))
        .ok()
        .and_then(|seconds| first.shifted(TimeDelta::try_seconds(seconds)?));
    let is_over = last.is_some_and(|last| last.utc_millis() <= now.utc_millis());
    if is_over { Ok(first) } else { Err(WhenError::Future) }
}

/// How much of a list stands in a log already, at whatever time: somebody may have taken it before.
#[derive(Debug, Clone)]
pub struct Before(HashMap<Action, bool>);

impl Before {
    /// Nothing is known of this list yet.
    pub fn new(list: &List) -> Self {
        Self(list.actions().map(|action| (action.clone(), false)).collect())
    }

    /// Takes in an entry of the log.
    pub fn take(&mut self, entry: &Entry) {
        if entry.status.state() != State::Deleted
            && let Some(stands) = self.0.get_mut(&entry.original().action)
        {
            *stands = true;
        }
    }

    /// The number of the list's transactions that stand there.
    pub fn number(&self, list: &List) -> usize {
        list.actions().filter(|action| self.0.get(action).is_some_and(|stands| *stands)).count()
    }
}

#[cfg(test)]
mod tests;
