//! A lane: decides a batch in memory, writes it optimistically, and once more under locks where the world had moved.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use holdfast_platform::pg::{self, Connection};
use holdfast_platform::telemetry::span::Span;
use holdfast_platform::telemetry::trace;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::cache::Cache;
use super::dispatch::{Batch, Completion};
use super::{Answer, LaneError, Ticket};
use crate::domain::command::{Command, Outcome, Refused};
use crate::domain::decide::{Decision, World, decide};
use crate::domain::time::Micros;
use crate::metrics::{self, Metrics, Path};
use crate::store::batch::{WriteError, Written, save_batch};
use crate::store::level::{is_overtaken, load_levels, load_now, lock_levels};
use crate::store::reservation::{load_adjustments, lock_reservations};
use crate::usecase::read::system_now_us;
use crate::usecase::watch::Hub;

/// How often a batch is tried under locks before it is given up: only a repeated id, a deadlock or being overtaken asks
/// for more than one, and each try makes progress for somebody.
const LOCKED_TRIES_MAX: usize = 10;
/// How long a batch may take at the database before its connection is given up: the network may be gone without a word.
const BATCH_TIMEOUT: Duration = Duration::from_secs(12);
const RECONNECT_DELAY_MIN: Duration = Duration::from_millis(20);
const RECONNECT_DELAY_MAX: Duration = Duration::from_secs(1);

/// What a lane's session sets: one plan for a statement, made once, that visits rows in the order given, so that row
/// locks are always taken in key order. A statement that hangs must not hang its lane.
const SESSION: &str = "SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; \
     SET enable_seqscan = off; SET jit = off; SET statement_timeout = '10s'; SET lock_timeout = '2s'; \
     SET idle_in_transaction_session_timeout = '10s'";

/// See the module.
pub(super) struct Lane {
    number: usize,
    database_url: String,
    connection: Option<Connection>,
    cache: Arc<Cache>,
    hub: Hub,
    database_down: Arc<AtomicBool>,
    clock: Clock,
}

/// A ticket and what to tell its caller.
struct Answered {
    ticket: Ticket,
    answer: Answer,
}

impl Answered {
    fn tell(self) {
        self.ticket.answer(Ok(self.answer));
    }
}

/// An estimate of the database's clock: ours, corrected by what each answer said. Never trusted with a refusal.
#[derive(Debug, Default)]
struct Clock {
    offset_us: AtomicI64,
}

impl Clock {
    fn now(&self) -> Micros {
        Micros(system_now_us() + self.offset_us.load(Ordering::Relaxed))
    }

    fn learn(&self, now: Micros) {
        self.offset_us.store(now.0 - system_now_us(), Ordering::Relaxed);
    }
}

impl Lane {
    pub(super) fn new(
        number: usize,
        database_url: String,
        cache: Arc<Cache>,
        hub: Hub,
        database_down: Arc<AtomicBool>,
    ) -> Self {
        Self { number, database_url, connection: None, cache, hub, database_down, clock: Clock::default() }
    }

    pub(super) async fn run(mut self, mut batches: mpsc::Receiver<Batch>, done: mpsc::Sender<Completion>) {
        while let Some(batch) = batches.recv().await {
            let span = batch_span(&batch.tickets);
            let settling = trace::scope(span.context(), Box::pin(self.settle(batch.tickets)));
            let settled = AssertUnwindSafe(settling).catch_unwind().await;
            drop(span);
            let answers = settled.unwrap_or_else(|_panic| {
                // Its callers are told by their dropped tickets; the lane and its levels must go on.
                error!(lane = self.number, "a batch panicked");
                self.connection = None;
                Vec::new()
            });
            // The next batch is cut before the callers of this one are woken: the database works while they are told.
            let heard = done.send(Completion { lane: self.number, keys: batch.keys }).await;
            answers.into_iter().for_each(Answered::tell);
            if heard.is_err() {
                return;
            }
        }
    }

    /// Sees a batch through to its answers.
    async fn settle(&mut self, tickets: Vec<Ticket>) -> Vec<Answered> {
        let tickets = drop_late(tickets, LaneError::DeadlinePassed);
        if tickets.is_empty() {
            return Vec::new();
        }
        let began = Instant::now();
        Metrics::get().batch_size.observe(tickets.len());
        let tried = match self.connection.as_ref() {
            Some(connection) => within(BATCH_TIMEOUT, self.try_optimistic(connection, &tickets)).await,
            None => Err(WriteError::Mismatch),
        };
        let path = if tried.is_ok() { Path::Optimistic } else { Path::Locked };
        let answers = match tried {
            Ok((decision, written)) => self.publish(tickets, decision, written),
            Err(WriteError::Mismatch) => self.settle_locked(tickets).await,
            Err(WriteError::Database(error)) => {
                warn!(%error, commands = tickets.len(), "batch failed, deciding it again under locks");
                if error.is_connection_lost() {
                    self.connection = None;
                }
                self.settle_locked(tickets).await
            }
        };
        Metrics::get().batch_time.of((path,)).observe(began.elapsed());
        answers
    }

