//! What requests and answers look like.

use http::Method;
use serde_json::json;

use crate::world::World;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn reserve(quantity: i32) -> String {
    json!({"requestId": ID, "customerId": "c1", "lines": [{"sku": "S", "quantity": quantity}], "ttl": "600s"})
        .to_string()
}

#[tokio::test]
async fn reserve_answers_the_reservation() {
    for world in [World::start().await, World::over_tcp().await] {
        let answer = world.post("/v1/reservations", reserve(2)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(
            answer.json(),
            json!({
                "id": ID,
                "customerId": "c1",
                "state": "HELD",
                "lines": [{"sku": "S", "locationId": "main", "quantity": 2, "version": "17"}],
                "createTime": "2030-03-17T17:46:40Z",
                "expireTime": "2030-03-17T17:56:40Z",
                "restocked": false,
            })
        );
        assert!(world.fake.last().0.contains("ttl: Some(Duration { seconds: 600, nanos: 0 })"));
    }
}

#[tokio::test]
async fn too_few_units_are_a_conflict_with_its_numbers() {
    for world in [World::start().await, World::over_tcp().await] {
        let answer = world.post("/v1/reservations", reserve(6)).await;
        let problem = answer.problem(409, "INSUFFICIENT_STOCK");
        assert_eq!(problem["detail"], "cannot hold 6 of S: 5 available");
        assert_eq!(problem["metadata"], json!({"sku": "S", "requested": "6", "available": "5", "version": "16"}));
        assert_eq!(problem["title"], "Not enough units are available");
    }
}

#[tokio::test]
async fn stock_shows_zeros_and_its_version() {
    let world = World::start().await;
    let answer = world.get("/v1/stock/S").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), Some("\"17\""));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    let stock = answer.json();
    assert_eq!(stock["total"]["onHand"], "5");
    assert_eq!(stock["total"]["available"], "0");
    assert_eq!(stock["levels"][0]["version"], "17");
    assert_eq!(stock["levels"][0]["locationId"], "main");
}

#[tokio::test]
async fn orders_are_placed_or_declined() {
    let world = World::start().await;
    let order = |token: &str| {
        json!({
            "requestId": ID,
            "customerId": "c1",
            "lines": [{"sku": "S", "quantity": 1}],
            "payment": {"provider": "sandbox", "token": token},
        })
        .to_string()
    };
    let placed = world.post("/v1/orders", order("tok_ok")).await;
    assert_eq!(placed.status, 200);
    assert_eq!(placed.json()["state"], "PLACED");
    assert_eq!(placed.json()["payment"]["state"], "CAPTURED");
    world.post("/v1/orders", order("tok_declined")).await.problem(402, "PAYMENT_DECLINED");
}

#[tokio::test]
async fn both_spellings_of_a_field_are_read() {
    let world = World::start().await;
    let body =
        r#"{"request_id": "r", "customer_id": "c", "lines": [{"sku": "S", "quantity": "2", "location_id": "l"}]}"#;
    assert_eq!(world.post("/v1/reservations", body).await.status, 200);
    assert!(world.fake.last().0.contains("location_id: \"l\""));
}

#[tokio::test]
async fn a_body_may_be_one_field_of_the_request() {
    let world = World::start().await;
    let product = r#"{"title": "Hoodie", "attributes": {"fabric": ["cotton", 80]}, "variants": [{"sku": "H-M"}]}"#;
    let answer = world.body(Method::PUT, "/v1/products/hoodie", product).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let json = answer.json();
    assert_eq!(json["product"]["id"], "hoodie");
    assert_eq!(json["product"]["attributes"], json!({"fabric": ["cotton", 80.0]}));
    assert_eq!(json["outcome"], "CREATED");
    let empty = world.body(Method::PUT, "/v1/products/hoodie", "{}").await.problem(400, "INVALID_ARGUMENT");
    assert_eq!(empty["errors"], json!([{"pointer": "/variants", "detail": "must not be empty"}]));
}

#[tokio::test]
async fn a_verb_needs_no_body() {
    let world = World::start().await;
    assert_eq!(world.post("/v1/reservations/r1:confirm", "").await.json()["id"], "r1");
    assert_eq!(world.post("/v1/reservations/r1:confirm", "{}").await.json()["id"], "r1");
}

#[tokio::test]
async fn a_query_fills_lists_enums_and_numbers() {
    let world = World::start().await;
    assert_eq!(world.get("/v1/stock/S?consistency=CACHED").await.status, 200);
    assert!(world.fake.last().0.contains("Cached"), "{}", world.fake.last().0);
    assert_eq!(world.get("/v1/products?pageSize=7&page_token=a%2Bb+c").await.status, 200);
    assert!(world.fake.last().0.contains("page_size: 7, page_token: \"a+b c\""), "{}", world.fake.last().0);
}

#[tokio::test]
async fn head_answers_as_get_without_its_body() {
    let world = World::start().await;
    let whole = world.get("/v1/stock/S").await;
    let head = world.request(Method::HEAD, "/v1/stock/S").body(Default::default()).expect("a request");
    let head = world.send(head).await;
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("etag"), Some("\"17\""));
    assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()));
}

#[tokio::test]
async fn the_front_door_points_at_the_map() {
    let world = World::start().await;
    assert_eq!(world.get("/").await.json()["openapi"], "/openapi.json");
}
