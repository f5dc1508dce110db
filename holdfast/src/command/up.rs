//! `holdfast up`: everything in one process, on a private PostgreSQL unless a database URL is given.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use holdfast_platform::config::{AdminArgs, DrainArgs, TelemetryArgs};
use holdfast_platform::task::spawn_joined;
use holdfast_platform::telemetry::log::{self, LogFormat};
use holdfast_platform::{admin, pg, process, server};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::output::Output;
use crate::system::{Listeners, System, Transport, migrate};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the private PostgreSQL keeps its data; made where it is missing.
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
    /// Where browsers connect: REST/JSON and event streams.
    #[arg(long, env = "HOLDFAST_HTTP", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Where services and grpcurl connect.
    #[arg(long, env = "HOLDFAST_GRPC", default_value = "127.0.0.1:50051")]
    grpc: SocketAddr,
    /// Use this PostgreSQL instead of a private one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    #[command(flatten)]
    admin: AdminArgs,
    #[command(flatten)]
    drain: DrainArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let format = if output.is_json() { LogFormat::Json } else { args.telemetry.log_format };
    log::start(format, &args.telemetry.log).context("--log")?;
    let traces = process::start_export(&args.telemetry, "holdfast").context("--otlp")?;
    let began = Instant::now();
    // Heard from here on: a start that is called off must not leave its PostgreSQL running.
    let stop = process::stop_signal();
    let mut listeners = Listeners::bind(args.http, args.grpc).await?;
    listeners.grace = args.drain.grace();
    let admin = server::listen(args.admin.address(args.grpc)).await?;
    let database = Database::open(args.database_url, args.data_dir).await?;
    let ran = serve(database.url(), (listeners, admin), output, began, (stop, args.drain.delay())).await;
    database.close().await?;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    ran?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    database_url: &str,
    (listeners, admin): (Listeners, TcpListener),
    output: Output,
    began: Instant,
    (stop, delay): (impl Future<Output = ()>, Duration),
) -> anyhow::Result<()> {
    let mut stop = pin!(stop);
    let starting = async {
        migrate(database_url).await?;
        System::start(database_url, Transport::InProcess, listeners).await
    };
    let system = tokio::select! {
        biased;
        () = &mut stop => return Ok(()),
        started = starting => started?,
    };
    let (http, grpc, admin_address) = (system.http(), system.grpc(), admin.local_addr()?);
    let ready_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if output.is_json() {
        let ready = serde_json::json!({
            "ready": { "http": format!("http://{http}"), "grpc": format!("http://{grpc}"),
                       "admin": format!("http://{admin_address}"),
                       "databaseUrl": pg::without_password(database_url), "readyMs": ready_ms }
        });
        println!("{ready}");
    } else {
        println!("ready in {ready_ms} ms: REST http://{http} (routes at /openapi.json), gRPC {grpc}");
        println!("  database {}", pg::without_password(database_url));
        println!("  probes, metrics and the log level http://{admin_address} (/readyz, /metrics, /loglevel)");
        println!("  try: grpcurl -plaintext {grpc} list");
    }
    let (health, over) = (system.health().clone(), CancellationToken::new());
    let is_ready = move || health.is_serving();
    let admin = spawn_joined(admin::serve(admin, is_ready, process::hooks(None), over.clone().cancelled_owned()));
    process::drained(stop, system.health(), delay).await;
    system.stop().await;
    over.cancel();
    Ok(admin.await??)
}
