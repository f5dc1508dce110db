//! What can be bought right now.

use std::collections::HashSet;

use futures_util::FutureExt as _;
use holdfast_contracts::Sku;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::inventory::v1::{BatchGetStockRequest, ReadConsistency, Stock};
use holdfast_platform::client::Wire;
use holdfast_platform::deadline::Deadline;

use super::{AskError, ask};

/// How many SKUs one question names: with levels at some twenty locations each, the answer still fits one message.
const SKUS_PER_ASK_MAX: usize = 500;

/// The inventory's stock.
#[derive(Debug, Clone)]
pub(crate) struct Inventory {
    client: InventoryServiceClient<Wire>,
}

impl Inventory {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { client: InventoryServiceClient::new(wire) }
    }

    /// Those of the SKUs of which a unit can be reserved. Strong reads: a cached answer does not say how old it is, so
    /// nobody could refuse a stale one.
    pub(crate) async fn ask_available(&self, skus: &[Sku], deadline: Deadline) -> Result<HashSet<Sku>, AskError> {
        let mut available = HashSet::new();
        for skus in skus.chunks(SKUS_PER_ASK_MAX) {
            let request = deadline.request(BatchGetStockRequest {
                skus: skus.iter().map(Sku::to_string).collect(),
                consistency: ReadConsistency::Strong.into(),
            });
            let answer = ask("stock", deadline, self.client.clone().batch_get_stock(request).boxed()).await?;
            let stocks = answer.stocks.iter().filter(|stock| can_be_reserved(stock));
            available.extend(stocks.filter_map(|stock| stock.sku.parse::<Sku>().ok()));
        }
        Ok(available)
    }
}

/// Level by level: a location below its safety stock takes nothing away from another that has units.
fn can_be_reserved(stock: &Stock) -> bool {
    stock.levels.iter().filter_map(|level| level.quantities.as_ref()).any(|quantities| quantities.available > 0)
}
