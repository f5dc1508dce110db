//! Lists products by id, a bounded page at a time.

use holdfast_contracts::{BrandId, ProductId};
use holdfast_platform::pg::{self, Pool};

use crate::domain::product::StoredProduct;
use crate::store;

/// How many products are read at once: what a page needs in memory beside itself.
const PRODUCTS_PER_READ_MAX: usize = 50;

/// Hands the brand's products (every brand's where none is given) to `take`, by id, until it wants no more or `limit`
/// is reached. Answers the last product taken, where others follow it.
///
/// # Errors
/// Where the database does not answer.
pub(crate) async fn list_products(
    pool: &Pool,
    brand: Option<&BrandId>,
    after: Option<&ProductId>,
    limit: usize,
    mut take: impl FnMut(StoredProduct) -> bool + Send,
) -> Result<Option<ProductId>, pg::Error> {
    let connection = pool.get().await?;
    // One more than asked for tells whether others follow.
    let ids_max = i64::try_from(limit + 1).expect("pages are short");
    let ids = match brand {
        Some(brand) => store::product::list_brand_product_ids(&*connection, brand, after, ids_max).await?,
        None => store::product::list_product_ids(&*connection, after, ids_max).await?,
    };
    let mut last = None;
    for chunk in ids[..ids.len().min(limit)].chunks(PRODUCTS_PER_READ_MAX) {
        let chunk: Vec<&str> = chunk.iter().map(ProductId::as_str).collect();
        for product in store::product::load_products(&*connection, &chunk).await? {
            let id = product.product.id.clone();
            if !take(product) {
                return Ok(last);
            }
            last = Some(id);
        }
    }
    Ok(last.filter(|_| ids.len() > limit))
}
