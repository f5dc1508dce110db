//! The fake shop behind the generated traits. What a drop does not call is not there.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::events::v1::movement::Kind;
use holdfast_contracts::inventory::v1::catalog_service_server::CatalogService;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryService;
use holdfast_contracts::inventory::v1::reservation::State as HoldState;
use holdfast_contracts::inventory::v1::{
    AdjustStockRequest, BatchGetStockRequest, BatchGetStockResponse, BatchGetVariantsRequest, BatchGetVariantsResponse,
    BeginPaymentRequest, Brand, ConfirmReservationRequest, ExtendReservationRequest, GetProductRequest,
    GetReservationRequest, GetStockRequest, ListBrandsRequest, ListBrandsResponse, ListLocationsRequest,
    ListLocationsResponse, ListMovementsRequest, ListMovementsResponse, ListProductsRequest, ListProductsResponse,
    Location, Product, ReleaseReservationRequest, Reservation, ReserveRequest, RestockReservationRequest, Stock,
    StockLevel, UpsertBrandRequest, UpsertLocationRequest, UpsertProductRequest, UpsertProductResponse, VariantRef,
    WatchStockRequest, adjust_stock_request,
};
use holdfast_contracts::order::v1::order::{self, State as OrderState};
use holdfast_contracts::order::v1::order_service_server::OrderService;
use holdfast_contracts::order::v1::{
    CancelOrderRequest, GetOrderRequest, ListOrdersRequest, ListOrdersResponse, Order, PlaceOrderRequest,
};
use tonic::{Request, Response, Status};

use crate::fake::{Events, Fake, Flaw, NOWHERE, State, level_of, refuse, stock_of};

type Answer<T> = Result<Response<T>, Status>;

fn not_here<T>() -> Answer<T> {
    Err(Status::unimplemented("a drop does not call this"))
}

#[tonic::async_trait]
impl InventoryService for Fake {
    type WatchStockStream = Events;

    async fn get_stock(&self, request: Request<GetStockRequest>) -> Answer<Stock> {
        Ok(Response::new(stock_of(&self.state(), &request.get_ref().sku)))
    }

    async fn batch_get_stock(&self, request: Request<BatchGetStockRequest>) -> Answer<BatchGetStockResponse> {
        let state = self.state();
        let stocks = request.get_ref().skus.iter().map(|sku| stock_of(&state, sku)).collect();
        Ok(Response::new(BatchGetStockResponse { stocks, not_found: Vec::new() }))
    }

    async fn watch_stock(&self, request: Request<WatchStockRequest>) -> Answer<Events> {
        let WatchStockRequest { sku, cursor } = request.into_inner();
        Ok(Response::new(self.follow(sku, &cursor)))
    }

    async fn adjust_stock(&self, request: Request<AdjustStockRequest>) -> Answer<StockLevel> {
        let request = request.into_inner();
        let mut state = self.state();
        let level = level_of(&state, &request.sku);
        if request.expected_version.is_some_and(|version| version != level.version) {
            return Err(refuse(Reason::StockVersionMismatch, "it has changed"));
        }
        let Some(adjust_stock_request::Change::Delta(units)) = request.change else { return not_here() };
        self.record(&mut state, &request.sku, Kind::OnHandAdjusted, units, "");
        Ok(Response::new(level_of(&state, &request.sku)))
    }

    async fn reserve(&self, request: Request<ReserveRequest>) -> Answer<Reservation> {
        let request = request.into_inner();
        let ttl = Duration::try_from(request.ttl.expect("drops say how long")).expect("a time span");
        let line = &request.lines[0];
        let hold = self.hold(&request.request_id, &request.customer_id, &line.sku, line.quantity, ttl)?;
        self.answer(&mut self.state(), hold)
    }

    async fn get_reservation(&self, request: Request<GetReservationRequest>) -> Answer<Reservation> {
        let state = self.state();
        let hold = state.holds.get(&request.get_ref().id);
        hold.cloned().map(Response::new).ok_or_else(|| refuse(Reason::ReservationNotFound, "no such hold"))
    }

    async fn list_movements(&self, _: Request<ListMovementsRequest>) -> Answer<ListMovementsResponse> {
        not_here()
    }
    async fn extend_reservation(&self, _: Request<ExtendReservationRequest>) -> Answer<Reservation> {
        not_here()
    }
    async fn begin_payment(&self, _: Request<BeginPaymentRequest>) -> Answer<Reservation> {
        not_here()
    }
    async fn confirm_reservation(&self, _: Request<ConfirmReservationRequest>) -> Answer<Reservation> {
        not_here()
    }
    async fn release_reservation(&self, _: Request<ReleaseReservationRequest>) -> Answer<Reservation> {
        not_here()
    }
    async fn restock_reservation(&self, _: Request<RestockReservationRequest>) -> Answer<Reservation> {
        not_here()
    }
}

