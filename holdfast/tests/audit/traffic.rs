//! Shoppers through the gRPC door: every way a reservation and an order can end, and some that have not ended.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast::system::System;
use holdfast_contracts::RequestId;
use holdfast_contracts::common::v1::Money;
use holdfast_contracts::inventory::v1::adjust_stock_request::{Change, Quantity, Reason};
use holdfast_contracts::inventory::v1::catalog_service_client::CatalogServiceClient;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::inventory::v1::reservation::State;
use holdfast_contracts::inventory::v1::{self as stock, reserve_request};
use holdfast_contracts::order::v1 as order;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_contracts::order::v1::place_order_request::{Line, PaymentMethod};
use holdfast_platform::client::{self, Wire};
use tonic::Status;

/// How often each kind of shopper comes.
const ROUNDS: usize = 12;
/// How long a test waits for a hold of one second to be taken back.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Shop {
    catalog: CatalogServiceClient<Wire>,
    stock: InventoryServiceClient<Wire>,
    orders: OrderServiceClient<Wire>,
}

fn new_id() -> String {
    RequestId::now_v7().to_string()
}

impl Shop {
    pub(crate) fn at(system: &System) -> Self {
        let wire = client::tcp(&format!("http://{}", system.grpc())).expect("an address");
        Self {
            catalog: CatalogServiceClient::new(wire.clone()),
            stock: InventoryServiceClient::new(wire.clone()),
            orders: OrderServiceClient::new(wire),
        }
    }

    /// HOODIE is hot, CAP is sold with it, SCARF lies at two places and LAST is soon sold out.
    pub(crate) async fn stock_up(&self) {
        let mut catalog = self.catalog.clone();
        let brand = stock::Brand { id: "acme".into(), display_name: "Acme".into() };
        catalog.upsert_brand(stock::UpsertBrandRequest { brand: Some(brand) }).await.expect("a brand");
        let east = stock::Location { id: "east".into(), display_name: "East".into(), priority: 1 };
        catalog.upsert_location(stock::UpsertLocationRequest { location: Some(east) }).await.expect("a location");
        let variant = |sku: &str| stock::Variant {
            sku: sku.into(),
            options: [("Name".to_owned(), sku.to_owned())].into(),
            price: Some(Money { currency_code: "EUR".into(), amount_minor: 5000 }),
            ..Default::default()
        };
        let product = stock::Product {
            id: "drop".into(),
            brand_id: "acme".into(),
            title: "Drop".into(),
            status: stock::product::Status::Active.into(),
            variants: ["HOODIE", "CAP", "SCARF", "LAST"].map(variant).into(),
            ..Default::default()
        };
        catalog.upsert_product(stock::UpsertProductRequest { product: Some(product) }).await.expect("a product");
        for (sku, location, quantity, delta) in [
            ("HOODIE", "main", Quantity::OnHand, 300),
            ("CAP", "main", Quantity::OnHand, 300),
            ("SCARF", "main", Quantity::OnHand, 1),
            ("SCARF", "east", Quantity::OnHand, 40),
            ("LAST", "main", Quantity::OnHand, 3),
            ("CAP", "main", Quantity::Unavailable, 5),
            ("CAP", "main", Quantity::Safety, 2),
            ("SCARF", "east", Quantity::Incoming, 20),
            ("SCARF", "east", Quantity::InTransit, 7),
            ("CAP", "main", Quantity::OnHand, -3),
        ] {
            let adjust = stock::AdjustStockRequest {
                request_id: new_id(),
                sku: sku.into(),
                location_id: location.into(),
                reason: Reason::Corrected.into(),
                quantity: quantity.into(),
                change: Some(Change::Delta(delta)),
                ..Default::default()
            };
            self.stock.clone().adjust_stock(adjust).await.expect("stock is adjusted");
        }
    }

