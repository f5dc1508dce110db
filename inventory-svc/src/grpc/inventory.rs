//! InventoryService.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _};
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryService;
use holdfast_contracts::{RequestId, Sku};
use holdfast_platform::deadline::Deadline;
use holdfast_platform::status::Refusal;
use holdfast_platform::task::Tasks;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::stock;
use super::time::parse_ttl;
use crate::domain::command::Step;
use crate::usecase::Inventory;
use crate::usecase::failure::Failure;
use crate::usecase::read::LedgerPosition;
use crate::usecase::watch::{Cursor, Event, SKUS_MAX};

/// How many SKUs one batch read takes.
const BATCH_SKUS_MAX: usize = 1_000;
const MOVEMENTS_PAGE_DEFAULT: i32 = 100;
const MOVEMENTS_PAGE_MAX: i32 = 1_000;
/// How many steps a watcher may be behind what it was sent before it is held back.
const WATCH_BUFFER: usize = 64;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct InventoryServer {
    inventory: Arc<Inventory>,
    watches: Tasks,
}

impl InventoryServer {
    pub(crate) fn new(inventory: Arc<Inventory>, watches: Tasks) -> Self {
        Self { inventory, watches }
    }

    async fn advance(&self, id: &str, step: Step, deadline: Deadline) -> Result<Response<pb::Reservation>, Status> {
        let reservation = self.inventory.advance(parse_id(id)?, step, deadline).await?;
        Ok(Response::new(reservation.into()))
    }
}

fn parse_id(id: &str) -> Result<RequestId, Refusal> {
    id.parse().map_err(|error| Refusal::invalid("id", error))
}

fn parse_sku(sku: &str) -> Result<Sku, Refusal> {
    sku.parse().map_err(|error| Refusal::invalid("sku", error))
}

fn parse_skus(field: &str, skus: &[String], max: usize) -> Result<Vec<Sku>, Refusal> {
    if skus.is_empty() || skus.len() > max {
        let problem = format!("has {} SKUs: between 1 and {max} are accepted", skus.len());
        return Err(Refusal::invalid(field, problem));
    }
    let parse = |(number, sku): (usize, &String)| {
        sku.parse().map_err(|error| Refusal::invalid(format!("{field}[{number}]"), error))
    };
    skus.iter().enumerate().map(parse).collect()
}

#[tonic::async_trait]
impl InventoryService for InventoryServer {
    async fn get_stock(&self, request: Request<pb::GetStockRequest>) -> Result<Response<pb::Stock>, Status> {
        let request = request.into_inner();
        let sku = parse_sku(&request.sku)?;
        let consistency = request.consistency().into();
        let found = self.inventory.get_stock(std::slice::from_ref(&sku), consistency).await?.remove(&sku);
        Ok(Response::new(found.ok_or(Failure::SkuNotFound(sku))?.into()))
    }

    async fn batch_get_stock(
        &self,
        request: Request<pb::BatchGetStockRequest>,
    ) -> Result<Response<pb::BatchGetStockResponse>, Status> {
        let request = request.into_inner();
        let skus = parse_skus("skus", &request.skus, BATCH_SKUS_MAX)?;
        let found = self.inventory.get_stock(&skus, request.consistency().into()).await?;
        let mut response = pb::BatchGetStockResponse::default();
        for sku in &skus {
            match found.get(sku) {
                Some(stock) => response.stocks.push(stock.clone().into()),
                None => response.not_found.push(sku.to_string()),
            }
        }
        Ok(Response::new(response))
    }

    type WatchStockStream = Pin<Box<dyn Stream<Item = Result<pb::WatchStockResponse, Status>> + Send>>;

    async fn watch_stock(
        &self,
        request: Request<pb::WatchStockRequest>,
    ) -> Result<Response<Self::WatchStockStream>, Status> {
        let request = request.into_inner();
        let mut skus = parse_skus("sku", &request.sku, SKUS_MAX)?;
        skus.sort();
        skus.dedup();
        let cursor = match request.cursor.as_str() {
            "" => None,
            text => Some(Cursor::decode(text).ok_or(Failure::CursorInvalid("not a cursor of WatchStock's"))?),
        };
        let (told, steps) = mpsc::channel(WATCH_BUFFER);
        let watch = self.inventory.watch(skus, told).await?;
        let stopping = self.watches.stopping();
        self.watches.spawn("watch", async move {
            tokio::select! {
                () = watch.run(cursor) => {}
                () = stopping.cancelled() => {}
            }
        });
        let steps = ReceiverStream::new(steps).map(|step| match step {
            Ok((event, cursor)) => Ok(watch_response(event, &cursor)),
            Err(failure) => Err(failure.into()),
        });
        Ok(Response::new(Box::pin(steps)))
    }

