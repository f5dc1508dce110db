//! Orders that are still on their way break no law, however far they have come.

use crate::audit;
use crate::shop::{copy, execute, traded};

/// Puts one captured order, its payment and its stock where a saga may stop at any moment.
async fn check(order: &str, charge: &str, expect_under_way: u64) {
    let url = copy(&traded().await.database_url).await;
    let id = "(SELECT id FROM orders.sales_order WHERE payment_state = 'CAPTURED' ORDER BY id LIMIT 1)";
    let flaw = format!(
        "CREATE TEMPORARY TABLE one AS SELECT {id} AS id;
         UPDATE orders.sandbox_payment SET status = '{charge}' WHERE reference = (SELECT id::text FROM one);
         UPDATE orders.sales_order SET due_at = now(), {order} WHERE id = (SELECT id FROM one)"
    );
    execute(&url, &flaw).await;
    let told = audit(&url).await;
    told.assert_clean();
    assert_eq!(told.document["audited"]["orders"]["under_way"], expect_under_way, "{:#}", told.document);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_being_captured_is_in_flight() {
    let confirming = "state = 'PENDING', payment_state = 'AUTHORIZED', step = 'CONFIRM'";
    check(confirming, "AUTHORIZED", 1).await;
    let capturing = "state = 'PLACED', payment_state = 'AUTHORIZED', step = 'CAPTURE'";
    check(capturing, "AUTHORIZED", 1).await;
    check(capturing, "CAPTURED", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_being_undone_is_in_flight() {
    let refunding = "state = 'PLACED', payment_state = 'CAPTURED', step = 'REFUND', cancel_reason = 'CUSTOMER'";
    check(refunding, "CAPTURED", 1).await;
    check(refunding, "REFUNDED", 1).await;
    let restocking = "state = 'PLACED', payment_state = 'REFUNDED', step = 'RESTOCK', cancel_reason = 'CUSTOMER'";
    check(restocking, "REFUNDED", 1).await;
    let voiding = "state = 'PLACED', payment_state = 'AUTHORIZED', step = 'VOID', cancel_reason = 'CUSTOMER'";
    check(voiding, "VOIDED", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_charge_is_watched_for() {
    let url = copy(&traded().await.database_url).await;
    let late = "INSERT INTO orders.sandbox_payment (payment_id, reference, status, currency, amount_minor, known_at)
                SELECT gen_random_uuid(), id::text, 'AUTHORIZED', currency, total_minor, now()
                FROM orders.sales_order WHERE step = 'WATCH'";
    execute(&url, late).await;
    let told = audit(&url).await;
    told.assert_clean();
    assert_eq!(told.document["audited"]["orders"]["watched"], 1);
    execute(&url, "UPDATE orders.sales_order SET step = 'CANCELLED', due_at = NULL WHERE step = 'WATCH'").await;
    assert_eq!(audit(&url).await.breached(), [10], "nobody watches any more");
}
