//! A ledger and a consumer to watch.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_contracts::events::v1::{Envelope, Movement};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bus::consumer::{Config, Consumer};
use crate::bus::inbox::{Inbox, TABLES};
use crate::bus::{Bus, Group, HandleError, Handler, Start, Topic, decode};
use crate::pg::{self, Connection, Execute as _, Transaction};
use crate::task::spawn_joined;

/// How long what must happen may take on a slow, busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// See [`super`].
pub struct World {
    pub database_url: String,
    pub topic: Topic,
    db: Connection,
}

/// A transaction of the ledger's owner that is not committed yet.
pub struct Late(Connection);

/// Writes an effect per event, and refuses those it is told to.
#[derive(Debug, Clone)]
pub struct Count {
    consumer: String,
    poison: Arc<Mutex<HashSet<(String, i64)>>>,
    /// How many events it was handed in all, those of rolled-back transactions included.
    pub handed: Arc<AtomicUsize>,
}

impl World {
    pub async fn new() -> Self {
        Self::of("shop").await
    }

    /// A world whose ledger is called otherwise: as a workload's, whose events are counted.
    pub async fn of(topic: &str) -> Self {
        let database_url = pg::testing::fresh_database().await;
        let db = pg::connect(&database_url).await.expect("the database answers");
        let inbox = TABLES.replace("SCHEMA", "till");
        let till = include_str!("till.sql");
        let ledger = include_str!("shop.sql").replace("shop", topic);
        let sql = format!("{ledger} CREATE SCHEMA till; {inbox} {till} SET search_path = {topic};");
        db.client().batch_execute(&sql).await.expect("the tables are made");
        Self { database_url, topic: topic.parse().expect("a topic"), db }
    }

    pub fn group(&self, name: &str) -> Group {
        format!("till.{name}").parse().expect("a group")
    }

    pub fn inbox(&self, group: &str) -> Inbox {
        Inbox::new(self.topic.clone(), self.group(group))
    }

    /// A connection to the consumer's schema.
    pub async fn till(&self) -> Connection {
        self.inbox("any").connect(&self.database_url).await.expect("the database answers")
    }

    /// Commits events of one key, each in a transaction of its own: sequences `first..first + count`.
    pub async fn append(&self, key: &str, first: i64, count: i64) {
        for sequence in first..first + count {
            write(&self.db, key, sequence).await;
        }
    }

    /// Commits an event that was made as part of a trace.
    pub async fn append_traced(&self, key: &str, sequence: i64, traceparent: &str) {
        let sql = "INSERT INTO event (key, sequence, traceparent) VALUES ($1, $2, $3)";
        self.db.execute(sql, &[&key, &sequence, &traceparent]).await.expect("the ledger is written");
    }

    /// Writes an event, and leaves it uncommitted.
    pub async fn append_late(&self, key: &str, sequence: i64) -> Late {
        let db = pg::connect(&self.database_url).await.expect("the database answers");
        let begin = format!("SET search_path = {}; BEGIN", self.topic);
        db.client().batch_execute(&begin).await.expect("it begins");
        write(&db, key, sequence).await;
        Late(db)
    }

    /// What a group's handler did, in the order in which it did it: sequences by key.
    pub async fn effects(&self, group: &str) -> BTreeMap<String, Vec<i64>> {
        let sql = "SELECT key, sequence FROM till.effect WHERE consumer = $1 ORDER BY id";
        let rows = self.db.client().query(sql, &[&group]).await.expect("effects are read");
        let mut effects: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for row in rows {
            effects.entry(row.get(0)).or_default().push(row.get(1));
        }
        effects
    }

    /// Waits until a group has had so many effects.
    ///
    /// # Panics
    /// Where that takes too long.
    pub async fn wait_for_effects(&self, group: &str, count: i64) {
        let sql = "SELECT count(*) FROM till.effect WHERE consumer = $1";
        self.wait(&format!("{count} effects of {group}"), async || {
            let effects: i64 = self.db.client().query_one(sql, &[&group]).await.expect("effects are read").get(0);
            effects >= count
        })
        .await;
    }

    /// Waits until so many events are parked for a group.
    ///
    /// # Panics
    /// Where that takes too long.
    pub async fn wait_for_parked(&self, group: &str, count: i64) {
        let sql = "SELECT count(*) FROM till.inbox_parked WHERE consumer = $1";
        self.wait(&format!("{count} parked events of {group}"), async || {
            let parked: i64 = self.db.client().query_one(sql, &[&group]).await.expect("parked events are read").get(0);
            parked == count
        })
        .await;
    }

    async fn wait(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !is_so().await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        assert!(waited.await.is_ok(), "never came: {what}");
    }

    /// Starts a member of a group; aborting it is its sudden death, as far as the database can tell.
    pub fn consume(&self, bus: &Arc<dyn Bus>, group: &str, handler: &(impl Handler + Clone)) -> JoinHandle<()> {
        let config = Config {
            database_url: self.database_url.clone(),
            topic: self.topic.clone(),
            group: self.group(group),
            begin: Start::Beginning,
        };
        spawn_joined(Consumer::new(config, Arc::clone(bus), handler.clone()).run(CancellationToken::new()))
    }
}

async fn write(db: &Connection, key: &str, sequence: i64) {
    let sql = "INSERT INTO event (key, sequence) VALUES ($1, $2)";
    db.execute(sql, &[&key, &sequence]).await.expect("the ledger is written");
}

impl Late {
    pub async fn commit(self) {
        self.0.client().batch_execute("COMMIT").await.expect("it commits");
    }

    /// Writes another event in the same transaction.
    pub async fn append(&self, key: &str, sequence: i64) {
        write(&self.0, key, sequence).await;
    }
}

impl Count {
    pub fn new(group: &str) -> Self {
        Self { consumer: group.to_owned(), poison: Arc::default(), handed: Arc::default() }
    }

    /// Refuses an event from now on.
    pub fn poison(&self, key: &str, sequence: i64) {
        self.poison.lock().unwrap_or_else(PoisonError::into_inner).insert((key.to_owned(), sequence));
    }

    /// Takes every event again.
    pub fn heal(&self) {
        self.poison.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Handler for Count {
    type Prepared = Vec<(String, i64)>;

    async fn prepare(&self, events: &[Envelope]) -> Result<Self::Prepared, HandleError> {
        let mut prepared = Vec::with_capacity(events.len());
        for event in events {
            let movement: Movement = decode(event, "holdfast.events.v1.Movement")?;
            assert_eq!((movement.sku.as_str(), movement.version), (event.key.as_str(), event.sequence));
            prepared.push((movement.sku, movement.version));
        }
        Ok(prepared)
    }

    async fn apply(&self, tx: &Transaction<'_>, prepared: Self::Prepared) -> Result<(), HandleError> {
        self.handed.fetch_add(prepared.len(), Ordering::Relaxed);
        let sql = "INSERT INTO till.effect (consumer, key, sequence) SELECT $1, u.key, u.sequence
                   FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS u (key, sequence, place) ORDER BY u.place";
        let (keys, sequences): (Vec<&str>, Vec<i64>) = prepared.iter().map(|(key, it)| (key.as_str(), *it)).unzip();
        tx.execute(sql, &[&self.consumer, &keys, &sequences]).await?;
        let poison = self.poison.lock().unwrap_or_else(PoisonError::into_inner);
        match prepared.iter().find(|event| poison.contains(event)) {
            // After the effect was written: it must not outlive the refusal.
            Some((key, sequence)) => Err(HandleError::Poison(format!("{key} {sequence} is poison"))),
            None => Ok(()),
        }
    }
}
