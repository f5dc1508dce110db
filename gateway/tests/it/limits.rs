//! Nothing a client sends makes the gateway keep more than it said it would.

use std::time::Duration;

use gateway::Config;
use http::Method;
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::World;

const HUGE: usize = 100 << 20;

/// Writes as much as the peer takes while reading all it says.
async fn talk(world: &World, head: &str, body: impl Iterator<Item = Vec<u8>>) -> (String, usize) {
    let socket = TcpStream::connect(world.address).await.expect("connected");
    let (mut reader, mut writer) = socket.into_split();
    let mut written = 0;
    let write = async {
        writer.write_all(head.as_bytes()).await.expect("the head is taken");
        for chunk in body {
            match writer.write_all(&chunk).await {
                Ok(()) => written += chunk.len(),
                Err(_) => break,
            }
        }
    };
    let mut said = Vec::new();
    let read = async {
        // A reset after the answer still leaves the answer.
        let _ = reader.read_to_end(&mut said).await;
    };
    let both = async { tokio::join!(write, read) };
    tokio::time::timeout(Duration::from_secs(20), both).await.expect("the gateway comes to an end");
    (String::from_utf8_lossy(&said).into_owned(), written)
}

fn check_413(said: &str) {
    assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    assert!(said.contains("connection: close"), "{said}");
    assert!(said.contains("\"reason\":\"REQUEST_TOO_LARGE\""), "{said}");
}

#[tokio::test]
async fn a_huge_announced_body_is_refused_unread() {
    let world = World::start().await;
    let head = format!("POST /v1/reservations HTTP/1.1\r\nhost: x\r\ncontent-length: {HUGE}\r\n\r\n");
    let (said, _) = talk(&world, &head, (0..HUGE / 65536).map(|_| vec![b' '; 65536])).await;
    check_413(&said);
    assert_eq!(world.fake.asked(), 0);
}

#[tokio::test]
async fn a_huge_chunked_body_is_refused_when_it_passes_the_limit() {
    let world = World::start().await;
    let head = "POST /v1/reservations HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 65536], b"\r\n"].concat();
    let (said, _) = talk(&world, head, (0..HUGE / 65536).map(|_| chunk.clone())).await;
    check_413(&said);
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let world = World::with(Config { body_bytes_max: 1000, ..Config::default() }).await;
    let body = |bytes: usize| format!("{{\"skus\": []{}}}", " ".repeat(bytes - 12));
    assert_eq!(body(1000).len(), 1000);
    assert_eq!(world.post("/v1/stock:batchGet", body(1000)).await.status, 200);
    let problem = world.post("/v1/stock:batchGet", body(1001)).await.problem(413, "REQUEST_TOO_LARGE");
    assert_eq!(problem["metadata"]["limit"], "1000");
}

#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let world = World::start().await;
    let cookie = |bytes: usize| world.request(Method::GET, "/v1/stock/S").header("cookie", "c".repeat(bytes));
    world.send(cookie(20_000).body(Full::default()).expect("a request")).await.problem(431, "REQUEST_TOO_LARGE");
    assert_eq!(world.send(cookie(15_000).body(Full::default()).expect("a request")).await.status, 200);
    let long = world.get(&format!("/v1/stock/{}", "s".repeat(20_000))).await;
    long.problem(431, "REQUEST_TOO_LARGE");
}

#[tokio::test]
async fn headers_must_arrive_in_time() {
    let world = World::with(Config { header_timeout: Duration::from_millis(200), ..Config::default() }).await;
    for start in ["", "G", "GET /v1/stock/S HTTP/1.1\r\nhost:"] {
        let mut socket = TcpStream::connect(world.address).await.expect("connected");
        socket.write_all(start.as_bytes()).await.expect("written");
        let mut said = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "{start:?} was waited for");
    }
}

#[tokio::test]
async fn bodies_must_arrive_in_time() {
    let world = World::start().await;
    let head = "POST /v1/reservations HTTP/1.1\r\nhost: x\r\nrequest-timeout: 0.1\r\ncontent-length: 10\r\n\r\n{";
    let (said, _) = talk(&world, head, std::iter::empty()).await;
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("DEADLINE_EXCEEDED"), "{said}");
}

#[tokio::test]
async fn requests_beyond_the_bound_are_shed() {
    let world = World::with(Config { requests_max: 1, ..Config::default() }).await;
    let slow = world.request(Method::GET, "/v1/stock/slow").header("request-timeout", "5");
    let slow = world.send(slow.body(Full::default()).expect("a request"));
    let other = async {
        while world.fake.asked() == 0 {
            tokio::task::yield_now().await;
        }
        world.get("/v1/stock/S").await
    };
    tokio::select! {
        _ = slow => panic!("the slow one never answers first"),
        shed = other => {
            shed.problem(429, "OVERLOADED");
            assert_eq!(shed.header("retry-after"), Some("1"));
        }
    }
}

#[tokio::test]
async fn connections_beyond_the_bound_wait() {
    let world = World::with(Config { connections_max: 1, ..Config::default() }).await;
    let ask = async || {
        let mut socket = TcpStream::connect(world.address).await.expect("taken or in the backlog");
        socket.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
        socket
    };
    let mut first = ask().await;
    first.read_u8().await.expect("an answer");
    let mut second = ask().await;
    let waiting = tokio::time::timeout(Duration::from_millis(200), second.read_u8()).await;
    assert!(waiting.is_err(), "the second was served beside the first");
    drop(first);
    assert_eq!(second.read_u8().await.expect("an answer"), b'H');
}
