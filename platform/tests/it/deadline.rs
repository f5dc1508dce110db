//! Every call ends by its deadline, and its caller is told why.

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::reason_of;
use holdfast_platform::telemetry::metrics::{Metrics, ShedReason, Weight};
use tonic::{Code, Request, Status};

use crate::toy::{Toy, hang, in_time, now, patient_stubs, until, watch, within};

const SHORT: Duration = Duration::from_millis(50);
const HOUR: Duration = Duration::from_hours(1);

fn assert_late(status: &Status) {
    assert_eq!(
        (status.code(), reason_of(status)),
        (Code::DeadlineExceeded, Some(Reason::DeadlineExceeded)),
        "{status}"
    );
}

#[tokio::test]
async fn a_late_call_is_told_so_and_its_handler_is_gone() {
    let toy = Toy::new();
    let served = toy.serve(|server| server).await;
    let mut stubs = patient_stubs(served.address).await;
    let late = in_time(stubs.get_stock(within(SHORT, hang()))).await.expect_err("the gate stays shut");
    assert_late(&late);
    assert_eq!((toy.begun(), toy.running()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_late_already_never_reaches_its_handler() {
    let toy = Toy::new();
    let mut request = Request::new(now());
    request.metadata_mut().insert("grpc-timeout", "0n".parse().expect("a value"));
    assert_late(&toy.in_process().get_stock(request).await.expect_err("no time is left"));
    assert_eq!(toy.begun(), 0);
    assert_eq!(Metrics::get().calls_shed.of((ShedReason::Expired, Weight::Default)).get(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_method_has_its_own_default_and_cap() {
    let mut stubs = Toy::new().in_process();
    for (asked, given) in [(None, 2_000), (Some(HOUR), 10_000), (Some(SHORT), 50)] {
        let request = asked.map_or_else(|| Request::new(now()), |timeout| within(timeout, now()));
        assert_eq!(stubs.get_stock(request).await.expect("an answer").into_inner().version, given, "{asked:?}");
    }
    let begun = tokio::time::Instant::now();
    let late = in_time(stubs.get_stock(hang())).await.expect_err("the gate stays shut");
    assert_late(&late);
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_lasts_as_long_as_its_caller_says_and_no_longer() {
    let toy = Toy::new();
    let mut steps = toy.in_process().watch_stock(within(HOUR, watch())).await.expect("it opens").into_inner();
    assert!(steps.message().await.expect("a step").is_some());
    let begun = tokio::time::Instant::now();
    let ended = tokio::time::timeout(24 * HOUR, steps.message()).await.expect("it ends");
    assert_late(&ended.expect_err("its time runs out"));
    assert_eq!((begun.elapsed().as_secs(), toy.running()), (3600, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_caller_says_nothing_goes_on() {
    let toy = Toy::new();
    let mut steps = toy.in_process().watch_stock(watch()).await.expect("it opens").into_inner();
    assert!(steps.message().await.expect("a step").is_some());
    tokio::time::timeout(24 * HOUR, steps.message()).await.expect_err("nothing happens for a day");
    assert_eq!(toy.running(), 1);
    drop(steps);
    until(|| toy.running() == 0).await;
}
