use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::replica::{Replica, good, over_as, write, writes_once};

/// Long enough that calls are under way whenever a replica goes.
async fn slowly() -> super::replica::Reply {
    tokio::time::sleep(Duration::from_millis(3)).await;
    good()
}

#[tokio::test]
async fn a_rolling_restart_loses_no_call_even_of_a_method_that_may_not_be_repeated() {
    let mut all = [
        Replica::start(|_, _| slowly()).await,
        Replica::start(|_, _| slowly()).await,
        Replica::start(|_, _| slowly()).await,
    ];
    let wire = over_as(&all, &writes_once());
    let (is_over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = join_all((0..16).map(|_| async {
        while !is_over.load(Ordering::SeqCst) {
            write(&wire).await.expect("whatever restarts");
            calls.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let more = |n: usize| {
        let (calls, until) = (&calls, calls.load(Ordering::SeqCst) + n);
        async move {
            while calls.load(Ordering::SeqCst) < until {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    let restarts = async {
        for _ in 0..3 {
            for replica in &mut all {
                more(100).await;
                replica.drain();
                more(100).await;
                let address = replica.address;
                replica.kill();
                *replica = Replica::start_at(address, |_, _| slowly()).await;
            }
        }
        more(100).await;
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(load, restarts);
}
