//! An endpoint's load as the balancer compares it: peak EWMA of its latency times the calls under way (Finagle's
//! measure). A slower answer counts at once, faster ones win it back over time. Pure: time is an argument.
//!
//! tower's `PeakEwma` has the same heart, but takes an error for a fast answer, so that an endpoint which refuses
//! everything at once draws all the load.

use std::time::Duration;

use tokio::time::Instant;

/// How fast a peak fades: to a third in this time.
const DECAY: Duration = Duration::from_secs(1);
/// Latencies below this are equal: such differences are the scheduler's, not the endpoint's.
const LATENCY_FLOOR: Duration = Duration::from_millis(5);
/// What a failure counts as, however fast it came.
const FAILURE_LATENCY: Duration = Duration::from_millis(250);
/// A peak is no higher than this: whatever happened, the endpoint is tried again soon.
const LATENCY_MAX: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Load {
    /// In seconds.
    latency: f64,
    at: Instant,
}

impl Load {
    pub(super) fn new(now: Instant) -> Self {
        Self { latency: 0.0, at: now }
    }

    pub(super) fn observe(&mut self, latency: Duration, now: Instant) {
        let latency = latency.min(LATENCY_MAX).as_secs_f64();
        let faded = self.latency_at(now);
        let fade = self.fade(now);
        self.latency = if latency >= faded { latency } else { faded + latency * (1.0 - fade) };
        self.at = now;
    }

    pub(super) fn observe_failure(&mut self, latency: Duration, now: Instant) {
        self.observe(latency.max(FAILURE_LATENCY), now);
    }

    /// What a further call would cost, in seconds.
    pub(super) fn cost(&self, calls_under_way: usize, now: Instant) -> f64 {
        let calls = u32::try_from(calls_under_way).unwrap_or(u32::MAX);
        self.latency_at(now).max(LATENCY_FLOOR.as_secs_f64()) * (f64::from(calls) + 1.0)
    }

    fn latency_at(&self, now: Instant) -> f64 {
        self.latency * self.fade(now)
    }

    fn fade(&self, now: Instant) -> f64 {
        (-now.saturating_duration_since(self.at).as_secs_f64() / DECAY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_peak_counts_at_once_and_fades() {
        let now = Instant::now();
        let mut load = Load::new(now);
        let idle = load.cost(0, now);
        load.observe(300 * MS, now);
        assert!((load.cost(0, now) - 0.3).abs() < 1e-9);
        load.observe(MS, now);
        assert!((load.cost(0, now) - 0.3).abs() < 1e-9, "one fast answer does not make up for it");
        let later = now + 10 * DECAY;
        assert!((load.cost(0, later) - idle).abs() < 1e-9);
    }

    #[test]
    fn calls_under_way_count_and_small_differences_do_not() {
        let now = Instant::now();
        let (mut one, mut other) = (Load::new(now), Load::new(now));
        one.observe(MS, now);
        other.observe(4 * MS, now);
        assert!((one.cost(3, now) - other.cost(3, now)).abs() < 1e-9);
        assert!(one.cost(4, now) > other.cost(3, now));
    }

    #[test]
    fn failing_fast_is_not_being_fast() {
        let now = Instant::now();
        let (mut failing, mut slow) = (Load::new(now), Load::new(now));
        failing.observe_failure(MS, now);
        slow.observe(100 * MS, now);
        assert!(failing.cost(0, now) > slow.cost(0, now));
    }
}
