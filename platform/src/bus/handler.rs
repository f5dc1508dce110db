//! What a consumer does with events.

use std::future::Future;

use holdfast_contracts::events::v1::Envelope;

use crate::pg::{self, Transaction};

/// Turns events into effects.
pub trait Handler: Send + Sync + 'static {
    /// What [`Handler::prepare`] found out.
    type Prepared: Send;

    /// Decodes events and asks whom it must: outside any transaction, so calls to other services belong here. A batch
    /// is in the bus's order; after a refusal it comes again, event by event.
    fn prepare(&self, events: &[Envelope]) -> impl Future<Output = Result<Self::Prepared, HandleError>> + Send;

    /// Writes the effects, all in the transaction given, asking nobody. It commits with the inbox or not at all.
    fn apply(
        &self,
        tx: &Transaction<'_>,
        prepared: Self::Prepared,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Why there are no effects.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Nothing is wrong with the events: they are tried again for as long as it takes, and wait in their order.
    #[error("{0}")]
    Later(String),
    /// An event that cannot be handled: it is parked once it stands alone and was tried often enough.
    #[error("{0}")]
    Poison(String),
    /// A lost connection means later, any other refusal poison.
    #[error(transparent)]
    Database(#[from] pg::Error),
}

impl HandleError {
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Later(_) => true,
            Self::Poison(_) => false,
            Self::Database(error) => super::error::is_transient(error),
        }
    }
}

/// Decodes a payload as the message of that full name, refusing any other.
///
/// # Errors
/// Poison, where the event is of another type or its bytes are no such message.
pub fn decode<M: prost::Message + Default>(event: &Envelope, full_name: &str) -> Result<M, HandleError> {
    if event.r#type != full_name {
        return Err(HandleError::Poison(format!("type {} where {full_name} was expected", event.r#type)));
    }
    M::decode(event.payload.as_slice()).map_err(|error| HandleError::Poison(format!("payload: {error}")))
}
