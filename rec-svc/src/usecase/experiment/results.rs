//! A look at an experiment.

use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;
use tracing::warn;

use super::fold::Folded;
use super::{ExperimentError, Experiments, within};
use crate::domain::Time;
use crate::domain::experiment::{Experiment, Name, Reading, Results, judge};
use crate::store::experiment::exposure::load_exposed;
use crate::store::experiment::load_experiment;
use crate::store::experiment::outcome::is_behind;
use crate::store::experiment::sums::load_sums;

/// How many steps a look folds itself; the worker does the rest.
const FOLDS_PER_LOOK_MAX: usize = 20;

/// What a look shows.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) experiment: Experiment,
    pub(crate) results: Results,
    /// Whether all that was recorded is in.
    pub(crate) caught_up: bool,
}

impl Experiments {
    /// Folds what is new, and judges the sums: no pass over what was folded before.
    pub(crate) async fn look(&self, id: &Name, now: Time, deadline: Deadline) -> Result<Look, ExperimentError> {
        let look = async {
            let mut folded = Folded::More;
            for _ in 0..FOLDS_PER_LOOK_MAX {
                folded = self.fold_page(id, now).await?;
                if folded == Folded::CaughtUp {
                    break;
                }
            }
            let db = self.pool.get().await.map_err(pg::Error::from)?;
            let found = load_experiment(&*db, id).await?;
            let experiment = found.ok_or_else(|| ExperimentError::NotFound(id.clone()))?;
            let sums = load_sums(&*db, &experiment).await?;
            let exposed = load_exposed(&*db, id, experiment.variants().len()).await?;
            let results = judge(&experiment, &Reading { exposed, sums }, now);
            let caught_up = folded == Folded::CaughtUp && !is_behind(&*db, id).await?;
            Ok(Look { experiment, results, caught_up })
        };
        within(deadline, look).await
    }

    /// Folds everything of every experiment whose numbers may still move; where one cannot be, the others are.
    pub(crate) async fn fold_all(&self, now: Time) {
        for (experiment, _) in self.registry.read().experiments() {
            let id = &experiment.design().id;
            if now.ms() >= experiment.design().starts_at_ms
                && let Err(error) = self.fold_whole(id, now).await
            {
                warn!(%error, experiment = %id, "what was recorded cannot be folded: results stay as they are");
            }
        }
    }

    async fn fold_whole(&self, id: &Name, now: Time) -> Result<(), ExperimentError> {
        while self.fold_page(id, now).await? == Folded::More {}
        Ok(())
    }
}
