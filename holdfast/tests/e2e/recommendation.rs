//! Recommendations: only what can be bought.

use holdfast::system::Transport;
use serde_json::{Value, json};

use crate::ask::{buy, new_id, reserve};
use crate::shop::{Shop, product_of};
use crate::wait::soon;

over_both_transports! { nothing_sold_out_is_recommended }

fn event(customer: &str, kind: &str, product: &str) -> Value {
    json!({"id": new_id(), "kind": kind, "customerId": customer, "productId": product})
}

fn products(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("items");
    items.iter().map(|item| item["productId"].as_str().expect("an id")).collect()
}

async fn nothing_sold_out_is_recommended(transport: Transport) {
    let shop = Shop::open(transport, &[("A", 5), ("B", 2), ("C", 5)]).await;
    let rest = &shop.doors.rest;
    let (a, b, c) = (product_of("A"), product_of("B"), product_of("C"));
    let mut events = vec![event("me", "VIEW", &a)];
    for customer in ["x", "y", "z"] {
        events.extend([event(customer, "VIEW", &a), event(customer, "PURCHASE", &b), event(customer, "VIEW", &c)]);
    }
    let count = events.len() as u64;
    let recorded = rest.post("/v1/events:record", &json!({"events": events})).await.ok();
    assert_eq!(recorded["recorded"], count);
    soon("the model follows the log", shop.system.recommendations().wait_for_events(count)).await;

    let (mine, similar) = ("/v1/customers/me/recommendations", format!("/v1/products/{a}/similar"));
    let before = rest.get(mine).await.ok();
    assert!(products(&before).contains(&b.as_str()) && products(&before).contains(&c.as_str()), "{before}");
    assert!(products(&rest.get(&similar).await.ok()).contains(&b.as_str()));

    // One unit is held, the other sold: nothing of B can be bought.
    shop.doors.inventory().reserve(reserve(&[("B", 1)])).await.expect("2 are there");
    shop.doors.orders().place_order(buy("B", 1, "tok_ok")).await.expect("1 is there");
    for path in [mine, &similar] {
        let after = rest.get(path).await.ok();
        assert!(!products(&after).contains(&b.as_str()), "{path}: {after}");
        assert!(products(&after).contains(&c.as_str()), "{path}: {after}");
    }
}
