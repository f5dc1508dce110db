//! Sends a slow read a second time, to another endpoint, once it has taken longer than nearly all before it; the first
//! good answer wins and the other is cancelled. From the budget of retries, and only where there is another endpoint that serves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::Instant;

use super::answer::Verdict;
use super::budget::Budget;
use super::latency::Latencies;
use super::outgoing::Outgoing;
use super::pool::Pool;
use super::step::{Sent, Step};
use crate::telemetry::metrics::RetryOutcome;

/// Methods whose latencies are kept; further ones are not hedged.
const METHODS_MAX: usize = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Hedge<S> {
    inner: S,
    pool: Arc<Pool>,
    budget: Arc<Budget>,
    /// By the method's path.
    latencies: RwLock<HashMap<String, Arc<Mutex<Latencies>>>>,
}

impl<S: Step> Hedge<S> {
    pub(super) fn over(inner: S, pool: Arc<Pool>, budget: Arc<Budget>) -> Self {
        Self { inner, pool, budget, latencies: RwLock::default() }
    }

    async fn send_hedged(&self, call: &Outgoing, delay: Duration) -> Sent<S::Body> {
        let first = std::pin::pin!(self.inner.send(call));
        let first = match select(first, std::pin::pin!(tokio::time::sleep(delay))).await {
            Either::Left((answer, _)) => return answer,
            Either::Right(((), first)) => first,
        };
        if !self.pool.has_another(call) || !self.budget.spend(RetryOutcome::Hedged) {
            return first.await;
        }
        let second = std::pin::pin!(self.inner.send(call));
        match select(first, second).await {
            Either::Left((answer, _)) | Either::Right((answer, _)) if is_good(&answer) => answer,
            Either::Left((_, second)) => second.await,
            Either::Right((_, first)) => first.await,
        }
    }

    fn latencies(&self, path: &str) -> Option<Arc<Mutex<Latencies>>> {
        let known = self.latencies.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        known.or_else(|| {
            let mut all = self.latencies.write().unwrap_or_else(PoisonError::into_inner);
            let has_room = all.len() < METHODS_MAX;
            has_room.then(|| Arc::clone(all.entry(path.to_owned()).or_default()))
        })
    }
}

impl<S: Step> Step for Hedge<S> {
    type Body = S::Body;

    async fn send(&self, call: &Outgoing) -> Sent<S::Body> {
        let Some(hedging) = call.policy.hedging.filter(|_| call.is_repeatable() && self.pool.len() > 1) else {
            return self.inner.send(call).await;
        };
        let Some(latencies) = self.latencies(call.head.uri.path()) else { return self.inner.send(call).await };
        let usual = latencies.lock().unwrap_or_else(PoisonError::into_inner).high();
        let started = Instant::now();
        let answer = match usual {
            Some(usual) => self.send_hedged(call, usual.max(hedging.delay_min)).await,
            None => self.inner.send(call).await,
        };
        if is_good(&answer) {
            latencies.lock().unwrap_or_else(PoisonError::into_inner).add(started.elapsed());
        }
        answer
    }
}

fn is_good<B>(answer: &Sent<B>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.verdict == Verdict::Committed)
}
