//! Names on the bus.

use std::fmt;
use std::str::FromStr;

/// One service's ledger, by the name of its schema: `orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(String);

/// Consumers that share one position in a topic: the schema their inbox is in and what they do, `recs.purchases`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    schema: String,
    name: String,
}

/// Why a text names no topic or group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    #[error("{0:?} is not a topic: lower-case letters, digits and _, at most {NAME_CHARS_MAX}")]
    Topic(String),
    #[error("{0:?} is not a consumer group: <schema>.<name>, as recs.purchases")]
    Group(String),
}

/// PostgreSQL cuts longer identifiers off.
const NAME_CHARS_MAX: usize = 63;

fn is_name(text: &str) -> bool {
    text.len() <= NAME_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl Topic {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        if is_name(text) { Ok(Self(text.to_owned())) } else { Err(TopicError::Topic(text.to_owned())) }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Group {
    /// Where its inbox is.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// What it is called within its schema.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Group {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        match text.split_once('.') {
            Some((schema, name)) if is_name(schema) && is_name(name) => {
                Ok(Self { schema: schema.to_owned(), name: name.to_owned() })
            }
            _ => Err(TopicError::Group(text.to_owned())),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_to_stand_in_a_search_path() {
        for good in ["orders", "a1_b"] {
            assert_eq!(good.parse::<Topic>().expect(good).as_str(), good);
        }
        for bad in ["", "Orders", "1a", "a;b", "a\"", "a b", "a.b", &"x".repeat(64)] {
            assert!(bad.parse::<Topic>().is_err(), "{bad}");
        }
        let group: Group = "recs.purchases".parse().expect("a group");
        assert_eq!((group.schema(), group.name(), group.to_string().as_str()), ("recs", "purchases", "recs.purchases"));
        for bad in ["recs", "recs.", ".a", "recs.a.b", "recs.A"] {
            assert!(bad.parse::<Group>().is_err(), "{bad}");
        }
    }
}
