//! What one row says of its variant.

use std::collections::BTreeMap;

use super::super::barcode::parse_barcodes;
use super::super::books::{Fault, Remark};
use super::super::identity::{Identities, Origin};
use super::super::price::parse_price;
use super::super::{Gtin, Price, Variant};
use super::fields::{ATTRIBUTE_CHARS_MAX, Head, OPTION_CHARS_MAX, check_text, is_cell_error, is_of_variant};
use super::{Blame, Source, option_of};

type Attributes = BTreeMap<String, String>;
type Remarks = Vec<(Remark, String)>;

/// A variant, and what to remark once it is kept.
pub(super) struct Draft {
    pub(super) variant: Variant,
    pub(super) remarks: Remarks,
}

pub(super) fn read(source: Source<'_>, row: usize, head: &Head, identities: &Identities<'_>) -> Result<Draft, Blame> {
    let columns = source.columns;
    let blame = |column: Option<usize>, fault: Fault| Blame { row, column, fault };
    let mut remarks = Vec::new();
    let mut attributes = own_attributes(source, row, head, &mut remarks)?;

    let (key, own_sku) = (source.key(row), source.sku(row));
    let (sku, origin) =
        identities.resolve(&key, own_sku).map_err(|error| blame(columns.sku.or(Some(columns.handle)), error.into()))?;
    match origin {
        Origin::Own => {}
        Origin::Missing => remarks.push((Remark::SkuMissing, sku.to_string())),
        Origin::Shared => {
            let original = check_text(own_sku, ATTRIBUTE_CHARS_MAX).map_err(|fault| blame(columns.sku, fault))?;
            attributes.insert("original_sku".to_owned(), original.to_owned());
            remarks.push((Remark::SkuShared, format!("{own_sku} -> {sku}")));
        }
    }

    let mut options = BTreeMap::new();
    for (position, (name, value)) in head.option_names.iter().zip(key.values).enumerate() {
        let value =
            check_text(value, OPTION_CHARS_MAX).map_err(|fault| blame(columns.option_values[position], fault))?;
        options.extend(option_of(name, value, position));
    }
    let gtin = read_barcode(source, row, &mut attributes, &mut remarks).map_err(|f| blame(columns.barcode, f))?;
    let price = read_price(source, row, columns.price)?;
    if let Some(compare_at) = read_price(source, row, columns.compare_at)? {
        attributes.insert("compare_at_minor".to_owned(), compare_at.amount_minor.to_string());
    }
    Ok(Draft { variant: Variant { sku, options, gtin, price, attributes, row }, remarks })
}

/// What the row says that its product does not.
fn own_attributes(source: Source<'_>, row: usize, head: &Head, remarks: &mut Remarks) -> Result<Attributes, Blame> {
    let mut attributes = BTreeMap::new();
    for (column, name) in &source.columns.attributes {
        let text = source.row(row).cell(*column);
        let is_products = head.attributes.get(column).is_some_and(|(_, of_product)| of_product == text);
        if text.is_empty() || is_products {
            continue;
        }
        if is_cell_error(text) {
            // The product's first row is remarked with the product.
            if row != head.row {
                remarks.push((Remark::CellError, text.to_owned()));
            }
            continue;
        }
        let text =
            check_text(text, ATTRIBUTE_CHARS_MAX).map_err(|fault| Blame { row, column: Some(*column), fault })?;
        let name = if is_of_variant(name) { &name["variant_".len()..] } else { name };
        attributes.insert(name.to_owned(), text.to_owned());
    }
    Ok(attributes)
}

fn read_barcode(
    source: Source<'_>,
    row: usize,
    attributes: &mut Attributes,
    remarks: &mut Remarks,
) -> Result<Option<Gtin>, Fault> {
    let cell = source.row(row).cell_at(source.columns.barcode);
    let found = parse_barcodes(cell);
    if found.has_invalid {
        attributes.insert("barcode".to_owned(), check_text(cell, ATTRIBUTE_CHARS_MAX)?.to_owned());
        remarks.push((Remark::BarcodeInvalid, cell.to_owned()));
    }
    if found.zeros_restored {
        remarks.push((Remark::ZerosRestored, cell.to_owned()));
    }
    if found.gtins.len() > 1 {
        let all: Vec<String> = found.gtins.iter().map(Gtin::to_string).collect();
        attributes.insert("barcodes".to_owned(), check_text(&all.join(" "), ATTRIBUTE_CHARS_MAX)?.to_owned());
        remarks.push((Remark::BarcodesSeveral, cell.to_owned()));
    }
    Ok(found.gtins.into_iter().next())
}

fn read_price(source: Source<'_>, row: usize, column: Option<usize>) -> Result<Option<Price>, Blame> {
    match source.row(row).cell_at(column) {
        "" => Ok(None),
        cell => parse_price(cell, source.policy.currency).map(Some).map_err(|error| Blame {
            row,
            column,
            fault: error.into(),
        }),
    }
}
