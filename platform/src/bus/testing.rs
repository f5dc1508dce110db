//! The laws of every bus, as a suite: `suite::keeps_order_per_key(&world, bus).await`. The world is a database with a
//! ledger (schema `shop`, topic `shop`) and a consumer of it (schema `till`); an implementation brings the bus, and a
//! relay where it needs one.

pub mod suite;
mod world;

pub use world::{Count, Late, World};

use std::time::Duration;

use super::ledger::Ledger;
use super::{Delivery, Offset};

/// Events of a ledger after a place, once there are at least so many. What is committed may wait for transactions still
/// running anywhere on the server, those of other tests too.
///
/// # Panics
/// Where that takes too long, or the ledger cannot be read.
pub async fn read_at_least(ledger: &mut Ledger, after: Offset, count: usize) -> Vec<Delivery> {
    let read = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let told = ledger.read(after, 10_000).await.expect("the ledger is read");
            if told.len() >= count {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    read.await.expect("the events are published in time")
}
