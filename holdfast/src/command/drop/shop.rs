//! The shop as a shopper's client sees it: typed verbs over either door. Generated types stay in here.

mod catalogue;
mod error;
mod grpc;
mod rest;
mod route;
mod rpc;
mod sse;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1::{
    AdjustStockRequest, BatchGetStockRequest, GetReservationRequest, GetStockRequest, ReadConsistency, Reservation,
    ReserveRequest, Stock, StockLevel, adjust_stock_request, reserve_request,
};
use holdfast_contracts::order::v1::{GetOrderRequest, Order, PlaceOrderRequest, place_order_request};
use holdfast_contracts::{CustomerId, RequestId, Sku};

pub(crate) use self::catalogue::Listing;
pub(crate) use self::error::CallError;
use self::grpc::GrpcWire;
use self::rest::RestWire;
use self::rpc::Rpc;
pub(crate) use self::watch::{Change, Effect, Step, StockEvent, Watch};
pub(crate) use holdfast_contracts::inventory::v1::reservation::State as HoldState;
pub(crate) use holdfast_contracts::order::v1::order::State as OrderState;

/// Where a drop's stock is kept.
pub(crate) const LOCATION: &str = "main";
/// How long one call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an order may take: it waits for a payment provider.
const ORDER_TIMEOUT: Duration = Duration::from_secs(30);

/// Which door is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Via {
    Grpc,
    Rest,
}

/// A door to the shop; clones share its connections.
#[derive(Debug, Clone)]
pub(crate) enum Shop {
    Grpc(GrpcWire),
    Rest(Arc<RestWire>),
}

/// One SKU's stock at [`LOCATION`], in units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Level {
    pub(crate) on_hand: i64,
    pub(crate) unavailable: i64,
    pub(crate) safety: i64,
    pub(crate) held: i64,
    pub(crate) committed: i64,
    pub(crate) available: i64,
    pub(crate) version: i64,
}

impl Level {
    /// Units promised beyond what is there: never above zero.
    pub(crate) fn oversold_units(&self) -> i64 {
        (self.held + self.committed - (self.on_hand - self.unavailable)).max(0)
    }
}

/// A reservation, as the shop tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hold {
    pub(crate) id: String,
    pub(crate) state: HoldState,
    pub(crate) units: i64,
    /// Nanoseconds since the epoch, by the shop's clock.
    pub(crate) expires_ns: i128,
}

/// An order, as the shop tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sale {
    pub(crate) id: String,
    pub(crate) state: OrderState,
    /// Why it was undone, where it was and the reason is of the closed list.
    pub(crate) undone: Option<Reason>,
    pub(crate) units: i64,
    pub(crate) reservation: String,
}

impl Sale {
    pub(crate) fn is_placed(&self) -> bool {
        match self.state {
            OrderState::Placed | OrderState::Completed => true,
            OrderState::Unspecified
            | OrderState::Draft
            | OrderState::Pending
            | OrderState::Cancelled
            | OrderState::Expired => false,
        }
    }
}

impl Shop {
    /// Connects when first used.
    pub(crate) fn new(via: Via, url: &str, concurrency: usize) -> anyhow::Result<Self> {
        Ok(match via {
            Via::Grpc => Self::Grpc(GrpcWire::new(url, concurrency)?),
            Via::Rest => Self::Rest(Arc::new(RestWire::new(url)?)),
        })
    }

    /// What a product page shows; may lag behind.
    pub(crate) async fn view(&self, sku: &Sku) -> Result<Level, CallError> {
        let request = GetStockRequest { sku: sku.to_string(), consistency: ReadConsistency::Cached.into() };
        Ok(level_of(self.call(request, CALL_TIMEOUT).await?))
    }

    /// The stock as the database has it, in the order asked; none for a SKU without stock at [`LOCATION`].
    pub(crate) async fn stock(&self, skus: &[Sku]) -> Result<Vec<Level>, CallError> {
        let skus: Vec<String> = skus.iter().map(Sku::to_string).collect();
        let request = BatchGetStockRequest { skus: skus.clone(), consistency: ReadConsistency::Strong.into() };
        let answer = self.call(request, CALL_TIMEOUT).await?;
        let mut levels = vec![Level::default(); skus.len()];
        for stock in answer.stocks {
            let Some(place) = skus.iter().position(|sku| *sku == stock.sku) else {
                return Err(CallError::Foreign(format!("stock of {}, which was not asked for", stock.sku)));
            };
            levels[place] = level_of(stock);
        }
        Ok(levels)
    }

