//! `holdfast mesh`: every service in a process of its own, two replicas of the stock, on one PostgreSQL.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::Duration;

use holdfast_platform::{process, telemetry};
use serde_json::json;

use crate::database::Database;
use crate::mesh::{Mesh, Replica, Settings, Workload};
use crate::output::Output;
use crate::system::migrate;

/// How often the processes are looked after.
const REVIVE_PERIOD: Duration = Duration::from_millis(250);
/// More than this on one machine teaches nothing.
const REPLICAS_MAX: i64 = 16;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the private PostgreSQL keeps its data, and the processes their logs; made where it is missing.
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
    /// Where browsers connect.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Use this PostgreSQL instead of a private one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// How many replicas of the stock.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=REPLICAS_MAX))]
    inventory_replicas: u8,
    /// What carries events: `postgres`, or `kafka://host:port,...`.
    #[arg(long, env = "HOLDFAST_BUS", default_value = "postgres")]
    bus: String,
    /// A folder that `holdfast dev-certs` made: every connection between services uses mutual TLS.
    #[arg(long, value_name = "DIR")]
    certs: Option<PathBuf>,
    /// Passed on to every process, such as `--otlp http://127.0.0.1:4317`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    telemetry::init(telemetry::LogFormat::Text);
    let stop = pin!(process::stop_signal());
    let database = Database::open(args.database_url, args.data_dir.clone()).await?;
    let settings = Settings {
        folder: args.data_dir.join("mesh"),
        database_url: database.url().to_owned(),
        bus: args.bus,
        certificates: args.certs,
        http: Some(args.http),
        arguments: args.arguments,
    };
    let ran = serve(settings, args.inventory_replicas.into(), output, stop).await;
    database.close().await?;
    ran?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    settings: Settings,
    inventory_replicas: usize,
    output: Output,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> anyhow::Result<()> {
    let database_url = settings.database_url.clone();
    let starting = async {
        migrate(&database_url).await?;
        Mesh::start(settings, inventory_replicas).await
    };
    let mut mesh = tokio::select! {
        biased;
        () = stop.as_mut() => return Ok(()),
        started = starting => started?,
    };
    tell(&mesh, &database_url, output);
    loop {
        tokio::select! {
            () = stop.as_mut() => return mesh.stop().await,
            () = tokio::time::sleep(REVIVE_PERIOD) => {}
        }
        for ended in mesh.revive().await? {
            tracing::error!(replica = ended, "ended by itself and was started again");
        }
    }
}

fn tell(mesh: &Mesh, database_url: &str, output: Output) {
    let replicas = || Workload::ALL.into_iter().flat_map(|workload| mesh.of(workload));
    if output.is_json() {
        let one = |replica: &Replica| json!({ "workload": replica.workload().name(), "address": replica.address(), "admin": replica.admin() });
        let told: Vec<_> = replicas().map(one).collect();
        println!("{}", json!({ "ready": { "replicas": told, "databaseUrl": database_url } }));
        return;
    }
    for replica in replicas() {
        println!("{replica}, admin http://{}", replica.admin());
    }
    println!("logs in {}, database {database_url}", mesh.folder().display());
}
