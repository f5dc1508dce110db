use clap::Parser;
use holdfast_platform::{client, process, server, telemetry};
use rec_svc::{Config, Deps, Service};

/// Serves holdfast.rec.v1 over gRPC; the schema must have been migrated (`holdfast migrate`).
#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:50054")]
    grpc: std::net::SocketAddr,
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Where inventory-svc answers.
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    inventory: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    telemetry::init(telemetry::LogFormat::Text);
    let listener = server::listen(args.grpc).await?;
    let service =
        Service::start(Config::new(args.database_url.clone()), Deps { inventory: client::tcp(&args.inventory)? })
            .await?;
    let mut routes = tonic::service::Routes::builder();
    service.add_to(&mut routes);
    let (package, url) = ("holdfast.rec.v1", &args.database_url);
    server::run(listener, routes.routes(), package, url, process::stop_signal()).await?;
    service.stop().await;
    Ok(())
}
