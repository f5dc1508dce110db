//! A catalogue and an inventory in memory that keep the contract an import relies on (versions, idempotent request
//! ids, retiring upserts), and misbehave when told to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::client::{self, Wire};
use holdfast_platform::status::Refusal;
use pb::adjust_stock_request::{Change, Quantity};
use pb::catalog_service_server::{CatalogService, CatalogServiceServer};
use pb::inventory_service_server::{InventoryService, InventoryServiceServer};
use pb::upsert_product_response::Outcome;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};

type Answer<T> = Result<Response<T>, Status>;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Level {
    pub(super) version: i64,
    pub(super) on_hand: i64,
    pub(super) unavailable: i64,
    promised: i64,
}

#[derive(Default)]
struct State {
    brands: BTreeMap<String, pb::Brand>,
    locations: BTreeMap<String, pb::Location>,
    products: BTreeMap<String, pb::Product>,
    levels: BTreeMap<(String, String), Level>,
    answered: HashMap<String, (pb::AdjustStockRequest, pb::StockLevel)>,
    writes: u64,
    races: HashMap<String, u32>,
    refused_products: HashMap<String, Reason>,
    lost_answers: u32,
}

#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<State>>);

impl Fake {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn routes(&self) -> Routes {
        let catalog = CatalogServiceServer::new(self.clone());
        Routes::new(catalog).add_service(InventoryServiceServer::new(self.clone()))
    }

    pub(super) fn wire(&self) -> Wire {
        client::in_process(self.routes())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// Somebody else changes the SKU's level before each of our next `times` changes.
    pub(super) fn race(&self, sku: &str, times: u32) {
        self.state().races.insert(sku.to_owned(), times);
    }

    /// The next writes take effect, but their answers do not arrive.
    pub(super) fn lose_answers(&self, times: u32) {
        self.state().lost_answers = times;
    }

    /// Shoppers hold this many of a SKU at `main`.
    pub(super) fn promise(&self, sku: &str, units: i64) {
        self.state().levels.entry((sku.to_owned(), "main".to_owned())).or_default().promised = units;
    }

    pub(super) fn refuse_product(&self, id: &str, reason: Reason) {
        self.state().refused_products.insert(id.to_owned(), reason);
    }

    pub(super) fn writes(&self) -> u64 {
        self.state().writes
    }

    pub(super) fn level(&self, sku: &str, location: &str) -> Option<Level> {
        self.state().levels.get(&(sku.to_owned(), location.to_owned())).copied()
    }

    /// The SKUs a product has and has not retired.
    pub(super) fn skus(&self, product: &str) -> Vec<String> {
        let state = self.state();
        let mut skus: Vec<String> = state.products[product].variants.iter().map(|v| v.sku.clone()).collect();
        skus.sort();
        skus
    }

    pub(super) fn priorities(&self) -> Vec<(String, i32)> {
        let mut all: Vec<_> = self.state().locations.values().map(|place| (place.id.clone(), place.priority)).collect();
        all.sort_by_key(|(_, priority)| *priority);
        all
    }
}

impl State {
    /// One write is done: answers it, unless the answer is to be lost.
    fn answer<T>(&mut self, message: T) -> Answer<T> {
        if self.lost_answers > 0 {
            self.lost_answers -= 1;
            return Err(Refusal::new(Reason::Unavailable, "the answer is lost").into());
        }
        Ok(Response::new(message))
    }

    fn has_sku(&self, sku: &str) -> bool {
        self.products.values().flat_map(|product| &product.variants).any(|variant| variant.sku == sku)
    }

    fn stock(&self, sku: &str) -> Option<pb::Stock> {
        let levels = self.levels.iter().filter(|((of, _), level)| of == sku && level.version > 0);
        let levels = levels.map(|((sku, location), level)| level_to_pb(sku, location, *level)).collect();
        self.has_sku(sku).then(|| pb::Stock { sku: sku.to_owned(), levels, ..pb::Stock::default() })
    }

