//! The log of events.

use std::time::SystemTime;

use holdfast_contracts::{IdError, RequestId};
use holdfast_platform::pg::{Error, Execute};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::domain::{Actor, Event, Kind, Time};

/// A place in the log: every entry up to it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    xact: i64,
    seq: i64,
}

impl Position {
    pub(crate) fn new(xact: i64, seq: i64) -> Self {
        Self { xact, seq }
    }

    pub(crate) fn parts(self) -> (i64, i64) {
        (self.xact, self.seq)
    }
}

/// Appends what is new, durably, and returns how many that were; ids that are in the log already are left alone.
pub(crate) async fn insert_events(db: &impl Execute, events: &[Event]) -> Result<u64, Error> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.id.uuid()).collect();
    let kinds: Vec<i16> = events.iter().map(|event| kind_number(event.kind)).collect();
    let customers: Vec<Option<&str>> =
        events.iter().map(|event| event.actor.customer().map(|customer| customer.as_str())).collect();
    let sessions: Vec<Option<&str>> =
        events.iter().map(|event| event.actor.session().map(|session| session.as_str())).collect();
    let products: Vec<&str> = events.iter().map(|event| event.product.as_str()).collect();
    let times: Vec<SystemTime> = events.iter().map(|event| event.time.into()).collect();
    db.execute(include_str!("sql/insert_events.sql"), &[&ids, &kinds, &customers, &sessions, &products, &times]).await
}

/// The next entries after a position that nothing can slip in between any more, in the log's order; with each the
/// position after it.
pub(crate) async fn read_log(
    db: &impl Execute,
    after: Position,
    entries_max: i64,
) -> Result<Vec<(Position, Result<Event, UnreadableEvent>)>, Error> {
    let rows = db.query(include_str!("sql/read_log.sql"), &[&after.xact, &after.seq, &entries_max]).await?;
    Ok(rows.iter().map(|row| (Position { xact: row.get(0), seq: row.get(1) }, read_event(row))).collect())
}

/// Makes a log that came from another server readable on this one; does nothing to any other.
pub(crate) async fn rebase_log(db: &impl Execute) -> Result<u64, Error> {
    db.execute(include_str!("sql/rebase_log.sql"), &[]).await
}

/// Why a row is not an event: somebody wrote past the service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableEvent {
    #[error("{column} {cause}")]
    Id { column: &'static str, cause: IdError },
    #[error("kind {0} is not known")]
    Kind(i16),
    #[error("neither customer_id nor session_id is set")]
    Nobody,
}

fn read_event(row: &Row) -> Result<Event, UnreadableEvent> {
    let bad = |column| move |cause| UnreadableEvent::Id { column, cause };
    let customer = row.get::<_, Option<&str>>(4).map(str::parse).transpose().map_err(bad("customer_id"))?;
    let session = row.get::<_, Option<&str>>(5).map(str::parse).transpose().map_err(bad("session_id"))?;
    Ok(Event {
        id: RequestId::from_uuid(row.get(2)),
        kind: kind_from_number(row.get(3))?,
        actor: Actor::new(customer, session).ok_or(UnreadableEvent::Nobody)?,
        product: row.get::<_, &str>(6).parse().map_err(bad("product_id"))?,
        time: Time::from(row.get::<_, SystemTime>(7)),
    })
}

fn kind_number(kind: Kind) -> i16 {
    match kind {
        Kind::View => 1,
        Kind::AddToCart => 2,
        Kind::Purchase => 3,
    }
}

fn kind_from_number(number: i16) -> Result<Kind, UnreadableEvent> {
    match number {
        1 => Ok(Kind::View),
        2 => Ok(Kind::AddToCart),
        3 => Ok(Kind::Purchase),
        unknown => Err(UnreadableEvent::Kind(unknown)),
    }
}