impl Fake {
    fn place(&self, state: &mut State, request: PlaceOrderRequest) -> Result<Order, Status> {
        if let Some(order) = state.orders.get(&request.request_id) {
            return refused(order).map_or_else(|| Ok(order.clone()), Err);
        }
        let Some(hold) = state.holds.get(&request.reservation_id).cloned() else {
            return Err(refuse(Reason::ReservationNotFound, "no such hold"));
        };
        if hold.state() != HoldState::Held {
            return Err(refuse(Reason::ReservationExpired, "too late"));
        }
        let token = request.payment.unwrap_or_default().token;
        let cancel_reason = match token.as_str() {
            "tok_ok" => "",
            "tok_declined" => "PAYMENT_DECLINED",
            _ => "PAYMENT_TIMEOUT",
        };
        let unseen = hold.lines[0].location_id == NOWHERE;
        let paid = cancel_reason.is_empty();
        if unseen && paid && !self.misdeed(state, Flaw::OversellsUnseen) {
            return Err(refuse(Reason::ReservationExpired, "one lie is enough"));
        }
        if paid && !self.misdeed(state, Flaw::ForgetsASale) {
            self.end_hold(state, &hold.id, HoldState::Confirmed, Kind::Confirmed);
        } else {
            self.end_hold(state, &hold.id, HoldState::Released, Kind::Released);
        }
        let lines = hold.lines.iter().map(|line| order::Line {
            sku: line.sku.clone(),
            quantity: line.quantity,
            ..order::Line::default()
        });
        let order = Order {
            id: request.request_id.clone(),
            state: if paid { OrderState::Placed } else { OrderState::Cancelled }.into(),
            lines: lines.collect(),
            reservation_id: hold.id,
            cancel_reason: cancel_reason.to_owned(),
            ..Order::default()
        };
        state.orders.insert(request.request_id, order.clone());
        refused(&order).map_or(Ok(order), Err)
    }
}

fn refused(order: &Order) -> Option<Status> {
    Reason::from_str_name(&order.cancel_reason).map(|reason| refuse(reason, "not paid"))
}

#[tonic::async_trait]
impl OrderService for Fake {
    async fn place_order(&self, request: Request<PlaceOrderRequest>) -> Answer<Order> {
        let mut state = self.state();
        let order = self.place(&mut state, request.into_inner())?;
        self.answer(&mut state, order)
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Answer<Order> {
        let state = self.state();
        let order = state.orders.get(&request.get_ref().id);
        order.cloned().map(Response::new).ok_or_else(|| refuse(Reason::OrderNotFound, "no such order"))
    }

    async fn list_orders(&self, _: Request<ListOrdersRequest>) -> Answer<ListOrdersResponse> {
        not_here()
    }
    async fn cancel_order(&self, _: Request<CancelOrderRequest>) -> Answer<Order> {
        not_here()
    }
}

#[tonic::async_trait]
impl CatalogService for Fake {
    async fn get_product(&self, request: Request<GetProductRequest>) -> Answer<Product> {
        let state = self.state();
        let product = state.products.get(&request.get_ref().id);
        product.cloned().map(Response::new).ok_or_else(|| refuse(Reason::ProductNotFound, "no such product"))
    }

    async fn upsert_product(&self, request: Request<UpsertProductRequest>) -> Answer<UpsertProductResponse> {
        let product = request.into_inner().product.expect("a product");
        self.state().products.insert(product.id.clone(), product.clone());
        Ok(Response::new(UpsertProductResponse { product: Some(product), outcome: 1 }))
    }

    async fn batch_get_variants(&self, request: Request<BatchGetVariantsRequest>) -> Answer<BatchGetVariantsResponse> {
        let state = self.state();
        let mut answer = BatchGetVariantsResponse::default();
        for sku in request.into_inner().skus {
            let mut all =
                state.products.values().flat_map(|product| product.variants.iter().map(move |v| (product, v)));
            match all.find(|(_, variant)| variant.sku == sku) {
                Some((product, variant)) => {
                    answer.variants.push(VariantRef { product_id: product.id.clone(), variant: Some(variant.clone()) })
                }
                None => answer.not_found.push(sku),
            }
        }
        Ok(Response::new(answer))
    }

    async fn upsert_brand(&self, request: Request<UpsertBrandRequest>) -> Answer<Brand> {
        Ok(Response::new(request.into_inner().brand.expect("a brand")))
    }

    async fn list_locations(&self, _: Request<ListLocationsRequest>) -> Answer<ListLocationsResponse> {
        let state = self.state();
        let locations = state.locations.iter().map(|id| Location { id: id.clone(), ..Location::default() }).collect();
        Ok(Response::new(ListLocationsResponse { locations, ..ListLocationsResponse::default() }))
    }

    async fn upsert_location(&self, request: Request<UpsertLocationRequest>) -> Answer<Location> {
        let location = request.into_inner().location.expect("a location");
        self.state().locations.push(location.id.clone());
        Ok(Response::new(location))
    }

    async fn list_products(&self, _: Request<ListProductsRequest>) -> Answer<ListProductsResponse> {
        not_here()
    }
    async fn list_brands(&self, _: Request<ListBrandsRequest>) -> Answer<ListBrandsResponse> {
        not_here()
    }
}
