//! HTTP itself: versions, CORS, the end.

use bytes::Bytes;
use gateway::Config;
use http::{Method, Version};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::world::World;

#[tokio::test]
async fn http2_without_tls_is_spoken_on_the_same_port() {
    let mut world = World::start().await;
    world.client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let request = world.request(Method::GET, "/v1/stock/S").version(Version::HTTP_2);
    let answer = world.send(request.body(Full::default()).expect("a request")).await;
    assert_eq!(answer.status, 200);
    let large = world.post("/v1/reservations", vec![b' '; 2 << 20]).await;
    large.problem(413, "REQUEST_TOO_LARGE");
    assert_eq!(large.header("connection"), None);
}

#[tokio::test]
async fn pages_of_other_origins_call_only_when_let() {
    let config = Config { allow_origins: vec!["https://shop.example".into()], ..Config::default() };
    let world = World::with(config).await;
    let send = async |method: Method, origin: &str| {
        let request = world.request(method, "/v1/stock/S").header("origin", origin);
        world.send(request.body(Full::default()).expect("a request")).await
    };
    let preflight = send(Method::OPTIONS, "https://shop.example").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
    let read = send(Method::GET, "https://shop.example").await;
    assert_eq!(read.header("access-control-allow-origin"), Some("https://shop.example"));
    assert!(read.header("access-control-expose-headers").is_some_and(|headers| headers.contains("etag")));
    let stranger = send(Method::GET, "https://evil.example").await;
    assert_eq!(stranger.header("access-control-allow-origin"), None);
    assert_eq!(stranger.header("vary"), Some("origin"));

    let world = World::start().await;
    let request = world.request(Method::OPTIONS, "/v1/stock/S").header("origin", "https://shop.example");
    let off = world.send(request.body(Full::default()).expect("a request")).await;
    assert_eq!((off.status.as_u16(), off.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    assert_eq!(off.header("access-control-allow-origin"), None);
    assert_eq!(off.header("vary"), None);
}

#[tokio::test]
async fn stopping_ends_streams_and_then_the_server() {
    let world = World::start().await;
    let request = world.request(Method::GET, "/v1/stock:watch?sku=quiet").body(Full::default()).expect("a request");
    let stream = world.client.request(request).await.expect("an answer");
    world.stop().await;
    let body = http_body_util::BodyExt::collect(stream.into_body()).await.expect("ended, not broken").to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("event: reset") || body.starts_with(b"retry:"));
}
