//! Watchers see every version in order, or an explicit reset.

use std::time::Duration;

use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::watch_stock_response::Event;
use tokio::task::JoinSet;
use tonic::Streaming;

use crate::shop::{Client, Shop, adjust, line, reason, replica, reserve};

type Steps = Streaming<pb::WatchStockResponse>;

async fn watch(client: &mut Client, skus: &[&str], cursor: &str) -> Steps {
    let sku = skus.iter().map(|sku| (*sku).to_owned()).collect();
    let request = pb::WatchStockRequest { sku, cursor: cursor.into() };
    client.watch_stock(request).await.expect("the watch begins").into_inner()
}

async fn next(steps: &mut Steps) -> (Event, String) {
    let step = tokio::time::timeout(Duration::from_secs(10), steps.message());
    let step = step.await.expect("in time").expect("no error").expect("the watch goes on");
    (step.event.expect("an event"), step.cursor)
}

async fn next_version(steps: &mut Steps) -> (i64, String) {
    match next(steps).await {
        (Event::Change(change), cursor) => {
            let (movement, level) = (change.movement.expect("a movement"), change.level.expect("its level"));
            assert_eq!(movement.version, level.version);
            (movement.version, cursor)
        }
        (Event::Reset(reset), _) => panic!("a reset: {reset:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_gapless_across_a_reconnect_and_another_replicas_writes() {
    let mut shop = Shop::with_stock(&[("A", 500)]).await;
    let (second, other) = replica(&shop.database_url).await;
    let mut steps = watch(&mut shop.client, &["A"], "").await;
    let (Event::Reset(reset), _) = next(&mut steps).await else { panic!("a watch begins with the state") };
    assert_eq!(reset.stocks[0].version, 1);

    let mut shoppers = JoinSet::new();
    for number in 0..300 {
        let mut client = if number % 2 == 0 { shop.client.clone() } else { other.clone() };
        shoppers.spawn(async move { client.reserve(reserve(vec![line("A", 1)])).await });
    }
    let mut cursor = String::new();
    for expected in 2..=100 {
        let version;
        (version, cursor) = next_version(&mut steps).await;
        assert_eq!(version, expected);
    }
    drop(steps);
    // Reconnected through the other replica, while the shoppers go on.
    let mut steps = watch(&mut other.clone(), &["A"], &cursor).await;
    for expected in 101..=301 {
        assert_eq!(next_version(&mut steps).await.0, expected);
    }
    while let Some(answer) = shoppers.join_next().await {
        answer.expect("no panic").expect("plenty for everybody");
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_from_another_life_ends_in_a_reset() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let mut steps = watch(&mut shop.client, &["A"], "").await;
    let (_, cursor) = next(&mut steps).await;
    shop.client.adjust_stock(adjust("A", "main", 1)).await.expect("received");
    let mut resumed = watch(&mut shop.client, &["A"], &cursor).await;
    assert_eq!(next_version(&mut resumed).await.0, 2);
    let db = shop.db().await;
    let lose = "UPDATE inventory.stock_level SET version = 1; DELETE FROM inventory.movement WHERE version = 2";
    let (_, cursor) = {
        let mut steps = watch(&mut shop.client, &["A"], "").await;
        next(&mut steps).await
    };
    db.client().batch_execute(lose).await.expect("history is lost");
    let mut steps = watch(&mut shop.client, &["A"], &cursor).await;
    assert!(matches!(next(&mut steps).await.0, Event::Reset(_)));

    let forged = pb::WatchStockRequest { sku: vec!["A".into()], cursor: "?".into() };
    assert_eq!(reason(&shop.client.watch_stock(forged).await.expect_err("forged")), "CURSOR_INVALID");
    let unknown = pb::WatchStockRequest { sku: vec!["Z".into()], cursor: String::new() };
    assert_eq!(reason(&shop.client.watch_stock(unknown).await.expect_err("no such SKU")), "SKU_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_watcher_is_told_all_the_same() {
    let mut shop = Shop::with_stock(&[("A", 5_000)]).await;
    let mut steps = watch(&mut shop.client, &["A"], "").await;
    next(&mut steps).await;
    // More commits than the hub keeps, with nobody reading.
    for _ in 0..1_500 {
        shop.client.reserve(reserve(vec![line("A", 1)])).await.expect("held");
    }
    for expected in 2..=1_501 {
        assert_eq!(next_version(&mut steps).await.0, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_another_replica_makes_is_told_from_its_first_version() {
    let mut shop = Shop::with_stock(&[("A", 5)]).await;
    let mut steps = watch(&mut shop.client, &["A"], "").await;
    next(&mut steps).await;
    // The watch hears of others' commits once the tail is under way: told by a first one.
    let (second, mut other) = replica(&shop.database_url).await;
    other.adjust_stock(adjust("A", "main", 1)).await.expect("received");
    assert_eq!(next_version(&mut steps).await.0, 2);
    // One commit of another replica that takes a new level to its second version.
    let commit = "WITH made AS (
            INSERT INTO inventory.stock_level (sku, location_id, on_hand, version) VALUES ('A', 'west', 9, 2) RETURNING id
        ), ledger AS (
            INSERT INTO inventory.movement (level_id, version, kind, quantity, reason, created_at)
            SELECT id, n, 6, 3 * n, 1, now() FROM made, generate_series(1, 2) AS n
        )
        INSERT INTO inventory.commit_log (level_ids, versions_found, versions_left)
        SELECT ARRAY[id], ARRAY[0], ARRAY[2] FROM made";
    shop.db().await.client().batch_execute(commit).await.expect("it commits");
    for expected in 1..=2 {
        assert_eq!(next_version(&mut steps).await.0, expected);
    }
    second.stop().await;
}
