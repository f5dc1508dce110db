//! The process's own life: what every service binary does around its service.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use holdfast_contracts::{MethodTable, Workload};
use opentelemetry_otlp::ExporterBuildError;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::service::RoutesBuilder;

use crate::admin::{self, Hooks};
use crate::client::{self, BadTarget, ClientConfig, Wire};
use crate::config::{MeshArgs, TelemetryArgs};
use crate::health::Health;
use crate::layer::authorize::AuthorizeLayer;
use crate::server::{self, Plaintext, Server, ServerError};
use crate::task::Tasks;
use crate::telemetry::export::Export;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::{self, LevelError, log};
use crate::tls::{Identity, IdentityError};

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

/// Why a process does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("--log: {0}")]
    Log(#[from] LevelError),
    #[error("--otlp: {0}")]
    Traces(#[from] ExporterBuildError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// One workload's process: its logs and traces, its identity, its admin port, its health and its end.
pub struct Process {
    delay: Duration,
    grace: Duration,
    identity: Option<Identity>,
    traces: Option<Export>,
    /// What `/readyz` follows, once there is something to follow.
    health: Arc<OnceLock<Health>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    tasks: Tasks,
}

impl Process {
    /// Starts logging and tracing, hears stop signals from now on, reads the workload's certificate, and serves the admin
    /// port of a process whose door is at this address: live at once, however long its service takes to start, and ready
    /// once it runs a door and health says so.
    ///
    /// # Errors
    /// Where the admin address is taken or not ours, or an argument makes no sense.
    pub async fn start(mesh: &MeshArgs, workload: Workload, door: SocketAddr) -> Result<Self, StartError> {
        let MeshArgs { telemetry, tls, drain, .. } = mesh;
        log::start(telemetry.log_format, &telemetry.log)?;
        let stop = Box::pin(stop_signal());
        let tasks = Tasks::new();
        let identity = match tls.files() {
            Some(files) => Some(Identity::load(files, tls.trust_domain.clone(), workload).await?),
            None => None,
        };
        if let Some(identity) = &identity {
            identity.watch(&tasks);
        }
        let traces = start_export(telemetry, workload.as_str())?;
        let admin = server::listen(mesh.admin.address(door)).await?;
        let health = Arc::new(OnceLock::new());
        serve_admin(admin, health.clone(), hooks(identity.clone()), &tasks);
        Ok(Self { delay: drain.delay(), grace: drain.grace(), identity, traces, health, stop, tasks })
    }

    /// A wire to a workload: over mutual TLS where this process has an identity.
    ///
    /// # Errors
    /// Where the target is none.
    pub fn connect(&self, target: &str, to: Workload) -> Result<Wire, BadTarget> {
        let connector = self.identity.as_ref().map(|identity| client::Connector::tls(identity.connector(to)));
        client::connect(target, &ClientConfig { workload: Some(to), connector, ..ClientConfig::default() })
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
        match &self.identity {
            Some(identity) => {
                let callers = MethodTable::load().map_err(ServerError::from)?;
                let authorize =
                    AuthorizeLayer::mutual_tls(&callers, identity.trust_domain()).map_err(ServerError::from)?;
                let server = server.secured(identity.acceptor(), authorize);
                self.run(health, |stop| server.serve(listener, stop)).await
            }
            None => {
                let server = server.secured(Plaintext, AuthorizeLayer::plaintext());
                self.run(health, |stop| server.serve(listener, stop)).await
            }
        }
    }

    /// Runs a door of any kind; the admin port says ready. The door is given what resolves when it is to close.
    ///
    /// # Errors
    /// The door's own.
    pub async fn run<F, E>(self, health: Health, door: impl FnOnce(Stop) -> F) -> Result<(), E>
    where
        F: Future<Output = Result<(), E>>,
    {
        let Self { delay, grace: _, identity: _, traces, health: known, stop, tasks } = self;
        known.get_or_init(|| health.clone());
        let ran = door(Box::pin(async move { drained(stop, &health, delay).await })).await;
        tasks.stop(STOP_GRACE).await;
        if let Some(traces) = traces {
            traces.stop().await;
        }
        ran
    }
}

fn serve_admin(listener: TcpListener, health: Arc<OnceLock<Health>>, hooks: Hooks, tasks: &Tasks) {
    let (is_ready, stopping) = (move || health.get().is_some_and(Health::is_serving), tasks.stopping());
    tasks.spawn("admin", async move {
        if let Err(error) = admin::serve(listener, is_ready, hooks, stopping.cancelled_owned()).await {
            tracing::error!(%error, "the admin port closed");
        }
    });
}

/// Starts sending spans, in this name, where the arguments say where to. To be stopped in the end.
///
/// # Errors
/// Where the address makes no sense.
pub fn start_export(args: &TelemetryArgs, name: &'static str) -> Result<Option<Export>, ExporterBuildError> {
    let start = |to: &http::Uri| Export::start(&to.to_string(), name, args.trace_ratio);
    args.otlp.as_ref().map(start).transpose()
}

/// What the admin port tells of and changes: all metrics, how long the certificate is still valid, the log level.
pub fn hooks(identity: Option<Identity>) -> Hooks {
    let metrics = move || {
        if let Some(identity) = &identity {
            Metrics::get().certificate_left.of(()).set(identity.life_left().as_secs_f64());
        }
        telemetry::render()
    };
    Hooks {
        metrics: Arc::new(metrics),
        log_level: Arc::new(telemetry::level),
        set_log_level: Arc::new(|filter| telemetry::set_level(filter).map_err(|error| error.to_string())),
    }
}

/// Resolves when a door is to close.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;
