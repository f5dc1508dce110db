//! Services that do what the SKU they are asked about says.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use holdfast_contracts::inventory::v1::inventory_service_server::{InventoryService, InventoryServiceServer};
use holdfast_contracts::inventory::v1::*;
use holdfast_contracts::order::v1::order_service_server::{OrderService, OrderServiceServer};
use holdfast_contracts::order::v1::*;
use holdfast_contracts::rec::v1::recommendation_service_server::{RecommendationService, RecommendationServiceServer};
use holdfast_contracts::rec::v1::*;
use holdfast_platform::status::Refusal;
use prost_types::Timestamp;
use tokio::sync::watch;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// What was asked, and what of it still goes on.
pub(crate) struct Fake {
    seen: Mutex<Vec<(String, MetadataMap)>>,
    /// How many watch streams are open.
    pub(crate) watching: watch::Sender<usize>,
    /// How many events endless streams have made.
    pub(crate) made: Arc<AtomicU32>,
}

impl Default for Fake {
    fn default() -> Self {
        Self { seen: Mutex::default(), watching: watch::Sender::new(0), made: Arc::default() }
    }
}

impl Fake {
    pub(crate) fn routes(self: &Arc<Self>) -> Routes {
        Routes::new(InventoryServiceServer::from_arc(self.clone()))
            .add_service(CatalogServiceServer::from_arc(self.clone()))
            .add_service(OrderServiceServer::from_arc(self.clone()))
            .add_service(RecommendationServiceServer::from_arc(self.clone()))
    }

    /// The last request of all, as its Debug form, and its metadata.
    pub(crate) fn last(&self) -> (String, MetadataMap) {
        self.seen.lock().expect("no panic").last().cloned().expect("something was asked")
    }

    pub(crate) fn asked(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }

    fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> T {
        let (metadata, _, message) = request.into_parts();
        self.seen.lock().expect("no panic").push((format!("{message:?}"), metadata));
        message
    }
}

pub(crate) fn stock(sku: &str) -> Stock {
    let total = Quantities { on_hand: 5, held: 5, ..Quantities::default() };
    let level = StockLevel {
        sku: sku.to_owned(),
        location_id: "main".to_owned(),
        quantities: Some(total),
        version: 17,
        update_time: Some(Timestamp { seconds: 1_900_000_000, nanos: 0 }),
        etag: "\"17\"".to_owned(),
    };
    Stock { sku: sku.to_owned(), total: Some(total), levels: vec![level], version: 17, etag: "\"17\"".to_owned() }
}

/// What a SKU asks a service to do instead of its work.
async fn misbehave(sku: &str) -> Result<(), Status> {
    match sku {
        "slow" => std::future::pending().await,
        "panic" => panic!("as asked"),
        "bare" => Err(Status::internal("secret: connection to 10.0.0.7 lost")),
        "unavailable" => Err(Status::unavailable("secret")),
        "overloaded" => {
            Err(Refusal::new(Reason::Overloaded, "300 are waiting").retry_after(Duration::from_millis(1200)).into())
        }
        "missing" => Err(Refusal::new(Reason::SkuNotFound, "no variant has the SKU missing").with("sku", sku).into()),
        _ => Ok(()),
    }
}

