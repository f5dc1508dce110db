//! A server with more calls under way than it can answer in good time refuses the next at once.

use std::sync::Arc;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::layer::shed::Limiter;
use holdfast_platform::server;
use holdfast_platform::status::reason_of;
use holdfast_platform::telemetry::metrics::{Metrics, ShedReason, Weight};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::toy::{Served, Stubs, Toy, hang, in_time, now, until, watch};

/// A server whose limit is filled with calls that hang, as far as GetStock may fill it.
async fn full(toy: &Toy, limiter: Arc<Limiter>) -> (Served, JoinSet<Result<(), Status>>) {
    let shared = limiter.clone();
    let served = toy.serve(|server| server.limiter(shared)).await;
    let (stubs, room, mut calls) = (served.stubs(), limiter.limit() * 9 / 10, JoinSet::new());
    for _ in 0..room {
        let mut stubs = stubs.clone();
        calls.spawn(async move { stubs.get_stock(crate::toy::within(crate::toy::PATIENCE, hang())).await.map(drop) });
    }
    until(|| toy.running() == room).await;
    (served, calls)
}

#[tokio::test]
async fn beyond_the_limit_calls_are_refused_at_once_with_a_hint_and_health_is_not() {
    let (toy, limiter) = (Toy::new(), server::limiter().expect("the contracts can be served"));
    let (served, calls) = full(&toy, limiter.clone()).await;
    let begun = toy.begun();
    let told = || Metrics::get().calls_shed.of((ShedReason::Concurrency, Weight::Default)).get();
    let told_before = told();
    let refused = in_time(served.stubs().get_stock(now())).await.expect_err("it is full");
    assert_eq!((refused.code(), reason_of(&refused)), (Code::ResourceExhausted, Some(Reason::Overloaded)));
    assert!(refused.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some()));
    assert_eq!(toy.begun(), begun, "it never reached its handler");
    assert_eq!(told(), told_before + 1, "nothing else here is refused");
    let mut health = HealthClient::new(served.channel());
    in_time(health.check(HealthCheckRequest::default())).await.expect("health is never refused");
    for _ in 0..calls.len() {
        toy.open_gate();
    }
    in_time(calls.join_all()).await.into_iter().for_each(|answer| answer.expect("whoever is in is answered"));
    in_time(served.stubs().get_stock(now())).await.expect("there is room again");
    assert_eq!(limiter.in_flight(), 0);
}

#[tokio::test]
async fn open_streams_take_no_room() {
    let (toy, limiter) = (Toy::new(), server::limiter().expect("the contracts can be served"));
    let shared = limiter.clone();
    let served = toy.serve(|server| server.limiter(shared)).await;
    let mut stubs: Stubs = served.stubs();
    let _steps = in_time(stubs.watch_stock(watch())).await.expect("it opens");
    assert_eq!((toy.running(), limiter.in_flight()), (1, 0));
}
