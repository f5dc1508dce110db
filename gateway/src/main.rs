use clap::Parser;
use gateway::{Config, Deps, Service};
use holdfast_contracts::{MethodTable, Workload};
use holdfast_platform::{config, health::Health, process::Process, server};

/// REST/JSON and live push in front of Holdfast's gRPC services.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where browsers connect.
    #[arg(long, env = "HOLDFAST_HTTP", default_value = "127.0.0.1:8080")]
    http: std::net::SocketAddr,
    /// Where inventory-svc answers.
    #[arg(long, env = "HOLDFAST_INVENTORY", default_value = "http://127.0.0.1:50052")]
    inventory: String,
    /// Where order-svc answers.
    #[arg(long, env = "HOLDFAST_ORDER", default_value = "http://127.0.0.1:50053")]
    order: String,
    /// Where rec-svc answers.
    #[arg(long, env = "HOLDFAST_REC", default_value = "http://127.0.0.1:50054")]
    rec: String,
    #[command(flatten)]
    mesh: config::MeshArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Args { http, inventory, order, rec, mesh } = config::parse();
    let process = Process::start(&mesh, Workload::Gateway, http).await?;
    let listener = server::listen(http).await?;
    let wires = [
        ("holdfast.inventory.v1", process.connect(&inventory, Workload::InventorySvc)?),
        ("holdfast.order.v1", process.connect(&order, Workload::OrderSvc)?),
        ("holdfast.rec.v1", process.connect(&rec, Workload::RecSvc)?),
    ];
    let table = MethodTable::load()?;
    let config = Config { drain_timeout: mesh.drain.grace(), ..Config::default() };
    let service = Service::new(config, Deps::per_package(&table, &wires), table)?;
    Ok(process.run(Health::serving(&[]).await?, |stop| service.serve(listener, stop)).await?)
}
