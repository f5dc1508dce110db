//! A hold whose clock runs out while its payment is under way.

use holdfast::system::Transport;
use holdfast_contracts::inventory::v1::reservation::State;
use holdfast_contracts::order::v1::PlaceOrderRequest;
use holdfast_platform::pg::Connection;
use holdfast_platform::task::spawn_joined;
use tonic::Status;

use crate::ask::{buy_held, get_reservation, reason, reserve, reserve_for_seconds};
use crate::audit::assert_sound;
use crate::shop::Shop;
use crate::wait::{soon, until};

over_both_transports! {
    a_hold_being_paid_for_is_nobody_elses_and_ends_once,
    a_late_charge_for_it_is_voided,
}

/// Holds the only unit for a second and lets its payment outlast that: nobody else may have the unit meanwhile.
/// Answers what became of the order.
async fn pay_past_the_end(shop: &Shop, token: &str) -> (PlaceOrderRequest, Status) {
    let mut stock = shop.doors.inventory();
    let held = stock.reserve(reserve_for_seconds("S", 1)).await.expect("1 is there").into_inner();
    let order = buy_held(&held.id, token);
    let (mut orders, asked) = (shop.doors.orders(), order.clone());
    let paying = spawn_joined(async move { orders.place_order(asked).await });
    let state = async || {
        let kept = shop.doors.inventory().get_reservation(get_reservation(&held.id)).await;
        kept.expect("it is kept").get_ref().state()
    };
    until("the payment begins", async || (state().await == State::Paying).then_some(())).await;
    // By the only clock that counts: the hold's own time is over, and the sweeper has been round.
    shop.db().await.client().query_one("SELECT pg_sleep(1.6)::text", &[]).await.expect("the database waits");
    assert!(!paying.is_finished(), "the payment must outlast the hold");
    let refused = stock.reserve(reserve(&[("S", 1)])).await.expect_err("the unit is being paid for");
    assert_eq!(reason(&refused), "INSUFFICIENT_STOCK");
    assert_eq!(state().await, State::Paying);

    let refused = soon("the order's end", paying).await.expect("no panic").expect_err("never paid");
    assert_eq!(state().await, State::Released);
    assert_eq!(shop.doors.units("S").await, (0, 0, 1));
    (order, refused)
}

async fn a_hold_being_paid_for_is_nobody_elses_and_ends_once(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 1)]).await;
    let (order, refused) = pay_past_the_end(&shop, "tok_timeout").await;
    assert_eq!(reason(&refused), "PAYMENT_TIMEOUT");
    // Ended once: whoever comes now gets the unit, and the first shopper's repeat does not get it back.
    shop.doors.inventory().reserve(reserve(&[("S", 1)])).await.expect("it is free again");
    let again = shop.doors.orders().place_order(order).await.expect_err("it is over");
    assert_eq!(reason(&again), "PAYMENT_TIMEOUT");
    assert_eq!(shop.doors.units("S").await, (1, 0, 0));
    assert_sound(&shop.database_url).await;
}

async fn a_late_charge_for_it_is_voided(transport: Transport) {
    let shop = Shop::open(transport, &[("S", 1)]).await;
    let (order, refused) = pay_past_the_end(&shop, "tok_late").await;
    assert_eq!(reason(&refused), "PAYMENT_TIMEOUT");
    let db = shop.db().await;
    let come = "UPDATE orders.sandbox_payment SET known_at = now() WHERE reference = $1";
    assert_eq!(db.client().execute(come, &[&order.request_id]).await.expect("the books are written"), 1);
    until("the charge is voided", async || {
        (charge(&db, &order.request_id).await == ["VOIDED"] && watched(&db).await == 0).then_some(())
    })
    .await;
    assert_eq!(shop.doors.units("S").await, (0, 0, 1));
    assert_sound(&shop.database_url).await;
}

async fn charge(db: &Connection, order: &str) -> Vec<String> {
    let sql = "SELECT status FROM orders.sandbox_payment WHERE reference = $1";
    db.client().query(sql, &[&order]).await.expect("the books are read").iter().map(|row| row.get(0)).collect()
}

async fn watched(db: &Connection) -> i64 {
    let sql = "SELECT count(*) FROM orders.sales_order WHERE step <> 'CANCELLED'";
    db.client().query_one(sql, &[]).await.expect("orders are read").get(0)
}
