//! What others learn of stock: topic `inventory`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use holdfast_contracts::events::v1::movement::Kind;
use holdfast_contracts::events::v1::{Envelope, Movement};
use holdfast_platform::bus::ledger::Ledger;
use holdfast_platform::bus::testing::read_at_least;
use holdfast_platform::bus::{Delivery, Offset, Start, decode, inbox};
use holdfast_platform::pg::Connection;

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

/// Waits until that many sessions wait for locks.
async fn wait_for_waiters(db: &Connection, count: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while db.client().query_one(sql, &[]).await.expect("sessions are counted").get::<_, i64>(0) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "nobody waits for a lock");
}

/// A batch that locks its levels one after the other has its number from the first; another replica with a later one
/// may be quicker at the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_levels_versions_are_published_in_order_whoever_is_quicker_to_lock_it() {
    let mut shop = Shop::with_stock(&[("A", 10), ("B", 10), ("C", 10)]).await;
    let (_second, mut slow) = replica(&shop.database_url).await;
    let (blocker, db) = (shop.db().await, shop.db().await);
    let lock = "BEGIN; SET LOCAL enable_seqscan = off; SELECT FROM inventory.stock_level WHERE sku = 'B' FOR UPDATE";
    blocker.client().batch_execute(lock).await.expect("locked");
    // Its first batch: it decides under locks. It has A, and waits for B.
    let waiting = holdfast_platform::task::spawn_joined(async move {
        slow.reserve(reserve(["A", "B", "C"].map(|it| line(it, 1)).into())).await
    });
    wait_for_waiters(&db, 1).await;
    shop.client.reserve(reserve(vec![line("C", 1)])).await.expect("C is free");
    blocker.client().batch_execute("ROLLBACK").await.expect("unlocked");
    waiting.await.expect("no panic").expect("there is enough");

    let told = read_at_least(&mut ledger(&shop), Offset::BEGINNING, 7).await;
    assert_eq!(versions(&told)["C@main"], [1, 2, 3]);
}

/// Cuts the log up to what a reader at this place has before it.
async fn cut_log(shop: &Shop, xid_max: i64) {
    let cut = format!(
        "DELETE FROM inventory.commit_log WHERE xid::text::bigint <= {xid_max};
         UPDATE inventory.commit_log_horizon SET xid = {xid_max}"
    );
    shop.db().await.client().batch_execute(&cut).await.expect("the log is shortened");
}

/// Reads to the end; the last sequence of each key.
async fn read_on(ledger: &mut Ledger, mut place: Offset, page: usize) -> BTreeMap<String, i64> {
    let mut last = BTreeMap::new();
    loop {
        let told = ledger.read(place, page).await.expect("it is read");
        let Some(end) = told.last() else { return last };
        place = end.offset;
        for event in told.iter().map(event) {
            let of_key = last.entry(event.key.clone()).or_default();
            *of_key = event.sequence.max(*of_key);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_cut_beyond_where_history_was_begun_has_it_read_again() {
    let mut shop = Shop::with_stock(&[("A", 10), ("B", 10)]).await;
    let mut ledger = ledger(&shop);
    let first = read_at_least(&mut ledger, Offset::BEGINNING, 2).await;
    cut_log(&shop, first[1].offset.0[0]).await;
    // The reader is through with A; then A moves, and that is cut off before the reader comes to the log.
    let history = ledger.read(Offset::BEGINNING, 2).await.expect("it is read");
    assert!(history[1].offset.0[0] < 0);
    shop.client.adjust_stock(adjust("A", "main", 1)).await.expect("received");
    let moved = read_at_least(&mut ledger, first[1].offset, 3).await;
    assert_eq!(moved.len(), 3, "history, as that place is cut");
    let newest = "SELECT max(xid::text::bigint) FROM inventory.commit_log";
    let newest: i64 = shop.db().await.client().query_one(newest, &[]).await.expect("a log").get(0);
    // Other databases' transactions on this server hold the log's readable end back.
    while ledger.locate(Start::End).await.expect("its end").0[0] < newest {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cut_log(&shop, newest).await;
    let rest = read_on(&mut ledger, history[1].offset, 100).await;
    assert_eq!(rest.get("A@main"), Some(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_commit_that_was_cut_off_is_not_lost() {
    let mut shop = Shop::with_stock(&[("A", 10), ("B", 10)]).await;
    let mut ledger = ledger(&shop);
    shop.client.reserve(reserve(vec![line("A", 1), line("B", 1)])).await.expect("there is enough");
    let told = read_at_least(&mut ledger, Offset::BEGINNING, 4).await;
    let (middle, last) = (told[2].offset, told[3].offset);
    assert_eq!(middle.0[..2], last.0[..2], "one commit");
    cut_log(&shop, last.0[0]).await;
    let rest = read_on(&mut ledger, middle, 1).await;
    assert_eq!(rest.get(&event(&told[3]).key), Some(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_before_a_log_that_is_empty_begins_with_history() {
    let shop = Shop::with_stock(&[("A", 10)]).await;
    let mut ledger = ledger(&shop);
    let told = read_at_least(&mut ledger, Offset::BEGINNING, 1).await;
    cut_log(&shop, told[0].offset.0[0]).await;
    let ever = ledger.locate(Start::Time(SystemTime::UNIX_EPOCH)).await.expect("its place");
    assert_eq!(ledger.read(ever, 10).await.expect("it is read").len(), 1);
}

#[test]
fn the_inbox_is_the_platforms() {
    let migration = include_str!("../../migrations/0003_events.sql");
    assert!(migration.ends_with(&inbox::TABLES.replace("SCHEMA", "inventory")));
}
