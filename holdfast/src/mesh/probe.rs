//! Asks a process's admin port.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
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

/// The sum of the series that begin like this, as `/metrics` tells them.
pub(super) async fn metric(admin: SocketAddr, series: &str) -> anyhow::Result<f64> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let answer = client.get(format!("http://{admin}/metrics").parse()?).await?;
    let page = answer.into_body().collect().await?.to_bytes();
    let page = std::str::from_utf8(&page)?;
    // `name{labels} value`, then perhaps an exemplar after `#`.
    let lines = page.lines().filter(|line| line.starts_with(series));
    let values = lines.filter_map(|line| line.split(" # ").next()?.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(values.sum())
}
