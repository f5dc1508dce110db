//! Brands.

use holdfast_contracts::BrandId;
use holdfast_platform::pg::{Error, Execute};

use super::stored;
use crate::domain::brand::Brand;

/// The first `limit` brands by id, after one of them.
pub(crate) async fn list_brands(db: &impl Execute, after: Option<&BrandId>, limit: i64) -> Result<Vec<Brand>, Error> {
    let after = after.map_or("", BrandId::as_str);
    let rows = db.query(include_str!("sql/list_brands.sql"), &[&after, &limit]).await?;
    Ok(rows
        .iter()
        .map(|row| Brand { id: stored(row.get("id")), display_name: stored(row.get("display_name")) })
        .collect())
}

pub(crate) async fn brand_exists(db: &impl Execute, id: &BrandId) -> Result<bool, Error> {
    Ok(db.query_one(include_str!("sql/brand_exists.sql"), &[&id.as_str()]).await?.get("found"))
}

/// Makes the brand what is given; writes nothing where it is that already.
pub(crate) async fn save_brand(db: &impl Execute, brand: &Brand) -> Result<(), Error> {
    db.execute(include_str!("sql/save_brand.sql"), &[&brand.id.as_str(), &brand.display_name.as_str()]).await?;
    Ok(())
}
