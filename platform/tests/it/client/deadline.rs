use std::sync::Arc;
use std::time::{Duration, Instant};

use holdfast_contracts::inventory::v1::GetStockRequest;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::call::Call;
use holdfast_platform::client::Wire;
use holdfast_platform::deadline::{Deadline, parse_timeout};
use holdfast_platform::peer::Peer;
use holdfast_platform::trace_context::TraceContext;
use http::request::Parts;
use tokio::sync::mpsc;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};

use super::replica::{Replica, good, over, read, refused};

fn told(head: &Parts) -> Duration {
    head.headers.get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?)).expect("a deadline")
}

fn call(head: &Parts) -> Arc<Call> {
    Arc::new(Call {
        deadline: Deadline::after(told(head)),
        request_id: head.headers.get("x-request-id").cloned(),
        trace: head.headers.get("traceparent").and_then(|value| TraceContext::parse(value.as_bytes())),
        peer: Peer::Anonymous,
    })
}

async fn read_within(wire: &Wire, timeout: Duration) -> Result<(), Status> {
    let mut request = Request::new(GetStockRequest::default());
    request.set_timeout(timeout);
    request.metadata_mut().insert("x-request-id", MetadataValue::from_static("order-7"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", MetadataValue::from_static(trace));
    InventoryServiceClient::new(wire.clone()).get_stock(request).await.map(drop)
}

#[tokio::test]
async fn time_request_id_and_trace_pass_two_hops() {
    let (tell, mut heads) = mpsc::channel(1);
    let last = Replica::start(move |_, head| {
        tell.try_send(head).unwrap();
        async { good() }
    })
    .await;
    let address = last.address;
    let middle = Replica::start(move |_, head| async move {
        // A wire lives where it is made: on this server's runtime.
        let wire = holdfast_platform::client::tcp(&format!("http://{address}")).unwrap();
        call(&head).scope(async { read(&wire).await }).await.map_or_else(refused, |()| good())
    })
    .await;
    read_within(&over([&middle]), Duration::from_millis(1900)).await.expect("an answer");
    let head = heads.recv().await.expect("a call");
    assert!(told(&head) < Duration::from_millis(1900), "less than the first caller gave: {:?}", told(&head));
    assert_eq!(head.headers["x-request-id"], "order-7");
    assert!(head.headers["traceparent"].to_str().unwrap().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
}

#[tokio::test]
async fn a_call_whose_time_is_up_is_not_sent() {
    let replica = Replica::good().await;
    let wire = over([&replica]);
    let late = Call { deadline: Deadline::after(Duration::ZERO), request_id: None, trace: None, peer: Peer::Anonymous };
    let answer = Arc::new(late).scope(async { read(&wire).await }).await;
    assert_eq!(answer.expect_err("too late").code(), Code::DeadlineExceeded);
    assert_eq!(replica.calls(), 0);
}

#[tokio::test]
async fn a_server_that_hangs_before_or_after_its_head_is_given_up_in_time() {
    let before = Replica::start(|_, _| std::future::pending()).await;
    let after = Replica::start(|_, _| async {
        let never = futures_util::stream::pending::<Result<http_body::Frame<bytes::Bytes>, Status>>();
        let body = tonic::body::Body::new(http_body_util::StreamBody::new(never));
        http::Response::builder().header("content-type", "application/grpc").body(body).unwrap()
    })
    .await;
    for replica in [before, after] {
        let started = Instant::now();
        let answer = read_within(&over([&replica]), Duration::from_millis(300)).await;
        assert_eq!(answer.expect_err("too late").code(), Code::DeadlineExceeded);
        assert!(started.elapsed() < Duration::from_secs(2), "the method's own default was waited for");
    }
}

#[tokio::test]
async fn every_attempt_is_told_what_is_left_then() {
    let (tell, mut times) = mpsc::channel(4);
    let replica = Replica::start(move |n, head| {
        tell.try_send(told(&head)).unwrap();
        async move {
            if n == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                return refused(Status::unavailable("not now"));
            }
            good()
        }
    })
    .await;
    read_within(&over([&replica]), Duration::from_secs(2)).await.expect("the second attempt");
    let (first, second) = (times.recv().await.unwrap(), times.recv().await.unwrap());
    assert!(first - second >= Duration::from_millis(50), "{first:?} then {second:?}");
}
