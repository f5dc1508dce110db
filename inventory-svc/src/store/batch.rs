//! Writing a decided batch: one statement, all or nothing.

use holdfast_platform::pg::{Error, Execute};
use uuid::Uuid;

use crate::domain::effects::{Effects, LevelWrite};
use crate::domain::level::Quantities;
use crate::domain::time::Micros;

/// SQLSTATE of a batch that was decided on something that is no longer so.
const MISMATCH: &str = "HF001";

/// What the database said of a batch it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// The transaction's time: what holds and movements are stamped with.
    pub now: Micros,
    /// Whether any hold has run out and is still to be reclaimed (asked only where `ask_due`).
    pub due: bool,
}

/// Why a batch was not written. Nothing of it was, unless the connection was lost: then nobody knows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("decided on something that is no longer so")]
    Mismatch,
    #[error(transparent)]
    Database(#[from] Error),
}

impl WriteError {
    fn from_database(error: Error) -> Self {
        match error.sql_state() {
            Some(state) if state.code() == MISMATCH => Self::Mismatch,
            // The same id was inserted by somebody else since: a repetition, to be answered from what is stored.
            Some(state) if *state == tokio_postgres::error::SqlState::UNIQUE_VIOLATION => Self::Mismatch,
            Some(_) | None => Self::Database(error),
        }
    }
}

/// Writes a batch's effects, checking everything it was decided on. A batch without effects is only checked.
pub(crate) async fn save_batch(db: &impl Execute, effects: &Effects, ask_due: bool) -> Result<Written, WriteError> {
    let written = if effects.movements.is_empty() && effects.transitions.is_empty() {
        check(db, effects, ask_due).await
    } else if only_holds(effects) {
        write_holds(db, effects).await
    } else {
        write(db, effects, ask_due).await
    };
    match written {
        Ok(Some(written)) => Ok(written),
        Ok(None) => Err(WriteError::Mismatch),
        Err(error) => Err(WriteError::from_database(error)),
    }
}

async fn check(db: &impl Execute, effects: &Effects, ask_due: bool) -> Result<Option<Written>, Error> {
    let ids: Vec<i64> = effects.levels.keys().map(|id| id.0).collect();
    let versions: Vec<i64> = effects.levels.values().map(|write| write.version_found.0).collect();
    let row =
        db.query_one(include_str!("sql/check_levels.sql"), &[&ids, &versions, &ask_due, &refused_ids(effects)]).await?;
    let matched: bool = row.get("matched");
    Ok(matched.then(|| Written { now: Micros(row.get("now_us")), due: row.get("due") }))
}

/// A struct of columns for `unnest`: one vector a column, pushed row by row.
macro_rules! columns {
    ($name:ident { $($column:ident: $type:ty),* $(,)? }) => {
        struct $name { $($column: Vec<$type>),* }

        impl $name {
            fn with_capacity(rows: usize) -> Self {
                Self { $($column: Vec::with_capacity(rows)),* }
            }
        }
    };
}

columns!(LevelColumns {
    id: i64,
    version_found: i64,
    version_left: i64,
    on_hand: i64,
    unavailable: i64,
    safety: i64,
    held: i64,
    committed: i64,
    incoming: i64,
    in_transit: i64,
});
columns!(SeenColumns { id: i64, version_found: i64 });
columns!(TransitionColumns {
    id: Uuid,
    from_state: i16,
    to_state: i16,
    clock: i16,
    ttl_ms: Option<i64>,
    restocks: bool,
});
columns!(HoldColumns {
    id: Uuid,
    line: i16,
    level_id: i64,
    version: i64,
    quantity: i32,
    fingerprint: i64,
    ttl_ms: i64,
});
columns!(MovementColumns {
    level_id: i64,
    version: i64,
    kind: i16,
    quantity: i32,
    reservation_id: Option<Uuid>,
    reason: Option<i16>,
});
columns!(AdjustmentColumns {
    request_id: Uuid,
    level_id: i64,
    fingerprint: i64,
    version: i64,
    on_hand: i64,
    unavailable: i64,
    safety: i64,
    held: i64,
    committed: i64,
    incoming: i64,
    in_transit: i64,
});

/// Whether nothing but holds is to be written, and nobody was refused.
fn only_holds(effects: &Effects) -> bool {
    effects.transitions.is_empty()
        && effects.adjustments.is_empty()
        && effects.refused.is_empty()
        && effects.levels.values().all(LevelWrite::is_change)
}

async fn write_holds(db: &impl Execute, effects: &Effects) -> Result<Option<Written>, Error> {
    let (levels, _) = level_columns(effects);
    let (holds, customers) = hold_columns(effects);
    let row = db
        .query_opt(
            include_str!("sql/commit_holds.sql"),
            &[
                &levels.id,
                &levels.version_found,
                &levels.version_left,
                &levels.held,
                &customers,
                &holds.id,
                &holds.line,
                &holds.level_id,
                &holds.version,
                &holds.quantity,
                &holds.fingerprint,
                &holds.ttl_ms,
            ],
        )
        .await?;
    Ok(row.map(|row| Written { now: Micros(row.get("now_us")), due: false }))
}

