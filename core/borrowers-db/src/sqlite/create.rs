//! `CREATE TABLE`, as the file keeps it: what its columns are called, and where in a row their values stand.

use super::record::Value;

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What rows have that are older than the column.
    pub(super) default: Value<'static>,
}

/// Where the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In this place of the record.
    Stored(usize),
    /// They are the rowids.
    Rowid,
    /// Nowhere: SQLite computes them.
    Computed,
}

/// The number of columns, in the order of the record.
pub(super) fn plain_columns(number: usize) -> Vec<Column> {
    let plain = |place| Column { name: String::new(), kind: Kind::Stored(place), default: Value::Null };
    (0..number).map(plain).collect()
}

/// The columns of a table that has rowids. `None` where it has none, or this is no such definition.
pub(super) fn columns(sql: &str) -> Option<Vec<Column>> {
    let mut tokens = tokens(sql)?.into_iter();
    if !tokens.next()?.is("CREATE") {
        return None;
    }
    tokens.find(|token| token.is("TABLE"))?;
    tokens.find(|token| *token == Token::Sign('('))?;
    let mut definitions = vec![Vec::new()];
    let mut depth = 1;
    for token in tokens.by_ref() {
        depth += token.nesting();
        match (&token, definitions.last_mut()) {
            _ if depth == 0 => break,
            (Token::Sign(','), _) if depth == 1 => definitions.push(Vec::new()),
            (_, Some(definition)) => definition.push(token),
            (_, None) => {}
        }
    }
    if depth > 0 || tokens.any(|token| token.is("WITHOUT")) {
        return None;
    }
    let is_column = |definition: &Vec<Token>| {
        !["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
            .iter()
            .any(|word| definition.first().is_some_and(|first| first.is(word)))
    };
    let number = definitions.iter().take_while(|definition| is_column(definition)).count();
    let (columns, constraints) = definitions.split_at(number);
    let mut columns: Vec<(Column, bool)> =
        columns.iter().map(|definition| column(definition)).collect::<Option<_>>()?;
    let key = constraints.iter().find_map(|constraint| primary_key(constraint));
    let mut place = 0;
    for (column, is_integer) in &mut columns {
        if *is_integer && key.as_ref().is_some_and(|key| key.eq_ignore_ascii_case(&column.name)) {
            column.kind = Kind::Rowid;
        }
        // A rowid takes a place too, with nothing in it.
        if column.kind != Kind::Computed {
            if column.kind != Kind::Rowid {
                column.kind = Kind::Stored(place);
            }
            place += 1;
        }
    }
    Some(columns.into_iter().map(|(column, _)| column).collect())
}

/// A column, and whether it would be the rowid if it is the primary key.
fn column(definition: &[Token]) -> Option<(Column, bool)> {
    let (first, mut rest) = definition.split_first()?;
    let mut column = Column { name: first.name()?.to_owned(), kind: Kind::Stored(0), default: Value::Null };
    let mut of_type = Vec::new();
    while let Some((token, after)) =
        rest.split_first().filter(|(token, _)| token.name().is_some() && !begins_constraint(token))
    {
        of_type.extend(token.name());
        rest = after;
    }
    let has_size = rest.first() == Some(&Token::Sign('('));
    let is_integer = !has_size && matches!(of_type[..], [word] if word.eq_ignore_ascii_case("INTEGER"));
    let mut depth = 0;
    let mut tokens = rest.iter().peekable();
    let mut is_rowid = false;
    while let Some(token) = tokens.next() {
        depth += token.nesting();
        if depth > 0 {
            continue;
        }
        if token.is("CONSTRAINT") || token.is("COLLATE") || token.is("REFERENCES") {
            // A name, which may be any word.
            tokens.next();
        } else if token.is("PRIMARY") {
            tokens.next();
            is_rowid = is_integer && !tokens.peek().is_some_and(|token| token.is("DESC"));
        } else if token.is("DEFAULT") {
            let sign = tokens.next_if(|token| matches!(token, Token::Sign('+' | '-')));
            // Rows are older than the column only where this is no expression.
            if let Some(literal) = tokens.next_if(|token| token.nesting() == 0) {
                column.default = literal.literal(sign == Some(&Token::Sign('-')));
            }
        } else if token.is("AS") {
            column.kind = Kind::Computed;
        } else if token.is("STORED") && column.kind == Kind::Computed {
            column.kind = Kind::Stored(0);
        }
    }
    if is_rowid {
        column.kind = Kind::Rowid;
    }
    Some((column, is_integer))
}

fn begins_constraint(token: &Token) -> bool {
    let words = [
        "CONSTRAINT",
        "PRIMARY",
        "NOT",
        "NULL",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "REFERENCES",
        "GENERATED",
        "AS",
    ];
    words.iter().any(|word| token.is(word))
}

/// The one column of the primary key that stands in a constraint of the table.
fn primary_key(constraint: &[Token]) -> Option<String> {
    let at = constraint.iter().position(|token| token.is("PRIMARY"))?;
    let inner = constraint.get(at + 2..)?.strip_prefix(&[Token::Sign('(')])?;
    let end = inner.iter().position(|token| *token == Token::Sign(')'))?;
    let (name, more) = inner[..end].split_first()?;
    (!more.contains(&Token::Sign(','))).then(|| name.name().map(str::to_owned))?
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word or number that is not quoted.
    Word(String),
    /// A name in quotes of any kind.
    Quoted(String),
    /// `x'…'`.
    Blob(String),
    Sign(char),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            Self::Blob(_) | Self::Sign(_) => None,
        }
    }

    fn nesting(&self) -> i32 {
        match self {
            Self::Sign('(') => 1,
            Self::Sign(')') => -1,
            _ => 0,
        }
    }

    fn literal(&self, is_negative: bool) -> Value<'static> {
        match self {
            Self::Word(word) => match word.parse::<i64>() {
                _ if word.eq_ignore_ascii_case("NULL") => Value::Null,
                _ if word.eq_ignore_ascii_case("TRUE") => Value::Integer(1),
                _ if word.eq_ignore_ascii_case("FALSE") => Value::Integer(0),
                Ok(number) => Value::Integer(if is_negative { -number } else { number }),
                Err(_) => match word.parse::<f64>() {
                    Ok(number) if number.is_finite() => Value::Real(if is_negative { -number } else { number }),
                    _ => Value::Text(word.clone().into()),
                },
            },
            Self::Quoted(text) => Value::Text(text.clone().into()),
            Self::Blob(digits) => {
                let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                digits
                    .as_bytes()
                    .as_chunks()
                    .0
                    .iter()
                    .map(byte)
                    .collect::<Option<Vec<u8>>>()
                    .map_or(Value::Null, |bytes| Value::Blob(bytes.into()))
            }
            Self::Sign(_) => Value::Null,
        }
    }
}

