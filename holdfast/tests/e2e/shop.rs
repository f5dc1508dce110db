//! A system on a database of its own, with goods on its shelves, and clients at its doors.

use holdfast::system::{Listeners, System, Transport, migrate};
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_platform::client;
use holdfast_platform::pg::{self, testing::fresh_database};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::ask::new_id;
use crate::rest::Rest;

pub(crate) struct Shop {
    pub(crate) database_url: String,
    pub(crate) system: System,
    pub(crate) doors: Doors,
}

/// The two public doors of a running product.
#[derive(Clone)]
pub(crate) struct Doors {
    pub(crate) rest: Rest,
    pub(crate) channel: Channel,
}

impl Shop {
    /// An open shop with so many units of each SKU, each a product of its own at 50.00 EUR.
    pub(crate) async fn open(transport: Transport, stock: &[(&str, i64)]) -> Self {
        let database_url = fresh_database().await;
        migrate(&database_url).await.expect("the schemas are made");
        let shop = Self::on(database_url, transport).await;
        shop.doors.stock_up(stock).await;
        shop
    }

    /// A replica on a migrated database.
    pub(crate) async fn on(database_url: String, transport: Transport) -> Self {
        let any = ([127, 0, 0, 1], 0).into();
        let listeners = Listeners::bind(any, any).await.expect("two ports");
        let system = System::start(&database_url, transport, listeners).await.expect("the system starts");
        let doors = Doors::at(&format!("http://{}", system.http()), &format!("http://{}", system.grpc()));
        Self { database_url, system, doors }
    }

    pub(crate) async fn db(&self) -> pg::Connection {
        pg::connect(&self.database_url).await.expect("the database answers")
    }
}

impl Doors {
    pub(crate) fn at(http: &str, grpc: &str) -> Self {
        Self { rest: Rest::new(http), channel: client::channel(grpc).expect("an address") }
    }

    pub(crate) fn inventory(&self) -> InventoryServiceClient<Channel> {
        InventoryServiceClient::new(self.channel.clone())
    }

    pub(crate) fn orders(&self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.channel.clone())
    }

    /// Puts goods on the shelves, through the doors like everybody.
    pub(crate) async fn stock_up(&self, stock: &[(&str, i64)]) {
        self.rest.put("/v1/brands/acme", &json!({"displayName": "Acme"})).await.ok();
        for (sku, units) in stock {
            let price = json!({"currencyCode": "EUR", "amountMinor": "5000"});
            let product = json!({"brandId": "acme", "title": sku, "status": "ACTIVE",
                                 "variants": [{"sku": sku, "price": price}]});
            self.rest.put(&format!("/v1/products/{}", product_of(sku)), &product).await.ok();
            if *units > 0 {
                let received = json!({"requestId": new_id(), "reason": "RECEIVED", "delta": units.to_string()});
                self.rest.post(&format!("/v1/stock/{}:adjust", encode(sku)), &received).await.ok();
            }
        }
    }

    /// The stock as `GET /v1/stock/{sku}` tells it.
    pub(crate) async fn stock(&self, sku: &str) -> Value {
        self.rest.get(&format!("/v1/stock/{}", encode(sku))).await.ok()
    }

    /// (held, committed, available) over all locations.
    pub(crate) async fn units(&self, sku: &str) -> (i64, i64, i64) {
        let stock = self.stock(sku).await;
        let units = |name: &str| stock["total"][name].as_str().and_then(|text| text.parse().ok()).expect("a number");
        (units("held"), units("committed"), units("available"))
    }
}

/// The product that a SKU is the one variant of.
pub(crate) fn product_of(sku: &str) -> String {
    encode(&format!("p-{}", sku.replace('/', "-")))
}

/// A SKU as one path segment.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
