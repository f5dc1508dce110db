//! The service config as the client uses it: one method's policy by its path.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tonic::Code;

use super::service_config::{Hedging, MethodPolicy, RetryPolicy, ServiceConfig, StatusCode};
use crate::deadline::TIMEOUT_DEFAULT;

/// What may be done for a call of one method.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    pub(super) time: Time,
    pub(super) retry: Option<Retry>,
    pub(super) hedging: Option<Hedging>,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// One answer: by default, and at most.
    Unary { default: Duration, max: Duration },
    /// A stream, or a method we do not know: until its head comes.
    Opening(Duration),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Retry {
    /// The first one included.
    pub(super) attempts_max: u32,
    pub(super) backoff_initial: Duration,
    pub(super) backoff_max: Duration,
    pub(super) backoff_multiplier: f32,
    pub(super) codes: Vec<Code>,
}

/// Every method's, by its gRPC path.
#[derive(Debug)]
pub(super) struct Policies {
    by_path: HashMap<String, Arc<Policy>>,
    /// For methods of other contracts: health, reflection.
    unknown: Arc<Policy>,
}

impl Policies {
    pub(super) fn new(config: &ServiceConfig) -> Self {
        let mut by_path = HashMap::new();
        for method in &config.method_config {
            let policy = Arc::new(Policy::from(&method.policy));
            let path = |name: &super::service_config::MethodName| format!("/{}/{}", name.service, name.method);
            by_path.extend(method.name.iter().map(|name| (path(name), Arc::clone(&policy))));
        }
        let unknown = Policy { time: Time::Opening(TIMEOUT_DEFAULT), retry: None, hedging: None };
        Self { by_path, unknown: Arc::new(unknown) }
    }

    pub(super) fn of(&self, path: &str) -> &Arc<Policy> {
        self.by_path.get(path).unwrap_or(&self.unknown)
    }
}

impl From<&MethodPolicy> for Policy {
    fn from(policy: &MethodPolicy) -> Self {
        let time = match (policy.timeout, policy.opening_timeout) {
            (Some(default), _) => Time::Unary { default, max: policy.timeout_max.unwrap_or(default).max(default) },
            (None, opening) => Time::Opening(opening.unwrap_or(TIMEOUT_DEFAULT)),
        };
        Self { time, retry: policy.retry_policy.as_ref().map(Retry::from), hedging: policy.hedging }
    }
}

impl From<&RetryPolicy> for Retry {
    fn from(policy: &RetryPolicy) -> Self {
        let code = |code: &StatusCode| match code {
            StatusCode::Unavailable => Code::Unavailable,
            StatusCode::ResourceExhausted => Code::ResourceExhausted,
            StatusCode::Aborted => Code::Aborted,
        };
        Self {
            attempts_max: policy.max_attempts,
            backoff_initial: policy.initial_backoff,
            backoff_max: policy.max_backoff,
            backoff_multiplier: policy.backoff_multiplier,
            codes: policy.retryable_status_codes.iter().map(code).collect(),
        }
    }
}
