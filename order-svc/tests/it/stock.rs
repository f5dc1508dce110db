//! The other services' side of the contract, in memory, misbehaving on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::Empty;
use holdfast_contracts::common::v1::{Money, Reason};
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::catalog_service_server::CatalogService;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryService;
use holdfast_contracts::inventory::v1::reservation::State;
use holdfast_platform::status::Refusal;
use tonic::{Request, Response, Status};

use super::trap::{Call, Point, Trap};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mischief {
    Refuse(Reason),
    /// Nothing is done.
    Down,
    /// It is done, but the answer is lost.
    LoseAnswer,
}

#[derive(Default)]
struct Books {
    available: HashMap<String, i64>,
    prices: HashMap<String, Money>,
    reservations: HashMap<String, (pb::ReserveRequest, pb::Reservation)>,
    mischief: HashMap<Call, (Mischief, usize)>,
    calls: HashMap<Call, usize>,
    /// The id the last Reserve bore, and whether it was part of a call of this process.
    heard: (Option<String>, bool),
}

pub(crate) struct Stock {
    books: Mutex<Books>,
    pub(crate) trap: Arc<Trap>,
}

impl Stock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { books: Mutex::default(), trap: Trap::new() })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear<T>(&self, request: &Request<T>) {
        let id = request.metadata().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        self.books().heard = (id, holdfast_platform::call::Call::current().is_some());
    }

    pub(crate) fn heard(&self) -> (Option<String>, bool) {
        self.books().heard.clone()
    }

    pub(crate) fn put(&self, sku: &str, units: i64) {
        self.books().available.insert(sku.into(), units);
    }

    pub(crate) fn price(&self, sku: &str, amount_minor: i64) {
        self.books().prices.insert(sku.into(), Money { currency_code: "EUR".into(), amount_minor });
    }

    pub(crate) fn available(&self, sku: &str) -> i64 {
        self.books().available[sku]
    }

    /// The next `times` such calls go wrong.
    pub(crate) fn misbehave(&self, call: Call, mischief: Mischief, times: usize) {
        self.books().mischief.insert(call, (mischief, times));
    }

    pub(crate) fn calls(&self, call: Call) -> usize {
        self.books().calls.get(&call).copied().unwrap_or(0)
    }

    pub(crate) fn reservation(&self, id: &str) -> Option<pb::Reservation> {
        self.books().reservations.get(id).map(|(_, reservation)| reservation.clone())
    }

    /// Ends a reservation behind everybody's back.
    pub(crate) fn force(&self, id: &str, state: State) {
        let mut books = self.books();
        books.reservations.get_mut(id).expect("a reservation").1.set_state(state);
    }

    /// One call: trap, mischief, effect, trap.
    async fn serve<T>(
        &self,
        call: Call,
        effect: impl FnOnce(&mut Books) -> Result<T, Refusal>,
    ) -> Result<Response<T>, Status> {
        self.trap.pass(Point::Before(call)).await;
        let done = self.act(call, effect);
        self.trap.pass(Point::After(call)).await;
        done.map(Response::new)
    }

    fn act<T>(&self, call: Call, effect: impl FnOnce(&mut Books) -> Result<T, Refusal>) -> Result<T, Status> {
        let mut books = self.books();
        *books.calls.entry(call).or_default() += 1;
        let mischief = books.mischief.get_mut(&call).and_then(|(mischief, times)| {
            *times = times.checked_sub(1)?;
            Some(*mischief)
        });
        match mischief {
            Some(Mischief::Refuse(reason)) => Err(Refusal::new(reason, "refused on demand").into()),
            Some(Mischief::Down) => Err(Status::unavailable("down on demand")),
            Some(Mischief::LoseAnswer) => {
                let _ = effect(&mut books);
                Err(Status::deadline_exceeded("the answer is lost on demand"))
            }
            None => effect(&mut books).map_err(Status::from),
        }
    }
}