    async fn try_optimistic(
        &self,
        connection: &Connection,
        tickets: &[Ticket],
    ) -> Result<(Decision, Written), WriteError> {
        let world = self.believed_world(connection, tickets).await?;
        let mut decision = decide(world, tickets.iter().map(|ticket| &ticket.command));
        if decision.effects.doubtful {
            return Err(WriteError::Mismatch);
        }
        let ask_due = refuses_for_want_of_stock(&decision);
        let written = save_batch(connection, &decision.effects, ask_due).await?;
        decision.stamp(written.now);
        Ok((decision, written))
    }

    /// What this replica remembers, and what it has never seen read from the database.
    async fn believed_world(&self, connection: &Connection, tickets: &[Ticket]) -> Result<World, WriteError> {
        let commands = || tickets.iter().map(|ticket| &ticket.command);
        let mut levels = self.cache.levels(commands().flat_map(Command::levels).map(|level| level.id));
        let mut missing: Vec<i64> = commands()
            .flat_map(Command::levels)
            .filter(|level| !levels.contains_key(&level.id))
            .map(|level| level.id.0)
            .collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.dedup();
            let loaded = load_levels(connection, &missing).await?;
            // Also those that no effect will touch: this lane has them to itself, so they cannot be outdated by another.
            self.cache.remember_levels(loaded.iter().map(|(id, level)| (*id, *level)));
            levels.extend(loaded);
        }
        let reservations = self.cache.reservations(commands().map(Command::subject));
        Ok(World { levels, reservations, adjustments: HashMap::new(), now: self.clock.now() })
    }

    /// Decides under row locks; rides out a lost connection for as long as anybody waits. Since every command is
    /// answered from what is stored under its id, this also finds out what became of a commit nobody heard of.
    async fn settle_locked(&mut self, mut tickets: Vec<Ticket>) -> Vec<Answered> {
        let levels = tickets.iter().flat_map(|ticket| ticket.command.levels()).map(|level| level.id);
        self.cache.forget_levels(levels.collect::<Vec<_>>());
        let mut delay = RECONNECT_DELAY_MIN;
        let mut answers = Vec::with_capacity(tickets.len());
        loop {
            tickets = drop_late(tickets, LaneError::Unavailable);
            if tickets.is_empty() {
                return answers;
            }
            let Some(mut connection) = self.connect().await else {
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(RECONNECT_DELAY_MAX);
                continue;
            };
            match self.split_until_done(&mut connection, tickets, &mut answers).await {
                None => {
                    self.connection = Some(connection);
                    return answers;
                }
                Some(left) => tickets = left,
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(RECONNECT_DELAY_MAX);
        }
    }

    /// Tries the tickets together, and where one of them poisons the batch, in halves. Gives back those still
    /// unanswered when the connection was lost.
    fn split_until_done<'a>(
        &'a self,
        connection: &'a mut Connection,
        mut tickets: Vec<Ticket>,
        answers: &'a mut Vec<Answered>,
    ) -> BoxFuture<'a, Option<Vec<Ticket>>> {
        Box::pin(async move {
            match self.try_locked(connection, &tickets).await {
                Ok((decision, written)) => {
                    answers.extend(self.publish(tickets, decision, written));
                    None
                }
                Err(WriteError::Database(error)) if error.is_connection_lost() => {
                    warn!(%error, "database connection lost, commit unknown: looking the ids up");
                    Some(tickets)
                }
                Err(error) if tickets.len() == 1 => {
                    // The command itself says who shops for what: its id finds it.
                    let subject = tickets[0].command.subject();
                    error!(%error, request.id = %subject, "command cannot be executed");
                    let why = if is_timeout(&error) { LaneError::Unavailable } else { LaneError::Internal };
                    tickets.into_iter().for_each(|ticket| ticket.answer(Err(why)));
                    None
                }
                Err(error) => {
                    warn!(%error, commands = tickets.len(), "batch is poisoned, halving it");
                    let second = tickets.split_off(tickets.len() / 2);
                    let left = self.split_until_done(connection, tickets, answers).await;
                    let mut left = left.unwrap_or_default();
                    if !left.is_empty() {
                        left.extend(second);
                        return Some(left);
                    }
                    self.split_until_done(connection, second, answers).await
                }
            }
        })
    }

    async fn try_locked(
        &self,
        connection: &mut Connection,
        tickets: &[Ticket],
    ) -> Result<(Decision, Written), WriteError> {
        let mut tries = 1;
        loop {
            match within(BATCH_TIMEOUT, decide_locked(connection, tickets)).await {
                Err(error) if tries < LOCKED_TRIES_MAX && is_worth_repeating(&error) => tries += 1,
                decided => return decided,
            }
        }
    }

    /// After the commit: remember, tell the watchers, and what to answer.
    fn publish(&self, tickets: Vec<Ticket>, decision: Decision, written: Written) -> Vec<Answered> {
        metrics::count(&decision);
        let Decision { effects, outcomes } = decision;
        self.clock.learn(written.now);
        self.cache.remember_levels(effects.levels.iter().map(|(id, write)| (*id, write.after)));
        self.cache.remember_reservations(outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Reserved(reservation) | Outcome::Moved(reservation) => Some(reservation.clone()),
            Outcome::Adjusted(_) | Outcome::Refused(_) => None,
        }));
        self.hub.tell(&effects.movements, written.now);
        let due = written.due;
        let answers = tickets.into_iter().zip(outcomes);
        answers.map(|(ticket, outcome)| Answered { ticket, answer: Answer { outcome, due } }).collect()
    }

    /// The lane's connection, opened anew where it was lost.
    async fn connect(&mut self) -> Option<Connection> {
        if let Some(connection) = self.connection.take().filter(|connection| !connection.is_closed()) {
            return Some(connection);
        }
        match open(&self.database_url).await {
            Ok(connection) => {
                if self.database_down.swap(false, Ordering::Relaxed) {
                    info!("database is back");
                }
                Some(connection)
            }
            Err(error) => {
                if !self.database_down.swap(true, Ordering::Relaxed) {
                    warn!(%error, "database cannot be reached");
                }
                None
            }
        }
    }
}

