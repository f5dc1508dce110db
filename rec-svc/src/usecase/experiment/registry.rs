//! What this replica knows of experiments and flags: assignment asks no database.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use holdfast_platform::pg::{self, Pool};

use crate::domain::experiment::{Experiment, Flag, Layer, Name};
use crate::store::experiment::{list_flags, load_current};

/// How long after its last exposure an experiment is still known: its longest window, and a day for what is late.
const GRACE: Duration = Duration::from_secs(91 * 86_400);

/// Everything that can be assigned, at one moment.
#[derive(Debug, Default)]
pub(crate) struct Known {
    experiments: BTreeMap<Name, (Experiment, Layer)>,
    flags: Vec<Flag>,
}

impl Known {
    pub(crate) fn experiments(&self) -> impl Iterator<Item = &(Experiment, Layer)> {
        self.experiments.values()
    }

    pub(crate) fn experiment(&self, id: &Name) -> Option<&(Experiment, Layer)> {
        self.experiments.get(id)
    }

    pub(crate) fn flags(&self) -> impl Iterator<Item = &Flag> {
        self.flags.iter()
    }
}

/// The latest of it: replaced whole, read by everybody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry(Arc<RwLock<Arc<Known>>>);

impl Registry {
    pub(crate) fn read(&self) -> Arc<Known> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loads what is stored; on an error everything stays as it was.
    pub(crate) async fn refresh(&self, pool: &Pool) -> Result<(), pg::Error> {
        let db = pool.get().await?;
        let experiments = load_current(&*db, GRACE).await?;
        let flags = list_flags(&*db).await?;
        let by_id = |(experiment, layer): (Experiment, Layer)| (experiment.design().id.clone(), (experiment, layer));
        let known = Known { experiments: experiments.into_iter().map(by_id).collect(), flags };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }
}
