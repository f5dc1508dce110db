//! WatchStock: every version of some SKUs' levels in order, or an explicit reset; never a silent gap.

mod cursor;
mod hub;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::Sku;
use holdfast_platform::pg;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

pub(crate) use cursor::Cursor;
pub(crate) use hub::{Hub, Note};

use super::Inventory;
use super::failure::Failure;
use super::read::{Stock, StockLevel};
use crate::domain::effects::MovementWrite;
use crate::domain::level::{Level, LevelId, LevelRef, Version};
use crate::domain::time::Micros;
use crate::store::movement::{Movement, load_movements_of_level};

/// How many SKUs one watch may have.
pub(crate) const SKUS_MAX: usize = 100;
/// How long a new level may go unlooked at.
const LOOK_DELAY: Duration = Duration::from_millis(100);
/// How many movements are replayed to close a gap; a longer one ends in a reset.
const REPLAY_MAX: i64 = 5_000;

/// One step of a watch.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The state to start over from.
    Reset(Vec<Stock>),
    /// One movement and the level it left behind.
    Change { level: LevelRef, movement: Movement, after: Level },
}

/// A step with the cursor that goes on after it.
pub(crate) type Told = Result<(Event, Cursor), Failure>;

/// A watcher that has not begun yet.
#[derive(Debug)]
pub(crate) struct Watch {
    inventory: Arc<Inventory>,
    skus: Vec<Sku>,
    /// Where each level stands for the watcher.
    seen: BTreeMap<LevelId, Version>,
    levels: HashMap<LevelId, LevelRef>,
    /// When to look whether a new level that was heard of is one of ours.
    look_at: Option<Instant>,
    told: mpsc::Sender<Told>,
}

/// The watcher has gone, or the service stops.
struct Ended;

impl Inventory {
    /// A watch over SKUs that all exist; `told` takes its steps.
    pub(crate) async fn watch(self: &Arc<Self>, skus: Vec<Sku>, told: mpsc::Sender<Told>) -> Result<Watch, Failure> {
        for sku in &skus {
            if self.directory.find(&self.pool, sku, None).await?.is_none() {
                return Err(Failure::SkuNotFound(sku.clone()));
            }
        }
        Ok(Watch { inventory: self.clone(), skus, seen: BTreeMap::new(), levels: HashMap::new(), look_at: None, told })
    }
}

impl Watch {
    /// Tells every step until the watcher goes away.
    pub(crate) async fn run(mut self, cursor: Option<Cursor>) {
        // Listening begins before the state is read, so nothing falls between the two.
        let notes = self.inventory.hub.listen();
        if let Err(failure) = self.follow(cursor, notes).await {
            drop(self.told.send(Err(failure)).await);
        }
    }

    async fn follow(
        &mut self,
        cursor: Option<Cursor>,
        mut notes: broadcast::Receiver<Arc<Note>>,
    ) -> Result<(), Failure> {
        let begun = match cursor {
            Some(cursor) => {
                self.seen = cursor.into_versions();
                self.catch_up().await?
            }
            None => self.reset(None).await?,
        };
        if begun.is_err() {
            return Ok(());
        }
        loop {
            let look_at = self.look_at;
            let note = tokio::select! {
                note = notes.recv() => Some(note),
                () = self.told.closed() => return Ok(()),
                () = tokio::time::sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => None,
            };
            let Some(note) = note else {
                self.look_at = None;
                if self.catch_up().await?.is_err() {
                    return Ok(());
                }
                continue;
            };
            let followed = match note {
                Ok(note) => self.hear(&note).await?,
                Err(RecvError::Lagged(_)) => self.catch_up().await?,
                Err(RecvError::Closed) => return Ok(()),
            };
            if followed.is_err() {
                return Ok(());
            }
        }
    }

    async fn hear(&mut self, note: &Note) -> Result<Result<(), Ended>, Failure> {
        match note {
            Note::Committed { movements, now } => {
                for movement in movements {
                    if let Err(ended) = self.hear_movement(movement, *now).await? {
                        return Ok(Err(ended));
                    }
                }
                Ok(Ok(()))
            }
            Note::Moved(levels) => {
                let mut is_news = false;
                for (id, found, left) in levels {
                    match self.seen.get(id) {
                        Some(seen) => is_news |= left > seen,
                        None => self.hear_of_unknown(*found),
                    }
                }
                if is_news { self.catch_up().await } else { Ok(Ok(())) }
            }
            Note::LookAgain => self.catch_up().await,
        }
    }

