//! The hot path: optimistic group commit.
//!
//! Commands queue at one dispatcher. Whenever a lane (a task with a database connection of its own) is free, it gets
//! every waiting command whose levels no other lane is working on: a level is in one lane at a time, its commands in
//! order, and a busy level's arrivals make up the next batch by themselves, with no timer (`schedule`). A lane decides
//! its batch in memory and writes it in one statement, checked against the versions it was decided on; where they
//! moved, it decides once more under row locks (`execute`). Only then are callers answered and watchers told.
//! See docs/adr/0001-lanes-are-what-is-in-flight.md.

mod cache;
mod dispatch;
mod execute;
mod schedule;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_platform::deadline::Deadline;
use holdfast_platform::task::Tasks;
use holdfast_platform::telemetry::trace;
use holdfast_platform::trace_context::TraceContext;
use tokio::sync::{mpsc, oneshot};

pub(crate) use cache::Cache;
pub(crate) use execute::open as open_connection;

use crate::domain::command::{Command, Outcome};
use crate::domain::level::LevelId;
use crate::usecase::watch::Hub;

/// How many commands wait in the channel before callers are told to come back.
const INBOX_MAX: usize = 4_096;

/// How many lanes work at once where the configuration does not say: one a core, within reason. More make smaller
/// batches that wait for each other's flush.
pub(crate) fn lanes_default() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 8)
}

/// Why a command got no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LaneError {
    #[error("too many commands are waiting")]
    Overloaded,
    /// Whether it took effect is found by repeating it with the same id.
    #[error("the deadline passed: repeat the call with the same id to learn its outcome")]
    DeadlinePassed,
    /// Whether it took effect is found by repeating it with the same id.
    #[error("the database cannot be reached")]
    Unavailable,
    #[error("the command could not be executed")]
    Internal,
}

/// A command's durable outcome.
#[derive(Debug)]
pub(crate) struct Answer {
    pub outcome: Outcome,
    /// A refusal stands, but some hold has run out and is still to be reclaimed: worth another try after that.
    pub due: bool,
}

/// A command on its way through the lanes.
struct Ticket {
    command: Command,
    deadline: Deadline,
    /// The trace its caller is part of.
    trace: Option<TraceContext>,
    reply: oneshot::Sender<Result<Answer, LaneError>>,
}

impl Ticket {
    fn answer(self, answer: Result<Answer, LaneError>) {
        // The caller may have gone: the effect stands all the same.
        drop(self.reply.send(answer));
    }
}

impl schedule::Keyed for Ticket {
    fn subject(&self) -> holdfast_contracts::RequestId {
        self.command.subject()
    }

    fn levels(&self) -> impl Iterator<Item = LevelId> {
        self.command.levels().map(|level| level.id)
    }
}

/// The door to the lanes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    inbox: mpsc::Sender<Ticket>,
    cache: Arc<Cache>,
    database_down: Arc<AtomicBool>,
}

/// Without the command, which says who shops for what.
impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("subject", &self.command.subject()).finish_non_exhaustive()
    }
}

impl Lanes {
    /// Starts the dispatcher and `lanes` lanes.
    pub(crate) fn start(database_url: &str, lanes: usize, hub: &Hub, tasks: &Tasks) -> Self {
        let (inbox, arrivals) = mpsc::channel(INBOX_MAX);
        let (done, completions) = mpsc::channel(lanes);
        let cache = Arc::new(Cache::default());
        let database_down = Arc::new(AtomicBool::new(false));
        let batches = (0..lanes)
            .map(|number| {
                let (sender, receiver) = mpsc::channel(1);
                let lane = execute::Lane::new(
                    number,
                    database_url.to_owned(),
                    cache.clone(),
                    hub.clone(),
                    database_down.clone(),
                );
                tasks.spawn("lane", lane.run(receiver, done.clone()));
                sender
            })
            .collect();
        tasks.spawn("dispatcher", dispatch::run(arrivals, completions, batches, tasks.stopping()));
        Self { inbox, cache, database_down }
    }

    /// Has a command decided and made durable.
    ///
    /// # Errors
    /// As [`LaneError`] says; a refusal is an outcome.
    pub(crate) async fn submit(&self, command: Command, deadline: Deadline) -> Result<Answer, LaneError> {
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket { command, deadline, trace: trace::current(), reply };
        self.inbox.try_send(ticket).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LaneError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => LaneError::Unavailable,
        })?;
        match tokio::time::timeout_at(deadline.instant(), answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_stopped)) => Err(LaneError::Unavailable),
            Err(_elapsed) if self.database_down.load(Ordering::Relaxed) => Err(LaneError::Unavailable),
            Err(_elapsed) => Err(LaneError::DeadlinePassed),
        }
    }

    /// What this replica remembers.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }
}
