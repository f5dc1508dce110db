//! kill -9 at every step: the process is gone between any two of its effects, another goes on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1 as pb;
use holdfast_contracts::order::v1::order_service_client::OrderServiceClient;
use holdfast_platform::{client, server};
use tokio::runtime::Runtime;
use tonic::service::RoutesBuilder;
use tonic::transport::Channel;

use super::shop::{self, Row, Shop, ask};
use super::stock::Mischief;
use super::trap::{Call, Point};

/// A service in a runtime of its own: shutting that down ends it at once, wherever it is.
struct Doomed {
    runtime: Runtime,
    client: OrderServiceClient<Channel>,
}

impl Doomed {
    async fn start(shop: &Shop) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime of its own");
        let (config, stock) = (shop.config.clone(), Arc::clone(&shop.stock));
        let started = runtime.spawn(async move {
            let service = shop::start(config, stock).await;
            let mut routes = RoutesBuilder::default();
            service.add_to(&mut routes);
            let listener = server::listen("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
            let address = listener.local_addr().expect("a bound port");
            (address, server::serve(listener, routes.routes(), std::future::pending()))
        });
        let (address, serving) = started.await.expect("it starts");
        runtime.spawn(serving);
        let channel = client::channel(&format!("http://{address}")).expect("an address");
        Self { runtime, client: OrderServiceClient::new(channel) }
    }

    fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// Places an order and kills the service at a point.
async fn place_until_killed(shop: &Shop, request: &pb::PlaceOrderRequest, point: Point) {
    let doomed = Doomed::start(shop).await;
    shop.stock.trap.set(point);
    let mut client = doomed.client.clone();
    tokio::select! {
        answer = client.place_order(request.clone()) => panic!("{point:?} was never reached: {answer:?}"),
        () = shop.stock.trap.sprung() => {}
    }
    doomed.kill();
}

/// Places an order, kills the service at a point, starts another, and tells what became of the order.
async fn place_and_die(shop: &Shop, token: &str, point: Point) -> Row {
    let request = ask(token);
    place_until_killed(shop, &request, point).await;
    let mut heir = shop.open().await;
    let row = shop.rest(&request.request_id).await;
    shop.check_settled(&request.request_id, &row).await;
    // The client's retry finds what the worker brought about.
    let answer = heir.client.place_order(request.clone()).await;
    assert_eq!(answer.is_ok(), row.state == "PLACED", "{point:?}: {answer:?}");
    heir.service.stop().await;
    row
}

fn both_sides(calls: &[Call]) -> impl Iterator<Item = Point> {
    calls.iter().flat_map(|call| [Point::Before(*call), Point::After(*call)])
}

#[tokio::test]
async fn an_order_killed_at_any_step_is_sold_once() {
    let calls = [Call::Reserve, Call::BeginPayment, Call::Authorize, Call::Confirm, Call::Capture];
    join_all(both_sides(&calls).map(|point| async move {
        let shop = Shop::with_short_leases().await;
        let row = place_and_die(&shop, "tok_ok", point).await;
        assert_eq!(row.step, "PLACED", "{point:?}");
        assert_eq!(shop.stock.available("HOODIE-M"), 9, "{point:?}");
    }))
    .await;
}

#[tokio::test]
async fn an_order_killed_while_it_looks_for_its_charge_is_sold_once() {
    join_all(both_sides(&[Call::Lookup]).map(|point| async move {
        let shop = Shop::with_short_leases().await;
        let row = place_and_die(&shop, "tok_drop", point).await;
        assert_eq!(row.step, "PLACED", "{point:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_declined_order_killed_at_any_step_gives_its_units_back() {
    let calls = [Call::Reserve, Call::BeginPayment, Call::Authorize, Call::Release];
    join_all(both_sides(&calls).map(|point| async move {
        let shop = Shop::with_short_leases().await;
        let row = place_and_die(&shop, "tok_declined", point).await;
        assert_eq!((row.step.as_str(), row.payment_state.as_str()), ("CANCELLED", "FAILED"), "{point:?}");
        assert_eq!(shop.stock.available("HOODIE-M"), 10, "{point:?}");
    }))
    .await;
}

#[tokio::test]
async fn an_unsellable_order_killed_while_it_is_undone_is_voided_and_released() {
    join_all(both_sides(&[Call::Void, Call::Release]).map(|point| async move {
        let shop = Shop::with_short_leases().await;
        shop.stock.misbehave(Call::Confirm, Mischief::Refuse(Reason::ReservationState), 1);
        let row = place_and_die(&shop, "tok_ok", point).await;
        assert_eq!((row.step.as_str(), row.payment_state.as_str()), ("CANCELLED", "VOIDED"), "{point:?}");
        assert_eq!(shop.stock.available("HOODIE-M"), 10, "{point:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_late_charge_is_voided_wherever_its_order_was_killed() {
    join_all(both_sides(&[Call::Lookup, Call::Release]).map(|point| async move {
        let shop = Shop::with_short_leases().await.impatient();
        let request = ask("tok_late");
        place_until_killed(&shop, &request, point).await;
        let heir = shop.open().await;
        shop.row_when(&request.request_id, |row| row.step == "WATCH").await;
        shop.let_charge_come(&request.request_id).await;
        let row = shop.rest(&request.request_id).await;
        assert_eq!(row.payment_state, "VOIDED", "{point:?}");
        shop.check_settled(&request.request_id, &row).await;
        heir.service.stop().await;
    }))
    .await;
}

#[tokio::test]
async fn a_charge_that_came_while_nobody_ran_is_used() {
    let shop = Shop::with_short_leases().await.impatient();
    let request = ask("tok_late");
    place_until_killed(&shop, &request, Point::Before(Call::Lookup)).await;
    shop.let_charge_come(&request.request_id).await;
    let heir = shop.open().await;
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.step, "PLACED");
    shop.check_settled(&request.request_id, &row).await;
    heir.service.stop().await;
}

#[tokio::test]
async fn a_cancellation_killed_at_any_step_is_finished() {
    join_all(both_sides(&[Call::Refund, Call::Restock]).map(|point| async move {
        let shop = Shop::with_short_leases().await;
        let mut doomed = Doomed::start(&shop).await;
        let id = doomed.client.place_order(ask("tok_ok")).await.expect("it is sold").into_inner().id;
        shop.stock.trap.set(point);
        let mut client = doomed.client.clone();
        tokio::select! {
            answer = client.cancel_order(pb::CancelOrderRequest { id: id.clone() }) => panic!("{point:?}: {answer:?}"),
            () = shop.stock.trap.sprung() => {}
        }
        doomed.kill();
        let heir = shop.open().await;
        let row = shop.row_when(&id, |row| row.step == "CANCELLED").await;
        assert_eq!(row.payment_state, "REFUNDED");
        shop.check_settled(&id, &row).await;
        assert_eq!(shop.stock.available("HOODIE-M"), 10, "{point:?}");
        heir.service.stop().await;
    }))
    .await;
}

#[tokio::test]
async fn the_clients_own_retry_takes_over_where_no_worker_does() {
    let mut shop = Shop::with_short_leases().await;
    shop.config.worker_period = Duration::from_hours(1);
    let request = ask("tok_ok");
    place_until_killed(&shop, &request, Point::After(Call::Authorize)).await;
    let mut heir = shop.open().await;
    heir.client.place_order(request.clone()).await.expect("it is sold");
    shop.check_settled(&request.request_id, &shop.rest(&request.request_id).await).await;
}

#[tokio::test]
async fn an_order_that_cannot_be_read_holds_up_no_other() {
    let shop = Shop::with_short_leases().await;
    let (sick, sound) = (ask("tok_ok"), ask("tok_ok"));
    for request in [&sick, &sound] {
        place_until_killed(&shop, request, Point::Before(Call::Confirm)).await;
    }
    let spoil = "UPDATE orders.sales_order SET lines = '[{}]' WHERE id::text = $1";
    shop.db().await.client().execute(spoil, &[&sick.request_id]).await.expect("spoiled");
    let heir = shop.open().await;
    assert_eq!(shop.rest(&sound.request_id).await.step, "PLACED");
    assert_eq!(shop.row(&sick.request_id).await.expect("it is kept").step, "CONFIRM");
    heir.service.stop().await;
}
