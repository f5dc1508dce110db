//! `kafka://host:port,host:port/prefix?partitions=8&replicas=3&retention_days=7`: which brokers, and what topics made
//! here are like.

use std::str::FromStr;

/// Enough for many consumers of one topic; each is a file handle and a fetch on every broker, used or not.
const PARTITIONS_DEFAULT: u16 = 8;
const PARTITIONS_MAX: u16 = 1024;
const REPLICAS_MAX: u16 = 9;
/// The ledger has everything for ever; the broker needs what consumers may still have before them.
const RETENTION_DAYS_DEFAULT: u32 = 7;
const RETENTION_DAYS_MAX: u32 = 3650;
const PREFIX_DEFAULT: &str = "holdfast";
const PREFIX_CHARS_MAX: usize = 100;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `host:port,host:port`: where the others are asked for.
    pub(super) brokers: String,
    /// Before each topic's name, so that one cluster may carry several installations: `holdfast.orders`.
    pub(super) prefix: String,
    pub(super) partitions: u16,
    /// Copies of each partition; by default three, or as many as there are brokers.
    pub(super) replicas: Option<u16>,
    pub(super) retention_days: u32,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address:?} is no bus: {problem}; postgres, or kafka://host:port,host:port/prefix?partitions=8&replicas=3&retention_days=7"
)]
pub struct AddressError {
    address: String,
    problem: String,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse(text).map_err(|problem| AddressError { address: text.to_owned(), problem })
    }
}

fn parse(text: &str) -> Result<Address, String> {
    let rest = text.strip_prefix("kafka://").ok_or("it must begin with kafka://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (brokers, prefix) = place.split_once('/').unwrap_or((place, ""));
    if !brokers.split(',').all(is_host_and_port) {
        return Err("each broker is host:port".to_owned());
    }
    let prefix = if prefix.is_empty() { PREFIX_DEFAULT } else { prefix };
    if !is_prefix(prefix) {
        return Err(format!("a prefix has letters, digits, - and _, at most {PREFIX_CHARS_MAX}"));
    }
    let mut address = Address {
        brokers: brokers.to_owned(),
        prefix: prefix.to_owned(),
        partitions: PARTITIONS_DEFAULT,
        replicas: None,
        retention_days: RETENTION_DAYS_DEFAULT,
    };
    for setting in query.split('&').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').ok_or_else(|| format!("{setting} has no value"))?;
        match name {
            "partitions" => address.partitions = number(name, value, PARTITIONS_MAX)?,
            "replicas" => address.replicas = Some(number(name, value, REPLICAS_MAX)?),
            "retention_days" => address.retention_days = number(name, value, RETENTION_DAYS_MAX)?,
            _ => return Err(format!("nothing is called {name}")),
        }
    }
    Ok(address)
}

fn is_host_and_port(broker: &str) -> bool {
    broker.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('@') && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn is_prefix(prefix: &str) -> bool {
    prefix.len() <= PREFIX_CHARS_MAX && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn number<N: FromStr + PartialOrd + From<u8> + std::fmt::Display>(
    name: &str,
    value: &str,
    max: N,
) -> Result<N, String> {
    let number = value.parse().ok().filter(|number| (N::from(1)..=max).contains(number));
    number.ok_or_else(|| format!("{name} is a number up to a bound"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_brokers_and_what_topics_are_like() {
        let plain: Address = "kafka://a:9092,[::1]:9093".parse().expect("an address");
        assert_eq!((plain.brokers.as_str(), plain.prefix.as_str()), ("a:9092,[::1]:9093", PREFIX_DEFAULT));
        assert_eq!((plain.partitions, plain.replicas), (PARTITIONS_DEFAULT, None));
        let full: Address = "kafka://a:1/shop-2?partitions=2&replicas=3&retention_days=30".parse().expect("an address");
        assert_eq!(
            (full.prefix.as_str(), full.partitions, full.replicas, full.retention_days),
            ("shop-2", 2, Some(3), 30)
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let longer = format!("kafka://a:1/{}", "x".repeat(PREFIX_CHARS_MAX + 1));
        for bad in [
            "",
            "a:9092",
            "kafka://",
            "kafka://a",
            "kafka://a:0",
            "kafka://a:1,",
            "kafka://user@a:1",
            "kafka://a:1/x.y",
            "kafka://a:1?partitions=0",
            "kafka://a:1?partitions=9999",
            "kafka://a:1?replicas",
            "kafka://a:1?acks=0",
            &longer,
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