/// The words and signs, without blanks and comments. `None` where a quote is not closed.
fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let (token, remaining) = match first {
            _ if first.is_ascii_whitespace() => (None, after),
            '-' if after.starts_with('-') => (None, after.split_once('\n').map_or("", |(_, next)| next)),
            '/' if after.starts_with('*') => (None, after[1..].split_once("*/").map_or("", |(_, next)| next)),
            '\'' | '"' | '`' => {
                let (text, next) = quoted(after, first)?;
                (Some(Token::Quoted(text)), next)
            }
            '[' => {
                let (name, next) = after.split_once(']')?;
                (Some(Token::Quoted(name.to_owned())), next)
            }
            'x' | 'X' if after.starts_with('\'') => {
                let (digits, next) = quoted(&after[1..], '\'')?;
                (Some(Token::Blob(digits)), next)
            }
            _ if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                // The exponent of a number may have a sign.
                let end = if first.is_ascii_digit() || first == '.' { number_end(rest, end) } else { end };
                (Some(Token::Word(rest[..end].to_owned())), &rest[end..])
            }
            sign => (Some(Token::Sign(sign)), after),
        };
        found.extend(token);
        rest = remaining;
    }
    Some(found)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.') || !c.is_ascii()
}

fn number_end(rest: &str, end: usize) -> usize {
    let is_exponent = rest[..end].ends_with(['e', 'E']) && rest[end..].starts_with(['+', '-']);
    if !is_exponent {
        return end;
    }
    let digits = rest[end + 1..].bytes().take_while(u8::is_ascii_digit).count();
    end + 1 + digits
}