impl Books {
    fn reserve(&mut self, request: pb::ReserveRequest) -> Result<pb::Reservation, Refusal> {
        if let Some((first, reservation)) = self.reservations.get(&request.request_id) {
            return match *first == request {
                true => Ok(reservation.clone()),
                false => Err(Refusal::new(Reason::RequestIdReused, "another reservation")),
            };
        }
        for line in &request.lines {
            let available = *self
                .available
                .get(&line.sku)
                .ok_or_else(|| Refusal::new(Reason::SkuNotFound, "no such SKU").with("sku", &line.sku))?;
            if available < i64::from(line.quantity) {
                return Err(Refusal::new(Reason::InsufficientStock, "too few")
                    .with("sku", &line.sku)
                    .with("requested", line.quantity)
                    .with("available", available)
                    .with("version", 7));
            }
        }
        let lines = request.lines.iter().map(|line| pb::reservation::Line {
            sku: line.sku.clone(),
            location_id: if line.location_id.is_empty() { "main".into() } else { line.location_id.clone() },
            quantity: line.quantity,
            version: 1,
        });
        let reservation = pb::Reservation {
            id: request.request_id.clone(),
            customer_id: request.customer_id.clone(),
            state: State::Held.into(),
            lines: lines.collect(),
            ..pb::Reservation::default()
        };
        for line in &request.lines {
            *self.available.get_mut(&line.sku).expect("looked up above") -= i64::from(line.quantity);
        }
        self.reservations.insert(request.request_id.clone(), (request, reservation.clone()));
        Ok(reservation)
    }

    fn find(&mut self, id: &str) -> Result<&mut pb::Reservation, Refusal> {
        let found = self.reservations.get_mut(id).map(|(_, reservation)| reservation);
        found.ok_or_else(|| Refusal::new(Reason::ReservationNotFound, "no such reservation"))
    }

    fn become_state(&mut self, id: &str, from: &[State], to: State) -> Result<pb::Reservation, Refusal> {
        let reservation = self.find(id)?;
        match reservation.state() {
            state if state == to => {}
            State::Expired => return Err(Refusal::new(Reason::ReservationExpired, "expired")),
            state if from.contains(&state) => reservation.set_state(to),
            _ => return Err(Refusal::new(Reason::ReservationState, "not in this state")),
        }
        Ok(reservation.clone())
    }

    fn give_back(&mut self, lines: &[pb::reservation::Line]) {
        for line in lines {
            *self.available.entry(line.sku.clone()).or_default() += i64::from(line.quantity);
        }
    }

    fn release(&mut self, id: &str) -> Result<pb::Reservation, Refusal> {
        let before = self.find(id)?.state();
        let reservation = self.become_state(id, &[State::Held, State::Paying], State::Released)?;
        if before != State::Released {
            self.give_back(&reservation.lines);
        }
        Ok(reservation)
    }

    fn restock(&mut self, id: &str) -> Result<pb::Reservation, Refusal> {
        let reservation = self.find(id)?;
        if reservation.state() != State::Confirmed {
            return Err(Refusal::new(Reason::ReservationState, "not confirmed"));
        }
        let again = std::mem::replace(&mut reservation.restocked, true);
        let reservation = reservation.clone();
        if !again {
            self.give_back(&reservation.lines);
        }
        Ok(reservation)
    }
}

/// Both services over one set of books.
#[derive(Clone)]
pub(crate) struct Api(pub(crate) Arc<Stock>);

#[tonic::async_trait]
impl InventoryService for Api {
    type WatchStockStream = Empty<Result<pb::WatchStockResponse, Status>>;

    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Result<Response<pb::Reservation>, Status> {
        self.0.hear(&request);
        self.0.serve(Call::Reserve, |books| books.reserve(request.into_inner())).await
    }

    async fn get_reservation(
        &self,
        request: Request<pb::GetReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let id = request.into_inner().id;
        self.0.serve(Call::GetReservation, |books| books.find(&id).cloned()).await
    }

