//! What HTTP/2 itself says about a call, frame by frame: whether a server began to work on it.

use std::net::SocketAddr;

use holdfast_platform::client::{self, Wire};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tonic::Code;

use super::replica::{Replica, write, writes_once};

const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
const HEADERS: u8 = 1;
const SETTINGS: [u8; HEADER_BYTES] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// RST_STREAM with a code.
fn reset(stream: [u8; 4], code: u8) -> Vec<u8> {
    [&[0, 0, 4, 3, 0][..], &stream, &[0, 0, 0, code]].concat()
}

/// GOAWAY: no stream was taken up.
fn go_away(_: [u8; 4]) -> Vec<u8> {
    vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// Answers the head of every request with these bytes.
async fn answer(mut connection: TcpStream, with: fn([u8; 4]) -> Vec<u8>) -> std::io::Result<()> {
    connection.read_exact(&mut [0; PREFACE_BYTES]).await?;
    connection.write_all(&SETTINGS).await?;
    loop {
        let mut header = [0; HEADER_BYTES];
        connection.read_exact(&mut header).await?;
        let [a, b, c, kind, _flags, stream @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        connection.read_exact(&mut payload).await?;
        if kind == HEADERS {
            connection.write_all(&with(stream)).await?;
        }
    }
}

async fn serve(with: fn([u8; 4]) -> Vec<u8>) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.spawn(async move { answer(connection, with).await });
        }
    });
    (address, tasks)
}

/// Calls of a method that may not be repeated, over this server and a good one: how many were lost, and how.
async fn lost(with: fn([u8; 4]) -> Vec<u8>) -> Vec<Code> {
    let ((address, _tasks), good) = (serve(with).await, Replica::good().await);
    let target = format!("static:///{address},{}", good.address);
    let wire: Wire = client::connect(&target, &writes_once()).expect("addresses");
    let mut lost = Vec::new();
    for _ in 0..50 {
        lost.extend(write(&wire).await.err().map(|status| status.code()));
    }
    lost
}

#[tokio::test]
async fn a_stream_that_was_refused_unseen_is_sent_elsewhere_whatever_the_method() {
    assert_eq!(lost(|stream| reset(stream, 7)).await, [], "REFUSED_STREAM");
    assert_eq!(lost(go_away).await, [], "above GOAWAY's last stream");
}

#[tokio::test]
async fn a_stream_that_may_have_been_seen_is_not() {
    let cancelled = lost(|stream| reset(stream, 8)).await;
    assert!(!cancelled.is_empty() && cancelled.iter().all(|code| *code == Code::Cancelled), "{cancelled:?}");
    let broken = lost(|stream| reset(stream, 2)).await;
    assert!(!broken.is_empty() && broken.iter().all(|code| *code == Code::Internal), "{broken:?}");
}
