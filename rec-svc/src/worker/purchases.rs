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
use tonic::Code;
use uuid::Uuid;

use crate::client::{AskError, Catalog};
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

/// How many SKUs a batch may ask for, so that the time is enough: where there are more, its orders come one by one.
const SKUS_PER_BATCH_MAX: usize = 5_000;

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
        if events.len() > 1 && skus.len() > SKUS_PER_BATCH_MAX {
            return Err(HandleError::Poison(format!("a batch of {} SKUs is too large", skus.len())));
        }
        let products = self.catalog.ask_products(&skus, Deadline::after(CATALOG_TIMEOUT)).await;
        let products = products.map_err(refusal)?;
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

/// What the catalogue calls the asker's fault is so every time.
fn refusal(error: AskError) -> HandleError {
    match error {
        AskError::Unavailable { ref cause, .. }
            if matches!(cause.code(), Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition) =>
        {
            HandleError::Poison(error.to_string())
        }
        error => HandleError::Later(error.to_string()),
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

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    #[test]
    fn what_the_catalogue_refuses_for_good_is_poison_and_all_else_comes_later() {
        let refused = |status| refusal(AskError::Unavailable { what: "products", cause: Box::new(status) });
        assert!(matches!(refused(Status::invalid_argument("bad")), HandleError::Poison(_)));
        assert!(matches!(refused(Status::unavailable("away")), HandleError::Later(_)));
        assert!(matches!(refusal(AskError::Deadline { what: "products" }), HandleError::Later(_)));
    }
}
