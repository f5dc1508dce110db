//! Stock files: what each row says of each place, and which rows contradict each other.

use std::collections::HashMap;

use holdfast_contracts::{LocationId, Sku};

use super::books::{Books, Fault, Remark, Skip};
use super::identity::{Identities, Origin, VariantKey};
use super::layout::{Counts, Places, StockColumns};
use super::policy::Policy;
use super::slug::slug;
use super::table::Table;
use super::units::{Stocked, UNITS_MAX, UnitsError, parse_stock, parse_whole};
use super::{Feed, StockLine};

/// The longest name of a place, in characters.
const LOCATION_CHARS_MAX: usize = 255;

struct Reader<'a> {
    table: &'a Table,
    columns: &'a StockColumns,
    policy: &'a Policy,
    books: &'a mut Books,
    feed: &'a mut Feed,
}

pub(super) fn read(table: &Table, columns: &StockColumns, policy: &Policy, books: &mut Books, feed: &mut Feed) {
    let rows: Vec<usize> = (0..table.rows.len()).filter(|&row| super::is_data(table, row, books)).collect();
    let keys: Vec<_> = match columns.handle {
        Some(_) => rows.iter().map(|&row| (key(table, columns, row), table.rows[row].cell(columns.sku))).collect(),
        None => Vec::new(),
    };
    let identities = Identities::of(&keys);
    let mut reader = Reader { table, columns, policy, books, feed };
    for &row in &rows {
        if let Some(sku) = reader.read_sku(row, &identities) {
            reader.read_places(row, &sku);
        }
    }
    reader.settle_contradictions();
    if let Places::Pairs { pairs, total: Some(total) } = &columns.places {
        compare_totals(table, columns.sku, pairs, *total, &rows, books);
    }
}

fn key<'a>(table: &'a Table, columns: &StockColumns, row: usize) -> VariantKey<'a> {
    let cells = &table.rows[row];
    VariantKey {
        handle: cells.cell_at(columns.handle),
        values: columns.option_values.map(|column| cells.cell_at(column)),
    }
}

impl Reader<'_> {
    fn read_sku(&mut self, row: usize, identities: &Identities<'_>) -> Option<Sku> {
        let cell = self.table.rows[row].cell(self.columns.sku);
        let (line, key) = (self.table.rows[row].line, key(self.table, self.columns, row));
        let resolved = if key.handle.is_empty() {
            cell.parse().map(|sku| (sku, Origin::Own))
        } else {
            identities.resolve(&key, cell)
        };
        match resolved {
            Ok((sku, origin)) => {
                match origin {
                    Origin::Own => {}
                    Origin::Missing => self.books.remark(Remark::SkuMissing, line, sku.as_str()),
                    Origin::Shared => self.books.remark(Remark::SkuShared, line, format!("{cell} -> {sku}")),
                }
                Some(sku)
            }
            Err(error) => {
                self.reject(row, self.columns.sku, error);
                None
            }
        }
    }

    fn read_places(&mut self, row: usize, sku: &Sku) {
        match &self.columns.places {
            Places::Row { location, counts } => {
                let name = location.map_or(self.policy.location.as_str(), |column| self.table.rows[row].cell(column));
                self.read_counts(row, sku, name, location.unwrap_or(self.columns.sku), *counts);
            }
            Places::Pairs { pairs, .. } => {
                for (location, quantity) in pairs {
                    let name = self.table.rows[row].cell(*location);
                    self.read_level(row, sku, (name, *location), *quantity, None);
                }
            }
            Places::Columns(places) => {
                for place in places {
                    self.read_level(row, sku, (self.table.header[*place].trim(), *place), *place, None);
                }
            }
        }
    }

    fn read_counts(&mut self, row: usize, sku: &Sku, name: &str, location: usize, counts: Counts) {
        let unavailable = [counts.unavailable, counts.committed].into_iter().flatten().try_fold(None, |sum, column| {
            let Some(units) = self.read_beside(row, column)? else { return Ok(sum) };
            if counts.committed == Some(column) && units > 0 {
                self.books.remark(Remark::CommittedElsewhere, self.table.rows[row].line, sku.as_str());
            }
            Ok::<_, ()>(Some(sum.unwrap_or(0) + units))
        });
        let Ok(unavailable) = unavailable else { return };
        let filled = |column: &usize| !self.table.rows[row].cell(*column).is_empty();
        let column = counts.on_hand_new.filter(filled).unwrap_or(counts.on_hand);
        self.read_level(row, sku, (name, location), column, unavailable);
    }

    /// A quantity beside on hand. Where it cannot be read the whole row is rejected: without it too much would be
    /// for sale.
    fn read_beside(&mut self, row: usize, column: usize) -> Result<Option<i64>, ()> {
        let cell = self.table.rows[row].cell(column);
        if cell.is_empty() || cell.eq_ignore_ascii_case("not stocked") {
            return Ok(None);
        }
        let units = parse_whole(cell).and_then(|units| match units {
            ..0 => Err(UnitsError::Negative),
            0..=UNITS_MAX => Ok(units),
            _ => Err(UnitsError::TooMany),
        });
        units.map(Some).map_err(|error| self.reject(row, column, error))
    }

    fn read_level(&mut self, row: usize, sku: &Sku, place: (&str, usize), column: usize, unavailable: Option<i64>) {
        let (name, location) = place;
        let Some(on_hand_units) = take_cell(self.table, self.policy, row, column, self.books) else { return };
        let refused = if name.is_empty() {
            Some(Fault::NoLocation)
        } else {
            let chars = name.chars().count();
            (chars > LOCATION_CHARS_MAX).then_some(Fault::TooLong { chars, chars_max: LOCATION_CHARS_MAX })
        };
        if let Some(fault) = refused.or_else(|| name.chars().find(|c| c.is_control()).map(Fault::Control)) {
            self.reject(row, location, fault);
            return;
        }
        let (location, unavailable_units) = (self.note_location(row, name), unavailable);
        self.books.take(row);
        self.feed.stock.push(StockLine { sku: sku.clone(), location, on_hand_units, unavailable_units, row, column });
    }

    fn note_location(&mut self, row: usize, name: &str) -> LocationId {
        let id: LocationId = slug(name).parse().expect("a slug is a location id");
        let known = self.feed.locations.entry(id.clone()).or_insert_with(|| name.to_owned());
        if known != name {
            self.books.remark(Remark::NamesShareId, self.table.rows[row].line, format!("{name} and {known}"));
        }
        id
    }

    /// Two quantities for one level: neither is taken, since nobody knows which is right. The same one twice is one.
    fn settle_contradictions(&mut self) {
        let lines = std::mem::take(&mut self.feed.stock);
        let mut firsts: HashMap<(&str, &str), usize> = HashMap::new();
        let mut contradicted = vec![None; lines.len()];
        let mut repeated = vec![false; lines.len()];
        for (index, line) in lines.iter().enumerate() {
            let first = *firsts.entry((line.sku.as_str(), line.location.as_str())).or_insert(index);
            if first == index {
                continue;
            }
            let same = (line.on_hand_units, line.unavailable_units)
                == (lines[first].on_hand_units, lines[first].unavailable_units);
            if same {
                repeated[index] = true;
            } else {
                contradicted[index] = Some(first);
                contradicted[first] = contradicted[first].or(Some(index));
            }
        }
        // A repeat of a contradicted line is contradicted too.
        for (index, line) in lines.iter().enumerate().filter(|(index, _)| repeated[*index]) {
            let first = firsts[&(line.sku.as_str(), line.location.as_str())];
            contradicted[index] = contradicted[first];
        }
        drop(firsts);
        let rows: Vec<usize> = lines.iter().map(|line| line.row).collect();
        for (index, line) in lines.into_iter().enumerate() {
            if let Some(other) = contradicted[index] {
                let fault = Fault::Conflict { line: self.table.rows[rows[other]].line };
                let cell = self.table.rows[line.row].cell(line.column);
                self.books.refuse(line.row, self.table.header[line.column].trim(), cell, fault);
            } else if repeated[index] {
                self.books.leave(line.row, Skip::SaidBefore);
            } else {
                self.feed.stock.push(line);
            }
        }
    }

    fn reject(&mut self, row: usize, column: usize, fault: impl Into<Fault>) {
        self.books.reject(row, self.table.header[column].trim(), self.table.rows[row].cell(column), fault);
    }
}

