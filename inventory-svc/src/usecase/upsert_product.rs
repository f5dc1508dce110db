//! Creates a product or replaces it whole: optimistic first, under a lock where that lost a race.

use holdfast_platform::pg::{self, Execute, Pool};

use crate::domain::product::{Product, StoredProduct};
use crate::domain::upsert::{Found, Upsert, UpsertRefusal, decide_upsert};
use crate::domain::variant::Variant;
use crate::store;

/// How often an upsert is decided anew. The first loss is to a concurrent upsert of the product, which the lock then
/// keeps out; the second to one of another product that took a new SKU, which then is a refusal.
const ATTEMPTS_MAX: usize = 4;

/// What an upsert came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created,
    Updated,
    Unchanged,
}

/// Why a product was not upserted. Nothing of it was, unless the connection was lost: then repeating it tells.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpsertError {
    #[error(transparent)]
    Refused(#[from] UpsertRefusal),
    #[error("others kept changing the product")]
    Contended,
    #[error(transparent)]
    Database(#[from] pg::Error),
}

/// Costs one round trip where nothing changes, two where something does.
///
/// # Errors
/// As [`UpsertError`] says.
pub(crate) async fn upsert_product(pool: &Pool, wanted: Product) -> Result<(StoredProduct, Outcome), UpsertError> {
    let mut connection = pool.get().await.map_err(pg::Error::from)?;
    if let Some(done) = attempt(&*connection, &wanted).await? {
        return Ok(done);
    }
    for _ in 1..ATTEMPTS_MAX {
        let tx = connection.transaction().await?;
        store::product::lock_product(&tx, &wanted.id).await?;
        if let Some(done) = attempt(&tx, &wanted).await? {
            tx.commit().await?;
            return Ok(done);
        }
    }
    Err(UpsertError::Contended)
}

/// None where what it was decided on changed before it was written.
async fn attempt(db: &impl Execute, wanted: &Product) -> Result<Option<(StoredProduct, Outcome)>, UpsertError> {
    let change = match decide_upsert(wanted, load_found(db, wanted).await?)? {
        Upsert::Unchanged(stored) => return Ok(Some((stored, Outcome::Unchanged))),
        Upsert::Changed(change) => change,
    };
    let Some(revision) = store::product::save_product(db, wanted, &change).await? else { return Ok(None) };
    let outcome = if change.version_found == 0 { Outcome::Created } else { Outcome::Updated };
    Ok(Some((StoredProduct { product: wanted.clone(), retired: change.retired, revision }, outcome)))
}

/// Three statements in one round trip. That they are not one snapshot is harmless: brands stay, SKUs stay taken, and
/// the rest is checked when it is written.
async fn load_found(db: &impl Execute, wanted: &Product) -> Result<Found, pg::Error> {
    let skus: Vec<&str> = wanted.variants.as_slice().iter().map(|Variant { sku, .. }| sku.as_str()).collect();
    let id = [wanted.id.as_str()];
    let (mut products, brand_exists, taken) = tokio::try_join!(
        store::product::load_products(db, &id),
        store::brand::brand_exists(db, &wanted.brand),
        store::variant::load_taken_skus(db, &skus, &wanted.id),
    )?;
    Ok(Found { brand_exists, product: products.pop(), taken })
}
