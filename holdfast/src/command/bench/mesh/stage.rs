//! One PostgreSQL with a filled shelf, for every scenario to start its own mesh on.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_contracts::Workload as Name;
use holdfast_platform::client::{self, ClientConfig, Connector, Wire};
use holdfast_platform::pg::cluster::Cluster;
use holdfast_platform::task::Tasks;
use holdfast_platform::tls::{Files, Identity};
use rand::random;

use super::Args;
use super::ask::Asks;
use crate::command::bench::{fill_shelves, seed_catalog};
use crate::mesh::{Mesh, Settings, Workload};
use crate::system::migrate;

/// Where everything a scenario needs lies.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) clients: usize,
    pub(super) duration: Duration,
    cluster: Cluster,
}

impl Stage {
    pub(super) async fn set(args: &Args) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("holdfast-bench-mesh-{}", std::process::id()));
        let data = folder.join("data");
        let cluster = tokio::task::spawn_blocking(move || Cluster::start(&data)).await??;
        migrate(cluster.url()).await?;
        seed_catalog(cluster.url()).await?;
        let stage = Self { folder, clients: args.clients, duration: Duration::from_secs(args.seconds), cluster };
        let mut mesh = Mesh::new(stage.settings(None))?;
        mesh.add(Workload::Inventory, 1).await?;
        fill_shelves(stage.connect(&mesh, Workload::Inventory, None)?, 1).await?;
        mesh.stop().await?;
        Ok(stage)
    }

    pub(super) async fn strike(self) -> anyhow::Result<()> {
        let Self { folder, cluster, .. } = self;
        tokio::task::spawn_blocking(move || cluster.stop()).await?;
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
    }

    pub(super) fn database_url(&self) -> &str {
        self.cluster.url()
    }

    /// For a mesh of one scenario's own.
    pub(super) fn settings(&self, certificates: Option<PathBuf>) -> Settings {
        Settings {
            folder: self.folder.join(format!("mesh-{}", random::<u32>())),
            database_url: self.cluster.url().to_owned(),
            bus: "postgres".to_owned(),
            certificates,
            http: None,
            arguments: Vec::new(),
        }
    }

    /// A wire to a workload of a mesh, with the whole client stack, as the services have it.
    pub(super) fn connect(&self, mesh: &Mesh, to: Workload, identity: Option<&Identity>) -> anyhow::Result<Wire> {
        let connector = identity.map(|identity| Connector::tls(identity.connector(to.identity())));
        Ok(client::connect(
            &mesh.target(to),
            &ClientConfig { workload: Some(to.identity()), connector, ..ClientConfig::default() },
        )?)
    }

    /// Clients of every kind.
    pub(super) fn asks(&self, mesh: &Mesh, identity: Option<&Identity>) -> anyhow::Result<Asks> {
        let wire = |to| self.connect(mesh, to, identity);
        Ok(Asks::new(
            wire(Workload::Inventory)?,
            wire(Workload::Order)?,
            wire(Workload::Rec)?,
            mesh.endpoint_file(Workload::Gateway),
        ))
    }

    /// Who the load generator is, under mutual TLS.
    pub(super) async fn operator(&self, certificates: &std::path::Path) -> anyhow::Result<Identity> {
        let files = Files::in_folder(&certificates.join(Name::Operator.as_str()));
        let domain = "holdfast".parse().context("a trust domain")?;
        let identity = Identity::load(files, domain, Name::Operator).await?;
        identity.watch(&Tasks::new());
        Ok(identity)
    }
}
