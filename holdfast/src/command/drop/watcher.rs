//! Follows the stock while the drop runs, through lost connections.

use std::time::Duration;

use anyhow::Context as _;
use holdfast_contracts::Sku;
use holdfast_platform::task::spawn_joined;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::journal::Journal;
use super::problem::Problem;
use super::shop::{Shop, Step, Watch};

/// How long the first state may take to come.
const START_MAX: Duration = Duration::from_secs(10);
/// How long the watch may lag behind the stock at the end.
const LAG_MAX: Duration = Duration::from_secs(10);
/// The wait before a broken watch is taken up again.
const RESUME_AFTER: Duration = Duration::from_millis(100);

/// A running watch.
pub(crate) struct Watcher {
    finish: oneshot::Sender<Vec<i64>>,
    task: JoinHandle<Journal>,
}

impl Watcher {
    /// Returns once the state the watch starts from is known, so that nothing of the drop is missed.
    pub(crate) async fn start(shop: &Shop, skus: Vec<Sku>, opened: Instant) -> anyhow::Result<Self> {
        let mut follower = Follower { shop: shop.clone(), journal: Journal::new(skus), opened, cursor: String::new() };
        let first = async {
            let mut watch = follower.open().await?;
            let step = watch.next().await?.context("the stream ended")?;
            anyhow::Ok((watch, step))
        };
        let (watch, step) = timeout(START_MAX, first)
            .await
            .with_context(|| format!("nothing came within {START_MAX:?}"))
            .flatten()
            .context("cannot watch the stock")?;
        follower.take(step);
        let (finish, finishing) = oneshot::channel();
        let task = spawn_joined(follower.run(Some(watch), finishing));
        Ok(Self { finish, task })
    }

    /// Waits until the watch has told these versions, and gives what it told.
    pub(crate) async fn finish(self, versions: Vec<i64>) -> anyhow::Result<Journal> {
        // The task only ends after this word, or by a panic, which joining tells.
        let _ = self.finish.send(versions);
        self.task.await.context("the watching task stopped")
    }
}

struct Follower {
    shop: Shop,
    journal: Journal,
    opened: Instant,
    cursor: String,
}

impl Follower {
    async fn open(&self) -> anyhow::Result<Watch> {
        Ok(self.shop.watch(self.journal.skus(), &self.cursor).await?)
    }

    fn take(&mut self, step: Step) {
        if let Some(event) = step.event {
            self.journal.take(self.opened.elapsed(), event);
        }
        self.cursor = step.cursor;
    }

    async fn run(mut self, mut watch: Option<Watch>, finishing: oneshot::Receiver<Vec<i64>>) -> Journal {
        let mut broken = None;
        let mut finishing = std::pin::pin!(finishing);
        let versions = loop {
            tokio::select! {
                versions = &mut finishing => break versions.unwrap_or_default(),
                () = self.follow(&mut watch, &mut broken) => {}
            }
        };
        let give_up = Instant::now() + LAG_MAX;
        while !self.journal.has_reached(&versions) {
            if timeout_at(give_up, self.follow(&mut watch, &mut broken)).await.is_err() {
                break;
            }
        }
        for (place, &version) in versions.iter().enumerate() {
            let seen = self.journal.version(place);
            if seen < version {
                let sku = self.journal.skus()[place].clone();
                self.journal.note(Problem::WatchBehind { sku, seen, version, cause: broken.clone() });
            }
        }
        self.journal
    }

    /// One step, or one try to take the watch up again. Cancel safe: a step is taken as soon as it is there.
    async fn follow(&mut self, watch: &mut Option<Watch>, broken: &mut Option<String>) {
        let Some(open) = watch else {
            sleep(RESUME_AFTER).await;
            match self.open().await {
                Ok(opened) => *watch = Some(opened),
                Err(error) => *broken = Some(format!("{error:#}")),
            }
            return;
        };
        match open.next().await {
            Ok(Some(step)) => {
                *broken = None;
                self.take(step);
            }
            Ok(None) => *watch = None,
            Err(error) => {
                *broken = Some(error.to_string());
                *watch = None;
            }
        }
    }
}
