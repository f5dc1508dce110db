//! What a replica remembers of levels and reservations: believed only as far as the database agrees at commit.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use holdfast_contracts::RequestId;

use crate::domain::level::{Level, LevelId};
use crate::domain::reservation::Reservation;

/// How many levels are remembered (about 100 bytes each).
const LEVELS_MAX: usize = 200_000;
/// How many reservations are remembered (about 400 bytes each).
const RESERVATIONS_MAX: usize = 50_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    levels: Mutex<HashMap<LevelId, Level>>,
    reservations: Mutex<Recent>,
}

/// The most recent reservations, the oldest dropped first.
#[derive(Debug, Default)]
struct Recent {
    by_id: HashMap<RequestId, Reservation>,
    order: VecDeque<RequestId>,
}

impl Cache {
    /// The levels remembered among these.
    pub(crate) fn levels(&self, ids: impl IntoIterator<Item = LevelId>) -> HashMap<LevelId, Level> {
        let levels = lock(&self.levels);
        ids.into_iter().filter_map(|id| levels.get(&id).map(|level| (id, *level))).collect()
    }

    pub(crate) fn remember_levels(&self, seen: impl IntoIterator<Item = (LevelId, Level)>) {
        let mut levels = lock(&self.levels);
        if levels.len() > LEVELS_MAX {
            levels.clear(); // rare, and only costs reloads
        }
        levels.extend(seen);
    }

    pub(crate) fn forget_levels(&self, ids: impl IntoIterator<Item = LevelId>) {
        let mut levels = lock(&self.levels);
        for id in ids {
            levels.remove(&id);
        }
    }

    pub(crate) fn reservation(&self, id: RequestId) -> Option<Reservation> {
        lock(&self.reservations).by_id.get(&id).cloned()
    }

    /// Those remembered among these.
    pub(crate) fn reservations(&self, ids: impl IntoIterator<Item = RequestId>) -> HashMap<RequestId, Reservation> {
        let recent = lock(&self.reservations);
        ids.into_iter().filter_map(|id| recent.by_id.get(&id).map(|known| (id, known.clone()))).collect()
    }

    pub(crate) fn remember_reservations(&self, seen: impl IntoIterator<Item = Reservation>) {
        let mut recent = lock(&self.reservations);
        for reservation in seen {
            let id = reservation.id;
            if recent.by_id.insert(id, reservation).is_none() {
                recent.order.push_back(id);
            }
        }
        while recent.order.len() > RESERVATIONS_MAX {
            if let Some(oldest) = recent.order.pop_front() {
                recent.by_id.remove(&oldest);
            }
        }
    }
}

/// A panic elsewhere cannot leave these maps half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
