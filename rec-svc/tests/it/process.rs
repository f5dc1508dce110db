//! The service as a process of its own, over TCP.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use holdfast_contracts::rec::v1::recommendation_service_client::RecommendationServiceClient;
use holdfast_contracts::rec::v1::{RecommendRequest, RecordEventsRequest};
use holdfast_platform::pg::testing::fresh_database;
use holdfast_platform::task::spawn_joined;
use holdfast_platform::{client, server};
use tokio::sync::oneshot;

use crate::shop::Shop;
use crate::world::view;

/// How long the process may take to do what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends the process however the test ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn free_address() -> SocketAddr {
    let any = server::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    any.local_addr().expect("an address")
}

#[tokio::test]
async fn the_process_serves_over_tcp_and_stops_when_told() {
    let database_url = fresh_database().await;
    rec_svc::migrate(&database_url).await.expect("migrates");
    let shop = Shop::default();
    shop.sell("hat", 1);
    let listener = server::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let inventory = format!("http://{}", listener.local_addr().expect("an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = spawn_joined(server::serve(listener, shop.routes(), async move { drop(stopped.await) }));

    let address = free_address().await;
    let command = Command::new(env!("CARGO_BIN_EXE_rec-svc"))
        .args(["--grpc", &address.to_string(), "--database-url", &database_url, "--inventory", &inventory])
        .spawn();
    let mut process = Process(command.expect("the binary runs"));

    let wire = client::tcp(&format!("http://{address}")).expect("an address");
    let mut recommendations = RecommendationServiceClient::new(wire);
    let events = vec![view("x", "hat", 1)];
    let patience = Instant::now() + PATIENCE;
    // Refused until it listens, and without the hat until the model has it: the ids make repeating safe.
    let items = loop {
        assert!(Instant::now() < patience, "the process did not serve in time");
        if recommendations.record_events(RecordEventsRequest { events: events.clone() }).await.is_ok() {
            let request = RecommendRequest { customer_id: "x".into(), page_size: 1 };
            let answer = recommendations.recommend(request).await.expect("an answer").into_inner();
            if !answer.items.is_empty() {
                break answer.items;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(items[0].skus, ["hat-1"]);

    let told = Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status();
    assert!(told.is_ok_and(|status| status.success()));
    let ended = tokio::task::spawn_blocking(move || process.0.wait());
    let status = tokio::time::timeout(PATIENCE, ended).await.expect("it ends").expect("waited").expect("a status");
    assert!(status.success(), "{status}");
    drop(stop);
    serving.await.expect("joined").expect("served");
}
