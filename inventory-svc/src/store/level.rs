//! Stock levels.

use std::collections::HashMap;

use holdfast_contracts::{LocationId, Sku};
use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;

use super::stored;
use crate::domain::level::{Level, LevelId, LevelRef, Quantities, Version};
use crate::domain::time::Micros;

/// Levels as they stand; those that do not exist are missing.
pub(crate) async fn load_levels(db: &impl Execute, ids: &[i64]) -> Result<HashMap<LevelId, Level>, Error> {
    let rows = db.query(include_str!("sql/load_levels.sql"), &[&ids]).await?;
    Ok(rows.iter().map(|row| (LevelId(row.get("id")), read_level(row))).collect())
}

/// The same, locked until the transaction ends.
pub(crate) async fn lock_levels(db: &impl Execute, ids: &[i64]) -> Result<HashMap<LevelId, Level>, Error> {
    let rows = db.query(include_str!("sql/lock_levels.sql"), &[&ids]).await?;
    Ok(rows.iter().map(|row| (LevelId(row.get("id")), read_level(row))).collect())
}

/// Whether the log of commits would tell what this transaction does to its locked levels before what was done to them
/// earlier: its number is from its first lock, and others with later ones were quicker at the rest.
pub(crate) async fn is_overtaken(db: &impl Execute, ids: &[i64]) -> Result<bool, Error> {
    Ok(db.query_one(include_str!("sql/is_overtaken.sql"), &[&ids]).await?.get("overtaken"))
}

/// The transaction's time.
pub(crate) async fn load_now(db: &impl Execute) -> Result<Micros, Error> {
    Ok(Micros(db.query_one(include_str!("sql/load_now.sql"), &[]).await?.get("now_us")))
}

/// Which levels each SKU has, in the order a reservation picks them. A SKU that does not exist is missing; one that
/// has no level has an empty list.
pub(crate) async fn load_sku_levels(db: &impl Execute, skus: &[&str]) -> Result<HashMap<Sku, Vec<LevelRef>>, Error> {
    let rows = db.query(include_str!("sql/load_sku_levels.sql"), &[&skus]).await?;
    let mut levels: HashMap<Sku, Vec<LevelRef>> = HashMap::new();
    for row in &rows {
        let sku: Sku = stored(row.get("sku"));
        let list = levels.entry(sku.clone()).or_default();
        if let Some(id) = row.get::<_, Option<i64>>("id") {
            list.push(LevelRef { id: LevelId(id), sku, location: stored(row.get("location_id")) });
        }
    }
    Ok(levels)
}

/// Makes an empty level where there is none; does nothing where there is one, or no such SKU or location.
pub(crate) async fn ensure_level(db: &impl Execute, sku: &Sku, location: &LocationId) -> Result<(), Error> {
    db.execute(include_str!("sql/ensure_level.sql"), &[&sku.as_str(), &location.as_str()]).await?;
    Ok(())
}

pub(crate) async fn location_exists(db: &impl Execute, location: &LocationId) -> Result<bool, Error> {
    Ok(db.query_one(include_str!("sql/location_exists.sql"), &[&location.as_str()]).await?.get("found"))
}

/// Units promised beyond what is there, over all levels. Cost: a pass over every level.
pub(crate) async fn load_oversold(db: &impl Execute) -> Result<i64, Error> {
    Ok(db.query_one(include_str!("sql/load_oversold.sql"), &[]).await?.get("units"))
}

/// A level with its names and the time of its last effect.
#[derive(Debug, Clone)]
pub(crate) struct NamedLevel {
    pub level_ref: LevelRef,
    pub level: Level,
    pub updated_at: Micros,
}

/// Each SKU's levels with their quantities; as [`load_sku_levels`] otherwise.
pub(crate) async fn load_stock(db: &impl Execute, skus: &[&str]) -> Result<HashMap<Sku, Vec<NamedLevel>>, Error> {
    let rows = db.query(include_str!("sql/load_stock.sql"), &[&skus]).await?;
    let mut stock: HashMap<Sku, Vec<NamedLevel>> = HashMap::new();
    for row in &rows {
        let sku: Sku = stored(row.get("sku"));
        let list = stock.entry(sku.clone()).or_default();
        if let Some(id) = row.get::<_, Option<i64>>("id") {
            list.push(NamedLevel {
                level_ref: LevelRef { id: LevelId(id), sku, location: stored(row.get("location_id")) },
                level: read_level(row),
                updated_at: Micros(row.get("updated_us")),
            });
        }
    }
    Ok(stock)
}

fn read_level(row: &Row) -> Level {
    Level {
        quantities: Quantities {
            on_hand: row.get("on_hand"),
            unavailable: row.get("unavailable"),
            safety: row.get("safety"),
            held: row.get("held"),
            committed: row.get("committed"),
            incoming: row.get("incoming"),
            in_transit: row.get("in_transit"),
        },
        version: Version(row.get("version")),
    }
}
