//! Product exports: rows grouped by handle, wherever they stand; product fields from the first row that has them.

mod fields;
mod variant;

use std::collections::{BTreeMap, HashMap};

use holdfast_contracts::{BrandId, LocationId, ProductId};

use self::variant::Draft;
use super::books::{Books, Fault, Remark, Skip};
use super::identity::{Identities, VariantKey, is_no_option};
use super::layout::ProductColumns;
use super::policy::Policy;
use super::slug::slug;
use super::table::{Row, Table};
use super::{Feed, Product, StockLine};

/// The most variants one product may have.
const VARIANTS_MAX: usize = 2_048;
/// Who makes what has no maker.
const NO_VENDOR: &str = "Unbranded";

/// What every step needs to look at.
#[derive(Clone, Copy)]
struct Source<'a> {
    table: &'a Table,
    columns: &'a ProductColumns,
    policy: &'a Policy,
}

/// The rows of one handle: all of them, and those that are variants.
struct Group {
    id: ProductId,
    rows: Vec<usize>,
    variant_rows: Vec<usize>,
}

/// A cell at fault.
struct Blame {
    row: usize,
    column: Option<usize>,
    fault: Fault,
}

impl<'a> Source<'a> {
    fn row(self, row: usize) -> &'a Row {
        &self.table.rows[row]
    }

    fn line(self, row: usize) -> u64 {
        self.row(row).line
    }

    fn key(self, row: usize) -> VariantKey<'a> {
        let values = self.columns.option_values.map(|column| self.row(row).cell_at(column));
        VariantKey { handle: self.row(row).cell(self.columns.handle), values }
    }

    fn sku(self, row: usize) -> &'a str {
        self.row(row).cell_at(self.columns.sku)
    }

    fn reject(self, books: &mut Books, blame: Blame) {
        let name = blame.column.map_or("", |column| self.table.header[column].trim());
        books.reject(blame.row, name, self.row(blame.row).cell_at(blame.column), blame.fault);
    }
}

pub(super) fn read(table: &Table, columns: &ProductColumns, policy: &Policy, books: &mut Books, feed: &mut Feed) {
    let source = Source { table, columns, policy };
    if columns.quantity.is_none() {
        books.remark(Remark::NoStockColumn, 1, "");
    }
    let mut groups = group_rows(source, books);
    for group in &mut groups {
        drop_repeats(source, group, books);
    }
    let variant_rows = groups.iter().flat_map(|group| &group.variant_rows);
    let keys: Vec<_> = variant_rows.map(|&row| (source.key(row), source.sku(row))).collect();
    let identities = Identities::of(&keys);
    let location: LocationId = slug(&policy.location).parse().expect("a slug is a location id");
    for group in groups {
        if let Some(product) = read_product(source, &group, &identities, books, feed) {
            let stock = product.variants.iter().filter_map(|variant| {
                let on_hand_units = read_stock(source, variant.row, books)?;
                let column = columns.quantity.unwrap_or_default();
                let (sku, location) = (variant.sku.clone(), location.clone());
                Some(StockLine { sku, location, on_hand_units, unavailable_units: None, row: variant.row, column })
            });
            feed.stock.extend(stock);
            feed.products.push(product);
        }
    }
    if !feed.stock.is_empty() {
        feed.locations.insert(location, policy.location.clone());
    }
}

/// Groups in the order their handles first appear.
fn group_rows(source: Source<'_>, books: &mut Books) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for row in 0..source.table.rows.len() {
        if !super::is_data(source.table, row, books) {
            continue;
        }
        let handle = source.row(row).cell(source.columns.handle);
        let id: ProductId = match handle.parse() {
            Ok(id) => id,
            Err(error) => {
                source.reject(books, Blame { row, column: Some(source.columns.handle), fault: Fault::Id(error) });
                continue;
            }
        };
        let place = *places.entry(handle).or_insert_with(|| {
            groups.push(Group { id, rows: Vec::new(), variant_rows: Vec::new() });
            groups.len() - 1
        });
        groups[place].rows.push(row);
        match row_without_variant(source, row) {
            None => groups[place].variant_rows.push(row),
            Some(skip) => books.skip(row, skip),
        }
    }
    groups
}

fn row_without_variant(source: Source<'_>, row: usize) -> Option<Skip> {
    let columns = source.columns;
    let says = |column: Option<usize>| !source.row(row).cell_at(column).is_empty();
    let [one, two, three] = columns.option_values;
    if [one, two, three, columns.sku, columns.price, columns.barcode].into_iter().any(says) {
        return None;
    }
    Some(if says(columns.image) { Skip::ImageOnly } else { Skip::NoData })
}

