//! The shop floor: shelves, doors, and everybody who comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use holdfast_contracts::Sku;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::options::{Options, Times};
use super::plan::{Item, Plan};
use super::shop::Shop;
use super::shopper::visit;
use super::tally::Visit;
use crate::output::Progress;

/// One SKU and how many of it have been sold to shoppers.
pub(crate) struct Shelf {
    pub(crate) sku: Sku,
    units: u64,
    sold: AtomicU64,
    /// True once every unit is sold.
    pub(crate) sold_out: watch::Sender<bool>,
}

impl Shelf {
    fn new(item: &Item) -> Self {
        let sold_out = watch::Sender::new(item.units == 0);
        Self { sku: item.sku.clone(), units: item.units, sold: AtomicU64::new(0), sold_out }
    }

    pub(crate) fn sell(&self, units: u64) {
        let sold = self.sold.fetch_add(units, Ordering::Relaxed) + units;
        if sold >= self.units {
            self.sold_out.send_replace(true);
        }
    }
}

/// What all shoppers share.
pub(crate) struct Floor {
    pub(crate) shop: Shop,
    pub(crate) shelves: Vec<Shelf>,
    /// As many shoppers are inside at a time.
    pub(crate) doors: Semaphore,
    pub(crate) opened: Instant,
    pub(crate) times: Times,
    /// What this run's customers are called.
    pub(crate) run: String,
}

impl Floor {
    pub(crate) fn new(shop: Shop, plan: &Plan, options: &Options, opened: Instant) -> Self {
        Self {
            shop,
            shelves: plan.items.iter().map(Shelf::new).collect(),
            doors: Semaphore::new(options.concurrency),
            opened,
            times: options.times,
            run: format!("drop-{}", options.seed),
        }
    }
}

/// Lets the shoppers in as they arrive, and waits for the last to leave.
pub(crate) async fn play(floor: &Arc<Floor>, plan: &Plan, progress: &Progress) -> anyhow::Result<Vec<Visit>> {
    let mut inside = JoinSet::new();
    let mut visits = Vec::with_capacity(plan.shoppers.len());
    for (number, shopper) in plan.shoppers.iter().enumerate() {
        sleep_until(floor.opened + shopper.arrives).await;
        inside.spawn(visit(Arc::clone(floor), number, *shopper));
        while let Some(visit) = inside.try_join_next() {
            visits.push(visit.context("a shopper stopped")?);
            progress.advance(1);
        }
    }
    while let Some(visit) = inside.join_next().await {
        visits.push(visit.context("a shopper stopped")?);
        progress.advance(1);
    }
    Ok(visits)
}
