//! Payment providers. Whatever is behind the trait, every call is idempotent by our payment id and tells the
//! payment's state afterwards, so an interrupted saga simply asks again.

pub mod sandbox;

use std::fmt;

use futures_util::future::BoxFuture;
use uuid::Uuid;

pub use crate::domain::charge::ChargeStatus;
pub use crate::domain::money::{Currency, Money};

/// Our id for a payment, derived from the order's: the provider's idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentId(pub Uuid);

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What to authorise.
#[derive(Clone, PartialEq, Eq)]
pub struct Charge {
    pub id: PaymentId,
    pub amount: Money,
    /// The provider's token for the card or account.
    pub token: String,
    /// Ours, for people who compare the books: the order's id.
    pub reference: String,
}

/// Without the token: who has it can charge.
impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charge").field("id", &self.id).field("amount", &self.amount).finish_non_exhaustive()
    }
}

/// What the provider says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub status: ChargeStatus,
    /// The provider's own id for it.
    pub provider_payment_id: String,
}

/// A token that the provider does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenError(pub String);

/// Nobody knows whether the call took effect: no answer, a dropped connection, or an answer that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment provider gave no answer: {0}")]
pub struct Unanswered(pub String);

/// What a call to a provider comes to: the payment as it now stands, or `None` where the provider knows of none.
pub type Answer<'a> = BoxFuture<'a, Result<Option<Receipt>, Unanswered>>;

/// A payment provider. Callers bound every call by a deadline; a dropped call may have taken effect.
pub trait Provider: Send + Sync + 'static {
    /// What requests call it.
    fn name(&self) -> &'static str;

    /// Whether a token can be one of the provider's at all; asked before anything is written.
    ///
    /// # Errors
    /// Where it cannot.
    fn check_token(&self, token: &str) -> Result<(), TokenError>;

    /// Sets the amount aside. A repeat answers what became of the first.
    fn authorize<'a>(&'a self, charge: &'a Charge) -> Answer<'a>;

    /// Takes an authorised amount.
    fn capture(&self, id: PaymentId) -> Answer<'_>;

    /// Gives an authorisation up; leaves a captured payment as it is.
    fn void(&self, id: PaymentId) -> Answer<'_>;

    /// Gives a captured amount back; leaves one that is only authorised as it is.
    fn refund(&self, id: PaymentId) -> Answer<'_>;

    /// Reads the payment.
    fn lookup(&self, id: PaymentId) -> Answer<'_>;
}