struct Watching(watch::Sender<usize>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

type Events = Pin<Box<dyn Stream<Item = Result<WatchStockResponse, Status>> + Send>>;

fn reset(skus: &[String], cursor: u32) -> WatchStockResponse {
    let stocks = skus.iter().map(|sku| stock(sku)).collect();
    WatchStockResponse {
        event: Some(watch_stock_response::Event::Reset(watch_stock_response::Reset { stocks })),
        cursor: cursor.to_string(),
    }
}

fn change(cursor: u32) -> WatchStockResponse {
    let level = stock("A").levels.pop();
    WatchStockResponse {
        event: Some(watch_stock_response::Event::Change(watch_stock_response::Change { movement: None, level })),
        cursor: cursor.to_string(),
    }
}

#[tonic::async_trait]
impl InventoryService for Fake {
    type WatchStockStream = Events;

    async fn get_stock(&self, request: Request<GetStockRequest>) -> Result<Response<Stock>, Status> {
        let request = self.note(request);
        misbehave(&request.sku).await?;
        Ok(Response::new(stock(&request.sku)))
    }

    async fn batch_get_stock(
        &self,
        request: Request<BatchGetStockRequest>,
    ) -> Result<Response<BatchGetStockResponse>, Status> {
        let request = self.note(request);
        let stocks = request.skus.iter().map(|sku| stock(sku)).collect();
        Ok(Response::new(BatchGetStockResponse { stocks, not_found: Vec::new() }))
    }

    async fn watch_stock(&self, request: Request<WatchStockRequest>) -> Result<Response<Events>, Status> {
        let request = self.note(request);
        if request.cursor == "nonsense" {
            return Err(Refusal::new(Reason::CursorInvalid, "the cursor nonsense is not one of ours").into());
        }
        self.watching.send_modify(|open| *open += 1);
        let guard = Watching(self.watching.clone());
        let seen: u32 = request.cursor.parse().unwrap_or(0);
        let first = if seen == 0 { reset(&request.sku, 1) } else { change(seen + 1) };
        let then: Events = match request.sku.first().map(String::as_str) {
            Some("broken") => {
                let refusal = Refusal::new(Reason::Overloaded, "too slow a reader");
                stream::iter([Err(refusal.into())]).boxed()
            }
            Some("endless") => {
                let made = self.made.clone();
                let count = move |cursor| {
                    made.store(cursor, Ordering::Relaxed);
                    Ok(change(cursor))
                };
                stream::iter(2..).map(count).boxed()
            }
            Some("quiet") => stream::pending().boxed(),
            Some(_) | None => stream::iter([Ok(change(seen + 2))]).boxed(),
        };
        let events = stream::iter([Ok(first)]).chain(then).map(move |event| {
            let _watching = &guard;
            event
        });
        Ok(Response::new(events.boxed()))
    }

    async fn adjust_stock(&self, request: Request<AdjustStockRequest>) -> Result<Response<StockLevel>, Status> {
        let request = self.note(request);
        let level = stock(&request.sku).levels.remove(0);
        match request.expected_version {
            Some(expected) if expected != level.version => {
                Err(Refusal::new(Reason::StockVersionMismatch, format!("{} is at version 17", request.sku))
                    .with("expected", expected)
                    .with("version", level.version)
                    .into())
            }
            Some(_) | None => Ok(Response::new(level)),
        }
    }

    async fn list_movements(
        &self,
        request: Request<ListMovementsRequest>,
    ) -> Result<Response<ListMovementsResponse>, Status> {
        self.note(request);
        Ok(Response::new(ListMovementsResponse::default()))
    }

    async fn reserve(&self, request: Request<ReserveRequest>) -> Result<Response<Reservation>, Status> {
        let request = self.note(request);
        for (at, line) in request.lines.iter().enumerate() {
            misbehave(&line.sku).await?;
            if line.quantity < 1 {
                let problem = format!("must be 1 to 1000000, not {}", line.quantity);
                return Err(Refusal::invalid(format!("lines[{at}].quantity"), problem).into());
            }
            if line.quantity > 5 {
                let message = format!("cannot hold {} of {}: 5 available", line.quantity, line.sku);
                return Err(Refusal::new(Reason::InsufficientStock, message)
                    .with("sku", &line.sku)
                    .with("requested", line.quantity)
                    .with("available", 5)
                    .with("version", 16)
                    .into());
            }
        }
        let line = |line: &reserve_request::Line| reservation::Line {
            sku: line.sku.clone(),
            location_id: "main".to_owned(),
            quantity: line.quantity,
            version: 17,
        };
        Ok(Response::new(Reservation {
            id: request.request_id,
            customer_id: request.customer_id,
            state: reservation::State::Held.into(),
            lines: request.lines.iter().map(line).collect(),
            create_time: Some(Timestamp { seconds: 1_900_000_000, nanos: 0 }),
            expire_time: Some(Timestamp { seconds: 1_900_000_600, nanos: 0 }),
            restocked: false,
        }))
    }

    async fn get_reservation(&self, request: Request<GetReservationRequest>) -> Result<Response<Reservation>, Status> {
        let request = self.note(request);
        Err(Refusal::invalid("id", format!("must be a UUID, not {:?}", request.id)).into())
    }

    async fn extend_reservation(
        &self,
        request: Request<ExtendReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        self.note(request);
        Ok(Response::new(Reservation::default()))
    }

    async fn begin_payment(&self, request: Request<BeginPaymentRequest>) -> Result<Response<Reservation>, Status> {
        self.note(request);
        Ok(Response::new(Reservation::default()))
    }

    async fn confirm_reservation(
        &self,
        request: Request<ConfirmReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        let request = self.note(request);
        Ok(Response::new(Reservation { id: request.id, ..Reservation::default() }))
    }

    async fn release_reservation(
        &self,
        request: Request<ReleaseReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        self.note(request);
        Ok(Response::new(Reservation::default()))
    }

    async fn restock_reservation(
        &self,
        request: Request<RestockReservationRequest>,
    ) -> Result<Response<Reservation>, Status> {
        self.note(request);
        Ok(Response::new(Reservation::default()))
    }
}

#[tonic::async_trait]
impl CatalogService for Fake {
    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        self.note(request);
        Ok(Response::new(ListProductsResponse::default()))
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<Product>, Status> {
        let request = self.note(request);
        Ok(Response::new(Product { id: request.id, ..Product::default() }))
    }

    async fn upsert_product(
        &self,
        request: Request<UpsertProductRequest>,
    ) -> Result<Response<UpsertProductResponse>, Status> {
        let request = self.note(request);
        if request.product.as_ref().is_some_and(|product| product.variants.is_empty()) {
            return Err(Refusal::invalid("product.variants", "must not be empty").into());
        }
        Ok(Response::new(UpsertProductResponse { product: request.product, outcome: 1 }))
    }

    async fn batch_get_variants(
        &self,
        request: Request<BatchGetVariantsRequest>,
    ) -> Result<Response<BatchGetVariantsResponse>, Status> {
        self.note(request);
        Ok(Response::new(BatchGetVariantsResponse::default()))
    }

    async fn list_brands(&self, request: Request<ListBrandsRequest>) -> Result<Response<ListBrandsResponse>, Status> {
        self.note(request);
        Ok(Response::new(ListBrandsResponse::default()))
    }

    async fn upsert_brand(&self, request: Request<UpsertBrandRequest>) -> Result<Response<Brand>, Status> {
        Ok(Response::new(self.note(request).brand.unwrap_or_default()))
    }

    async fn list_locations(
        &self,
        request: Request<ListLocationsRequest>,
    ) -> Result<Response<ListLocationsResponse>, Status> {
        self.note(request);
        Ok(Response::new(ListLocationsResponse::default()))
    }

    async fn upsert_location(&self, request: Request<UpsertLocationRequest>) -> Result<Response<Location>, Status> {
        Ok(Response::new(self.note(request).location.unwrap_or_default()))
    }
}

#[tonic::async_trait]
impl OrderService for Fake {
    async fn place_order(&self, request: Request<PlaceOrderRequest>) -> Result<Response<Order>, Status> {
        let request = self.note(request);
        let method = request.payment.unwrap_or_default();
        if method.token == "tok_declined" {
            return Err(Refusal::new(Reason::PaymentDeclined, "sandbox declined").with("provider", "sandbox").into());
        }
        let payment =
            Payment { provider: method.provider, state: payment::State::Captured.into(), ..Default::default() };
        let line = |line: &place_order_request::Line| order::Line {
            sku: line.sku.clone(),
            quantity: line.quantity,
            ..Default::default()
        };
        Ok(Response::new(Order {
            id: request.request_id,
            customer_id: request.customer_id,
            state: order::State::Placed.into(),
            lines: request.lines.iter().map(line).collect(),
            payment: Some(payment),
            ..Default::default()
        }))
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Result<Response<Order>, Status> {
        self.note(request);
        Ok(Response::new(Order::default()))
    }

    async fn list_orders(&self, request: Request<ListOrdersRequest>) -> Result<Response<ListOrdersResponse>, Status> {
        self.note(request);
        Ok(Response::new(ListOrdersResponse::default()))
    }

    async fn cancel_order(&self, request: Request<CancelOrderRequest>) -> Result<Response<Order>, Status> {
        self.note(request);
        Ok(Response::new(Order::default()))
    }
}

#[tonic::async_trait]
impl RecommendationService for Fake {
    async fn recommend(&self, request: Request<RecommendRequest>) -> Result<Response<RecommendResponse>, Status> {
        self.note(request);
        Ok(Response::new(RecommendResponse::default()))
    }

    async fn similar_items(
        &self,
        request: Request<SimilarItemsRequest>,
    ) -> Result<Response<SimilarItemsResponse>, Status> {
        self.note(request);
        Ok(Response::new(SimilarItemsResponse::default()))
    }

    async fn record_events(
        &self,
        request: Request<RecordEventsRequest>,
    ) -> Result<Response<RecordEventsResponse>, Status> {
        let request = self.note(request);
        let recorded = i32::try_from(request.events.len()).unwrap_or(i32::MAX);
        Ok(Response::new(RecordEventsResponse { recorded }))
    }
}