    async fn hear_movement(&mut self, write: &MovementWrite, now: Micros) -> Result<Result<(), Ended>, Failure> {
        match self.seen.get(&write.level) {
            Some(seen) if write.version <= *seen => Ok(Ok(())),
            Some(seen) if write.version == seen.next() => {
                let movement = Movement {
                    level: write.level,
                    version: write.version,
                    kind: write.kind,
                    quantity: write.quantity,
                    reservation: write.reservation,
                    reason: write.reason.map(|reason| reason as i16),
                    created_at: now,
                };
                Ok(self.tell_change(movement, write.after).await)
            }
            Some(_) => self.catch_up().await,
            None => {
                self.hear_of_unknown(Version(write.version.0 - 1));
                Ok(Ok(()))
            }
        }
    }

    /// An unknown level may be one of ours at a new location, but only in its first versions: a level older than the
    /// watch was read at its start. An import makes thousands that are not, so they are looked up together.
    fn hear_of_unknown(&mut self, found: Version) {
        if found == Version(0) && self.look_at.is_none() {
            self.look_at = Some(Instant::now() + LOOK_DELAY);
        }
    }

    /// Replays what was missed from the ledger; resets where that is too much or impossible.
    async fn catch_up(&mut self) -> Result<Result<(), Ended>, Failure> {
        let stocks = self.load().await?;
        // A cursor may name levels of SKUs that are no longer watched.
        self.seen.retain(|id, _| stocks.iter().flat_map(|stock| &stock.levels).any(|level| level.level_ref.id == *id));
        let mut missed = 0;
        for level in stocks.iter().flat_map(|stock| &stock.levels) {
            let seen = self.seen.get(&level.level_ref.id).copied().unwrap_or_default();
            let behind = level.level.version.0 - seen.0;
            if behind < 0 {
                return self.reset(Some(stocks)).await; // a cursor from another life of this database
            }
            missed += behind;
        }
        if missed > REPLAY_MAX {
            return self.reset(Some(stocks)).await;
        }
        let levels: Vec<StockLevel> = stocks.iter().flat_map(|stock| stock.levels.clone()).collect();
        for level in levels {
            let seen = self.seen.get(&level.level_ref.id).copied().unwrap_or_default();
            let Some(changes) = self.replay(&level, seen).await? else {
                return self.reset(Some(stocks)).await;
            };
            self.levels.insert(level.level_ref.id, level.level_ref.clone());
            self.seen.insert(level.level_ref.id, seen);
            for (movement, after) in changes {
                if let Err(ended) = self.tell_change(movement, after).await {
                    return Ok(Err(ended));
                }
            }
        }
        Ok(Ok(()))
    }

    /// A level's movements since `seen`, each with the level after it; nothing where the ledger has a hole.
    async fn replay(&self, level: &StockLevel, seen: Version) -> Result<Option<Vec<(Movement, Level)>>, Failure> {
        let now = level.level;
        if now.version == seen {
            return Ok(Some(Vec::new()));
        }
        let connection = self.inventory.pool.get().await.map_err(pg::Error::from)?;
        let movements =
            load_movements_of_level(&*connection, level.level_ref.id, seen, now.version, REPLAY_MAX).await?;
        if i64::try_from(movements.len()) != Ok(now.version.0 - seen.0) {
            return Ok(None);
        }
        // From the level as it is, backwards: each effect undone gives the level before it.
        let mut after = now;
        let mut changes: Vec<(Movement, Level)> = Vec::with_capacity(movements.len());
        for movement in movements.into_iter().rev() {
            after.version = movement.version;
            changes.push((movement, after));
            movement.kind.revert(&mut after.quantities, movement.quantity);
        }
        changes.reverse();
        Ok(Some(changes))
    }

    async fn reset(&mut self, stocks: Option<Vec<Stock>>) -> Result<Result<(), Ended>, Failure> {
        let stocks = match stocks {
            Some(stocks) => stocks,
            None => self.load().await?,
        };
        self.seen.clear();
        self.levels.clear();
        for level in stocks.iter().flat_map(|stock| &stock.levels) {
            self.seen.insert(level.level_ref.id, level.level.version);
            self.levels.insert(level.level_ref.id, level.level_ref.clone());
        }
        Ok(self.tell(Event::Reset(stocks)).await)
    }

    async fn load(&self) -> Result<Vec<Stock>, Failure> {
        let skus: Vec<&str> = self.skus.iter().map(Sku::as_str).collect();
        let mut found = self.inventory.load_stock(&skus).await?;
        Ok(self.skus.iter().filter_map(|sku| found.remove(sku)).collect())
    }

    async fn tell_change(&mut self, movement: Movement, after: Level) -> Result<(), Ended> {
        let Some(level) = self.levels.get(&movement.level).cloned() else { return Ok(()) };
        self.seen.insert(movement.level, movement.version);
        self.tell(Event::Change { level, movement, after }).await
    }

    async fn tell(&self, event: Event) -> Result<(), Ended> {
        let cursor = Cursor::new(self.seen.clone());
        self.told.send(Ok((event, cursor))).await.map_err(|_gone| Ended)
    }
}
