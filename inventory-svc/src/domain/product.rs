//! Products: things with one page in the shop.

use std::collections::HashMap;
use std::time::SystemTime;

use holdfast_contracts::{BrandId, ProductId, Sku};

use super::attributes::Attributes;
use super::text::Text;
use super::variant::Variant;

pub type Title = Text<1, 500>;
pub type Description = Text<0, 100_000>;
/// Taxonomy path from the general to the special: `Apparel > Hoodies`.
pub type Category = Text<0, 500>;
pub type Tag = Text<0, 255>;

/// The most tags a product may have.
pub const TAGS_MAX: usize = 250;
/// The most variants on sale a product may have.
pub const VARIANTS_MAX: usize = 2_048;
/// The most variants a product may ever have had: retired ones are kept, and read with it.
pub const VARIANTS_KEPT_MAX: usize = 4 * VARIANTS_MAX;

/// Where a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Draft,
    Archived,
}

/// What a client says of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    pub id: ProductId,
    pub brand: BrandId,
    pub title: Title,
    pub description: Description,
    pub category: Category,
    pub status: Status,
    pub tags: Vec<Tag>,
    pub attributes: Attributes,
    /// What is on sale, in the client's order.
    pub variants: Variants,
}

/// A product as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProduct {
    pub product: Product,
    /// What earlier upserts had and the last one left out, by SKU.
    pub retired: Vec<Variant>,
    pub revision: Revision,
}

/// Which state of a product this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// 1 when created, +1 for every change.
    pub version: i64,
    /// By the database's clock.
    pub updated_at: SystemTime,
}

/// Why a list cannot be a product's variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariantsError {
    #[error("must not be empty")]
    Empty,
    #[error("has {count} variants: at most {count_max} are accepted", count_max = VARIANTS_MAX)]
    TooMany { count: usize },
    #[error("has SKU {sku} twice: variants {first} and {second}, from 0")]
    Twice { sku: Sku, first: usize, second: usize },
}

/// One to [`VARIANTS_MAX`] variants, each SKU once.
#[derive(Debug, Clone, PartialEq)]
pub struct Variants(Vec<Variant>);

impl Variants {
    /// # Errors
    /// Where so many, or none, are no product's.
    pub fn check_count(count: usize) -> Result<(), VariantsError> {
        match count {
            0 => Err(VariantsError::Empty),
            1..=VARIANTS_MAX => Ok(()),
            _ => Err(VariantsError::TooMany { count }),
        }
    }

    pub fn as_slice(&self) -> &[Variant] {
        &self.0
    }

    pub fn into_vec(self) -> Vec<Variant> {
        self.0
    }
}

impl TryFrom<Vec<Variant>> for Variants {
    type Error = VariantsError;

    fn try_from(variants: Vec<Variant>) -> Result<Self, VariantsError> {
        Self::check_count(variants.len())?;
        let mut seen = HashMap::with_capacity(variants.len());
        for (second, variant) in variants.iter().enumerate() {
            if let Some(first) = seen.insert(&variant.sku, second) {
                return Err(VariantsError::Twice { sku: variant.sku.clone(), first, second });
            }
        }
        Ok(Self(variants))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attributes::Attributes;
    use crate::domain::variant::Options;

    fn variant(sku: &str) -> Variant {
        Variant {
            sku: sku.parse().unwrap(),
            options: Options::default(),
            gtin: None,
            price: None,
            attributes: Attributes::default(),
        }
    }

    #[test]
    fn a_product_has_some_variants_and_each_sku_once() {
        let check = |skus: &[&str]| Variants::try_from(skus.iter().map(|sku| variant(sku)).collect::<Vec<_>>());
        assert!(check(&["A", "B"]).is_ok());
        assert_eq!(check(&[]), Err(VariantsError::Empty));
        let twice = VariantsError::Twice { sku: "B".parse().unwrap(), first: 1, second: 2 };
        assert_eq!(check(&["A", "B", "B"]), Err(twice));
    }

    #[test]
    fn a_products_variants_are_bounded() {
        let many = |count: usize| (0..count).map(|n| variant(&format!("S{n}"))).collect::<Vec<_>>();
        assert!(Variants::try_from(many(VARIANTS_MAX)).is_ok());
        let count = VARIANTS_MAX + 1;
        assert_eq!(Variants::try_from(many(count)), Err(VariantsError::TooMany { count }));
    }
}
