//! Sizes and demand from real sales: a CSV with a date and a size in each row.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context as _, bail, ensure};
use jiff::civil::Date;

/// The most rows read of a sales file.
const ROWS_MAX: usize = 5_000_000;
/// The most sizes: a watch follows at most 100 SKUs.
const SIZES_MAX: usize = 100;

/// What a sales file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sales {
    /// Sales of each size, smallest size first.
    pub(crate) by_size: Vec<(String, u64)>,
    /// The days they are from, as in the file.
    pub(crate) days: Vec<Date>,
    /// Rows without a usable date or size.
    pub(crate) rows_rejected: u64,
}

impl Sales {
    /// Reads the sales of some days; of all, where none is named.
    ///
    /// # Errors
    /// Where the columns are not there, or nothing was sold on those days.
    pub(crate) fn read(csv: impl Read, days: &[Date]) -> anyhow::Result<Self> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
        let headers: Vec<String> = rows.byte_headers()?.iter().map(text).map(|name| name.to_lowercase()).collect();
        let date_column = find(&headers, &["date", "order date", "sale date", "sold at"], "date")?;
        let size_column = find(&headers, &["size", "shoe size"], "size")?;
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        let mut seen: BTreeMap<Date, u64> = BTreeMap::new();
        let mut rows_rejected = 0;
        for (count, row) in rows.byte_records().enumerate() {
            ensure!(count < ROWS_MAX, "the file has more than {ROWS_MAX} rows");
            let row = row?;
            let cell = |column| row.get(column).map(text).unwrap_or_default();
            // A timestamp's date is its first ten characters.
            let date = cell(date_column).get(..10).and_then(|date| date.parse::<Date>().ok());
            let size = cell(size_column);
            let (Some(date), false) = (date, size.is_empty()) else {
                rows_rejected += 1;
                continue;
            };
            *seen.entry(date).or_default() += 1;
            if days.is_empty() || days.contains(&date) {
                *sizes.entry(size).or_default() += 1;
            }
        }
        if let Some(day) = days.iter().find(|day| !seen.contains_key(day)) {
            let there: Vec<String> = seen.keys().take(10).map(Date::to_string).collect();
            bail!("nothing was sold on {day}; the file has {}", there.join(", "));
        }
        ensure!(!sizes.is_empty(), "no row has a date such as 2018-11-16 and a size");
        ensure!(sizes.len() <= SIZES_MAX, "{} sizes: at most {SIZES_MAX} are played", sizes.len());
        let mut by_size: Vec<_> = sizes.into_iter().collect();
        by_size.sort_by(|(a, _), (b, _)| numeric(a).total_cmp(&numeric(b)).then_with(|| a.cmp(b)));
        let days = seen.into_keys().filter(|day| days.is_empty() || days.contains(day)).collect();
        Ok(Self { by_size, days, rows_rejected })
    }

    pub(crate) fn total(&self) -> u64 {
        self.by_size.iter().map(|(_, sales)| sales).sum()
    }
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim().to_owned()
}

/// The column of one of these names; else the only one that ends in the word.
fn find(headers: &[String], names: &[&str], word: &str) -> anyhow::Result<usize> {
    if let Some(column) = names.iter().find_map(|name| headers.iter().position(|header| header == name)) {
        return Ok(column);
    }
    let mut alike = headers.iter().enumerate().filter(|(_, header)| header.ends_with(word));
    let (column, _) = alike.next().with_context(|| format!("no {word} column among: {}", headers.join(", ")))?;
    ensure!(alike.next().is_none(), "more than one {word} column: name the one meant `{word}`");
    Ok(column)
}

/// Letter sizes come after the numeric ones, by name.
fn numeric(size: &str) -> f64 {
    size.parse().unwrap_or(f64::INFINITY)
}

/// Shares out a total in proportion to weights, to the last one: the largest remainders get what rounding leaves
/// (Hamilton's method).
pub(crate) fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().copied().map(u128::from).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: u64| u128::from(total) * u128::from(weight);
    let mut shares: Vec<u64> =
        weights.iter().map(|&weight| u64::try_from(exact(weight) / sum).unwrap_or(u64::MAX)).collect();
    let left = total - shares.iter().sum::<u64>();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&index| std::cmp::Reverse(exact(weights[index]) % sum));
    for index in by_remainder.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        shares[index] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}Order Date,Name,Release Date,Shoe Size\r\n\
        2018-11-16,\"Zebra, white\",2017-02-25,10.5\r\n2018-11-16,Zebra,2017-02-25,9\r\n\
        2018-11-17T09:30:00Z,Zebra,2017-02-25,9\r\nyesterday,Zebra,2017-02-25,9\r\n2018-11-16,Zebra,2017-02-25,\r\n\
        2018-11-16,Zebra,2017-02-25,XL\r\n";

    fn sizes(sales: &Sales) -> Vec<(&str, u64)> {
        sales.by_size.iter().map(|(size, sales)| (size.as_str(), *sales)).collect()
    }

    #[test]
    fn every_usable_row_is_one_sale() {
        let sales = Sales::read(FILE.as_bytes(), &[]).expect("a sales file");
        assert_eq!(sizes(&sales), [("9", 2), ("10.5", 1), ("XL", 1)]);
        assert_eq!((sales.total(), sales.rows_rejected, sales.days.len()), (4, 2, 2));
    }

    #[test]
    fn days_can_be_picked() {
        let day = "2018-11-17".parse().expect("a date");
        let sales = Sales::read(FILE.as_bytes(), &[day]).expect("a sales file");
        assert_eq!((sizes(&sales), &sales.days), (vec![("9", 1)], &vec![day]));
        let other = Sales::read(FILE.as_bytes(), &["2001-01-01".parse().expect("a date")]).expect_err("not there");
        assert_eq!(other.to_string(), "nothing was sold on 2001-01-01; the file has 2018-11-16, 2018-11-17");
    }

    #[test]
    fn a_file_without_the_columns_is_refused_with_what_it_has() {
        for (file, problem) in [
            ("a,b\n1,2\n", "no date column among: a, b"),
            ("date,b\n1,2\n", "no size column among: date, b"),
            ("sold date,paid date,size\n1,2,3\n", "more than one date column"),
            ("date,size\n", "no row has a date"),
            ("", "no date column"),
        ] {
            let told = Sales::read(file.as_bytes(), &[]).expect_err(file).to_string();
            assert!(told.contains(problem), "{told}");
        }
    }

    #[test]
    fn shares_add_up_to_the_total() {
        for (total, weights, expect) in [
            (10, vec![1, 1, 1], vec![4, 3, 3]),
            (2, vec![5, 3, 2], vec![1, 1, 0]),
            (0, vec![1, 2], vec![0, 0]),
            (5, vec![0, 0], vec![0, 0]),
            (u64::MAX, vec![u64::MAX, 1], vec![u64::MAX - 1, 1]),
        ] {
            assert_eq!(apportion(total, &weights), expect, "{total} over {weights:?}");
        }
    }
}
