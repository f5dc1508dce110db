//! A shop to test with: its database, its stock, its service, and what must be true of every order in the end.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::common::v1::{Money, Reason};
use holdfast_contracts::inventory::v1::catalog_service_server::CatalogServiceServer;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryServiceServer;
use holdfast_contracts::inventory::v1::reservation::State as HoldState;
use holdfast_contracts::order::v1 as pb;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_contracts::order::v1::place_order_request::{Line, PaymentMethod};
use holdfast_platform::client::{self, Wire};
use holdfast_platform::pg;
use holdfast_platform::status::reason_of;
use order_svc::payment::sandbox::Sandbox;
use order_svc::{Config, Deps, Service};
use tonic::Status;
use tonic::service::RoutesBuilder;
use uuid::Uuid;

use super::stock::{Api, Stock};
use super::trap::Trapped;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) struct Shop {
    pub(crate) config: Config,
    pub(crate) stock: Arc<Stock>,
}

/// The service in this process, and a client to it.
pub(crate) struct Open {
    pub(crate) service: Service,
    pub(crate) client: OrderServiceClient<Wire>,
}

/// An order as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) step: String,
    pub(crate) state: String,
    pub(crate) payment_state: String,
    pub(crate) reservation_id: String,
    pub(crate) at_rest: bool,
}

impl Shop {
    /// A migrated database and ten HOODIE-M at 50.00 EUR. Retries are quick; nothing runs out but by its own fault.
    pub(crate) async fn new() -> Self {
        let url = pg::testing::fresh_database().await;
        assert!(order_svc::migrate(&url).await.expect("it migrates") > 0);
        let stock = Stock::new();
        stock.put("HOODIE-M", 10);
        stock.price("HOODIE-M", 5000);
        let config = Config {
            connections_max: 4,
            lease: Duration::from_secs(10),
            worker_period: Duration::from_millis(20),
            retry_first: Duration::from_millis(10),
            retry_max: Duration::from_millis(40),
            watch_first: Duration::from_millis(5),
            watch_max: Duration::from_millis(100),
            // Late charges come when the test says so.
            sandbox_late_after: Duration::from_hours(1),
            ..Config::new(url)
        };
        Self { config, stock }
    }

    /// As [`Shop::new`], with leases that soon run out.
    pub(crate) async fn with_short_leases() -> Self {
        let mut shop = Self::new().await;
        shop.config.lease = Duration::from_millis(500);
        shop
    }

    /// Gives up soon on providers that do not answer.
    pub(crate) fn impatient(mut self) -> Self {
        self.config.payment_timeout = Duration::from_millis(150);
        self
    }

