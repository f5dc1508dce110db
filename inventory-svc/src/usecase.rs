//! What the service does: one file a verb.

pub(crate) mod adjust;
pub(crate) mod advance;
pub(crate) mod directory;
pub(crate) mod failure;
pub(crate) mod fingerprint;
pub(crate) mod list_products;
pub(crate) mod read;
pub(crate) mod reclaim;
pub(crate) mod reserve;
pub(crate) mod upsert_product;
pub(crate) mod watch;

use holdfast_platform::pg::Pool;

use crate::lane::Lanes;

/// What every verb works with.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub pool: Pool,
    pub lanes: Lanes,
    pub directory: directory::Directory,
    pub hub: watch::Hub,
    pub reclaim: reclaim::Reclaim,
}
