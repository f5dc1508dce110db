//! What others learn of stock: topic `inventory`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use holdfast_contracts::events::v1::movement::Kind;
use holdfast_contracts::events::v1::{Envelope, Movement};
use holdfast_platform::bus::ledger::Ledger;
use holdfast_platform::bus::testing::read_at_least;
use holdfast_platform::bus::{Delivery, Offset, Start, decode, inbox};

use crate::shop::{Shop, adjust, line, replica, reserve};

fn ledger(shop: &Shop) -> Ledger {
    Ledger::new(&shop.database_url, "inventory".parse().expect("a topic"))
}

fn event(delivery: &Delivery) -> &Envelope {
    delivery.event.as_ref().expect("an envelope")
}

/// Versions by key, in the order read.
fn versions(told: &[Delivery]) -> BTreeMap<&str, Vec<i64>> {
    let mut versions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for delivery in told {
        versions.entry(&event(delivery).key).or_default().push(event(delivery).sequence);
    }
    versions
}

/// A shop after many holds of one, two and three lines, through two replicas; and how many movements that took.
async fn busy_shop() -> (Shop, usize) {
    let shop = Shop::with_stock(&[("A", 1000), ("B", 1000), ("C@east", 1000)]).await;
    let (_second, other) = replica(&shop.database_url).await;
    let mut shoppers = tokio::task::JoinSet::new();
    for number in 0..120 {
        let mut client = if number % 2 == 0 { shop.client.clone() } else { other.clone() };
        let lines = ["A", "B", "C"].map(|sku| line(sku, 1)).into_iter().take(1 + number % 3).collect();
        shoppers.spawn(async move { client.reserve(reserve(lines)).await.expect("there is enough") });
    }
    shoppers.join_all().await;
    (shop, 3 + 40 + 80 + 120)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_movement_is_published_once_in_its_levels_order_from_any_place() {
    let (shop, count) = busy_shop().await;
    let mut ledger = ledger(&shop);
    let told = read_at_least(&mut ledger, Offset::BEGINNING, count).await;
    let expected: BTreeMap<&str, Vec<i64>> =
        [("A@main", 121), ("B@main", 81), ("C@east", 41)].map(|(key, last)| (key, (1..=last).collect())).into();
    assert_eq!(versions(&told), expected);
    assert!(told.is_sorted_by(|a, b| a.offset < b.offset));
    // A place in the middle of a commit is as good as any.
    for place in [0, 1, 7, 100, count - 2] {
        let rest = ledger.read(told[place].offset, 10_000).await.expect("it is read");
        assert_eq!(rest, told[place + 1..], "after {}", told[place].offset);
    }
    assert_eq!(ledger.read(told[5].offset, 3).await.expect("it is read"), told[6..9]);

    let held = told.iter().map(event).find(|event| event.sequence == 2).expect("a hold");
    let movement: Movement = decode(held, "holdfast.events.v1.Movement").expect("as the contract says");
    assert_eq!((movement.kind(), movement.quantity, movement.reservation_id.len()), (Kind::Held, 1, 36));
    let received: Movement = decode(event(&told[0]), "holdfast.events.v1.Movement").expect("as the contract says");
    assert_eq!(
        (received.kind(), received.quantity, received.reason.as_str()),
        (Kind::OnHandAdjusted, 1000, "RECEIVED")
    );
    assert!(received.create_time.is_some() && received.sku == "A" && received.location_id == "main");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_from_before_the_logs_beginning_is_served_from_the_ledger() {
    let (mut shop, count) = busy_shop().await;
    let mut ledger = ledger(&shop);
    let told = read_at_least(&mut ledger, Offset::BEGINNING, count).await;
    // All but the last few commits are cut off the log, as the sweeper would after many more transactions.
    let cut = "WITH gone AS (DELETE FROM inventory.commit_log WHERE (xid, seq) IN
                   (SELECT xid, seq FROM inventory.commit_log ORDER BY xid, seq
                    LIMIT (SELECT count(*) - 3 FROM inventory.commit_log)) RETURNING xid)
               UPDATE inventory.commit_log_horizon SET xid = (SELECT max(xid::text::bigint) FROM gone)";
    shop.db().await.client().batch_execute(cut).await.expect("the log is shortened");

    for (from, units_last) in [(Offset::BEGINNING, 122), (told[0].offset, 123)] {
        let (mut place, mut seen) = (from, BTreeMap::<String, i64>::new());
        let reading = tokio::time::timeout(Duration::from_secs(60), async {
            let mut pages = 0;
            while place.0[0] <= 0 || seen.get("A@main") < Some(&units_last) {
                let page = ledger.read(place, 50).await.expect("it is read");
                place = page.last().map_or(place, |last| last.offset);
                for event in page.iter().map(event) {
                    let last = seen.entry(event.key.clone()).or_default();
                    // Again, or the next: nothing is left out.
                    assert!(event.sequence <= *last + 1, "{event:?} after {last}");
                    *last = event.sequence.max(*last);
                }
                pages += 1;
                if pages == 2 {
                    // What happens while history is read is not lost.
                    shop.client.adjust_stock(adjust("A", "main", 1)).await.expect("received");
                }
            }
        });
        reading.await.expect("reading comes to the log's end");
        assert_eq!((seen["B@main"], seen["C@east"]), (81, 41));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_from_a_time_leaves_nothing_of_it_out() {
    let (mut shop, count) = busy_shop().await;
    let mut ledger = ledger(&shop);
    let told = read_at_least(&mut ledger, Offset::BEGINNING, count).await;
    let middle = event(&told[count / 2]).occur_time.expect("a time");
    let since = ledger.locate(Start::Time(middle.try_into().expect("after 1970"))).await.expect("its place");
    let rest = ledger.read(since, 10_000).await.expect("it is read");
    assert!(rest.len() < count && told[count / 2..].iter().all(|delivery| rest.contains(delivery)));
    let ever = ledger.locate(Start::Time(SystemTime::UNIX_EPOCH)).await.expect("its place");
    assert_eq!(ledger.read(ever, 10_000).await.expect("it is read"), told);
    let end = ledger.locate(Start::Time(SystemTime::now() + Duration::from_secs(3600))).await.expect("its end");
    shop.client.adjust_stock(adjust("A", "main", 1)).await.expect("received");
    assert_eq!(read_at_least(&mut ledger, end, 1).await.len(), 1);
}

#[test]
fn the_inbox_is_the_platforms() {
    let migration = include_str!("../../migrations/0003_events.sql");
    assert!(migration.ends_with(&inbox::TABLES.replace("SCHEMA", "inventory")));
}