    async fn adjust_stock(&self, request: Request<pb::AdjustStockRequest>) -> Result<Response<pb::StockLevel>, Status> {
        let deadline = Deadline::of(&request);
        let (level, adjustment) = self.inventory.adjust(request.into_inner().try_into()?, deadline).await?;
        Ok(Response::new(stock::adjusted(&level, &adjustment)))
    }

    async fn list_movements(
        &self,
        request: Request<pb::ListMovementsRequest>,
    ) -> Result<Response<pb::ListMovementsResponse>, Status> {
        let request = request.into_inner();
        let sku = parse_sku(&request.sku)?;
        let location = match request.location_id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|error| Refusal::invalid("location_id", error))?),
        };
        let limit = match request.page_size {
            0 => MOVEMENTS_PAGE_DEFAULT,
            size @ 1.. => size.min(MOVEMENTS_PAGE_MAX),
            size => return Err(Refusal::invalid("page_size", format!("is {size}: must not be negative")).into()),
        };
        let after = stock::decode_position(&request.page_token)?;
        let page = self.inventory.list_movements(&sku, location.as_ref(), after, i64::from(limit)).await?;
        let is_full = usize::try_from(limit).is_ok_and(|limit| page.len() == limit);
        let last = page
            .last()
            .filter(|_| is_full)
            .map(|(_, last)| stock::encode_position(LedgerPosition { level: last.level, version: last.version }));
        Ok(Response::new(pb::ListMovementsResponse {
            movements: page.iter().map(|(level, movement)| stock::movement(level, movement)).collect(),
            next_page_token: last.unwrap_or_default(),
        }))
    }

    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Result<Response<pb::Reservation>, Status> {
        let deadline = Deadline::of(&request);
        let reservation = self.inventory.reserve(request.into_inner().try_into()?, deadline).await?;
        Ok(Response::new(reservation.into()))
    }

    async fn get_reservation(
        &self,
        request: Request<pb::GetReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let deadline = Deadline::of(&request);
        let id = parse_id(&request.get_ref().id)?;
        Ok(Response::new(self.inventory.get_reservation(id, deadline).await?.into()))
    }

    async fn extend_reservation(
        &self,
        request: Request<pb::ExtendReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let deadline = Deadline::of(&request);
        let request = request.into_inner();
        let ttl = parse_ttl(request.ttl)?;
        self.advance(&request.id, Step::Extend(ttl), deadline).await
    }

    async fn begin_payment(
        &self,
        request: Request<pb::BeginPaymentRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        self.advance(&request.get_ref().id, Step::BeginPayment, Deadline::of(&request)).await
    }

    async fn confirm_reservation(
        &self,
        request: Request<pb::ConfirmReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        self.advance(&request.get_ref().id, Step::Confirm, Deadline::of(&request)).await
    }

    async fn release_reservation(
        &self,
        request: Request<pb::ReleaseReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        self.advance(&request.get_ref().id, Step::Release, Deadline::of(&request)).await
    }

    async fn restock_reservation(
        &self,
        request: Request<pb::RestockReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        self.advance(&request.get_ref().id, Step::Restock, Deadline::of(&request)).await
    }
}

fn watch_response(event: Event, cursor: &Cursor) -> pb::WatchStockResponse {
    use pb::watch_stock_response as step;
    let event = match event {
        Event::Reset(stocks) => {
            step::Event::Reset(step::Reset { stocks: stocks.into_iter().map(Into::into).collect() })
        }
        Event::Change { level, movement, after } => step::Event::Change(step::Change {
            movement: Some(stock::movement(&level, &movement)),
            level: Some(stock::stock_level(&level, after, Some(movement.created_at))),
        }),
    };
    pb::WatchStockResponse { event: Some(event), cursor: cursor.encode() }
}
