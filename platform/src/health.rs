//! Whether a process's services can do their work: what `grpc.health.v1` answers for each of them and for the whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_contracts::{MethodError, MethodTable};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::pg::{self, Connection};
use crate::task::Tasks;

/// How often the database is asked.
const PERIOD: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module; cheap to clone.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
    /// The whole process (the empty name), and each service.
    names: Arc<[String]>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Held while every name is told: all say the same.
    telling: Mutex<()>,
    is_serving: AtomicBool,
    /// Once the process stops nothing says SERVING any more.
    stopping: CancellationToken,
}

impl Health {
    /// The services of these Protobuf packages (`holdfast.inventory.v1`), serving from now on.
    ///
    /// # Errors
    /// Where the contracts cannot be served.
    pub async fn serving(packages: &[&str]) -> Result<Self, MethodError> {
        let health = Self::new(packages)?;
        health.tell(true).await;
        Ok(health)
    }

    /// What is not told yet; the reporter by itself begins with SERVING.
    fn new(packages: &[&str]) -> Result<Self, MethodError> {
        let table = MethodTable::load()?;
        let services = table.methods().map(|method| method.descriptor.parent_service().clone());
        let mut names: Vec<String> = services
            .filter(|service| packages.contains(&service.package_name()))
            .map(|service| service.full_name().to_owned())
            .chain([String::new()])
            .collect();
        names.sort();
        names.dedup();
        Ok(Self { reporter: HealthReporter::new(), names: names.into(), state: Arc::default() })
    }

    /// The same, for as long as their database answers; it is asked once before this returns.
    ///
    /// # Errors
    /// Where the contracts cannot be served.
    pub async fn following(packages: &[&str], database_url: &str, tasks: &Tasks) -> Result<Self, MethodError> {
        let health = Self::new(packages)?;
        let connection = ask_in_time(database_url, None).await;
        health.tell(connection.is_some()).await;
        let (follower, url, stopping) = (health.clone(), database_url.to_owned(), tasks.stopping());
        tasks.spawn("health", async move {
            tokio::select! {
                () = follower.follow(&url, connection) => {}
                () = stopping.cancelled() => follower.stop().await,
            }
        });
        Ok(health)
    }

    async fn follow(&self, database_url: &str, mut connection: Option<Connection>) {
        loop {
            tokio::time::sleep(PERIOD).await;
            connection = ask_in_time(database_url, connection.take()).await;
            if connection.is_some() != self.is_serving() && !self.state.stopping.is_cancelled() {
                tracing::warn!(serving = connection.is_some(), "the database's answer changed what health says");
                self.tell(connection.is_some()).await;
            }
        }
    }

    /// Whether the process says that it takes calls.
    pub fn is_serving(&self) -> bool {
        self.state.is_serving.load(Ordering::Relaxed)
    }

    /// Says NOT_SERVING from now on, whatever the database does: the process stops.
    pub async fn stop(&self) {
        self.state.stopping.cancel();
        self.tell(false).await;
    }

    async fn tell(&self, is_serving: bool) {
        let _telling = self.state.telling.lock().await;
        let is_serving = is_serving && !self.state.stopping.is_cancelled();
        self.state.is_serving.store(is_serving, Ordering::Relaxed);
        let status = if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in self.names.iter() {
            self.reporter.set_service_status(name, status).await;
        }
    }

    pub(crate) fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
    }
}

async fn ask_in_time(database_url: &str, connection: Option<Connection>) -> Option<Connection> {
    tokio::time::timeout(PATIENCE, ask(database_url, connection)).await.ok().and_then(Result::ok)
}

async fn ask(database_url: &str, connection: Option<Connection>) -> Result<Connection, pg::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => pg::connect(database_url).await?,
    };
    connection.client().batch_execute("SELECT 1").await?;
    Ok(connection)
}
