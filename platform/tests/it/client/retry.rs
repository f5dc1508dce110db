use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use holdfast_contracts::Workload;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::client::{ClientConfig, tcp};
use holdfast_platform::status::Refusal;
use holdfast_platform::telemetry::metrics::{Metrics, RetryOutcome};
use tokio::sync::mpsc;
use tonic::{Code, Status};

use super::replica::{Replica, Reply, good, over, over_as, read, refused, refused_late, write, writes_once};

/// Refuses the first call and answers the others.
async fn at_second_go(refusal: impl Fn() -> Reply + Clone + Send + Sync + 'static) -> Replica {
    Replica::start(move |n, _| {
        let reply = if n == 0 { refusal() } else { good() };
        async { reply }
    })
    .await
}

#[tokio::test]
async fn not_now_is_repeated_wherever_the_status_stands() {
    let head = at_second_go(|| refused(Status::unavailable("not now"))).await;
    write(&over([&head])).await.expect("the second attempt");
    let trailers = at_second_go(|| refused_late(&Status::unavailable("not now"))).await;
    write(&over([&trailers])).await.expect("the second attempt");
    assert_eq!((head.calls(), trailers.calls()), (2, 2));
}

#[tokio::test]
async fn not_so_is_not_repeated() {
    for code in [Code::FailedPrecondition, Code::Internal, Code::Unknown, Code::ResourceExhausted] {
        let replica = at_second_go(move || refused(Status::new(code, "no"))).await;
        assert_eq!(read(&over([&replica])).await.expect_err("the first answer").code(), code);
        assert_eq!(replica.calls(), 1, "{code:?}");
    }
}

#[tokio::test]
async fn attempts_are_bounded_and_counted() {
    let replica = Replica::start(|n, head| async move {
        let told = head.headers.get("grpc-previous-rpc-attempts").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(told, (n > 0).then(|| n.to_string()));
        refused(Status::unavailable("not now"))
    })
    .await;
    assert_eq!(write(&over([&replica])).await.expect_err("never").code(), Code::Unavailable);
    assert_eq!(replica.calls(), 3);
}

#[tokio::test]
async fn the_servers_pause_is_kept_and_its_never_too() {
    let pause = Duration::from_millis(150);
    let overloaded = move || refused(Refusal::new(Reason::Overloaded, "full").retry_after(pause).into());
    let replica = at_second_go(overloaded).await;
    let started = Instant::now();
    read(&over([&replica])).await.expect("after the pause");
    assert!(started.elapsed() >= pause && replica.calls() == 2);

    let never = at_second_go(|| {
        let mut reply = refused(Status::unavailable("no"));
        reply.headers_mut().insert("grpc-retry-pushback-ms", http::HeaderValue::from_static("-1"));
        reply
    })
    .await;
    assert_eq!(read(&over([&never])).await.expect_err("never again").code(), Code::Unavailable);
    assert_eq!(never.calls(), 1);
}

#[tokio::test]
async fn what_a_server_may_have_done_is_repeated_only_where_that_is_safe() {
    for (config, expect) in [(ClientConfig::default(), Ok(())), (writes_once(), Err(Code::Unavailable))] {
        // The first call, wherever it goes, is never answered; the connection is cut under it.
        let (seen, mut seeing) = mpsc::channel(1);
        let calls = Arc::new(AtomicUsize::new(0));
        let start = |which: usize| {
            let (seen, calls) = (seen.clone(), Arc::clone(&calls));
            Replica::start(move |_, _| {
                let (is_first, seen) = (calls.fetch_add(1, Ordering::SeqCst) == 0, seen.clone());
                async move {
                    if is_first {
                        seen.send(which).await.unwrap();
                        return std::future::pending().await;
                    }
                    good()
                }
            })
        };
        let mut replicas = [start(0).await, start(1).await];
        let wire = over_as(&replicas, &config);
        let (answer, ()) = tokio::join!(write(&wire), async {
            let which = seeing.recv().await.unwrap();
            replicas[which].kill();
        });
        assert_eq!(answer.map_err(|status| status.code()), expect);
        assert_eq!(calls.load(Ordering::SeqCst), if expect.is_ok() { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_found_once_it_is() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let wire = tcp(&format!("http://{port}")).unwrap();
    let started = Instant::now();
    assert_eq!(read(&wire).await.expect_err("nobody listens").code(), Code::Unavailable);
    assert!(started.elapsed() < Duration::from_millis(1500), "fails fast");
    let _replica = Replica::start_at(port, |_, _| async { good() }).await;
    while read(&wire).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_slow_read_is_hedged_and_the_loser_cancelled() {
    struct Cancelled(mpsc::Sender<()>);
    impl Drop for Cancelled {
        fn drop(&mut self) {
            let _ = self.0.try_send(());
        }
    }
    let (tell, mut cancelled) = mpsc::channel(64);
    // Every fortieth call, wherever it goes, hangs until it is cancelled.
    let calls = Arc::new(AtomicUsize::new(0));
    let behave = move |_, _| {
        let (guard, n) = (Cancelled(tell.clone()), calls.fetch_add(1, Ordering::SeqCst));
        async move {
            if n % 40 != 39 {
                std::mem::forget(guard);
                return good();
            }
            std::future::pending::<()>().await;
            drop(guard);
            good()
        }
    };
    let (one, other) = (Replica::start(behave.clone()).await, Replica::start(behave).await);
    let workload = Workload::Gateway;
    let wire = over_as([&one, &other], &ClientConfig { workload: Some(workload), ..ClientConfig::default() });
    let started = Instant::now();
    for _ in 0..400 {
        read(&wire).await.expect("one of them answers");
    }
    assert!(started.elapsed() < Duration::from_secs(20), "without hedges five calls take two seconds each");
    cancelled.recv().await.expect("a loser");
    assert!(Metrics::get().retries.of((workload, RetryOutcome::Hedged)).get() >= 1, "it is told");
}

#[tokio::test]
async fn a_slow_read_is_not_sent_twice_to_the_only_replica_that_serves() {
    let only = Replica::start(|n, _| async move {
        if n % 40 == 39 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        good()
    })
    .await;
    let mut gone = Replica::good().await;
    gone.kill();
    let wire = over([&only, &gone]);
    for _ in 0..400 {
        read(&wire).await.expect("the other");
    }
    assert_eq!(only.calls(), 400);
}
