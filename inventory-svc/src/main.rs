//! inventory-svc on its own, over TCP.

use std::net::SocketAddr;

use clap::Parser;
use holdfast_platform::{process, server, telemetry};
use tonic::service::Routes;

#[derive(Debug, Parser)]
#[command(name = "inventory-svc", version, about)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:50052")]
    grpc: SocketAddr,
    /// The PostgreSQL database; its `inventory` schema must be migrated.
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    telemetry::init(telemetry::LogFormat::Json);
    let listener = server::listen(args.grpc).await?;
    let service = inventory_svc::Service::start(inventory_svc::Config::new(args.database_url.clone())).await?;
    let mut routes = Routes::builder();
    service.add_to(&mut routes);
    let (stop, end_watches) = (process::stop_signal(), service.end_watches());
    let stop = async {
        stop.await;
        end_watches.await;
    };
    let (package, url) = ("holdfast.inventory.v1", &args.database_url);
    server::run(listener, routes.routes(), package, url, stop).await?;
    service.stop().await;
    Ok(())
}
