//! The stock's changes as they happen.

use holdfast_contracts::Sku;
use holdfast_contracts::events::v1::movement::Kind;
use holdfast_contracts::inventory::v1::watch_stock_response::{self, Event};
use holdfast_contracts::inventory::v1::{WatchStockRequest, WatchStockResponse};
use tonic::Streaming;

use super::error::CallError;
use super::sse::EventStream;
use super::{LOCATION, Level, Shop, level_of, nanoseconds};

/// What a movement does to a level.
pub(crate) type Effect = Kind;

/// One step of a watch, at [`LOCATION`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StockEvent {
    /// The state to start over from.
    Reset(Vec<(String, Level)>),
    Change(Change),
}

/// One movement and the level it left behind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) sku: String,
    pub(crate) effect: Effect,
    pub(crate) units: i64,
    /// Empty where no reservation is behind it.
    pub(crate) reservation: String,
    /// By the shop's clock.
    pub(crate) at_ns: i128,
    pub(crate) level: Level,
}

/// What came over a watch.
#[derive(Debug)]
pub(crate) struct Step {
    /// None where it was about another location.
    pub(crate) event: Option<StockEvent>,
    /// Where to go on after it.
    pub(crate) cursor: String,
}

/// An open watch.
pub(crate) enum Watch {
    Grpc(Box<Streaming<WatchStockResponse>>),
    Rest(Box<EventStream<WatchStockRequest>>),
}

impl Shop {
    /// Watches from a cursor on; from the state now where it is empty.
    pub(crate) async fn watch(&self, skus: &[Sku], cursor: &str) -> Result<Watch, CallError> {
        let request = WatchStockRequest { sku: skus.iter().map(Sku::to_string).collect(), cursor: cursor.to_owned() };
        Ok(match self {
            Self::Grpc(wire) => Watch::Grpc(Box::new(wire.stream(request).await?)),
            Self::Rest(wire) => Watch::Rest(Box::new(wire.stream(request).await?)),
        })
    }
}

impl Watch {
    /// The next step and the cursor after it; none where the shop ended the stream. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Step>, CallError> {
        let step = match self {
            Self::Grpc(stream) => stream.message().await.map_err(CallError::from)?,
            Self::Rest(stream) => stream.next().await?,
        };
        let Some(step) = step else { return Ok(None) };
        let event = step.event.map(parse).transpose()?.flatten();
        Ok(Some(Step { event, cursor: step.cursor }))
    }
}

/// The event at [`LOCATION`]; none where the change was elsewhere.
fn parse(event: Event) -> Result<Option<StockEvent>, CallError> {
    match event {
        Event::Reset(watch_stock_response::Reset { stocks }) => {
            let levels = stocks.into_iter().map(|stock| (stock.sku.clone(), level_of(stock))).collect();
            Ok(Some(StockEvent::Reset(levels)))
        }
        Event::Change(watch_stock_response::Change { movement, level }) => {
            let (Some(movement), Some(level)) = (movement, level) else {
                return Err(CallError::Foreign("a change without its movement or level".to_owned()));
            };
            if movement.version != level.version {
                let (sku, movement, level) = (movement.sku, movement.version, level.version);
                return Err(CallError::Foreign(format!("{sku}: movement {movement} came with level {level}")));
            }
            let is_ours = movement.location_id == LOCATION;
            let change = Change {
                effect: movement.kind(),
                units: movement.quantity,
                at_ns: nanoseconds(movement.create_time),
                level: level.into(),
                sku: movement.sku,
                reservation: movement.reservation_id,
            };
            Ok(is_ours.then_some(StockEvent::Change(change)))
        }
    }
}
