//! Peers that connect and say nothing.

use holdfast_contracts::Workload;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::mesh::{authority, channel, check, identity, serve, soon};

/// As many as there are places for handshakes, and some.
const SILENT: usize = 600;

#[tokio::test]
async fn silent_peers_keep_nobody_out() {
    let authority = authority();
    let address = serve(identity(&authority, Workload::InventorySvc).await.acceptor()).await;
    let mut silent = Vec::new();
    for number in 0..SILENT {
        let mut tcp = TcpStream::connect(address).await.expect("it listens");
        if number % 2 == 0 {
            // The beginning of a ClientHello that never ends.
            tcp.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.expect("sent");
        }
        silent.push(tcp);
    }
    let client = identity(&authority, Workload::Gateway).await;
    soon(check(&channel(&client, Workload::InventorySvc, address))).await.expect("they are in nobody's way");
    // And none of them stays for good.
    for mut tcp in silent {
        let mut rest = Vec::new();
        let _ = soon(tcp.read_to_end(&mut rest)).await;
    }
}
