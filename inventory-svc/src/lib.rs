//! Catalogue, stock, reservations: the service that never sells a unit twice.

pub mod ceiling;
pub mod domain;
mod grpc;
mod lane;
mod metrics;
mod store;
mod usecase;
mod worker;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::inventory::v1::catalog_service_server::CatalogServiceServer;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryServiceServer;
use holdfast_platform::bus::Opened;
use holdfast_platform::pg::{self, migrate::Migration};
use holdfast_platform::task::Tasks;
use tonic::service::RoutesBuilder;

use crate::lane::Lanes;
use crate::usecase::Inventory;
use crate::usecase::watch::Hub;

/// The service's schema in the database.
pub const SCHEMA: &str = "inventory";

/// What its events are published as.
pub const TOPIC: &str = "inventory";

/// The schema, step by step.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_catalog", sql: include_str!("../migrations/0001_catalog.sql") },
    Migration { name: "0002_stock", sql: include_str!("../migrations/0002_stock.sql") },
    Migration { name: "0003_events", sql: include_str!("../migrations/0003_events.sql") },
];

/// How long calls under way may take once the service is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// What the service is told at start.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    /// Connections for everything but the lanes.
    pub connections_max: u32,
    /// How many batches may be in flight at once, each on a connection of its own.
    pub lanes: usize,
    /// How often holds that have run out are looked for.
    pub sweep_period: Duration,
    /// What carries the ledger's events.
    pub bus: Opened,
}

impl Config {
    pub fn new(database_url: impl Into<String>) -> Self {
        let database_url = database_url.into();
        Self {
            bus: Opened::postgres(&database_url),
            database_url,
            connections_max: pg::CONNECTIONS_MAX_DEFAULT,
            lanes: lane::lanes_default(),
            sweep_period: Duration::from_millis(500),
        }
    }
}

/// Declares what the service counts; [`Service::start`] does so by itself.
pub fn declare_metrics() {
    metrics::Metrics::get();
}

/// A running service.
#[derive(Debug)]
pub struct Service {
    inventory: Arc<Inventory>,
    tasks: Tasks,
    /// Apart from the rest: they end before everything else does.
    watches: Tasks,
}

/// Brings the schema forward; returns how many steps that took.
///
/// # Errors
/// Where the database cannot be reached, or its schema is from a newer build.
pub async fn migrate(database_url: &str) -> Result<usize, pg::Error> {
    let mut connection = pg::connect(database_url).await?;
    let applied = pg::migrate::migrate(&mut connection, SCHEMA, MIGRATIONS).await?;
    store::movement::rebase_log(&connection).await?;
    Ok(applied)
}

impl Service {
    /// Starts the lanes and the workers. The schema must be there.
    ///
    /// # Errors
    /// Where the database URL is not one.
    pub async fn start(config: Config) -> Result<Self, pg::Error> {
        declare_metrics();
        let pool = pg::pool(&config.database_url, config.connections_max).await?;
        let tasks = Tasks::new();
        let hub = Hub::new();
        let lanes = Lanes::start(&config.database_url, config.lanes.max(1), &hub, &tasks);
        let inventory = Arc::new(Inventory {
            pool,
            lanes,
            directory: usecase::directory::Directory::default(),
            hub,
            reclaim: usecase::reclaim::Reclaim::default(),
        });
        tasks.spawn("sweeper", worker::sweeper::run(inventory.clone(), config.sweep_period, tasks.stopping()));
        config.bus.relay(TOPIC.parse().expect("it is a topic's name"), &config.database_url, &tasks);
        tasks.spawn("tail", worker::tail::run(inventory.clone(), tasks.stopping()));
        Ok(Self { inventory, tasks, watches: Tasks::new() })
    }

    /// Adds the service's gRPC doors to a process's routes.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        let server = grpc::InventoryServer::new(self.inventory.clone(), self.watches.clone());
        routes.add_service(InventoryServiceServer::new(server));
        let catalog = grpc::Catalog::new(self.inventory.pool.clone());
        routes.add_service(CatalogServiceServer::new(catalog));
    }

    /// Ends the watches, those to come too. A watch has no end of its own: a server that waits for its calls to finish
    /// waits for nothing else.
    pub fn end_watches(&self) -> impl Future<Output = ()> + Send + 'static {
        let watches = self.watches.clone();
        async move { watches.stop(STOP_GRACE).await }
    }

    /// Ends watches, answers what waits and stops.
    pub async fn stop(self) {
        self.end_watches().await;
        self.tasks.stop(STOP_GRACE).await;
    }
}
