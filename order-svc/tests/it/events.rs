//! What others learn of orders: topic `orders`.

use holdfast_contracts::events::v1::OrderChanged;
use holdfast_contracts::order::v1::order::State;
use holdfast_contracts::order::v1::payment::State as PaymentState;
use holdfast_platform::bus::ledger::Ledger;
use holdfast_platform::bus::testing::read_at_least;
use holdfast_platform::bus::{Offset, Start, decode, inbox};

use super::shop::{Shop, ask};

#[tokio::test]
async fn every_change_of_an_order_is_published_once_in_its_order() {
    let shop = Shop::new().await;
    let mut open = shop.open().await;
    let mut ledger = Ledger::new(&shop.config.database_url, "orders".parse().expect("a topic"));
    assert_eq!(ledger.read(Offset::BEGINNING, 10).await.expect("readable while it is empty"), []);
    let order = open.client.place_order(ask("tok_ok")).await.expect("it is sold").into_inner();
    let declined = ask("tok_declined");
    open.client.place_order(declined.clone()).await.expect_err("declined");
    shop.rest(&declined.request_id).await;

    let written = shop.events(&order.id).await.len() + shop.events(&declined.request_id).await.len();
    let told = read_at_least(&mut ledger, Offset::BEGINNING, written).await;
    let events: Vec<_> = told.iter().map(|delivery| delivery.event.clone().expect("an envelope")).collect();
    for id in [&order.id, &declined.request_id] {
        let of_order: Vec<_> = events.iter().filter(|event| event.key == *id).collect();
        assert_eq!(of_order.len(), shop.events(id).await.len());
        assert!(of_order.is_sorted_by(|a, b| a.sequence < b.sequence), "{of_order:?}");
    }
    let last = events.iter().rfind(|event| event.key == order.id).expect("its last event");
    assert_eq!((last.topic.as_str(), last.schema_version), ("orders", 1));
    let changed: OrderChanged = decode(last, "holdfast.events.v1.OrderChanged").expect("as the contract says");
    assert_eq!((changed.state(), changed.payment_state()), (State::Placed, PaymentState::Captured));
    assert_eq!(
        (changed.customer_id.as_str(), changed.total_minor, changed.currency_code.as_str()),
        ("c1", 5000, "EUR")
    );
    assert_eq!((changed.version, changed.order_id.as_str()), (last.sequence, order.id.as_str()));
    let line = &changed.lines[0];
    assert_eq!((line.sku.as_str(), line.quantity, line.unit_price_minor), ("HOODIE-M", 1, 5000));

    // The same events, read again: the same ids. From the end: none. From a page's end: the rest.
    assert_eq!(ledger.read(Offset::BEGINNING, 100).await.expect("it is read"), told);
    assert_eq!(ledger.read(told[1].offset, 100).await.expect("it is read"), told[2..]);
    let end = ledger.locate(Start::End).await.expect("its end");
    assert!(end > told[told.len() - 1].offset);
    assert_eq!(ledger.read(end, 100).await.expect("it is read"), []);
    let backlog = ledger.backlog(told[1].offset).await.expect("it is counted");
    assert_eq!((backlog.events, backlog.oldest.is_some()), (told.len() as u64 - 2, true));
}

#[tokio::test]
async fn a_ledger_restored_on_another_server_is_published_again_once_migrated() {
    let shop = Shop::new().await;
    shop.open().await.client.place_order(ask("tok_ok")).await.expect("it is sold");
    let mut ledger = Ledger::new(&shop.config.database_url, "orders".parse().expect("a topic"));
    let told = read_at_least(&mut ledger, Offset::BEGINNING, 3).await;
    // As a dump would have it: transaction numbers this server is far from giving out.
    let sql = "UPDATE orders.event SET xid = (xid::text::bigint + 1000000000)::text::xid8";
    shop.db().await.client().batch_execute(sql).await.expect("updated");
    assert_eq!(ledger.read(Offset::BEGINNING, 100).await.expect("it is read"), []);
    assert_eq!(order_svc::migrate(&shop.config.database_url).await.expect("it migrates"), 0);
    let restored = read_at_least(&mut ledger, Offset::BEGINNING, told.len()).await;
    assert!(restored.iter().map(|it| &it.event).eq(told.iter().map(|it| &it.event)));
}

#[tokio::test]
async fn a_ledger_restored_into_a_used_server_keeps_its_order_and_its_readers_begin_again() {
    let shop = Shop::new().await;
    shop.open().await.client.place_order(ask("tok_ok")).await.expect("it is sold");
    let mut ledger = Ledger::new(&shop.config.database_url, "orders".parse().expect("a topic"));
    let told = read_at_least(&mut ledger, Offset::BEGINNING, 3).await;
    // This server is past the dump's first transactions, and far from its last.
    let sql = "UPDATE orders.event SET xid = (xid::text::bigint + 1000000000)::text::xid8
               WHERE id = (SELECT max(id) FROM orders.event)";
    shop.db().await.client().batch_execute(sql).await.expect("updated");
    order_svc::migrate(&shop.config.database_url).await.expect("it migrates");
    for place in [Offset::BEGINNING, told[1].offset] {
        let restored = read_at_least(&mut ledger, place, told.len()).await;
        assert!(restored.iter().map(|it| &it.event).eq(told.iter().map(|it| &it.event)), "after {place}");
        assert_eq!(ledger.read(restored[1].offset, 100).await.expect("it is read"), restored[2..]);
    }
}

#[test]
fn the_inbox_is_the_platforms() {
    let migration = include_str!("../../migrations/0002_events.sql");
    assert!(migration.ends_with(&inbox::TABLES.replace("SCHEMA", "orders")));
}
