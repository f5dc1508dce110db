//! A statement ends with the call it runs for, on the server too.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::call::Call;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::peer::Peer;
use holdfast_platform::pg::testing::fresh_database;
use holdfast_platform::pg::{self, Execute as _, Pool};
use holdfast_platform::status::Refusal;

use crate::toy::in_time;

/// Longer than a test waits, shorter than a pool's own limit.
const SLEEP: &str = "SELECT pg_sleep(29)";
const TIMEOUT: &str = "SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'";
const ASLEEP: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'";
const SHORT: Duration = Duration::from_millis(100);

fn call(timeout: Duration) -> Arc<Call> {
    Arc::new(Call { deadline: Deadline::after(timeout), request_id: None, trace: None, peer: Peer::Anonymous })
}

async fn pool() -> Pool {
    pg::pool(&fresh_database().await, 1).await.expect("a URL")
}

async fn told_ms(pool: &Pool) -> i64 {
    let connection = pool.get().await.expect("a connection");
    connection.query_one(TIMEOUT, &[]).await.expect("a setting").get(0)
}

fn assert_late(error: pg::Error) {
    assert_eq!(Refusal::from(error).reason, Reason::DeadlineExceeded);
}

#[tokio::test]
async fn the_backend_stops_when_the_calls_time_is_up() {
    let pool = pool().await;
    let connection = pool.get().await.expect("a connection");
    let asleep = call(SHORT).scope(async { connection.execute(SLEEP, &[]).await.map(drop) });
    assert_late(in_time(asleep).await.expect_err("29 s are more than 100 ms"));
}

#[tokio::test]
async fn the_backend_stops_even_where_nobody_waits_any_more() {
    let pool = pool().await;
    let connection = pool.get().await.expect("a connection");
    let asleep = call(SHORT).scope(async { connection.execute(SLEEP, &[]).await.map(drop) });
    tokio::time::timeout(SHORT / 10, asleep).await.expect_err("it sleeps");
    drop(connection);
    // The one connection there is answers once its backend has stopped.
    assert_eq!(in_time(told_ms(&pool)).await, 30_000);
}

#[tokio::test]
async fn a_transactions_statements_stop_too() {
    let pool = pool().await;
    let mut connection = pool.get().await.expect("a connection");
    let asleep = call(SHORT).scope(async {
        let transaction = connection.transaction().await?;
        transaction.execute(SLEEP, &[]).await.map(drop)
    });
    assert_late(in_time(asleep).await.expect_err("29 s are more than 100 ms"));
    drop(connection);
    assert_eq!(in_time(told_ms(&pool)).await, 30_000);
}

#[tokio::test]
async fn a_connection_forgets_the_call_before() {
    let pool = pool().await;
    assert_eq!(told_ms(&pool).await, 30_000);
    let within = |seconds| call(Duration::from_secs(seconds)).scope(told_ms(&pool));
    let told = (within(10).await, within(2).await, told_ms(&pool).await);
    assert!(matches!(told, (2_501..=12_500, 1..=2_500, 30_000)), "{told:?}");
}

#[tokio::test]
async fn nobody_gets_a_connection_that_works_for_somebody_who_has_gone() {
    let pool = pool().await;
    let connection = pool.get().await.expect("a connection");
    let asleep = connection.execute(SLEEP, &[]);
    tokio::time::timeout(SHORT, asleep).await.expect_err("it sleeps");
    drop(connection);
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), told_ms(&pool)).await, Ok(30_000), "it need not wait");
    let connection = pool.get().await.expect("a connection");
    let asleep = async || {
        let row = connection.query_one(ASLEEP, &[]).await.expect("a count");
        row.get::<_, i64>(0)
    };
    in_time(async { while asleep().await > 0 {} }).await;
}

#[tokio::test]
async fn a_call_in_its_last_moment_spoils_nothing_for_the_next() {
    let pool = pool().await;
    for round in 0..50 {
        let brief = call(Duration::from_millis(1)).scope(async {
            let connection = pool.get().await.expect("a connection");
            connection.query_one("SELECT 1", &[]).await.map(drop)
        });
        if let Err(error) = brief.await {
            assert_late(error);
        }
        let connection = pool.get().await.expect("a connection");
        let next = call(Duration::from_secs(20)).scope(connection.query_one(TIMEOUT, &[])).await;
        assert!(next.expect("it has time").get::<_, i64>(0) >= 10_000, "round {round}");
    }
}

#[tokio::test]
async fn a_call_whose_time_is_up_asks_nothing() {
    let pool = pool().await;
    let connection = pool.get().await.expect("a connection");
    let late = call(Duration::ZERO).scope(connection.query_one("SELECT 1", &[])).await;
    assert_late(late.expect_err("nothing is left"));
}

#[test]
fn too_few_connections_are_an_overload() {
    let refusal = Refusal::from(pg::Error::PoolTimeout);
    assert_eq!(refusal.reason, Reason::Overloaded);
    assert!(refusal.retry_after.is_some());
}
