//! Asks a process's admin port whether it is ready.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// How often a process that is not ready is asked again.
const PERIOD: Duration = Duration::from_millis(20);

/// Resolves once `/readyz` says yes.
pub(super) async fn ready(admin: SocketAddr) -> anyhow::Result<()> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let uri: http::Uri = format!("http://{admin}/readyz").parse()?;
    loop {
        // Refused while it does not listen yet.
        if client.get(uri.clone()).await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::time::sleep(PERIOD).await;
    }
}
