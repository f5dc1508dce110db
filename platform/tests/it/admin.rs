//! The admin port.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use holdfast_contracts::Workload;
use holdfast_platform::admin::{self, Hooks};
use holdfast_platform::config::MeshArgs;
use holdfast_platform::health::Health;
use holdfast_platform::process::Process;
use holdfast_platform::{server, task};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::toy::in_time;

struct Port {
    address: SocketAddr,
    health: Health,
}

impl Port {
    async fn open(hooks: Hooks) -> Self {
        let listener = server::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let health = Health::serving(&[]).await.expect("the contracts can be served");
        let followed = health.clone();
        let is_ready = move || followed.is_serving();
        drop(task::spawn_joined(admin::serve(listener, is_ready, hooks, std::future::pending())));
        Self { address, health }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        ask(self.address, method, path, body).await
    }
}

/// The answer's status and body.
async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    let mut socket = TcpStream::connect(address).await.expect("it listens");
    socket.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    in_time(socket.read_to_string(&mut answer)).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

#[tokio::test]
async fn ready_follows_health_and_live_does_not() {
    let port = Port::open(Hooks::default()).await;
    assert_eq!(port.ask("GET", "/readyz", "").await, (200, "ok\n".to_owned()));
    port.health.stop().await;
    assert_eq!(port.ask("GET", "/readyz", "").await, (503, "not serving\n".to_owned()));
    assert_eq!(port.ask("GET", "/livez", "").await, (200, "ok\n".to_owned()));
}

/// Arguments as a binary reads them.
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    mesh: MeshArgs,
}

#[tokio::test]
async fn a_process_is_live_from_its_start_and_ready_once_it_runs_its_door() {
    let free = server::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let args = Args::parse_from(["it", "--admin", &address.to_string()]);
    let door = ([127, 0, 0, 1], 0).into();
    let process = Process::start(&args.mesh, Workload::RecSvc, door).await.expect("it starts");

    // Its service starts: nothing of it is there yet.
    assert_eq!(ask(address, "GET", "/livez", "").await.0, 200);
    assert_eq!(ask(address, "GET", "/metrics", "").await.0, 200);
    assert_eq!(ask(address, "GET", "/readyz", "").await.0, 503);

    let health = Health::serving(&[]).await.expect("the contracts can be served");
    let asked = process.run(health.clone(), |_stop| async move {
        assert_eq!(ask(address, "GET", "/readyz", "").await.0, 200);
        health.stop().await;
        assert_eq!(ask(address, "GET", "/readyz", "").await.0, 503, "ready follows health");
        Ok::<(), Infallible>(())
    });
    in_time(asked).await.expect("the door closes by itself");
    assert!(TcpStream::connect(address).await.is_err(), "the port ends with its process");
}

#[tokio::test]
async fn the_log_level_is_told_and_changed() {
    let level = Arc::new(Mutex::new("info".to_owned()));
    let (told, changed) = (level.clone(), level.clone());
    let hooks = Hooks {
        metrics: Arc::new(|| "a 1\n# EOF\n".to_owned()),
        log_level: Arc::new(move || told.lock().unwrap().clone()),
        set_log_level: Arc::new(move |filter| {
            if filter == "loud" {
                return Err("loud is no level".to_owned());
            }
            *changed.lock().unwrap() = filter.to_owned();
            Ok(())
        }),
    };
    let port = Port::open(hooks).await;
    assert_eq!(port.ask("GET", "/metrics", "").await, (200, "a 1\n# EOF\n".to_owned()));
    assert_eq!(port.ask("PUT", "/loglevel", "debug\n").await, (200, "debug\n".to_owned()));
    assert_eq!(port.ask("GET", "/loglevel", "").await, (200, "debug\n".to_owned()));
    assert_eq!(port.ask("PUT", "/loglevel", "loud").await, (400, "loud is no level\n".to_owned()));
    assert_eq!(port.ask("PUT", "/loglevel", &"x".repeat(5000)).await.0, 413);
    assert_eq!(port.ask("POST", "/loglevel", "").await.0, 405);
    assert_eq!(port.ask("DELETE", "/livez", "").await.0, 405);
    assert_eq!(port.ask("GET", "/nothing", "").await.0, 404);
}
