//! gRPC's service config: how every client of the mesh waits, repeats and balances, as JSON that the gRPC libraries of
//! all languages read (<https://github.com/grpc/grpc/blob/master/doc/service_config.md>). It is made from the contracts'
//! method options; our own client takes its [policies](super::policy) from it too, so there is one table of them.
//! `docs/service-config.json` is its text; a test holds that it says what the contracts say.
//!
//! Fields that are not gRPC's begin with `holdfast.`: other libraries skip what they do not know.

mod duration;
mod from_contracts;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceConfig {
    /// The first one a library knows is used. Ours is power of two choices over peak EWMA, whatever stands here.
    pub load_balancing_config: Vec<LoadBalancing>,
    pub health_check_config: HealthCheck,
    pub retry_throttling: RetryThrottling,
    pub method_config: Vec<MethodConfig>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LoadBalancing {
    #[serde(rename = "least_request_experimental", rename_all = "camelCase")]
    LeastRequest { choice_count: u32 },
    #[serde(rename = "round_robin")]
    RoundRobin {},
}

/// The service whose `grpc.health.v1` answer decides whether an endpoint is used: empty for the whole process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    pub service_name: String,
}

/// How much may be repeated, all methods together. In gRPC's libraries a token bucket; in ours, see
/// [`budget`](super::budget).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryThrottling {
    /// How many repetitions may come without calls to earn them.
    pub max_tokens: u32,
    /// The share of calls that may be repeated.
    pub token_ratio: f32,
}

/// The policy of some methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodConfig {
    pub name: Vec<MethodName>,
    #[serde(flatten)]
    pub policy: MethodPolicy,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MethodName {
    /// `holdfast.inventory.v1.InventoryService`.
    pub service: String,
    /// `Reserve`.
    pub method: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodPolicy {
    /// How long a call may take where its caller does not say; none for streams.
    #[serde(default, with = "duration::optional", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// The longest its caller may ask for.
    #[serde(
        rename = "holdfast.timeoutMax",
        default,
        with = "duration::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout_max: Option<Duration>,
    /// How long a stream may take to open.
    #[serde(
        rename = "holdfast.openingTimeout",
        default,
        with = "duration::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub opening_timeout: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
    /// gRPC's own `hedgingPolicy` excludes a `retryPolicy`, has a fixed delay, and few libraries know it.
    #[serde(rename = "holdfast.hedging", default, skip_serializing_if = "Option::is_none")]
    pub hedging: Option<Hedging>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    /// The first one included.
    pub max_attempts: u32,
    #[serde(with = "duration")]
    pub initial_backoff: Duration,
    #[serde(with = "duration")]
    pub max_backoff: Duration,
    pub backoff_multiplier: f32,
    /// By name: `UNAVAILABLE`.
    pub retryable_status_codes: Vec<StatusCode>,
}

/// The codes a policy may name: those that say "not now" rather than "not so".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatusCode {
    Unavailable,
    ResourceExhausted,
    Aborted,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hedging {
    /// The least a call waits before a second one is sent; the wait itself is what most calls take.
    #[serde(with = "duration")]
    pub delay_min: Duration,
}

impl ServiceConfig {
    /// As `docs/service-config.json` has it.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("strings, numbers and lists are JSON");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written anew where `HOLDFAST_WRITE_SERVICE_CONFIG` is set.
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/service-config.json");

    #[test]
    fn the_file_says_what_the_contracts_say() {
        let config = ServiceConfig::of_contracts().expect("this build's contracts");
        if std::env::var_os("HOLDFAST_WRITE_SERVICE_CONFIG").is_some() {
            std::fs::write(FILE, config.to_json()).expect("docs/ can be written");
        }
        let file = std::fs::read_to_string(FILE).expect("docs/service-config.json");
        assert!(
            file == config.to_json(),
            "docs/service-config.json is not what the contracts say: \
             HOLDFAST_WRITE_SERVICE_CONFIG=1 cargo test -p holdfast-platform the_file_says writes it anew"
        );
        assert_eq!(serde_json::from_str::<ServiceConfig>(&file).expect("a service config"), config);
    }
}
