//! Experiments and flags: defining, assigning, recording, looking.

mod define;
mod fold;
mod record;
mod registry;
mod results;

use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg::{self, Pool};

use crate::domain::Time;
use crate::domain::experiment::{AllocationError, ChangeError, DesignError, Flag, Name, Standing, Unit, UnitKind};
use crate::store::experiment::LoadError;

pub(crate) use record::{Exposure, Outcome};
pub(crate) use registry::Registry;
pub(crate) use results::Look;

/// What every verb works with.
#[derive(Debug, Clone)]
pub(crate) struct Experiments {
    pub(crate) pool: Pool,
    pub(crate) registry: Registry,
}

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExperimentError {
    #[error("the caller's deadline passed")]
    Deadline,
    #[error("there is no experiment {0}")]
    NotFound(Name),
    #[error("experiment {0}")]
    Design(#[from] DesignError),
    #[error("flag {0}")]
    Flag(#[from] AllocationError),
    #[error("{id} {cause}")]
    Change { id: Name, cause: ChangeError },
    #[error("buckets {from} to {to} of {layer} belong to another experiment at some time of {id}")]
    BucketsTaken { id: Name, layer: Name, from: u32, to: u32 },
    #[error("{0} has a running experiment: its holdout may only fall")]
    HoldoutRises(Name),
    #[error("{name} is counted by itself: it must not be told")]
    OutcomeReserved { name: Name },
    #[error("what is stored cannot be read: {0}")]
    Stored(LoadError),
    #[error(transparent)]
    Store(pg::Error),
}

impl From<pg::Error> for ExperimentError {
    fn from(error: pg::Error) -> Self {
        Self::Store(error)
    }
}

impl From<LoadError> for ExperimentError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Design(_) | LoadError::Flag(_) => Self::Stored(error),
        }
    }
}

/// Who asks: a customer, a session, or both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker {
    pub(crate) customer: Option<Unit>,
    pub(crate) session: Option<Unit>,
}

impl Asker {
    pub(crate) fn unit(&self, kind: UnitKind) -> Option<&Unit> {
        match kind {
            UnitKind::Customer => self.customer.as_ref(),
            UnitKind::Session => self.session.as_ref(),
        }
    }
}

/// What somebody is to be shown in one experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) experiment: Name,
    pub(crate) variant: Name,
    pub(crate) standing: Standing,
}

impl Experiments {
    /// What somebody is to be shown, by what this replica knows: at most a second old.
    pub(crate) fn assign(&self, asker: &Asker, now: Time) -> (Vec<Assigned>, Vec<(Name, Name)>) {
        let known = self.registry.read();
        let assigned = known.experiments().filter_map(|(experiment, layer)| {
            let unit = asker.unit(experiment.design().unit)?;
            let standing = experiment.standing(layer, unit, now);
            // By hand it can be seen before it starts, too.
            if standing == Standing::NotRunning || now.ms() >= experiment.closes_at_ms() {
                return None;
            }
            let variant = experiment.variants().name(standing.variant()).clone();
            Some(Assigned { experiment: experiment.design().id.clone(), variant, standing })
        });
        let flag = |flag: &Flag| {
            let unit = asker.unit(flag.design().unit)?;
            Some((flag.design().id.clone(), flag.variant_of(unit).clone()))
        };
        (assigned.collect(), known.flags().filter_map(flag).collect())
    }
}

/// Waits no longer than the caller does.
async fn within<T>(
    deadline: Deadline,
    work: impl Future<Output = Result<T, ExperimentError>>,
) -> Result<T, ExperimentError> {
    tokio::time::timeout_at(deadline.instant(), work).await.map_err(|_| ExperimentError::Deadline)?
}
