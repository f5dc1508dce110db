//! Exposures and outcomes as they are told.

use holdfast_contracts::RequestId;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;

use super::registry::Known;
use super::{Asker, ExperimentError, Experiments, within};
use crate::domain::Time;
use crate::domain::experiment::{Name, Standing, Unit, UnitKind};
use crate::store::experiment as store;
use crate::store::experiment::exposure::{Exposed, insert_exposures};
use crate::store::experiment::outcome::{Told, insert_outcomes};

/// Outcomes that are taken from the log of events.
const OUTCOMES_RESERVED: [&str; 2] = ["add_to_cart", "purchase"];

/// A unit that met the difference, as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposure {
    pub(crate) experiment: Name,
    pub(crate) unit: Unit,
    pub(crate) variant: Name,
    pub(crate) time: Time,
}

/// An outcome, as told.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) id: RequestId,
    pub(crate) asker: Asker,
    pub(crate) name: Name,
    pub(crate) value: f64,
    pub(crate) time: Time,
}

/// What recording exposures came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Units that were new.
    pub(crate) units: i64,
    /// Exposures that do not count.
    pub(crate) ignored: usize,
}

impl Experiments {
    /// Returns once those that count are durable. Whoever was shown another variant than its own, or is not in the
    /// experiment, does not: that would be a choice, not a draw.
    pub(crate) async fn record_exposures(
        &self,
        exposures: &[Exposure],
        now: Time,
        deadline: Deadline,
    ) -> Result<Recorded, ExperimentError> {
        let record = async {
            let mut counted = count(&self.registry.read(), exposures, now);
            if counted.len() < exposures.len() {
                // Another replica may have started an experiment, or raised its ramp, since we last looked.
                self.registry.refresh(&self.pool).await?;
                counted = count(&self.registry.read(), exposures, now);
            }
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            for exposure in exposures {
                if self.registry.read().experiment(&exposure.experiment).is_none()
                    && store::load_experiment(&*connection, &exposure.experiment).await?.is_none()
                {
                    return Err(ExperimentError::NotFound(exposure.experiment.clone()));
                }
            }
            let units = insert_exposures(&*connection, &counted).await?;
            Ok(Recorded { units, ignored: exposures.len() - counted.len() })
        };
        within(deadline, record).await
    }

    /// Returns how many ids were new, once all are durable.
    pub(crate) async fn record_outcomes(
        &self,
        outcomes: &[Outcome],
        deadline: Deadline,
    ) -> Result<i64, ExperimentError> {
        if let Some(reserved) = outcomes.iter().find(|outcome| OUTCOMES_RESERVED.contains(&outcome.name.as_str())) {
            return Err(ExperimentError::OutcomeReserved { name: reserved.name.clone() });
        }
        let told: Vec<Told> = outcomes.iter().flat_map(told).collect();
        let record = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            Ok(insert_outcomes(&*connection, &told).await?)
        };
        within(deadline, record).await
    }
}

fn count(known: &Known, exposures: &[Exposure], now: Time) -> Vec<Exposed> {
    let counts = |exposure: &Exposure| {
        let Exposure { experiment: id, unit, variant, time } = exposure;
        let (experiment, layer) = known.experiment(id)?;
        // A clock that is ahead must not move what it tells out of the experiment's time, or into it.
        let at = (*time).min(now);
        match experiment.standing(layer, unit, at) {
            Standing::In(no) if experiment.variants().name(no) == variant => {
                Some(Exposed { experiment: id.clone(), unit: unit.clone(), variant: no, at })
            }
            Standing::In(_)
            | Standing::Overridden(_)
            | Standing::NotRunning
            | Standing::HeldOut
            | Standing::Elsewhere
            | Standing::BeyondRamp => None,
        }
    };
    exposures.iter().filter_map(counts).collect()
}

/// One line for the customer and one for the session.
fn told(outcome: &Outcome) -> impl Iterator<Item = Told> {
    let Outcome { id, asker, name, value, time } = outcome;
    [UnitKind::Customer, UnitKind::Session].into_iter().filter_map(|kind| {
        let unit = asker.unit(kind)?.clone();
        Some(Told { id: *id, kind, unit, name: name.clone(), value: *value, time: *time })
    })
}
