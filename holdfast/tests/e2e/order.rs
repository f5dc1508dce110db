//! Orders: nothing is charged without stock, nothing is sold without payment.

use holdfast::system::Transport;
use holdfast_contracts::order::v1 as pb;
use serde_json::{Value, json};

use crate::ask::{buy, buy_held, get_reservation, new_id, reason, reserve};
use crate::audit::assert_sound;
use crate::shop::Shop;

over_both_transports! {
    a_paid_order_is_placed_and_its_units_are_committed,
    a_declined_order_is_refused_and_its_units_are_back,
    a_cancelled_order_is_refunded_and_restocked,
    a_hold_is_bought_once_and_by_its_shopper,
    an_order_for_more_than_there_is_charges_nothing,
}

fn order_of(id: &str, quantity: i32, token: &str) -> Value {
    json!({"requestId": id, "customerId": "c1", "lines": [{"sku": "S", "quantity": quantity}],
           "payment": {"provider": "sandbox", "token": token}})
}

async fn a_paid_order_is_placed_and_its_units_are_committed(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let rest = &shop.doors.rest;
    let id = new_id();
    let placed = rest.post("/v1/orders", &order_of(&id, 2, "tok_ok")).await.ok();
    assert_eq!((&placed["id"], &placed["state"]), (&json!(id), &json!("PLACED")), "{placed}");
    assert_eq!((&placed["payment"]["provider"], &placed["payment"]["state"]), (&json!("sandbox"), &json!("CAPTURED")));
    assert_eq!(placed["total"], json!({"currencyCode": "EUR", "amountMinor": "10000"}));
    assert_eq!((&placed["lines"][0]["sku"], &placed["lines"][0]["locationId"]), (&json!("S"), &json!("main")));
    assert_eq!(shop.doors.units("S").await, (0, 2, 3));

    assert_eq!(rest.post("/v1/orders", &order_of(&id, 2, "tok_ok")).await.ok(), placed);
    rest.post("/v1/orders", &order_of(&id, 1, "tok_ok")).await.problem(409, "REQUEST_ID_REUSED");
    assert_eq!(rest.get(&format!("/v1/orders/{id}")).await.ok(), placed);
    assert_eq!(rest.get("/v1/orders?customerId=c1").await.ok()["orders"], json!([placed]));
    let over_stubs = shop.doors.orders().get_order(pb::GetOrderRequest { id }).await.expect("it is there");
    assert_eq!(over_stubs.get_ref().state(), pb::order::State::Placed);
    assert_eq!(shop.doors.units("S").await, (0, 2, 3));
    assert_sound(&shop.database_url).await;
}

async fn a_declined_order_is_refused_and_its_units_are_back(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let declined = order_of(&new_id(), 2, "tok_declined");
    for _ in 0..2 {
        shop.doors.rest.post("/v1/orders", &declined).await.problem(402, "PAYMENT_DECLINED");
        assert_eq!(shop.doors.units("S").await, (0, 0, 5));
    }
    let refused = shop.doors.orders().place_order(buy("S", 2, "tok_declined")).await.expect_err("declined");
    assert_eq!(reason(&refused), "PAYMENT_DECLINED");
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
    assert_sound(&shop.database_url).await;
}

async fn a_cancelled_order_is_refunded_and_restocked(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let id = new_id();
    shop.doors.rest.post("/v1/orders", &order_of(&id, 2, "tok_ok")).await.ok();
    let cancelled = shop.doors.rest.post(&format!("/v1/orders/{id}:cancel"), &json!({})).await.ok();
    assert_eq!((&cancelled["state"], &cancelled["payment"]["state"]), (&json!("CANCELLED"), &json!("REFUNDED")));
    assert_eq!(cancelled["cancelReason"], "CUSTOMER");
    let again = shop.doors.orders().cancel_order(pb::CancelOrderRequest { id }).await.expect("it is cancelled");
    assert_eq!(again.get_ref().state(), pb::order::State::Cancelled);
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
    assert_sound(&shop.database_url).await;
}

async fn a_hold_is_bought_once_and_by_its_shopper(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let (mut stock, mut orders) = (shop.doors.inventory(), shop.doors.orders());
    let held = stock.reserve(reserve(&[("S", 2)])).await.expect("5 are there").into_inner();
    let stranger = pb::PlaceOrderRequest { customer_id: "c2".into(), ..buy_held(&held.id, "tok_ok") };
    let refused = orders.place_order(stranger).await.expect_err("it is not theirs");
    assert_eq!(reason(&refused), "RESERVATION_NOT_FOUND");
    let placed = orders.place_order(buy_held(&held.id, "tok_ok")).await.expect("it is sold").into_inner();
    assert_eq!((placed.state(), placed.lines[0].quantity), (pb::order::State::Placed, 2));
    let refused = orders.place_order(buy_held(&held.id, "tok_ok")).await.expect_err("it is sold already");
    assert_eq!(reason(&refused), "RESERVATION_STATE");
    let bought = stock.get_reservation(get_reservation(&held.id)).await.expect("it is kept").into_inner();
    assert_eq!(bought.state(), holdfast_contracts::inventory::v1::reservation::State::Confirmed);
    assert_eq!(shop.doors.units("S").await, (0, 2, 3));
    assert_sound(&shop.database_url).await;
}

async fn an_order_for_more_than_there_is_charges_nothing(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let id = new_id();
    let problem = shop.doors.rest.post("/v1/orders", &order_of(&id, 6, "tok_ok")).await;
    assert_eq!(problem.problem(409, "INSUFFICIENT_STOCK")["metadata"]["available"], "5");
    let order = shop.doors.rest.get(&format!("/v1/orders/{id}")).await.ok();
    assert_eq!((&order["state"], &order["payment"]["state"]), (&json!("CANCELLED"), &json!("NONE")));
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
    assert_sound(&shop.database_url).await;
}
