//! Holds, over REST as documented and over the stubs alike.

use holdfast::system::Transport;
use holdfast_contracts::inventory::v1 as pb;
use serde_json::{Value, json};

use crate::ask::{get_reservation, new_id, reason, reserve};
use crate::shop::Shop;

over_both_transports! {
    a_hold_is_answered_as_documented,
    too_few_units_are_a_conflict_with_its_numbers,
    a_hold_over_rest_is_the_one_over_the_stubs,
    a_repeat_has_one_effect_and_another_payload_is_refused,
    all_lines_are_held_or_none,
}

fn hold_of(id: &str, quantity: i32) -> Value {
    json!({"requestId": id, "customerId": "c1", "lines": [{"sku": "S", "quantity": quantity}], "ttl": "600s"})
}

async fn a_hold_is_answered_as_documented(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let id = new_id();
    let answer = shop.doors.rest.post("/v1/reservations", &hold_of(&id, 2)).await;
    let held = answer.ok();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let (created, expires) = (time(&held["createTime"]), time(&held["expireTime"]));
    assert_eq!(expires.duration_since(created).as_secs(), 600);
    let expected = json!({
        "id": id,
        "customerId": "c1",
        "state": "HELD",
        "lines": [{"sku": "S", "locationId": "main", "quantity": 2, "version": "2"}],
        "createTime": held["createTime"],
        "expireTime": held["expireTime"],
        "restocked": false,
    });
    assert_eq!(held, expected);
    assert_eq!(shop.doors.rest.get(&format!("/v1/reservations/{id}")).await.ok(), expected);

    let answer = shop.doors.rest.get("/v1/stock/S").await;
    let stock = answer.ok();
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!((&stock["sku"], &stock["version"]), (&json!("S"), &json!("2")));
    let quantities = json!({"onHand": "5", "unavailable": "0", "safety": "0", "held": "2", "committed": "0",
                            "incoming": "0", "inTransit": "0", "available": "3"});
    assert_eq!(stock["total"], quantities);
    let level = &stock["levels"][0];
    assert_eq!((&level["locationId"], &level["version"]), (&json!("main"), &json!("2")));
    assert_eq!(level["quantities"], quantities);
}

async fn too_few_units_are_a_conflict_with_its_numbers(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let answer = shop.doors.rest.post("/v1/reservations", &hold_of(&new_id(), 6)).await;
    let problem = answer.problem(409, "INSUFFICIENT_STOCK");
    for (name, value) in [("sku", "S"), ("requested", "6"), ("available", "5"), ("version", "1")] {
        assert_eq!(problem["metadata"][name], value, "{problem}");
    }
    let refused = shop.doors.inventory().reserve(reserve(&[("S", 6)])).await.expect_err("there are 5");
    assert_eq!((refused.code(), reason(&refused)), (tonic::Code::FailedPrecondition, "INSUFFICIENT_STOCK"));
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
}

async fn a_hold_over_rest_is_the_one_over_the_stubs(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let mut stubs = shop.doors.inventory();
    let id = new_id();
    shop.doors.rest.post("/v1/reservations", &hold_of(&id, 2)).await.ok();
    let held = stubs.get_reservation(get_reservation(&id)).await.expect("it is there").into_inner();
    assert_eq!(held.state(), pb::reservation::State::Held);
    let line = pb::reservation::Line { sku: "S".into(), location_id: "main".into(), quantity: 2, version: 2 };
    assert_eq!(held.lines, [line]);
    stubs.release_reservation(pb::ReleaseReservationRequest { id: id.clone() }).await.expect("it is held");
    assert_eq!(shop.doors.rest.get(&format!("/v1/reservations/{id}")).await.ok()["state"], "RELEASED");
    let confirm = shop.doors.rest.post(&format!("/v1/reservations/{id}:confirm"), &json!({})).await;
    confirm.problem(409, "RESERVATION_STATE");
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
}

async fn a_repeat_has_one_effect_and_another_payload_is_refused(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let id = new_id();
    let first = shop.doors.rest.post("/v1/reservations", &hold_of(&id, 2)).await.ok();
    assert_eq!(shop.doors.rest.post("/v1/reservations", &hold_of(&id, 2)).await.ok(), first);
    shop.doors.rest.post("/v1/reservations", &hold_of(&id, 3)).await.problem(409, "REQUEST_ID_REUSED");
    assert_eq!(shop.doors.units("S").await, (2, 0, 3));
}

async fn all_lines_are_held_or_none(transport: Transport) {
    let shop = Shop::open(transport, &[("A", 5), ("B", 1)]).await;
    let mut stubs = shop.doors.inventory();
    let refused = stubs.reserve(reserve(&[("A", 2), ("B", 2)])).await.expect_err("B has 1");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    assert_eq!(shop.doors.units("A").await, (0, 0, 5));
    stubs.reserve(reserve(&[("B", 1), ("A", 2)])).await.expect("both are there");
    assert_eq!((shop.doors.units("A").await, shop.doors.units("B").await), ((2, 0, 3), (1, 0, 0)));
}

fn time(value: &Value) -> jiff::Timestamp {
    value.as_str().expect("a string").parse().expect("RFC 3339")
}
