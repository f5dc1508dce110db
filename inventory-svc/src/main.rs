use clap::Parser;
use holdfast_contracts::Workload;
use holdfast_platform::{config, process::Process, server};
use inventory_svc::{Config, Service};

/// The catalogue, stock and reservations over gRPC; the schema is made by `holdfast migrate`.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where services and grpcurl connect.
    #[arg(long, env = "HOLDFAST_GRPC", default_value = "127.0.0.1:50052")]
    grpc: std::net::SocketAddr,
    #[command(flatten)]
    database: config::DatabaseArgs,
    #[command(flatten)]
    bus: config::BusArgs,
    #[command(flatten)]
    mesh: config::MeshArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { grpc, database, bus, mesh } = config::parse();
    let process = Process::start(&mesh, Workload::InventorySvc, grpc).await?;
    let listener = server::listen(grpc).await?;
    let bus = bus.bus.open(&database.database_url)?;
    let settings = Config { bus, ..Config::new(&database.database_url) };
    let service = Service::start(settings).await?;
    let health = process.health("holdfast.inventory.v1", &database.database_url).await?;
    process.serve(listener, health, |routes| service.add_to(routes), service.end_watches()).await?;
    service.stop().await;
    Ok(())
}
