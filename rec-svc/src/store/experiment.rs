//! Experiments, layers and flags as they are defined; below it, what they come to.

pub(crate) mod exposure;
pub(crate) mod outcome;
pub(crate) mod sums;

use std::time::{Duration, SystemTime};

use holdfast_platform::pg::{self, Execute};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Json;

use super::event::Position;
use crate::domain::Time;
use crate::domain::experiment::{
    AllocationError, BUCKETS, Design, DesignError, Experiment, Flag, FlagDesign, Layer, Name, Share,
};

/// Why what is stored cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Store(#[from] pg::Error),
    #[error("a stored experiment is not one: {0}")]
    Design(#[from] DesignError),
    #[error("a stored flag is not one: {0}")]
    Flag(#[from] AllocationError),
}

/// How far the logs are folded into an experiment's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Positions {
    pub(crate) outcomes: Position,
    pub(crate) events: Position,
}

/// What a save came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Done,
    /// Another experiment of the layer has some of the buckets then.
    BucketsTaken,
    /// It was made by somebody else meanwhile.
    Raced,
}

/// Makes a layer that holds out nobody, where there is none.
pub(crate) async fn insert_layer(db: &impl Execute, id: &Name) -> Result<(), pg::Error> {
    db.execute(include_str!("sql/insert_layer.sql"), &[&id.as_str()]).await?;
    Ok(())
}

/// Whether it was saved: not where it would take units out of an experiment that runs.
pub(crate) async fn save_layer(db: &impl Execute, layer: &Layer) -> Result<bool, pg::Error> {
    let holdout = integer(layer.holdout.millionths());
    Ok(db.execute(include_str!("sql/save_layer.sql"), &[&layer.id.as_str(), &holdout]).await? == 1)
}

pub(crate) async fn load_experiment(db: &impl Execute, id: &Name) -> Result<Option<Experiment>, LoadError> {
    let row = db.query_opt(include_str!("sql/load_experiment.sql"), &[&id.as_str()]).await?;
    row.map(|row| read_experiment(&row)).transpose()
}

/// The same, kept from other writers and folders until the transaction ends.
pub(crate) async fn lock_experiment(
    db: &impl Execute,
    id: &Name,
) -> Result<Option<(Experiment, Positions)>, LoadError> {
    let Some(row) = db.query_opt(include_str!("sql/lock_experiment.sql"), &[&id.as_str()]).await? else {
        return Ok(None);
    };
    let outcomes = Position::new(row.get("outcome_xact"), row.get("outcome_seq"));
    let events = Position::new(row.get("event_xact"), row.get("event_seq"));
    Ok(Some((read_experiment(&row)?, Positions { outcomes, events })))
}

/// The first experiments by id, after one of them.
pub(crate) async fn list_experiments(
    db: &impl Execute,
    after: Option<&Name>,
    limit: i64,
) -> Result<Vec<Experiment>, LoadError> {
    let after = after.map_or("", Name::as_str);
    let rows = db.query(include_str!("sql/list_experiments.sql"), &[&after, &limit]).await?;
    rows.iter().map(read_experiment).collect()
}

/// Those whose exposures count, will count, or did so no longer ago than `grace`, with their layers. What nobody can read
/// stops none of the others.
pub(crate) async fn load_current(db: &impl Execute, grace: Duration) -> Result<Vec<(Experiment, Layer)>, pg::Error> {
    let rows = db.query(include_str!("sql/load_current_experiments.sql"), &[&grace.as_secs_f64()]).await?;
    let read = |row: &Row| {
        let experiment = readable(read_experiment(row))?;
        let layer = Layer { id: experiment.design().layer.clone(), holdout: read_share(row.get("holdout_millionths")) };
        Some((experiment, layer))
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// None of what was written past the service.
fn readable<T>(read: Result<T, LoadError>) -> Option<T> {
    read.inspect_err(|error| tracing::error!(%error, "an experiment or flag that nobody can read is left out")).ok()
}

/// Writes a design; `found` says whether there was one, which must still be so.
pub(crate) async fn save_experiment(db: &impl Execute, design: &Design, found: bool) -> Result<Saved, pg::Error> {
    let at = |ms| Time::from_ms(ms).map_or(SystemTime::UNIX_EPOCH, SystemTime::from);
    let (from, to) = (i64::from(design.buckets.from()), i64::from(design.buckets.to()));
    debug_assert!(to <= i64::from(BUCKETS), "layers lie behind each other");
    let (starts_at, ends_at) = (at(design.starts_at_ms), at(design.ends_at_ms));
    let saved = db
        .execute(
            include_str!("sql/save_experiment.sql"),
            &[&design.id.as_str(), &design.layer.as_str(), &from, &to, &starts_at, &ends_at, &Json(design), &found],
        )
        .await;
    match saved {
        Ok(1) => Ok(Saved::Done),
        Ok(_) => Ok(Saved::Raced),
        Err(error) if error.sql_state() == Some(&SqlState::EXCLUSION_VIOLATION) => Ok(Saved::BucketsTaken),
        Err(error) => Err(error),
    }
}

pub(crate) async fn stop_experiment(db: &impl Execute, id: &Name, at: Time) -> Result<(), pg::Error> {
    db.execute(include_str!("sql/stop_experiment.sql"), &[&id.as_str(), &SystemTime::from(at)]).await?;
    Ok(())
}

pub(crate) async fn save_flag(db: &impl Execute, design: &FlagDesign) -> Result<(), pg::Error> {
    db.execute(include_str!("sql/save_flag.sql"), &[&design.id.as_str(), &Json(design)]).await?;
    Ok(())
}

/// All flags, by id; what nobody can read is left out.
pub(crate) async fn list_flags(db: &impl Execute) -> Result<Vec<Flag>, pg::Error> {
    let rows = db.query(include_str!("sql/list_flags.sql"), &[]).await?;
    let read = |row: &Row| {
        let Json(design) = row.try_get::<_, Json<FlagDesign>>("design").map_err(pg::Error::from)?;
        Ok(Flag::new(design)?)
    };
    Ok(rows.iter().filter_map(|row| readable(read(row))).collect())
}

/// Makes logs that came from another server readable on this one; does nothing to any other.
pub(crate) async fn rebase(db: &impl Execute, events_rebased: u64) -> Result<(), pg::Error> {
    let outcomes_rebased = db.execute(include_str!("sql/rebase_outcomes.sql"), &[]).await?;
    let rebased = events_rebased + outcomes_rebased > 0;
    db.execute(include_str!("sql/rebase_positions.sql"), &[&rebased]).await?;
    Ok(())
}

fn read_experiment(row: &Row) -> Result<Experiment, LoadError> {
    let Json(design) = row.try_get::<_, Json<Design>>("design").map_err(pg::Error::from)?;
    let stopped_at = row.get::<_, Option<SystemTime>>("stopped_at").map(Time::from);
    Ok(Experiment::new(design, stopped_at)?)
}

fn read_share(millionths: i32) -> Share {
    u32::try_from(millionths).ok().and_then(Share::from_millionths).expect("the table's CHECK bounds it")
}

/// Millionths, as the table keeps them.
fn integer(millionths: u32) -> i32 {
    i32::try_from(millionths).expect("at most a million")
}
