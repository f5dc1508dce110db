//! `holdfast up`: everything in one process, on a private PostgreSQL unless a database URL is given.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use holdfast_platform::pg::cluster::Cluster;
use holdfast_platform::task::spawn_joined;
use holdfast_platform::{pg, process, telemetry};

use tokio_util::sync::CancellationToken;

use crate::output::Output;
use crate::system::{Listeners, System, Transport, migrate};

/// How often the private PostgreSQL is looked after.
const REVIVE_PERIOD: Duration = Duration::from_millis(250);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the private PostgreSQL keeps its data; made where it is missing.
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
    /// Where browsers connect: REST/JSON and event streams.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Where services and grpcurl connect.
    #[arg(long, default_value = "127.0.0.1:50051")]
    grpc: SocketAddr,
    /// Use this PostgreSQL instead of a private one.
    #[arg(long, env = "DATABASE_URL")]
    database_url: Option<String>,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let format = if output.is_json() { telemetry::LogFormat::Json } else { telemetry::LogFormat::Text };
    telemetry::init(format);
    let began = Instant::now();
    // Heard from here on: a start that is called off must not leave its PostgreSQL running.
    let stop = process::stop_signal();
    let listeners = Listeners::bind(args.http, args.grpc).await?;
    let (cluster, database_url) = match args.database_url {
        Some(url) => (None, url),
        None => {
            let cluster = tokio::task::spawn_blocking(move || Cluster::start(&args.data_dir)).await??;
            let url = cluster.url().to_owned();
            (Some(cluster), url)
        }
    };
    let serving = CancellationToken::new();
    let keeper = cluster.map(|cluster| spawn_joined(keep_alive(cluster, serving.clone())));
    let ran = serve(&database_url, listeners, output, began, stop).await;
    serving.cancel();
    if let Some(keeper) = keeper {
        let cluster = keeper.await??;
        tokio::task::spawn_blocking(move || cluster.stop()).await?;
    }
    ran?;
    Ok(ExitCode::SUCCESS)
}

/// Starts the private PostgreSQL again should it die, until `serving` is cancelled; gives it back to be stopped.
async fn keep_alive(mut cluster: Cluster, serving: CancellationToken) -> anyhow::Result<Cluster> {
    loop {
        tokio::select! {
            () = serving.cancelled() => return Ok(cluster),
            () = tokio::time::sleep(REVIVE_PERIOD) => {}
        }
        cluster = tokio::task::spawn_blocking(move || {
            if let Err(error) = cluster.revive() {
                tracing::error!(%error, "private PostgreSQL does not come back, trying again");
            }
            cluster
        })
        .await?;
    }
}

async fn serve(
    database_url: &str,
    listeners: Listeners,
    output: Output,
    began: Instant,
    stop: impl Future<Output = ()>,
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
    let (http, grpc) = (system.http(), system.grpc());
    let ready_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if output.is_json() {
        let ready = serde_json::json!({
            "ready": { "http": format!("http://{http}"), "grpc": format!("http://{grpc}"), "databaseUrl": pg::without_password(database_url),
                       "readyMs": ready_ms }
        });
        println!("{ready}");
    } else {
        println!("ready in {ready_ms} ms: REST http://{http} (routes at /openapi.json), gRPC {grpc}");
        println!("  database {}", pg::without_password(database_url));
        println!("  try: grpcurl -plaintext {grpc} list");
    }
    stop.await;
    system.stop().await;
    Ok(())
}