/// A variant that stands twice is taken once: the same options, or the same SKU with options that differ in case.
fn drop_repeats(source: Source<'_>, group: &mut Group, books: &mut Books) {
    let mut exact: HashMap<(VariantKey<'_>, &str), usize> = HashMap::new();
    let mut spelled = HashMap::new();
    group.variant_rows.retain(|&row| {
        let (key, sku) = (source.key(row), source.sku(row));
        let first = if sku.is_empty() {
            *exact.entry((key, sku)).or_insert(row)
        } else {
            *spelled.entry((key.spelling_free(), sku)).or_insert(row)
        };
        if first == row {
            return true;
        }
        let column = source.columns.option_values[0];
        source.reject(books, Blame { row, column, fault: Fault::RepeatsVariant { line: source.line(first) } });
        false
    });
}

fn read_product(
    source: Source<'_>,
    group: &Group,
    identities: &Identities<'_>,
    books: &mut Books,
    feed: &mut Feed,
) -> Option<Product> {
    if group.variant_rows.is_empty() {
        return None;
    }
    let head = match check_size(group).and_then(|()| fields::read(source, &group.rows)) {
        Ok(head) => head,
        Err(blame) => {
            refuse_product(source, group, blame, books);
            return None;
        }
    };
    let mut variants = Vec::new();
    for &row in &group.variant_rows {
        match variant::read(source, row, &head, identities) {
            Ok(draft) => variants.push(keep_variant(source, draft, books)),
            Err(blame) => source.reject(books, blame),
        }
    }
    if variants.is_empty() {
        return None;
    }
    let line = source.line(group.rows[0]);
    for remark in &head.remarks {
        books.remark(*remark, line, group.id.as_str());
    }
    let is_complete = variants.len() == group.variant_rows.len();
    let brand = note_brand(feed, books, line, &head.vendor, group.id.as_str());
    Some(Product {
        id: group.id.clone(),
        brand,
        title: head.title,
        description: head.description,
        category: head.category,
        status: head.status,
        tags: head.tags,
        attributes: head.attributes.into_values().collect(),
        variants,
        is_complete,
    })
}

fn check_size(group: &Group) -> Result<(), Blame> {
    let found = group.variant_rows.len();
    if found <= VARIANTS_MAX {
        return Ok(());
    }
    Err(Blame { row: group.variant_rows[0], column: None, fault: Fault::TooMany { found, max: VARIANTS_MAX } })
}

/// A fault of the product refuses its variants with it; the fault itself stands once.
fn refuse_product(source: Source<'_>, group: &Group, blame: Blame, books: &mut Books) {
    let line = source.line(blame.row);
    for &row in group.variant_rows.iter().filter(|&&row| row != blame.row) {
        source.reject(books, Blame { row, column: None, fault: Fault::Product { line } });
    }
    source.reject(books, blame);
}

fn keep_variant(source: Source<'_>, draft: Draft, books: &mut Books) -> super::Variant {
    let (row, line) = (draft.variant.row, source.line(draft.variant.row));
    books.take(row);
    for (remark, what) in draft.remarks {
        books.remark(remark, line, what);
    }
    let oversells = source.row(row).cell_at(source.columns.oversell);
    if oversells.eq_ignore_ascii_case("continue") || oversells.eq_ignore_ascii_case("true") {
        books.remark(Remark::SoldBeyondStock, line, draft.variant.sku.as_str());
    }
    draft.variant
}

fn read_stock(source: Source<'_>, row: usize, books: &mut Books) -> Option<i64> {
    let column = source.columns.quantity?;
    let cell = source.row(row).cell(column);
    let units = super::stock::take_cell(source.table, source.policy, row, column, books)?;
    let tracker = source.columns.tracker.map(|tracker| source.row(row).cell(tracker));
    if tracker.is_some_and(|tracker| tracker.is_empty() || tracker.eq_ignore_ascii_case("false")) {
        books.remark(Remark::Untracked, source.line(row), cell);
    }
    books.take(row);
    Some(units)
}

fn note_brand(feed: &mut Feed, books: &mut Books, line: u64, vendor: &str, product: &str) -> BrandId {
    let vendor = if vendor.is_empty() {
        books.remark(Remark::NoVendor, line, product);
        NO_VENDOR
    } else {
        vendor
    };
    let id: BrandId = slug(vendor).parse().expect("a slug is a brand id");
    let known = feed.brands.entry(id.clone()).or_insert_with(|| vendor.to_owned());
    if known != vendor {
        books.remark(Remark::NamesShareId, line, format!("{vendor} and {known}"));
    }
    id
}

/// Attributes by their column, so that a later row's cell can be held against the product's.
type AttributeCells = BTreeMap<usize, (String, String)>;

/// An option's name and value, where the product has options at all.
fn option_of<'a>(name: &'a str, value: &'a str, position: usize) -> Option<(String, String)> {
    if value.is_empty() || is_no_option(value) {
        return None;
    }
    let name = if name.is_empty() { format!("Option{}", position + 1) } else { name.to_owned() };
    Some((name, value.to_owned()))
}