/// What stands before the closing quote, which is written twice where it is meant itself, and what comes after it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let (mut content, mut rest) = (String::new(), text);
    loop {
        let (part, next) = rest.split_once(quote)?;
        content.push_str(part);
        match next.strip_prefix(quote) {
            Some(more) => {
                content.push(quote);
                rest = more;
            }
            None => return Some((content, next)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{Computed, Rowid, Stored};

    fn told(sql: &str) -> Vec<(String, Kind)> {
        columns(sql).unwrap().into_iter().map(|column| (column.name, column.kind)).collect()
    }

    fn default(sql: &str) -> Value<'static> {
        columns(&format!("CREATE TABLE t(a, b {sql})")).unwrap().remove(1).default
    }

    #[test]
    fn names_in_all_spellings() {
        let sql = "CREATE TABLE \"a (table)\" ( -- of, all\n\"first \"\"one\"\"\" TEXT, [second, one] varchar(16) NOT NULL, \
                   `third` decimal(28,6), /* , */ fourth, 'fifth' INT DEFAULT (1 + (2)), größe unsigned big int)";
        let names: Vec<String> = told(sql).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["first \"one\"", "second, one", "third", "fourth", "fifth", "größe"]);
    }

    #[test]
    fn rowids_under_another_name() {
        for (definition, is_rowid) in [
            ("id INTEGER PRIMARY KEY", true),
            ("id integer CONSTRAINT \"a, b\" primary key ASC AUTOINCREMENT NOT NULL", true),
            ("id INTEGER NOT NULL CHECK (id > 0) PRIMARY KEY", true),
            ("id INTEGER, x, PRIMARY KEY(id)", true),
            ("id INTEGER, x, UNIQUE(x) CONSTRAINT k PRIMARY KEY (\"ID\" DESC)", true),
            ("id INTEGER PRIMARY KEY DESC", false),
            ("id INT PRIMARY KEY", false),
            ("id BIG INTEGER PRIMARY KEY", false),
            ("id INTEGER(11) PRIMARY KEY", false),
            ("id INTEGER, x, PRIMARY KEY(id, x)", false),
            ("id INTEGER UNIQUE", false),
        ] {
            let first = told(&format!("CREATE TABLE t({definition})")).remove(0).1;
            assert_eq!(first, if is_rowid { Rowid } else { Stored(0) }, "{definition}");
        }
    }

    #[test]
    fn computed_columns_take_no_place() {
        let sql = "CREATE TABLE t(a, b AS (a + 1), c INT GENERATED ALWAYS AS (a) STORED, d TEXT AS (a) VIRTUAL, e)";
        let kinds: Vec<Kind> = told(sql).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, [Stored(0), Computed, Stored(1), Computed, Stored(2)]);
    }

    #[test]
    fn what_older_rows_have() {
        for (sql, value) in [
            ("TEXT", Value::Null),
            ("TEXT NOT NULL DEFAULT 'it''s'", Value::Text("it's".into())),
            ("DEFAULT -5 NOT NULL", Value::Integer(-5)),
            ("REAL DEFAULT +1.5e-3", Value::Real(0.0015)),
            ("DEFAULT null", Value::Null),
            ("DEFAULT TRUE", Value::Integer(1)),
            ("DEFAULT x'00fF'", Value::Blob([0, 255][..].into())),
            ("DEFAULT (1)", Value::Null),
            ("COLLATE \"default\" DEFAULT abc", Value::Text("abc".into())),
        ] {
            assert_eq!(default(sql), value, "{sql}");
        }
    }

    #[test]
    fn what_is_no_table_with_rowids() {
        for sql in [
            "",
            "CREATE",
            "CREATE TABLE",
            "CREATE TABLE t(a",
            "CREATE TABLE t(\"a)",
            "CREATE TABLE t([a)",
            "CREATE TABLE t()",
            "CREATE TABLE t(a,,b)",
            "CREATE TABLE t(a PRIMARY KEY) WITHOUT ROWID",
            "CREATE TABLE t(a PRIMARY KEY) STRICT, without rowid",
            "CREATE VIEW t AS SELECT (1)",
        ] {
            assert_eq!(columns(sql), None, "{sql}");
        }
        assert!(columns("CREATE TABLE t(without, rowid) STRICT").is_some());
    }
}
