use clap::Parser;
use holdfast_contracts::Workload;
use holdfast_platform::{config, process::Process, server};
use rec_svc::{Config, Deps, Service};

/// Behaviour events and recommendations over gRPC; the schema is made by `holdfast migrate`.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where services and grpcurl connect.
    #[arg(long, env = "HOLDFAST_GRPC", default_value = "127.0.0.1:50054")]
    grpc: std::net::SocketAddr,
    /// Where inventory-svc answers.
    #[arg(long, env = "HOLDFAST_INVENTORY", default_value = "http://127.0.0.1:50052")]
    inventory: String,
    #[command(flatten)]
    database: config::DatabaseArgs,
    #[command(flatten)]
    bus: config::BusArgs,
    #[command(flatten)]
    mesh: config::MeshArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { grpc, inventory, database, bus, mesh } = config::parse();
    let process = Process::start(&mesh, Workload::RecSvc, grpc).await?;
    let listener = server::listen(grpc).await?;
    let deps = Deps { inventory: process.connect(&inventory, Workload::InventorySvc)? };
    let bus = bus.bus.open(&database.database_url)?;
    let settings = Config { bus, ..Config::new(&database.database_url) };
    let service = Service::start(settings, deps).await?;
    let health = process.health("holdfast.rec.v1", &database.database_url).await?;
    process.serve(listener, health, |routes| service.add_to(routes), async {}).await?;
    service.stop().await;
    Ok(())
}
