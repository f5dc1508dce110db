//! What a client tells of itself: under the name of the workload it talks to, or nothing where nobody said which.

use holdfast_contracts::Workload;

use crate::telemetry::metrics::{BreakerState, Metrics, RetryOutcome};

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally(Option<Workload>);

impl Tally {
    pub(super) fn of(workload: Option<Workload>) -> Self {
        Self(workload)
    }

    /// A call was asked again, or would have been.
    pub(super) fn count(self, outcome: RetryOutcome) {
        if let Some(workload) = self.0 {
            Metrics::get().retries.of((workload, outcome)).add(1);
        }
    }

    /// So many repetitions are left.
    pub(super) fn set_left(self, repetitions: f64) {
        if let Some(workload) = self.0 {
            Metrics::get().retry_budget.of((workload,)).set(repetitions);
        }
    }

    /// A breaker opened.
    pub(super) fn count_trip(self) {
        if let Some(workload) = self.0 {
            Metrics::get().breaker_trips.of((workload,)).add(1);
        }
    }

    fn add_endpoint(self, state: BreakerState, count: i64) {
        if let Some(workload) = self.0 {
            Metrics::get().endpoints.of((workload, state)).add(count);
        }
    }
}

/// One endpoint among those told of.
#[derive(Debug)]
pub(super) struct Counted {
    tally: Tally,
    /// None once it is known no more.
    state: Option<BreakerState>,
}

impl Counted {
    pub(super) fn new(tally: Tally, state: BreakerState) -> Self {
        tally.add_endpoint(state, 1);
        Self { tally, state: Some(state) }
    }

    /// What its breaker does now.
    pub(super) fn set(&mut self, state: BreakerState) {
        let Some(before) = self.state.filter(|before| *before != state) else { return };
        self.tally.add_endpoint(before, -1);
        self.tally.add_endpoint(state, 1);
        self.state = Some(state);
    }

    /// It is known no more, though calls to it may still be under way.
    pub(super) fn forget(&mut self) {
        if let Some(state) = self.state.take() {
            self.tally.add_endpoint(state, -1);
        }
    }
}
