//! kill -9, under load: of the process, of PostgreSQL, of both. What was acknowledged is there, what was not is found
//! out by asking again, and the shop serves again by itself.

use std::path::Path;
use std::time::{Duration, Instant};

use holdfast_platform::pg;
use holdfast_platform::pg::cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;

use crate::ask::reserve;
use crate::binary::{Folder, Holdfast, up, up_in, with};
use crate::crowd::{Crowd, Errands, STOCK};
use crate::wait::until;

/// How many answers the crowd gets before each blow, and after the last.
const ANSWERS: usize = 400;
/// How long the shop may take to serve again once its database is back.
const BACK_MAX: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_of_the_process() {
    let folder = Folder::new();
    let mut holdfast = Holdfast::start(up_in(folder.path())).await;
    holdfast.doors.stock_up(&STOCK).await;
    let mut crowd = Crowd::enter(holdfast.doors.clone(), Errands::Everything);
    for kills_postgres in [false, true] {
        crowd.is_served(ANSWERS).await;
        let postmaster = folder.postmaster();
        holdfast.kill().await;
        if kills_postgres {
            kill_process(postmaster, Signal::KILL).expect("it outlived its holdfast");
        }
        holdfast = Holdfast::start(up_in(folder.path())).await;
        println!("ready again after {:?}", holdfast.ready);
        assert_ne!(folder.postmaster(), postmaster);
        crowd.go_to(holdfast.doors.clone());
    }
    crowd.is_served(ANSWERS).await;
    crowd.go_home().await.assert_kept(&holdfast.doors, &holdfast.database_url).await;
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
    folder.assert_left_alone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_of_postgres() {
    let folder = Folder::new();
    let cluster = start_cluster(folder.path()).await;
    let url = cluster.url().to_owned();
    let holdfast = Holdfast::start(with(up(), "--database-url", &url)).await;
    holdfast.doors.stock_up(&STOCK).await;

    let mut crowd = Crowd::enter(holdfast.doors.clone(), Errands::Holding);
    crowd.is_served(ANSWERS).await;
    // PostgreSQL ends all its other backends then, and recovers by itself.
    kill_process(busy_backend(&url).await, Signal::KILL).expect("it is at work");
    serves_again(&mut crowd, "a backend was killed").await;
    crowd.go_home().await.assert_kept(&holdfast.doors, &url).await;

    let mut crowd = Crowd::enter(holdfast.doors.clone(), Errands::Everything);
    crowd.is_served(ANSWERS).await;
    kill_process(folder.postmaster(), Signal::KILL).expect("it runs");
    drop(cluster);
    let _cluster = start_cluster(folder.path()).await;
    serves_again(&mut crowd, "the server was killed and is back").await;

    crowd.is_served(ANSWERS).await;
    crowd.go_home().await.assert_kept(&holdfast.doors, &url).await;
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_postgres_that_was_killed_is_started_again() {
    let folder = Folder::new();
    let holdfast = Holdfast::start(up_in(folder.path())).await;
    holdfast.doors.stock_up(&STOCK).await;
    let mut crowd = Crowd::enter(holdfast.doors.clone(), Errands::Everything);
    crowd.is_served(ANSWERS).await;
    kill_process(folder.postmaster(), Signal::KILL).expect("it runs");
    serves_again(&mut crowd, "the private server was killed").await;
    crowd.go_home().await.assert_kept(&holdfast.doors, &holdfast.database_url).await;
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
    folder.assert_left_alone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_back_is_served_from_at_the_first_call() {
    let folder = Folder::new();
    let cluster = start_cluster(folder.path()).await;
    let url = cluster.url();
    let holdfast = Holdfast::start(with(up(), "--database-url", url)).await;
    let doors = &holdfast.doors;
    doors.stock_up(&STOCK).await;
    // As many connections as the service cares to open.
    let read = |_| {
        let doors = doors.clone();
        async move { doors.stock("HOT").await }
    };
    let reads: JoinSet<_> = (0..64).map(read).collect();
    reads.join_all().await;

    let witness = pg::connect(url).await.expect("the database answers");
    kill_process(busy_backend(url).await, Signal::KILL).expect("it runs");
    until("every connection is closed", async || witness.is_closed().then_some(())).await;
    until("PostgreSQL has recovered", async || pg::connect(url).await.ok()).await;
    doors.inventory().reserve(reserve(&[("HOT", 1)])).await.expect("it is back");
    for (sku, _) in STOCK {
        doors.stock(sku).await;
    }
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_database() {
    let folder = Folder::new();
    let cluster = start_cluster(folder.path()).await;
    let url = cluster.url().to_owned();
    let holdfast = Holdfast::start(with(up(), "--database-url", &url)).await;
    let is_ready = async |ready: bool| {
        until("readiness follows", async || {
            let status = holdfast.doors.rest.get("/readyz").await.status;
            (status.is_success() == ready).then_some(())
        })
        .await;
    };
    is_ready(true).await;
    drop(cluster);
    is_ready(false).await;
    assert!(holdfast.doors.rest.get("/livez").await.status.is_success());
    let _cluster = start_cluster(folder.path()).await;
    is_ready(true).await;
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
}

async fn serves_again(crowd: &mut Crowd, blow: &str) {
    let began = Instant::now();
    crowd.is_served(1).await;
    println!("{blow}: first answer after {:?}", began.elapsed());
    crowd.is_served(crate::crowd::SHOPPERS).await;
    println!("{blow}: as many answers as shoppers after {:?}", began.elapsed());
    assert!(began.elapsed() < BACK_MAX, "served again after {:?}", began.elapsed());
}

async fn start_cluster(folder: &Path) -> Cluster {
    let folder = folder.to_owned();
    let starting = tokio::task::spawn_blocking(move || Cluster::start(&folder));
    starting.await.expect("no panic").expect("the server starts")
}

/// The backend that wrote stock last.
async fn busy_backend(url: &str) -> Pid {
    let db = pg::connect(url).await.expect("the database answers");
    let sql = "SELECT pid FROM pg_stat_activity
               WHERE application_name = 'holdfast' AND pid <> pg_backend_pid()
               ORDER BY query LIKE '%UPDATE inventory.stock_level%' DESC, state_change DESC LIMIT 1";
    let row = db.client().query_one(sql, &[]).await.expect("it is at work");
    Pid::from_raw(row.get(0)).expect("a pid")
}
