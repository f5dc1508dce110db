//! The binary itself, killed for good.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use holdfast_contracts::inventory::v1::catalog_service_server::CatalogServiceServer;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryServiceServer;
use holdfast_contracts::order::v1 as pb;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_platform::{client, server};
use tonic::Code;
use tonic::service::RoutesBuilder;
use tonic::transport::Channel;
use uuid::Uuid;

use super::shop::{Shop, ask};
use super::stock::Api;
use super::trap::{Call, Point};

/// How long the binary may take to serve.
const START_TIMEOUT: Duration = Duration::from_secs(20);

struct Process {
    child: Child,
    client: OrderServiceClient<Channel>,
}

impl Drop for Process {
    /// SIGKILL.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    async fn start(shop: &Shop, stock: &str) -> Self {
        // Taken and given back: nobody else is likely to get it before the binary does.
        let free = server::listen("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
        let address = free.local_addr().expect("a bound port").to_string();
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_order-svc"))
            .args(["--grpc", &address, "--inventory", stock])
            .env("DATABASE_URL", &shop.config.database_url)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut client = OrderServiceClient::new(client::channel(&format!("http://{address}")).expect("an address"));
        let unknown = pb::GetOrderRequest { id: Uuid::now_v7().to_string() };
        let serves = async {
            while client.get_order(unknown.clone()).await.expect_err("there is none").code() != Code::NotFound {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(START_TIMEOUT, serves).await.expect("the binary serves");
        Self { child, client }
    }
}

#[tokio::test]
async fn an_acknowledged_step_survives_kill_9_of_the_process() {
    let shop = Shop::new().await;
    let mut routes = RoutesBuilder::default();
    routes.add_service(InventoryServiceServer::new(Api(shop.stock.clone())));
    routes.add_service(CatalogServiceServer::new(Api(shop.stock.clone())));
    let listener = server::listen("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
    let stock = format!("http://{}", listener.local_addr().expect("a bound port"));
    let serving = server::serve(listener, routes.routes(), std::future::pending());

    let killed = async {
        let first = Process::start(&shop, &stock).await;
        let request = ask("tok_ok");
        shop.stock.trap.set(Point::After(Call::Confirm));
        let mut client = first.client.clone();
        tokio::select! {
            answer = client.place_order(request.clone()) => panic!("it was never trapped: {answer:?}"),
            () = shop.stock.trap.sprung() => {}
        }
        drop(first);
        // Its lease runs out: here at once, by default after seconds.
        shop.db().await.client().batch_execute("UPDATE orders.sales_order SET due_at = now()").await.expect("expired");
        let mut second = Process::start(&shop, &stock).await;
        let order = second.client.place_order(request).await.expect("it is sold").into_inner();
        shop.check_settled(&order.id, &shop.rest(&order.id).await).await;
        assert_eq!(shop.stock.available("HOODIE-M"), 9);
    };
    tokio::select! {
        served = serving => panic!("the stock stopped: {served:?}"),
        () = killed => {}
    }
}
