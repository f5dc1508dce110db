//! The service as a process composes it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::rec::v1::experiment_service_server::ExperimentServiceServer;
use holdfast_contracts::rec::v1::recommendation_service_server::RecommendationServiceServer;
use holdfast_platform::bus::consumer::{self, Consumer};
use holdfast_platform::bus::{Opened, Start};
use holdfast_platform::client::Wire;
use holdfast_platform::pg;
use holdfast_platform::task::Tasks;
use tokio::sync::{Notify, watch};
use tonic::service::RoutesBuilder;

use crate::client::{Catalog, Inventory};
use crate::grpc::{ExperimentDoor, Recommendations};
use crate::usecase::{Experiments, LiveModel, Recommender, Registry};
use crate::worker::experiments;
use crate::worker::purchases::{self, Purchases};
use crate::worker::tail::Tail;

/// How long the tail of the log may take to end.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What the service needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    pub connections_max: u32,
    /// What carries the orders' events.
    pub bus: Opened,
}

impl Config {
    pub fn new(database_url: impl Into<String>) -> Self {
        let database_url = database_url.into();
        let bus = Opened::postgres(&database_url);
        Self { database_url, connections_max: pg::CONNECTIONS_MAX_DEFAULT, bus }
    }
}

/// The services it asks.
#[derive(Debug, Clone)]
pub struct Deps {
    /// InventoryService and CatalogService.
    pub inventory: Wire,
}

/// RecommendationService with its model. Any number of replicas on one database hold the same one.
#[derive(Debug)]
pub struct Service {
    recommender: Recommender,
    experiments: Experiments,
    events: watch::Receiver<u64>,
    tasks: Tasks,
}

impl Service {
    /// Rebuilds the model from the log, then follows it. The schema must have been migrated.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub async fn start(config: Config, deps: Deps) -> Result<Self, pg::Error> {
        crate::declare_metrics();
        let pool = pg::pool(&config.database_url, config.connections_max).await?;
        let (model, recorded, tasks) = (LiveModel::new(), Arc::new(Notify::new()), Tasks::new());
        let (events_told, events) = watch::channel(0);

        let mut tail = Tail::new(pool.clone(), model.clone(), events_told);
        tail.catch_up().await?;
        tracing::info!(events = *events.borrow(), "recommendations rebuilt from the log");
        tasks.spawn("rec-tail", tail.run(Arc::clone(&recorded), tasks.stopping()));

        let experiments = Experiments { pool: pool.clone(), registry: Registry::default() };
        tasks.spawn("rec-experiments", experiments::run(experiments.clone(), tasks.stopping()));

        let catalog = Catalog::new(deps.inventory.clone());
        let purchases = Purchases { catalog: catalog.clone(), recorded: Arc::clone(&recorded) };
        tasks.spawn("rec-purchases", consume_orders(config, purchases).run(tasks.stopping()));
        let inventory = Inventory::new(deps.inventory);
        Ok(Self { recommender: Recommender { pool, model, recorded, catalog, inventory }, experiments, events, tasks })
    }

    /// Adds RecommendationService and ExperimentService to a process's routes.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        routes.add_service(RecommendationServiceServer::new(Recommendations::new(self.recommender.clone())));
        routes.add_service(ExperimentServiceServer::new(ExperimentDoor::new(self.experiments.clone())));
    }

    /// Resolves once the model holds that many of the log's events; at once where it already does.
    pub async fn wait_for_events(&self, events_min: u64) {
        // An error means that the tail has ended: the model will never hold more.
        let _ = self.events.clone().wait_for(|events| *events >= events_min).await;
    }

    /// One number for the model's whole state, equal wherever the same log was folded. Cost: a pass over the model.
    pub fn state_digest(&self) -> u64 {
        self.recommender.model.read(|model| model.digest())
    }

    /// Ends the background work.
    pub async fn stop(self) {
        self.tasks.stop(STOP_GRACE).await;
    }
}

fn consume_orders(config: Config, purchases: Purchases) -> Consumer<Purchases> {
    let Config { database_url, bus, .. } = config;
    let topic = purchases::TOPIC.parse().expect("it is a topic's name");
    let group = purchases::GROUP.parse().expect("it is a group's name");
    let config = consumer::Config { database_url, topic, group, begin: Start::Beginning };
    Consumer::new(config, bus.bus, purchases)
}
