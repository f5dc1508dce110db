//! Whatever is sent: a clear refusal with its reason, and nothing lost.

use bytes::Bytes;
use holdfast::system::Transport;
use holdfast_contracts::inventory::v1 as pb;
use http::Method;
use serde_json::{Value, json};

use crate::ask::{new_id, reason, receive, reserve};
use crate::raw::call;
use crate::shop::{Shop, encode};

over_both_transports! {
    a_bad_reservation_is_refused_and_holds_nothing,
    a_bad_body_is_refused_and_holds_nothing,
    the_stubs_refuse_what_rest_refuses,
    skus_are_what_shops_really_use,
}

fn hold_with(change: impl FnOnce(&mut Value)) -> Value {
    let mut hold = json!({"requestId": new_id(), "customerId": "c1", "lines": [{"sku": "S", "quantity": 1}]});
    change(&mut hold);
    hold
}

async fn a_bad_reservation_is_refused_and_holds_nothing(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let quantity = |quantity: Value| hold_with(|hold| hold["lines"][0]["quantity"] = quantity);
    let ttl = |ttl: &str| hold_with(|hold| hold["ttl"] = ttl.into());
    let cases = [
        ("/requestId", "INVALID_ARGUMENT", hold_with(|hold| hold["requestId"] = "1".into())),
        ("/requestId", "INVALID_ARGUMENT", hold_with(|hold| drop(hold["requestId"].take()))),
        ("/customerId", "INVALID_ARGUMENT", hold_with(|hold| hold["customerId"] = "".into())),
        ("/lines", "INVALID_ARGUMENT", hold_with(|hold| hold["lines"] = json!([]))),
        ("/lines", "INVALID_ARGUMENT", hold_with(|hold| hold["lines"] = many_lines(10_000))),
        ("/lines/0/quantity", "INVALID_ARGUMENT", quantity(0.into())),
        ("/lines/0/quantity", "INVALID_ARGUMENT", quantity((-1).into())),
        ("/lines/0/quantity", "INVALID_ARGUMENT", quantity(i32::MAX.into())),
        ("/lines/0/quantity", "INVALID_ARGUMENT", quantity(u64::MAX.into())),
        ("/lines/0/quantity", "INVALID_ARGUMENT", quantity("two".into())),
        ("/lines/0/colour", "UNKNOWN_FIELD", hold_with(|hold| hold["lines"][0]["colour"] = "red".into())),
        ("/ttl", "INVALID_ARGUMENT", ttl("0s")),
        ("/ttl", "INVALID_ARGUMENT", ttl("31536000s")),
        ("/ttl", "INVALID_ARGUMENT", ttl("ten minutes")),
    ];
    for (pointer, reason, hold) in cases {
        let problem = shop.doors.rest.post("/v1/reservations", &hold).await.problem(400, reason);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let unknown = hold_with(|hold| hold["lines"][0]["sku"] = "NO-SUCH".into());
    let problem = shop.doors.rest.post("/v1/reservations", &unknown).await.problem(404, "SKU_NOT_FOUND");
    assert_eq!(problem["metadata"]["sku"], "NO-SUCH", "{problem}");
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
}

fn many_lines(count: usize) -> Value {
    (0..count).map(|number| json!({"sku": format!("S-{number}"), "quantity": 1})).collect()
}

async fn a_bad_body_is_refused_and_holds_nothing(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let post = async |body: Bytes| shop.doors.rest.send(Method::POST, "/v1/reservations", &[], body).await;
    for malformed in ["{", "{\"lines\": [}", "nonsense"] {
        post(malformed.into()).await.problem(400, "MALFORMED_BODY");
    }
    post(Bytes::from_static(b"{\"customerId\": \"\xff\"}")).await.problem(400, "MALFORMED_BODY");
    post(vec![b' '; 100 << 20].into()).await.problem(413, "REQUEST_TOO_LARGE");
    shop.doors.rest.get("/v1/nothing").await.problem(404, "ROUTE_NOT_FOUND");
    shop.doors.rest.put("/v1/reservations", &json!({})).await.problem(405, "METHOD_NOT_ALLOWED");
    shop.doors.rest.get("/v1/stock/S?colour=red").await.problem(400, "UNKNOWN_FIELD");
    // The door is as good as new.
    shop.doors.rest.post("/v1/reservations", &hold_with(|_| ())).await.ok();
    assert_eq!(shop.doors.units("S").await, (1, 0, 4));
}

async fn the_stubs_refuse_what_rest_refuses(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let mut stubs = shop.doors.inventory();
    let long_ttl = Some(prost_types::Duration { seconds: 365 * 24 * 3600, nanos: 0 });
    let cases = [
        ("INVALID_ARGUMENT", reserve(&[])),
        ("INVALID_ARGUMENT", reserve(&[("S", 0)])),
        ("INVALID_ARGUMENT", reserve(&[("S", i32::MIN)])),
        ("INVALID_ARGUMENT", reserve(&vec![("S", 1); 10_000])),
        ("INVALID_ARGUMENT", pb::ReserveRequest { ttl: long_ttl, ..reserve(&[("S", 1)]) }),
        ("SKU_NOT_FOUND", reserve(&[("NO-SUCH", 1)])),
    ];
    for (expected, request) in cases {
        assert_eq!(reason(&stubs.reserve(request).await.expect_err(expected)), expected);
    }
    let overflow = stubs.adjust_stock(receive("S", i64::MAX)).await.expect_err("more than anybody has");
    assert_eq!(reason(&overflow), "INVALID_ARGUMENT");

    let path = "/holdfast.inventory.v1.InventoryService/Reserve";
    let garbled = call(&shop.doors.channel, path, b"\xff\xff\xff\xff".to_vec()).await.expect_err("no message");
    assert_eq!(reason(&garbled), "MALFORMED_BODY", "{garbled:?}");
    let huge = pb::ReserveRequest { customer_id: "x".repeat(8 << 20), ..reserve(&[("S", 1)]) };
    let huge = stubs.reserve(huge).await.expect_err("more than a message may have");
    assert_eq!(reason(&huge), "REQUEST_TOO_LARGE", "{huge:?}");
    let unknown = call(&shop.doors.channel, "/holdfast.inventory.v1.InventoryService/Steal", Vec::new()).await;
    assert_eq!(reason(&unknown.expect_err("no such method")), "ROUTE_NOT_FOUND");
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));
}

async fn skus_are_what_shops_really_use(transport: Transport) {
    for sku in ["A/B 2", "靴-42", "50% off?&#"] {
        let shop = Shop::open(transport, &[(sku, 3)]).await;
        let hold = hold_with(|hold| hold["lines"][0]["sku"] = sku.into());
        assert_eq!(shop.doors.rest.post("/v1/reservations", &hold).await.ok()["lines"][0]["sku"], sku);
        shop.doors.inventory().reserve(reserve(&[(sku, 1)])).await.expect("3 were there");
        assert_eq!(shop.doors.units(sku).await, (2, 0, 1));
        let movements = shop.doors.rest.get(&format!("/v1/stock/{}/movements", encode(sku))).await.ok();
        assert_eq!(movements["movements"].as_array().map(Vec::len), Some(3), "{movements}");
    }
}
