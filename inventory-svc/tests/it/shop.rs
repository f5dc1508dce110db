//! A database with some stock, and services on it.

use std::time::Duration;

use holdfast_contracts::RequestId;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::inventory::v1::reservation::State;
use holdfast_platform::client::{Wire, in_process};
use holdfast_platform::pg::{self, Connection, testing::fresh_database};
use inventory_svc::{Config, Service};
use tonic::Status;
use tonic::service::Routes;

pub(crate) type Client = InventoryServiceClient<Wire>;

/// One database and one replica on it.
pub(crate) struct Shop {
    pub database_url: String,
    pub client: Client,
}

impl Shop {
    /// A shop whose SKUs have these units at `main`; `SKU@location` names another place.
    pub(crate) async fn with_stock(stock: &[(&str, i64)]) -> Self {
        let database_url = fresh_database().await;
        inventory_svc::migrate(&database_url).await.expect("the schema is made");
        let db = pg::connect(&database_url).await.expect("the database answers");
        seed_catalog(&db, stock).await;
        let (_, client) = replica(&database_url).await;
        let mut shop = Self { database_url, client };
        for (level, units) in stock.iter().filter(|(_, units)| *units > 0) {
            let (sku, location) = level.split_once('@').unwrap_or((level, "main"));
            shop.client.adjust_stock(adjust(sku, location, *units)).await.expect("stock is received");
        }
        shop
    }

    pub(crate) async fn db(&self) -> Connection {
        pg::connect(&self.database_url).await.expect("the database answers")
    }

    pub(crate) async fn available(&mut self, sku: &str) -> i64 {
        let request = pb::GetStockRequest { sku: sku.into(), ..Default::default() };
        let stock = self.client.get_stock(request).await.expect("stock is read").into_inner();
        stock.total.expect("a total").available
    }
}

/// Another replica on the same database.
pub(crate) async fn replica(database_url: &str) -> (Service, Client) {
    let config = Config { sweep_period: Duration::from_millis(50), ..Config::new(database_url) };
    let service = Service::start(config).await.expect("the service starts");
    let mut routes = Routes::builder();
    service.add_to(&mut routes);
    (service, InventoryServiceClient::new(in_process(routes.routes())))
}

async fn seed_catalog(db: &Connection, stock: &[(&str, i64)]) {
    let sql = "INSERT INTO inventory.brand (id, display_name) VALUES ('b', 'B') ON CONFLICT DO NOTHING;
               INSERT INTO inventory.product (id, brand_id, title, description, category, status, tags, attributes, version, updated_at)
               VALUES ('p', 'b', 'P', '', '', 1, '{}', '{}', 1, now()) ON CONFLICT DO NOTHING;
               INSERT INTO inventory.location (id, display_name, priority) VALUES ('east', 'East', 1), ('west', 'West', 2)
               ON CONFLICT DO NOTHING;";
    db.client().batch_execute(sql).await.expect("the catalogue is seeded");
    for (level, _) in stock {
        let sku = level.split_once('@').map_or(*level, |(sku, _)| sku);
        let sql = "INSERT INTO inventory.variant (sku, product_id, position, options, attributes)
                   VALUES ($1, 'p', 0, '{}', '{}') ON CONFLICT DO NOTHING";
        db.client().execute(sql, &[&sku]).await.expect("a variant is seeded");
    }
}

pub(crate) fn new_id() -> String {
    RequestId::now_v7().to_string()
}

pub(crate) fn adjust(sku: &str, location: &str, delta: i64) -> pb::AdjustStockRequest {
    pb::AdjustStockRequest {
        request_id: new_id(),
        sku: sku.into(),
        location_id: location.into(),
        reason: pb::adjust_stock_request::Reason::Received.into(),
        change: Some(pb::adjust_stock_request::Change::Delta(delta)),
        ..Default::default()
    }
}

pub(crate) fn line(sku: &str, quantity: i32) -> pb::reserve_request::Line {
    pb::reserve_request::Line { sku: sku.into(), quantity, ..Default::default() }
}

pub(crate) fn reserve(lines: Vec<pb::reserve_request::Line>) -> pb::ReserveRequest {
    pb::ReserveRequest { request_id: new_id(), customer_id: "c1".into(), lines, ttl: None }
}

pub(crate) fn reason(status: &Status) -> &'static str {
    holdfast_platform::status::reason_of(status).map_or("none", |reason| reason.as_str_name())
}

pub(crate) fn state(reservation: &pb::Reservation) -> State {
    reservation.state()
}