async fn write(db: &impl Execute, effects: &Effects, ask_due: bool) -> Result<Option<Written>, Error> {
    let (levels, seen) = level_columns(effects);
    let transitions = transition_columns(effects);
    let (holds, customers) = hold_columns(effects);
    let movements = movement_columns(effects);
    let adjustments = adjustment_columns(effects);
    let transitions_expected: i64 =
        effects.transitions.iter().map(|transition| i64::try_from(transition.lines).unwrap_or(i64::MAX)).sum();
    let row = db
        .query_opt(
            include_str!("sql/commit_batch.sql"),
            &[
                &levels.id,
                &levels.version_found,
                &levels.version_left,
                &levels.on_hand,
                &levels.unavailable,
                &levels.safety,
                &levels.held,
                &levels.committed,
                &levels.incoming,
                &levels.in_transit,
                &seen.id,
                &seen.version_found,
                &transitions.id,
                &transitions.from_state,
                &transitions.to_state,
                &transitions.clock,
                &transitions.ttl_ms,
                &transitions.restocks,
                &holds.id,
                &holds.line,
                &holds.level_id,
                &holds.version,
                &holds.quantity,
                &holds.fingerprint,
                &customers,
                &holds.ttl_ms,
                &movements.level_id,
                &movements.version,
                &movements.kind,
                &movements.quantity,
                &movements.reservation_id,
                &movements.reason,
                &adjustments.request_id,
                &adjustments.level_id,
                &adjustments.fingerprint,
                &adjustments.version,
                &adjustments.on_hand,
                &adjustments.unavailable,
                &adjustments.safety,
                &adjustments.held,
                &adjustments.committed,
                &adjustments.incoming,
                &adjustments.in_transit,
                &transitions_expected,
                &ask_due,
                &refused_ids(effects),
            ],
        )
        .await?;
    Ok(row.map(|row| Written { now: Micros(row.get("now_us")), due: row.get("due") }))
}

fn level_columns(effects: &Effects) -> (LevelColumns, SeenColumns) {
    let mut columns = LevelColumns::with_capacity(effects.levels.len());
    let mut seen = SeenColumns::with_capacity(0);
    for (id, write) in &effects.levels {
        if !write.is_change() {
            seen.id.push(id.0);
            seen.version_found.push(write.version_found.0);
            continue;
        }
        let Quantities { on_hand, unavailable, safety, held, committed, incoming, in_transit } = write.after.quantities;
        columns.id.push(id.0);
        columns.version_found.push(write.version_found.0);
        columns.version_left.push(write.after.version.0);
        columns.on_hand.push(on_hand);
        columns.unavailable.push(unavailable);
        columns.safety.push(safety);
        columns.held.push(held);
        columns.committed.push(committed);
        columns.incoming.push(incoming);
        columns.in_transit.push(in_transit);
    }
    (columns, seen)
}

fn refused_ids(effects: &Effects) -> Vec<Uuid> {
    effects.refused.iter().map(|id| id.uuid()).collect()
}

fn transition_columns(effects: &Effects) -> TransitionColumns {
    let mut columns = TransitionColumns::with_capacity(effects.transitions.len());
    // In key order, as all row locks are taken.
    let mut transitions: Vec<_> = effects.transitions.iter().collect();
    transitions.sort_unstable_by_key(|transition| transition.id);
    for transition in transitions {
        columns.id.push(transition.id.uuid());
        columns.from_state.push(transition.from as i16);
        columns.to_state.push(transition.to as i16);
        columns.clock.push(transition.clock as i16);
        columns.ttl_ms.push(transition.ttl_ms);
        columns.restocks.push(transition.restocks);
    }
    columns
}

fn hold_columns(effects: &Effects) -> (HoldColumns, Vec<&str>) {
    let rows = effects.holds.len();
    let mut columns = HoldColumns::with_capacity(rows);
    let mut customers = Vec::with_capacity(rows);
    for hold in &effects.holds {
        let reservation = &hold.reservation;
        for (number, line) in (0_i16..).zip(&reservation.lines) {
            columns.id.push(reservation.id.uuid());
            columns.line.push(number);
            columns.level_id.push(line.level.id.0);
            columns.version.push(line.version.0);
            columns.quantity.push(line.quantity);
            columns.fingerprint.push(reservation.fingerprint);
            columns.ttl_ms.push(hold.ttl_ms);
            customers.push(reservation.customer.as_str());
        }
    }
    (columns, customers)
}

fn movement_columns(effects: &Effects) -> MovementColumns {
    let mut columns = MovementColumns::with_capacity(effects.movements.len());
    for movement in &effects.movements {
        columns.level_id.push(movement.level.0);
        columns.version.push(movement.version.0);
        columns.kind.push(movement.kind as i16);
        columns.quantity.push(i32::try_from(movement.quantity).expect("quantities are bounded by UNITS_MAX"));
        columns.reservation_id.push(movement.reservation.map(holdfast_contracts::RequestId::uuid));
        columns.reason.push(movement.reason.map(|reason| reason as i16));
    }
    columns
}

fn adjustment_columns(effects: &Effects) -> AdjustmentColumns {
    let mut columns = AdjustmentColumns::with_capacity(effects.adjustments.len());
    for adjustment in &effects.adjustments {
        let Quantities { on_hand, unavailable, safety, held, committed, incoming, in_transit } =
            adjustment.after.quantities;
        columns.request_id.push(adjustment.id.uuid());
        columns.level_id.push(adjustment.level_id.0);
        columns.fingerprint.push(adjustment.fingerprint);
        columns.version.push(adjustment.after.version.0);
        columns.on_hand.push(on_hand);
        columns.unavailable.push(unavailable);
        columns.safety.push(safety);
        columns.held.push(held);
        columns.committed.push(committed);
        columns.incoming.push(incoming);
        columns.in_transit.push(in_transit);
    }
    columns
}
