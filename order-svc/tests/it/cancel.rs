//! CancelOrder: the money and the units go back, once.

use futures_util::future::join_all;
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1::{self as pb, order, payment};
use uuid::Uuid;

use super::shop::{Shop, ask, check_refused};
use super::stock::Mischief;
use super::trap::{Call, Point};

fn cancel(id: &str) -> pb::CancelOrderRequest {
    pb::CancelOrderRequest { id: id.into() }
}

#[tokio::test]
async fn a_cancelled_order_is_refunded_and_restocked_once() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let request = ask("tok_ok");
    let id = open.client.place_order(request.clone()).await.expect("it is sold").into_inner().id;
    assert_eq!(shop.stock.available("HOODIE-M"), 9);

    let calls = (0..8).map(|_| {
        let mut client = open.client.clone();
        let id = id.clone();
        async move { client.cancel_order(cancel(&id)).await.expect("it is cancelled").into_inner() }
    });
    for order in join_all(calls).await {
        assert_eq!(order.state(), order::State::Cancelled);
        assert_eq!(order.cancel_reason, "CUSTOMER");
        assert_eq!(order.payment.expect("a payment").state(), payment::State::Refunded);
    }
    shop.check_settled(&id, &shop.rest(&id).await).await;
    assert_eq!(shop.stock.available("HOODIE-M"), 10);
    let placed_again = open.client.place_order(request).await.expect("the order is as it is").into_inner();
    assert_eq!(placed_again.state(), order::State::Cancelled);
}

#[tokio::test]
async fn an_order_not_captured_yet_is_voided() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    shop.stock.trap.set(Point::Before(Call::Capture));
    let request = ask("tok_ok");
    let mut client = open.client.clone();
    let place = client.place_order(request.clone());
    let cancelled = async {
        shop.stock.trap.sprung().await;
        open.client.cancel_order(cancel(&request.request_id)).await
    };
    let (placed, cancelled) = tokio::join!(place, cancelled);
    assert_eq!(cancelled.expect("it is cancelled").into_inner().state(), order::State::Cancelled);
    assert_eq!(placed.expect("the order is as it is").into_inner().state(), order::State::Cancelled);
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "VOIDED");
    shop.check_settled(&request.request_id, &row).await;
}

#[tokio::test]
async fn a_capture_under_way_when_the_order_is_cancelled_is_refunded() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    shop.stock.trap.set(Point::After(Call::Capture));
    let request = ask("tok_ok");
    let mut client = open.client.clone();
    let place = client.place_order(request.clone());
    let cancelled = async {
        shop.stock.trap.sprung().await;
        open.client.cancel_order(cancel(&request.request_id)).await
    };
    let (placed, cancelled) = tokio::join!(place, cancelled);
    assert_eq!(cancelled.expect("it is cancelled").into_inner().state(), order::State::Cancelled);
    assert_eq!(placed.expect("the order is as it is").into_inner().state(), order::State::Cancelled);
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "REFUNDED");
    shop.check_settled(&request.request_id, &row).await;
}

#[tokio::test]
async fn a_stock_that_stumbles_while_restocking_is_asked_again() {
    for mischief in [Mischief::Down, Mischief::LoseAnswer] {
        let shop = Shop::new().await;
        let mut open = shop.open().await;
        let id = open.client.place_order(ask("tok_ok")).await.expect("it is sold").into_inner().id;
        shop.stock.misbehave(Call::Restock, mischief, 2);
        let order = open.client.cancel_order(cancel(&id)).await.expect("it is cancelled").into_inner();
        assert_eq!(order.state(), order::State::Cancelled);
        shop.check_settled(&id, &shop.rest(&id).await).await;
        assert_eq!(shop.stock.available("HOODIE-M"), 10);
    }
}

#[tokio::test]
async fn only_placed_orders_can_be_cancelled() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let unknown = Uuid::now_v7().to_string();
    check_refused(open.client.cancel_order(cancel(&unknown)).await, Reason::OrderNotFound);
    check_refused(open.client.cancel_order(cancel("x")).await, Reason::InvalidArgument);

    let declined = ask("tok_declined");
    check_refused(open.client.place_order(declined.clone()).await, Reason::PaymentDeclined);
    check_refused(open.client.cancel_order(cancel(&declined.request_id)).await, Reason::OrderState);

    shop.stock.trap.set(Point::Before(Call::Reserve));
    let pending = ask("tok_ok");
    let mut client = open.client.clone();
    let place = client.place_order(pending.clone());
    let refused = async {
        shop.stock.trap.sprung().await;
        check_refused(open.client.cancel_order(cancel(&pending.request_id)).await, Reason::OrderState);
        shop.stock.trap.open();
    };
    let (placed, ()) = tokio::join!(place, refused);
    placed.expect("it is sold");
}