    fn adjust(&mut self, request: &pb::AdjustStockRequest) -> Result<pb::StockLevel, Refusal> {
        if let Some((before, answer)) = self.answered.get(&request.request_id) {
            let reused = Refusal::new(Reason::RequestIdReused, "the request id was used for another request");
            return if before == request { Ok(answer.clone()) } else { Err(reused) };
        }
        let (sku, location) = (&request.sku, &request.location_id);
        if !self.has_sku(sku) || !self.locations.contains_key(location) {
            return Err(Refusal::new(Reason::SkuNotFound, format!("no variant has SKU {sku} at {location}")));
        }
        let level = self.levels.entry((sku.clone(), location.clone())).or_default();
        if let Some(races) = self.races.get_mut(sku).filter(|races| **races > 0) {
            *races -= 1;
            level.version += 1;
            level.on_hand += 100;
        }
        if request.expected_version != Some(level.version) {
            return Err(Refusal::new(Reason::StockVersionMismatch, format!("{sku} is at version {}", level.version)));
        }
        let Some(Change::Set(units)) = request.change else {
            return Err(Refusal::invalid("change", "an import sets"));
        };
        let mut changed = *level;
        match request.quantity() {
            Quantity::OnHand => changed.on_hand = units,
            Quantity::Unavailable => changed.unavailable = units,
            other => return Err(Refusal::invalid("quantity", format!("an import does not touch {other:?}"))),
        }
        if changed.promised > changed.on_hand - changed.unavailable {
            return Err(Refusal::new(Reason::StockBelowPromised, format!("{} are promised", changed.promised)));
        }
        changed.version += 1;
        *level = changed;
        self.writes += 1;
        let answer = level_to_pb(sku, location, changed);
        self.answered.insert(request.request_id.clone(), (request.clone(), answer.clone()));
        Ok(answer)
    }
}

fn level_to_pb(sku: &str, location: &str, level: Level) -> pb::StockLevel {
    let Level { on_hand, unavailable, .. } = level;
    pb::StockLevel {
        sku: sku.to_owned(),
        location_id: location.to_owned(),
        quantities: Some(pb::Quantities { on_hand, unavailable, ..pb::Quantities::default() }),
        version: level.version,
        ..pb::StockLevel::default()
    }
}

fn not_here<T>() -> Answer<T> {
    Err(Status::unimplemented("an import has no use for it"))
}

#[async_trait]
impl CatalogService for Fake {
    async fn upsert_product(&self, request: Request<pb::UpsertProductRequest>) -> Answer<pb::UpsertProductResponse> {
        let mut state = self.state();
        let product = request.into_inner().product.expect("a product");
        if let Some(reason) = state.refused_products.get(&product.id) {
            return Err(Refusal::new(*reason, format!("{} is not wanted", product.id)).into());
        }
        let mut sorted = product.clone();
        sorted.variants.sort_by(|a, b| a.sku.cmp(&b.sku));
        let outcome = match state.products.insert(product.id.clone(), sorted.clone()) {
            None => Outcome::Created,
            Some(before) if before == sorted => Outcome::Unchanged,
            Some(_) => Outcome::Updated,
        };
        state.writes += u64::from(outcome != Outcome::Unchanged);
        state.answer(pb::UpsertProductResponse { product: Some(product), outcome: outcome.into() })
    }

    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Answer<pb::Product> {
        let id = request.into_inner().id;
        let product = self.state().products.get(&id).cloned();
        product.map(Response::new).ok_or_else(|| Refusal::new(Reason::ProductNotFound, id).into())
    }

    async fn list_brands(&self, _: Request<pb::ListBrandsRequest>) -> Answer<pb::ListBrandsResponse> {
        let brands = self.state().brands.values().cloned().collect();
        Ok(Response::new(pb::ListBrandsResponse { brands, next_page_token: String::new() }))
    }

