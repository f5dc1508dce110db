//! Who met the difference.

use std::collections::BTreeMap;
use std::time::SystemTime;

use holdfast_platform::pg::{Error, Execute};

use crate::domain::Time;
use crate::domain::experiment::{Name, Unit};

/// A unit that met the difference, with the variant the hash gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) experiment: Name,
    pub(crate) unit: Unit,
    pub(crate) variant: usize,
    pub(crate) at: Time,
}

/// Makes exposures durable, and returns how many units were new.
pub(crate) async fn insert_exposures(db: &impl Execute, exposed: &[Exposed]) -> Result<i64, Error> {
    let experiments: Vec<&str> = exposed.iter().map(|exposed| exposed.experiment.as_str()).collect();
    let units: Vec<&str> = exposed.iter().map(|exposed| exposed.unit.as_str()).collect();
    let variants: Vec<i16> = exposed.iter().map(|exposed| small(exposed.variant)).collect();
    let times: Vec<SystemTime> = exposed.iter().map(|exposed| exposed.at.into()).collect();
    let sql = include_str!("../sql/insert_exposures.sql");
    Ok(db.query_one(sql, &[&experiments, &units, &variants, &times]).await?.get(0))
}

/// Units exposed, a variant.
pub(crate) async fn load_exposed(db: &impl Execute, id: &Name, variants: usize) -> Result<Vec<u64>, Error> {
    let rows = db.query(include_str!("../sql/load_exposed.sql"), &[&id.as_str()]).await?;
    let counts: BTreeMap<i16, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let count = |variant| counts.get(&small(variant)).map_or(0, |units| units.unsigned_abs());
    Ok((0..variants).map(count).collect())
}

/// Units exposed by `before` whose reading is still to be taken, the earliest first.
pub(crate) async fn list_due_units(
    db: &impl Execute,
    id: &Name,
    before: Time,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let rows =
        db.query(include_str!("../sql/due_units.sql"), &[&id.as_str(), &SystemTime::from(before), &limit]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A variant's or a metric's number, as the tables keep it.
pub(super) fn small(number: usize) -> i16 {
    i16::try_from(number).expect("an experiment has some dozens at most")
}
