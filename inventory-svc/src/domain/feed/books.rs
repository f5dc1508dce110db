//! What became of every row: taken, skipped for a named reason, or rejected with its line and why.

use std::collections::BTreeMap;
use std::fmt;

use holdfast_contracts::IdError;

use super::price::PriceError;
use super::units::UnitsError;

/// How much of a cell is repeated in a reject, in characters.
const VALUE_CHARS_MAX: usize = 120;
/// How many lines a remark names.
const EXAMPLES_MAX: usize = 3;

/// Why a row or a cell was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the row has {found} cells, the header {expected}")]
    Cells { found: usize, expected: usize },
    #[error("a quote opened here is never closed: the rest of the file is inside it")]
    OpenQuote,
    #[error("{0}")]
    Id(#[from] IdError),
    #[error("{0}")]
    Price(#[from] PriceError),
    #[error("{0}")]
    Units(#[from] UnitsError),
    #[error("has {chars} characters: at most {chars_max} are accepted")]
    TooLong { chars: usize, chars_max: usize },
    #[error("has {found}: at most {max} are accepted")]
    TooMany { found: usize, max: usize },
    #[error("has a control character: {0:?}")]
    Control(char),
    #[error("no row of this product has a title")]
    NoTitle,
    #[error("is not a status: active, draft and archived are")]
    Status,
    #[error("must not be empty: the row has a quantity")]
    NoLocation,
    #[error("repeats the variant of line {line}")]
    RepeatsVariant { line: u64 },
    #[error("line {line} says another quantity for the same SKU and location")]
    Conflict { line: u64 },
    #[error("its product is refused for line {line}")]
    Product { line: u64 },
    #[error("its product is in {0} too, which was read first")]
    OtherFile(String),
    /// The server's own words.
    #[error("{reason}: {message}")]
    Refused { reason: String, message: String },
}

/// Why a row is left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    Blank,
    RepeatedHeader,
    ImageOnly,
    NoData,
    NoQuantity,
    NotStocked,
    LeftAlone,
    SaidBefore,
    Overridden,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "blank row",
            Self::RepeatedHeader => "the header again",
            Self::ImageOnly => "only an image",
            Self::NoData => "nothing to take",
            Self::NoQuantity => "no quantity: stock left alone",
            Self::NotStocked => "not stocked here",
            Self::LeftAlone => "stock left alone by policy",
            Self::SaidBefore => "says again what an earlier row said",
            Self::Overridden => "another file says it, and goes first",
        })
    }
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Taken,
    /// Something of it was taken, something rejected.
    InPart,
    Skipped(Skip),
    Rejected,
}

/// One entry of the rejects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Which row of the table, from 0.
    pub row: usize,
    pub column: String,
    /// The cell, cut where it is long.
    pub value: String,
    pub fault: Fault,
}

/// What a reader should know although nothing was rejected for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    NoStockColumn,
    ColumnRepeated,
    SkuMissing,
    SkuShared,
    ZerosRestored,
    BarcodeInvalid,
    BarcodesSeveral,
    NegativeAsZero,
    SentinelDecided,
    Untracked,
    SoldBeyondStock,
    CommittedElsewhere,
    TotalDiffers,
    NamesShareId,
    NoVendor,
    CellError,
    Unlisted,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoStockColumn => "the file has no stock column: stock is left alone",
            Self::ColumnRepeated => "columns are there twice: the first is read",
            Self::SkuMissing => "variants without a SKU: one was made from handle and options",
            Self::SkuShared => {
                "variants that share a SKU with others: one was made from handle and options, \
                                the shared one kept as attribute original_sku"
            }
            Self::ZerosRestored => "barcodes got their lost leading zeros back",
            Self::BarcodeInvalid => "barcodes are not valid GTINs: kept as attribute barcode",
            Self::BarcodesSeveral => "cells have several barcodes: the first is taken, all kept as attribute barcodes",
            Self::NegativeAsZero => "quantities below zero were taken as 0",
            Self::SentinelDecided => "sentinel quantities were taken as --sentinel-stock says",
            Self::Untracked => "quantities of variants the shop did not track were taken as they stand",
            Self::SoldBeyondStock => {
                "variants were sold beyond their stock so far (policy continue): here they are not"
            }
            Self::CommittedElsewhere => "units committed to orders elsewhere were counted as unavailable",
            Self::TotalDiffers => "SKUs whose locations do not add up to their total: the locations were taken",
            Self::NamesShareId => "names differ only in spelling and were taken for one",
            Self::NoVendor => "products without a vendor belong to brand unbranded",
            Self::CellError => "cells hold a spreadsheet's error and were taken as empty",
            Self::Unlisted => "unlisted products were taken as active",
        })
    }
}

