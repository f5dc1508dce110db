//! Three times what a server can do, on a paused clock: what is answered in time must stay near the best it can.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_contracts::options::v1::Criticality;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::controller::{LIMIT_START, Outcome};
use super::{Limiter, ShedLayer};
use crate::method::{Method, Methods};

/// A server with 10 workers of 5 ms each: 2,000 calls a second.
const WORKERS: usize = 10;
const WORK: Duration = Duration::from_millis(5);
const CAPACITY_PER_S: usize = 2_000;
/// How long callers wait.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the crowd comes, and from when on it is counted: the limit is found by then.
const SECONDS: usize = 12;
const COUNTED_FROM: Duration = Duration::from_secs(4);

const PATH: &str = "/a.A/Place";

fn one_method() -> Methods {
    let (timeout_default, timeout_max) = (PATIENCE, PATIENCE);
    let criticality = Criticality::Critical;
    let method = Method { timeout_default, timeout_max, criticality, is_stream: false, index: Some(0) };
    Methods::from_iter([(PATH.to_owned(), method)])
}

#[derive(Debug, Default)]
struct Tally {
    critical: AtomicUsize,
    sheddable: AtomicUsize,
}

/// What is answered in time per second, where so many calls come each millisecond; half of them may be shed first.
async fn goodput(calls_per_ms: usize, limiter: Option<Arc<Limiter>>) -> (usize, usize) {
    let (workers, tally) = (Arc::new(Semaphore::new(WORKERS)), Arc::new(Tally::default()));
    let (began, mut calls, mut tick) = (Instant::now(), JoinSet::new(), interval(Duration::from_millis(1)));
    for number in 0..SECONDS * 1000 * calls_per_ms {
        if number % calls_per_ms == 0 {
            tick.tick().await;
        }
        let is_critical = number % 2 == 0;
        let criticality = if is_critical { Criticality::Critical } else { Criticality::Sheddable };
        let place = match &limiter {
            Some(limiter) => match limiter.enter(0, criticality) {
                Some(place) => Some(place),
                None => continue,
            },
            None => None,
        };
        let (workers, tally) = (workers.clone(), tally.clone());
        calls.spawn(async move {
            let work = async {
                let _worker = workers.acquire().await.expect("it is never closed");
                sleep(WORK).await;
            };
            let answered = timeout(PATIENCE, work).await.is_ok();
            if let Some(place) = place {
                place.answered(if answered { Outcome::Done } else { Outcome::Late });
            }
            if answered && began.elapsed() > COUNTED_FROM {
                let answered = if is_critical { &tally.critical } else { &tally.sheddable };
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let counted_s = (began.elapsed() - COUNTED_FROM).as_secs_f64();
    let per_s = |count: &AtomicUsize| (count.load(Ordering::Relaxed) as f64 / counted_s) as usize;
    (per_s(&tally.critical), per_s(&tally.sheddable))
}

#[tokio::test(start_paused = true)]
async fn at_three_times_the_capacity_goodput_is_that_of_the_peak() {
    let (critical, sheddable) = goodput(2, Some(Limiter::new(1))).await;
    let peak = critical + sheddable;
    assert!(peak * 100 >= CAPACITY_PER_S * 95, "{peak} of {CAPACITY_PER_S} at capacity");
    let limiter = Limiter::new(1);
    let (critical, sheddable) = goodput(6, Some(limiter.clone())).await;
    let limit = limiter.limit();
    println!("peak {peak}/s; at 3x {critical}/s critical and {sheddable}/s sheddable, limit {limit}");
    assert!((critical + sheddable) * 100 >= peak * 90, "{critical} and {sheddable} of {peak} a second");
    assert!(critical > 10 * sheddable, "the sheddable go first: {critical} against {sheddable}");
    assert!((150..=400).contains(&limit), "100 ms of waiting are 200 calls, not {limit}");
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_is_answered_in_time() {
    let (critical, sheddable) = goodput(6, None).await;
    assert!(critical + sheddable < CAPACITY_PER_S / 2, "{critical} and {sheddable}: then no limit is needed");
}

/// A provider that takes seconds, asked by half of the calls; the others are refused at once for what they ask.
#[tokio::test(start_paused = true)]
async fn slow_work_beside_quick_refusals_is_no_overload() {
    const PROVIDER: Duration = Duration::from_secs(1);
    let limiter = Limiter::new(1);
    let service =
        ShedLayer::new(one_method(), limiter.clone()).layer(service_fn(async |request: http::Request<Body>| {
            if request.headers().contains_key("bad") {
                return Ok::<_, Infallible>(Status::invalid_argument("no such thing").into_http());
            }
            sleep(PROVIDER).await;
            Ok(http::Response::new(Body::empty()))
        }));
    let (mut calls, mut tick) = (JoinSet::new(), interval(Duration::from_millis(5)));
    for _ in 0..SECONDS * 200 {
        tick.tick().await;
        for name in ["good", "bad"] {
            let request = http::Request::builder().uri(PATH).header(name, "1").body(Body::empty()).expect("a request");
            calls.spawn(service.clone().oneshot(request));
        }
    }
    while let Some(answered) = calls.join_next().await {
        let Ok(answered) = answered.expect("no panic");
        let is_shed = Status::from_header_map(answered.headers()).is_some_and(|s| s.code() == Code::ResourceExhausted);
        assert!(!is_shed, "200 calls under way are no crowd");
    }
    assert_eq!(limiter.limit(), LIMIT_START, "nobody waits, and nobody tried for more");
}
