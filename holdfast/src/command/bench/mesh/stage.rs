//! One PostgreSQL with a filled shelf, for every scenario to start its own mesh on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use holdfast_contracts::Workload as Name;
use holdfast_platform::client::{self, ClientConfig, Connector, Wire};
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
    pub(super) database_url: String,
}

impl Stage {
    pub(super) async fn set(args: &Args, folder: &Path, database_url: &str) -> anyhow::Result<Self> {
        migrate(database_url).await?;
        seed_catalog(database_url).await?;
        let (folder, database_url) = (folder.to_owned(), database_url.to_owned());
        let stage = Self { folder, clients: args.clients, duration: Duration::from_secs(args.seconds), database_url };
        let mut mesh = Mesh::new(stage.settings(None))?;
        mesh.add(Workload::Inventory, 1).await?;
        fill_shelves(stage.connect(&mesh, Workload::Inventory, None)?, 1).await?;
        mesh.stop().await?;
        Ok(stage)
    }

    /// For a mesh of one scenario's own.
    pub(super) fn settings(&self, certificates: Option<PathBuf>) -> Settings {
        Settings {
            folder: self.folder.join(format!("mesh-{}", random::<u32>())),
            database_url: self.database_url.clone(),
            bus: "postgres".to_owned(),
            certificates,
            http: None,
            // Longer than clients take to read their endpoint files again, as a cluster's delay is longer than DNS takes.
            arguments: vec!["--drain-delay-ms".to_owned(), "1500".to_owned()],
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
    pub(super) async fn operator(&self, certificates: &Path) -> anyhow::Result<Identity> {
        let files = Files::in_folder(&certificates.join(Name::Operator.as_str()));
        let domain = "holdfast".parse().context("a trust domain")?;
        let identity = Identity::load(files, domain, Name::Operator).await?;
        identity.watch(&Tasks::new());
        Ok(identity)
    }
}
