//! Time to live, by the database's clock.

use std::time::Duration;

use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::reservation::State;
use holdfast_platform::pg::Connection;

use crate::contention::assert_invariants;
use crate::shop::{Client, Shop, line, new_id, reason, reserve, state};

fn short(sku: &str, quantity: i32) -> pb::ReserveRequest {
    let ttl = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    pb::ReserveRequest { ttl, ..reserve(vec![line(sku, quantity)]) }
}

/// Waits by the only clock that counts.
async fn pass(db: &Connection, seconds: f64) {
    db.client().query_one("SELECT pg_sleep($1)::text", &[&seconds]).await.expect("the database waits");
}

async fn get(client: &mut Client, id: &str) -> pb::Reservation {
    client.get_reservation(pb::GetReservationRequest { id: id.into() }).await.expect("it exists").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_ran_out_is_reclaimed_before_anybody_is_turned_away() {
    let mut shop = Shop::with_stock(&[("A", 1)]).await;
    let db = shop.db().await;
    let held = shop.client.reserve(short("A", 1)).await.expect("held").into_inner();
    let refused = shop.client.reserve(short("A", 1)).await.expect_err("it is taken, and not run out yet");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    pass(&db, 1.0).await;
    shop.client.reserve(reserve(vec![line("A", 1)])).await.expect("the first hold has run out");
    assert_eq!(state(&get(&mut shop.client, &held.id).await), State::Expired);
    let late = shop.client.confirm_reservation(pb::ConfirmReservationRequest { id: held.id }).await;
    assert_eq!(reason(&late.expect_err("too late")), "RESERVATION_EXPIRED");
    assert_invariants(&db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweeper_gives_units_back_unasked() {
    let mut shop = Shop::with_stock(&[("A", 3)]).await;
    let db = shop.db().await;
    shop.client.reserve(short("A", 3)).await.expect("held");
    assert_eq!(shop.available("A").await, 0);
    pass(&db, 1.0).await;
    let swept = async {
        while shop.available("A").await < 3 {
            pass(&db, 0.01).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), swept).await.expect("the sweeper comes round");
    assert_invariants(&db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_under_way_stops_the_clock() {
    let mut shop = Shop::with_stock(&[("A", 1)]).await;
    let db = shop.db().await;
    let held = shop.client.reserve(short("A", 1)).await.expect("held").into_inner();
    let begin = pb::BeginPaymentRequest { id: held.id.clone() };
    assert_eq!(state(shop.client.begin_payment(begin.clone()).await.expect("live").get_ref()), State::Paying);
    pass(&db, 1.2).await;
    assert_eq!(state(&get(&mut shop.client, &held.id).await), State::Paying);
    let refused = shop.client.reserve(short("A", 1)).await.expect_err("the unit is being paid for");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    let confirmed = shop.client.confirm_reservation(pb::ConfirmReservationRequest { id: held.id.clone() }).await;
    assert_eq!(state(confirmed.expect("paid").get_ref()), State::Confirmed);
    let restock = pb::RestockReservationRequest { id: held.id };
    for _ in 0..2 {
        let restocked = shop.client.restock_reservation(restock.clone()).await.expect("cancelled").into_inner();
        assert!(restocked.restocked && state(&restocked) == State::Confirmed);
        assert_eq!(shop.available("A").await, 1);
    }
    assert_invariants(&db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_never_shortens() {
    let mut shop = Shop::with_stock(&[("A", 1)]).await;
    let request = pb::ReserveRequest { request_id: new_id(), ..reserve(vec![line("A", 1)]) };
    let held = shop.client.reserve(request).await.expect("held").into_inner();
    let extend = |seconds| pb::ExtendReservationRequest {
        id: held.id.clone(),
        ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
    };
    let shorter = shop.client.extend_reservation(extend(1)).await.expect("held").into_inner();
    assert_eq!(shorter.expire_time, held.expire_time);
    let longer = shop.client.extend_reservation(extend(3600)).await.expect("held").into_inner();
    let seconds = |reservation: &pb::Reservation| reservation.expire_time.expect("a time").seconds;
    assert!(seconds(&longer) > seconds(&held) + 2900);
    assert_eq!(get(&mut shop.client, &held.id).await, longer);
}
