//! What a shopper did.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast_contracts::{CustomerId, IdError, ProductId, RequestId};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// A moment, in milliseconds since 1970; never before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Time(i64);

impl Time {
    /// None for a moment before 1970.
    pub(crate) fn from_ms(ms: i64) -> Option<Self> {
        (ms >= 0).then_some(Self(ms))
    }

    pub(crate) fn ms(self) -> i64 {
        self.0
    }

    #[must_use]
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How far apart two moments are, whichever came first.
    pub(crate) fn gap(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Time> for SystemTime {
    fn from(time: Time) -> Self {
        UNIX_EPOCH + Duration::from_millis(time.0.unsigned_abs())
    }
}

/// What was done, from the weakest sign of interest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    View,
    AddToCart,
    Purchase,
}

impl Kind {
    /// How much it says about interest, a view being 1.
    pub(crate) fn weight(self) -> f64 {
        match self {
            Self::View => 1.0,
            Self::AddToCart => 3.0,
            Self::Purchase => 6.0,
        }
    }
}

/// A visit to the shop, as its web pages name it; written as a customer's id is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionId(CustomerId);

impl SessionId {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::str::FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Ok(Self(text.parse()?))
    }
}

/// Who did it, as far as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    Known { customer: CustomerId, session: Option<SessionId> },
    Anonymous { session: SessionId },
}

impl Actor {
    /// None where neither is given.
    pub(crate) fn new(customer: Option<CustomerId>, session: Option<SessionId>) -> Option<Self> {
        match (customer, session) {
            (Some(customer), session) => Some(Self::Known { customer, session }),
            (None, Some(session)) => Some(Self::Anonymous { session }),
            (None, None) => None,
        }
    }

    pub(crate) fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Known { customer, .. } => Some(customer),
            Self::Anonymous { .. } => None,
        }
    }

    pub(crate) fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Known { session, .. } => session.as_ref(),
            Self::Anonymous { session } => Some(session),
        }
    }

    /// Whose history it belongs to: the customer's wherever known.
    pub(crate) fn shopper(&self) -> Shopper {
        match self {
            Self::Known { customer, .. } => Shopper::Customer(customer.clone()),
            Self::Anonymous { session } => Shopper::Session(session.clone()),
        }
    }
}

/// Whose history it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shopper {
    Customer(CustomerId),
    Session(SessionId),
}

impl Shopper {
    /// What a table of shoppers knows them by: their names take many times the memory. Two alike among a billion are one
    /// in 10^20.
    pub(crate) fn key(&self) -> u128 {
        match self {
            Self::Customer(customer) => xxh3_128_with_seed(customer.as_str().as_bytes(), 1),
            Self::Session(session) => xxh3_128_with_seed(session.as_str().as_bytes(), 2),
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: RequestId,
    pub(crate) kind: Kind,
    pub(crate) actor: Actor,
    pub(crate) product: ProductId,
    /// When it happened, by the shopper's side.
    pub(crate) time: Time,
}
