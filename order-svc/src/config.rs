//! What the service is started with.

use std::time::Duration;

use holdfast_platform::bus::Opened;
use holdfast_platform::client::Wire;
use holdfast_platform::pg::CONNECTIONS_MAX_DEFAULT;

use crate::domain::saga::Pacing;

/// The service's settings; [`Config::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    pub connections_max: u32,
    /// How long one call to the stock or the catalogue may take.
    pub inventory_timeout: Duration,
    /// How long one call to a payment provider may take.
    pub payment_timeout: Duration,
    /// How long an order is left to whoever works on it without a sign of life; the longest pause after a crash.
    /// More than any step takes: two calls to the stock.
    pub lease: Duration,
    /// How often the worker looks for orders to go on with.
    pub worker_period: Duration,
    /// How many orders the worker goes on with at a time.
    pub worker_orders_max: usize,
    /// How many orders clients may have under way; more are told to come back.
    pub orders_in_flight_max: usize,
    /// The wait before a failed step is tried again, doubling up to `retry_max`.
    pub retry_first: Duration,
    pub retry_max: Duration,
    /// The wait before a late charge is looked for, doubling up to `watch_max`.
    pub watch_first: Duration,
    pub watch_max: Duration,
    /// When the sandbox's late charges appear.
    pub sandbox_late_after: Duration,
    /// What carries the orders' events.
    pub bus: Opened,
}

impl Config {
    pub fn new(database_url: impl Into<String>) -> Self {
        let database_url = database_url.into();
        Self {
            bus: Opened::postgres(&database_url),
            database_url,
            connections_max: CONNECTIONS_MAX_DEFAULT,
            inventory_timeout: Duration::from_secs(3),
            payment_timeout: Duration::from_secs(3),
            lease: Duration::from_secs(15),
            worker_period: Duration::from_millis(500),
            worker_orders_max: 32,
            orders_in_flight_max: 1024,
            retry_first: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
            watch_first: Duration::from_secs(1),
            watch_max: Duration::from_mins(10),
            sandbox_late_after: Duration::from_secs(10),
        }
    }

    pub(crate) const fn pacing(&self) -> Pacing {
        Pacing {
            retry_first: self.retry_first,
            retry_max: self.retry_max,
            watch_first: self.watch_first,
            watch_max: self.watch_max,
        }
    }
}

/// What the service talks to.
pub struct Deps {
    /// Serves InventoryService and CatalogService.
    pub inventory: Wire,
}
