//! Nothing malformed, unknown or contradictory reaches a service, and each refusal says what and where.

use http::Method;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::world::World;

/// Posts a reservation that must be refused by the gateway itself.
async fn check(body: impl Into<bytes::Bytes>, reason: &str, errors: Value) {
    let world = World::start().await;
    let problem = world.post("/v1/reservations", body).await.problem(400, reason);
    if !errors.is_null() {
        assert_eq!(problem["errors"], errors, "{problem}");
    }
    assert_eq!(world.fake.asked(), 0);
}

#[tokio::test]
async fn unknown_fields_are_pointed_at() {
    check(
        r#"{"lines": [{"sku": "S", "quantity": 1}, {"sku": "S", "colour/size": 1}]}"#,
        "UNKNOWN_FIELD",
        json!([{"pointer": "/lines/1/colour~1size", "detail": "is not a field of Line"}]),
    )
    .await;
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    check(
        r#"{"customerId": 7, "lines": [{"quantity": "two"}, 3], "ttl": "10 minutes"}"#,
        "INVALID_ARGUMENT",
        json!([
            {"pointer": "/customerId", "detail": "must be a string, not a number"},
            {"pointer": "/lines/0/quantity", "detail": "must be an integer"},
            {"pointer": "/lines/1", "detail": "must be an object, not a number"},
            {"pointer": "/ttl", "detail": "must be a duration in seconds such as \"600s\""},
        ]),
    )
    .await;
}

#[tokio::test]
async fn broken_json_says_where() {
    let world = World::start().await;
    let problem = world.post("/v1/reservations", "{\"requestId\": \"r\",\n \"lines\" [}").await;
    let problem = problem.problem(400, "MALFORMED_BODY");
    assert_eq!(problem["metadata"], json!({"line": "2", "column": "10"}), "{problem}");
    for body in ["{", "nonsense", "{} {}", "{\"ttl\": NaN}"] {
        check(body, "MALFORMED_BODY", Value::Null).await;
    }
    check(&b"{\"customerId\": \"\xff\"}"[..], "MALFORMED_BODY", Value::Null).await;
}

