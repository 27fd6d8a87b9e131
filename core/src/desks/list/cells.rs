//! The lines of a text, and the cells of each: what is between commas, semicolons or tabs, with the marks of spreadsheets taken off.

/// A line that is not blank.
pub(super) struct TextLine {
    /// Counted from 1.
    pub(super) number: usize,
    /// The line, as far as it can be read.
    pub(super) text: String,
    /// Its cells that are not empty; an error where it is no text.
    pub(super) cells: Result<Vec<String>, NotUtf8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

/// What separates cells, the likeliest first.
const SEPARATORS: [char; 3] = ['\t', ';', ','];

/// The lines that are not blank.
pub(super) fn lines(bytes: &[u8]) -> Vec<TextLine> {
    let text = utf16(bytes);
    let bytes = text.as_ref().map_or(bytes, |text| text.as_bytes());
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Old Macs, and programs that write as they did, end lines by a carriage return alone.
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let lines = (1..).zip(bytes.split(|byte| *byte == end)).filter(|(_, line)| !line.trim_ascii().is_empty());
    let lines: Vec<(usize, &[u8])> = lines.collect();
    let number_with = |separator: char| {
        lines.iter().filter(|(_, line)| std::str::from_utf8(line).is_ok_and(|line| line.contains(separator))).count()
    };
    let separator = SEPARATORS.into_iter().rev().max_by_key(|separator| number_with(*separator)).unwrap_or('\t');
    let read = |(number, line): (usize, &[u8])| {
        let text = String::from_utf8_lossy(line).trim().to_owned();
        let cells = std::str::from_utf8(line).map(|line| cells(line.trim_end_matches('\r'), separator));
        TextLine { number, text, cells: cells.map_err(|_| NotUtf8) }
    };
    lines
        .into_iter()
        .map(read)
        .filter(|line| line.cells.as_ref().is_ok_and(|cells| !cells.is_empty()) || line.cells.is_err())
        .collect()
}

/// Text of two bytes a letter, as Excel writes “Unicode text”.
fn utf16(bytes: &[u8]) -> Option<String> {
    let read: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> = bytes[2..].as_chunks::<2>().0.iter().map(|pair| read(*pair)).collect();
    Some(String::from_utf16_lossy(&units))
}

/// The cells of a line, without the empty ones.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(cell) = cells.last_mut() else { break };
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if is_quoted || cell.trim().is_empty() || cell == "=" => is_quoted = !is_quoted,
            _ if letter == separator && !is_quoted => cells.push(String::new()),
            _ => cell.push(letter),
        }
    }
    cells.into_iter().map(|cell| unmarked(cell.trim()).to_owned()).filter(|cell| !cell.is_empty()).collect()
}

/// Without what keeps a spreadsheet from rewriting a code: `="00123"`, whose quotes are gone already, and `'00123`.
fn unmarked(cell: &str) -> &str {
    let is_digits = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_digit());
    let marked = cell.strip_prefix('=').or_else(|| cell.strip_prefix('\''));
    marked.filter(is_digits).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        lines(text.as_bytes()).into_iter().map(|line| line.cells.unwrap()).collect()
    }

    #[test]
    fn cells_stand_between_tabs_semicolons_or_commas() {
        for text in ["P1\tB1\nP2\tB2", "P1;B1\r\nP2;B2\r\n", "P1,B1\rP2,B2", "\u{feff}P1 , B1\n\n \nP2,\"B2\",\n"] {
            assert_eq!(read(text), [["P1", "B1"], ["P2", "B2"]], "{text:?}");
        }
        assert_eq!(read("\"a\"\"b\",\"c,d\"\nx,y"), [["a\"b", "c,d"], ["x", "y"]]);
        assert_eq!(read("=\"0012\";'0034"), [["0012", "0034"]]);
        assert_eq!(read("Müller, Anna\nB1;B2\nB3;B4"), [vec!["Müller, Anna"], vec!["B1", "B2"], vec!["B3", "B4"]]);
    }

    #[test]
    fn text_of_two_bytes_a_letter_is_read_and_what_is_no_text_is_told() {
        let wide = |read: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
            mark.into_iter().chain("P1\tB1\n".encode_utf16().flat_map(read)).collect()
        };
        for bytes in [wide(u16::to_le_bytes, [0xff, 0xfe]), wide(u16::to_be_bytes, [0xfe, 0xff])] {
            assert_eq!(lines(&bytes)[0].cells, Ok(vec!["P1".to_owned(), "B1".to_owned()]));
        }
        let lines = lines(b"P1,B1\nP2,B\xe9\n");
        assert_eq!((lines.len(), lines[1].number, lines[1].cells.clone()), (2, 2, Err(NotUtf8)));
    }
}
