//! What a client tells of whom it talks to. Each test talks to a workload that no other test of this process names.

use std::time::{Duration, Instant};

use holdfast_contracts::Workload;
use holdfast_platform::client::ClientConfig;
use holdfast_platform::telemetry::metrics::{BreakerState, Metrics, RetryOutcome};
use http::HeaderValue;
use tonic::Status;

use super::replica::{Replica, good, over_as, refused, write};

/// How long a law may take to come true on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn to(workload: Workload) -> ClientConfig {
    ClientConfig { workload: Some(workload), ..ClientConfig::default() }
}

/// Closed, open, probing, disconnected.
fn endpoints(workload: Workload) -> [i64; 4] {
    use BreakerState::{Closed, Disconnected, Open, Probing};
    [Closed, Open, Probing, Disconnected].map(|state| Metrics::get().endpoints.of((workload, state)).get())
}

fn retries(workload: Workload, outcome: RetryOutcome) -> u64 {
    Metrics::get().retries.of((workload, outcome)).get()
}

#[tokio::test]
async fn an_endpoint_that_fails_is_told_as_open_and_every_repetition_is_counted() {
    let who = Workload::RecSvc;
    let failing = Replica::start(|_, _| async { refused(Status::unavailable("down")) }).await;
    let wire = over_as([&failing], &to(who));
    assert_eq!(endpoints(who), [1, 0, 0, 0]);
    let (began, mut asked) = (Instant::now(), 0);
    while endpoints(who)[1] == 0 {
        write(&wire).await.expect_err("it is down");
        asked += 1;
        assert_eq!(endpoints(who).iter().sum::<i64>(), 1, "it has one state");
        assert!(began.elapsed() < PATIENCE, "its breaker never opens");
    }
    assert!(Metrics::get().breaker_trips.of((who,)).get() >= 1);
    let repeated = failing.calls() as u64 - asked;
    assert!(repeated > 0 && retries(who, RetryOutcome::Retried) >= repeated, "{repeated} reached it");
    assert!(Metrics::get().retry_budget.of((who,)).get().is_some_and(|left| left < 100.0), "they cost something");
    while endpoints(who)[2] == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(began.elapsed() < PATIENCE, "its pause is over, though nobody calls");
    }
    drop(wire);
    assert_eq!(endpoints(who), [0, 0, 0, 0], "nobody knows them any more");
}

#[tokio::test]
async fn a_call_that_its_server_wants_not_repeated_is_counted_as_pushed_back() {
    let who = Workload::Operator;
    let replica = Replica::start(|_, _| async {
        let mut answer = refused(Status::unavailable("down"));
        answer.headers_mut().insert("grpc-retry-pushback-ms", HeaderValue::from_static("-1"));
        answer
    })
    .await;
    write(&over_as([&replica], &to(who))).await.expect_err("it is down");
    assert_eq!(replica.calls(), 1);
    assert_eq!([RetryOutcome::PushedBack, RetryOutcome::Retried].map(|outcome| retries(who, outcome)), [1, 0]);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_is_told_as_disconnected_until_it_can() {
    let who = Workload::OrderSvc;
    let mut replica = Replica::good().await;
    let wire = over_as([&replica], &to(who));
    replica.kill();
    let became = async |state: usize| {
        let began = Instant::now();
        while endpoints(who)[state] != 1 {
            let _ = write(&wire).await;
            assert!(began.elapsed() < PATIENCE, "{:?}", endpoints(who));
        }
        assert_eq!(endpoints(who).iter().sum::<i64>(), 1, "it has one state");
    };
    became(3).await;
    let _again = Replica::start_at(replica.address, |_, _| async { good() }).await;
    became(0).await;
}
