//! Which bus: `postgres`, or `kafka://…`.

use std::str::FromStr;
use std::sync::Arc;

use super::kafka::{Address, AddressError, Kafka};
use super::postgres::PostgresBus;
use super::relay::Relay;
use super::{Bus, Error, Publisher, Topic};
use crate::task::Tasks;

/// What a process is told on its command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// Consumers read the ledgers themselves.
    #[default]
    Postgres,
    /// Relays publish the ledgers, consumers read the broker.
    Kafka(Address),
}

/// A bus, and the way into it where it is not the ledgers themselves: then each topic needs a relay.
#[derive(Clone)]
pub struct Opened {
    pub bus: Arc<dyn Bus>,
    pub publisher: Option<Arc<dyn Publisher>>,
}

impl Opened {
    /// The ledgers in this database themselves.
    pub fn postgres(database_url: &str) -> Self {
        Self { bus: Arc::new(PostgresBus::new(database_url)), publisher: None }
    }

    /// Publishes a topic's ledger in this database for as long as the tasks run, where that needs a relay.
    pub fn relay(&self, topic: Topic, database_url: &str, tasks: &Tasks) {
        let Some(publisher) = &self.publisher else { return };
        let relay = Relay::new(database_url, topic, Arc::clone(publisher)).expect("every topic has a relay's name");
        tasks.spawn("relay", relay.run(tasks.stopping()));
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("has_relays", &self.publisher.is_some()).finish_non_exhaustive()
    }
}

impl Choice {
    /// Reaches for nothing yet: what is away now may be there when it is used.
    ///
    /// # Errors
    /// Where the broker's client library cannot be set up.
    pub fn open(&self, database_url: &str) -> Result<Opened, Error> {
        match self {
            Self::Postgres => Ok(Opened::postgres(database_url)),
            Self::Kafka(address) => {
                let kafka = Arc::new(Kafka::new(address.clone(), database_url)?);
                Ok(Opened { bus: kafka.clone(), publisher: Some(kafka) })
            }
        }
    }
}

impl FromStr for Choice {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "postgres" { Ok(Self::Postgres) } else { text.parse().map(Self::Kafka) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_postgres_or_a_kafka_address() {
        assert_eq!("postgres".parse(), Ok(Choice::Postgres));
        assert!(matches!("kafka://a:9092".parse(), Ok(Choice::Kafka(_))));
        for bad in ["", "kafka", "nats://a:1", "Postgres"] {
            assert!(bad.parse::<Choice>().is_err(), "{bad}");
        }
    }
}
