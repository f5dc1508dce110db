//! What a payment provider knows of one payment.

/// Where a payment stands with its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChargeStatus {
    /// The amount is set aside for us.
    Authorized,
    /// The amount is ours.
    Captured,
    /// The authorisation was given up: nothing is charged.
    Voided,
    /// The captured amount was given back.
    Refunded,
    /// The provider refused: nothing is charged, now or later.
    Declined,
}
