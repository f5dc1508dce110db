//! The calls under way in this process, and whether one more may come. Nobody ever waits here.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use holdfast_contracts::options::v1::Criticality;
use tokio::time::Instant;

use super::controller::{Controller, LIMIT_START, Outcome, Sample};
use crate::telemetry::metrics::Metrics;

/// What part of the limit each criticality may fill, in percent: what is least critical finds it full first.
const SHEDDABLE_PERCENT: usize = 60;
const DEFAULT_PERCENT: usize = 90;
const CRITICAL_PERCENT: usize = 100;

/// See the module: one per process, shared by its servers.
#[derive(Debug)]
pub struct Limiter {
    in_flight: AtomicUsize,
    limit: AtomicUsize,
    /// Whether any call was turned away since the controller last heard of it.
    refused: AtomicBool,
    controller: Mutex<Controller>,
}

/// One call's place. It counts until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    limiter: Arc<Limiter>,
    method: usize,
    in_flight: usize,
    began: Instant,
}

impl Limiter {
    /// For so many methods ([`crate::method::Methods::len`]).
    pub fn new(methods: usize) -> Arc<Self> {
        tell(LIMIT_START);
        Arc::new(Self {
            in_flight: AtomicUsize::new(0),
            limit: AtomicUsize::new(LIMIT_START),
            refused: AtomicBool::new(false),
            controller: Mutex::new(Controller::new(methods, Instant::now())),
        })
    }

    /// How many calls may be under way now.
    pub fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// How many are.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A place for a call of this method, where there is one.
    pub(super) fn enter(self: &Arc<Self>, method: usize, criticality: Criticality) -> Option<Place> {
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        if in_flight * 100 > self.limit() * share_percent(criticality) {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            self.refused.store(true, Ordering::Relaxed);
            return None;
        }
        Some(Place { limiter: self.clone(), method, in_flight, began: Instant::now() })
    }
}

fn share_percent(criticality: Criticality) -> usize {
    match criticality {
        Criticality::Sheddable => SHEDDABLE_PERCENT,
        Criticality::Unspecified | Criticality::Default => DEFAULT_PERCENT,
        Criticality::Critical => CRITICAL_PERCENT,
    }
}

impl Place {
    /// The call was answered: how long that took steers the limit.
    pub(super) fn answered(&self, outcome: Outcome) {
        let limiter = &self.limiter;
        let now = Instant::now();
        let latency = now - self.began;
        let sample = Sample { method: self.method, latency, outcome, in_flight: self.in_flight };
        let mut controller = match limiter.controller.try_lock() {
            Ok(controller) => controller,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // One sample of many: nobody waits for it to be taken.
            Err(TryLockError::WouldBlock) => return,
        };
        controller.observe(sample, limiter.refused.swap(false, Ordering::Relaxed), now);
        let limit = controller.limit();
        if limiter.limit.swap(limit, Ordering::Relaxed) != limit {
            tell(limit);
        }
    }
}

/// Of a process's limiters, where it has several, the one that moved last.
fn tell(limit: usize) {
    Metrics::get().concurrency_limit.set(limit as f64);
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limiter.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_critical_find_it_full_first_and_a_place_comes_back() {
        let limiter = Limiter::new(1);
        let mut places = Vec::new();
        for criticality in [Criticality::Sheddable, Criticality::Default, Criticality::Critical] {
            while let Some(place) = limiter.enter(0, criticality) {
                places.push(place);
            }
            assert_eq!(limiter.in_flight(), LIMIT_START * share_percent(criticality) / 100, "{criticality:?}");
        }
        places.pop();
        assert!(limiter.enter(0, Criticality::Sheddable).is_none());
        assert!(limiter.enter(0, Criticality::Critical).is_some());
        places.clear();
        assert_eq!(limiter.in_flight(), 0);
    }

    #[test]
    fn what_the_limit_is_now_is_told() {
        // Others of these tests may have limiters of their own: any bound is one that was told.
        let limiter = Limiter::new(1);
        assert_eq!(limiter.limit(), LIMIT_START);
        assert!(Metrics::get().concurrency_limit.get().is_some_and(|limit| limit >= 1.0));
    }
}
