//! Which event bus: PostgreSQL itself, or Kafka.

use std::fmt;
use std::str::FromStr;

/// Where events go between services.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BusTarget {
    /// The services' own database.
    #[default]
    Postgres,
    /// A Kafka cluster: its first brokers, as `host:port`, at least one.
    Kafka { brokers: Vec<String> },
}

/// Why a text names no event bus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusParseError {
    #[error("must be `postgres` or `kafka://host:port,host:port`")]
    Scheme,
    #[error("`{0}` is not a broker's host:port")]
    Broker(String),
}

impl FromStr for BusTarget {
    type Err = BusParseError;

    fn from_str(text: &str) -> Result<Self, BusParseError> {
        if text == "postgres" {
            return Ok(Self::Postgres);
        }
        let brokers = text.strip_prefix("kafka://").ok_or(BusParseError::Scheme)?;
        let parse = |broker: &str| {
            let is_address = broker.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|port| port > 0)
            });
            if is_address { Ok(broker.to_owned()) } else { Err(BusParseError::Broker(broker.to_owned())) }
        };
        Ok(Self::Kafka { brokers: brokers.split(',').map(parse).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for BusTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres => f.write_str("postgres"),
            Self::Kafka { brokers } => write!(f, "kafka://{}", brokers.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_reads_back_as_it_is_written() {
        for text in ["postgres", "kafka://127.0.0.1:9092", "kafka://a.kafka:9092,b.kafka:9092"] {
            assert_eq!(text.parse::<BusTarget>().map(|bus| bus.to_string()).as_deref(), Ok(text));
        }
        for bad in ["", "Postgres", "kafka://", "kafka://a", "kafka://a:0", "kafka://a:9092,", "kafka://:9092"] {
            assert!(bad.parse::<BusTarget>().is_err(), "{bad:?}");
        }
    }
}
