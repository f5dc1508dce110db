//! Buying what is already held.

use futures_util::future::join_all;
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1 as stock_pb;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryService as _;
use holdfast_contracts::inventory::v1::reservation::State as HoldState;
use holdfast_contracts::order::v1::{self as pb, order};
use tonic::Request;
use uuid::Uuid;

use super::shop::{Shop, ask, check_refused, eur, line};
use super::stock::Api;
use super::trap::Call;

/// Holds two units of a SKU for a customer.
async fn hold(shop: &Shop, customer: &str, sku: &str) -> String {
    let request = stock_pb::ReserveRequest {
        request_id: Uuid::now_v7().to_string(),
        customer_id: customer.into(),
        lines: vec![stock_pb::reserve_request::Line { sku: sku.into(), quantity: 2, ..Default::default() }],
        ttl: None,
    };
    let held = Api(shop.stock.clone()).reserve(Request::new(request)).await;
    held.expect("it is held").into_inner().id
}

fn buy(reservation_id: &str) -> pb::PlaceOrderRequest {
    pb::PlaceOrderRequest { lines: vec![], reservation_id: reservation_id.into(), ..ask("tok_ok") }
}

#[tokio::test]
async fn what_a_shopper_holds_is_bought_as_it_is_held() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let held = hold(&shop, "c1", "HOODIE-M").await;
    let request = buy(&held);
    let order = open.client.place_order(request.clone()).await.expect("it is sold").into_inner();
    assert_eq!((order.state(), &order.reservation_id), (order::State::Placed, &held));
    assert_eq!((order.lines[0].quantity, order.lines[0].location_id.as_str()), (2, "main"));
    assert_eq!(order.total, Some(eur(10_000)));
    shop.check_settled(&order.id, &shop.rest(&order.id).await).await;
    // The reservation is not held any more, yet a repeat of the order answers the same.
    assert_eq!(open.client.place_order(request).await.expect("as before").into_inner(), order);
    assert_eq!(shop.stock.calls(Call::Reserve), 1, "only the shopper's own");
}

#[tokio::test]
async fn nobody_buys_what_another_holds() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let held = hold(&shop, "somebody-else", "HOODIE-M").await;
    let request = buy(&held);
    check_refused(open.client.place_order(request.clone()).await, Reason::ReservationNotFound);
    assert_eq!(shop.stock.reservation(&held).expect("it is there").state(), HoldState::Held);
    assert_eq!(shop.row(&request.request_id).await, None);
    let unknown = Uuid::now_v7().to_string();
    check_refused(open.client.place_order(buy(&unknown)).await, Reason::ReservationNotFound);
}

#[tokio::test]
async fn only_what_is_still_held_can_be_bought() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let cases = [
        (HoldState::Expired, Reason::ReservationExpired),
        (HoldState::Released, Reason::ReservationState),
        (HoldState::Paying, Reason::ReservationState),
        (HoldState::Confirmed, Reason::ReservationState),
    ];
    for (state, reason) in cases {
        let held = hold(&shop, "c1", "HOODIE-M").await;
        shop.stock.force(&held, state);
        check_refused(open.client.place_order(buy(&held)).await, reason);
        assert_eq!(shop.stock.reservation(&held).expect("it is there").state(), state);
    }
}

#[tokio::test]
async fn one_reservation_is_bought_by_one_order() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let held = hold(&shop, "c1", "HOODIE-M").await;
    let calls = (0..8).map(|_| {
        let (mut client, request) = (open.client.clone(), buy(&held));
        async move { client.place_order(request).await }
    });
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter(Result::is_err) {
        check_refused(refused, Reason::ReservationState);
    }
    let captured = "SELECT count(*) FROM orders.sandbox_payment";
    assert_eq!(shop.db().await.client().query_one(captured, &[]).await.expect("counted").get::<_, i64>(0), 1);
}

#[tokio::test]
async fn lines_beside_a_reservation_agree_on_prices_and_nothing_else() {
    let shop = Shop::new().await;
    shop.stock.put("STOCK-ONLY", 5);
    let mut open = shop.open().await;
    let held = hold(&shop, "c1", "STOCK-ONLY").await;
    check_refused(open.client.place_order(buy(&held)).await, Reason::PriceMissing);
    let more = pb::PlaceOrderRequest { lines: vec![line("STOCK-ONLY", 3)], ..buy(&held) };
    check_refused(open.client.place_order(more).await, Reason::InvalidArgument);
    let agreed = pb::place_order_request::Line { unit_price: Some(eur(100)), ..line("STOCK-ONLY", 2) };
    let request = pb::PlaceOrderRequest { lines: vec![agreed], ..buy(&held) };
    let order = open.client.place_order(request).await.expect("it is sold").into_inner();
    assert_eq!(order.total, Some(eur(200)));
}

#[tokio::test]
async fn a_declined_buyer_loses_the_hold() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let held = hold(&shop, "c1", "HOODIE-M").await;
    let request = pb::PlaceOrderRequest { payment: ask("tok_declined").payment, ..buy(&held) };
    check_refused(open.client.place_order(request).await, Reason::PaymentDeclined);
    assert_eq!(shop.stock.reservation(&held).expect("it is there").state(), HoldState::Released);
    assert_eq!(shop.stock.available("HOODIE-M"), 10);
}
