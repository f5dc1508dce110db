//! Versions as entity tags.

use holdfast::system::Transport;
use serde_json::{Value, json};

use crate::ask::new_id;
use crate::shop::Shop;

over_both_transports! {
    a_count_must_say_which_version_it_counted,
    a_relative_change_needs_no_version_but_keeps_to_one_that_is_given,
    a_reader_that_is_current_is_told_so,
}

fn count(units: i64) -> Value {
    json!({"requestId": new_id(), "reason": "COUNTED", "set": units.to_string()})
}

async fn a_count_must_say_which_version_it_counted(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let rest = &shop.doors.rest;
    rest.post("/v1/stock/S:adjust", &count(9)).await.problem(428, "EXPECTED_VERSION_REQUIRED");
    let stale = rest.post_with("/v1/stock/S:adjust", &[("if-match", "\"0\"")], &count(9)).await;
    let problem = stale.problem(412, "STOCK_VERSION_MISMATCH");
    assert_eq!(problem["metadata"]["version"], "1", "{problem}");
    assert_eq!(shop.doors.units("S").await, (0, 0, 5));

    let counted = rest.post_with("/v1/stock/S:adjust", &[("if-match", "\"1\"")], &count(9)).await;
    assert_eq!((&counted.ok()["version"], counted.header("etag")), (&json!("2"), Some("\"2\"")));
    assert_eq!(shop.doors.units("S").await, (0, 0, 9));
}

async fn a_relative_change_needs_no_version_but_keeps_to_one_that_is_given(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let rest = &shop.doors.rest;
    let damaged = || json!({"requestId": new_id(), "reason": "DAMAGED", "delta": "-1"});
    assert_eq!(rest.post("/v1/stock/S:adjust", &damaged()).await.ok()["version"], "2");
    let stale = rest.post_with("/v1/stock/S:adjust", &[("if-match", "\"1\"")], &damaged()).await;
    stale.problem(412, "STOCK_VERSION_MISMATCH");
    let hold = json!({"requestId": new_id(), "customerId": "c1",
                      "lines": [{"sku": "S", "quantity": 1, "locationId": "main", "expectedVersion": "1"}]});
    rest.post("/v1/reservations", &hold).await.problem(412, "STOCK_VERSION_MISMATCH");
    assert_eq!(shop.doors.units("S").await, (0, 0, 4));
}

async fn a_reader_that_is_current_is_told_so(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5)]).await;
    let rest = &shop.doors.rest;
    let tag = rest.get("/v1/stock/S").await.header("etag").expect("a tag").to_owned();
    let unchanged = rest.get_with("/v1/stock/S", &[("if-none-match", &tag)]).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some(tag.as_str()));
    shop.doors.inventory().reserve(crate::ask::reserve(&[("S", 1)])).await.expect("5 are there");
    let changed = rest.get_with("/v1/stock/S", &[("if-none-match", &tag)]).await;
    assert_eq!(changed.ok()["total"]["available"], "4");
}
