//! Streams, which last, and calls, which do not, over the same wire.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::replica::{Names, Replica, good, read, silence, watch};

/// How long a law may take to come true on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn replica() -> Replica {
    Replica::start(|_, head| async move { if head.uri.path().ends_with("/WatchStock") { silence() } else { good() } })
        .await
}

#[tokio::test]
async fn more_streams_than_one_connection_takes_are_open_and_a_call_is_answered_all_the_same() {
    let replica = replica().await;
    let wire = super::replica::over([&replica]);
    // A server takes 1,024 streams on one connection.
    let mut watches = Vec::new();
    for _ in 0..11 {
        watches.extend(join_all((0..100).map(|_| watch(&wire))).await);
    }
    let open: Vec<_> = watches.into_iter().collect::<Result<_, _>>().expect("there is room for all");
    assert_eq!(open.len(), 1100);
    read(&wire).await.expect("a call waits for no stream");
}

#[tokio::test]
async fn a_replica_with_many_listeners_gets_its_share_of_the_calls() {
    let (names, listened, other) = (Names::default(), replica().await, replica().await);
    names.set([&listened]);
    let wire = names.wire();
    let open = join_all((0..100).map(|_| watch(&wire))).await;
    assert!(open.iter().all(Result::is_ok));
    names.set([&listened, &other]);
    let started = Instant::now();
    loop {
        let before = (listened.calls(), other.calls());
        let reads = join_all((0..8).map(|_| async {
            for _ in 0..100 {
                read(&wire).await.expect("a good replica");
            }
        }));
        reads.await;
        let shares = (listened.calls() - before.0, other.calls() - before.1);
        if (300..=500).contains(&shares.0) && (300..=500).contains(&shares.1) {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{shares:?}");
    }
}
