//! Variants: rows read back, and columns to write.

use std::collections::{BTreeMap, HashMap};

use holdfast_contracts::{ProductId, Sku};
use holdfast_platform::pg::{Error, Execute};
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::stored;
use crate::domain::attributes::Attributes;
use crate::domain::price::{Currency, Price};
use crate::domain::upsert::VariantWrite;
use crate::domain::variant::{FoundVariant, Options, Variant};

/// The variants with these SKUs, in no order; those that do not exist are missing.
pub(crate) async fn load_variants(db: &impl Execute, skus: &[&str]) -> Result<Vec<FoundVariant>, Error> {
    let rows = db.query(include_str!("sql/load_variants.sql"), &[&skus]).await?;
    Ok(rows
        .iter()
        .map(|row| FoundVariant {
            product: stored(row.get("product_id")),
            variant: VariantCells {
                sku: row.get("sku"),
                options: row.get("options"),
                gtin: row.get("gtin"),
                price_currency: row.get("price_currency"),
                price_minor: row.get("price_minor"),
                attributes: row.get("attributes"),
            }
            .read(),
            retired: row.get("retired"),
        })
        .collect())
}

/// Which of these SKUs belong to other products than this one, and to which.
pub(crate) async fn load_taken_skus(
    db: &impl Execute,
    skus: &[&str],
    product: &ProductId,
) -> Result<HashMap<Sku, ProductId>, Error> {
    let rows = db.query(include_str!("sql/load_taken_skus.sql"), &[&skus, &product.as_str()]).await?;
    Ok(rows.iter().map(|row| (stored(row.get("sku")), stored(row.get("product_id")))).collect())
}

/// One variant as the database has it.
struct VariantCells {
    sku: String,
    options: Json<BTreeMap<String, String>>,
    gtin: Option<String>,
    price_currency: Option<String>,
    price_minor: Option<i64>,
    attributes: Json<Map<String, Value>>,
}

impl VariantCells {
    fn read(self) -> Variant {
        let options: BTreeMap<_, _> =
            self.options.0.into_iter().map(|(name, value)| (stored(name), stored(value))).collect();
        Variant {
            sku: stored(self.sku),
            options: Options::try_from(options).expect("the table's CHECK bounds the options"),
            gtin: self.gtin.map(stored),
            price: self.price_currency.zip(self.price_minor).map(|(currency, minor)| {
                Price::new(stored::<Currency>(currency), minor).expect("the table's CHECK keeps prices from below zero")
            }),
            attributes: read_attributes(self.attributes),
        }
    }
}

pub(super) fn read_attributes(Json(map): Json<Map<String, Value>>) -> Attributes {
    Attributes::try_from(map).expect("only parsed attributes are stored")
}

/// The variants of a row that has one array a column, each with whether it is retired.
pub(super) fn read_variant_arrays(row: &Row) -> Vec<(Variant, bool)> {
    let options: Vec<Json<BTreeMap<String, String>>> = row.get("options");
    let gtins: Vec<Option<String>> = row.get("gtins");
    let currencies: Vec<Option<String>> = row.get("price_currencies");
    let minors: Vec<Option<i64>> = row.get("price_minors");
    let attributes: Vec<Json<Map<String, Value>>> = row.get("variant_attributes");
    let retired: Vec<bool> = row.get("retired");
    row.get::<_, Vec<String>>("skus")
        .into_iter()
        .zip(options)
        .zip(gtins)
        .zip(currencies.into_iter().zip(minors))
        .zip(attributes)
        .zip(retired)
        .map(|(((((sku, options), gtin), (price_currency, price_minor)), attributes), retired)| {
            (VariantCells { sku, options, gtin, price_currency, price_minor, attributes }.read(), retired)
        })
        .collect()
}

/// Variants as columns for `unnest`.
#[derive(Default)]
pub(super) struct VariantColumns<'a> {
    pub(super) sku: Vec<&'a str>,
    pub(super) is_new: Vec<bool>,
    pub(super) position: Vec<i32>,
    pub(super) options: Vec<Json<BTreeMap<&'a str, &'a str>>>,
    pub(super) gtin: Vec<Option<String>>,
    pub(super) price_currency: Vec<Option<&'a str>>,
    pub(super) price_minor: Vec<Option<i64>>,
    pub(super) attributes: Vec<Json<&'a Map<String, Value>>>,
    pub(super) retired: Vec<bool>,
}

impl<'a> VariantColumns<'a> {
    pub(super) fn of(writes: &'a [VariantWrite]) -> Self {
        let mut columns = Self::default();
        for VariantWrite { variant, position, retired, is_new } in writes {
            let Variant { sku, options, gtin, price, attributes } = variant;
            columns.sku.push(sku.as_str());
            columns.is_new.push(*is_new);
            columns.position.push(i32::try_from(*position).expect("positions are bounded by VARIANTS_MAX"));
            columns.options.push(Json(options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()));
            columns.gtin.push(gtin.map(|gtin| gtin.to_string()));
            columns.price_currency.push(price.as_ref().map(|price| price.currency().as_str()));
            columns.price_minor.push(price.as_ref().map(Price::minor));
            columns.attributes.push(Json(attributes.as_map()));
            columns.retired.push(*retired);
        }
        columns
    }
}