    async fn upsert_brand(&self, request: Request<pb::UpsertBrandRequest>) -> Answer<pb::Brand> {
        let mut state = self.state();
        let brand = request.into_inner().brand.expect("a brand");
        state.brands.insert(brand.id.clone(), brand.clone());
        state.writes += 1;
        state.answer(brand)
    }

    /// One a page, so that pages are followed.
    async fn list_locations(&self, request: Request<pb::ListLocationsRequest>) -> Answer<pb::ListLocationsResponse> {
        let state = self.state();
        let after = request.into_inner().page_token;
        let mut rest = state.locations.values().filter(|place| place.id > after);
        let locations: Vec<pb::Location> = rest.next().cloned().into_iter().collect();
        let more = rest.next().and(locations.first()).map(|place| place.id.clone());
        Ok(Response::new(pb::ListLocationsResponse { locations, next_page_token: more.unwrap_or_default() }))
    }

    async fn upsert_location(&self, request: Request<pb::UpsertLocationRequest>) -> Answer<pb::Location> {
        let mut state = self.state();
        let location = request.into_inner().location.expect("a location");
        state.locations.insert(location.id.clone(), location.clone());
        state.writes += 1;
        state.answer(location)
    }

    async fn list_products(&self, _: Request<pb::ListProductsRequest>) -> Answer<pb::ListProductsResponse> {
        not_here()
    }

    async fn batch_get_variants(
        &self,
        _: Request<pb::BatchGetVariantsRequest>,
    ) -> Answer<pb::BatchGetVariantsResponse> {
        not_here()
    }
}

#[async_trait]
impl InventoryService for Fake {
    type WatchStockStream = tokio_stream::Empty<Result<pb::WatchStockResponse, Status>>;

    async fn get_stock(&self, request: Request<pb::GetStockRequest>) -> Answer<pb::Stock> {
        let sku = request.into_inner().sku;
        let stock = self.state().stock(&sku);
        stock.map(Response::new).ok_or_else(|| Refusal::new(Reason::SkuNotFound, sku).into())
    }

    async fn batch_get_stock(&self, request: Request<pb::BatchGetStockRequest>) -> Answer<pb::BatchGetStockResponse> {
        let state = self.state();
        let skus = request.into_inner().skus;
        let (found, not_found): (Vec<_>, Vec<_>) = skus.into_iter().partition(|sku| state.has_sku(sku));
        let stocks = found.iter().filter_map(|sku| state.stock(sku)).collect();
        Ok(Response::new(pb::BatchGetStockResponse { stocks, not_found }))
    }

    async fn adjust_stock(&self, request: Request<pb::AdjustStockRequest>) -> Answer<pb::StockLevel> {
        let mut state = self.state();
        let level = state.adjust(&request.into_inner())?;
        state.answer(level)
    }

    async fn watch_stock(&self, _: Request<pb::WatchStockRequest>) -> Answer<Self::WatchStockStream> {
        not_here()
    }

    async fn list_movements(&self, _: Request<pb::ListMovementsRequest>) -> Answer<pb::ListMovementsResponse> {
        not_here()
    }

    async fn reserve(&self, _: Request<pb::ReserveRequest>) -> Answer<pb::Reservation> {
        not_here()
    }

    async fn get_reservation(&self, _: Request<pb::GetReservationRequest>) -> Answer<pb::Reservation> {
        not_here()
    }

    async fn extend_reservation(&self, _: Request<pb::ExtendReservationRequest>) -> Answer<pb::Reservation> {
        not_here()
    }

    async fn begin_payment(&self, _: Request<pb::BeginPaymentRequest>) -> Answer<pb::Reservation> {
        not_here()
    }

    async fn confirm_reservation(&self, _: Request<pb::ConfirmReservationRequest>) -> Answer<pb::Reservation> {
        not_here()
    }

    async fn release_reservation(&self, _: Request<pb::ReleaseReservationRequest>) -> Answer<pb::Reservation> {
        not_here()
    }

    async fn restock_reservation(&self, _: Request<pb::RestockReservationRequest>) -> Answer<pb::Reservation> {
        not_here()
    }
}
