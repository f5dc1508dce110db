//! Turns what was recorded into sums. A unit is in them once its time is over; where something of it is told later, it is
//! taken out and put in again as it now is. What is written is a function of the logs alone, however often it is done.

use std::collections::BTreeSet;

use holdfast_platform::pg;

use super::{ExperimentError, Experiments};
use crate::domain::Time;
use crate::domain::experiment::{Experiment, Name, Sums, UnitTotals};
use crate::store::experiment::exposure::list_due_units;
use crate::store::experiment::outcome::{read_conversions, read_outcomes};
use crate::store::experiment::sums::{
    FoldedUnit, load_sums, load_totals, lock_units, save_positions, save_sums, save_units,
};
use crate::store::experiment::{Positions, lock_experiment};

/// How many units or lines of a log one transaction takes at most.
const PAGE_MAX: usize = 2_000;

/// Whether there may be more to fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    CaughtUp,
    More,
}

impl Experiments {
    /// One step, in one transaction; replicas take turns.
    pub(crate) async fn fold_page(&self, id: &Name, now: Time) -> Result<Folded, ExperimentError> {
        let mut connection = self.pool.get().await.map_err(pg::Error::from)?;
        let tx = connection.transaction().await?;
        let found = lock_experiment(&tx, id).await?;
        let (experiment, positions) = found.ok_or_else(|| ExperimentError::NotFound(id.clone()))?;
        let (units, next, folded) = find_units(&tx, &experiment, positions, now).await?;
        if next != positions {
            save_positions(&tx, id, next).await?;
        }
        if !units.is_empty() {
            fold_units(&tx, &experiment, &units).await?;
        }
        tx.commit().await?;
        Ok(folded)
    }
}

/// The units whose reading is to be taken, or taken again.
async fn find_units(
    tx: &pg::Transaction<'_>,
    experiment: &Experiment,
    from: Positions,
    now: Time,
) -> Result<(BTreeSet<String>, Positions, Folded), pg::Error> {
    let design = experiment.design();
    let limit = i64::try_from(PAGE_MAX).unwrap_or(i64::MAX);
    let over = Time::from_ms(now.ms().saturating_sub(design.window_ms)).unwrap_or_default();
    // The logs first: a unit they do not find folded is found by the other list, or is not due yet.
    let outcomes = read_outcomes(tx, experiment, from.outcomes, limit).await?;
    let events = read_conversions(tx, experiment, from.events, limit).await?;
    let due = list_due_units(tx, &design.id, over, limit).await?;
    let more = [outcomes.entries, events.entries, due.len()].contains(&PAGE_MAX);
    let next = Positions { outcomes: outcomes.end, events: events.end };
    let units = outcomes.units.into_iter().chain(events.units).chain(due).collect();
    Ok((units, next, if more { Folded::More } else { Folded::CaughtUp }))
}

async fn fold_units(
    tx: &pg::Transaction<'_>,
    experiment: &Experiment,
    units: &BTreeSet<String>,
) -> Result<(), pg::Error> {
    let id = &experiment.design().id;
    let ids: Vec<&str> = units.iter().map(String::as_str).collect();
    let mut units = lock_units(tx, id, &ids).await?;
    let totals = load_totals(tx, experiment, &ids).await?;
    let mut sums = load_sums(tx, experiment).await?;
    let nothing = UnitTotals::default();
    for unit in &mut units {
        if let Some(sums) = sums.get_mut(unit.variant) {
            read_again(experiment, unit, totals.get(&unit.id).unwrap_or(&nothing), sums);
        }
    }
    save_units(tx, id, &units).await?;
    save_sums(tx, id, &sums).await
}

/// Replaces what a unit has in its variant's sums.
fn read_again(experiment: &Experiment, unit: &mut FoldedUnit, totals: &UnitTotals, sums: &mut [Sums]) {
    for (sums, old) in sums.iter_mut().zip(&unit.reading) {
        sums.remove(*old);
    }
    unit.reading = experiment.design().metrics.iter().map(|metric| metric.read(totals)).collect();
    for (sums, new) in sums.iter_mut().zip(&unit.reading) {
        sums.add(*new);
    }
}
