//! Products with their variants.

use holdfast_contracts::{BrandId, ProductId};
use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Json;

use super::stored;
use super::variant::{VariantColumns, read_attributes, read_variant_arrays};
use crate::domain::product::{Product, Revision, Status, StoredProduct, Tag, Variants};
use crate::domain::upsert::Change;

/// The first `limit` products' ids, after one of them.
pub(crate) async fn list_product_ids(
    db: &impl Execute,
    after: Option<&ProductId>,
    limit: i64,
) -> Result<Vec<ProductId>, Error> {
    let after = after.map_or("", ProductId::as_str);
    let rows = db.query(include_str!("sql/list_product_ids.sql"), &[&after, &limit]).await?;
    Ok(rows.iter().map(|row| stored(row.get("id"))).collect())
}

/// The same of one brand alone.
pub(crate) async fn list_brand_product_ids(
    db: &impl Execute,
    brand: &BrandId,
    after: Option<&ProductId>,
    limit: i64,
) -> Result<Vec<ProductId>, Error> {
    let after = after.map_or("", ProductId::as_str);
    let rows = db.query(include_str!("sql/list_brand_product_ids.sql"), &[&brand.as_str(), &after, &limit]).await?;
    Ok(rows.iter().map(|row| stored(row.get("id"))).collect())
}

/// The products with these ids, in the order of their ids; those that do not exist are missing.
pub(crate) async fn load_products(db: &impl Execute, ids: &[&str]) -> Result<Vec<StoredProduct>, Error> {
    let rows = db.query(include_str!("sql/load_products.sql"), &[&ids]).await?;
    Ok(rows.iter().map(read_product).collect())
}

/// Keeps other upserts from writing the product until the transaction ends; locks nothing where there is none.
pub(crate) async fn lock_product(db: &impl Execute, id: &ProductId) -> Result<(), Error> {
    db.execute(include_str!("sql/lock_product.sql"), &[&id.as_str()]).await?;
    Ok(())
}

/// Writes a decided upsert, all or nothing; none comes back where it was decided on what is no longer so.
pub(crate) async fn save_product(
    db: &impl Execute,
    product: &Product,
    change: &Change,
) -> Result<Option<Revision>, Error> {
    let Product { id, brand, title, description, category, status, tags, attributes, variants: _ } = product;
    let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
    let variants = VariantColumns::of(&change.writes);
    let saved = db
        .query_opt(
            include_str!("sql/save_product.sql"),
            &[
                &id.as_str(),
                &brand.as_str(),
                &title.as_str(),
                &description.as_str(),
                &category.as_str(),
                &status_code(*status),
                &tags,
                &Json(attributes.as_map()),
                &change.version_found,
                &variants.sku,
                &variants.is_new,
                &variants.position,
                &variants.options,
                &variants.gtin,
                &variants.price_currency,
                &variants.price_minor,
                &variants.attributes,
                &variants.retired,
            ],
        )
        .await;
    match saved {
        Ok(row) => Ok(row.as_ref().map(read_revision)),
        // A new SKU was taken since.
        Err(error) if error.sql_state() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_product(row: &Row) -> StoredProduct {
    let (retired, live): (Vec<_>, Vec<_>) = read_variant_arrays(row).into_iter().partition(|(_, retired)| *retired);
    let live: Vec<_> = live.into_iter().map(|(variant, _)| variant).collect();
    let mut retired: Vec<_> = retired.into_iter().map(|(variant, _)| variant).collect();
    retired.sort_by(|a, b| a.sku.cmp(&b.sku));
    StoredProduct {
        product: Product {
            id: stored(row.get("id")),
            brand: stored(row.get("brand_id")),
            title: stored(row.get("title")),
            description: stored(row.get("description")),
            category: stored(row.get("category")),
            status: read_status(row.get("status")),
            tags: row.get::<_, Vec<String>>("tags").into_iter().map(stored).collect(),
            attributes: read_attributes(row.get("attributes")),
            variants: Variants::try_from(live).expect("every upsert leaves a variant on sale"),
        },
        retired,
        revision: read_revision(row),
    }
}

fn read_revision(row: &Row) -> Revision {
    Revision { version: row.get("version"), updated_at: row.get("updated_at") }
}

fn status_code(status: Status) -> i16 {
    match status {
        Status::Active => 1,
        Status::Draft => 2,
        Status::Archived => 3,
    }
}

fn read_status(code: i16) -> Status {
    match code {
        1 => Status::Active,
        2 => Status::Draft,
        3 => Status::Archived,
        other => unreachable!("the table's CHECK admits no status {other}"),
    }
}