/// Reads a stock cell and keeps the books on it; the caller keeps them on what it takes.
pub(super) fn take_cell(table: &Table, policy: &Policy, row: usize, column: usize, books: &mut Books) -> Option<i64> {
    let (cell, line) = (table.rows[row].cell(column), table.rows[row].line);
    match parse_stock(cell, policy) {
        Ok(Stocked::Units(units)) => Some(units),
        Ok(Stocked::NegativeAsZero) => {
            books.remark(Remark::NegativeAsZero, line, cell);
            Some(0)
        }
        Ok(Stocked::Sentinel(units)) => {
            books.remark(Remark::SentinelDecided, line, cell);
            Some(units)
        }
        Ok(Stocked::Blank) => skip(books, row, Skip::NoQuantity),
        Ok(Stocked::Nowhere) => skip(books, row, Skip::NotStocked),
        Ok(Stocked::LeftAlone) => skip(books, row, Skip::LeftAlone),
        Err(error) => {
            books.reject(row, table.header[column].trim(), cell, error);
            None
        }
    }
}

fn skip(books: &mut Books, row: usize, skip: Skip) -> Option<i64> {
    books.skip(row, skip);
    None
}

/// Says which SKUs' locations do not add up to the total beside them.
fn compare_totals(
    table: &Table,
    sku: usize,
    pairs: &[(usize, usize)],
    total: usize,
    rows: &[usize],
    books: &mut Books,
) {
    // In the order of the file, so that the same examples are named every time.
    let mut order: Vec<&str> = Vec::new();
    let mut sums: HashMap<&str, (u64, i128, Option<i64>)> = HashMap::new();
    for row in rows.iter().map(|&row| &table.rows[row]) {
        let units = |column: usize| parse_whole(row.cell(column)).ok();
        let at_places: i128 = pairs.iter().filter_map(|(_, quantity)| units(*quantity)).map(i128::from).sum();
        let (_, sum, _) = sums.entry(row.cell(sku)).or_insert_with(|| {
            order.push(row.cell(sku));
            (row.line, 0, units(total))
        });
        *sum += at_places;
    }
    for sku in order {
        let (line, sum, total) = sums[sku];
        if let Some(total) = total.filter(|&total| i128::from(total) != sum) {
            books.remark(Remark::TotalDiffers, line, format!("{sku}: total {total}, locations {sum}"));
        }
    }
}
