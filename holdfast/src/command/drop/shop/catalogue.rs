//! What a drop needs in the catalogue: variants to sell, with a price, and a place to keep them.

use std::collections::BTreeMap;

use holdfast_contracts::common::v1::{Money, Reason};
use holdfast_contracts::inventory::v1::{
    BatchGetVariantsRequest, Brand, GetProductRequest, ListLocationsRequest, Location, Product, UpsertBrandRequest,
    UpsertLocationRequest, UpsertProductRequest, Variant, product,
};
use holdfast_contracts::{ProductId, Sku};

use super::{CALL_TIMEOUT, CallError, LOCATION, Shop};

/// The brand of what drops create themselves.
const BRAND: &str = "holdfast-demo";
/// What a created variant costs.
const PRICE: (&str, i64) = ("EUR", 22_000);

/// One variant to be sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) sku: Sku,
    /// What sets it apart from its siblings, where it has some.
    pub(crate) size: Option<String>,
}

impl Shop {
    /// Makes what is not there yet: location, brand, product, variants. What is there stays as it is.
    /// The SKUs made are returned.
    pub(crate) async fn list(&self, title: &str, listings: &[Listing]) -> Result<Vec<Sku>, CallError> {
        self.ensure_location().await?;
        let skus = listings.iter().map(|listing| listing.sku.to_string()).collect();
        let found = self.call(BatchGetVariantsRequest { skus }, CALL_TIMEOUT).await?;
        let product_id = product_id(title);
        let mut ours: BTreeMap<String, Variant> = BTreeMap::new();
        let mut missing: Vec<&Listing> =
            listings.iter().filter(|listing| found.not_found.iter().any(|sku| sku == listing.sku.as_str())).collect();
        for reference in found.variants {
            let Some(variant) = reference.variant else { continue };
            let Some(listing) = listings.iter().find(|listing| listing.sku.as_str() == variant.sku) else { continue };
            if variant.retired && reference.product_id == product_id.as_str() {
                missing.push(listing);
            } else if variant.price.is_none() {
                let message = format!("{} has no price: give it one, then it can be sold", variant.sku);
                return Err(CallError::Refused { reason: Reason::PriceMissing, message, retry_after: None });
            }
        }
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let made = missing.iter().map(|listing| listing.sku.clone()).collect();
        // An upsert retires what it leaves out: a product of an earlier drop keeps its other sizes.
        for variant in self.find_variants(&product_id).await?.into_iter().filter(|variant| !variant.retired) {
            ours.insert(variant.sku.clone(), variant);
        }
        for listing in missing {
            ours.insert(listing.sku.to_string(), variant_of(listing));
        }
        let brand = Brand { id: BRAND.to_owned(), display_name: "Holdfast demo".to_owned() };
        self.call(UpsertBrandRequest { brand: Some(brand) }, CALL_TIMEOUT).await?;
        let product = Product {
            id: product_id.into(),
            brand_id: BRAND.to_owned(),
            title: title.to_owned(),
            category: "Drops".to_owned(),
            status: product::Status::Active.into(),
            variants: ours.into_values().collect(),
            ..Product::default()
        };
        self.call(UpsertProductRequest { product: Some(product) }, CALL_TIMEOUT).await?;
        Ok(made)
    }

    async fn ensure_location(&self) -> Result<(), CallError> {
        let mut page_token = String::new();
        loop {
            let request = ListLocationsRequest { page_size: 500, page_token };
            let page = self.call(request, CALL_TIMEOUT).await?;
            if page.locations.iter().any(|location| location.id == LOCATION) {
                return Ok(());
            }
            if page.next_page_token.is_empty() {
                break;
            }
            page_token = page.next_page_token;
        }
        let location =
            Location { id: LOCATION.to_owned(), display_name: "Main warehouse".to_owned(), ..Location::default() };
        self.call(UpsertLocationRequest { location: Some(location) }, CALL_TIMEOUT).await?;
        Ok(())
    }

    async fn find_variants(&self, product: &ProductId) -> Result<Vec<Variant>, CallError> {
        match self.call(GetProductRequest { id: product.to_string() }, CALL_TIMEOUT).await {
            Ok(product) => Ok(product.variants),
            Err(error) if error.reason() == Some(Reason::ProductNotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn variant_of(listing: &Listing) -> Variant {
    let (currency_code, amount_minor) = PRICE;
    Variant {
        sku: listing.sku.to_string(),
        options: listing.size.iter().map(|size| ("Size".to_owned(), size.clone())).collect(),
        price: Some(Money { currency_code: currency_code.to_owned(), amount_minor }),
        ..Variant::default()
    }
}

/// The product a drop of this name sells. Products take no `/`, SKUs do.
fn product_id(title: &str) -> ProductId {
    let id: String = format!("drop-{title}").replace('/', "-");
    id.parse().expect("a SKU is shorter than a product id may be and has no control characters")
}
