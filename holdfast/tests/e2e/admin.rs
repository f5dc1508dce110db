//! The admin port of `holdfast up`: whether it serves, what it counts, what it logs.

use http::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::json;

use crate::ask::new_id;
use crate::binary::{FREE, Folder, Holdfast, up_in, with};
use crate::rest::Rest;

#[tokio::test]
async fn the_admin_port_of_up_tells_of_every_service_and_changes_the_log_level() {
    let folder = Folder::new();
    let holdfast = Holdfast::start(with(up_in(folder.path()), "--admin", FREE)).await;
    let admin = Rest::new(&*holdfast.admin);
    let text = async |path: &str| {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        String::from_utf8(answer.body.to_vec()).expect("text")
    };
    assert_eq!(text("/livez").await, "ok\n");
    assert_eq!(text("/readyz").await, "ok\n");

    holdfast.doors.stock_up(&[("S", 5)]).await;
    let held = "holdfast_inventory_reservations_total{outcome=\"held\"}";
    assert!(text("/metrics").await.contains(&format!("{held} 0\n")), "nobody has asked yet");
    let body = json!({"requestId": new_id(), "customerId": "c1", "lines": [{"sku": "S", "quantity": 2}]});
    holdfast.doors.rest.post("/v1/reservations", &body).await.ok();
    let page = text("/metrics").await;
    assert!(page.contains(&format!("{held} 1\n")), "{page}");
    // The call from the gateway to the service, which took no socket.
    let served = "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",\
                  rpc_method=\"holdfast.inventory.v1.InventoryService/Reserve\",rpc_response_status_code=\"OK\"} 1\n";
    assert!(page.contains(served), "{page}");
    assert!(page.ends_with("# EOF\n"));

    assert_eq!(text("/loglevel").await, "error\n");
    let set = admin.send(Method::PUT, "/loglevel", &[], "warn").await;
    assert_eq!((set.status, &*set.body), (StatusCode::OK, b"warn\n".as_slice()));
    assert_eq!(text("/loglevel").await, "warn\n");
    assert_eq!(admin.send(Method::PUT, "/loglevel", &[], "info=loud").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
}
