//! A server that is told to stop loses no call, ends its streams with a hint, and does end.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::health::Health;
use holdfast_platform::process::drained;
use holdfast_platform::status::reason_of;
use holdfast_platform::task;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::toy::{Toy, hang, in_time, now, until, watch, within};

/// Far beyond what a test waits: nothing ends because of it.
const NEVER: Duration = Duration::from_hours(1);

#[tokio::test]
async fn calls_under_way_finish_and_nothing_new_is_taken() {
    let toy = Toy::new();
    let served = toy.serve(|server| server.grace(NEVER)).await;
    let mut stubs = served.stubs();
    let under_way = task::spawn_joined(async move { stubs.get_stock(within(NEVER, hang())).await });
    until(|| toy.running() == 1).await;
    served.stop.cancel();
    let address = served.address;
    in_time(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    assert!(!served.serving.is_finished(), "it waits for the call");
    toy.open_gate();
    in_time(under_way).await.expect("joined").expect("a call under way is answered");
    served.ended().await;
}

#[tokio::test]
async fn idle_connections_are_told_to_go_away() {
    let toy = Toy::new();
    let served = toy.serve(|server| server.grace(NEVER)).await;
    let mut stubs = served.stubs();
    stubs.get_stock(now()).await.expect("an answer");
    served.stop.cancel();
    served.ended().await;
    assert_eq!(stubs.get_stock(now()).await.expect_err("nobody is there").code(), Code::Unavailable);
}

#[tokio::test]
async fn open_streams_end_with_a_hint_to_open_them_again() {
    let toy = Toy::new();
    let served = toy.serve(|server| server.grace(NEVER)).await;
    let mut steps = served.stubs().watch_stock(watch()).await.expect("it opens").into_inner();
    assert!(steps.message().await.expect("a step").is_some());
    served.stop.cancel();
    let ended = in_time(steps.message()).await.expect_err("the server stops");
    assert_eq!((ended.code(), reason_of(&ended)), (Code::Unavailable, Some(Reason::Unavailable)));
    assert!(ended.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some()));
    served.ended().await;
    assert_eq!(toy.running(), 0);
}

#[tokio::test]
async fn a_service_ends_its_own_streams_first() {
    let toy = Toy::new();
    let (asked, seen) = (CancellationToken::new(), toy.clone());
    let hook = asked.clone();
    let served = toy
        .serve(|server| {
            server.grace(NEVER).ending(async move {
                assert_eq!(seen.running(), 1, "nobody else ended the stream before");
                hook.cancel();
            })
        })
        .await;
    let mut steps = served.stubs().watch_stock(watch()).await.expect("it opens").into_inner();
    assert!(steps.message().await.expect("a step").is_some());
    served.stop.cancel();
    in_time(asked.cancelled()).await;
    served.ended().await;
}

#[tokio::test]
async fn what_does_not_end_is_cut_after_the_grace() {
    let toy = Toy::new();
    let served = toy.serve(|server| server.grace(Duration::from_millis(100))).await;
    let mut stubs = served.stubs();
    let stuck = task::spawn_joined(async move { stubs.get_stock(within(NEVER, hang())).await });
    until(|| toy.running() == 1).await;
    served.stop.cancel();
    served.ended().await;
    assert!(in_time(stuck).await.expect("joined").is_err(), "the gate never opened");
    until(|| toy.running() == 0).await;
}

#[tokio::test]
async fn health_says_so_before_the_doors_close() {
    let health = Health::serving(&[]).await.expect("the contracts can be served");
    let stop = CancellationToken::new();
    let (told, delay) = (health.clone(), Duration::from_millis(300));
    let stopped = stop.clone().cancelled_owned();
    let closing = task::spawn_joined(async move { drained(stopped, &told, delay).await });
    assert!(health.is_serving());
    stop.cancel();
    until(|| !health.is_serving()).await;
    assert!(!closing.is_finished(), "callers have time to notice");
    in_time(closing).await.expect("joined");
}
