//! Which levels each SKU has: names change rarely, so they are remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_contracts::Sku;
use holdfast_platform::pg::{self, Pool};
use tokio::time::Instant;

use crate::domain::level::LevelRef;
use crate::store::level::load_sku_levels;

/// How many SKUs are remembered (about 300 bytes each).
const SKUS_MAX: usize = 100_000;
/// How old an entry may be when an order of shoppers is turned away on its word. Until then a location added by
/// another replica may go unseen by a request that is served elsewhere; by a refusal, never for longer than this.
pub(crate) const REFUSAL_AGE_MAX: Duration = Duration::from_secs(1);

/// A SKU's levels, in the order a reservation picks them.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub levels: Arc<[LevelRef]>,
    pub loaded_at: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Directory(Mutex<HashMap<Sku, Entry>>);

impl Directory {
    /// The SKU's levels; none where the SKU does not exist. Read anew where the entry is older than `age_max`.
    pub(crate) async fn find(
        &self,
        pool: &Pool,
        sku: &Sku,
        age_max: Option<Duration>,
    ) -> Result<Option<Entry>, pg::Error> {
        let fresh = |entry: &Entry| age_max.is_none_or(|max| entry.loaded_at.elapsed() <= max);
        if let Some(entry) = self.lock().get(sku).filter(|entry| fresh(entry)) {
            return Ok(Some(entry.clone()));
        }
        let connection = pool.get().await?;
        let loaded_at = Instant::now();
        let Some(levels) = load_sku_levels(&*connection, &[sku.as_str()]).await?.remove(sku) else {
            return Ok(None);
        };
        let entry = Entry { levels: levels.into(), loaded_at };
        let mut entries = self.lock();
        if entries.len() >= SKUS_MAX {
            entries.clear(); // rare, and only costs reloads
        }
        entries.insert(sku.clone(), entry.clone());
        Ok(Some(entry))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Sku, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
