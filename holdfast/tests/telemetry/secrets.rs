//! What a shopper is called and pays with stays out of everything the product tells of itself, at every level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use holdfast::system::Transport;
use holdfast_platform::telemetry::export::Export;
use holdfast_platform::telemetry::log::{LogFormat, subscriber};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::ask::new_id;
use crate::shop::Shop;
use crate::sink::Sink;
use crate::wait::until;

/// In everything that must not be told.
const MARK: &str = "m4rk";

/// Keeps what is logged.
#[derive(Debug, Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics with it")).into_owned()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Page {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn order(lines: &Value, token: &str) -> Value {
    json!({"requestId": new_id(), "customerId": format!("{MARK}-shopper"), "lines": lines,
           "payment": {"provider": "sandbox", "token": token}})
}

/// Everything a shopper may do, well or badly; each with marked names.
async fn shop_and_stumble(shop: &Shop) {
    let rest = &shop.doors.rest;
    let traced = |n: u8| format!("00-{:032x}-{:016x}-01", 0xbeef_0000 + u128::from(n), 1);
    let one = json!([{"sku": "S", "quantity": 1}]);
    let bodies = [
        order(&one, "tok_ok"),
        order(&one, "tok_declined"),
        order(&json!([{"sku": "S", "quantity": 1000}]), "tok_ok"),
        order(&one, &format!("tok_{MARK}_none")),
        order(&json!([{"sku": format!("{MARK} bad"), "quantity": -1}]), "tok_ok"),
        json!({"requestId": new_id(), "customerId": format!("{MARK} \" bad"), "unknown": MARK}),
    ];
    for (number, body) in (0..).zip(&bodies) {
        let answer = rest.post_with("/v1/orders", &[("traceparent", &traced(number))], body).await;
        assert!(answer.status.as_u16() < 500, "{answer:?}");
    }
    let held = json!({"requestId": new_id(), "customerId": format!("{MARK}-shopper"), "lines": one});
    let held = rest.post_with("/v1/reservations", &[("traceparent", &traced(10))], &held).await.ok();
    rest.post(&format!("/v1/reservations/{}:release", held["id"].as_str().expect("an id")), &json!({})).await.ok();
    for path in ["recommendations", "nothing"] {
        let path = format!("/v1/customers/{MARK}-shopper/{path}");
        rest.get_with(&path, &[("traceparent", &traced(11)), ("authorization", &format!("Bearer {MARK}"))]).await;
    }
    rest.get(&format!("/v1/orders?customerId={MARK}-shopper")).await.ok();
    let seen = json!({"events": [{"id": new_id(), "kind": "VIEW", "customerId": format!("{MARK}-shopper"), "productId": "p-S"}]});
    rest.post("/v1/events:record", &seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_traces_and_metrics_never_say_who_shops_or_how_they_pay() {
    let page = Page::default();
    let (subscriber, _) = subscriber(LogFormat::Json, "trace", page.clone()).expect("a level");
    tracing::subscriber::set_global_default(subscriber).expect("nobody else logs in this process");
    let sink = Sink::open().await;
    let shop = Shop::open(Transport::Tcp, &[("S", 5)]).await;
    let export = Export::start(&sink.url(), "holdfast", 1.0).expect("a valid address");
    shop_and_stumble(&shop).await;

    // A database that goes away in the middle logs most of all.
    let db = shop.db().await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    db.client().batch_execute(others).await.expect("it ends them");
    let again = order(&json!([{"sku": "S", "quantity": 1}]), "tok_ok");
    until("an order after the outage", || async {
        (shop.doors.rest.post("/v1/orders", &again).await.status == 200).then_some(())
    })
    .await;
    // The URL of a database that is not there, with a password.
    let url = format!("postgres://shop:{MARK}@127.0.0.1:1/none");
    assert!(inventory_svc::migrate(&url).await.is_err());
    for bad in [format!("host=127.0.0.1 password={MARK} {MARK}"), format!("postgres://shop:{MARK}@[")] {
        let error = inventory_svc::migrate(&bad).await.expect_err("it is no URL");
        assert!(!error.to_string().contains(MARK), "{error}");
    }
    until("spans are exported", || async { (sink.all().len() > 50).then_some(()) }).await;
    export.stop().await;
    shop.system.stop().await;

    let logs = page.text();
    assert!(logs.lines().count() > 100, "at trace level more is logged than this");
    let told: Vec<&str> = logs.lines().filter(|line| line.contains(MARK)).take(20).collect();
    assert!(told.is_empty(), "logs say who shops or how they pay:\n{}", told.join("\n"));
    let spans: Vec<String> = sink.all().iter().map(|span| format!("{span:?}")).collect();
    let told: Vec<&String> = spans.iter().filter(|span| span.contains(MARK)).take(5).collect();
    assert!(told.is_empty(), "spans say who shops or how they pay: {told:#?}");
    let metrics = holdfast_platform::telemetry::render();
    assert!(metrics.contains("holdfast_inventory_reservations_total{outcome=\"held\"}"), "{metrics}");
    assert!(!metrics.contains(MARK) && !metrics.contains("\"S\""), "{metrics}");
}
