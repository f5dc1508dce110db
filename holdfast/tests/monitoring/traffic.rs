//! What shoppers do in a small shop: few at a time, so that even a busy machine refuses nobody.

use holdfast_contracts::RequestId;
use serde_json::json;
use tokio::process::Command;

use crate::rest::Rest;

/// A product drop, some browsing, and some requests that make no sense.
pub(crate) async fn shop(http: &str, sku: &str) {
    drop_of(http, sku).await;
    let rest = Rest::new(http);
    let products = rest.get("/v1/products").await.ok();
    let product = products["products"][0]["id"].as_str().expect("the drop's product").to_owned();
    let event = |kind: &str| json!({"id": new_id(), "kind": kind, "customerId": "c-1", "productId": product});
    rest.post("/v1/events:record", &json!({"events": [event("VIEW"), event("PURCHASE")]})).await.ok();
    rest.get("/v1/customers/c-1/recommendations").await.ok();
    rest.get(&format!("/v1/products/{product}/similar")).await.ok();
    rest.get("/v1/stock/NO-SUCH-SKU").await.problem(404, "SKU_NOT_FOUND");
    rest.get("/v1/nowhere").await.problem(404, "ROUTE_NOT_FOUND");
    rest.post("/v1/reservations", &json!({"lines": "none"})).await.json();
}

/// Declined payments and holds that nobody buys included; providers that do not answer are no part of a good day.
async fn drop_of(http: &str, sku: &str) {
    let arguments = ["drop", "--json", "--via", "rest", "--units", "15", "--shoppers", "40", "--concurrency", "4"];
    let shares = ["--decline", "0.2", "--abandon", "0.2", "--timeout", "0", "--abandon-ttl", "1s", "--hold-ttl", "20s"];
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(arguments)
        .args(shares)
        .args(["--window", "1s", "--think", "5ms", "--report", "/dev/null", "--sku", sku, "--http", http])
        .output()
        .await
        .expect("holdfast starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An order that cannot be placed: nobody knows of any stock.
pub(crate) async fn fail(http: &str) {
    let rest = Rest::new(http);
    let line = json!({"sku": "ANY", "quantity": 1});
    let payment = json!({"provider": "sandbox", "token": "tok_ok"});
    let order = json!({"requestId": new_id(), "customerId": "c-1", "lines": [line], "payment": payment});
    let answer = rest.post("/v1/orders", &order).await;
    assert!(answer.status.is_server_error(), "{answer:?}");
}

fn new_id() -> String {
    RequestId::now_v7().to_string()
}
