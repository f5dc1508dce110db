use clap::Parser;
use gateway::{Config, Deps, Service};
use holdfast_platform::{client, process, server, telemetry};

/// REST/JSON and live push in front of Holdfast's gRPC services.
#[derive(Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: std::net::SocketAddr,
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    inventory: String,
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    order: String,
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    rec: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    telemetry::init(telemetry::LogFormat::Text);
    let Args { http, inventory, order, rec } = Args::parse();
    let table = holdfast_contracts::MethodTable::load()?;
    let (inventory, order, rec) = (client::tcp(&inventory)?, client::tcp(&order)?, client::tcp(&rec)?);
    let wires = [("holdfast.inventory.v1", inventory), ("holdfast.order.v1", order), ("holdfast.rec.v1", rec)];
    let service = Service::new(Config::default(), Deps::per_package(&table, &wires), table)?;
    let listener = server::listen(http).await?;
    tracing::info!(%http, "ready");
    Ok(service.serve(listener, process::stop_signal()).await?)
}
