//! What an order is and how it goes on: pure, no IO, no clock, no randomness.

pub(crate) mod charge;
pub(crate) mod failure;
pub(crate) mod line;
pub(crate) mod money;
pub(crate) mod order;
pub(crate) mod place;
pub(crate) mod saga;
pub(crate) mod text_enum;
