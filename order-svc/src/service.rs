//! The service's own life: start, routes, stop.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::order::v1::order_service_server::OrderServiceServer;
use holdfast_platform::pg::{self, Pool, migrate::Migration};
use holdfast_platform::task::Tasks;
use tonic::service::RoutesBuilder;

use crate::client::inventory::Inventory;
use crate::grpc::Api;
use crate::payment::{Provider, sandbox::Sandbox};
use crate::usecase::Orders;
use crate::{Config, Deps, store, worker};

/// What the orders' events are published as.
const TOPIC: &str = "orders";

/// How long orders under way may take to finish once the service is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(10);

const SCHEMA: &str = "orders";
const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_init", sql: include_str!("../migrations/0001_init.sql") },
    Migration { name: "0002_events", sql: include_str!("../migrations/0002_events.sql") },
];

/// Brings the schema `orders` forward; returns how many steps were applied.
///
/// # Errors
/// Where the database cannot be reached or its schema is from a newer build.
pub async fn migrate(database_url: &str) -> Result<usize, pg::Error> {
    let mut connection = pg::connect(database_url).await?;
    let applied = pg::migrate::migrate(&mut connection, SCHEMA, MIGRATIONS).await?;
    store::rebase_events(&connection).await?;
    Ok(applied)
}

/// The running service.
pub struct Service {
    orders: Arc<Orders>,
    tasks: Tasks,
}

impl Service {
    /// Starts on a migrated database, with the sandbox as the one payment provider.
    ///
    /// # Errors
    /// Where the database cannot be reached.
    pub async fn start(config: Config, deps: Deps) -> Result<Self, pg::Error> {
        let pool = pg::pool(&config.database_url, config.connections_max).await?;
        let sandbox = Sandbox::new(pool.clone(), config.sandbox_late_after);
        Self::start_on(pool, config, deps, vec![Arc::new(sandbox)]).await
    }

    /// Starts with payment providers of one's own.
    ///
    /// # Errors
    /// Where the database cannot be reached.
    pub async fn start_with(config: Config, deps: Deps, providers: Vec<Arc<dyn Provider>>) -> Result<Self, pg::Error> {
        let pool = pg::pool(&config.database_url, config.connections_max).await?;
        Self::start_on(pool, config, deps, providers).await
    }

    async fn start_on(
        pool: Pool,
        config: Config,
        deps: Deps,
        providers: Vec<Arc<dyn Provider>>,
    ) -> Result<Self, pg::Error> {
        // A database that is not there is told now, not to the first shopper.
        drop(pool.get().await?);
        crate::declare_metrics();
        let tasks = Tasks::new();
        config.bus.relay(TOPIC.parse().expect("it is a topic's name"), &config.database_url, &tasks);
        let inventory = Inventory::new(deps.inventory, config.inventory_timeout);
        let orders = Arc::new(Orders::new(config, pool, inventory, providers, tasks.clone()));
        tasks.spawn("resume orders", worker::resume(Arc::clone(&orders), tasks.stopping()));
        Ok(Self { orders, tasks })
    }

    /// Adds OrderService to a process's routes.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        routes.add_service(OrderServiceServer::new(Api::new(Arc::clone(&self.orders))));
    }

    /// Stops the worker and waits for orders under way; what does not finish is resumed at the next start.
    pub async fn stop(self) {
        self.tasks.stop(STOP_GRACE).await;
    }
}
