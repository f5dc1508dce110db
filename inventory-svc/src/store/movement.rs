//! The ledger, and the log of commits that replicas tail.

use holdfast_contracts::RequestId;
use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::domain::effects::MovementKind;
use crate::domain::level::{LevelId, Version};
use crate::domain::time::Micros;

/// A ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub level: LevelId,
    pub version: Version,
    pub kind: MovementKind,
    pub quantity: i64,
    pub reservation: Option<RequestId>,
    pub reason: Option<i16>,
    pub created_at: Micros,
}

/// One page of some levels' ledgers, after a position.
pub(crate) async fn list_movements(
    db: &impl Execute,
    levels: &[i64],
    after: (LevelId, Version),
    limit: i64,
) -> Result<Vec<Movement>, Error> {
    let sql = include_str!("sql/list_movements.sql");
    let rows = db.query(sql, &[&levels, &after.0.0, &after.1.0, &limit]).await?;
    Ok(rows.iter().map(read_movement).collect())
}

/// A level's movements with versions in `(after, up_to]`, oldest first, at most `limit`.
pub(crate) async fn load_movements_of_level(
    db: &impl Execute,
    level: LevelId,
    after: Version,
    up_to: Version,
    limit: i64,
) -> Result<Vec<Movement>, Error> {
    let sql = include_str!("sql/load_movements_of_level.sql");
    let rows = db.query(sql, &[&level.0, &after.0, &up_to.0, &limit]).await?;
    Ok(rows.iter().map(read_movement).collect())
}

fn read_movement(row: &Row) -> Movement {
    Movement {
        level: LevelId(row.get("level_id")),
        version: Version(row.get("version")),
        kind: MovementKind::from_number(row.get("kind")).expect("the table's CHECK allows no other"),
        quantity: i64::from(row.get::<_, i32>("quantity")),
        reservation: row.get::<_, Option<Uuid>>("reservation_id").map(RequestId::from_uuid),
        reason: row.get("reason"),
        created_at: Micros(row.get("created_us")),
    }
}

/// A position in the log of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CommitPosition {
    pub xid: i64,
    pub seq: i64,
}

/// Which levels a commit moved, and between which versions.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub position: CommitPosition,
    /// (level, version found, version left).
    pub levels: Vec<(LevelId, Version, Version)>,
}

/// The position to tail from so as to see every commit from now on.
pub(crate) async fn load_tail_start(db: &impl Execute) -> Result<CommitPosition, Error> {
    let row = db.query_one(include_str!("sql/tail_start.sql"), &[]).await?;
    Ok(CommitPosition { xid: row.get("xid"), seq: i64::MAX })
}

/// Commits after a position, oldest first.
pub(crate) async fn tail_commits(db: &impl Execute, after: CommitPosition, limit: i64) -> Result<Vec<Commit>, Error> {
    let rows = db.query(include_str!("sql/tail_commits.sql"), &[&after.xid, &after.seq, &limit]).await?;
    Ok(rows.iter().map(read_commit).collect())
}

/// Makes a log that came from another server readable on this one; does nothing to any other.
pub(crate) async fn rebase_log(db: &impl Execute) -> Result<u64, Error> {
    db.execute(include_str!("sql/rebase_log.sql"), &[]).await
}

/// Forgets up to `limit` commits more than `transactions_kept` transactions old; returns how many.
pub(crate) async fn prune_commits(db: &impl Execute, transactions_kept: i64, limit: i64) -> Result<i64, Error> {
    let row = db.query_one(include_str!("sql/prune_commits.sql"), &[&transactions_kept, &limit]).await?;
    Ok(row.get("commits"))
}

fn read_commit(row: &Row) -> Commit {
    let versions = |column: &str| row.get::<_, Vec<i64>>(column).into_iter().map(Version);
    let ids = row.get::<_, Vec<i64>>("level_ids").into_iter().map(LevelId);
    Commit {
        position: CommitPosition { xid: row.get("xid"), seq: row.get("seq") },
        levels: ids
            .zip(versions("versions_found").zip(versions("versions_left")))
            .map(|(id, (found, left))| (id, found, left))
            .collect(),
    }
}
