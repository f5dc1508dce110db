//! Points in time by the database's clock, and times to live.

use std::fmt;

/// Microseconds since the Unix epoch, by the database's clock: PostgreSQL's own resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

/// How long a hold lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(i64);

/// A time to live out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between 1 s and 24 h")]
pub struct TtlOutOfBounds;

impl Ttl {
    pub const MS_MIN: i64 = 1_000;
    pub const MS_MAX: i64 = 24 * 3600 * 1000;
    /// Where the shopper's request gives none.
    pub const DEFAULT: Self = Self(600_000);

    /// # Errors
    /// Where it is shorter than a second or longer than a day.
    pub fn from_ms(ms: i64) -> Result<Self, TtlOutOfBounds> {
        if (Self::MS_MIN..=Self::MS_MAX).contains(&ms) { Ok(Self(ms)) } else { Err(TtlOutOfBounds) }
    }

    pub fn ms(self) -> i64 {
        self.0
    }

    /// When a hold made at `now` ends.
    pub fn end(self, now: Micros) -> Micros {
        Micros(now.0.saturating_add(self.0 * 1000))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