    /// Lets an order's late charge appear at the provider.
    pub(crate) async fn let_charge_come(&self, id: &str) {
        let sql = "UPDATE orders.sandbox_payment SET known_at = now() WHERE reference = $1";
        let db = self.db().await;
        // The provider may still be at it: nobody waits for this charge.
        while db.client().execute(sql, &[&id]).await.expect("the books are written") == 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts a service, with the trap around its provider.
    pub(crate) async fn start(&self) -> Service {
        start(self.config.clone(), Arc::clone(&self.stock)).await
    }

    pub(crate) async fn open(&self) -> Open {
        let service = self.start().await;
        let mut routes = RoutesBuilder::default();
        service.add_to(&mut routes);
        Open { service, client: OrderServiceClient::new(client::in_process(routes.routes())) }
    }

    pub(crate) async fn row(&self, id: &str) -> Option<Row> {
        let sql = "SELECT step, state, payment_state, reservation_id::text, due_at IS NULL FROM orders.sales_order WHERE id = $1";
        let row = self.db().await.client().query_opt(sql, &[&uuid(id)]).await.expect("orders are read")?;
        Some(Row {
            step: row.get(0),
            state: row.get(1),
            payment_state: row.get(2),
            reservation_id: row.get(3),
            at_rest: row.get(4),
        })
    }

    /// The provider's side of an order: status, and how often it was asked to authorise.
    pub(crate) async fn charges(&self, id: &str) -> Vec<(String, i32)> {
        let sql = "SELECT status, asked FROM orders.sandbox_payment WHERE reference = $1";
        let rows = self.db().await.client().query(sql, &[&id]).await.expect("the books are read");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// `state/payment_state` of each of an order's events.
    pub(crate) async fn events(&self, id: &str) -> Vec<String> {
        let sql = "SELECT state || '/' || payment_state FROM orders.event WHERE order_id = $1 ORDER BY id";
        let rows = self.db().await.client().query(sql, &[&uuid(id)]).await.expect("events are read");
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) async fn db(&self) -> pg::Connection {
        pg::connect(&self.config.database_url).await.expect("the database answers")
    }

    /// Waits until the order's saga is over.
    pub(crate) async fn rest(&self, id: &str) -> Row {
        self.row_when(id, |row| row.at_rest).await
    }

    pub(crate) async fn row_when(&self, id: &str, wanted: impl Fn(&Row) -> bool) -> Row {
        let mut last = None;
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                last = self.row(id).await;
                if let Some(row) = last.clone().filter(&wanted) {
                    return row;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("order {id} never came to be as wanted: {last:?}"))
    }

    /// Invariants 10 and 11: money and goods agree, and there is one charge at most.
    pub(crate) async fn check_settled(&self, id: &str, row: &Row) {
        let charges = self.charges(id).await;
        assert!(charges.len() <= 1, "charged more than once: {charges:?}");
        let charge = charges.first().map(|(status, _)| status.as_str());
        let hold = self.stock.reservation(&row.reservation_id);
        let committed = hold.as_ref().is_some_and(|hold| hold.state() == HoldState::Confirmed && !hold.restocked);
        match row.step.as_str() {
            "PLACED" => {
                assert_eq!((charge, committed), (Some("CAPTURED"), true), "{row:?}");
                assert_eq!((row.state.as_str(), row.payment_state.as_str()), ("PLACED", "CAPTURED"));
            }
            "CANCELLED" => {
                assert!(matches!(charge, None | Some("VOIDED" | "REFUNDED" | "DECLINED")), "{row:?}: {charge:?}");
                assert!(!committed, "{row:?}: {hold:?}");
                let open = hold.is_some_and(|hold| matches!(hold.state(), HoldState::Held | HoldState::Paying));
                assert!(!open, "{row:?} still holds units");
                assert_eq!(row.state, "CANCELLED");
            }
            step => panic!("{step} is not at rest"),
        }
    }
}

/// Starts a service with the trap around its provider.
pub(crate) async fn start(config: Config, stock: Arc<Stock>) -> Service {
    let mut routes = RoutesBuilder::default();
    routes.add_service(InventoryServiceServer::new(Api(Arc::clone(&stock))));
    routes.add_service(CatalogServiceServer::new(Api(Arc::clone(&stock))));
    let pool = pg::pool(&config.database_url, 2).await.expect("a pool");
    let sandbox = Trapped { inner: Sandbox::new(pool, config.sandbox_late_after), trap: Arc::clone(&stock.trap) };
    let deps = Deps { inventory: client::in_process(routes.routes()) };
    Service::start_with(config, deps, vec![Arc::new(sandbox)]).await.expect("the service starts")
}

/// One HOODIE-M for customer c1, paid with `token`, under a new id.
pub(crate) fn ask(token: &str) -> pb::PlaceOrderRequest {
    pb::PlaceOrderRequest {
        request_id: Uuid::now_v7().to_string(),
        customer_id: "c1".into(),
        lines: vec![line("HOODIE-M", 1)],
        payment: Some(PaymentMethod { provider: "sandbox".into(), token: token.into() }),
        reservation_id: String::new(),
    }
}

pub(crate) fn line(sku: &str, quantity: i32) -> Line {
    Line { sku: sku.into(), quantity, unit_price: None, location_id: String::new() }
}

pub(crate) fn eur(amount_minor: i64) -> Money {
    Money { currency_code: "EUR".into(), amount_minor }
}

pub(crate) fn uuid(text: &str) -> Uuid {
    text.parse().expect("a UUID")
}

#[track_caller]
pub(crate) fn check_refused<T: std::fmt::Debug>(answer: Result<T, Status>, reason: Reason) -> Status {
    let status = answer.expect_err("it must be refused");
    assert_eq!(reason_of(&status), Some(reason), "{status:?}");
    status
}
