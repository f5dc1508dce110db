//! Every service in one process, wired to each other: by direct calls (`up`), or over TCP as if they ran apart.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_contracts::MethodTable;
use holdfast_platform::client::{self, Wire};
use holdfast_platform::health::Health;
use holdfast_platform::layer::shed::Limiter;
use holdfast_platform::server::Server;
use holdfast_platform::task::Tasks;
use holdfast_platform::{pg, server};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::service::RoutesBuilder;

/// Whose services this process serves.
const PACKAGES: [&str; 3] = ["holdfast.inventory.v1", "holdfast.order.v1", "holdfast.rec.v1"];

/// How much longer than their calls the doors may take to close.
const DOORS_MARGIN: Duration = Duration::from_secs(2);

/// How the services reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Each generated client is given the other's routes: real encoding, deadlines, errors and layers, but no socket.
    InProcess,
    /// Each service listens on a loopback port of its own.
    Tcp,
}

/// Where the two public doors listen.
#[derive(Debug)]
pub struct Listeners {
    pub http: TcpListener,
    pub grpc: TcpListener,
    /// How long calls under way may go on once the system stops.
    pub grace: Duration,
}

impl Listeners {
    /// Takes both addresses now, so that a port in use is known before anything else starts.
    ///
    /// # Errors
    /// Where an address is taken or not ours.
    pub async fn bind(http: SocketAddr, grpc: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { http: server::listen(http).await?, grpc: server::listen(grpc).await?, grace: server::GRACE_DEFAULT })
    }
}

/// The running services.
pub struct System {
    inventory: inventory_svc::Service,
    orders: order_svc::Service,
    recommendations: rec_svc::Service,
    doors: Tasks,
    health: Health,
    http: SocketAddr,
    grpc: SocketAddr,
    grace: Duration,
}

/// Brings every schema forward; returns how many steps that took.
///
/// # Errors
/// Where the database cannot be reached, or a schema is from a newer build.
pub async fn migrate(database_url: &str) -> Result<usize, pg::Error> {
    Ok(inventory_svc::migrate(database_url).await?
        + order_svc::migrate(database_url).await?
        + rec_svc::migrate(database_url).await?)
}

impl System {
    /// Starts everything on a migrated database. The doors are open when this returns.
    ///
    /// # Errors
    /// Where a service cannot start.
    pub async fn start(database_url: &str, transport: Transport, listeners: Listeners) -> anyhow::Result<Self> {
        let table = MethodTable::load().context("the contracts cannot be served")?;
        // One limit for all of the process's calls, whichever way they come in.
        let limiter = server::limiter()?;
        let doors = Tasks::new();
        let health = Health::following(&PACKAGES, database_url, &doors).await?;
        let mut all = Routes::builder();

        let inventory = inventory_svc::Service::start(inventory_svc::Config::new(database_url)).await?;
        let inventory_wire =
            connect(transport, &doors, (&health, &limiter), &mut all, |routes| inventory.add_to(routes)).await?;

        let deps = order_svc::Deps { inventory: inventory_wire.clone() };
        let orders = order_svc::Service::start(order_svc::Config::new(database_url), deps).await?;
        let order_wire =
            connect(transport, &doors, (&health, &limiter), &mut all, |routes| orders.add_to(routes)).await?;

        let deps = rec_svc::Deps { inventory: inventory_wire.clone() };
        let recommendations = rec_svc::Service::start(rec_svc::Config::new(database_url), deps).await?;
        let rec_wire =
            connect(transport, &doors, (&health, &limiter), &mut all, |routes| recommendations.add_to(routes)).await?;

        let wires = [
            ("holdfast.inventory.v1", inventory_wire),
            ("holdfast.order.v1", order_wire),
            ("holdfast.rec.v1", rec_wire),
        ];
        let deps = gateway::Deps::per_package(&table, &wires);
        let Listeners { http, grpc, grace } = listeners;
        let config = gateway::Config { drain_timeout: grace, ..gateway::Config::default() };
        let gateway = gateway::Service::new(config, deps, table)?;

        let (http_address, grpc_address) = (http.local_addr()?, grpc.local_addr()?);
        let stop = doors.stopping();
        doors.spawn("http", async move { log_end(gateway.serve(http, stop.cancelled_owned()).await) });
        let server = Server::new(server::with_infrastructure(all.routes(), &health)?).limiter(limiter).grace(grace);
        let stop = doors.stopping();
        doors.spawn("grpc", async move { log_end(server.serve(grpc, stop.cancelled_owned()).await) });
        let (http, grpc) = (http_address, grpc_address);
        Ok(Self { inventory, orders, recommendations, doors, health, http, grpc, grace })
    }

    /// Where browsers connect.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where services and grpcurl connect.
    pub fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// What every service's health says.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// The event log's reader, to wait for what was recorded.
    pub fn recommendations(&self) -> &rec_svc::Service {
        &self.recommendations
    }

    /// Closes the doors, which ends watches, lets what is under way finish, and stops the services, callers before callees.
    pub async fn stop(self) {
        self.doors.stop(self.grace + DOORS_MARGIN).await;
        self.recommendations.stop().await;
        self.orders.stop().await;
        self.inventory.stop().await;
    }
}

/// A wire to one service; its routes are added to the process's common door too.
async fn connect(
    transport: Transport,
    doors: &Tasks,
    (health, limiter): (&Health, &Arc<Limiter>),
    all: &mut RoutesBuilder,
    add: impl Fn(&mut RoutesBuilder),
) -> anyhow::Result<Wire> {
    add(all);
    let mut own = Routes::builder();
    add(&mut own);
    match transport {
        Transport::InProcess => {
            let routes = server::with_infrastructure(own.routes(), health)?;
            Ok(client::in_process(server::in_process(routes, limiter)?))
        }
        Transport::Tcp => {
            let listener = server::listen(([127, 0, 0, 1], 0).into()).await?;
            let address = listener.local_addr()?;
            let (routes, stop) = (server::with_infrastructure(own.routes(), health)?, doors.stopping());
            doors.spawn("service", async move {
                log_end(server::serve(listener, routes, stop.cancelled_owned()).await);
            });
            Ok(client::tcp(&format!("http://{address}"))?)
        }
    }
}

fn log_end<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a server stopped");
    }
}