#[tokio::test]
async fn a_member_twice_is_refused() {
    check(r#"{"customerId": "a", "customerId": "b"}"#, "MALFORMED_BODY", Value::Null).await;
    check(
        r#"{"customerId": "a", "customer_id": "b"}"#,
        "INVALID_ARGUMENT",
        json!([{"pointer": "/customer_id", "detail": "is the same field as customerId"}]),
    )
    .await;
}

#[tokio::test]
async fn numbers_that_do_not_fit_are_refused() {
    for quantity in ["2147483648", "-2147483649", "1.5", "1e40", "\"99999999999\"", "true", "[]", "{}"] {
        let body = format!(r#"{{"lines": [{{"sku": "S", "quantity": {quantity}}}]}}"#);
        check(body, "INVALID_ARGUMENT", Value::Null).await;
    }
}

#[tokio::test]
async fn a_body_must_be_an_object() {
    for body in ["[]", "1", "\"x\"", "null"] {
        check(body, "INVALID_ARGUMENT", Value::Null).await;
    }
}

#[tokio::test]
async fn deep_nesting_is_bounded() {
    let deep = format!(r#"{{"title": "x", "attributes": {{"a": {}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let world = World::start().await;
    world.body(Method::PUT, "/v1/products/p", deep).await.problem(400, "MALFORMED_BODY");
    // What passes here is read by every Protobuf reader behind.
    let nested = format!("{}1{}", "{\"a\":".repeat(29), "}".repeat(29));
    let body = format!(r#"{{"variants": [{{"sku": "a"}}], "attributes": {nested}}}"#);
    assert_eq!(world.body(Method::PUT, "/v1/products/p", body).await.status, 200);
}

#[tokio::test]
async fn only_one_of_a_choice_is_taken() {
    let world = World::start().await;
    let problem = world.post("/v1/stock/S:adjust", r#"{"delta": 1, "set": 2}"#).await.problem(400, "INVALID_ARGUMENT");
    assert_eq!(
        problem["errors"],
        json!([{"pointer": "/set", "detail": "excludes delta: only one of them may be given"}])
    );
}

#[tokio::test]
async fn path_and_body_must_agree() {
    let world = World::start().await;
    let problem = world.post("/v1/stock/S:adjust", r#"{"sku": "T", "delta": 1}"#).await;
    let problem = problem.problem(400, "INVALID_ARGUMENT");
    assert_eq!(problem["errors"], json!([{"pointer": "/sku", "detail": "differs from the path, which says \"S\""}]));
    assert_eq!(world.post("/v1/stock/S:adjust", r#"{"sku": "S", "delta": 1}"#).await.status, 200);
    let product = r#"{"id": "other", "variants": [{"sku": "a"}]}"#;
    world.body(Method::PUT, "/v1/products/p", product).await.problem(400, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn query_parameters_are_as_strict_as_bodies() {
    let world = World::start().await;
    let check = async |path: &str, reason: &str, parameter: &str, detail: &str| {
        let problem = world.get(path).await.problem(400, reason);
        assert_eq!(problem["errors"], json!([{"parameter": parameter, "detail": detail}]), "{path}");
    };
    check("/v1/products?color=red", "UNKNOWN_FIELD", "color", "is not known").await;
    check("/v1/stock/S?sku=T", "UNKNOWN_FIELD", "sku", "is given by the path").await;
    check("/v1/products?pageSize=ten", "INVALID_ARGUMENT", "pageSize", "must be an integer").await;
    check("/v1/products?pageSize=1&page_size=2", "INVALID_ARGUMENT", "page_size", "is given twice").await;
    check("/v1/stock/S?consistency=SOON", "INVALID_ARGUMENT", "consistency", "must be one of STRONG, CACHED").await;
    check("/v1/products?pageToken=%ff", "INVALID_ARGUMENT", "pageToken", "is not percent-encoded UTF-8").await;
    let problem = world.post("/v1/reservations?customerId=c", "{}").await.problem(400, "UNKNOWN_FIELD");
    assert_eq!(problem["errors"], json!([{"parameter": "customerId", "detail": "belongs in the body"}]));
    assert_eq!(world.fake.asked(), 0);
}

#[tokio::test]
async fn a_service_s_complaint_points_into_the_body() {
    let world = World::start().await;
    let body = r#"{"lines": [{"sku": "S", "quantity": 1}, {"sku": "T", "quantity": 0}]}"#;
    let problem = world.post("/v1/reservations", body).await.problem(400, "INVALID_ARGUMENT");
    assert_eq!(problem["errors"], json!([{"pointer": "/lines/1/quantity", "detail": "must be 1 to 1000000, not 0"}]));
    let problem = world.get("/v1/reservations/nonsense").await.problem(400, "INVALID_ARGUMENT");
    assert_eq!(problem["errors"], json!([{"parameter": "id", "detail": "must be a UUID, not \"nonsense\""}]));
}

#[tokio::test]
async fn only_json_is_taken() {
    let world = World::start().await;
    let send = async |content_type: Option<&str>| {
        let mut request = world.request(Method::POST, "/v1/stock:batchGet");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        world.send(request.body(Full::from(r#"{"skus": ["S"]}"#)).expect("a request")).await
    };
    send(Some("text/plain")).await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    send(Some("application/x-www-form-urlencoded")).await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    for good in [None, Some("application/json"), Some("Application/JSON; charset=utf-8")] {
        assert_eq!(send(good).await.status, 200, "{good:?}");
    }
}

#[tokio::test]
async fn reads_take_no_body() {
    let world = World::start().await;
    world.body(Method::GET, "/v1/stock/S", r#"{"sku": "T"}"#).await.problem(400, "INVALID_ARGUMENT");
    assert_eq!(world.fake.asked(), 0);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let world = World::start().await;
    for path in ["/v1/nothing", "/v1/stock/", "/v1/stock", "/v2/stock/S", "/v1/stock/S/", "//"] {
        world.get(path).await.problem(404, "ROUTE_NOT_FOUND");
    }
    let wrong = world.body(Method::DELETE, "/v1/stock/S", "").await;
    wrong.problem(405, "METHOD_NOT_ALLOWED");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, OPTIONS"));
    let wrong = world.get("/v1/stock:batchGet").await;
    wrong.problem(405, "METHOD_NOT_ALLOWED");
    assert_eq!(wrong.header("allow"), Some("POST, OPTIONS"));
    let wrong = world.body(Method::TRACE, "/v1/stock/S", "").await;
    wrong.problem(405, "METHOD_NOT_ALLOWED");
    world.get("/v1/stock/%zz").await.problem(400, "INVALID_ARGUMENT");
}
