//! A fake inventory and catalogue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1::catalog_service_server::{CatalogService, CatalogServiceServer};
use holdfast_contracts::inventory::v1::inventory_service_server::{InventoryService, InventoryServiceServer};
use holdfast_contracts::inventory::v1::product::Status as ProductStatus;
use holdfast_contracts::inventory::v1::*;
use holdfast_platform::client::{Wire, in_process};
use holdfast_platform::status::Refusal;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// How the shop behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// The inventory cannot be reached; the catalogue can.
    InventoryDown,
    CatalogDown,
    /// The inventory takes calls and never answers.
    InventoryHangs,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) mood: Mood,
    pub(crate) products: BTreeMap<String, Product>,
    /// Units available, by SKU and location.
    pub(crate) stock: BTreeMap<String, BTreeMap<&'static str, i64>>,
    /// The timeouts callers sent with their questions for stock.
    pub(crate) timeouts: Vec<Option<String>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Shop(Arc<Mutex<State>>);

impl Shop {
    pub(crate) fn wire(&self) -> Wire {
        in_process(self.routes())
    }

    pub(crate) fn routes(&self) -> Routes {
        let mut routes = Routes::builder();
        routes.add_service(InventoryServiceServer::new(self.clone()));
        routes.add_service(CatalogServiceServer::new(self.clone()));
        routes.routes()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the shop")
    }

    /// A product with one variant, `<id>-1`, and that many units of it.
    pub(crate) fn sell(&self, product: &str, units: i64) {
        let sku = format!("{product}-1");
        self.list(product, ProductStatus::Active, &[(&sku, false)]);
        self.stock(&sku, units);
    }

    /// A product with these (SKU, retired).
    pub(crate) fn list(&self, product: &str, status: ProductStatus, variants: &[(&str, bool)]) {
        let variant =
            |(sku, retired): &(&str, bool)| Variant { sku: (*sku).into(), retired: *retired, ..Variant::default() };
        let listed = Product {
            id: product.into(),
            status: status.into(),
            variants: variants.iter().map(variant).collect(),
            ..Product::default()
        };
        self.state().products.insert(product.into(), listed);
    }

    pub(crate) fn stock(&self, sku: &str, units: i64) {
        self.state().stock.insert(sku.into(), BTreeMap::from([("main", units)]));
    }

    /// Whether a unit of the SKU can be reserved and it is on sale as this product.
    pub(crate) fn is_available(&self, product: &str, sku: &str) -> bool {
        let state = self.state();
        let Some(product) = state.products.get(product) else { return false };
        product.status() == ProductStatus::Active
            && product.variants.iter().any(|variant| variant.sku == sku && !variant.retired)
            && state.stock.get(sku).is_some_and(|levels| levels.values().any(|units| *units > 0))
    }
}

fn level(sku: &str, location: &str, available: i64) -> StockLevel {
    let quantities = Some(Quantities { available, ..Quantities::default() });
    StockLevel { sku: sku.into(), location_id: location.into(), quantities, ..StockLevel::default() }
}

/// Answers every method the service has no business calling.
macro_rules! implement {
    ($service:ident { $($written:tt)* } refuses { $($method:ident($request:ty) -> $response:ty;)* }) => {
        #[tonic::async_trait]
        impl $service for Shop {
            $($written)*
            $(async fn $method(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented(concat!("rec-svc has no business calling ", stringify!($method))))
            })*
        }
    };
}

implement!(InventoryService {
    type WatchStockStream = futures_util::stream::Empty<Result<WatchStockResponse, Status>>;

    async fn batch_get_stock(
        &self,
        request: Request<BatchGetStockRequest>,
    ) -> Result<Response<BatchGetStockResponse>, Status> {
        let timeout = request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mood = {
            let mut state = self.state();
            state.timeouts.push(timeout);
            state.mood
        };
        match mood {
            Mood::Well | Mood::CatalogDown => {}
            Mood::InventoryDown => return Err(Status::unavailable("connection refused")),
            Mood::InventoryHangs => std::future::pending().await,
        }
        let request = request.into_inner();
        assert!((1..=1_000).contains(&request.skus.len()), "the contract takes 1 to 1,000 SKUs");
        assert_eq!(request.consistency(), ReadConsistency::Strong);
        let state = self.state();
        let mut answer = BatchGetStockResponse::default();
        for sku in request.skus {
            match state.stock.get(&sku) {
                Some(levels) => answer.stocks.push(Stock {
                    levels: levels.iter().map(|(location, units)| level(&sku, location, *units)).collect(),
                    sku,
                    ..Stock::default()
                }),
                None => answer.not_found.push(sku),
            }
        }
        Ok(Response::new(answer))
    }
} refuses {
    get_stock(GetStockRequest) -> Stock;
    watch_stock(WatchStockRequest) -> Self::WatchStockStream;
    adjust_stock(AdjustStockRequest) -> StockLevel;
    list_movements(ListMovementsRequest) -> ListMovementsResponse;
    reserve(ReserveRequest) -> Reservation;
    get_reservation(GetReservationRequest) -> Reservation;
    extend_reservation(ExtendReservationRequest) -> Reservation;
    begin_payment(BeginPaymentRequest) -> Reservation;
    confirm_reservation(ConfirmReservationRequest) -> Reservation;
    release_reservation(ReleaseReservationRequest) -> Reservation;
    restock_reservation(RestockReservationRequest) -> Reservation;
});

implement!(CatalogService {
    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<Product>, Status> {
        let id = request.into_inner().id;
        let state = self.state();
        if state.mood == Mood::CatalogDown {
            return Err(Status::unavailable("connection refused"));
        }
        let missing = || Refusal::new(Reason::ProductNotFound, format!("no product {id}"));
        Ok(Response::new(state.products.get(&id).cloned().ok_or_else(missing)?))
    }
} refuses {
    list_products(ListProductsRequest) -> ListProductsResponse;
    upsert_product(UpsertProductRequest) -> UpsertProductResponse;
    batch_get_variants(BatchGetVariantsRequest) -> BatchGetVariantsResponse;
    list_brands(ListBrandsRequest) -> ListBrandsResponse;
    upsert_brand(UpsertBrandRequest) -> Brand;
    list_locations(ListLocationsRequest) -> ListLocationsResponse;
    upsert_location(UpsertLocationRequest) -> Location;
});
