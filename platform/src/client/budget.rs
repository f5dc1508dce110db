//! What may be repeated: a share of the calls of the last seconds, and a few more for quiet times. Retries and hedges
//! draw from the same budget. Finagle's, as tower has it, rather than gRPC's bucket of 0 to 1000 tokens: that one stops
//! all retries while more than a tenth of the calls fail, as they do in the very second that a replica dies. Not tower's
//! own, which does not tell what is left.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::service_config::RetryThrottling;
use super::tally::Tally;
use crate::telemetry::metrics::RetryOutcome;

/// How long a call earns, and a repetition costs: so many slices of so long each.
const SLICES: usize = 10;
const SLICE: Duration = Duration::from_secs(1);
/// One repetition, in millionths: shares of calls add up without rounding.
const ONE: i64 = 1_000_000;
/// The largest share of calls that may be repeated.
const RATIO_MAX: f32 = 1000.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    /// What there is without any call.
    reserve: i64,
    /// What a call adds.
    earned: i64,
    window: Mutex<Window>,
    tally: Tally,
}

/// What was earned less what was spent, by when.
#[derive(Debug)]
struct Window {
    slices: [i64; SLICES],
    current: usize,
    current_since: Instant,
}

impl Budget {
    pub(super) fn new(throttling: RetryThrottling, tally: Tally) -> Self {
        let ratio = f64::from(throttling.token_ratio.clamp(0.0, RATIO_MAX));
        let window = Window { slices: [0; SLICES], current: 0, current_since: Instant::now() };
        Self {
            reserve: i64::from(throttling.max_tokens) * ONE,
            earned: (ratio * ONE as f64).round() as i64,
            window: Mutex::new(window),
            tally,
        }
    }

    /// A call came.
    pub(super) fn earn(&self) {
        self.change(|_| self.earned);
    }

    /// Whether one more may be sent. Counted as what it is, or as what was not done.
    pub(super) fn spend(&self, repetition: RetryOutcome) -> bool {
        let is_spent = self.change(|left| if left >= ONE { -ONE } else { 0 }) != 0;
        self.tally.count(if is_spent { repetition } else { RetryOutcome::NoBudget });
        is_spent
    }

    /// Adds what is decided on what is left, and tells.
    fn change(&self, decide: impl FnOnce(i64) -> i64) -> i64 {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.advance(Instant::now());
        let left = self.reserve.saturating_add(window.sum());
        let change = decide(left);
        window.add(change);
        self.tally.set_left((left + change) as f64 / ONE as f64);
        change
    }
}

impl Window {
    /// Forgets what is too old.
    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.current_since).as_secs() / SLICE.as_secs();
        for _ in 0..passed.min(SLICES as u64) {
            self.current = (self.current + 1) % SLICES;
            self.slices[self.current] = 0;
        }
        self.current_since += Duration::from_secs(passed * SLICE.as_secs());
    }

    fn add(&mut self, change: i64) {
        let slice = &mut self.slices[self.current];
        *slice = slice.saturating_add(change);
    }

    fn sum(&self) -> i64 {
        self.slices.iter().fold(0, |sum, slice| i64::saturating_add(sum, *slice))
    }
}

#[cfg(test)]
mod tests {
    use holdfast_contracts::Workload;

    use super::*;
    use crate::telemetry::metrics::Metrics;

    const THROTTLING: RetryThrottling = RetryThrottling { max_tokens: 100, token_ratio: 0.1 };

    #[tokio::test(start_paused = true)]
    async fn at_most_a_tenth_is_repeated_and_a_few_in_quiet_times() {
        let budget = Budget::new(THROTTLING, Tally::default());
        let spend = || budget.spend(RetryOutcome::Retried);
        assert_eq!((0..).take_while(|_| spend()).count(), 100, "without any call");
        let spent = (0..10_000).filter(|_| {
            budget.earn();
            spend()
        });
        assert_eq!(spent.count(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_spent_or_earned_is_forgotten_after_ten_seconds() {
        let budget = Budget::new(THROTTLING, Tally::default());
        let spend_all = || (0..).take_while(|_| budget.spend(RetryOutcome::Retried)).count();
        (0..1000).for_each(|_| budget.earn());
        assert_eq!(spend_all(), 200);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(spend_all(), 0, "too soon");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(spend_all(), 100, "the quiet times' own, and nothing for calls of long ago");
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(spend_all(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn it_tells_what_is_left_and_what_it_refused() {
        // Nobody else's tests talk to the operator.
        let metrics = Metrics::get();
        let left = || metrics.retry_budget.of((Workload::Operator,)).get();
        let told = |outcome| metrics.retries.of((Workload::Operator, outcome)).get();
        let throttling = RetryThrottling { max_tokens: 1, token_ratio: 0.5 };
        let budget = Budget::new(throttling, Tally::of(Some(Workload::Operator)));
        budget.earn();
        assert_eq!(left(), Some(1.5));
        assert!(budget.spend(RetryOutcome::Hedged));
        assert!(!budget.spend(RetryOutcome::Retried));
        assert_eq!(left(), Some(0.5));
        let outcomes = [RetryOutcome::Hedged, RetryOutcome::Retried, RetryOutcome::NoBudget].map(told);
        assert_eq!(outcomes, [1, 0, 1]);
    }
}
