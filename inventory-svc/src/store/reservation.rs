//! Reservations, and the adjustments that share their idempotency rules.

use std::collections::HashMap;

use holdfast_contracts::RequestId;
use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;
use uuid::Uuid;

use super::stored;
use crate::domain::command::Adjustment;
use crate::domain::level::{Level, LevelId, LevelRef, Quantities, Version};
use crate::domain::reservation::{Line, Reservation, State};
use crate::domain::time::Micros;

/// Reservations by id; those that do not exist are missing.
pub(crate) async fn load_reservations(
    db: &impl Execute,
    ids: &[Uuid],
) -> Result<HashMap<RequestId, Reservation>, Error> {
    Ok(fold(&db.query(include_str!("sql/load_reservations.sql"), &[&ids]).await?))
}

/// The same, locked until the transaction ends.
pub(crate) async fn lock_reservations(
    db: &impl Execute,
    ids: &[Uuid],
) -> Result<HashMap<RequestId, Reservation>, Error> {
    Ok(fold(&db.query(include_str!("sql/lock_reservations.sql"), &[&ids]).await?))
}

/// At most about `limit` reservations that have run out and still hold units.
pub(crate) async fn load_due_reservations(db: &impl Execute, limit: i64) -> Result<Vec<Reservation>, Error> {
    let rows = db.query(include_str!("sql/load_due_reservations.sql"), &[&limit]).await?;
    Ok(fold(&rows).into_values().collect())
}

/// Adjustments by request id; those never made are missing.
pub(crate) async fn load_adjustments(db: &impl Execute, ids: &[Uuid]) -> Result<HashMap<RequestId, Adjustment>, Error> {
    let rows = db.query(include_str!("sql/load_adjustments.sql"), &[&ids]).await?;
    Ok(rows.iter().map(read_adjustment).map(|adjustment| (adjustment.id, adjustment)).collect())
}

/// Gathers rows of one line each, ordered by reservation and line.
fn fold(rows: &[Row]) -> HashMap<RequestId, Reservation> {
    let mut reservations: HashMap<RequestId, Reservation> = HashMap::new();
    for row in rows {
        let id = RequestId::from_uuid(row.get("id"));
        let reservation = reservations.entry(id).or_insert_with(|| Reservation {
            id,
            customer: stored(row.get("customer_id")),
            state: State::from_number(row.get("state")).expect("the table's CHECK allows no other"),
            lines: Vec::with_capacity(1),
            fingerprint: row.get("fingerprint"),
            created_at: Micros(row.get("created_us")),
            expires_at: Micros(row.get("expires_us")),
            restocked: row.get("restocked"),
        });
        reservation.lines.push(Line {
            level: LevelRef {
                id: LevelId(row.get("level_id")),
                sku: stored(row.get("sku")),
                location: stored(row.get("location_id")),
            },
            quantity: row.get("quantity"),
            version: Version(row.get("version")),
        });
    }
    reservations
}

fn read_adjustment(row: &Row) -> Adjustment {
    let quantities: Vec<i64> = row.get("quantities");
    let [on_hand, unavailable, safety, held, committed, incoming, in_transit] =
        quantities.try_into().expect("the table's CHECK allows no other length");
    Adjustment {
        id: RequestId::from_uuid(row.get("request_id")),
        level_id: LevelId(row.get("level_id")),
        after: Level {
            quantities: Quantities { on_hand, unavailable, safety, held, committed, incoming, in_transit },
            version: Version(row.get("version")),
        },
        fingerprint: row.get("fingerprint"),
        created_at: Micros(row.get("created_us")),
    }
}
