//! Where to begin, as people write it.

use std::str::FromStr;
use std::time::SystemTime;

use holdfast_platform::bus::Start;
use jiff::Timestamp;

/// `beginning`, `end`, an offset or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct From(pub(super) Start);

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let start = match text {
            "beginning" => Start::Beginning,
            "end" => Start::End,
            _ => match (text.parse(), text.parse::<Timestamp>()) {
                (Ok(offset), _) => Start::After(offset),
                (Err(_), Ok(time)) => Start::Time(SystemTime::from(time)),
                (Err(_), Err(_)) => {
                    return Err(
                        "is none of: beginning, end, an offset (7312.45.1), a time (2026-03-01T09:00:00Z)".into()
                    );
                }
            },
        };
        Ok(Self(start))
    }
}

#[cfg(test)]
mod tests {
    use holdfast_platform::bus::Offset;

    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (text, start) in [
            ("beginning", Start::Beginning),
            ("end", Start::End),
            ("7.4.1", Start::After(Offset([7, 4, 1]))),
            ("1970-01-01T00:00:00Z", Start::Time(SystemTime::UNIX_EPOCH)),
        ] {
            assert_eq!(text.parse(), Ok(From(start)), "{text}");
        }
        for bad in ["", "yesterday", "7.4", "2026-03-01"] {
            assert!(bad.parse::<From>().is_err(), "{bad}");
        }
    }
}
