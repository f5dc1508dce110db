use clap::Parser;
use gateway::{Config, Deps, Service};
use holdfast_contracts::MethodTable;
use holdfast_platform::{client, config, health::Health, process::Process, server};

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
    let process = Process::start(&mesh, http).await?;
    let listener = server::listen(http).await?;
    let (inventory, order, rec) = (client::tcp(&inventory)?, client::tcp(&order)?, client::tcp(&rec)?);
    let wires = [("holdfast.inventory.v1", inventory), ("holdfast.order.v1", order), ("holdfast.rec.v1", rec)];
    let table = MethodTable::load()?;
    let config = Config { drain_timeout: mesh.drain.grace(), ..Config::default() };
    let service = Service::new(config, Deps::per_package(&table, &wires), table)?;
    Ok(process.run(Health::serving(&[]).await?, |stop| service.serve(listener, stop)).await?)
}
