//! One file per verb.

mod experiment;
mod pick_available;
mod recommend;
mod record_events;
mod similar_items;

use std::sync::{Arc, PoisonError, RwLock};

use holdfast_platform::pg::Pool;
use tokio::sync::Notify;

use crate::client::{Catalog, Inventory};
use crate::domain::Model;

pub(crate) use experiment::{Asker, Assigned, ExperimentError, Experiments, Exposure, Look, Outcome, Registry};
pub(crate) use pick_available::Pick;
pub(crate) use record_events::RecordError;
pub(crate) use similar_items::SimilarItemsError;

/// The model as the tail of the log leaves it: written by that one task, read by every answer.
#[derive(Debug, Clone)]
pub(crate) struct LiveModel(Arc<RwLock<Model>>);

impl LiveModel {
    pub(crate) fn new() -> Self {
        Self(Arc::new(RwLock::new(Model::new())))
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write(&self, write: impl FnOnce(&mut Model)) {
        write(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What every verb works with.
#[derive(Debug, Clone)]
pub(crate) struct Recommender {
    pub(crate) pool: Pool,
    pub(crate) model: LiveModel,
    /// Wakes the tail of the log.
    pub(crate) recorded: Arc<Notify>,
    pub(crate) catalog: Catalog,
    pub(crate) inventory: Inventory,
}
