//! Before the doors open: what is sold exists, and exactly so many units of it are available.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::{RequestId, Sku};
use tokio::time::{Instant, sleep};

use super::plan::Item;
use super::shop::{Level, Listing, Shop};

/// How long the holds of an earlier drop are waited for.
const LEFTOVERS_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a level may change under the adjustment.
const TRIES_MAX: usize = 10;

/// Sets the stage; gives the levels the drop starts from.
pub(crate) async fn stage(shop: &Shop, title: &Sku, items: &[Item]) -> anyhow::Result<Vec<Level>> {
    let listings: Vec<Listing> =
        items.iter().map(|item| Listing { sku: item.sku.clone(), size: item.size.clone() }).collect();
    shop.list(title.as_str(), &listings).await.context("cannot prepare what is to be sold")?;
    let skus: Vec<Sku> = items.iter().map(|item| item.sku.clone()).collect();
    wait_for_leftovers(shop, &skus).await?;
    for item in items {
        supply(shop, item).await.with_context(|| format!("cannot set the stock of {}", item.sku))?;
    }
    let levels = shop.stock(&skus).await.context("cannot read the stock")?;
    for (item, level) in items.iter().zip(&levels) {
        ensure!(
            u64::try_from(level.available).is_ok_and(|available| available == item.units),
            "{} has {} units available instead of {}: somebody else is shopping here",
            item.sku,
            level.available,
            item.units
        );
    }
    Ok(levels)
}

/// Holds that end during the drop would bring more units than are for sale. Whatever outlasts the wait is counted in.
async fn wait_for_leftovers(shop: &Shop, skus: &[Sku]) -> anyhow::Result<()> {
    let give_up = Instant::now() + LEFTOVERS_MAX;
    loop {
        let levels = shop.stock(skus).await.context("cannot read the stock")?;
        if levels.iter().all(|level| level.held == 0) || Instant::now() >= give_up {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Raises or lowers what is on hand until the item's units are available.
async fn supply(shop: &Shop, item: &Item) -> anyhow::Result<()> {
    let units = i64::try_from(item.units)?;
    for _ in 0..TRIES_MAX {
        let level = shop.stock(std::slice::from_ref(&item.sku)).await?.into_iter().next().unwrap_or_default();
        if level.available == units {
            return Ok(());
        }
        match shop.adjust(RequestId::now_v7(), &item.sku, units - level.available, level).await {
            Ok(_) => return Ok(()),
            // It changed in between: look again.
            Err(error) if error.reason() == Some(Reason::StockVersionMismatch) => {}
            Err(error) => return Err(error.into()),
        }
    }
    anyhow::bail!("it changes faster than it can be set")
}
