//! The same request, again and at once: one effect, the same answer.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::order::v1::{self as pb, order};
use tonic::Request;

use super::shop::{Shop, ask, check_refused, eur, line};
use super::stock::Mischief;
use super::trap::{Call, Point};

#[tokio::test]
async fn a_repeat_answers_the_same_and_does_nothing() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let request = ask("tok_ok");
    let first = open.client.place_order(request.clone()).await.expect("it is sold").into_inner();
    // Neither a new price nor a shop without prices changes what was agreed.
    shop.stock.price("HOODIE-M", 9999);
    assert_eq!(open.client.place_order(request.clone()).await.expect("as before").into_inner(), first);
    shop.stock.misbehave(Call::Prices, Mischief::Down, 1);
    assert_eq!(open.client.place_order(request.clone()).await.expect("as before").into_inner(), first);
    assert_eq!(shop.stock.calls(Call::Reserve), 1);
    assert_eq!(shop.charges(&first.id).await, [("CAPTURED".to_owned(), 1)]);
}

#[tokio::test]
async fn many_at_once_over_two_replicas_are_one_order_and_one_charge() {
    for token in ["tok_ok", "tok_declined", "tok_drop"] {
        let shop = Shop::new().await;
        let (left, right) = (shop.open().await, shop.open().await);
        let request = ask(token);
        let calls = (0..16).map(|index| {
            let mut client = if index % 2 == 0 { left.client.clone() } else { right.client.clone() };
            let request = request.clone();
            async move { client.place_order(request).await }
        });
        let answers = join_all(calls).await;
        for answer in answers {
            match token {
                "tok_declined" => drop(check_refused(answer, Reason::PaymentDeclined)),
                _ => assert_eq!(answer.expect("it is sold").into_inner().state(), order::State::Placed),
            }
        }
        shop.check_settled(&request.request_id, &shop.rest(&request.request_id).await).await;
        assert_eq!(shop.charges(&request.request_id).await[0].1, 1, "{token}");
        assert_eq!(shop.stock.calls(Call::Reserve), 1, "{token}");
    }
}

#[tokio::test]
async fn a_reused_id_with_another_payload_is_refused_and_changes_nothing() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let request = ask("tok_ok");
    let first = open.client.place_order(request.clone()).await.expect("it is sold").into_inner();
    let priced = pb::place_order_request::Line { unit_price: Some(eur(1)), ..line("HOODIE-M", 1) };
    let others = [
        pb::PlaceOrderRequest { customer_id: "c2".into(), ..request.clone() },
        pb::PlaceOrderRequest { lines: vec![line("HOODIE-M", 2)], ..request.clone() },
        pb::PlaceOrderRequest { lines: vec![priced], ..request.clone() },
        pb::PlaceOrderRequest { payment: ask("tok_declined").payment, ..request.clone() },
    ];
    for other in others {
        check_refused(open.client.place_order(other).await, Reason::RequestIdReused);
    }
    assert_eq!(open.client.place_order(request).await.expect("as before").into_inner(), first);
}

#[tokio::test]
async fn who_meets_an_order_under_way_waits_until_its_deadline() {
    let shop = Shop::new().await;
    let open = shop.open().await;
    let request = ask("tok_ok");
    shop.stock.trap.set(Point::Before(Call::Confirm));
    let place = |timeout: Duration| {
        let (mut client, mut request) = (open.client.clone(), Request::new(request.clone()));
        request.set_timeout(timeout);
        async move { client.place_order(request).await }
    };
    let first = place(Duration::from_millis(400));
    let second = async {
        shop.stock.trap.sprung().await;
        place(Duration::from_millis(200)).await
    };
    let (first, second) = tokio::join!(first, second);
    check_refused(first, Reason::OrderBusy);
    check_refused(second, Reason::OrderBusy);
    // Nobody waits any more: the saga goes on all the same.
    shop.stock.trap.open();
    let row = shop.rest(&request.request_id).await;
    shop.check_settled(&request.request_id, &row).await;
    assert_eq!(row.step, "PLACED");
    let answer = place(Duration::from_secs(5)).await.expect("it was sold").into_inner();
    assert_eq!(answer.state(), order::State::Placed);
}

#[tokio::test]
async fn an_executor_that_lost_its_lease_changes_nothing_any_more() {
    let shop = Shop::with_short_leases().await;
    let open = shop.open().await;
    let request = ask("tok_ok");
    shop.stock.trap.set(Point::After(Call::Confirm));
    let mut client = open.client.clone();
    // Parked past its lease: the worker takes over and finishes, then the parked one comes back.
    let first = client.place_order(request.clone());
    let overtaken = async {
        shop.stock.trap.sprung().await;
        let row = shop.rest(&request.request_id).await;
        shop.stock.trap.open();
        row
    };
    let (first, row) = tokio::join!(first, overtaken);
    assert_eq!(first.expect("it is sold").into_inner().state(), order::State::Placed);
    assert_eq!(shop.row(&request.request_id).await, Some(row.clone()));
    shop.check_settled(&request.request_id, &row).await;
    assert_eq!(shop.events(&request.request_id).await.len(), 4);
}