/// How often a remark holds, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarked {
    pub count: u64,
    /// The first few, as (line, what).
    pub examples: Vec<(u64, String)>,
}

#[derive(Debug, Clone, Copy)]
struct RowBook {
    taken: u32,
    rejected: u32,
    skip: Skip,
}

/// The accounts of one file.
#[derive(Debug, Clone, Default)]
pub struct Books {
    rows: Vec<RowBook>,
    rejects: Vec<Reject>,
    remarks: BTreeMap<Remark, Remarked>,
}

impl Books {
    pub(super) fn open(rows: usize) -> Self {
        let rows = vec![RowBook { taken: 0, rejected: 0, skip: Skip::NoData }; rows];
        Self { rows, ..Self::default() }
    }

    pub(super) fn take(&mut self, row: usize) {
        self.rows[row].taken += 1;
    }

    /// Something of the row that had been taken is left out after all.
    pub fn leave(&mut self, row: usize, skip: Skip) {
        self.rows[row].taken = self.rows[row].taken.saturating_sub(1);
        self.skip(row, skip);
    }

    pub(super) fn skip(&mut self, row: usize, skip: Skip) {
        self.rows[row].skip = skip;
    }

    pub(super) fn reject(&mut self, row: usize, column: &str, value: &str, fault: impl Into<Fault>) {
        self.rows[row].rejected += 1;
        let value = value.chars().take(VALUE_CHARS_MAX).collect();
        self.rejects.push(Reject { row, column: column.to_owned(), value, fault: fault.into() });
    }

    /// One thing that had been taken of the row is refused after all.
    pub fn refuse(&mut self, row: usize, column: &str, value: &str, fault: Fault) {
        self.rows[row].taken = self.rows[row].taken.saturating_sub(1);
        self.reject(row, column, value, fault);
    }

    /// Nothing of the row is taken after all.
    pub fn refuse_whole(&mut self, row: usize, column: &str, value: &str, fault: Fault) {
        self.rows[row].taken = 0;
        self.reject(row, column, value, fault);
    }

    pub(super) fn remark(&mut self, remark: Remark, line: u64, what: impl Into<String>) {
        let remarked = self.remarks.entry(remark).or_default();
        remarked.count += 1;
        if remarked.examples.len() < EXAMPLES_MAX {
            remarked.examples.push((line, what.into().chars().take(VALUE_CHARS_MAX).collect()));
        }
    }

    pub fn fate(&self, row: usize) -> Fate {
        match self.rows[row] {
            RowBook { taken: 0, rejected: 0, skip } => Fate::Skipped(skip),
            RowBook { taken: 0, .. } => Fate::Rejected,
            RowBook { rejected: 0, .. } => Fate::Taken,
            RowBook { .. } => Fate::InPart,
        }
    }

    pub fn fates(&self) -> impl Iterator<Item = Fate> {
        (0..self.rows.len()).map(|row| self.fate(row))
    }

    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    pub fn remarks(&self) -> impl Iterator<Item = (Remark, &Remarked)> {
        self.remarks.iter().map(|(remark, remarked)| (*remark, remarked))
    }

    pub fn remarked(&self, remark: Remark) -> u64 {
        self.remarks.get(&remark).map_or(0, |remarked| remarked.count)
    }
}
