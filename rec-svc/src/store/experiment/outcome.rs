//! The log of what metrics are made of.

use std::time::SystemTime;

use holdfast_contracts::RequestId;
use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::domain::Time;
use crate::domain::experiment::{Experiment, Name, Unit, UnitKind};
use crate::store::event::Position;

/// One line of the log: an outcome of one customer or session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) id: RequestId,
    pub(crate) kind: UnitKind,
    pub(crate) unit: Unit,
    pub(crate) name: Name,
    pub(crate) value: f64,
    pub(crate) time: Time,
}

/// A part of a log: where it ends, and the units of an experiment whose reading it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) end: Position,
    pub(crate) entries: usize,
    pub(crate) units: Vec<String>,
}

/// Appends what is new, durably, and returns how many ids were.
pub(crate) async fn insert_outcomes(db: &impl Execute, told: &[Told]) -> Result<i64, Error> {
    let ids: Vec<Uuid> = told.iter().map(|told| told.id.uuid()).collect();
    let kinds: Vec<i16> = told.iter().map(|told| kind_number(told.kind)).collect();
    let units: Vec<&str> = told.iter().map(|told| told.unit.as_str()).collect();
    let names: Vec<&str> = told.iter().map(|told| told.name.as_str()).collect();
    let values: Vec<f64> = told.iter().map(|told| told.value).collect();
    let times: Vec<SystemTime> = told.iter().map(|told| told.time.into()).collect();
    let sql = include_str!("../sql/insert_outcomes.sql");
    Ok(db.query_one(sql, &[&ids, &kinds, &units, &names, &values, &times]).await?.get(0))
}

/// The outcomes after a position that nothing can slip in between any more.
pub(crate) async fn read_outcomes(
    db: &impl Execute,
    experiment: &Experiment,
    after: Position,
    limit: i64,
) -> Result<Page, Error> {
    let design = experiment.design();
    let (xact, seq) = after.parts();
    let names: Vec<&str> = experiment.outcomes().into_iter().map(Name::as_str).collect();
    let kind = kind_number(design.unit);
    let sql = include_str!("../sql/read_outcomes.sql");
    let rows = db.query(sql, &[&design.id.as_str(), &xact, &seq, &limit, &kind, &names]).await?;
    Ok(read_page(&rows, after))
}

/// The same of the log of events.
pub(crate) async fn read_conversions(
    db: &impl Execute,
    experiment: &Experiment,
    after: Position,
    limit: i64,
) -> Result<Page, Error> {
    let design = experiment.design();
    let (xact, seq) = after.parts();
    let kind = kind_number(design.unit);
    let sql = include_str!("../sql/read_conversions.sql");
    let rows = db.query(sql, &[&design.id.as_str(), &xact, &seq, &limit, &kind]).await?;
    Ok(read_page(&rows, after))
}

/// Whether something was told that is not folded: what a transaction under way may still slip in before cannot be yet.
pub(crate) async fn is_behind(db: &impl Execute, id: &Name) -> Result<bool, Error> {
    let row = db.query_opt(include_str!("../sql/is_behind.sql"), &[&id.as_str()]).await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

fn read_page(rows: &[Row], after: Position) -> Page {
    let end = rows.last().map_or(after, |row| Position::new(row.get(0), row.get(1)));
    let units = rows.iter().filter_map(|row| row.get(2)).collect();
    Page { end, entries: rows.len(), units }
}

pub(super) fn kind_number(kind: UnitKind) -> i16 {
    match kind {
        UnitKind::Customer => 1,
        UnitKind::Session => 2,
    }
}
