//! Goes on with orders whose time has come: left by a process that died, to be tried again, or watched for a late
//! charge. Any number of replicas may do so at once.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::usecase::{Claimed, Orders};

pub(crate) async fn resume(orders: Arc<Orders>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(orders.config().worker_period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(()) = running.next(), if !running.is_empty() => {}
            _ = tick.tick() => {
                let room = orders.config().worker_orders_max.saturating_sub(running.len());
                for claimed in claim(&orders, room).await {
                    running.push(go_on(&orders, claimed));
                }
            }
        }
    }
    while let Some(()) = running.next().await {}
}

async fn claim(orders: &Orders, room: usize) -> Vec<Claimed> {
    if room == 0 {
        return Vec::new();
    }
    match orders.claim_due(room).await {
        Ok(claimed) => claimed,
        Err(error) => {
            warn!(%error, "orders that are due cannot be read");
            Vec::new()
        }
    }
}

async fn go_on(orders: &Orders, claimed: Claimed) {
    let id = claimed.order.id();
    if let Err(error) = orders.run(claimed, None).await {
        warn!(order.id = %id, %error, "order interrupted");
    }
}
