//! Each way to break a law, planted on a copy of its own: the audit names exactly the invariants that it breaks.

use crate::audit;
use crate::shop::{copy, execute, traded};

/// Plants a flaw; these invariants must be breached and no others, and one of the examples must say this.
async fn check(flaw: &str, expect: &[u64], expect_said: &str) {
    let url = copy(&traded().await.database_url).await;
    execute(&url, flaw).await;
    let told = audit(&url).await;
    assert_eq!((told.code, told.breached().as_slice()), (Some(1), expect), "{flaw}: {:#}", told.document);
    let examples = expect.iter().flat_map(|&invariant| told.check(invariant)["examples"].as_array().expect("examples"));
    let mut said = examples.filter_map(|example| example["what"].as_str());
    assert!(said.any(|what| what.contains(expect_said)), "{flaw}: {:#}", told.document);
}

/// Adjusts what is on hand, with the ledger rows of true adjustments, by SQL's idea of how much.
fn adjust_hoodies(deltas: &[&str]) -> String {
    let adjustment = |delta: &&str| {
        format!(
            "WITH old AS (SELECT * FROM inventory.stock_level WHERE sku = 'HOODIE'),
                  made AS (SELECT {delta} AS units FROM old),
                  changed AS (UPDATE inventory.stock_level l SET version = l.version + 1, on_hand = l.on_hand + units
                              FROM made WHERE l.sku = 'HOODIE')
             INSERT INTO inventory.movement (level_id, version, created_at, quantity, kind, reason)
             SELECT id, version + 1, now(), units, 6, 5 FROM old, made;"
        )
    };
    let adjustments: String = deltas.iter().map(adjustment).collect();
    format!("ALTER TABLE inventory.stock_level DROP CONSTRAINT never_oversold; {adjustments}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_is_oversold_is_found() {
    let to_one_short = "held + committed + unavailable - on_hand - 1";
    for said in [" held + ", "was oversold by 1"] {
        check(&adjust_hoodies(&[to_one_short]), &[1], said).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_was_oversold_once_is_found() {
    check(&adjust_hoodies(&["-on_hand", "300"]), &[1], "was oversold by").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quantity_the_ledger_does_not_have_is_found() {
    for quantity in ["on_hand", "unavailable", "safety", "incoming", "in_transit"] {
        let flaw = format!("UPDATE inventory.stock_level SET {quantity} = {quantity} + 1 WHERE sku = 'CAP'");
        check(&flaw, &[2], &format!("{quantity} of level")).await;
    }
    for quantity in ["held", "committed"] {
        let flaw = format!("UPDATE inventory.stock_level SET {quantity} = {quantity} + 1 WHERE sku = 'CAP'");
        check(&flaw, &[2], "its reservations come to").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn units_held_by_nobody_are_found() {
    // The ledger knows of them still.
    let gone = "DELETE FROM inventory.reservation WHERE state = 1 AND level_id = (SELECT id FROM inventory.stock_level WHERE sku = 'CAP')";
    check(gone, &[2, 7], "its reservations come to").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_between_versions_is_found() {
    let last = "SELECT level_id, max(version) AS version FROM inventory.movement GROUP BY level_id LIMIT 1";
    let gap = format!(
        "CREATE TEMPORARY TABLE last AS {last};
         UPDATE inventory.reservation r SET version = r.version + 1 FROM last l
         WHERE r.level_id = l.level_id AND r.version = l.version;
         UPDATE inventory.movement m SET version = m.version + 1 FROM last l
         WHERE m.level_id = l.level_id AND m.version = l.version;
         UPDATE inventory.stock_level s SET version = s.version + 1 FROM last l WHERE s.id = l.level_id"
    );
    check(&gap, &[5], "went from version").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_given_twice_is_found() {
    let twice = "ALTER TABLE inventory.movement DROP CONSTRAINT movement_pkey;
                 INSERT INTO inventory.movement (level_id, version, created_at, quantity, kind)
                 SELECT level_id, version, created_at, 0, 9 FROM inventory.movement LIMIT 1";
    check(twice, &[5], "went from version").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_is_ahead_of_its_ledger_is_found() {
    check("UPDATE inventory.stock_level SET version = version + 1 WHERE sku = 'CAP'", &[5], "is at version").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_without_its_level_is_found() {
    let orphan = "INSERT INTO inventory.movement (level_id, version, created_at, quantity, kind)
                  VALUES (999999, 1, now(), 0, 6)";
    check(orphan, &[5], "level 999999 has movements, but does not exist").await;
}

/// One line of a reservation in this state that has no other lines, at the hot level.
fn single(state: i16) -> String {
    format!(
        "(SELECT id FROM inventory.reservation r WHERE state = {state} AND NOT restocked
          AND level_id = (SELECT id FROM inventory.stock_level WHERE sku = 'HOODIE')
          AND NOT EXISTS (SELECT 1 FROM inventory.reservation o WHERE o.id = r.id AND o.line <> r.line)
          AND NOT EXISTS (SELECT 1 FROM orders.sales_order o WHERE o.reservation_id = r.id)
          ORDER BY id LIMIT 1)"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_not_what_the_ledger_held_is_found() {
    let update = |what: &str| format!("UPDATE inventory.reservation SET {what} WHERE id = {}", single(4));
    check(&update("version = version - 1"), &[5], "something else happened").await;
    check(&update("version = version + 1000000"), &[5], "nothing was").await;
    check(&update("quantity = quantity + 1"), &[5], "is of 2 units, but 1 were held").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_the_ledger_does_not_have_is_found() {
    let end = |from, to| format!("UPDATE inventory.reservation SET state = {to} WHERE id = {}", single(from));
    check(&end(4, 5), &[7], "it is EXPIRED, but the ledger released 1").await;
    check(&end(5, 4), &[7], "it is RELEASED, but the ledger released 0, expired 1").await;
    check(&end(4, 1), &[2, 7], "it is HELD, but the ledger released 1").await;
    check(&end(3, 4), &[2, 7], "it is RELEASED, but the ledger released 0, expired 0 and confirmed 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_that_ended_twice_is_found() {
    // One that expired gives its end to one that was released.
    let twice = format!(
        "UPDATE inventory.movement SET reservation_id = {} WHERE kind = 3 AND reservation_id = {}",
        single(4),
        single(5)
    );
    check(&twice, &[7], "it ended more than once: released 1, expired 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_that_was_held_twice_is_found() {
    let twice = format!(
        "WITH old AS (UPDATE inventory.stock_level SET version = version + 2 WHERE sku = 'HOODIE' RETURNING *)
         INSERT INTO inventory.movement (level_id, version, created_at, quantity, kind, reservation_id)
         SELECT id, version - 1, now(), 1, 1, {0} FROM old UNION ALL SELECT id, version, now(), 1, 2, {0} FROM old",
        single(4)
    );
    check(&twice, &[7], "the ledger held it 2 times for 1 lines").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_of_other_units_is_found() {
    let released =
        format!("UPDATE inventory.movement SET quantity = 2 WHERE kind = 2 AND reservation_id = {}", single(4));
    check(&released, &[2, 7], "1 units were held, 2 ended").await;
    let restocked = "UPDATE inventory.movement SET quantity = 2 WHERE (level_id, version) =
                     (SELECT level_id, version FROM inventory.movement WHERE kind = 5 LIMIT 1)";
    check(restocked, &[2, 7], "1 units were held, 2 restocked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_in_the_wrong_order_are_found() {
    // Two of one reservation's movements change places.
    let swap = |first: i16, second: i16, whose: &str| {
        format!(
            "CREATE TEMPORARY TABLE swap AS
                 SELECT a.level_id, a.version AS before, b.version AS after
                 FROM inventory.movement a JOIN inventory.movement b USING (level_id, reservation_id)
                 WHERE a.kind = {first} AND b.kind = {second} AND {whose} LIMIT 1;
             ALTER TABLE inventory.movement DROP CONSTRAINT movement_pkey;
             UPDATE inventory.movement m SET version = before + after - version FROM swap s
             WHERE m.level_id = s.level_id AND m.version IN (before, after);
             UPDATE inventory.reservation r SET version = after FROM swap s
             WHERE r.level_id = s.level_id AND r.version = before"
        )
    };
    check(&swap(4, 5, "true"), &[7], "before it was confirmed").await;
    check(&swap(1, 2, &format!("reservation_id = {}", single(4))), &[7], "before it was held").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restocking_that_the_ledger_does_not_have_is_found() {
    let forgotten = "UPDATE inventory.reservation SET restocked = false
                     WHERE id = (SELECT id FROM inventory.reservation WHERE restocked AND line = 1 LIMIT 1)";
    check(forgotten, &[2, 7], "it is not restocked, but the ledger restocked 1").await;
    let made_up = format!("UPDATE inventory.reservation SET restocked = true WHERE id = {}", single(3));
    check(&made_up, &[2, 7], "it is restocked, but the ledger restocked 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn movements_of_nobody_are_found() {
    let gone = format!("DELETE FROM inventory.reservation WHERE id = {}", single(4));
    check(&gone, &[7], "a reservation that does not exist").await;
    let anonymous = "WITH old AS (UPDATE inventory.stock_level SET version = version + 2 WHERE sku = 'CAP' RETURNING *)
                     INSERT INTO inventory.movement (level_id, version, created_at, quantity, kind)
                     SELECT id, version - 1, now(), 1, 1 FROM old UNION ALL SELECT id, version, now(), 1, 2 FROM old";
    check(anonymous, &[7], "a reservation that does not exist").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_ended_differently_are_found() {
    let apart = "UPDATE inventory.reservation SET state = 5
                 WHERE (id, line) = (SELECT id, line FROM inventory.reservation WHERE state = 4 AND line = 1 LIMIT 1)";
    check(apart, &[7], "not all in one state").await;
}

/// The first order at rest with this payment state.
fn order(payment_state: &str) -> String {
    format!(
        "(SELECT id FROM orders.sales_order WHERE payment_state = '{payment_state}'
          AND step IN ('PLACED', 'CANCELLED') ORDER BY id LIMIT 1)"
    )
}

fn update_order(payment_state: &str, what: &str) -> String {
    format!("UPDATE orders.sales_order SET {what} WHERE id = {}", order(payment_state))
}

fn update_charge(payment_state: &str, what: &str) -> String {
    format!("UPDATE orders.sandbox_payment SET {what} WHERE reference = {}::text", order(payment_state))
}

#[tokio::test(flavor = "multi_thread")]
async fn money_without_stock_is_found() {
    let nothing = update_order("CAPTURED", "reservation_id = gen_random_uuid()");
    check(&nothing, &[10], "1 units are paid for, 0 committed").await;
    let released = update_order("CAPTURED", &format!("reservation_id = {}", single(4)));
    check(&released, &[10], "1 units are paid for, 0 committed").await;
    let more = update_order("CAPTURED", "lines = jsonb_set(lines, '{0,quantity}', '2')");
    check(&more, &[10], "2 units are paid for, 1 committed").await;
    let other = update_order("CAPTURED", "lines = jsonb_set(lines, '{0,sku}', '\"LAST\"')");
    check(&other, &[10], "0 units are paid for, 1 committed").await;
    let elsewhere = update_order("CAPTURED", "lines = jsonb_set(lines, '{0,location_id}', '\"east\"')");
    check(&elsewhere, &[10], "0 units are paid for, 1 committed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_without_money_is_found() {
    let unpaid = format!(
        "ALTER TABLE orders.sales_order DROP CONSTRAINT placed_is_paid; {}",
        update_order("CAPTURED", "payment_state = 'VOIDED'")
    );
    check(&unpaid, &[10], "committed, but the order is PLACED and its payment VOIDED").await;
    for payment_state in ["REFUNDED", "FAILED"] {
        let kept = update_order(payment_state, &format!("reservation_id = {}", single(3)));
        check(&kept, &[10], &format!("committed, but the order is CANCELLED and its payment {payment_state}")).await;
    }
    let paying = "(SELECT id FROM inventory.reservation WHERE state = 2 LIMIT 1)";
    let stuck = update_order("FAILED", &format!("reservation_id = {paying}"));
    check(&stuck, &[10], "held for payment, but the order is CANCELLED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_the_provider_has_otherwise_is_found() {
    check(&update_charge("REFUNDED", "status = 'AUTHORIZED'"), &[10], "cancelled, but still authorised").await;
    check(&update_charge("REFUNDED", "status = 'CAPTURED'"), &[10], "cancelled, but still charged").await;
    check(&update_charge("CAPTURED", "status = 'AUTHORIZED'"), &[10], "placed, but nothing is captured").await;
    check(&update_charge("CAPTURED", "amount_minor = 1"), &[10], "but 1 EUR are captured").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_was_taken_twice_or_for_nothing_is_found() {
    let charge = |reference: &str| {
        format!(
            "INSERT INTO orders.sandbox_payment (payment_id, reference, status, currency, amount_minor, known_at)
             VALUES (gen_random_uuid(), {reference}, 'CAPTURED', 'EUR', 5000, now())"
        )
    };
    check(&charge(&format!("{}::text", order("CAPTURED"))), &[10], "it is charged 2 times").await;
    check(&charge("'nobody'"), &[10], "money is taken for order nobody, which does not exist").await;
}
