//! What a client needs to know beyond its target.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::Workload;

use super::connector::Connector;
use super::discovery::{Resolve, SystemDns};
use super::service_config::ServiceConfig;

/// How often a name is resolved again by default.
const RESOLVE_PERIOD: Duration = Duration::from_secs(5);

/// See the module. The default is what the contracts say, over plaintext.
#[derive(Clone)]
pub struct ClientConfig {
    /// Whom it talks to, for its metrics; without it there are none of endpoints and repetitions.
    pub workload: Option<Workload>,
    /// Makes the connections: TLS where it is given, and the scheme is `https`; plaintext TCP without.
    pub connector: Option<Connector>,
    /// Answers `dns:///` names.
    pub resolver: Arc<dyn Resolve>,
    /// How often a name is resolved again.
    pub resolve_period: Duration,
    /// The policies, where they are not this build's contracts' own.
    pub service_config: Option<ServiceConfig>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        let resolver = Arc::new(SystemDns);
        Self { workload: None, connector: None, resolver, resolve_period: RESOLVE_PERIOD, service_config: None }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").field("is_tls", &self.connector.is_some()).finish_non_exhaustive()
    }
}
