//! Reads: stock and its ledger.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use holdfast_contracts::{LocationId, Sku};
use holdfast_platform::pg;

use super::Inventory;
use super::failure::Failure;
use crate::domain::level::{Level, LevelId, LevelRef, Quantities, Version};
use crate::domain::time::Micros;
use crate::store::level::load_stock;
use crate::store::movement::{Movement, list_movements};

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    Strong,
    Cached,
}

/// One SKU's stock.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    pub sku: Sku,
    pub levels: Vec<StockLevel>,
}

/// One of its levels.
#[derive(Debug, Clone)]
pub(crate) struct StockLevel {
    pub level_ref: LevelRef,
    pub level: Level,
    /// Not known to a cached read.
    pub updated_at: Option<Micros>,
}

impl Stock {
    pub(crate) fn total(&self) -> Quantities {
        self.levels.iter().fold(Quantities::default(), |sum, level| sum + level.level.quantities)
    }

    /// Grows by one with every effect on any of the levels.
    pub(crate) fn version(&self) -> Version {
        Version(self.levels.iter().map(|level| level.level.version.0).sum())
    }
}

/// Where a page of the ledger begins: after this level's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LedgerPosition {
    pub level: LevelId,
    pub version: Version,
}

impl Inventory {
    /// The SKUs' stock; those that do not exist are missing.
    pub(crate) async fn get_stock(
        &self,
        skus: &[Sku],
        consistency: Consistency,
    ) -> Result<HashMap<Sku, Stock>, Failure> {
        let mut found = HashMap::with_capacity(skus.len());
        if consistency == Consistency::Cached {
            for sku in skus {
                if let Some(stock) = self.remembered(sku).await? {
                    found.insert(sku.clone(), stock);
                }
            }
        }
        let missing: Vec<&str> = skus.iter().filter(|sku| !found.contains_key(*sku)).map(Sku::as_str).collect();
        if !missing.is_empty() {
            found.extend(self.load_stock(&missing).await?);
        }
        Ok(found)
    }

    /// The SKU's stock from memory, where every level of it is there.
    async fn remembered(&self, sku: &Sku) -> Result<Option<Stock>, Failure> {
        let Some(entry) = self.directory.find(&self.pool, sku, None).await? else { return Ok(None) };
        let known = self.lanes.cache().levels(entry.levels.iter().map(|level| level.id));
        let levels = entry
            .levels
            .iter()
            .map(|level_ref| {
                let level = *known.get(&level_ref.id)?;
                Some(StockLevel { level_ref: level_ref.clone(), level, updated_at: None })
            })
            .collect::<Option<Vec<_>>>();
        Ok(levels.map(|levels| Stock { sku: sku.clone(), levels }))
    }

    pub(crate) async fn load_stock(&self, skus: &[&str]) -> Result<HashMap<Sku, Stock>, Failure> {
        let connection = self.pool.get().await.map_err(pg::Error::from)?;
        let rows = load_stock(&*connection, skus).await?;
        Ok(rows
            .into_iter()
            .map(|(sku, levels)| {
                let levels = levels
                    .into_iter()
                    .map(|named| StockLevel {
                        level_ref: named.level_ref,
                        level: named.level,
                        updated_at: Some(named.updated_at),
                    })
                    .collect();
                (sku.clone(), Stock { sku, levels })
            })
            .collect())
    }

    /// One page of a SKU's ledger, by level, then oldest first; with the names of the levels.
    pub(crate) async fn list_movements(
        &self,
        sku: &Sku,
        location: Option<&LocationId>,
        after: Option<LedgerPosition>,
        limit: i64,
    ) -> Result<Vec<(LevelRef, Movement)>, Failure> {
        let found = self.directory.find(&self.pool, sku, Some(super::directory::REFUSAL_AGE_MAX)).await?;
        let entry = found.ok_or_else(|| Failure::SkuNotFound(sku.clone()))?;
        let levels: HashMap<LevelId, &LevelRef> = entry
            .levels
            .iter()
            .filter(|level| location.is_none_or(|location| level.location == *location))
            .map(|level| (level.id, level))
            .collect();
        let ids: Vec<i64> = levels.keys().map(|id| id.0).collect();
        let after = after.map_or((LevelId(0), Version(0)), |position| (position.level, position.version));
        let connection = self.pool.get().await.map_err(pg::Error::from)?;
        let movements = list_movements(&*connection, &ids, after, limit).await?;
        Ok(movements
            .into_iter()
            .filter_map(|movement| levels.get(&movement.level).map(|level| ((*level).clone(), movement)))
            .collect())
    }
}

/// Our own clock, for guesses that the database's confirms.
pub(crate) fn system_now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
