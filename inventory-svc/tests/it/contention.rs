//! Many shoppers, two replicas, one database.

use std::collections::HashMap;

use holdfast_contracts::inventory::v1 as pb;
use holdfast_platform::pg::Connection;
use tokio::task::JoinSet;

use crate::shop::{Shop, line, new_id, reason, replica, reserve};

/// What no interleaving may break: nothing oversold, the ledger adds up, versions are gapless, holds are accounted for.
pub(crate) async fn assert_invariants(db: &Connection) {
    let breaches: i64 = db
        .client()
        .query_one(
            "SELECT
                (SELECT count(*) FROM inventory.stock_level WHERE held + committed > on_hand - unavailable)
              + (SELECT count(*) FROM inventory.stock_level l WHERE version <>
                    (SELECT count(*) FROM inventory.movement m WHERE m.level_id = l.id)
                    OR version <> (SELECT coalesce(max(version), 0) FROM inventory.movement m WHERE m.level_id = l.id))
              + (SELECT count(*) FROM inventory.stock_level l WHERE held <>
                    (SELECT coalesce(sum(CASE kind WHEN 1 THEN quantity WHEN 2 THEN -quantity WHEN 3 THEN -quantity
                                                   WHEN 4 THEN -quantity ELSE 0 END), 0)
                     FROM inventory.movement m WHERE m.level_id = l.id))
              + (SELECT count(*) FROM inventory.stock_level l WHERE held <>
                    (SELECT coalesce(sum(quantity), 0) FROM inventory.reservation r
                     WHERE r.level_id = l.id AND state IN (1, 2)))",
            &[],
        )
        .await
        .expect("the audit runs")
        .get(0);
    assert_eq!(breaches, 0, "invariants are broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_shoppers_over_two_replicas_never_oversell() {
    let mut shop = Shop::with_stock(&[("HOT", 120)]).await;
    let (second, other) = replica(&shop.database_url).await;
    let mut shoppers = JoinSet::new();
    for number in 0..500 {
        let mut client = if number % 2 == 0 { shop.client.clone() } else { other.clone() };
        shoppers.spawn(async move { client.reserve(reserve(vec![line("HOT", 1)])).await });
    }
    let (mut held, mut refused) = (0, 0);
    while let Some(answer) = shoppers.join_next().await {
        match answer.expect("no panic") {
            Ok(_) => held += 1,
            Err(status) => {
                assert_eq!(reason(&status), "INSUFFICIENT_STOCK", "{status:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((held, refused), (120, 380));
    assert_eq!(shop.available("HOT").await, 0);
    assert_invariants(&shop.db().await).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opposite_line_orders_do_not_deadlock() {
    let shop = Shop::with_stock(&[("A", 1000), ("B", 1000), ("C", 1000)]).await;
    let (second, other) = replica(&shop.database_url).await;
    let mut shoppers = JoinSet::new();
    for number in 0..200 {
        let mut client = if number % 2 == 0 { shop.client.clone() } else { other.clone() };
        let mut lines = vec![line("A", 1), line("B", 1), line("C", 1)];
        lines.rotate_left(number % 3);
        if number % 2 == 0 {
            lines.reverse();
        }
        shoppers.spawn(async move {
            let held = client.reserve(reserve(lines)).await?.into_inner();
            if number % 4 == 0 {
                client.release_reservation(pb::ReleaseReservationRequest { id: held.id }).await?;
            }
            Ok::<_, tonic::Status>(())
        });
    }
    while let Some(answer) = shoppers.join_next().await {
        answer.expect("no panic").expect("plenty for everybody");
    }
    let db = shop.db().await;
    assert_invariants(&db).await;
    let held: i64 = db
        .client()
        .query_one("SELECT sum(held)::bigint FROM inventory.stock_level", &[])
        .await
        .expect("it runs")
        .get(0);
    assert_eq!(held, 450);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_has_one_effect_and_the_same_answer() {
    let mut shop = Shop::with_stock(&[("A", 50)]).await;
    let (second, other) = replica(&shop.database_url).await;
    let mut answers = JoinSet::new();
    let requests: Vec<pb::ReserveRequest> = (0..10).map(|_| reserve(vec![line("A", 2)])).collect();
    for number in 0..100 {
        let mut client = if number % 3 == 0 { shop.client.clone() } else { other.clone() };
        let request = requests[number % 10].clone();
        answers.spawn(async move { client.reserve(request).await });
    }
    let mut seen: HashMap<String, pb::Reservation> = HashMap::new();
    while let Some(answer) = answers.join_next().await {
        let reservation = answer.expect("no panic").expect("plenty for everybody").into_inner();
        let first = seen.entry(reservation.id.clone()).or_insert_with(|| reservation.clone());
        assert_eq!(*first, reservation);
    }
    assert_eq!(shop.available("A").await, 30);

    let mut reused = requests[0].clone();
    reused.lines[0].quantity = 1;
    let refused = shop.client.reserve(reused).await.expect_err("another payload");
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    assert_invariants(&shop.db().await).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_ends_exactly_once() {
    let mut shop = Shop::with_stock(&[("A", 40)]).await;
    let (second, other) = replica(&shop.database_url).await;
    for _ in 0..20 {
        let id = shop.client.reserve(reserve(vec![line("A", 2)])).await.expect("held").into_inner().id;
        let (mut confirming, mut releasing) = (shop.client.clone(), other.clone());
        let (confirmed, released) = tokio::join!(
            confirming.confirm_reservation(pb::ConfirmReservationRequest { id: id.clone() }),
            releasing.release_reservation(pb::ReleaseReservationRequest { id: id.clone() }),
        );
        assert!(confirmed.is_ok() != released.is_ok(), "{confirmed:?} {released:?}");
        let loser = confirmed.err().or(released.err()).expect("one lost");
        assert_eq!(reason(&loser), "RESERVATION_STATE");
    }
    assert_invariants(&shop.db().await).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_lines_or_none() {
    let mut shop = Shop::with_stock(&[("A", 5), ("B", 1)]).await;
    let refused = shop.client.reserve(reserve(vec![line("A", 2), line("B", 2)])).await.expect_err("B has 1");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    assert_eq!((shop.available("A").await, shop.available("B").await), (5, 1));
    let request = pb::ReserveRequest { request_id: new_id(), ..reserve(vec![line("A", 2), line("B", 1)]) };
    shop.client.reserve(request).await.expect("both are there");
    assert_eq!((shop.available("A").await, shop.available("B").await), (3, 0));
}
