//! Making and changing experiments, layers and flags.

use holdfast_platform::deadline::Deadline;
use holdfast_platform::pg;

use super::{ExperimentError, Experiments, within};
use crate::domain::Time;
use crate::domain::experiment::{Design, Experiment, Flag, FlagDesign, Layer, Name, Phase};
use crate::store::experiment::{self as store, Saved};

impl Experiments {
    /// Creates or replaces an experiment, as far as it may still change.
    pub(crate) async fn upsert(
        &self,
        design: Design,
        now: Time,
        deadline: Deadline,
    ) -> Result<Experiment, ExperimentError> {
        let next = Experiment::new(design, None)?;
        let upsert = async {
            // Somebody else may make the same experiment between our look and our write; then there is one to look at.
            loop {
                if let Some(experiment) = self.try_upsert(&next, now).await? {
                    self.registry.refresh(&self.pool).await?;
                    return Ok(experiment);
                }
            }
        };
        within(deadline, upsert).await
    }

    async fn try_upsert(&self, next: &Experiment, now: Time) -> Result<Option<Experiment>, ExperimentError> {
        let design = next.design();
        let mut connection = self.pool.get().await.map_err(pg::Error::from)?;
        let tx = connection.transaction().await?;
        store::insert_layer(&tx, &design.layer).await?;
        let found = store::lock_experiment(&tx, &design.id).await?;
        if let Some((old, _)) = &found {
            let refused = |cause| ExperimentError::Change { id: design.id.clone(), cause };
            old.check_change(design, now).map_err(refused)?;
            if old.design() == design {
                return Ok(Some(old.clone()));
            }
        }
        match store::save_experiment(&tx, design, found.is_some()).await? {
            Saved::Done => {}
            Saved::Raced => return Ok(None),
            Saved::BucketsTaken => {
                let (id, layer) = (design.id.clone(), design.layer.clone());
                let (from, to) = (design.buckets.from(), design.buckets.to());
                return Err(ExperimentError::BucketsTaken { id, layer, from, to });
            }
        }
        tx.commit().await?;
        Ok(Some(next.clone()))
    }

    /// Ends an experiment now, where it has not ended by itself; repeating it changes nothing.
    pub(crate) async fn stop(&self, id: &Name, now: Time, deadline: Deadline) -> Result<Experiment, ExperimentError> {
        let stop = async {
            let mut connection = self.pool.get().await.map_err(pg::Error::from)?;
            let tx = connection.transaction().await?;
            let found = store::lock_experiment(&tx, id).await?;
            let (experiment, _) = found.ok_or_else(|| ExperimentError::NotFound(id.clone()))?;
            let stopped = match experiment.phase(now) {
                Phase::Settling | Phase::Ended | Phase::Stopped => return Ok(experiment),
                Phase::NotStarted | Phase::Running => Experiment::new(experiment.design().clone(), Some(now))?,
            };
            store::stop_experiment(&tx, id, now).await?;
            tx.commit().await?;
            drop(connection);
            self.registry.refresh(&self.pool).await?;
            Ok(stopped)
        };
        within(deadline, stop).await
    }

    pub(crate) async fn get(&self, id: &Name, deadline: Deadline) -> Result<Experiment, ExperimentError> {
        let get = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            let found = store::load_experiment(&*connection, id).await?;
            found.ok_or_else(|| ExperimentError::NotFound(id.clone()))
        };
        within(deadline, get).await
    }

    /// The first experiments by id, after one of them.
    pub(crate) async fn list(
        &self,
        after: Option<&Name>,
        page_size: usize,
        deadline: Deadline,
    ) -> Result<Vec<Experiment>, ExperimentError> {
        let list = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            let limit = i64::try_from(page_size).unwrap_or(i64::MAX);
            Ok(store::list_experiments(&*connection, after, limit).await?)
        };
        within(deadline, list).await
    }

    pub(crate) async fn upsert_layer(&self, layer: &Layer, deadline: Deadline) -> Result<(), ExperimentError> {
        let upsert = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            if !store::save_layer(&*connection, layer).await? {
                return Err(ExperimentError::HoldoutRises(layer.id.clone()));
            }
            drop(connection);
            Ok(self.registry.refresh(&self.pool).await?)
        };
        within(deadline, upsert).await
    }

    pub(crate) async fn upsert_flag(&self, design: FlagDesign, deadline: Deadline) -> Result<Flag, ExperimentError> {
        let flag = Flag::new(design)?;
        let upsert = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            store::save_flag(&*connection, flag.design()).await?;
            drop(connection);
            Ok(self.registry.refresh(&self.pool).await?)
        };
        within(deadline, upsert).await?;
        Ok(flag)
    }

    pub(crate) async fn list_flags(&self, deadline: Deadline) -> Result<Vec<Flag>, ExperimentError> {
        let list = async {
            let connection = self.pool.get().await.map_err(pg::Error::from)?;
            Ok(store::list_flags(&*connection).await?)
        };
        within(deadline, list).await
    }
}