    async fn begin_payment(
        &self,
        request: Request<pb::BeginPaymentRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let id = request.into_inner().id;
        self.0.serve(Call::BeginPayment, |books| books.become_state(&id, &[State::Held], State::Paying)).await
    }

    async fn confirm_reservation(
        &self,
        request: Request<pb::ConfirmReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let id = request.into_inner().id;
        let from = [State::Held, State::Paying];
        self.0.serve(Call::Confirm, |books| books.become_state(&id, &from, State::Confirmed)).await
    }

    async fn release_reservation(
        &self,
        request: Request<pb::ReleaseReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let id = request.into_inner().id;
        self.0.serve(Call::Release, |books| books.release(&id)).await
    }

    async fn restock_reservation(
        &self,
        request: Request<pb::RestockReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        let id = request.into_inner().id;
        self.0.serve(Call::Restock, |books| books.restock(&id)).await
    }

    async fn watch_stock(&self, _: Request<pb::WatchStockRequest>) -> Result<Response<Self::WatchStockStream>, Status> {
        Err(not_asked())
    }

    async fn get_stock(&self, _: Request<pb::GetStockRequest>) -> Result<Response<pb::Stock>, Status> {
        Err(not_asked())
    }

    async fn batch_get_stock(
        &self,
        _: Request<pb::BatchGetStockRequest>,
    ) -> Result<Response<pb::BatchGetStockResponse>, Status> {
        Err(not_asked())
    }

    async fn adjust_stock(&self, _: Request<pb::AdjustStockRequest>) -> Result<Response<pb::StockLevel>, Status> {
        Err(not_asked())
    }

    async fn list_movements(
        &self,
        _: Request<pb::ListMovementsRequest>,
    ) -> Result<Response<pb::ListMovementsResponse>, Status> {
        Err(not_asked())
    }

    async fn extend_reservation(
        &self,
        _: Request<pb::ExtendReservationRequest>,
    ) -> Result<Response<pb::Reservation>, Status> {
        Err(not_asked())
    }
}

#[tonic::async_trait]
impl CatalogService for Api {
    async fn batch_get_variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Result<Response<pb::BatchGetVariantsResponse>, Status> {
        let skus = request.into_inner().skus;
        self.0
            .serve(Call::Prices, |books| {
                let (known, not_found): (Vec<_>, Vec<_>) =
                    skus.into_iter().partition(|sku| books.available.contains_key(sku));
                let variants = known.into_iter().map(|sku| pb::VariantRef {
                    product_id: "product".into(),
                    variant: Some(pb::Variant { price: books.prices.get(&sku).cloned(), sku, ..Default::default() }),
                });
                Ok(pb::BatchGetVariantsResponse { variants: variants.collect(), not_found })
            })
            .await
    }

    async fn list_products(
        &self,
        _: Request<pb::ListProductsRequest>,
    ) -> Result<Response<pb::ListProductsResponse>, Status> {
        Err(not_asked())
    }

    async fn get_product(&self, _: Request<pb::GetProductRequest>) -> Result<Response<pb::Product>, Status> {
        Err(not_asked())
    }

    async fn upsert_product(
        &self,
        _: Request<pb::UpsertProductRequest>,
    ) -> Result<Response<pb::UpsertProductResponse>, Status> {
        Err(not_asked())
    }

    async fn list_brands(&self, _: Request<pb::ListBrandsRequest>) -> Result<Response<pb::ListBrandsResponse>, Status> {
        Err(not_asked())
    }

    async fn upsert_brand(&self, _: Request<pb::UpsertBrandRequest>) -> Result<Response<pb::Brand>, Status> {
        Err(not_asked())
    }

    async fn list_locations(
        &self,
        _: Request<pb::ListLocationsRequest>,
    ) -> Result<Response<pb::ListLocationsResponse>, Status> {
        Err(not_asked())
    }

    async fn upsert_location(&self, _: Request<pb::UpsertLocationRequest>) -> Result<Response<pb::Location>, Status> {
        Err(not_asked())
    }
}

fn not_asked() -> Status {
    Status::unimplemented("not asked by orders")
}
