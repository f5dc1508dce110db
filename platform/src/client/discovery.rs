//! Finds the endpoints of a name, again and again: with a period, and when a connection was lost or no endpoint serves.
//! While the name cannot be resolved, the last set stays.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::uri::Authority;
use tokio::sync::Notify;
use tracing::{debug, info, warn};

use super::pool::Pool;

/// How soon a name is resolved again when something changed.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// How long a resolver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers which addresses a name has now.
pub trait Resolve: Send + Sync + 'static {
    /// # Errors
    /// Where the name has none, or nobody answers.
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The system's resolver: its A and AAAA records.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDns;

impl Resolve for SystemDns {
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// What is looked up, how often, and for whom.
pub(super) struct Discovery {
    pub(super) host: String,
    pub(super) port: u16,
    /// What every endpoint is called.
    pub(super) authority: Authority,
    pub(super) period: Duration,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) pool: Arc<Pool>,
    pub(super) stale: Arc<Notify>,
}

impl Discovery {
    /// Runs until it is dropped.
    pub(super) async fn run(self) {
        let mut known = Vec::new();
        loop {
            match self.resolve().await {
                Ok(found) => {
                    if found != known {
                        info!(name = %self.authority, endpoints = found.len(), "endpoints changed");
                        self.pool.set(&found, |_| self.authority.clone());
                        known = found;
                    }
                }
                Err(error) => {
                    warn!(name = %self.authority, %error, kept = known.len(), "a name cannot be resolved");
                    self.pool.give_up_waiting();
                }
            }
            tokio::time::sleep(PAUSE_MIN).await;
            // Spread, so that many clients do not ask at once.
            let rest = self.period.saturating_sub(PAUSE_MIN).mul_f64(0.75 + rand::random::<f64>() / 4.0);
            if tokio::time::timeout(rest, self.stale.notified()).await.is_ok() {
                debug!(name = %self.authority, "resolved anew: an endpoint was lost");
            }
        }
    }

    /// In one order, whatever order they came in.
    async fn resolve(&self) -> io::Result<Vec<Authority>> {
        let answer = tokio::time::timeout(PATIENCE, self.resolver.resolve(&self.host, self.port)).await;
        let mut addresses = answer.map_err(|_late| io::ErrorKind::TimedOut)??;
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(io::Error::other("the name has no address"));
        }
        let authority =
            |address: &SocketAddr| Authority::try_from(address.to_string()).expect("an address is an authority");
        Ok(addresses.iter().map(authority).collect())
    }
}