    /// Everybody at once; returns when all have ended what they end.
    pub(crate) async fn trade(&self) {
        join_all((0..ROUNDS).map(|_| async {
            tokio::join!(
                self.release(&["HOODIE"]),
                self.release(&["HOODIE", "CAP", "SCARF"]),
                self.confirm(&["HOODIE"]),
                self.confirm(&["CAP", "HOODIE"]),
                self.restock(&["HOODIE", "SCARF"]),
                self.let_expire("HOODIE"),
                self.scramble("LAST"),
                self.buy("HOODIE", "tok_ok"),
                self.buy("CAP", "tok_declined"),
                self.buy("HOODIE", "tok_drop"),
                self.buy_held("HOODIE", "tok_ok"),
                self.buy_and_cancel("CAP"),
            )
        }))
        .await;
        self.reserve(&["CAP"], 3600).await.expect("held for long");
        let paying = self.reserve(&["CAP"], 3600).await.expect("held");
        self.stock.clone().begin_payment(stock::BeginPaymentRequest { id: paying.id }).await.expect("live");
        self.buy("CAP", "tok_timeout").await;
    }

    async fn reserve(&self, skus: &[&str], seconds: i64) -> Result<stock::Reservation, Status> {
        let line = |sku: &&str| reserve_request::Line { sku: (*sku).into(), quantity: 1, ..Default::default() };
        let request = stock::ReserveRequest {
            request_id: new_id(),
            customer_id: "c1".into(),
            lines: skus.iter().map(line).collect(),
            ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
        };
        Ok(self.stock.clone().reserve(request).await?.into_inner())
    }

    async fn release(&self, skus: &[&str]) {
        let id = self.reserve(skus, 600).await.expect("there is enough").id;
        self.stock.clone().release_reservation(stock::ReleaseReservationRequest { id }).await.expect("it is held");
    }

    async fn confirm(&self, skus: &[&str]) -> String {
        let id = self.reserve(skus, 600).await.expect("there is enough").id;
        let request = stock::ConfirmReservationRequest { id: id.clone() };
        self.stock.clone().confirm_reservation(request).await.expect("it is held");
        id
    }

    async fn restock(&self, skus: &[&str]) {
        let id = self.confirm(skus).await;
        self.stock.clone().restock_reservation(stock::RestockReservationRequest { id }).await.expect("it is confirmed");
    }

    async fn let_expire(&self, sku: &str) {
        let id = self.reserve(&[sku], 1).await.expect("there is enough").id;
        let expired = async {
            let request = stock::GetReservationRequest { id };
            let mut look = tokio::time::interval(Duration::from_millis(50));
            while {
                look.tick().await;
                let read = self.stock.clone().get_reservation(request.clone()).await;
                read.expect("it exists").get_ref().state() != State::Expired
            } {}
        };
        tokio::time::timeout(PATIENCE, expired).await.expect("the sweeper comes round");
    }

    /// Holds one if there is one.
    async fn scramble(&self, sku: &str) {
        match self.reserve(&[sku], 3600).await {
            Ok(_) => {}
            Err(refused) => assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{refused:?}"),
        }
    }

    async fn place(&self, lines: Vec<Line>, reservation_id: String, token: &str) -> Result<order::Order, Status> {
        let request = order::PlaceOrderRequest {
            request_id: new_id(),
            customer_id: "c1".into(),
            lines,
            payment: Some(PaymentMethod { provider: "sandbox".into(), token: token.into() }),
            reservation_id,
        };
        Ok(self.orders.clone().place_order(request).await?.into_inner())
    }

    /// Orders one; paid or not, as the token has it.
    async fn buy(&self, sku: &str, token: &str) -> Option<order::Order> {
        let line = Line { sku: sku.into(), quantity: 1, ..Default::default() };
        let placed = self.place(vec![line], String::new(), token).await;
        let pays = ["tok_ok", "tok_drop"].contains(&token);
        assert_eq!(placed.is_ok(), pays, "{token}: {placed:?}");
        placed.ok()
    }

    async fn buy_held(&self, sku: &str, token: &str) {
        let id = self.reserve(&[sku, "CAP"], 600).await.expect("there is enough").id;
        self.place(Vec::new(), id, token).await.expect("it is paid");
    }

    async fn buy_and_cancel(&self, sku: &str) {
        let id = self.buy(sku, "tok_ok").await.expect("it is paid").id;
        self.orders.clone().cancel_order(order::CancelOrderRequest { id }).await.expect("it was placed");
    }
}
