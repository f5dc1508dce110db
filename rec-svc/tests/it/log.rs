//! The model is a function of the log, however and by whomever the log was written.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::events::v1::behaviour_event::Kind;
use holdfast_platform::pg;
use holdfast_platform::status::reason_of;

use crate::world::{World, event, view};

/// One view, written past the service.
const INSERT_ONE: &str = "INSERT INTO recs.event (id, kind, customer_id, product_id, event_time)
     VALUES (gen_random_uuid(), 1, 'x', 'a', now())";

const EVERY_KIND: [Kind; 3] = [Kind::View, Kind::AddToCart, Kind::Purchase];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_on_two_replicas_leave_the_state_a_replay_gives() {
    const WRITERS: usize = 8;
    const CALLS: usize = 15;
    const EVENTS: usize = 20;

    let world = World::new().await;
    let other = world.another_replica().await;
    let writers = (0..WRITERS).map(|writer| {
        let replica = if writer % 2 == 0 { &world.replica } else { &other };
        async move {
            for call in 0..CALLS {
                // Few shoppers and products, so that the order of the log matters to the state.
                let events = (0..EVENTS).map(|n| {
                    let mix = writer * 31 + call * 7 + n * 13;
                    event(&format!("c{}", mix % 5), EVERY_KIND[mix % 3], &format!("p{}", mix % 17), mix as u64 % 300)
                });
                assert_eq!(replica.record(events.collect()).await.expect("recorded"), EVENTS as i32);
            }
        }
    });
    futures_util::future::join_all(writers).await;

    let events = WRITERS * CALLS * EVENTS;
    world.replica.wait_for_events(events).await;
    other.wait_for_events(events).await;
    let replayed = world.another_replica().await;
    assert_eq!(world.replica.service.state_digest(), replayed.service.state_digest());
    assert_eq!(other.service.state_digest(), replayed.service.state_digest());
}

#[tokio::test]
async fn an_event_committed_after_its_successors_is_not_lost() {
    let world = World::new().await;
    let mut slow = pg::connect(&world.database_url).await.expect("a connection");
    let slow = slow.transaction().await.expect("a transaction");
    slow.batch_execute(INSERT_ONE).await.expect("written, not committed");

    world.replica.record(vec![view("quick", "b", 1)]).await.expect("durable while the other still runs");
    // Long enough for the tail to look several times: what it would wrongly fold now could not be undone.
    let early = tokio::time::timeout(Duration::from_millis(300), world.replica.service.wait_for_events(1)).await;
    assert!(early.is_err(), "an event was folded before one that comes first in the log");

    slow.commit().await.expect("committed");
    world.replica.wait_for_events(2).await;
    assert_eq!(world.replica.service.state_digest(), world.another_replica().await.service.state_digest());
}

#[tokio::test]
async fn an_event_with_an_earlier_sequence_number_in_a_later_transaction_is_not_lost() {
    let world = World::new().await;
    let mut first = pg::connect(&world.database_url).await.expect("a connection");
    let mut second = pg::connect(&world.database_url).await.expect("a connection");
    let first = first.transaction().await.expect("a transaction");
    let second = second.transaction().await.expect("a transaction");
    first.batch_execute("SELECT pg_current_xact_id()").await.expect("the first has its number");
    second.batch_execute(INSERT_ONE).await.expect("written, not committed");
    first.batch_execute(INSERT_ONE).await.expect("written, not committed");

    first.commit().await.expect("committed");
    world.replica.wait_for_events(1).await;
    second.commit().await.expect("committed");
    world.replica.wait_for_events(2).await;
    assert_eq!(world.replica.service.state_digest(), world.another_replica().await.service.state_digest());
}

#[tokio::test]
async fn a_log_restored_on_another_server_is_read_again_once_migrated() {
    let world = World::new().await;
    world.replica.learn(vec![view("x", "a", 2), view("x", "b", 1)]).await;
    let db = pg::connect(&world.database_url).await.expect("a connection");
    // As a dump would have it: transaction numbers this server is far from giving out.
    db.client().batch_execute("UPDATE recs.event SET xact = xact + 1000000000").await.expect("updated");
    assert_eq!(rec_svc::migrate(&world.database_url).await.expect("migrates"), 0);

    let restored = world.another_replica().await;
    restored.wait_for_events(2).await;
    assert_eq!(restored.service.state_digest(), world.replica.service.state_digest());
}

#[tokio::test]
async fn lost_connections_cost_no_event() {
    let world = World::new().await;
    world.replica.learn(vec![view("x", "a", 2)]).await;
    let db = pg::connect(&world.database_url).await.expect("a connection");
    db.client()
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
            &[],
        )
        .await
        .expect("every other connection is cut");

    let events = vec![view("x", "b", 1)];
    let repeated = async {
        // As a client does: the same ids until it is answered.
        while let Err(status) = world.replica.record(events.clone()).await {
            assert_eq!(reason_of(&status), Some(Reason::Unavailable));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), repeated).await.expect("the pool heals");
    world.replica.wait_for_events(2).await;
    assert_eq!(world.replica.service.state_digest(), world.another_replica().await.service.state_digest());
}

#[tokio::test]
async fn a_row_nobody_can_read_stops_nothing() {
    let world = World::new().await;
    let db = pg::connect(&world.database_url).await.expect("a connection");
    db.client().batch_execute(&INSERT_ONE.replace("'a'", "' a/b '")).await.expect("written past the service");
    world.replica.learn(vec![view("x", "a", 1)]).await;
    assert_eq!(world.replica.service.state_digest(), world.another_replica().await.service.state_digest());
}

#[tokio::test]
async fn a_service_without_its_schema_does_not_start() {
    let url = pg::testing::fresh_database().await;
    let deps = rec_svc::Deps { inventory: crate::shop::Shop::default().wire() };
    let error = rec_svc::Service::start(rec_svc::Config::new(url), deps).await.expect_err("no schema");
    assert!(error.to_string().contains("recs.event"), "{error}");
}

#[tokio::test]
async fn stopping_ends_the_tail() {
    let world = World::new().await;
    let stopped = tokio::time::timeout(Duration::from_secs(4), world.replica.service.stop());
    stopped.await.expect("the tail ends within its grace");
}
