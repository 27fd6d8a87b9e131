//! The list as a table for a spreadsheet (RFC 4180).

/// What makes a spreadsheet take a cell for a formula where it begins with it; in East Asia, with the wide forms too.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A table with these cells. It begins with a byte order mark, by which spreadsheets know that it is UTF-8; what a spreadsheet would
/// run begins with an apostrophe, as a person would type it.
///
/// ```
/// let table = koct_core::log::todo::csv(&[vec!["Title", "Barcode"], vec!["=1+1", "0\"1"]]);
/// assert_eq!(table, "\u{feff}Title,Barcode\r\n'=1+1,\"0\"\"1\"\r\n");
/// ```
pub fn csv<T: AsRef<str>>(rows: &[Vec<T>]) -> String {
    let line = |row: &Vec<T>| row.iter().map(|text| cell(text.as_ref())).collect::<Vec<_>>().join(",") + "\r\n";
    "\u{feff}".to_owned() + &rows.iter().map(line).collect::<String>()
}

fn cell(text: &str) -> String {
    // Some spreadsheets leave out what is not seen before they look.
    let is_unseen = |sign: char| sign.is_whitespace() || sign.is_control() || matches!(sign, '\u{200b}' | '\u{feff}');
    let is_formula = text.starts_with(FORMULA) || text.trim_start_matches(is_unseen).starts_with(FORMULA);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', ';', '\n', '\r', '\t']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, written) in [
            ("Dune", "Dune"),
            ("", ""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("  =1", "'  =1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("\0=1", "'\0=1"),
            ("＝1+1", "'＝1+1"),
            ("a=1", "a=1"),
            ("one, two", "\"one, two\""),
            ("one; two", "\"one; two\""),
            ("one\ntwo", "\"one\ntwo\""),
        ] {
            assert_eq!(csv(&[vec![text]]), format!("\u{feff}{written}\r\n"), "{text:?}");
        }
    }
}
