//! Barcode cells to GTINs, undoing what spreadsheets do to them.

use std::fmt;

/// Fewer digits than this are an internal number, however well the check digit fits: it fits one in ten.
const DIGITS_MIN: usize = 8;
const GTIN_DIGITS: usize = 14;

/// A GTIN with a valid check digit, as 14 digits (GS1 General Specifications, 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtin(String);

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a barcode cell comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Barcodes {
    /// Every valid one, in the order they stand.
    pub(super) gtins: Vec<Gtin>,
    /// Whether the cell, or a part of it, is not one.
    pub(super) has_invalid: bool,
    /// Whether leading zeros had to be given back.
    pub(super) zeros_restored: bool,
}

/// Reads a cell with no, one or several barcodes.
pub(super) fn parse_barcodes(cell: &str) -> Barcodes {
    let mut found = Barcodes::default();
    // Spreadsheets guard digits as '012 or ="012".
    let parts = cell.split([',', ';', '/', '|', ' ', '\n', '\t']).map(|part| part.trim_matches(['\'', '"', '=', '`']));
    for part in parts.filter(|part| !part.is_empty()) {
        match part_gtins(part) {
            Some(gtins) => {
                found.zeros_restored |= gtins.len() == 1 && !matches!(part.len(), 8 | 12 | 13 | 14);
                found.gtins.extend(gtins);
            }
            None => found.has_invalid = true,
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.gtins.retain(|gtin| seen.insert(gtin.clone()));
    found
}

fn part_gtins(part: &str) -> Option<Vec<Gtin>> {
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if part.len() <= GTIN_DIGITS {
        return parse_gtin(part).map(|gtin| vec![gtin]);
    }
    // Several scanned into one cell with nothing between them.
    [13, 12]
        .into_iter()
        .filter(|width| part.len().is_multiple_of(*width))
        .find_map(|width| (0..part.len()).step_by(width).map(|start| parse_gtin(&part[start..start + width])).collect())
}

fn parse_gtin(digits: &str) -> Option<Gtin> {
    let padded = format!("{digits:0>GTIN_DIGITS$}");
    let sum: u32 = padded.bytes().zip([3, 1].into_iter().cycle()).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    let all_zero = digits.bytes().all(|byte| byte == b'0');
    (digits.len() >= DIGITS_MIN && !all_zero && sum.is_multiple_of(10)).then_some(Gtin(padded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &str, gtins: &[&str], has_invalid: bool, zeros_restored: bool) {
        let gtins = gtins.iter().map(|digits| Gtin((*digits).to_owned())).collect();
        assert_eq!(parse_barcodes(cell), Barcodes { gtins, has_invalid, zeros_restored }, "{cell:?}");
    }

    #[test]
    fn good_barcodes_become_fourteen_digits() {
        check("", &[], false, false);
        check("'0850064060010", &["00850064060010"], false, false);
        check("=\"850064060010\"", &["00850064060010"], false, false);
        check("48162013513", &["00048162013513"], false, true);
        check("96385074", &["00000096385074"], false, false);
        check("10850017964676", &["10850017964676"], false, false);
    }

    #[test]
    fn several_in_one_cell_are_told_apart() {
        check("850064060010850064060096", &["00850064060010", "00850064060096"], false, false);
        check("850064060010; 850064060096", &["00850064060010", "00850064060096"], false, false);
        check("850064060010 850064060010", &["00850064060010"], false, false);
        check("850064060010,123", &["00850064060010"], true, false);
    }

    #[test]
    fn what_is_no_barcode_is_said_so() {
        for bad in ["?", "000", "0", "2", "1111", "850064060011", "8.50064E+11", "768459728424-1", "57F5R", "00000000"]
        {
            check(bad, &[], true, false);
        }
    }
}
