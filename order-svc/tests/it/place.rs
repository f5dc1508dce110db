//! PlaceOrder: what it sells, what it refuses, and what a stock in trouble does to it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1 as pb;
use holdfast_contracts::order::v1::{order, payment};
use holdfast_platform::deadline::Deadline;
use holdfast_platform::peer::Peer;
use holdfast_platform::status::metadata_of;
use tonic::codegen::http::HeaderValue;
use uuid::Uuid;

use super::shop::{Shop, ask, check_refused, eur, line};
use super::stock::Mischief;
use super::trap::{Call, Point};

#[tokio::test]
async fn a_paid_order_is_placed_captured_and_its_units_committed() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let request = pb::PlaceOrderRequest { lines: vec![line("HOODIE-M", 2)], ..ask("tok_ok") };
    let order = open.client.place_order(request.clone()).await.expect("it is sold").into_inner();

    assert_eq!(order.id, request.request_id);
    assert_eq!(order.state(), order::State::Placed);
    assert_eq!(order.total, Some(eur(10_000)));
    assert_eq!(order.lines[0].unit_price, Some(eur(5000)));
    assert_eq!(order.lines[0].location_id, "main");
    let payment = order.payment.clone().expect("a payment");
    assert_eq!(payment.state(), payment::State::Captured);
    assert!(payment.provider_payment_id.starts_with("sbx_"));
    assert_eq!(shop.stock.available("HOODIE-M"), 8);
    shop.check_settled(&order.id, &shop.rest(&order.id).await).await;
    let told = ["PENDING/NONE", "PENDING/AUTHORIZED", "PLACED/AUTHORIZED", "PLACED/CAPTURED"];
    assert_eq!(shop.events(&order.id).await, told);

    let read = open.client.get_order(pb::GetOrderRequest { id: order.id.clone() }).await.expect("it is there");
    assert_eq!(read.into_inner(), order);
    open.service.stop().await;
}

#[tokio::test]
async fn an_orders_steps_are_part_of_the_call_they_began_in() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let call = holdfast_platform::call::Call {
        deadline: Deadline::after(Duration::from_secs(20)),
        request_id: Some(HeaderValue::from_static("shop-7")),
        trace: None,
        peer: Peer::Anonymous,
    };
    let request = pb::PlaceOrderRequest { lines: vec![line("HOODIE-M", 1)], ..ask("tok_ok") };
    Arc::new(call).scope(open.client.place_order(request)).await.expect("it is sold");
    assert_eq!(shop.stock.heard(), (Some("shop-7".to_owned()), true));
    open.service.stop().await;
}

#[tokio::test]
async fn too_few_units_are_told_with_their_numbers_every_time() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let request = pb::PlaceOrderRequest { lines: vec![line("HOODIE-M", 11)], ..ask("tok_ok") };
    for _ in 0..2 {
        let status = check_refused(open.client.place_order(request.clone()).await, Reason::InsufficientStock);
        assert_eq!(metadata_of(&status, "available").as_deref(), Some("10"));
        assert_eq!(metadata_of(&status, "version").as_deref(), Some("7"));
    }
    let row = shop.rest(&request.request_id).await;
    shop.check_settled(&request.request_id, &row).await;
    assert!(shop.charges(&request.request_id).await.is_empty());
    assert_eq!(shop.stock.calls(Call::Reserve), 1);
}

#[tokio::test]
async fn the_catalogue_names_the_price_and_the_request_only_where_it_has_none() {
    let shop = Shop::new().await;
    shop.stock.put("STOCK-ONLY", 5);
    let mut open = shop.open().await;

    let unpriced = pb::PlaceOrderRequest { lines: vec![line("STOCK-ONLY", 1)], ..ask("tok_ok") };
    let status = check_refused(open.client.place_order(unpriced.clone()).await, Reason::PriceMissing);
    assert_eq!(metadata_of(&status, "sku").as_deref(), Some("STOCK-ONLY"));
    assert_eq!(shop.row(&unpriced.request_id).await, None, "nothing is kept of it");

    let agreed = pb::place_order_request::Line { unit_price: Some(eur(700)), ..line("STOCK-ONLY", 2) };
    let request = pb::PlaceOrderRequest { lines: vec![agreed, line("HOODIE-M", 1)], ..ask("tok_ok") };
    let order = open.client.place_order(request).await.expect("it is sold").into_inner();
    assert_eq!(order.total, Some(eur(6400)));

    let cheap = pb::place_order_request::Line { unit_price: Some(eur(1)), ..line("HOODIE-M", 1) };
    let bargain = pb::PlaceOrderRequest { lines: vec![cheap], ..ask("tok_ok") };
    let status = check_refused(open.client.place_order(bargain.clone()).await, Reason::PriceChanged);
    assert_eq!(metadata_of(&status, "amount_minor").as_deref(), Some("5000"));
    assert_eq!(shop.row(&bargain.request_id).await, None, "nothing is kept of it");
}

