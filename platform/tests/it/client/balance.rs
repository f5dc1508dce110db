use std::time::{Duration, Instant};

use futures_util::future::join_all;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::Refusal;
use tonic::{Code, Status};

use super::replica::{Names, Replica, good, over, read, refused, write};

/// What calls may take in all until an endpoint is known to be bad.
const EJECTED_WITHIN: Duration = Duration::from_secs(1);
/// How long a law may take to come true on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn replicas(n: usize) -> Vec<Replica> {
    join_all((0..n).map(|_| Replica::good())).await
}

/// Calls, eight at a time, and how many of them each replica got.
async fn shares(wire: &holdfast_platform::client::Wire, replicas: &[Replica], calls: usize) -> Vec<usize> {
    let before: Vec<usize> = replicas.iter().map(Replica::calls).collect();
    join_all((0..8).map(|_| async {
        for _ in 0..calls / 8 {
            read(wire).await.expect("a good replica");
        }
    }))
    .await;
    replicas.iter().zip(before).map(|(replica, before)| replica.calls() - before).collect()
}

#[tokio::test]
async fn replicas_that_appear_get_their_share_and_those_that_go_get_nothing() {
    let (names, all) = (Names::default(), replicas(5).await);
    names.set(&all[..2]);
    let wire = names.wire();
    read(&wire).await.expect("the first of two");
    names.set(&all);
    // Within 20 % of a fifth each, sooner or later: they are found, connected to and warmed up while calls go on.
    let started = Instant::now();
    loop {
        let shares = shares(&wire, &all, 2000).await;
        if shares.iter().all(|share| (320..=480).contains(share)) {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{shares:?}");
    }
    names.set(&all[1..]);
    let started = Instant::now();
    while shares(&wire, &all, 80).await[0] > 0 {
        assert!(started.elapsed() < PATIENCE, "calls go on to a replica that its name no longer has");
    }
}

#[tokio::test]
async fn the_last_good_set_stays_while_the_name_does_not_resolve() {
    let (names, all) = (Names::default(), replicas(2).await);
    let wire = names.wire();
    assert_eq!(read(&wire).await.expect_err("no endpoint yet").code(), Code::Unavailable);
    names.set(&all);
    let started = Instant::now();
    while read(&wire).await.is_err() {
        assert!(started.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    names.fail();
    tokio::time::sleep(Duration::from_millis(600)).await;
    read(&wire).await.expect("the endpoints known before");
}

#[tokio::test]
async fn a_killed_replica_costs_no_call_and_gets_none_after_a_second() {
    let mut all = replicas(3).await;
    let wire = over(&all);
    shares(&wire, &all, 400).await;
    let mut dead = all.remove(0);
    let killed = Instant::now();
    dead.kill();
    // Under way or new: what hits the dead one is repeated elsewhere.
    shares(&wire, &all, 400).await;
    if let Some(rest) = EJECTED_WITHIN.checked_sub(killed.elapsed()) {
        tokio::time::sleep(rest).await;
    }
    // Whoever takes its place and refuses everything is not asked: it is not connected to.
    let got: usize = shares(&wire, &all, 800).await.iter().sum();
    assert!((800..=880).contains(&got), "{got} attempts for 800 calls");
}

#[tokio::test]
async fn a_failing_replica_costs_no_call_and_little_more_work() {
    let failing = Replica::start(|_, _| async { refused(Status::unavailable("down")) }).await;
    let (good, other) = (Replica::good().await, Replica::good().await);
    let wire = over([&failing, &good, &other]);
    for _ in 0..1000 {
        read(&wire).await.expect("another replica");
    }
    let attempts = failing.calls() + good.calls() + other.calls();
    assert!(attempts <= 1200, "{attempts} attempts for 1000 calls");
    assert!(failing.calls() < 60, "{} calls to a replica that fails", failing.calls());
}

#[tokio::test]
async fn where_every_replica_fails_work_grows_by_a_fifth_at_most_and_calls_fail_fast() {
    let fail = |_, _| async { refused(Status::unavailable("down")) };
    let (one, other) = (Replica::start(fail).await, Replica::start(fail).await);
    let wire = over([&one, &other]);
    for _ in 0..100 {
        let started = Instant::now();
        assert_eq!(read(&wire).await.expect_err("none serves").code(), Code::Unavailable);
        assert!(started.elapsed() < Duration::from_secs(2), "default deadline");
    }
    let attempts = one.calls() + other.calls();
    assert!(attempts <= 120, "{attempts} attempts for 100 calls");
}

#[tokio::test]
async fn a_slow_replica_is_steered_around() {
    let slow = Replica::start(|_, _| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        good()
    })
    .await;
    let all = [slow, Replica::good().await, Replica::good().await];
    let wire = over(&all);
    let shares = shares(&wire, &all, 2000).await;
    assert!(shares[0] < 200, "{shares:?}: a third each would be 667");
}

#[tokio::test]
async fn a_replica_that_breaks_down_at_once_is_not_taken_for_a_fast_one() {
    let broken = Replica::start(|_, _| async { refused(Status::internal("a bug")) }).await;
    let (good, other) = (Replica::good().await, Replica::good().await);
    let wire = over([&broken, &good, &other]);
    for _ in 0..1000 {
        let _ = read(&wire).await;
    }
    assert!(broken.calls() < 200, "{} calls to a replica that serves none: a third would be 333", broken.calls());
}

#[tokio::test]
async fn a_refusal_that_is_the_answer_is_given_once_and_says_nothing_about_the_replica() {
    let replica = Replica::start(|_, head| async move {
        let is_write = head.uri.path().ends_with("/Reserve");
        if is_write { refused(Refusal::new(Reason::PaymentTimeout, "no answer").into()) } else { good() }
    })
    .await;
    let wire = over([&replica]);
    for _ in 0..50 {
        assert_eq!(write(&wire).await.expect_err("for good").code(), Code::Unavailable);
    }
    assert_eq!(replica.calls(), 50, "each is asked once, and each reaches it");
    read(&wire).await.expect("it serves others");
}
