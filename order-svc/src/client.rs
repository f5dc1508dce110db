//! Outgoing ports to the other services.

pub(crate) mod inventory;
