//! The client's stack: what is decided about a call, from the outside in.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::uri::Authority;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tonic::body::Body;

use super::answer::{Answer, Failure};
use super::balance::Balance;
use super::budget::Budget;
use super::config::ClientConfig;
use super::connector::Connector;
use super::context;
use super::deadline::{self, Patience, Timed};
use super::discovery::{Discovery, EndpointFile};
use super::hedge::Hedge;
use super::link::Signals;
use super::outgoing::Outgoing;
use super::policy::Policies;
use super::pool::Pool;
use super::retry::Retry;
use super::service_config::ServiceConfig;
use super::step::Step;
use super::tally::Tally;
use super::target::Target;
use crate::call::Call;
use crate::task::spawn_joined;

/// What this build's contracts say.
static CONTRACTS: LazyLock<ServiceConfig> =
    LazyLock::new(|| ServiceConfig::of_contracts().expect("a test holds that this build's contracts can be served"));
static CONTRACTS_POLICIES: LazyLock<Arc<Policies>> = LazyLock::new(|| Arc::new(Policies::new(&CONTRACTS)));

/// A whole client over the steps that send.
#[derive(Debug)]
pub(super) struct Stack<S> {
    policies: Arc<Policies>,
    steps: S,
    /// Ends with the client.
    _discovery: Option<AbortOnDropHandle<()>>,
}

/// The steps between services: what is sent again, what is sent twice, and where to.
pub(super) type Remote = Retry<Hedge<Balance>>;

impl Stack<Remote> {
    pub(super) fn remote(target: Target, config: &ClientConfig) -> Self {
        let (policies, throttling) = match &config.service_config {
            Some(own) => (Arc::new(Policies::new(own)), own.retry_throttling),
            None => (Arc::clone(&CONTRACTS_POLICIES), CONTRACTS.retry_throttling),
        };
        let tally = Tally::of(config.workload);
        let (pool, discovery) = pool(target, config, tally);
        let budget = Arc::new(Budget::new(throttling, tally));
        let balance = Balance::over(Arc::clone(&pool));
        let hedge = Hedge::over(balance, pool, Arc::clone(&budget));
        let steps = Retry::over(hedge, budget, tally);
        Self { policies, steps, _discovery: discovery }
    }
}

impl<S: Step> Stack<S> {
    /// The same decisions for a service in this process: nothing to balance, nothing to repeat.
    pub(super) fn local(steps: S) -> Self {
        Self { policies: Arc::clone(&CONTRACTS_POLICIES), steps, _discovery: None }
    }

    /// Answers every call, by a status where nobody else did.
    pub(super) async fn call(&self, request: http::Request<Body>, for_call: Option<Arc<Call>>) -> http::Response<Body> {
        self.try_call(request, for_call).await.unwrap_or_else(Status::into_http)
    }

    async fn try_call(
        &self,
        mut request: http::Request<Body>,
        for_call: Option<Arc<Call>>,
    ) -> Result<http::Response<Body>, Status> {
        let policy = Arc::clone(self.policies.of(request.uri().path()));
        let now = Instant::now();
        let patience = Patience::new(request.headers(), &policy, for_call.as_deref(), now);
        if patience.has_passed(now) {
            return Err(deadline::exceeded());
        }
        context::pass_on(request.headers_mut(), for_call.as_deref());
        let sent = async {
            let call = Outgoing::read(request, policy, patience).await?;
            self.steps.send(&call).await.map_err(|Failure { status, .. }| status)
        };
        let Answer { response, .. } = deadline::within(patience, sent).await??;
        Ok(response.map(|body| Body::new(Timed::new(body, patience))))
    }
}

/// How often an endpoint file is read: it costs next to nothing.
const FILE_PERIOD: Duration = Duration::from_millis(500);

fn discovered(discovery: Discovery, pool: Arc<Pool>) -> (Arc<Pool>, Option<AbortOnDropHandle<()>>) {
    (pool, Some(AbortOnDropHandle::new(spawn_joined(discovery.run()))))
}

fn pool(target: Target, config: &ClientConfig, tally: Tally) -> (Arc<Pool>, Option<AbortOnDropHandle<()>>) {
    let connector = config.connector.clone().unwrap_or_else(Connector::tcp);
    let signals = Signals::default();
    let new = |name: String, has_breakers| Arc::new(Pool::new(name, connector, signals.clone(), has_breakers, tally));
    match target {
        Target::Cluster(address) => {
            let pool = new(address.to_string(), false);
            pool.set(&[address], Clone::clone);
            (pool, None)
        }
        Target::Static(addresses) => {
            let names: Vec<&str> = addresses.iter().map(|address| address.as_str()).collect();
            let pool = new(names.join(","), true);
            pool.set(&addresses, Clone::clone);
            (pool, None)
        }
        Target::Dns { host, port, authority } => {
            let pool = new(authority.to_string(), true);
            let (resolver, period) = (Arc::clone(&config.resolver), config.resolve_period);
            let (stale, known) = (signals.stale, Arc::clone(&pool));
            discovered(Discovery { host, port, authority, period, resolver, pool: known, stale }, pool)
        }
        Target::File(file) => {
            let pool = new(file.display().to_string(), true);
            let (stale, known) = (signals.stale, Arc::clone(&pool));
            let resolver = Arc::new(EndpointFile(file));
            let (host, port, authority) = (String::new(), 0, Authority::from_static("localhost"));
            discovered(Discovery { host, port, authority, period: FILE_PERIOD, resolver, pool: known, stale }, pool)
        }
    }
}
