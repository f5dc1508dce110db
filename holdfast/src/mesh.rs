//! The services apart: one process each, several replicas, found through endpoint files as a cluster's clients find
//! them through DNS. For development (`holdfast mesh`), for measurements and for tests.

mod endpoints;
mod probe;
mod replica;
mod workload;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures_util::future::try_join_all;

pub use replica::Replica;
pub use workload::Workload;

use endpoints::Endpoints;

/// What every process of a mesh is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Endpoint files and logs go here.
    pub folder: PathBuf,
    /// Migrated.
    pub database_url: String,
    /// `postgres` or `kafka://host:port,...`.
    pub bus: String,
    /// A folder as `holdfast dev-certs` makes it; plaintext where none.
    pub certificates: Option<PathBuf>,
    /// Where the gateway listens; anywhere free where none.
    pub http: Option<SocketAddr>,
    /// Further arguments for every process: `--otlp`, `--log`, ...
    pub arguments: Vec<String>,
}

/// Running processes, callees started before callers. Those still running when it is dropped are killed.
#[derive(Debug)]
pub struct Mesh {
    settings: Settings,
    endpoints: Endpoints,
    replicas: Vec<Replica>,
}

impl Mesh {
    /// Nothing yet.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&settings.folder)
            .with_context(|| format!("cannot make {}", settings.folder.display()))?;
        let endpoints = Endpoints::new(&settings.folder)?;
        Ok(Self { settings, endpoints, replicas: Vec::new() })
    }

    /// Starts the whole mesh: `inventory_replicas` of the stock, one of everything else.
    ///
    /// # Errors
    /// Where a process does not become ready.
    pub async fn start(settings: Settings, inventory_replicas: usize) -> anyhow::Result<Self> {
        let mut mesh = Self::new(settings)?;
        mesh.add(Workload::Inventory, inventory_replicas).await?;
        for workload in [Workload::Order, Workload::Rec, Workload::Gateway] {
            mesh.add(workload, 1).await?;
        }
        Ok(mesh)
    }

    /// Starts further replicas and tells their callers once they are ready.
    ///
    /// # Errors
    /// Where one does not become ready.
    pub async fn add(&mut self, workload: Workload, count: usize) -> anyhow::Result<()> {
        let started = (0..count).map(|_| Replica::start(workload, &self.settings, &self.endpoints));
        self.replicas.extend(try_join_all(started).await?);
        self.publish(workload)
    }

    /// Replaces each of a workload's replicas, one after the other, as a rolling update does: the new one is ready
    /// before the old one is told to stop.
    ///
    /// # Errors
    /// Where one does not become ready or does not stop.
    pub async fn roll(&mut self, workload: Workload) -> anyhow::Result<()> {
        for old in self.of(workload).map(Replica::id).collect::<Vec<_>>() {
            self.add(workload, 1).await?;
            let replica = self.take(old).context("it was there")?;
            self.publish(workload)?;
            replica.stop().await?;
        }
        Ok(())
    }

    /// The replicas of a workload.
    pub fn of(&self, workload: Workload) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |replica| replica.workload() == workload)
    }

    /// Takes a replica out, with its callers none the wiser.
    pub fn take(&mut self, id: u32) -> Option<Replica> {
        let at = self.replicas.iter().position(|replica| replica.id() == id)?;
        Some(self.replicas.remove(at))
    }

    /// Tells callers who serves a workload now.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn publish(&self, workload: Workload) -> anyhow::Result<()> {
        let addresses: Vec<_> = self.of(workload).map(Replica::address).collect();
        self.endpoints.publish(workload, &addresses)
    }

    /// The target under which clients find a workload.
    pub fn target(&self, workload: Workload) -> String {
        self.endpoints.target(workload)
    }

    /// The file that lists who serves a workload, one address a line.
    pub fn endpoint_file(&self, workload: Workload) -> PathBuf {
        self.endpoints.file(workload)
    }

    /// How many calls each replica of a workload has answered.
    ///
    /// # Errors
    /// Where one does not tell.
    pub async fn served(&self, workload: Workload) -> anyhow::Result<Vec<f64>> {
        self.metric(workload, "rpc_server_call_duration_seconds_count").await
    }

    /// The sum of the series whose name and labels begin like this, for each replica of a workload.
    ///
    /// # Errors
    /// Where one does not tell.
    pub async fn metric(&self, workload: Workload, series: &str) -> anyhow::Result<Vec<f64>> {
        try_join_all(self.of(workload).map(|replica| probe::metric(replica.admin(), series))).await
    }

    /// Where the logs and endpoint files are.
    pub fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// Starts again what ended by itself; returns what that was.
    ///
    /// # Errors
    /// Where one does not become ready.
    pub async fn revive(&mut self) -> anyhow::Result<Vec<String>> {
        let mut ended = Vec::new();
        for id in self.replicas.iter_mut().filter_map(Replica::ended).collect::<Vec<_>>() {
            if let Some(replica) = self.take(id) {
                ended.push(replica.to_string());
                self.publish(replica.workload())?;
                self.add(replica.workload(), 1).await?;
            }
        }
        Ok(ended)
    }

    /// Stops everything, callers before callees.
    ///
    /// # Errors
    /// Where one does not stop.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        while let Some(replica) = self.replicas.pop() {
            replica.stop().await?;
        }
        Ok(())
    }
}
