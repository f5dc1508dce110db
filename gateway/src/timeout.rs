//! `Request-Timeout`: how long the caller waits, as seconds (`2`, `0.5`) or as gRPC writes it (`500m`, `2S`).

use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::options::v1::MethodPolicy;
use holdfast_platform::deadline::parse_timeout;
use http::{HeaderMap, HeaderName};

use crate::config::Config;
use crate::problem::{Place, Problem};

pub(crate) const REQUEST_TIMEOUT: HeaderName = HeaderName::from_static("request-timeout");

/// The caller's timeout, at most the configured one; the method's own where it gives none.
pub(crate) fn read(headers: &HeaderMap, method: &MethodPolicy, config: &Config) -> Result<Duration, Problem> {
    let Some(value) = headers.get(REQUEST_TIMEOUT) else {
        return Ok(Duration::from_millis(method.timeout_default_ms.into()));
    };
    match value.to_str().ok().and_then(parse) {
        Some(timeout) if !timeout.is_zero() => Ok(timeout.min(config.timeout_max)),
        Some(_) | None => Err(Problem::new(Reason::InvalidArgument, "the Request-Timeout header is not valid")
            .at(Place::Header("Request-Timeout"), "must be seconds above 0 such as 2 or 0.5, or as in gRPC: 500m")),
    }
}

fn parse(text: &str) -> Option<Duration> {
    if let Some(timeout) = parse_timeout(text) {
        return Some(timeout);
    }
    let seconds_only = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: f64 = seconds_only.then(|| text.parse().ok())??;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_no_time_gets_the_methods_own() {
        let policy = MethodPolicy { timeout_default_ms: 1_500, ..MethodPolicy::default() };
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap| read(headers, &policy, &Config::default()).ok();
        assert_eq!(read(&headers), Some(Duration::from_millis(1_500)));
        headers.insert(REQUEST_TIMEOUT, http::HeaderValue::from_static("3"));
        assert_eq!(read(&headers), Some(Duration::from_secs(3)));
    }

    #[test]
    fn timeouts_are_seconds_or_grpc() {
        assert_eq!(parse("2"), Some(Duration::from_secs(2)));
        assert_eq!(parse("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(parse("500m"), Some(Duration::from_millis(500)));
        for bad in ["", "-1", "soon", "1e9", "inf", "1s", "1.2.3", "99999999999999999999999"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
