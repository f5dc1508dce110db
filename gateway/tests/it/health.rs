//! Probes.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn ready_when_every_service_answers() {
    for world in [World::start().await, World::over_tcp().await] {
        assert_eq!(world.get("/livez").await.status, 200);
        let ready = world.get("/readyz").await;
        assert_eq!(ready.status, 200, "{:?}", ready.body);
        assert_eq!(ready.json()["ready"], true);
        assert_eq!(ready.json()["services"]["holdfast.order.v1.OrderService"], "serving");
    }
}

#[tokio::test]
async fn not_ready_names_who_does_not_answer() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let wire = holdfast_platform::client::tcp(&format!("http://127.0.0.1:{port}")).expect("a URL");
    let world = World::over(gateway::Config::default(), Default::default(), wire).await;
    assert_eq!(world.get("/livez").await.status, 200);
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["ready"], json!(false));
    assert_eq!(ready.json()["services"]["holdfast.inventory.v1.InventoryService"], "unreachable");
}
