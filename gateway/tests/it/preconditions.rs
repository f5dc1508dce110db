//! Versions as entity tags.

use http::Method;
use http_body_util::Full;
use serde_json::json;

use crate::world::{Answer, World};

async fn adjust(world: &World, if_match: &str, body: &'static str) -> Answer {
    let request = world.request(Method::POST, "/v1/stock/S:adjust").header("if-match", if_match);
    world.send(request.body(Full::from(body)).expect("a request")).await
}

#[tokio::test]
async fn if_match_is_the_expected_version() {
    let world = World::start().await;
    for tag in ["\"17\"", "W/\"17\""] {
        let answer = adjust(&world, tag, r#"{"delta": 1}"#).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("etag"), Some("\"17\""));
        assert!(world.fake.last().0.contains("expected_version: Some(17)"));
    }
    let stale = adjust(&world, "\"16\"", r#"{"delta": 1}"#).await;
    let problem = stale.problem(412, "STOCK_VERSION_MISMATCH");
    assert_eq!(problem["metadata"], json!({"expected": "16", "version": "17"}));
    assert_eq!(adjust(&world, "\"17\"", r#"{"delta": 1, "expectedVersion": "17"}"#).await.status, 200);
}

#[tokio::test]
async fn what_if_match_cannot_mean_is_refused() {
    let world = World::start().await;
    for tag in ["*", "17", "\"1\", \"2\"", "\"abc\"", "\"\""] {
        let problem = adjust(&world, tag, r#"{"delta": 1}"#).await.problem(400, "INVALID_ARGUMENT");
        assert_eq!(problem["errors"][0]["header"], "If-Match", "{tag}");
    }
    let both = adjust(&world, "\"17\"", r#"{"delta": 1, "expectedVersion": 16}"#).await;
    assert_eq!(both.problem(400, "INVALID_ARGUMENT")["errors"][0]["pointer"], "/expectedVersion");
    let request = world.request(Method::PUT, "/v1/brands/b").header("if-match", "\"1\"");
    let unheard = world.send(request.body(Full::from("{}")).expect("a request")).await;
    unheard.problem(400, "INVALID_ARGUMENT");
    assert_eq!(world.fake.asked(), 0);
}

#[tokio::test]
async fn a_reader_that_is_current_gets_304() {
    let world = World::start().await;
    let read = async |tag: &str| {
        let request = world.request(Method::GET, "/v1/stock/S").header("if-none-match", tag);
        world.send(request.body(Full::default()).expect("a request")).await
    };
    for tag in ["\"17\"", "W/\"17\"", "\"1\", \"17\"", "*"] {
        let answer = read(tag).await;
        assert_eq!(answer.status, 304, "{tag}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), Some("\"17\""));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
    }
    assert_eq!(read("\"16\"").await.status, 200);
}
