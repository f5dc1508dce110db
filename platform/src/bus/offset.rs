//! Places in a topic.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

/// A place in a topic, after an event. Opaque but to the bus that gave it: three numbers, `7312.45.1` as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub [i64; 3]);

impl Offset {
    /// Before the first event.
    pub const BEGINNING: Self = Self([0; 3]);
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([first, second, third]) = self;
        write!(f, "{first}.{second}.{third}")
    }
}

/// Why a text is no offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an offset: three numbers as `holdfast events tail` prints them, 7312.45.1")]
pub struct OffsetError(String);

impl FromStr for Offset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        let bad = || OffsetError(text.to_owned());
        let numbers: Vec<i64> = text.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| bad())?;
        Ok(Self(numbers.try_into().map_err(|_| bad())?))
    }
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event there is.
    Beginning,
    /// With what happens from now on.
    End,
    /// After an event.
    After(Offset),
    /// With the first event of that time; earlier ones may come with it, later ones are never left out.
    Time(SystemTime),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_survives_its_text() {
        let offset = Offset([-7312, 45, i64::MAX]);
        assert_eq!(offset.to_string().parse(), Ok(offset));
        for bad in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.99999999999999999999"] {
            assert!(bad.parse::<Offset>().is_err(), "{bad}");
        }
    }
}
