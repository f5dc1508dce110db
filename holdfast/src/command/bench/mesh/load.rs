//! Closed-loop clients that run while something happens to the mesh, and what they saw.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use holdfast_platform::task::spawn_joined;

/// What the clients saw.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// Failures by what they said.
    pub(super) failures: BTreeMap<String, u64>,
    /// When the last call failed, from the start.
    pub(super) last_failure: Option<Duration>,
    pub(super) latency_us: Histogram<u64>,
    pub(super) lasted: Duration,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            answered: 0,
            failed: 0,
            failures: BTreeMap::new(),
            last_failure: None,
            latency_us: Histogram::new(3)?,
            lasted: Duration::ZERO,
        })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.answered += other.answered;
        self.failed += other.failed;
        for (said, times) in &other.failures {
            *self.failures.entry(said.clone()).or_default() += times;
        }
        self.last_failure = self.last_failure.max(other.last_failure);
        self.latency_us.add(&other.latency_us)?;
        Ok(())
    }

    fn record(&mut self, began: Instant, start: Instant, answer: Result<(), String>) -> anyhow::Result<()> {
        match answer {
            Ok(()) => {
                self.answered += 1;
                self.latency_us.record(u64::try_from(began.elapsed().as_micros())?.max(1))?;
            }
            Err(said) => {
                self.failed += 1;
                self.last_failure = Some(start.elapsed());
                *self.failures.entry(said).or_default() += 1;
            }
        }
        Ok(())
    }

    pub(super) fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let answered = self.answered as f64;
        answered / self.lasted.as_secs_f64()
    }

    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.latency_us.value_at_quantile(quantile))
    }
}

/// Runs `clients` clients, each waiting for its answer before it asks again, until `happening` is over.
pub(super) async fn during<A, F, T>(
    clients: usize,
    ask: A,
    happening: impl Future<Output = T>,
) -> anyhow::Result<(T, Tally)>
where
    A: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let start = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let running: Vec<_> = (0..clients)
        .map(|_| {
            let (ask, over) = (ask.clone(), over.clone());
            spawn_joined(async move {
                let mut tally = Tally::new()?;
                while !over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let answer = ask().await;
                    tally.record(began, start, answer)?;
                }
                anyhow::Ok(tally)
            })
        })
        .collect();
    let happened = happening.await;
    over.store(true, Ordering::Relaxed);
    let mut all = Tally::new()?;
    for client in running {
        all.add(&client.await??)?;
    }
    all.lasted = start.elapsed();
    Ok((happened, all))
}

/// Starts `per_second` calls a second, whether or not earlier ones were answered, for `duration`.
pub(super) async fn open_loop<A, F>(per_second: f64, duration: Duration, ask: A) -> anyhow::Result<Tally>
where
    A: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let start = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    let mut tally = Tally::new()?;
    let mut begun = 0_u64;
    while start.elapsed() < duration {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, rounded down")]
        let due = (start.elapsed().as_secs_f64() * per_second) as u64;
        for _ in begun..due {
            let ask = ask.clone();
            calls.spawn(async move {
                let began = Instant::now();
                (began, ask().await)
            });
        }
        begun = due;
        while let Some(done) = calls.try_join_next() {
            let (began, answer) = done?;
            tally.record(began, start, answer)?;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tally.lasted = start.elapsed();
    // An answer that comes after the load is over is no goodput: the longest queue would look best.
    calls.shutdown().await;
    Ok(tally)
}
