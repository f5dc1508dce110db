//! The servers under load, each a process of its own: the inventory service, and a bare tonic echo of its messages.

use std::convert::Infallible;
use std::process::{ExitCode, Stdio};
use std::task::{Context, Poll};

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::{process, server};
use prost_types::Timestamp;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Stock,
    /// The same without metrics and spans of its calls.
    UnobservedStock,
    /// Bare tonic.
    Echo,
    /// The same handler under every layer of ours.
    LayeredEcho,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    kind: Kind,
    #[arg(long)]
    database_url: Option<String>,
}

/// Serves on a free port and prints the address.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let listener = server::listen(([127, 0, 0, 1], 0).into()).await?;
    let address = listener.local_addr()?;
    println!("http://{address}");
    match (args.kind, args.database_url) {
        (kind @ (Kind::Stock | Kind::UnobservedStock), Some(url)) => {
            let service = inventory_svc::Service::start(inventory_svc::Config::new(url)).await?;
            let mut routes = Routes::builder();
            service.add_to(&mut routes);
            let server = server::Server::new(routes.routes());
            let server = if kind == Kind::Stock { server } else { server.unobserved() };
            server.serve(listener, process::stop_signal()).await?;
            service.stop().await;
        }
        (Kind::Stock | Kind::UnobservedStock, None) => anyhow::bail!("the stock server needs --database-url"),
        (Kind::LayeredEcho, _) => server::serve(listener, Routes::new(Echo), process::stop_signal()).await?,
        (Kind::Echo, _) => {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            Server::builder().add_service(Echo).serve_with_incoming_shutdown(incoming, process::stop_signal()).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A server in a process of its own; ends with us.
pub(super) struct Child {
    process: tokio::process::Child,
    address: String,
}

impl Child {
    pub(super) async fn start(kind: Kind, database_url: Option<&str>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bench-server").arg(match kind {
            Kind::Stock => "stock",
            Kind::UnobservedStock => "unobserved-stock",
            Kind::Echo => "echo",
            Kind::LayeredEcho => "layered-echo",
        });
        if let Some(url) = database_url {
            command.args(["--database-url", url]);
        }
        let mut process = command.stdout(Stdio::piped()).stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        let stdout = process.stdout.take().context("the server's output is piped")?;
        let address = BufReader::new(stdout).lines().next_line().await?.context("the server did not start")?;
        Ok(Self { process, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        Ok(())
    }
}

/// Answers Reserve with a reservation of the same shape, and does nothing else.
#[derive(Debug, Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "holdfast.inventory.v1.InventoryService";
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let codec = tonic_prost::ProstCodec::<pb::Reservation, pb::ReserveRequest>::default();
            Ok(tonic::server::Grpc::new(codec).unary(EchoReserve, request).await)
        })
    }
}

struct EchoReserve;

impl tonic::server::UnaryService<pb::ReserveRequest> for EchoReserve {
    type Response = pb::Reservation;
    type Future = std::future::Ready<Result<Response<pb::Reservation>, Status>>;

    fn call(&mut self, request: Request<pb::ReserveRequest>) -> Self::Future {
        let request = request.into_inner();
        let lines = request.lines.into_iter().map(|line| pb::reservation::Line {
            sku: line.sku,
            location_id: "main".into(),
            quantity: line.quantity,
            version: 1_000_000,
        });
        let at = Timestamp { seconds: 1_800_000_000, nanos: 123_456_000 };
        std::future::ready(Ok(Response::new(pb::Reservation {
            id: request.request_id,
            customer_id: request.customer_id,
            state: pb::reservation::State::Held.into(),
            lines: lines.collect(),
            create_time: Some(at),
            expire_time: Some(at),
            restocked: false,
        })))
    }
}
