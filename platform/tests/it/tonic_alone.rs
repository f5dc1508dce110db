//! Why the server is not the gRPC runtime's own: what that does by itself. A test here that fails is good news: a
//! workaround may go.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_platform::{client, task};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::toy::{Stubs, Toy, hang, in_time, now, patient_stubs, watch, within};

const SHORT: Duration = Duration::from_millis(50);
/// Long enough for what would happen at once.
const A_WHILE: Duration = Duration::from_millis(300);

async fn serve(toy: &Toy, shape: impl FnOnce(Server) -> Server) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, routes) = (CancellationToken::new(), toy.routes());
    let stopped = stop.clone().cancelled_owned();
    let mut server = shape(Server::builder());
    let serving = task::spawn_joined(async move {
        let served = server.add_routes(routes).serve_with_incoming_shutdown(TcpIncoming::from(listener), stopped).await;
        served.expect("it served");
    });
    (address, stop, serving)
}

fn stubs(address: SocketAddr) -> Stubs {
    Stubs::new(client::channel(&format!("http://{address}")).expect("an address"))
}

#[tokio::test]
async fn an_expired_deadline_is_called_cancelled() {
    let (address, ..) = serve(&Toy::new(), |server| server).await;
    let late =
        in_time(patient_stubs(address).await.get_stock(within(SHORT, hang()))).await.expect_err("the gate stays shut");
    assert_eq!(late.code(), Code::Cancelled);
}

#[tokio::test]
async fn a_stream_outlives_its_deadline() {
    let (address, ..) = serve(&Toy::new(), |server| server).await;
    let mut steps =
        patient_stubs(address).await.watch_stock(within(SHORT, watch())).await.expect("it opens").into_inner();
    assert!(steps.message().await.expect("a step").is_some());
    tokio::time::timeout(A_WHILE, steps.message()).await.expect_err("it goes on and on");
}

#[tokio::test]
async fn a_stop_waits_for_open_streams_for_ever() {
    let (address, stop, serving) = serve(&Toy::new(), |server| server).await;
    let _steps = stubs(address).watch_stock(watch()).await.expect("it opens");
    stop.cancel();
    tokio::time::timeout(A_WHILE, serving).await.expect_err("the stream has no end");
}

#[tokio::test]
async fn a_grace_for_old_connections_means_no_goaway() {
    let aged = |server: Server| server.max_connection_age(SHORT).max_connection_age_grace(A_WHILE);
    let toy = Toy::new();
    let (address, _stop, _serving) = serve(&toy, aged).await;
    let mut stubs = stubs(address);
    stubs.get_stock(now()).await.expect("an answer");
    let refused = in_time(stubs.get_stock(hang())).await.expect_err("cut in the middle, without a word before");
    assert_ne!(refused.code(), Code::Ok);
    assert_eq!(toy.begun(), 2, "the old connection took the call");
}
