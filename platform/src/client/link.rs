//! Keeps one line of an endpoint connected: from its first call on, again at once when the connection is lost or the server says it
//! goes (GOAWAY), with growing pauses while it cannot be reached.
//!
//! hyper's client directly, where tonic's `Channel` would hide what we act on: whether it is connected, that it was lost,
//! and the request itself where it was never sent.

use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Notify;
use tokio::time::Instant;
use tower::BoxError;
use tracing::{debug, info, warn};

use super::body::RequestBody;
use super::connector::{Connector, Io};
use super::endpoint::{Endpoint, RECONNECT_PAUSE_MIN};
use super::lines::Link;

const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A silent connection is asked whether it lives.
const KEEP_ALIVE_PERIOD: Duration = Duration::from_secs(10);
const KEEP_ALIVE_PATIENCE: Duration = Duration::from_secs(3);
/// The largest head of an answer.
const HEAD_BYTES_MAX: u32 = 64 << 10;
const PAUSE_INITIAL: Duration = RECONNECT_PAUSE_MIN;
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Connections lost before this age count as failed attempts.
const AGE_MIN: Duration = Duration::from_secs(1);

type Connection = http2::Connection<Box<dyn Io>, RequestBody, TokioExecutor>;

/// Whom a change of an endpoint's connection concerns.
#[derive(Debug, Clone, Default)]
pub(super) struct Signals {
    /// Calls that wait for an endpoint.
    pub(super) changed: Arc<Notify>,
    /// Discovery: the set of endpoints may have changed.
    pub(super) stale: Arc<Notify>,
}

/// Runs until it is dropped.
pub(super) async fn keep(endpoint: Arc<Endpoint>, line: usize, connector: Connector, signals: Signals) {
    endpoint.wanted(line).await;
    let mut failures = 0;
    loop {
        endpoint.set_link(line, Link::Connecting);
        match connect(&connector, &endpoint).await {
            Ok((sender, connection)) => {
                let since = Instant::now();
                endpoint.set_link(line, Link::Ready(sender));
                signals.changed.notify_waiters();
                debug!(endpoint = %endpoint.address, "connected");
                let end = connection.await;
                info!(endpoint = %endpoint.address, ?end, "a connection ended");
                failures = if since.elapsed() < AGE_MIN { failures + 1 } else { 0 };
                signals.stale.notify_one();
                // Once, at once: a server that was just restarted is there again.
                if failures <= 1 {
                    continue;
                }
            }
            Err(error) => {
                failures += 1;
                signals.stale.notify_one();
                if failures == 1 {
                    warn!(endpoint = %endpoint.address, error, "cannot connect");
                }
            }
        }
        endpoint.set_link(line, Link::Failed { at: Instant::now() });
        signals.changed.notify_waiters();
        pause(failures, &endpoint, line).await;
    }
}

async fn connect(
    connector: &Connector,
    endpoint: &Endpoint,
) -> Result<(http2::SendRequest<RequestBody>, Connection), BoxError> {
    let io = connector.connect(endpoint.uri()).await?;
    let made = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX)
        .keep_alive_interval(KEEP_ALIVE_PERIOD)
        .keep_alive_timeout(KEEP_ALIVE_PATIENCE)
        .handshake(io)
        .await?;
    Ok(made)
}

/// Half of the pause is certain, half drawn; a waiting call ends it early.
async fn pause(failures: u32, endpoint: &Endpoint, line: usize) {
    let longest = PAUSE_INITIAL.saturating_mul(1 << failures.min(16)).min(PAUSE_MAX);
    let drawn = longest.mul_f64(0.5 + rand::random::<f64>() / 2.0);
    tokio::time::sleep(RECONNECT_PAUSE_MIN).await;
    let rest = drawn.saturating_sub(RECONNECT_PAUSE_MIN);
    // Timed out: nobody needed it sooner.
    let _ = tokio::time::timeout(rest, endpoint.wanted(line)).await;
}
