//! Every workload calls every method, over mutual TLS.

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::{MethodTable, Workload};
use holdfast_platform::status::{metadata_of, reason_of};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service as _, ServiceExt as _};

use super::mesh::{authority, channel, identity, serve, soon};

/// Calls a method with an empty message and gives its status; one that nobody implements is UNIMPLEMENTED.
async fn call(channel: &Channel, path: &str) -> Status {
    let request = http::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::empty())
        .expect("a request");
    let mut channel = channel.clone();
    let response = soon(channel.ready().await.expect("a connection").call(request)).await.expect("an answer");
    Status::from_header_map(response.headers()).unwrap_or_else(|| Status::ok(""))
}

fn is_refused(status: &Status, workload: Workload, path: &str) -> bool {
    if status.code() != Code::PermissionDenied {
        return false;
    }
    assert_eq!(reason_of(status), Some(Reason::CallerNotAllowed));
    assert_eq!(metadata_of(status, "peer"), Some(format!("spiffe://holdfast/{workload}")));
    assert_eq!(metadata_of(status, "method").as_deref(), Some(path));
    true
}

#[tokio::test]
async fn each_workload_may_call_exactly_what_the_contracts_say() {
    let authority = authority();
    let address = serve(identity(&authority, Workload::InventorySvc).await.acceptor()).await;
    let table = MethodTable::load().expect("this build's contracts");
    for workload in Workload::ALL {
        let channel = channel(&identity(&authority, workload).await, Workload::InventorySvc, address);
        let check = async |path: &str, allowed: bool| {
            let status = call(&channel, path).await;
            assert_eq!(is_refused(&status, workload, path), !allowed, "{workload} calls {path}: {status:?}");
        };
        for method in table.methods() {
            check(&method.path, method.policy.callers.iter().any(|caller| caller == workload.as_str())).await;
        }
        check("/grpc.health.v1.Health/Check", true).await;
        let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        check(reflection, workload == Workload::Operator).await;
        for unknown in [
            "/",
            "/holdfast.inventory.v1.InventoryService/Burn",
            "/holdfast.inventory.v1.InventoryService/reserve",
            "/holdfast.inventory.v1.InventoryService/Reserve/",
            "//holdfast.inventory.v1.InventoryService/Reserve",
            "/holdfast.inventory.v1.InventoryService/%52eserve",
            "/grpc.health.v1.Healthy/Check",
        ] {
            check(unknown, false).await;
        }
    }
}