#[tokio::test]
async fn bad_requests_are_refused_by_field_before_anything_happens() {
    let shop = Shop::new().await;
    shop.stock.put("STOCK-ONLY", 5);
    let mut open = shop.open().await;
    let with_lines = |lines| pb::PlaceOrderRequest { lines, ..ask("tok_ok") };
    let priced = |amount_minor, currency: &str| {
        let money = holdfast_contracts::common::v1::Money { currency_code: currency.into(), amount_minor };
        pb::place_order_request::Line { unit_price: Some(money), ..line("STOCK-ONLY", 1) }
    };
    let other = pb::place_order_request::Line { sku: "OTHER".into(), ..priced(1, "USD") };
    let cases = [
        pb::PlaceOrderRequest { request_id: "x".into(), ..ask("tok_ok") },
        pb::PlaceOrderRequest { request_id: Uuid::nil().to_string(), ..ask("tok_ok") },
        pb::PlaceOrderRequest { customer_id: String::new(), ..ask("tok_ok") },
        pb::PlaceOrderRequest { payment: None, ..ask("tok_ok") },
        pb::PlaceOrderRequest { reservation_id: "x".into(), ..ask("tok_ok") },
        ask("tok_unheard_of"),
        ask(""),
        with_lines(vec![]),
        with_lines(vec![line("HOODIE-M", 1); 101]),
        with_lines(vec![line("HOODIE-M", 1), line("HOODIE-M", 1)]),
        with_lines(vec![line("HOODIE-M", 0)]),
        with_lines(vec![line("HOODIE-M", -1)]),
        with_lines(vec![line("HOODIE-M", i32::MAX)]),
        with_lines(vec![line("", 1)]),
        with_lines(vec![priced(-1, "EUR")]),
        with_lines(vec![priced(1, "euro")]),
        with_lines(vec![priced(1, "EUR"), other]),
        with_lines(vec![pb::place_order_request::Line { quantity: 2, ..priced(i64::MAX, "EUR") }]),
    ];
    for case in cases {
        check_refused(open.client.place_order(case).await, Reason::InvalidArgument);
    }
    let mut unknown = ask("tok_ok");
    unknown.payment.as_mut().expect("a method").provider = "wishing-well".into();
    check_refused(open.client.place_order(unknown).await, Reason::PaymentProviderUnknown);
    assert_eq!(shop.stock.calls(Call::Reserve), 0);
}

#[tokio::test]
async fn a_stock_that_stumbles_is_asked_again_with_one_effect() {
    for mischief in [Mischief::Down, Mischief::LoseAnswer] {
        for call in [Call::Reserve, Call::BeginPayment, Call::Confirm] {
            let shop = Shop::new().await;
            shop.stock.misbehave(call, mischief, 2);
            let mut open = shop.open().await;
            let order = open.client.place_order(ask("tok_ok")).await.expect("it is sold in the end").into_inner();
            assert_eq!(order.state(), order::State::Placed, "{mischief:?} {call:?}");
            shop.check_settled(&order.id, &shop.rest(&order.id).await).await;
            assert_eq!(shop.stock.available("HOODIE-M"), 9);
        }
    }
}

#[tokio::test]
async fn a_stock_that_stays_away_ends_the_order_with_nothing_charged() {
    let shop = Shop::new().await;
    shop.stock.misbehave(Call::BeginPayment, Mischief::Down, usize::MAX);
    let mut open = shop.open().await;
    let request = ask("tok_ok");
    check_refused(open.client.place_order(request.clone()).await, Reason::Unavailable);
    let row = shop.rest(&request.request_id).await;
    shop.check_settled(&request.request_id, &row).await;
    assert!(shop.charges(&request.request_id).await.is_empty());
    assert_eq!(shop.stock.available("HOODIE-M"), 10);
}

#[tokio::test]
async fn units_that_cannot_be_committed_are_not_charged_for() {
    let shop = Shop::new().await;
    shop.stock.misbehave(Call::Confirm, Mischief::Refuse(Reason::ReservationState), 1);
    let mut open = shop.open().await;
    let request = ask("tok_ok");
    for _ in 0..2 {
        check_refused(open.client.place_order(request.clone()).await, Reason::ReservationState);
    }
    let row = shop.rest(&request.request_id).await;
    assert_eq!(row.payment_state, "VOIDED");
    shop.check_settled(&request.request_id, &row).await;
    assert_eq!(shop.stock.available("HOODIE-M"), 10);
}

#[tokio::test]
async fn orders_over_the_bound_are_shed_not_queued() {
    let mut shop = Shop::new().await;
    shop.config.orders_in_flight_max = 1;
    let open = shop.open().await;
    shop.stock.trap.set(Point::Before(Call::Confirm));
    let (mut first, mut second) = (open.client.clone(), open.client.clone());
    let shed = async {
        shop.stock.trap.sprung().await;
        let request = ask("tok_ok");
        check_refused(second.place_order(request.clone()).await, Reason::Overloaded);
        assert_eq!(shop.row(&request.request_id).await, None);
        shop.stock.trap.open();
        request
    };
    let (placed, request) = tokio::join!(first.place_order(ask("tok_ok")), shed);
    placed.expect("it is sold");
    second.place_order(request).await.expect("there is room again");
}
