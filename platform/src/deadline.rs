//! How long a caller still waits: read from `grpc-timeout`, passed on with every outgoing call.

use std::time::Duration;

use tokio::time::Instant;

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

    /// The caller's, from the request's metadata; [`TIMEOUT_DEFAULT`] from now where it gives none.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        Self::of_headers(request.metadata().as_ref())
    }

    /// The same, from an HTTP/2 request's headers.
    pub fn of_headers(headers: &http::HeaderMap) -> Self {
        let timeout = headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_timeout);
        Self::after(timeout.unwrap_or(TIMEOUT_DEFAULT).min(TIMEOUT_MAX))
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
