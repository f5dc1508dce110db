//! An order and the ids that follow from its own.

use std::fmt;
use std::time::SystemTime;

use holdfast_contracts::{CustomerId, RequestId};
use uuid::Uuid;

use super::line::Line;
use super::money::Money;
use super::saga::Saga;
use super::text_enum::text_enum;

text_enum! {
    /// Where an order stands in its life.
    OrderState {
        /// The saga is under way.
        Pending = "PENDING",
        Placed = "PLACED",
        Cancelled = "CANCELLED",
    }
}

text_enum! {
    /// Where its payment stands, as far as the order knows.
    PaymentState {
        None = "NONE",
        Authorized = "AUTHORIZED",
        Captured = "CAPTURED",
        Refunded = "REFUNDED",
        /// Declined, or never answered.
        Failed = "FAILED",
        Voided = "VOIDED",
    }
}

/// The client's request id is the order's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OrderId(Uuid);

/// What one order's ids are derived under. Part of the data: changing it orphans every order under way.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0d_51c3_92a4_4d2e_8b0e_3c5f_7a10_44d1);

impl OrderId {
    pub(crate) const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    pub(crate) const fn uuid(self) -> Uuid {
        self.0
    }

    /// The reservation the order makes where it takes over none.
    pub(crate) fn reservation_id(self) -> Uuid {
        self.derive("reservation")
    }

    /// Our id for the order's one payment: the provider's idempotency key.
    pub(crate) fn payment_id(self) -> Uuid {
        self.derive("payment")
    }

    fn derive(self, what: &str) -> Uuid {
        let mut name = self.0.as_bytes().to_vec();
        name.extend_from_slice(what.as_bytes());
        Uuid::new_v5(&NAMESPACE, &name)
    }
}

impl From<RequestId> for OrderId {
    fn from(id: RequestId) -> Self {
        Self(id.uuid())
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How to pay.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PaymentMethod {
    pub(crate) provider: String,
    pub(crate) token: String,
}

/// Without the token: who has it can charge.
impl fmt::Debug for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentMethod").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Whose units the order takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) reservation_id: Uuid,
    /// Whether the shopper held it before ordering.
    pub(crate) taken_over: bool,
}

/// What is written down before anything else happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) id: OrderId,
    pub(crate) fingerprint: i64,
    pub(crate) customer: CustomerId,
    pub(crate) lines: Vec<Line>,
    pub(crate) total: Money,
    pub(crate) method: PaymentMethod,
    pub(crate) hold: Hold,
}

/// An order as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) draft: Draft,
    pub(crate) saga: Saga,
    /// +1 per write. Whoever writes must have seen the last one: this fences off executors that lost their lease.
    pub(crate) version: i32,
    pub(crate) provider_payment_id: Option<String>,
    pub(crate) create_time: SystemTime,
    pub(crate) update_time: SystemTime,
}

impl Order {
    pub(crate) const fn id(&self) -> OrderId {
        self.draft.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_stable_and_differ() {
        let id = OrderId::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.reservation_id(), OrderId::from_uuid(Uuid::from_u128(7)).reservation_id());
        assert_ne!(id.reservation_id(), id.payment_id());
        assert_ne!(id.reservation_id(), OrderId::from_uuid(Uuid::from_u128(8)).reservation_id());
    }
}
