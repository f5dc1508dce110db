//! The same over sockets.

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_contracts::order::v1::{self as pb, order};
use holdfast_platform::health::Health;
use holdfast_platform::{client, server};
use tokio::sync::oneshot;
use tonic::service::RoutesBuilder;

use super::shop::{Shop, ask, check_refused};

#[tokio::test]
async fn orders_are_placed_refused_and_cancelled_over_tcp() {
    let shop = Shop::new().await;
    let service = shop.start().await;
    let mut routes = RoutesBuilder::default();
    service.add_to(&mut routes);
    let listener = server::listen("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
    let address = listener.local_addr().expect("a bound port");
    let (stop, stopped) = oneshot::channel::<()>();
    let health = Health::serving(&["holdfast.order.v1"]).await.expect("the contracts can be served");
    let routes = server::with_infrastructure(routes.routes(), &health).expect("the contracts can be served");
    let serving = server::serve(listener, routes, async move { drop(stopped.await) });
    let calls = async move {
        let channel = client::channel(&format!("http://{address}")).expect("an address");
        let mut client = OrderServiceClient::new(channel);
        let order = client.place_order(ask("tok_ok")).await.expect("it is sold").into_inner();
        assert_eq!(order.state(), order::State::Placed);
        check_refused(client.place_order(ask("tok_declined")).await, Reason::PaymentDeclined);
        let order = client.cancel_order(pb::CancelOrderRequest { id: order.id }).await.expect("it is cancelled");
        assert_eq!(order.into_inner().state(), order::State::Cancelled);
        drop(client);
        drop(stop);
    };
    let (served, ()) = tokio::join!(serving, calls);
    served.expect("the server stops cleanly");
    service.stop().await;
    assert_eq!(shop.stock.available("HOODIE-M"), 10);
}
