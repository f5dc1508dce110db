//! Where a group stands: a row of its inbox for each partition, `purchases/3`, moved in the transaction of the effects.
//! So a crash anywhere leaves both or neither, and of two members that believe a partition theirs only one moves it.

use std::collections::BTreeMap;

use tokio_postgres::error::SqlState;

use super::place::Places;
use crate::bus::inbox::Inbox;
use crate::bus::{Error, Group, Topic};
use crate::pg::{self, Connection, Execute, Params};

/// Where a group stands in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand {
    /// The number of the event to come next.
    pub(super) next: i64,
    /// When the one before it arrived at the broker; 0 where that is not known. A topic that was deleted and made
    /// again counts from 0 again, and the event of that number is another one: this tells.
    pub(super) arrived_ms: i64,
}

pub(super) type Stands = BTreeMap<i32, Stand>;

/// See the module.
pub(super) struct Standing {
    inbox: Inbox,
}

impl Standing {
    pub(super) fn new(topic: &Topic, group: &Group) -> Self {
        Self { inbox: Inbox::new(topic.clone(), group.clone()) }
    }

    pub(super) async fn connect(&self, database_url: &str) -> Result<Connection, Error> {
        self.inbox.connect(database_url).await
    }

    /// Where the group stands; partitions it never stood in are left out.
    pub(super) async fn load(&self, db: &impl Execute, partitions: impl Iterator<Item = i32>) -> Result<Stands, Error> {
        let rows: BTreeMap<String, i32> = partitions.map(|partition| (self.row(partition), partition)).collect();
        let names: Vec<&str> = rows.keys().map(String::as_str).collect();
        let params: Params<'_> = &[&self.inbox.topic().as_str(), &names];
        let found = db.query(include_str!("sql/load_places.sql"), params).await.map_err(|error| self.explain(error))?;
        let stands = found.iter().filter_map(|row| {
            let place: Vec<i64> = row.get("place");
            let partition = rows.get(row.get::<_, &str>("consumer"))?;
            Some((*partition, Stand { next: *place.get(2)?, arrived_ms: *place.get(1)? }))
        });
        Ok(stands.collect())
    }

    /// Writes down where a new group begins; leaves one that stands somewhere alone.
    pub(super) async fn begin(&self, db: &impl Execute, places: &Places) -> Result<(), Error> {
        self.put(db, include_str!("sql/begin_places.sql"), places).await
    }

    /// Puts the group somewhere, whatever its members are doing, and forgets what it has seen.
    pub(super) async fn rewind(&self, db: &mut Connection, places: &Places) -> Result<(), Error> {
        let tx = db.transaction().await?;
        // First the places: no member claims a batch until what was seen is forgotten too.
        self.put(&tx, include_str!("sql/set_places.sql"), places).await?;
        self.inbox.forget_seen(&tx).await?;
        Ok(tx.commit().await?)
    }

    /// Moves the group on in the partitions of `left`; false where it does not stand as found in all of them.
    pub(super) async fn claim(&self, db: &impl Execute, found: &Stands, left: &Stands) -> Result<bool, Error> {
        let moves: Vec<(String, Stand, Stand)> = left
            .iter()
            .filter_map(|(partition, left)| Some((self.row(*partition), *found.get(partition)?, *left)))
            .collect();
        if moves.len() < left.len() {
            return Ok(false);
        }
        let names: Vec<&str> = moves.iter().map(|(name, ..)| name.as_str()).collect();
        let column = |of: fn(&(String, Stand, Stand)) -> i64| moves.iter().map(of).collect::<Vec<i64>>();
        let found_arrived_ms = column(|(_, found, _)| found.arrived_ms);
        let found_next = column(|(_, found, _)| found.next);
        let (arrived_ms, next) = (column(|(_, _, left)| left.arrived_ms), column(|(_, _, left)| left.next));
        let topic = self.inbox.topic().as_str();
        let params: Params<'_> = &[&topic, &names, &found_arrived_ms, &found_next, &arrived_ms, &next];
        let moved =
            db.execute(include_str!("sql/claim_places.sql"), params).await.map_err(|error| self.explain(error))?;
        Ok(moved == moves.len() as u64)
    }

    async fn put(&self, db: &impl Execute, sql: &'static str, places: &Places) -> Result<(), Error> {
        let names: Vec<String> = places.keys().map(|partition| self.row(*partition)).collect();
        let nexts: Vec<i64> = places.values().copied().collect();
        let unknown = vec![0_i64; nexts.len()];
        let params: Params<'_> = &[&self.inbox.topic().as_str(), &names, &unknown, &nexts];
        db.execute(sql, params).await.map_err(|error| self.explain(error))?;
        Ok(())
    }

    fn row(&self, partition: i32) -> String {
        format!("{}/{partition}", self.inbox.group().name())
    }

    fn explain(&self, error: pg::Error) -> Error {
        match error.sql_state() {
            Some(state) if *state == SqlState::UNDEFINED_TABLE => Error::NoInbox(self.inbox.group().clone()),
            _ => error.into(),
        }
    }
}
