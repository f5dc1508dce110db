//! Deadlines, ids and traces go on to the services, and failures come back as what they are.

use http::Method;
use http_body_util::Full;

use crate::world::{Answer, World};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(world.request(Method::GET, path), |request, (name, value)| request.header(*name, *value));
    world.send(request.body(Full::default()).expect("a request")).await
}

fn timeout_ms(world: &World) -> u128 {
    let (_, metadata) = world.fake.last();
    let text = metadata.get("grpc-timeout").expect("a deadline").to_str().expect("text");
    holdfast_platform::deadline::parse_timeout(text).expect("valid").as_millis()
}

#[tokio::test]
async fn timeouts_become_deadlines() {
    let world = World::start().await;
    for (timeout, at_most_ms) in [("2", 2000), ("0.5", 500), ("1500m", 1500), ("99999S", 10_000)] {
        assert_eq!(get(&world, "/v1/stock/S", &[("request-timeout", timeout)]).await.status, 200);
        let passed_on = timeout_ms(&world);
        assert!(passed_on <= at_most_ms && passed_on > at_most_ms / 2, "{timeout}: {passed_on}");
    }
    world.get("/v1/stock/S").await;
    let own = timeout_ms(&world);
    assert!(own <= 2000 && own > 1000, "GetStock has 2 s of its own, not {own} ms");
    for bad in ["0", "-1", "soon", ""] {
        let problem = get(&world, "/v1/stock/S", &[("request-timeout", bad)]).await.problem(400, "INVALID_ARGUMENT");
        assert_eq!(problem["errors"][0]["header"], "Request-Timeout");
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up() {
    for world in [World::start().await, World::over_tcp().await] {
        let answer = get(&world, "/v1/stock/slow", &[("request-timeout", "100m")]).await;
        answer.problem(504, "DEADLINE_EXCEEDED");
    }
}

#[tokio::test]
async fn ids_and_traces_are_passed_on_and_echoed() {
    let world = World::start().await;
    let answer = get(&world, "/v1/stock/S", &[("x-request-id", "shop-7"), ("traceparent", TRACE)]).await;
    assert_eq!(answer.header("x-request-id"), Some("shop-7"));
    assert_eq!(answer.header("traceparent"), Some(TRACE));
    let (_, metadata) = world.fake.last();
    assert_eq!(metadata.get("x-request-id").expect("passed on"), "shop-7");
    assert_eq!(metadata.get("traceparent").expect("passed on"), TRACE);

    let answer = get(&world, "/v1/stock/S", &[("x-request-id", "a b\"c"), ("traceparent", "nonsense")]).await;
    let made = answer.header("x-request-id").expect("made");
    assert_eq!(uuid::Uuid::parse_str(made).expect("a UUID").get_version_num(), 7);
    assert_eq!(answer.header("traceparent"), None);
    let (_, metadata) = world.fake.last();
    assert_eq!(metadata.get("x-request-id").expect("passed on"), made);
}

#[tokio::test]
async fn failures_are_told_without_their_cause() {
    for world in [World::start().await, World::over_tcp().await] {
        for (sku, status, reason) in [("bare", 500, "INTERNAL"), ("unavailable", 503, "UNAVAILABLE")] {
            let answer = world.get(&format!("/v1/stock/{sku}")).await;
            answer.problem(status, reason);
            assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
        }
        let missing = world.get("/v1/stock/missing").await.problem(404, "SKU_NOT_FOUND");
        assert_eq!(missing["metadata"]["sku"], "missing");
        let overloaded = world.get("/v1/stock/overloaded").await;
        overloaded.problem(429, "OVERLOADED");
        assert_eq!(overloaded.header("retry-after"), Some("2"));
    }
}

#[tokio::test]
async fn a_panic_in_a_service_is_an_internal_error_and_nothing_more() {
    let world = World::over_tcp().await;
    world.get("/v1/stock/panic").await.problem(500, "INTERNAL");
    // In process, the panic unwinds into the gateway itself.
    let world = World::start().await;
    world.get("/v1/stock/panic").await.problem(500, "INTERNAL");
    assert_eq!(world.get("/v1/stock/S").await.status, 200);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    // A port that was free a moment ago, with nobody on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let wire = holdfast_platform::client::tcp(&format!("http://127.0.0.1:{port}")).expect("a URL");
    let world = World::over(gateway::Config::default(), Default::default(), wire).await;
    let answer = world.get("/v1/stock/S").await;
    answer.problem(503, "UNAVAILABLE");
    assert!(!String::from_utf8_lossy(&answer.body).contains("127.0.0.1"));
}
