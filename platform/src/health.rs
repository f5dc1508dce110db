//! Whether a process's services can do their work: what `grpc.health.v1` answers for each of them and for the whole.

use std::time::Duration;

use holdfast_contracts::{MethodError, MethodTable};
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
    names: Vec<String>,
}

impl Health {
    /// The services of these Protobuf packages (`holdfast.inventory.v1`), serving from now on.
    ///
    /// # Errors
    /// Where the contracts cannot be served.
    pub async fn serving(packages: &[&str]) -> Result<Self, MethodError> {
        let table = MethodTable::load()?;
        let services = table.methods().map(|method| method.descriptor.parent_service().clone());
        let mut names: Vec<String> = services
            .filter(|service| packages.contains(&service.package_name()))
            .map(|service| service.full_name().to_owned())
            .chain([String::new()])
            .collect();
        names.sort();
        names.dedup();
        let health = Self { reporter: HealthReporter::new(), names };
        health.tell(ServingStatus::Serving).await;
        Ok(health)
    }

    /// The same, for as long as their database answers.
    ///
    /// # Errors
    /// Where the contracts cannot be served.
    pub async fn following(packages: &[&str], database_url: &str, tasks: &Tasks) -> Result<Self, MethodError> {
        let health = Self::serving(packages).await?;
        let (follower, url, stopping) = (health.clone(), database_url.to_owned(), tasks.stopping());
        tasks.spawn("health", async move {
            tokio::select! {
                () = follower.follow(&url) => {}
                () = stopping.cancelled() => follower.tell(ServingStatus::NotServing).await,
            }
        });
        Ok(health)
    }

    async fn follow(&self, database_url: &str) {
        let mut connection = None;
        let mut serving = true;
        loop {
            tokio::time::sleep(PERIOD).await;
            let asked = tokio::time::timeout(PATIENCE, ask(database_url, connection.take())).await;
            connection = asked.ok().and_then(Result::ok);
            if connection.is_some() != serving {
                serving = !serving;
                tracing::warn!(serving, "the database's answer changed what health says");
                self.tell(if serving { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
            }
        }
    }

    async fn tell(&self, status: ServingStatus) {
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }

    pub(crate) fn service(&self) -> HealthServer<HealthService> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
    }
}

async fn ask(database_url: &str, connection: Option<Connection>) -> Result<Connection, pg::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => pg::connect(database_url).await?,
    };
    connection.client().batch_execute("SELECT 1").await?;
    Ok(connection)
}
