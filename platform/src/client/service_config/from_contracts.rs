//! What the contracts' method options say, as a service config.

use std::time::Duration;

use holdfast_contracts::options::v1::Idempotency;
use holdfast_contracts::{MethodError, MethodInfo, MethodTable};

use super::{
    HealthCheck, Hedging, LoadBalancing, MethodConfig, MethodName, MethodPolicy, RetryPolicy, RetryThrottling,
    ServiceConfig, StatusCode,
};

/// The first attempt and two more: gRPC's libraries allow five, a budget that runs dry allows fewer.
const ATTEMPTS_MAX: u32 = 3;
/// The first pause is drawn from zero to this: about a short call's time.
const BACKOFF_INITIAL: Duration = Duration::from_millis(25);
const BACKOFF_MAX: Duration = Duration::from_millis(500);
const BACKOFF_MULTIPLIER: f32 = 2.0;
/// Repetitions are at most a tenth of the calls, whatever fails: overload is not answered with more load.
const TOKEN_RATIO: f32 = 0.1;
const TOKENS_MAX: u32 = 100;
/// A read is not sent twice for less than what a scheduler's hiccup takes.
const HEDGE_DELAY_MIN: Duration = Duration::from_millis(5);
/// How many endpoints are compared for a call.
const CHOICES: u32 = 2;

impl ServiceConfig {
    /// The policies of this build's contracts.
    ///
    /// # Errors
    /// Where the contracts cannot be read.
    pub fn of_contracts() -> Result<Self, MethodError> {
        let mut methods: Vec<MethodConfig> = Vec::new();
        for method in MethodTable::load()?.methods() {
            let (name, policy) = (name(method), policy(method));
            match methods.iter_mut().find(|known| known.policy == policy) {
                Some(same) => same.name.push(name),
                None => methods.push(MethodConfig { name: vec![name], policy }),
            }
        }
        Ok(Self {
            load_balancing_config: vec![
                LoadBalancing::LeastRequest { choice_count: CHOICES },
                LoadBalancing::RoundRobin {},
            ],
            health_check_config: HealthCheck { service_name: String::new() },
            retry_throttling: RetryThrottling { max_tokens: TOKENS_MAX, token_ratio: TOKEN_RATIO },
            method_config: methods,
        })
    }
}

fn name(method: &MethodInfo) -> MethodName {
    MethodName {
        service: method.descriptor.parent_service().full_name().to_owned(),
        method: method.descriptor.name().to_owned(),
    }
}

fn policy(method: &MethodInfo) -> MethodPolicy {
    let ms = |ms: u32| Some(Duration::from_millis(ms.into()));
    let (default, max) = (ms(method.policy.timeout_default_ms), ms(method.policy.timeout_max_ms));
    if method.descriptor.is_server_streaming() || method.descriptor.is_client_streaming() {
        // A stream lasts as long as somebody listens, and one that broke is taken up by its reader, who knows where.
        return MethodPolicy {
            timeout: None,
            timeout_max: None,
            opening_timeout: default,
            retry_policy: None,
            hedging: None,
        };
    }
    let (is_repeatable, is_read) = match method.policy.idempotency() {
        Idempotency::NoSideEffects => (true, true),
        Idempotency::Idempotent => (true, false),
        Idempotency::None | Idempotency::Unspecified => (false, false),
    };
    MethodPolicy {
        timeout: default,
        timeout_max: max,
        opening_timeout: None,
        retry_policy: is_repeatable.then(|| RetryPolicy {
            max_attempts: ATTEMPTS_MAX,
            initial_backoff: BACKOFF_INITIAL,
            max_backoff: BACKOFF_MAX,
            backoff_multiplier: BACKOFF_MULTIPLIER,
            // Not RESOURCE_EXHAUSTED: only our own client repeats it where the server says when, and never else.
            retryable_status_codes: vec![StatusCode::Unavailable],
        }),
        hedging: is_read.then_some(Hedging { delay_min: HEDGE_DELAY_MIN }),
    }
}
