//! What each of the sandbox's tokens comes to.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1::{self as pb, order};

use super::shop::{Shop, ask, check_refused};
use super::trap::Call;

#[tokio::test]
async fn a_declined_payment_gives_the_units_back_and_answers_the_same_again() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let request = ask("tok_declined");
    for _ in 0..2 {
        check_refused(open.client.place_order(request.clone()).await, Reason::PaymentDeclined);
        assert_eq!(shop.stock.available("HOODIE-M"), 10);
    }
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "FAILED");
    shop.check_settled(&request.request_id, &row).await;
    let id = request.request_id.clone();
    let read = open.client.get_order(pb::GetOrderRequest { id }).await.expect("it is kept").into_inner();
    assert_eq!((read.state(), read.cancel_reason.as_str()), (order::State::Cancelled, "PAYMENT_DECLINED"));
    assert_eq!(shop.charges(&request.request_id).await, [("DECLINED".to_owned(), 1)]);
}

#[tokio::test]
async fn a_charge_whose_answer_was_dropped_is_found_and_used() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let order = open.client.place_order(ask("tok_drop")).await.expect("it is sold").into_inner();
    assert_eq!(order.state(), order::State::Placed);
    shop.check_settled(&order.id, &shop.rest(&order.id).await).await;
    assert_eq!(shop.charges(&order.id).await, [("CAPTURED".to_owned(), 1)]);
}

#[tokio::test]
async fn a_silent_provider_ends_the_order_and_nothing_is_charged() {
    let mut shop = Shop::new().await.impatient();
    shop.config.watch_max = Duration::from_millis(5);
    let mut open = shop.open().await;
    let request = ask("tok_timeout");
    for _ in 0..2 {
        check_refused(open.client.place_order(request.clone()).await, Reason::PaymentTimeout);
        assert_eq!(shop.stock.available("HOODIE-M"), 10);
    }
    // Still watched, for a day by default; here the looks are soon used up.
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "FAILED");
    shop.check_settled(&request.request_id, &row).await;
    assert!(shop.charges(&request.request_id).await.is_empty());
}

#[tokio::test]
async fn a_late_charge_is_found_and_voided() {
    let shop = Shop::new().await.impatient();
    let mut open = shop.open().await;
    let request = ask("tok_late");
    check_refused(open.client.place_order(request.clone()).await, Reason::PaymentTimeout);
    assert_eq!(shop.row(&request.request_id).await.expect("it is kept").step, "WATCH");
    shop.let_charge_come(&request.request_id).await;
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "VOIDED");
    shop.check_settled(&request.request_id, &row).await;
    assert_eq!(shop.charges(&request.request_id).await, [("VOIDED".to_owned(), 1)]);
    assert_eq!(shop.stock.available("HOODIE-M"), 10);
    assert_eq!(shop.stock.calls(Call::Release), 1);
    check_refused(open.client.place_order(request).await, Reason::PaymentTimeout);
}

#[tokio::test]
async fn a_late_charge_is_voided_by_a_service_started_after_it_came() {
    let shop = Shop::new().await.impatient();
    let mut open = shop.open().await;
    let request = ask("tok_late");
    check_refused(open.client.place_order(request.clone()).await, Reason::PaymentTimeout);
    open.service.stop().await;
    shop.let_charge_come(&request.request_id).await;
    assert_eq!(shop.row(&request.request_id).await.expect("it is kept").step, "WATCH");

    let again = shop.open().await;
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "VOIDED");
    shop.check_settled(&request.request_id, &row).await;
    again.service.stop().await;
}
