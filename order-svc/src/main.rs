//! order-svc alone, over TCP.

use clap::Parser;
use holdfast_platform::{client, process, server, telemetry};
use order_svc::{Config, Deps, Service};

#[derive(Parser)]
#[command(version, about = "Orders and payments; its schema is made by `holdfast migrate`")]
struct Args {
    #[arg(long, default_value = "127.0.0.1:50053")]
    grpc: std::net::SocketAddr,
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    #[arg(long, default_value = "http://127.0.0.1:50052")]
    inventory: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    telemetry::init(telemetry::LogFormat::Text);
    let listener = server::listen(args.grpc).await?;
    let deps = Deps { inventory: client::tcp(&args.inventory)? };
    let service = Service::start(Config::new(args.database_url.clone()), deps).await?;
    let mut routes = tonic::service::RoutesBuilder::default();
    service.add_to(&mut routes);
    let (package, url) = ("holdfast.order.v1", &args.database_url);
    server::run(listener, routes.routes(), package, url, process::stop_signal()).await?;
    service.stop().await;
    Ok(())
}