    /// Changes what is on hand, provided the level is still as it was seen.
    pub(crate) async fn adjust(&self, id: RequestId, sku: &Sku, units: i64, seen: Level) -> Result<Level, CallError> {
        let request = AdjustStockRequest {
            request_id: id.to_string(),
            sku: sku.to_string(),
            location_id: LOCATION.to_owned(),
            reason: adjust_stock_request::Reason::Counted.into(),
            quantity: adjust_stock_request::Quantity::OnHand.into(),
            change: Some(adjust_stock_request::Change::Delta(units)),
            expected_version: Some(seen.version),
        };
        Ok(self.call(request, CALL_TIMEOUT).await?.into())
    }

    /// Holds units for a shopper.
    pub(crate) async fn hold(
        &self,
        id: RequestId,
        customer: &CustomerId,
        sku: &Sku,
        units: i32,
        ttl: Duration,
    ) -> Result<Hold, CallError> {
        let line = reserve_request::Line {
            sku: sku.to_string(),
            quantity: units,
            location_id: LOCATION.to_owned(),
            expected_version: None,
        };
        let ttl = prost_types::Duration::try_from(ttl).map_err(|error| CallError::Foreign(error.to_string()))?;
        let request = ReserveRequest {
            request_id: id.to_string(),
            customer_id: customer.to_string(),
            lines: vec![line],
            ttl: Some(ttl),
        };
        Ok(self.call(request, CALL_TIMEOUT).await?.into())
    }

    pub(crate) async fn find_hold(&self, id: RequestId) -> Result<Hold, CallError> {
        Ok(self.call(GetReservationRequest { id: id.to_string() }, CALL_TIMEOUT).await?.into())
    }

    /// Buys what a hold holds.
    pub(crate) async fn buy(
        &self,
        id: RequestId,
        customer: &CustomerId,
        hold: RequestId,
        token: &str,
    ) -> Result<Sale, CallError> {
        let request = PlaceOrderRequest {
            request_id: id.to_string(),
            customer_id: customer.to_string(),
            lines: Vec::new(),
            payment: Some(place_order_request::PaymentMethod {
                provider: "sandbox".to_owned(),
                token: token.to_owned(),
            }),
            reservation_id: hold.to_string(),
        };
        Ok(self.call(request, ORDER_TIMEOUT).await?.into())
    }

    pub(crate) async fn find_sale(&self, id: RequestId) -> Result<Sale, CallError> {
        Ok(self.call(GetOrderRequest { id: id.to_string() }, CALL_TIMEOUT).await?.into())
    }

    async fn call<R: Rpc>(&self, request: R, timeout: Duration) -> Result<R::Answer, CallError> {
        match self {
            Self::Grpc(wire) => wire.call(request, timeout).await,
            Self::Rest(wire) => wire.call(request, timeout).await,
        }
    }
}

/// The level at [`LOCATION`]; an empty one at version 0 where there is none yet.
fn level_of(stock: Stock) -> Level {
    stock.levels.into_iter().find(|level| level.location_id == LOCATION).map(Level::from).unwrap_or_default()
}

impl From<StockLevel> for Level {
    fn from(level: StockLevel) -> Self {
        let quantities = level.quantities.unwrap_or_default();
        Self {
            on_hand: quantities.on_hand,
            unavailable: quantities.unavailable,
            safety: quantities.safety,
            held: quantities.held,
            committed: quantities.committed,
            available: quantities.available,
            version: level.version,
        }
    }
}

impl From<Reservation> for Hold {
    fn from(hold: Reservation) -> Self {
        Self {
            state: hold.state(),
            units: hold.lines.iter().map(|line| i64::from(line.quantity)).sum(),
            expires_ns: nanoseconds(hold.expire_time),
            id: hold.id,
        }
    }
}

impl From<Order> for Sale {
    fn from(order: Order) -> Self {
        Self {
            state: order.state(),
            undone: Reason::from_str_name(&order.cancel_reason),
            units: order.lines.iter().map(|line| i64::from(line.quantity)).sum(),
            id: order.id,
            reservation: order.reservation_id,
        }
    }
}

fn nanoseconds(time: Option<prost_types::Timestamp>) -> i128 {
    time.map_or(0, |time| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos))
}
