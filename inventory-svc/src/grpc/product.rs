//! Products.

use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::{BrandId, ProductId};
use holdfast_platform::pg::{self, Pool};
use holdfast_platform::server::MESSAGE_BYTES_MAX;
use holdfast_platform::status::Refusal;
use prost::Message as _;

use super::field::{Invalid, parse, parse_each, required};
use super::status::product_not_found;
use super::{attributes, page, variant};
use crate::domain::product::{Product, Status, StoredProduct, TAGS_MAX, Variants, VariantsError};
use crate::store;
use crate::usecase::list_products::list_products;
use crate::usecase::upsert_product::{Outcome, upsert_product};

/// A page ends early before it outgrows what a client accepts as one message.
const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 4 * 3;

pub(super) async fn list(pool: &Pool, request: pb::ListProductsRequest) -> Result<pb::ListProductsResponse, Refusal> {
    let page_size = page::parse_page_size(request.page_size)?;
    let after = page::parse_token(&request.page_token, |key| ProductId::try_from(key).ok())?;
    let brand: Option<BrandId> =
        if request.brand_id.is_empty() { None } else { Some(parse("brand_id", request.brand_id)?) };

    let mut products: Vec<pb::Product> = Vec::new();
    let mut bytes = 0;
    let take = |product: StoredProduct| {
        let product = pb::Product::from(product);
        bytes += product.encoded_len();
        let fits = products.is_empty() || bytes <= PAGE_BYTES_MAX;
        if fits {
            products.push(product);
        }
        fits
    };
    let last = list_products(pool, brand.as_ref(), after.as_ref(), page_size, take).await?;
    let next_page_token = last.map(|id| page::token_after(id.as_str())).unwrap_or_default();
    Ok(pb::ListProductsResponse { products, next_page_token })
}

pub(super) async fn get(pool: &Pool, request: pb::GetProductRequest) -> Result<pb::Product, Refusal> {
    let id: ProductId = parse("id", request.id)?;
    let connection = pool.get().await.map_err(pg::Error::from)?;
    let mut products = store::product::load_products(&*connection, &[id.as_str()]).await?;
    let product = products.pop().ok_or_else(|| product_not_found(&id))?;
    Ok(product.into())
}

pub(super) async fn upsert(
    pool: &Pool,
    request: pb::UpsertProductRequest,
) -> Result<pb::UpsertProductResponse, Refusal> {
    let wanted = parse_product(required("product", request.product)?).map_err(|invalid| invalid.within("product"))?;
    let (product, outcome) = upsert_product(pool, wanted).await?;
    Ok(pb::UpsertProductResponse { product: Some(product.into()), outcome: outcome_code(outcome).into() })
}

fn parse_product(product: pb::Product) -> Result<Product, Invalid> {
    let status = product.status;
    if product.tags.len() > TAGS_MAX {
        let count = product.tags.len();
        return Err(Invalid::new("tags", format!("has {count} tags: at most {TAGS_MAX} are accepted")));
    }
    Ok(Product {
        id: parse("id", product.id)?,
        brand: parse("brand_id", product.brand_id)?,
        title: parse("title", product.title)?,
        description: parse("description", product.description)?,
        category: parse("category", product.category)?,
        status: parse_status(status)?,
        tags: parse_each("tags", product.tags, |tag| parse("", tag))?,
        attributes: attributes::parse_attributes(product.attributes)?,
        variants: parse_variants(product.variants).map_err(|invalid| invalid.within("variants"))?,
    })
}

fn parse_variants(variants: Vec<pb::Variant>) -> Result<Variants, Invalid> {
    Variants::check_count(variants.len()).map_err(Invalid::here)?;
    let variants = parse_each("", variants, variant::parse_variant)?;
    Variants::try_from(variants).map_err(|problem| match problem {
        VariantsError::Empty | VariantsError::TooMany { .. } => Invalid::here(problem),
        VariantsError::Twice { second, .. } => Invalid::new("sku", problem).at(second),
    })
}

/// ACTIVE where unspecified.
fn parse_status(status: i32) -> Result<Status, Invalid> {
    match pb::product::Status::try_from(status) {
        Ok(pb::product::Status::Active | pb::product::Status::Unspecified) => Ok(Status::Active),
        Ok(pb::product::Status::Draft) => Ok(Status::Draft),
        Ok(pb::product::Status::Archived) => Ok(Status::Archived),
        Err(_) => Err(Invalid::new("status", format!("is not a known one: {status}"))),
    }
}

fn status_code(status: Status) -> pb::product::Status {
    match status {
        Status::Active => pb::product::Status::Active,
        Status::Draft => pb::product::Status::Draft,
        Status::Archived => pb::product::Status::Archived,
    }
}

fn outcome_code(outcome: Outcome) -> pb::upsert_product_response::Outcome {
    match outcome {
        Outcome::Created => pb::upsert_product_response::Outcome::Created,
        Outcome::Updated => pb::upsert_product_response::Outcome::Updated,
        Outcome::Unchanged => pb::upsert_product_response::Outcome::Unchanged,
    }
}

impl From<StoredProduct> for pb::Product {
    fn from(stored: StoredProduct) -> Self {
        let StoredProduct { product, retired, revision } = stored;
        let live = product.variants.into_vec().into_iter().map(|live| variant::to_pb(live, false));
        let retired = retired.into_iter().map(|retired| variant::to_pb(retired, true));
        Self {
            id: product.id.into(),
            brand_id: product.brand.into(),
            title: product.title.into(),
            description: product.description.into(),
            category: product.category.into(),
            status: status_code(product.status).into(),
            tags: product.tags.into_iter().map(String::from).collect(),
            attributes: attributes::to_pb(product.attributes),
            variants: live.chain(retired).collect(),
            version: revision.version,
            update_time: Some(revision.updated_at.into()),
            etag: format!("\"{}\"", revision.version),
        }
    }
}
