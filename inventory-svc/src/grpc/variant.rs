//! Variants.

use std::collections::{BTreeMap, HashMap};

use holdfast_contracts::Sku;
use holdfast_contracts::common::v1::Money;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::pg::{self, Pool};
use holdfast_platform::status::Refusal;

use super::attributes;
use super::field::{Invalid, parse, parse_each};
use crate::domain::price::Price;
use crate::domain::variant::{FoundVariant, Options, Variant};
use crate::store;

/// The most SKUs one call may ask for.
const SKUS_MAX: usize = 1_000;

pub(super) async fn batch_get(
    pool: &Pool,
    request: pb::BatchGetVariantsRequest,
) -> Result<pb::BatchGetVariantsResponse, Refusal> {
    let count = request.skus.len();
    if !(1..=SKUS_MAX).contains(&count) {
        return Err(Refusal::invalid("skus", format!("has {count} SKUs: 1 to {SKUS_MAX} are accepted")));
    }
    let skus = parse_each("skus", request.skus, |sku| sku.parse::<Sku>().map_err(Invalid::here))?;
    let connection = pool.get().await.map_err(pg::Error::from)?;
    let names: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    let found = store::variant::load_variants(&*connection, &names).await?;
    let found: HashMap<Sku, FoundVariant> = found.into_iter().map(|found| (found.variant.sku.clone(), found)).collect();

    let mut response = pb::BatchGetVariantsResponse::default();
    for sku in skus {
        match found.get(&sku) {
            Some(found) => response.variants.push(found.clone().into()),
            None => response.not_found.push(sku.into()),
        }
    }
    Ok(response)
}

pub(super) fn parse_variant(variant: pb::Variant) -> Result<Variant, Invalid> {
    let gtin = variant.gtin;
    Ok(Variant {
        sku: parse("sku", variant.sku)?,
        options: parse_options(variant.options).map_err(|invalid| invalid.within("options"))?,
        gtin: if gtin.is_empty() { None } else { Some(parse("gtin", gtin)?) },
        price: variant.price.map(parse_price).transpose().map_err(|invalid| invalid.within("price"))?,
        attributes: attributes::parse_attributes(variant.attributes)?,
    })
}

fn parse_options(options: HashMap<String, String>) -> Result<Options, Invalid> {
    let mut pairs = BTreeMap::new();
    for (name, value) in options {
        let value = parse(&name, value)?;
        pairs.insert(parse("", name)?, value);
    }
    Options::try_from(pairs).map_err(Invalid::here)
}

fn parse_price(price: Money) -> Result<Price, Invalid> {
    let currency = parse("currency_code", price.currency_code)?;
    Price::new(currency, price.amount_minor).map_err(|problem| Invalid::new("amount_minor", problem))
}

/// As it is sold now, or no longer.
pub(super) fn to_pb(variant: Variant, retired: bool) -> pb::Variant {
    let Variant { sku, options, gtin, price, attributes } = variant;
    pb::Variant {
        sku: sku.into(),
        options: options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        gtin: gtin.map(|gtin| gtin.to_string()).unwrap_or_default(),
        price: price
            .map(|price| Money { currency_code: price.currency().as_str().to_owned(), amount_minor: price.minor() }),
        attributes: attributes::to_pb(attributes),
        retired,
    }
}

impl From<FoundVariant> for pb::VariantRef {
    fn from(found: FoundVariant) -> Self {
        Self { product_id: found.product.into(), variant: Some(to_pb(found.variant, found.retired)) }
    }
}
