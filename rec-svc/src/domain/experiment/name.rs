//! What things are called, and who is experimented with.

use std::fmt;
use std::str::FromStr;

use holdfast_contracts::{CustomerId, IdError};
use serde::{Deserialize, Serialize};

/// How long a name may be.
const NAME_CHARS_MAX: usize = 64;

/// The name of an experiment, a layer, a flag, a variant, a metric or an outcome: `[a-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let accepts = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if let Some(bad) = text.chars().find(|&c| !accepts(c)) {
            return Err(IdError::BadChar(bad));
        }
        if text.len() > NAME_CHARS_MAX {
            return Err(IdError::TooLong { chars: text.len(), chars_max: NAME_CHARS_MAX });
        }
        Ok(Self(text))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is randomised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnitKind {
    Customer,
    Session,
}

/// One customer or session; written as a customer's id is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Unit(CustomerId);

impl Unit {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Unit {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Ok(Self(text.parse()?))
    }
}

impl TryFrom<String> for Unit {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.0.into()
    }
}
