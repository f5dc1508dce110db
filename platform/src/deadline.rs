//! How long a caller still waits: read from `grpc-timeout`, passed on with every outgoing call.

use std::time::Duration;

use tokio::time::Instant;

use crate::call::Call;

/// How long a call may take where its caller does not say.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// The longest a caller may ask for.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// When a caller stops waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    /// A request's: the call's under way, or sooner where the request itself says so; [`TIMEOUT_DEFAULT`] from now where
    /// neither says anything.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        let own = timeout_of(request.metadata().as_ref()).map(|timeout| Self::after(timeout.min(TIMEOUT_MAX)));
        let call = Call::current().map(|call| call.deadline);
        own.into_iter().chain(call).min().unwrap_or_else(|| Self::after(TIMEOUT_DEFAULT))
    }

    pub fn instant(self) -> Instant {
        self.0
    }

    pub fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }

    /// What is left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// A request that must be answered by then.
    pub fn request<T>(self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request.set_timeout(self.remaining());
        request
    }
}

/// How long the caller of an HTTP/2 request waits, where it says.
pub fn timeout_of(headers: &http::HeaderMap) -> Option<Duration> {
    headers.get("grpc-timeout")?.to_str().ok().and_then(parse_timeout)
}

/// Parses a `grpc-timeout` value: up to eight digits and a unit.
pub fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_parse_as_the_grpc_spec_says() {
        assert_eq!(parse_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        for bad in ["", "S", "1", "1x", "-1S", "123456789S", "1é"] {
            assert_eq!(parse_timeout(bad), None, "{bad:?}");
        }
    }
}
