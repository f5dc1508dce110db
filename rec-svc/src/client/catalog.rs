//! What a product is sold as.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use holdfast_contracts::inventory::v1::catalog_service_client::CatalogServiceClient;
use holdfast_contracts::inventory::v1::product::Status;
use holdfast_contracts::inventory::v1::{BatchGetVariantsRequest, GetProductRequest, Product};
use holdfast_contracts::{ProductId, Sku};
use holdfast_platform::client::Wire;
use holdfast_platform::deadline::Deadline;
use tokio::time::Instant;

use super::{AskError, ask};
use crate::domain::BoundedMap;

/// How many products' listings are remembered.
const LISTINGS_MAX: usize = 20_000;
/// How long a listing is believed: for so long a product taken off the shop may still be shown, if it is in stock.
const LISTED_TTL: Duration = Duration::from_secs(10);
/// How long it is believed that there is no such product: a new one should not have to wait.
const ABSENT_TTL: Duration = Duration::from_secs(2);
/// How many SKUs one question names: what the contract takes.
const SKUS_PER_ASK_MAX: usize = 1_000;
/// How many questions one answer may have under way.
const ASKS_AT_ONCE_MAX: usize = 16;

/// Whether the catalogue has a product, and what of it is for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listing {
    Absent,
    /// None of a product that is a draft or archived; never a retired variant's.
    Listed(Arc<[Sku]>),
}

/// The catalogue, with a bounded memory.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    client: CatalogServiceClient<Wire>,
    known: Arc<Mutex<BoundedMap<ProductId, Option<Known>>>>,
}

#[derive(Debug, Clone)]
struct Known {
    listing: Listing,
    until: Instant,
}

impl Catalog {
    pub(crate) fn new(wire: Wire) -> Self {
        let client = CatalogServiceClient::new(wire).max_decoding_message_size(PRODUCT_BYTES_MAX);
        Self { client, known: Arc::new(Mutex::new(BoundedMap::new(LISTINGS_MAX))) }
    }

    /// The listings of some products, in their order.
    pub(crate) async fn ask_listings(
        &self,
        products: &[&ProductId],
        deadline: Deadline,
    ) -> Result<Vec<Listing>, AskError> {
        let mut listings: Vec<Option<Listing>> = products.iter().map(|product| self.recall(product)).collect();
        let unknown = products.iter().zip(&listings).filter(|(_, listing)| listing.is_none());
        let asked: Vec<_> = unknown.map(|(product, _)| self.ask_listing(product, deadline).boxed()).collect();
        let mut answers = stream::iter(asked).buffered(ASKS_AT_ONCE_MAX);
        for listing in listings.iter_mut().filter(|listing| listing.is_none()) {
            *listing = answers.try_next().await?;
        }
        Ok(listings.into_iter().flatten().collect())
    }

    /// One product's listing, from memory while it is believed.
    pub(crate) async fn ask_listing(&self, product: &ProductId, deadline: Deadline) -> Result<Listing, AskError> {
        if let Some(listing) = self.recall(product) {
            return Ok(listing);
        }
        let request = deadline.request(GetProductRequest { id: product.to_string() });
        let listing = match ask("product", deadline, self.client.clone().get_product(request).boxed()).await {
            Ok(product) => Listing::Listed(for_sale(&product)),
            Err(AskError::NotFound { .. }) => Listing::Absent,
            Err(error) => return Err(error),
        };
        self.remember(product, listing.clone());
        Ok(listing)
    }

    /// Which products SKUs are of; those the catalogue does not know are left out.
    pub(crate) async fn ask_products(
        &self,
        skus: &BTreeSet<Sku>,
        deadline: Deadline,
    ) -> Result<HashMap<Sku, ProductId>, AskError> {
        let skus: Vec<String> = skus.iter().map(Sku::to_string).collect();
        let mut products = HashMap::new();
        for skus in skus.chunks(SKUS_PER_ASK_MAX) {
            let request = deadline.request(BatchGetVariantsRequest { skus: skus.to_vec() });
            let answer = ask("products", deadline, self.client.clone().batch_get_variants(request).boxed()).await?;
            let known = answer
                .variants
                .into_iter()
                .filter_map(|found| Some((found.variant?.sku.parse().ok()?, found.product_id.parse().ok()?)));
            products.extend(known);
        }
        Ok(products)
    }

    fn recall(&self, product: &ProductId) -> Option<Listing> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(product)?.as_ref()?;
        (Instant::now() < known.until).then(|| known.listing.clone())
    }

    fn remember(&self, product: &ProductId, listing: Listing) {
        let ttl = match listing {
            Listing::Absent => ABSENT_TTL,
            Listing::Listed(_) => LISTED_TTL,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.touch(product) = Some(Known { listing, until: Instant::now() + ttl });
        known.pop_excess();
    }
}

/// Two thousand variants with free attributes can be more than a message's default bound.
const PRODUCT_BYTES_MAX: usize = 16 << 20;

fn for_sale(product: &Product) -> Arc<[Sku]> {
    match product.status() {
        Status::Active => product
            .variants
            .iter()
            .filter(|variant| !variant.retired)
            .filter_map(|variant| variant.sku.parse().ok())
            .collect(),
        Status::Unspecified | Status::Draft | Status::Archived => Arc::default(),
    }
}
