//! The one loop of every consumer, whatever carries the events: fetch, and in one transaction of the consumer's own
//! database claim the position, write down what was seen, and let the handler have its effects. So a crash anywhere
//! leaves all of it or nothing, and each event has its effect once.
//!
//! An event that cannot be handled is parked with its cause, and with it, unhandled, all later ones of its key: order
//! per key holds for those too. Every other key goes on.

mod backlog;
mod parked;
mod settle;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::inbox::Inbox;
use super::tally::Tally;
use super::{Bus, Error, Group, Handler, Start, Subscription, Topic};
use crate::pg::Connection;

/// How many events share a transaction at most.
pub const BATCH_EVENTS_MAX: usize = 500;
/// How long to wait before looking again where nothing was found: from, doubling up to.
const POLL_MIN: Duration = Duration::from_millis(5);
const POLL_MAX: Duration = Duration::from_millis(40);
/// How long to leave a failing database, broker or callee alone: from, doubling up to.
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What a consumer is.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the inbox and the effects are.
    pub database_url: String,
    pub topic: Topic,
    pub group: Group,
    /// Where the group begins when it is new.
    pub begin: Start,
}

/// See the module.
pub struct Consumer<H> {
    config: Config,
    bus: Arc<dyn Bus>,
    inbox: Inbox,
    tally: Tally,
    handler: H,
}

/// A connection and a membership: lost and found together.
struct Session {
    db: Connection,
    subscription: Box<dyn Subscription>,
    /// How many events are still to be fetched one by one, after a batch was refused.
    singles: usize,
    /// How often in a row a batch had to wait.
    laters: u32,
    /// Which event was refused alone, and how often.
    refused: Option<(String, i32)>,
    parked: parked::Pace,
}

/// What became of one round.
enum Round {
    /// A batch was dealt with, or is to be fetched in pieces.
    Settled,
    /// There was nothing to do, or another member was at it.
    Idle,
    /// Nothing can be done for now: an event's handler asked for time, or there is a refusal to be tried again.
    Later(String),
}

impl<H: Handler> Consumer<H> {
    pub fn new(config: Config, bus: Arc<dyn Bus>, handler: H) -> Self {
        let inbox = Inbox::new(config.topic.clone(), config.group.clone());
        let tally = Tally::of(&config.topic);
        Self { config, bus, inbox, tally, handler }
    }

    /// Consumes until told to stop; a round under way is finished first or rolls back.
    pub async fn run(self, stopping: CancellationToken) {
        let Config { topic, group, .. } = self.config.clone();
        let backlog = backlog::Watch { bus: Arc::clone(&self.bus), topic, group, tally: self.tally };
        stopping.run_until_cancelled_owned(async { tokio::join!(self.consume(), backlog.run()) }).await;
    }

    async fn consume(self) {
        let (topic, group) = (&self.config.topic, &self.config.group);
        let mut pause = RETRY_MIN;
        loop {
            let failed = match self.join().await {
                Ok(session) => {
                    info!(%topic, %group, "consuming events");
                    pause = RETRY_MIN;
                    self.follow(session).await
                }
                Err(error) => error,
            };
            warn!(%topic, %group, error = %failed, "events wait: trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        }
    }

    async fn join(&self) -> Result<Session, Error> {
        let db = self.inbox.connect(&self.config.database_url).await?;
        let Config { topic, group, begin, .. } = &self.config;
        let subscription = self.bus.subscribe(topic, group, *begin).await?;
        Ok(Session { db, subscription, singles: 0, laters: 0, refused: None, parked: parked::Pace::default() })
    }

    /// Goes on until something breaks.
    async fn follow(&self, mut session: Session) -> Error {
        let (mut poll, mut retry) = (POLL_MIN, RETRY_MIN);
        loop {
            let round = match self.retry_parked(&mut session).await {
                Ok(()) => self.settle_next(&mut session).await,
                Err(error) => Err(error),
            };
            match round {
                Ok(Round::Settled) => (poll, retry) = (POLL_MIN, RETRY_MIN),
                Ok(Round::Idle) => {
                    tokio::time::sleep(poll).await;
                    poll = (poll * 2).min(POLL_MAX);
                }
                Ok(Round::Later(why)) => {
                    warn!(topic = %self.config.topic, group = %self.config.group, why, "an event is tried again");
                    tokio::time::sleep(retry).await;
                    retry = (retry * 2).min(RETRY_MAX);
                }
                Err(error) => return error,
            }
        }
    }
}