/// A batch belongs to many traces: its span to the first sampled one, with links to the others.
fn batch_span(tickets: &[Ticket]) -> Span {
    let mut sampled = tickets.iter().filter_map(|ticket| ticket.trace).filter(|trace| trace.is_sampled);
    let mut span = Span::internal("lane batch", sampled.next());
    span.link(sampled);
    span
}

/// A connection set up as a lane's.
pub(crate) async fn open(url: &str) -> Result<Connection, pg::Error> {
    let connection = pg::connect(url).await?;
    connection.client().batch_execute(SESSION).await?;
    Ok(connection)
}

async fn decide_locked(connection: &mut Connection, tickets: &[Ticket]) -> Result<(Decision, Written), WriteError> {
    let commands = || tickets.iter().map(|ticket| &ticket.command);
    let mut ids: Vec<i64> = commands().flat_map(Command::levels).map(|level| level.id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut subjects: Vec<_> = commands().map(|command| command.subject().uuid()).collect();
    subjects.sort_unstable();

    let tx = connection.transaction().await?;
    let levels = lock_levels(&tx, &ids).await?;
    if ids.len() > 1 && is_overtaken(&tx, &ids).await? {
        return Err(WriteError::Mismatch);
    }
    let reservations = lock_reservations(&tx, &subjects).await?;
    let adjustments = load_adjustments(&tx, &subjects).await?;
    let now = load_now(&tx).await?;
    let mut decision = decide(World { levels, reservations, adjustments, now }, commands());
    let ask_due = refuses_for_want_of_stock(&decision);
    let written = save_batch(&tx, &decision.effects, ask_due).await?;
    tx.commit().await?;
    decision.stamp(written.now);
    Ok((decision, written))
}

fn refuses_for_want_of_stock(decision: &Decision) -> bool {
    decision.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(Refused::InsufficientStock { .. })))
}

/// A repeated id that was inserted while we looked, others that were quicker at some of the levels, a deadlock, a serialization failure.
fn is_worth_repeating(error: &WriteError) -> bool {
    use tokio_postgres::error::SqlState;
    match error {
        WriteError::Mismatch => true,
        WriteError::Database(error) => error.sql_state().is_some_and(|state| {
            *state == SqlState::T_R_DEADLOCK_DETECTED || *state == SqlState::T_R_SERIALIZATION_FAILURE
        }),
    }
}

/// A row stayed locked, or a statement ran too long: the same command may well succeed later.
fn is_timeout(error: &WriteError) -> bool {
    use tokio_postgres::error::SqlState;
    match error {
        WriteError::Mismatch => false,
        WriteError::Database(error) => error
            .sql_state()
            .is_some_and(|state| *state == SqlState::LOCK_NOT_AVAILABLE || *state == SqlState::QUERY_CANCELED),
    }
}

/// Bounds what the database may take; past it, the connection counts as lost.
async fn within<T>(timeout: Duration, work: impl Future<Output = Result<T, WriteError>>) -> Result<T, WriteError> {
    let silent = || WriteError::Database(pg::Error::Unreachable("the database does not answer".to_owned()));
    tokio::time::timeout(timeout, work).await.unwrap_or_else(|_elapsed| Err(silent()))
}

/// Answers those whose caller has stopped waiting, before anything is decided for them.
fn drop_late(tickets: Vec<Ticket>, why: LaneError) -> Vec<Ticket> {
    if tickets.iter().all(|ticket| !ticket.deadline.has_passed()) {
        return tickets;
    }
    let (late, waiting): (Vec<_>, Vec<_>) = tickets.into_iter().partition(|ticket| ticket.deadline.has_passed());
    late.into_iter().for_each(|ticket| ticket.answer(Err(why)));
    waiting
}
