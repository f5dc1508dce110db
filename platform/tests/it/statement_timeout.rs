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
