use std::time::Duration;

use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::client;
use crate::health::Health;
use crate::server;
use crate::task::spawn_joined;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::rpc::{RpcMethod, RpcStatus, RpcSystem};

fn served(path: &str, code: Code) -> u64 {
    Metrics::get().rpc_server_calls.of((RpcSystem::Grpc, RpcMethod::at(path), RpcStatus(code))).count()
}

fn asked(path: &str, code: Code) -> u64 {
    Metrics::get().rpc_client_calls.of((RpcSystem::Grpc, RpcMethod::at(path), RpcStatus(code))).count()
}

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// A server with nothing but health, and a client of it.
async fn health_client() -> HealthClient<client::Wire> {
    let health = Health::serving(&[]).await.expect("the contracts can be served");
    let routes = server::with_infrastructure(tonic::service::Routes::default(), &health).expect("routes");
    let listener = server::listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(spawn_joined(server::serve(listener, routes, std::future::pending())));
    HealthClient::new(client::tcp(&format!("http://{address}")).expect("a valid address"))
}

fn ask(service: &str) -> Request<HealthCheckRequest> {
    Request::new(HealthCheckRequest { service: service.to_owned() })
}

#[tokio::test]
async fn every_call_is_counted_once_on_each_side_under_how_it_ended() {
    let mut health = health_client().await;
    let before = [Code::Ok, Code::NotFound].map(|code| (served(CHECK, code), asked(CHECK, code)));
    health.check(ask("")).await.expect("an answer");
    assert_eq!(health.check(ask("nobody")).await.expect_err("nobody's health").code(), Code::NotFound);
    for (code, (served_before, asked_before)) in [Code::Ok, Code::NotFound].into_iter().zip(before) {
        assert_eq!(served(CHECK, code), served_before + 1, "{code:?}");
        assert_eq!(asked(CHECK, code), asked_before + 1, "{code:?}");
    }
    let page = crate::telemetry::render();
    let series = "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",\
                  rpc_method=\"grpc.health.v1.Health/Check\",rpc_response_status_code=\"OK\"}";
    assert!(page.contains(series), "{page}");
    assert!(page.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_stream_counts_when_it_ends_and_one_given_up_is_cancelled() {
    let mut health = health_client().await;
    let (before, active) = (asked(WATCH, Code::Cancelled), &Metrics::get().rpc_server_active);
    let mut watch = health.watch(ask("")).await.expect("a stream").into_inner();
    watch.message().await.expect("a first state");
    assert_eq!(asked(WATCH, Code::Cancelled), before, "it is still open");
    assert!(active.of((RpcSystem::Grpc,)).get() >= 1);
    drop(watch);
    assert_eq!(asked(WATCH, Code::Cancelled), before + 1);
    // The server hears of it over the socket.
    while served(WATCH, Code::Cancelled) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
