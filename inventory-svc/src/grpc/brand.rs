//! Brands.

use holdfast_contracts::BrandId;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::pg::{self, Pool};
use holdfast_platform::status::Refusal;

use super::field::{Invalid, parse, required};
use super::page;
use crate::domain::brand::Brand;
use crate::store;

pub(super) async fn list(pool: &Pool, request: pb::ListBrandsRequest) -> Result<pb::ListBrandsResponse, Refusal> {
    let page_size = page::parse_page_size(request.page_size)?;
    let after = page::parse_token(&request.page_token, |key| BrandId::try_from(key).ok())?;
    let connection = pool.get().await.map_err(pg::Error::from)?;
    let mut brands = store::brand::list_brands(&*connection, after.as_ref(), page::rows_max(page_size)).await?;
    let next_page_token = page::cut(&mut brands, page_size, |brand| brand.id.to_string());
    Ok(pb::ListBrandsResponse { brands: brands.into_iter().map(pb::Brand::from).collect(), next_page_token })
}

pub(super) async fn upsert(pool: &Pool, request: pb::UpsertBrandRequest) -> Result<pb::Brand, Refusal> {
    let brand = parse_brand(required("brand", request.brand)?).map_err(|invalid| invalid.within("brand"))?;
    let connection = pool.get().await.map_err(pg::Error::from)?;
    store::brand::save_brand(&*connection, &brand).await?;
    Ok(brand.into())
}

fn parse_brand(brand: pb::Brand) -> Result<Brand, Invalid> {
    Ok(Brand { id: parse("id", brand.id)?, display_name: parse("display_name", brand.display_name)? })
}

impl From<Brand> for pb::Brand {
    fn from(brand: Brand) -> Self {
        Self { id: brand.id.into(), display_name: brand.display_name.into() }
    }
}
