//! What the caller decides: nothing a file leaves open is decided silently.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::price::Currency;

/// Quantities shops write for "plenty": refused unless the caller says what they mean.
const SENTINELS: [i64; 3] = [9_999, 99_999, 999_999];

/// How the open points of a file are decided.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What prices are in; exports do not say.
    pub currency: Currency,
    /// Where stock without a location is.
    pub location: String,
    pub negative: NegativeStock,
    /// Quantities that may stand for something else, and what they mean.
    pub sentinels: BTreeMap<i64, SentinelStock>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            location: "main".to_owned(),
            negative: NegativeStock::Zero,
            sentinels: SENTINELS.into_iter().map(|units| (units, SentinelStock::Reject)).collect(),
        }
    }
}

impl Policy {
    /// Says what a quantity means.
    pub fn set_sentinel(&mut self, rule: SentinelRule) {
        self.sentinels.insert(rule.units, rule.policy);
    }

    pub(super) fn sentinel(&self, units: i64) -> Option<SentinelStock> {
        self.sentinels.get(&units).copied()
    }
}

/// What to make of stock below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NegativeStock {
    /// Nothing is there: 0, and the report says so.
    Zero,
    /// Somebody must look: a reject.
    Reject,
    /// The level stays as it is.
    Leave,
}

/// What to make of a quantity that may stand for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentinelStock {
    /// It is a count.
    Take,
    Zero,
    Leave,
    Reject,
}

/// `9999=leave`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentinelRule {
    pub units: i64,
    pub policy: SentinelStock,
}

/// Why a policy cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("must be zero, reject or leave")]
    Negative,
    #[error("must be a quantity and a policy, such as 9999=leave")]
    Rule,
    #[error("the policy must be take, zero, leave or reject")]
    Sentinel,
}

impl FromStr for NegativeStock {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "zero" => Ok(Self::Zero),
            "reject" => Ok(Self::Reject),
            "leave" => Ok(Self::Leave),
            _ => Err(PolicyError::Negative),
        }
    }
}

impl FromStr for SentinelRule {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (units, policy) = text.split_once('=').ok_or(PolicyError::Rule)?;
        let policy = match policy {
            "take" => SentinelStock::Take,
            "zero" => SentinelStock::Zero,
            "leave" => SentinelStock::Leave,
            "reject" => SentinelStock::Reject,
            _ => return Err(PolicyError::Sentinel),
        };
        Ok(Self { units: units.parse().map_err(|_| PolicyError::Rule)?, policy })
    }
}
