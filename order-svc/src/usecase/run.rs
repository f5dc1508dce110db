//! The saga's executor: does a step, writes down what follows, goes on.

use std::sync::Arc;
use std::time::Duration;

use holdfast_platform::call::Call;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::peer::Peer;
use holdfast_platform::telemetry::trace;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use tracing::{error, warn};

use super::{Error, Orders};
use crate::domain::line::place_lines;
use crate::domain::order::{Order, OrderId};
use crate::domain::saga::{Pace, Saga, next};
use crate::metrics::{self, Running};
use crate::store::{self, Due, StoreError};

/// How long an order's steps may take until it rests or waits: far more than they need. What is left then is the worker's.
const RUN_TIMEOUT: Duration = Duration::from_mins(1);

/// An order whose lease is ours.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) order: Order,
    /// When the lease was asked for: it lasts at least from then.
    leased: Instant,
}

/// How far a run came.
#[derive(Debug)]
pub(crate) enum Ran {
    /// At rest, or waiting for its next try.
    Paused(Box<Order>),
    /// Somebody else works on it now.
    Lost,
}

impl Claimed {
    pub(crate) const fn new(order: Order, leased: Instant) -> Self {
        Self { order, leased }
    }
}

impl Orders {
    /// Takes an order's lease where nobody works on it.
    pub(crate) async fn claim(&self, id: OrderId) -> Result<Option<Claimed>, Error> {
        let leased = Instant::now();
        let db = store::connection(&self.pool).await?;
        let order = store::claim_order(&*db, id, self.config.lease).await?;
        Ok(order.map(|order| Claimed::new(order, leased)))
    }

    /// Takes the leases of up to `count_max` orders whose time has come.
    pub(crate) async fn claim_due(&self, count_max: usize) -> Result<Vec<Claimed>, Error> {
        let leased = Instant::now();
        let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
        let db = store::connection(&self.pool).await?;
        let orders = store::claim_due_orders(&*db, count_max, self.config.lease).await?;
        // One order that cannot be read holds up none of the others.
        let readable = orders
            .into_iter()
            .filter_map(|order| order.inspect_err(|error| error!(%error, "an order cannot be gone on with")).ok());
        Ok(readable.map(|order| Claimed::new(order, leased)).collect())
    }

    /// Does the order's steps until it rests, must wait or belongs to somebody else. Each step is written down
    /// before its effect (by the step before) and after it; no connection is held in between.
    ///
    /// The steps are a call of their own, which outlasts the one they began in but bears its id and trace: what they ask
    /// of services in this process belongs to an order that was let in, and is not taken for new work.
    pub(crate) async fn run(&self, claimed: Claimed, begun_in: Option<Arc<Call>>) -> Result<Ran, Error> {
        let call = Arc::new(Call {
            deadline: Deadline::after(RUN_TIMEOUT),
            request_id: begun_in.as_ref().and_then(|call| call.request_id.clone()),
            trace: trace::current().or_else(|| begun_in.as_ref().and_then(|call| call.trace)),
            peer: begun_in.map_or(Peer::Anonymous, |call| call.peer.clone()),
        });
        call.scope(self.run_steps(claimed)).await
    }

    async fn run_steps(&self, claimed: Claimed) -> Result<Ran, Error> {
        let Claimed { mut order, mut leased } = claimed;
        let _running = Running::new();
        loop {
            let outcome = self.perform(&order).await;
            let saga = next(&order.saga, outcome.event).map_err(Box::new)?;
            let lines_changed = outcome.held.is_some();
            if let Some(held) = outcome.held {
                place_lines(&mut order.draft.lines, held);
            }
            order.provider_payment_id = outcome.provider_payment_id.or(order.provider_payment_id);
            let pace = saga.pace(&self.config.pacing());
            let due = match pace {
                Pace::Now if leased.elapsed() < self.config.lease / 3 => Due::Keep,
                Pace::Now => {
                    leased = Instant::now();
                    Due::In(self.config.lease)
                }
                Pace::After(delay) => Due::In(delay),
                Pace::Never => Due::Never,
            };
            if !self.save(&mut order, saga, due, lines_changed).await? {
                return Ok(Ran::Lost);
            }
            match pace {
                Pace::Now => {}
                Pace::After(_) | Pace::Never => return Ok(Ran::Paused(Box::new(order))),
            }
        }
    }

    /// Writes the order's new saga, unless somebody else wrote since.
    pub(super) async fn save(
        &self,
        order: &mut Order,
        saga: Saga,
        due: Due,
        lines_changed: bool,
    ) -> Result<bool, StoreError> {
        let told = saga.state != order.saga.state || saga.payment != order.saga.payment;
        let before = std::mem::replace(&mut order.saga, saga);
        let db = store::connection(&self.pool).await?;
        let saved = store::save_order(&*db, order, due, lines_changed, told).await?;
        if saved {
            metrics::count(&before, &order.saga);
        }
        Ok(saved)
    }

    /// Runs an order in a task of its own, which no caller's impatience stops.
    pub(super) fn spawn_run(
        self: &Arc<Self>,
        claimed: Claimed,
        permit: OwnedSemaphorePermit,
    ) -> oneshot::Receiver<Result<Ran, Error>> {
        let (done, result) = oneshot::channel();
        let orders = Arc::clone(self);
        let (id, trace, call) = (claimed.order.id(), trace::current(), Call::current());
        self.tasks.spawn("order", async move {
            let ran = trace::scope(trace, orders.run(claimed, call)).await;
            drop(permit);
            // Where the caller has gone, the error stops here; its lease runs out and the worker goes on.
            if let Err(Err(error)) = done.send(ran) {
                warn!(order.id = %id, %error, "order interrupted");
            }
        });
        result
    }
}
