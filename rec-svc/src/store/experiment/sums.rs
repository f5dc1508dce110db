//! Units' readings, and the sums of them.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;

use super::Positions;
use super::exposure::small;
use super::outcome::kind_number;
use crate::domain::experiment::{Experiment, Name, Pair, Sums, UnitTotals};

/// A unit of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FoldedUnit {
    pub(crate) id: String,
    pub(crate) variant: usize,
    /// What it has in the sums, a metric; empty where nothing.
    pub(crate) reading: Vec<Pair>,
}

/// Units, kept from exposures until the transaction ends.
pub(crate) async fn lock_units(db: &impl Execute, id: &Name, units: &[&str]) -> Result<Vec<FoldedUnit>, Error> {
    let rows = db.query(include_str!("../sql/load_units.sql"), &[&id.as_str(), &units]).await?;
    let read = |row: &Row| {
        let numbers: Option<Vec<f64>> = row.get("reading");
        let pairs = numbers.unwrap_or_default();
        let reading = pairs.chunks_exact(2).map(|pair| Pair { y: pair[0], w: pair[1] }).collect();
        let variant = usize::try_from(row.get::<_, i16>("variant")).expect("the table's CHECK bounds it");
        FoldedUnit { id: row.get("unit_id"), variant, reading }
    };
    Ok(rows.iter().map(read).collect())
}

/// What these units did around their exposures; those that did nothing are missing.
pub(crate) async fn load_totals(
    db: &impl Execute,
    experiment: &Experiment,
    units: &[&str],
) -> Result<BTreeMap<String, UnitTotals>, Error> {
    let design = experiment.design();
    let names: Vec<&str> = experiment.outcomes().into_iter().map(Name::as_str).collect();
    let seconds = |ms: i64| Duration::from_millis(ms.unsigned_abs()).as_secs_f64();
    let (window, before, kind) = (seconds(design.window_ms), seconds(design.before_ms), kind_number(design.unit));
    let sql = include_str!("../sql/load_totals.sql");
    let rows = db.query(sql, &[&design.id.as_str(), &units, &kind, &names, &window, &before]).await?;
    let mut totals: BTreeMap<String, UnitTotals> = BTreeMap::new();
    for row in &rows {
        let unit = totals.entry(row.get(0)).or_default();
        let Ok(name) = row.get::<_, &str>(1).parse::<Name>() else { continue };
        unit.after.extend(row.get::<_, Option<f64>>(2).map(|sum| (name.clone(), sum)));
        unit.before.extend(row.get::<_, Option<f64>>(3).map(|sum| (name, sum)));
    }
    Ok(totals)
}

/// Writes the readings of units; each has one pair a metric.
pub(crate) async fn save_units(db: &impl Execute, id: &Name, units: &[FoldedUnit]) -> Result<(), Error> {
    let ids: Vec<&str> = units.iter().map(|unit| unit.id.as_str()).collect();
    let numbers: Vec<f64> = units.iter().flat_map(|unit| &unit.reading).flat_map(|pair| [pair.y, pair.w]).collect();
    let each = i32::from(small(2 * units.first().map_or(0, |unit| unit.reading.len())));
    db.execute(include_str!("../sql/save_units.sql"), &[&id.as_str(), &ids, &numbers, &each]).await?;
    Ok(())
}

/// The sums, a variant, a metric.
pub(crate) async fn load_sums(db: &impl Execute, experiment: &Experiment) -> Result<Vec<Vec<Sums>>, Error> {
    let design = experiment.design();
    let mut sums = vec![vec![Sums::default(); design.metrics.len()]; design.variants.len()];
    let rows = db.query(include_str!("../sql/load_sums.sql"), &[&design.id.as_str()]).await?;
    for row in &rows {
        let place = |column| usize::try_from(row.get::<_, i16>(column)).unwrap_or(usize::MAX);
        let Some(slot) = sums.get_mut(place("variant")).and_then(|metrics| metrics.get_mut(place("metric"))) else {
            continue;
        };
        *slot = Sums {
            units: row.get::<_, i64>("units").unsigned_abs(),
            y: row.get("y"),
            w: row.get("w"),
            yy: row.get("yy"),
            ww: row.get("ww"),
            yw: row.get("yw"),
        };
    }
    Ok(sums)
}

pub(crate) async fn save_sums(db: &impl Execute, id: &Name, sums: &[Vec<Sums>]) -> Result<(), Error> {
    let (mut variants, mut metrics, mut units) = (Vec::new(), Vec::new(), Vec::new());
    let mut columns: [Vec<f64>; 5] = Default::default();
    for (variant, of_variant) in sums.iter().enumerate() {
        for (metric, sums) in of_variant.iter().enumerate() {
            variants.push(small(variant));
            metrics.push(small(metric));
            units.push(i64::try_from(sums.units).unwrap_or(i64::MAX));
            let values = [sums.y, sums.w, sums.yy, sums.ww, sums.yw];
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
    }
    let [y, w, yy, ww, yw] = &columns;
    let sql = include_str!("../sql/save_sums.sql");
    db.execute(sql, &[&id.as_str(), &variants, &metrics, &units, y, w, yy, ww, yw]).await?;
    Ok(())
}

pub(crate) async fn save_positions(db: &impl Execute, id: &Name, positions: Positions) -> Result<(), Error> {
    let ((outcome_xact, outcome_seq), (event_xact, event_seq)) = (positions.outcomes.parts(), positions.events.parts());
    let sql = include_str!("../sql/save_positions.sql");
    db.execute(sql, &[&id.as_str(), &outcome_xact, &outcome_seq, &event_xact, &event_seq]).await?;
    Ok(())
}
