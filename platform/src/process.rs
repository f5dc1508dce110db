//! The process's own life: what every service binary does around its service.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::service::RoutesBuilder;

use crate::admin::{self, Hooks};
use crate::config::MeshArgs;
use crate::health::Health;
use crate::server::{self, Server, ServerError};
use crate::task::Tasks;
use crate::telemetry;

/// How long the process's own tasks may take to end.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Resolves when the process is asked to stop: SIGINT (Ctrl-C) or SIGTERM. Listens from the call on, not only from the
/// first poll: a signal that comes in between ends nothing half-way and is not lost. Call it inside a runtime.
pub fn stop_signal() -> impl Future<Output = ()> + Send + 'static {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Resolves when the doors of a process that is told to stop may close: health says NOT_SERVING, and callers had this
/// long to notice.
pub async fn drained(stop: impl Future<Output = ()>, health: &Health, delay: Duration) {
    stop.await;
    tracing::info!(?delay, "told to stop: callers are told to go elsewhere");
    health.stop().await;
    tokio::time::sleep(delay).await;
}

/// One service's process: its logs, its admin port, its health and its end.
pub struct Process {
    delay: Duration,
    grace: Duration,
    admin: TcpListener,
    hooks: Hooks,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    tasks: Tasks,
}

impl Process {
    /// Starts logging, hears stop signals from now on, and takes the admin port of a process whose door is at this
    /// address.
    ///
    /// # Errors
    /// Where the admin address is taken or not ours.
    pub async fn start(mesh: &MeshArgs, door: SocketAddr) -> Result<Self, ServerError> {
        telemetry::init(mesh.telemetry.log_format);
        Ok(Self {
            delay: mesh.drain.delay(),
            grace: mesh.drain.grace(),
            stop: Box::pin(stop_signal()),
            admin: server::listen(mesh.admin.address(door)).await?,
            hooks: Hooks::default(),
            tasks: Tasks::new(),
        })
    }

    /// The health of one Protobuf package's services: it follows their database.
    ///
    /// # Errors
    /// Where the contracts cannot be served.
    pub async fn health(&self, package: &str, database_url: &str) -> Result<Health, ServerError> {
        Ok(Health::following(&[package], database_url, &self.tasks).await?)
    }

    /// Serves a service's routes with health and reflection over gRPC until told to stop, and drains. `end_streams` is
    /// how the service ends its own streams.
    ///
    /// # Errors
    /// Where a contract lacks its policy, or the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        health: Health,
        add_to: impl FnOnce(&mut RoutesBuilder),
        end_streams: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServerError> {
        let mut routes = RoutesBuilder::default();
        add_to(&mut routes);
        let server = Server::new(server::with_infrastructure(routes.routes(), &health)?);
        let server = server.grace(self.grace).ending(end_streams);
        self.run(health, |stop| server.serve(listener, stop)).await
    }

    /// Runs a door of any kind with the admin port beside it. The door is given what resolves when it is to close.
    ///
    /// # Errors
    /// The door's own.
    pub async fn run<F, E>(self, health: Health, door: impl FnOnce(Stop) -> F) -> Result<(), E>
    where
        F: Future<Output = Result<(), E>>,
    {
        let Self { delay, grace: _, admin, hooks, stop, tasks } = self;
        let (port, stopping) = (health.clone(), tasks.stopping());
        tasks.spawn("admin", async move {
            if let Err(error) = admin::serve(admin, port, hooks, stopping.cancelled_owned()).await {
                tracing::error!(%error, "the admin port closed");
            }
        });
        let ran = door(Box::pin(async move { drained(stop, &health, delay).await })).await;
        tasks.stop(STOP_GRACE).await;
        ran
    }
}

/// Resolves when a door is to close.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;
