//! Learns from the orders' events what was bought. A placed order is one purchase of each of its products, once: the
//! event's id makes the purchases'.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use holdfast_contracts::events::v1::{Envelope, OrderChanged};
use holdfast_contracts::order::v1::order::State;
use holdfast_contracts::order::v1::payment::State as PaymentState;
use holdfast_contracts::{CustomerId, ProductId, RequestId, Sku};
use holdfast_platform::bus::{HandleError, Handler, decode};
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg::Transaction;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::client::Catalog;
use crate::domain::{Actor, Event, Kind, Time};
use crate::store;

pub(crate) const TOPIC: &str = "orders";
pub(crate) const GROUP: &str = "recs.purchases";

const ORDER_CHANGED: &str = "holdfast.events.v1.OrderChanged";
/// How long the catalogue may take to tell which products SKUs are of.
const CATALOG_TIMEOUT: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Purchases {
    pub(crate) catalog: Catalog,
    /// Wakes the tail of the log.
    pub(crate) recorded: Arc<Notify>,
}

/// A placed order, as far as it matters here.
struct Bought {
    event_id: Uuid,
    customer: CustomerId,
    skus: BTreeSet<Sku>,
    time: Time,
}

impl Handler for Purchases {
    type Prepared = Vec<Event>;

    async fn prepare(&self, events: &[Envelope]) -> Result<Vec<Event>, HandleError> {
        let bought = events.iter().map(read_order).collect::<Result<Vec<_>, _>>()?;
        let bought: Vec<Bought> = bought.into_iter().flatten().collect();
        let skus: BTreeSet<Sku> = bought.iter().flat_map(|order| order.skus.iter().cloned()).collect();
        let products = self.catalog.ask_products(&skus, Deadline::after(CATALOG_TIMEOUT)).await;
        let products = products.map_err(|error| HandleError::Later(error.to_string()))?;
        let purchases = bought.iter().flat_map(|order| {
            // What the catalogue does not know cannot be recommended either.
            let products: BTreeSet<&ProductId> = order.skus.iter().filter_map(|sku| products.get(sku)).collect();
            products.into_iter().map(|product| purchase(order, product))
        });
        Ok(purchases.collect())
    }

    async fn apply(&self, tx: &Transaction<'_>, purchases: Vec<Event>) -> Result<(), HandleError> {
        if !purchases.is_empty() {
            store::event::insert_events(tx, &purchases).await?;
            // Not durable yet: a tail that is too quick looks again by itself.
            self.recorded.notify_one();
        }
        Ok(())
    }
}

/// None where it says nothing new about what was bought.
fn read_order(event: &Envelope) -> Result<Option<Bought>, HandleError> {
    let order: OrderChanged = decode(event, ORDER_CHANGED)?;
    if (order.state(), order.payment_state()) != (State::Placed, PaymentState::Captured) {
        return Ok(None);
    }
    let poison = |what: &str, problem: &dyn std::fmt::Display| HandleError::Poison(format!("{what} {problem}"));
    let skus = order.lines.iter().map(|line| line.sku.parse());
    let time = event.occur_time.and_then(|time| SystemTime::try_from(time).ok());
    Ok(Some(Bought {
        event_id: event.id.parse().map_err(|problem| poison("id", &problem))?,
        customer: order.customer_id.parse().map_err(|problem| poison("customer_id", &problem))?,
        skus: skus.collect::<Result<_, _>>().map_err(|problem| poison("lines.sku", &problem))?,
        time: time.ok_or_else(|| poison("occur_time", &"is not a time"))?.into(),
    }))
}

fn purchase(order: &Bought, product: &ProductId) -> Event {
    Event {
        id: RequestId::from_uuid(Uuid::new_v5(&order.event_id, product.as_str().as_bytes())),
        kind: Kind::Purchase,
        actor: Actor::Known { customer: order.customer.clone(), session: None },
        product: product.clone(),
        time: order.time,
    }
}
