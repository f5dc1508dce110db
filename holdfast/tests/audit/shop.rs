//! A database that has seen real traffic, and copies of it to break.

use std::sync::atomic::{AtomicU32, Ordering};

use holdfast::system::{Listeners, System, Transport, migrate};
use holdfast_platform::pg::{self, testing::fresh_database};
use tokio::sync::OnceCell;

use crate::traffic::Shop;
use crate::{Told, audit};

/// What was traded once, for all tests: nobody is connected to it any more.
pub(crate) struct Traded {
    pub(crate) database_url: String,
    pub(crate) audits_meanwhile: Vec<Told>,
}

static TRADED: OnceCell<Traded> = OnceCell::const_new();
static COPIES: AtomicU32 = AtomicU32::new(0);

pub(crate) async fn traded() -> &'static Traded {
    TRADED
        .get_or_init(|| async {
            let database_url = fresh_database().await;
            migrate(&database_url).await.expect("the schemas are made");
            let system = open(&database_url).await;
            let shop = Shop::at(&system);
            shop.stock_up().await;
            let mut audits_meanwhile = Vec::new();
            let mut traffic = Box::pin(shop.trade());
            loop {
                tokio::select! {
                    () = &mut traffic => break,
                    told = audit(&database_url) => audits_meanwhile.push(told),
                }
            }
            rest(&database_url).await;
            system.stop().await;
            Traded { database_url, audits_meanwhile }
        })
        .await
}

/// The services on a migrated database.
pub(crate) async fn open(database_url: &str) -> System {
    let any = ([127, 0, 0, 1], 0).into();
    let listeners = Listeners::bind(any, any).await.expect("two ports");
    System::start(database_url, Transport::InProcess, listeners).await.expect("the system starts")
}

/// A copy of a database of its own. PostgreSQL waits some seconds for others to leave the original.
pub(crate) async fn copy(database_url: &str) -> String {
    let neighbour = fresh_database().await;
    let name = format!("copy_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    execute(&neighbour, &format!("CREATE DATABASE {name} TEMPLATE {}", name_of(database_url))).await;
    neighbour.replacen(&format!("@/{}?", name_of(&neighbour)), &format!("@/{name}?"), 1)
}

fn name_of(database_url: &str) -> &str {
    let (_, rest) = database_url.split_once("@/").expect("a test database's URL");
    rest.split_once('?').expect("a test database's URL").0
}

pub(crate) async fn execute(database_url: &str, sql: &str) {
    let db = pg::connect(database_url).await.expect("the database answers");
    db.client().batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Waits until no order is under way.
async fn rest(database_url: &str) {
    let db = pg::connect(database_url).await.expect("the database answers");
    let under_way = "SELECT count(*), pg_sleep(0.02)::text FROM orders.sales_order
                     WHERE step NOT IN ('PLACED', 'CANCELLED', 'WATCH')";
    let resting =
        async { while db.client().query_one(under_way, &[]).await.expect("orders are read").get::<_, i64>(0) > 0 {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), resting).await.expect("every saga comes to rest");
}
