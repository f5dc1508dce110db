//! Where commits are told to this process's watchers.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::domain::effects::MovementWrite;
use crate::domain::level::{LevelId, Version};
use crate::domain::time::Micros;

/// How many commits a slow watcher may fall behind before it has to look in the ledger.
const NOTES_MAX: usize = 1_024;

/// What watchers hear.
#[derive(Debug)]
pub(crate) enum Note {
    /// This replica committed these, in order.
    Committed { movements: Vec<MovementWrite>, now: Micros },
    /// Some replica moved these levels, from one version to another.
    Moved(Vec<(LevelId, Version, Version)>),
    /// Something may have been missed.
    LookAgain,
}

/// See the module; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Hub(broadcast::Sender<Arc<Note>>);

impl Hub {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(NOTES_MAX))
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Note>> {
        self.0.subscribe()
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Tells a commit of this replica. Costs nothing where nobody watches.
    pub(crate) fn tell(&self, movements: &[MovementWrite], now: Micros) {
        if !movements.is_empty() && self.has_listeners() {
            self.send(Note::Committed { movements: movements.to_vec(), now });
        }
    }

    pub(crate) fn send(&self, note: Note) {
        // No listeners is no error.
        drop(self.0.send(Arc::new(note)));
    }
}
