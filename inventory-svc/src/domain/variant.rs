//! Variants: what is sold, one SKU each.

use std::collections::BTreeMap;

use holdfast_contracts::{ProductId, Sku};

use super::attributes::Attributes;
use super::gtin::Gtin;
use super::price::Price;
use super::text::Text;

/// `Size`.
pub type OptionName = Text<1, 255>;
/// `M`.
pub type OptionValue = Text<0, 255>;

/// What a client says of a variant. Its place among its siblings is its place in the product's list.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    pub sku: Sku,
    pub options: Options,
    pub gtin: Option<Gtin>,
    pub price: Option<Price>,
    pub attributes: Attributes,
}

/// A variant found by its SKU.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundVariant {
    pub product: ProductId,
    pub variant: Variant,
    /// Whether its product's last upsert left it out.
    pub retired: bool,
}

/// More options than anybody can choose from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("has {count} options: at most {count_max} are accepted", count_max = Options::COUNT_MAX)]
pub struct TooManyOptions {
    pub count: usize,
}

/// What sets a variant apart from its siblings: Size = M.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options(BTreeMap<OptionName, OptionValue>);

impl Options {
    pub const COUNT_MAX: usize = 10;

    pub fn iter(&self) -> impl Iterator<Item = (&OptionName, &OptionValue)> {
        self.0.iter()
    }
}

impl TryFrom<BTreeMap<OptionName, OptionValue>> for Options {
    type Error = TooManyOptions;

    fn try_from(pairs: BTreeMap<OptionName, OptionValue>) -> Result<Self, TooManyOptions> {
        if pairs.len() > Self::COUNT_MAX { Err(TooManyOptions { count: pairs.len() }) } else { Ok(Self(pairs)) }
    }
}
