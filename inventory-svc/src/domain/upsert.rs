//! What an upsert of a product comes to: pure, decided on what was found.

use std::collections::{BTreeMap, HashMap};

use holdfast_contracts::{BrandId, ProductId, Sku};

use super::product::{Product, StoredProduct, VARIANTS_KEPT_MAX};
use super::variant::Variant;

/// What an upsert is decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub brand_exists: bool,
    pub product: Option<StoredProduct>,
    /// Which of the wanted SKUs belong to other products, retired variants included: a SKU's ledger has one product.
    pub taken: HashMap<Sku, ProductId>,
}

/// Why a product cannot become what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpsertRefusal {
    #[error("no brand has id {brand}")]
    BrandNotFound { brand: BrandId },
    /// The first such variant of the request, from 0.
    #[error("SKU {sku} belongs to product {product}")]
    SkuTaken { sku: Sku, product: ProductId, index: usize },
    #[error("would keep {count} variants, retired ones included: at most {VARIANTS_KEPT_MAX} are accepted")]
    TooManyKept { count: usize },
}

/// What has to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Upsert {
    /// Nothing: it is there and equal.
    Unchanged(StoredProduct),
    Changed(Change),
}

/// What makes the stored product the wanted one.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What this was decided on; 0 where there was nothing. At any other version it must not be written.
    pub version_found: i64,
    /// Only the variants that differ from what is stored.
    pub writes: Vec<VariantWrite>,
    /// Every variant that is retired once this is written, by SKU.
    pub retired: Vec<Variant>,
}

/// A variant's row as it shall be.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantWrite {
    pub variant: Variant,
    pub position: usize,
    pub retired: bool,
    /// Whether it has no row yet.
    pub is_new: bool,
}

/// What it takes to make the stored product the wanted one.
///
/// # Errors
/// Where its brand does not exist, one of its SKUs is another product's, or it had too many variants over time.
pub fn decide_upsert(wanted: &Product, found: Found) -> Result<Upsert, UpsertRefusal> {
    if !found.brand_exists {
        return Err(UpsertRefusal::BrandNotFound { brand: wanted.brand.clone() });
    }
    for (index, Variant { sku, .. }) in wanted.variants.as_slice().iter().enumerate() {
        if let Some(product) = found.taken.get(sku) {
            return Err(UpsertRefusal::SkuTaken { sku: sku.clone(), product: product.clone(), index });
        }
    }
    match found.product {
        None => Ok(Upsert::Changed(decide_create(wanted))),
        Some(stored) if stored.product == *wanted => Ok(Upsert::Unchanged(stored)),
        Some(stored) => Ok(Upsert::Changed(decide_update(wanted, stored)?)),
    }
}

fn decide_create(wanted: &Product) -> Change {
    let variants = wanted.variants.as_slice().iter().enumerate();
    let writes = variants
        .map(|(position, variant)| VariantWrite { variant: variant.clone(), position, retired: false, is_new: true })
        .collect();
    Change { version_found: 0, writes, retired: Vec::new() }
}

fn decide_update(wanted: &Product, stored: StoredProduct) -> Result<Change, UpsertRefusal> {
    let live = stored.product.variants.into_vec().into_iter().enumerate();
    // What is still in here after the loop was left out.
    let mut live: BTreeMap<Sku, (usize, Variant)> = live.map(|(at, was)| (was.sku.clone(), (at, was))).collect();
    let mut retired: BTreeMap<Sku, Variant> =
        stored.retired.into_iter().map(|variant| (variant.sku.clone(), variant)).collect();

    let mut writes = Vec::new();
    for (position, variant) in wanted.variants.as_slice().iter().enumerate() {
        let is_new = match live.remove(&variant.sku) {
            Some((was_at, was)) if was_at == position && was == *variant => continue,
            Some(_) => false,
            None => retired.remove(&variant.sku).is_none(),
        };
        writes.push(VariantWrite { variant: variant.clone(), position, retired: false, is_new });
    }
    for (sku, (position, variant)) in live {
        writes.push(VariantWrite { variant: variant.clone(), position, retired: true, is_new: false });
        retired.insert(sku, variant);
    }

    let count = wanted.variants.as_slice().len() + retired.len();
    if count > VARIANTS_KEPT_MAX {
        return Err(UpsertRefusal::TooManyKept { count });
    }
    Ok(Change { version_found: stored.revision.version, writes, retired: retired.into_values().collect() })
}

#[cfg(test)]
mod tests;
