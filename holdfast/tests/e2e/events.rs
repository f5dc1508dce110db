//! The event bus: an order's events reach recommendations, once; operators read, replay and tidy it.

use std::process::Output;

use holdfast::system::Transport;
use serde_json::Value;
use tokio::process::Command;
use uuid::Uuid;

use crate::ask::buy;
use crate::shop::Shop;
use crate::wait::soon;

over_both_transports! { a_bought_product_is_learned_once_and_poison_is_parked }

async fn events(shop: &Shop, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(["--json", "events"]).args(words).env("DATABASE_URL", &shop.database_url);
    command.output().await.expect("the binary runs")
}

async fn told(shop: &Shop, words: &[&str]) -> Value {
    let output = events(shop, words).await;
    assert!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

async fn count(shop: &Shop, sql: &str) -> i64 {
    shop.db().await.client().query_one(sql, &[]).await.expect("it is counted").get(0)
}

async fn wait_for(shop: &Shop, sql: &str, wanted: i64) {
    soon(sql, async {
        while count(shop, sql).await != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

const PURCHASES: &str = "SELECT count(*) FROM recs.event WHERE kind = 3";
const PARKED: &str = "SELECT count(*) FROM recs.inbox_parked";
const GROUP: [&str; 2] = ["--group", "recs.purchases"];

async fn a_bought_product_is_learned_once_and_poison_is_parked(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 5), ("T", 5)]).await;
    let order = shop.doors.orders().place_order(buy("S", 1, "tok_ok")).await.expect("sold").into_inner();
    shop.doors.orders().place_order(buy("T", 1, "tok_declined")).await.expect_err("declined");
    soon("the purchase is learned", shop.system.recommendations().wait_for_events(1)).await;
    assert_eq!(count(&shop, PURCHASES).await, 1);

    // What is on the bus, from a shell.
    let words = ["tail", "--topic", "orders", "--from", "beginning", "--key", &order.id, "--limit", "1"];
    let first = told(&shop, &words).await;
    assert_eq!(
        (&first["type"], &first["payload"]["state"]),
        (&"holdfast.events.v1.OrderChanged".into(), &"PENDING".into())
    );
    let moved = told(&shop, &["tail", "--topic", "inventory", "--from", "beginning", "--limit", "1"]).await;
    assert_eq!((&moved["key"], &moved["payload"]["kind"]), (&"S@main".into(), &"ON_HAND_ADJUSTED".into()));

    // Replayed, nothing happens twice: the effects are keyed by the event.
    let replay = ["replay", "--topic", "orders", "--from", "beginning", GROUP[0], GROUP[1]];
    told(&shop, &replay).await;
    shop.doors.orders().place_order(buy("T", 1, "tok_ok")).await.expect("sold");
    wait_for(&shop, PURCHASES, 2).await;

    // An event nobody can read: parked with its cause, and others go on.
    let id: Uuid = order.id.parse().expect("a UUID");
    let sql = "UPDATE orders.sales_order SET customer_id = E'c\\n1' WHERE id = $1";
    shop.db().await.client().execute(sql, &[&id]).await.expect("written past the service");
    told(&shop, &replay).await;
    wait_for(&shop, PARKED, 1).await;
    shop.doors.orders().place_order(buy("S", 1, "tok_ok")).await.expect("sold");
    wait_for(&shop, PURCHASES, 3).await;
    let parked = told(&shop, &["parked", "list", GROUP[0], GROUP[1]]).await;
    let poison = &parked["parked"][0];
    assert_eq!(poison["key"], order.id.as_str(), "{parked:#}");
    assert!(poison["cause"].as_str().is_some_and(|cause| cause.starts_with("customer_id has a character")), "{poison}");
    let event = poison["id"].as_str().expect("an id");
    assert_eq!(told(&shop, &["parked", "retry", GROUP[0], GROUP[1], "--id", event]).await["released"], 1);
    assert_eq!(told(&shop, &["parked", "drop", GROUP[0], GROUP[1], "--id", event]).await["dropped"], event);
    assert_eq!(count(&shop, PARKED).await, 0);

    for (words, problem) in [
        (["tail", "--topic", "nothing", "--once", "--from=end", ""].as_slice(), "nobody publishes topic nothing"),
        (&["replay", "--topic", "orders", "--from=end", "--group", "orderz.x"], "group orderz.x has no inbox"),
        (&["parked", "list", "--group", "orderz.x"], "group orderz.x has no inbox"),
        (&["parked", "drop", "--group", "recs.x", "--id", "7"], "nothing of recs.x is parked as 7"),
    ] {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        let output = events(&shop, &words).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(problem), "{words:?}: {output:?}");
    }
}
