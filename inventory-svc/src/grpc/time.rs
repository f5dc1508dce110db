//! Times and durations at the border.

use holdfast_platform::status::Refusal;

use crate::domain::time::{Micros, Ttl};

pub(super) fn timestamp(at: Micros) -> prost_types::Timestamp {
    let nanos = i32::try_from(at.0.rem_euclid(1_000_000)).unwrap_or(0) * 1000;
    prost_types::Timestamp { seconds: at.0.div_euclid(1_000_000), nanos }
}

pub(super) fn rfc3339(at: Micros) -> String {
    timestamp(at).to_string()
}

/// A time to live; the default where missing.
pub(super) fn parse_ttl(ttl: Option<prost_types::Duration>) -> Result<Ttl, Refusal> {
    let Some(ttl) = ttl else { return Ok(Ttl::DEFAULT) };
    let ms = ttl.seconds.saturating_mul(1000).saturating_add(i64::from(ttl.nanos / 1_000_000));
    Ttl::from_ms(ms).map_err(|error| Refusal::invalid("ttl", error))
}
