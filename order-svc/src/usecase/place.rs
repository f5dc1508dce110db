//! PlaceOrder: begin the order, or join the one that has its id, and tell how it ended.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::Sku;
use holdfast_platform::deadline::Deadline;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::run::{Claimed, Ran};
use super::{Error, Orders};
use crate::client::inventory::HoldState;
use crate::domain::line::{price_lines, take_over_lines};
use crate::domain::order::{Draft, Hold, Order, OrderId, OrderState};
use crate::domain::place::PlaceOrder;
use crate::domain::saga::Saga;
use crate::metrics::Metrics;
use crate::store;

/// How much earlier than their deadline callers are answered, so that the answer still reaches them.
const ANSWER_MARGIN: Duration = Duration::from_millis(50);
/// How long to wait before looking again at an order that somebody else works on; doubles up to the longest.
const LOOK_FIRST: Duration = Duration::from_millis(20);
const LOOK_MAX: Duration = Duration::from_millis(320);

impl Orders {
    /// Places an order. A repeat goes on where the first stood and answers the same.
    pub(crate) async fn place(self: &Arc<Self>, ask: PlaceOrder, deadline: Deadline) -> Result<Order, Error> {
        let provider =
            self.provider(&ask.method.provider).ok_or_else(|| self.unknown_provider(&ask.method.provider))?;
        provider.check_token(&ask.method.token)?;
        let (id, fingerprint) = (ask.id, ask.fingerprint());
        let permit = self.permit()?;
        let begun = match self.draft(ask, fingerprint, deadline).await {
            Ok(draft) => self.begin(&draft).await?,
            // What holds no longer, held for the first try: a repeat is judged by the order, not by today's shop.
            Err(refusal) => match self.load(id).await? {
                Some(_) => None,
                None => return Err(refusal),
            },
        };
        if begun.is_none() {
            Metrics::get().replays.add(1);
        }
        let begun = begun.map(|claimed| (claimed, permit));
        let order = self.follow(id, begun, deadline, |order| check_same(order, fingerprint), Saga::is_answered).await?;
        match order.saga.failure {
            Some(ref failure) if !order.saga.is_cancelled_by_customer() && is_undone(&order) => {
                Err(Error::Failed(Box::new(failure.clone())))
            }
            Some(_) | None => Ok(order),
        }
    }

    /// Works on an order, or waits for whoever does, until it is as `done` wants it or the caller waits no longer.
    pub(super) async fn follow(
        self: &Arc<Self>,
        id: OrderId,
        begun: Option<(Claimed, OwnedSemaphorePermit)>,
        deadline: Deadline,
        check: impl Fn(&Order) -> Result<(), Error>,
        done: impl Fn(&Saga) -> bool,
    ) -> Result<Order, Error> {
        let answer_by = deadline.instant().checked_sub(ANSWER_MARGIN).unwrap_or_else(Instant::now);
        let mut claimed = begun;
        let mut look_after = LOOK_FIRST;
        let mut is_stuck = false;
        loop {
            if let Some((claimed, permit)) = claimed.take() {
                match tokio::time::timeout_at(answer_by, self.spawn_run(claimed, permit)).await {
                    Ok(Ok(Ok(Ran::Paused(order)))) if done(&order.saga) => return Ok(*order),
                    Ok(Ok(Ok(Ran::Paused(_)))) => is_stuck = true,
                    Ok(Ok(Ok(Ran::Lost))) => {}
                    Ok(Ok(Err(error))) => return Err(error),
                    // The task panicked, which is logged; the lease will run out.
                    Ok(Err(_)) => return Err(Error::Stuck(id)),
                    Err(_) => return Err(Error::Busy(id)),
                }
            }
            let order = self.load(id).await?.ok_or(Error::NotFound(id))?;
            check(&order)?;
            if done(&order.saga) {
                return Ok(order);
            }
            let look_at = Instant::now() + look_after;
            if look_at >= answer_by {
                return Err(if is_stuck { Error::Stuck(id) } else { Error::Busy(id) });
            }
            tokio::time::sleep_until(look_at).await;
            look_after = (look_after * 2).min(LOOK_MAX);
            // Without a permit this caller goes on waiting; the worker needs none.
            if let Ok(permit) = self.permit() {
                claimed = self.claim(id).await?.map(|claimed| (claimed, permit));
            }
        }
    }

    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.in_flight).try_acquire_owned().map_err(|_| Error::Overloaded)
    }

    pub(super) async fn load(&self, id: OrderId) -> Result<Option<Order>, Error> {
        let db = store::connection(&self.pool).await?;
        Ok(store::load_order(&*db, id).await?)
    }

    /// Everything that must be known before the order is written down: lines and prices.
    async fn draft(&self, ask: PlaceOrder, fingerprint: i64, deadline: Deadline) -> Result<Draft, Error> {
        let lines = match ask.reservation_id {
            None => ask.lines,
            Some(id) => {
                let reservation = self.inventory.ask_reservation(id, deadline.remaining()).await?;
                if reservation.customer != ask.customer.as_str() {
                    return Err(Error::ReservationNotFound(id));
                }
                match reservation.state {
                    HoldState::Held => {}
                    HoldState::Expired => return Err(Error::ReservationExpired(id)),
                    HoldState::Paying => return Err(Error::ReservationNotHeld { id, state: "a payment under way" }),
                    HoldState::Confirmed => return Err(Error::ReservationNotHeld { id, state: "been bought" }),
                    HoldState::Released => return Err(Error::ReservationNotHeld { id, state: "been released" }),
                }
                take_over_lines(reservation.lines, &ask.lines)?
            }
        };
        let skus: Vec<Sku> = lines.iter().map(|line| line.sku.clone()).collect();
        let catalogue = self.inventory.ask_prices(&skus, deadline.remaining()).await?;
        let basket = price_lines(&lines, &catalogue)?;
        Ok(Draft {
            id: ask.id,
            fingerprint,
            customer: ask.customer,
            lines: basket.lines,
            total: basket.total,
            method: ask.method,
            hold: Hold {
                reservation_id: ask.reservation_id.unwrap_or_else(|| ask.id.reservation_id()),
                taken_over: ask.reservation_id.is_some(),
            },
        })
    }

    /// Writes the order down; `None` where one has its id already.
    async fn begin(&self, draft: &Draft) -> Result<Option<Claimed>, Error> {
        let leased = Instant::now();
        let inserted = {
            let db = store::connection(&self.pool).await?;
            store::insert_order(&*db, draft, self.config.lease).await?
        };
        match inserted {
            Some(order) => {
                Metrics::get().orders.of((order.saga.state,)).add(1);
                Ok(Some(Claimed::new(order, leased)))
            }
            None => match self.load(draft.id).await? {
                Some(_) => Ok(None),
                None => Err(Error::ReservationTaken(draft.hold.reservation_id)),
            },
        }
    }

    fn unknown_provider(&self, name: &str) -> Error {
        let known: Vec<&str> = self.providers.iter().map(|provider| provider.name()).collect();
        Error::ProviderUnknown { name: name.to_owned(), known: known.join(", ") }
    }
}

fn check_same(order: &Order, fingerprint: i64) -> Result<(), Error> {
    if order.draft.fingerprint == fingerprint { Ok(()) } else { Err(Error::RequestIdReused(order.id())) }
}

fn is_undone(order: &Order) -> bool {
    match order.saga.state {
        OrderState::Cancelled => true,
        OrderState::Pending | OrderState::Placed => false,
    }
}
