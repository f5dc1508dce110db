//! Text to rows: CSV with whatever delimiter the header uses, every row with the line it starts on.

use std::collections::HashSet;

use super::FeedError;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A file as rows of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Row>,
    /// Whether the file ends inside a quoted field, whose rows are then all in one cell.
    pub quote_left_open: bool,
}

/// One row below the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line it starts on; the file's first is 1.
    pub line: u64,
    pub cells: Vec<String>,
}

impl Row {
    /// The cell's text without the white space around it; empty where the row has no such cell.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }

    pub(super) fn cell_at(&self, column: Option<usize>) -> &str {
        column.map_or("", |column| self.cell(column))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

impl Table {
    /// The column names as they are compared: lower case, words parted by one space.
    pub(super) fn names(&self) -> Vec<String> {
        self.header.iter().map(|name| fold_name(name)).collect()
    }

    /// Columns whose name an earlier one has; they are never read.
    pub(super) fn repeated_columns(&self) -> Vec<usize> {
        let mut seen = HashSet::new();
        let repeated = |(column, name): (usize, String)| (!name.is_empty() && !seen.insert(name)).then_some(column);
        self.names().into_iter().enumerate().filter_map(repeated).collect()
    }
}

/// `Body (HTML)` and `body_html` are the same name.
pub(super) fn fold_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// # Errors
/// [`FeedError::Empty`] where there is no header.
pub(super) fn parse(text: &str) -> Result<Table, FeedError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(sniff_delimiter(text))
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(text.as_bytes());
    let mut lines = LineCounter { text: text.as_bytes(), at: 0, line: 1 };
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let start = reader.position().byte();
        if !reader.read_record(&mut record).map_err(|error| FeedError::Csv(error.to_string()))? {
            break;
        }
        let line = lines.line_of_record(usize::try_from(start).unwrap_or(usize::MAX));
        rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
    }
    if rows.is_empty() || rows[0].is_blank() {
        return Err(FeedError::Empty);
    }
    let header = rows.remove(0).cells;
    Ok(Table { header, quote_left_open: ends_in_quote(text, sniff_delimiter(text)), rows })
}

/// The delimiter the first line has most of, outside quotes.
fn sniff_delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let mut counts = [0usize; DELIMITERS.len()];
    let mut quoted = false;
    for byte in first.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        } else if let (false, Some(which)) = (quoted, DELIMITERS.iter().position(|&d| d == byte)) {
            counts[which] += 1;
        }
    }
    // Ties go to the earlier, the more usual one.
    let best = (0..DELIMITERS.len()).rev().max_by_key(|&which| counts[which]);
    best.map_or(b',', |which| DELIMITERS[which])
}

/// Whether a quote opened at the start of a field is never closed, as the csv crate reads quotes.
fn ends_in_quote(text: &str, delimiter: u8) -> bool {
    let (mut quoted, mut field_start) = (false, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match (quoted, byte) {
            (true, b'"') => {
                if bytes.next_if_eq(&b'"').is_none() {
                    quoted = false;
                }
            }
            (true, _) => {}
            (false, b'"') if field_start => quoted = true,
            (false, _) => field_start = byte == delimiter || byte == b'\n',
        }
    }
    quoted
}

/// Counts lines on the way through the text: a record's own position may point at blank lines before it.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    fn line_of_record(&mut self, start: usize) -> u64 {
        while self.at < self.text.len() && (self.at < start || self.text[self.at] == b'\n') {
            self.line += u64::from(self.text[self.at] == b'\n');
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_and_cells(text: &str) -> Vec<(u64, Vec<String>)> {
        parse(text).expect("a table").rows.into_iter().map(|row| (row.line, row.cells)).collect()
    }

    #[test]
    fn rows_know_the_line_they_start_on() {
        let rows = lines_and_cells("sku,name\n\nA,\"two\nlines\"\n\n\nB,x\n");
        assert_eq!(rows[0], (3, vec!["A".into(), "two\nlines".into()]));
        assert_eq!(rows[1], (7, vec!["B".into(), "x".into()]));
    }

    #[test]
    fn the_header_tells_the_delimiter() {
        for text in ["sku,n\nA,1", "sku;n\nA;1", "sku\tn\nA\t1", "\"sku;x\"|n\nA|1"] {
            assert_eq!(lines_and_cells(text)[0].1, ["A", "1"], "{text}");
        }
    }

    #[test]
    fn an_open_quote_is_noticed() {
        assert!(parse("sku,n\nA,\"1\nB,2\n").expect("a table").quote_left_open);
        for closed in ["sku,n\nA,\"1\"\n", "sku,n\nA,5\" pipe\n", "sku,n\nA,\"a \"\"b\"\"\"\n"] {
            assert!(!parse(closed).expect("a table").quote_left_open, "{closed}");
        }
    }

    #[test]
    fn names_are_compared_by_their_words() {
        assert_eq!(fold_name("\u{feff} Body (HTML) "), "body html");
        assert_eq!(fold_name("on_hand"), fold_name("On-Hand"));
    }
}
