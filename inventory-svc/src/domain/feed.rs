//! Files shops really have, read into products and stock: bytes in, no IO, and an account of every row.
//!
//! `text` decodes, `table` parts rows, `layout` says what the file is, `product` and `stock` read it, `books` keeps
//! what became of each row. Nothing here panics on any input; a file is refused only where it is not one we know.

mod barcode;
mod books;
mod identity;
mod layout;
mod policy;
mod price;
mod product;
mod rejects;
mod slug;
mod stock;
mod table;
mod text;
mod units;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use holdfast_contracts::{BrandId, LocationId, ProductId, Sku};

pub use barcode::Gtin;
pub use books::{Books, Fate, Fault, Reject, Remark, Remarked, Skip};
pub use layout::Layout;
pub use policy::{NegativeStock, Policy, PolicyError, SentinelRule, SentinelStock};
pub use price::{Currency, PRICE_MINOR_MAX, Price, PriceError};
pub use table::{Row, Table};
pub use text::Charset;
pub use units::{UNITS_MAX, UnitsError};

/// The largest file read, in bytes.
pub const FILE_BYTES_MAX: usize = 256 << 20;

/// Why a file is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    #[error("has no header row")]
    Empty,
    #[error("has {bytes} bytes: at most {FILE_BYTES_MAX} are read")]
    TooLarge { bytes: usize },
    #[error("cannot be parted into rows: {0}")]
    Csv(String),
    #[error("is no file we know. Its columns are: {header}. Looked for:\n  {}", looked_for.join("\n  "))]
    Unrecognised { header: String, looked_for: Vec<String> },
}

/// A file, read.
#[derive(Debug, Clone)]
pub struct Feed {
    pub layout: Layout,
    pub charset: Charset,
    pub table: Table,
    pub products: Vec<Product>,
    pub stock: Vec<StockLine>,
    /// Every maker and every place the file names, by id.
    pub brands: BTreeMap<BrandId, String>,
    pub locations: BTreeMap<LocationId, String>,
    pub books: Books,
}

/// A product as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub brand: BrandId,
    pub title: String,
    pub description: String,
    pub category: String,
    pub status: Status,
    pub tags: Vec<String>,
    pub attributes: BTreeMap<String, String>,
    pub variants: Vec<Variant>,
    /// Whether every variant row was taken. Where not, variants the shop has and the file seems to lack may be the
    /// rejected ones.
    pub is_complete: bool,
}

/// Where a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Draft,
    Archived,
}

/// A variant as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub sku: Sku,
    pub options: BTreeMap<String, String>,
    pub gtin: Option<Gtin>,
    pub price: Option<Price>,
    pub attributes: BTreeMap<String, String>,
    pub row: usize,
}

/// What a file says of one stock level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLine {
    pub sku: Sku,
    pub location: LocationId,
    pub on_hand_units: i64,
    /// Only where the file says so.
    pub unavailable_units: Option<i64>,
    pub row: usize,
    pub column: usize,
}

/// Reads a file of any kind we know.
///
/// # Errors
/// Where it is none; never for what single rows hold.
pub fn read(bytes: &[u8], policy: &Policy) -> Result<Feed, FeedError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FeedError::TooLarge { bytes: bytes.len() });
    }
    let (text, charset) = text::decode(bytes);
    let table = table::parse(&text)?;
    let (layout, mapping) = layout::recognise(&table)
        .map_err(|looked_for| FeedError::Unrecognised { header: preview(&table.header), looked_for })?;
    let mut books = Books::open(table.rows.len());
    for column in table.repeated_columns() {
        books.remark(Remark::ColumnRepeated, 1, table.header[column].trim());
    }
    let mut feed = Feed {
        layout,
        charset,
        products: Vec::new(),
        stock: Vec::new(),
        brands: BTreeMap::new(),
        locations: BTreeMap::new(),
        books: Books::default(),
        table: Table { header: Vec::new(), rows: Vec::new(), quote_left_open: false },
    };
    match mapping {
        layout::Mapping::Products(columns) => product::read(&table, &columns, policy, &mut books, &mut feed),
        layout::Mapping::Stock(columns) => stock::read(&table, &columns, policy, &mut books, &mut feed),
    }
    feed.books = books;
    feed.table = table;
    Ok(feed)
}

impl Feed {
    /// The rejects as CSV: line, column, value and reason before the row's own cells.
    pub fn rejects_csv(&self) -> Vec<u8> {
        rejects::write(&self.table, self.books.rejects())
    }
}

/// The header as far as it helps to see what file this is.
fn preview(header: &[String]) -> String {
    const COLUMNS_MAX: usize = 8;
    const CHARS_MAX: usize = 200;
    let shown = header.iter().take(COLUMNS_MAX).map(|name| name.trim()).collect::<Vec<_>>().join(", ");
    let more = if header.len() > COLUMNS_MAX { ", …" } else { "" };
    shown.chars().filter(|c| !c.is_control()).take(CHARS_MAX).chain(more.chars()).collect()
}

/// Whether a row is data at all; where not, the books say why.
fn is_data(table: &Table, row: usize, books: &mut Books) -> bool {
    let (cells, expected) = (&table.rows[row].cells, table.header.len());
    if table.rows[row].is_blank() {
        books.skip(row, Skip::Blank);
        return false;
    }
    if *cells == table.header {
        books.skip(row, Skip::RepeatedHeader);
        return false;
    }
    if table.quote_left_open && row + 1 == table.rows.len() {
        books.reject(row, "", "", Fault::OpenQuote);
        return false;
    }
    let has_extra = cells.iter().skip(expected).any(|cell| !cell.trim().is_empty());
    if cells.len() < expected || has_extra {
        books.reject(row, "", "", Fault::Cells { found: cells.len(), expected });
        return false;
    }
    true
}
