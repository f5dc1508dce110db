//! What a client counts, under the workload it calls; a client of no workload counts nothing.

use crate::telemetry::metrics::{BreakerState, Metrics, RetryOutcome, Workload};

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally(Option<Workload>);

impl Tally {
    pub(super) fn of(callee: Option<holdfast_contracts::Workload>) -> Self {
        Self(callee.and_then(|callee| Workload::named(callee.as_str())))
    }

    /// A call was asked again, or would have been.
    pub(super) fn retry(self, outcome: RetryOutcome) {
        if let Some(callee) = self.0 {
            Metrics::get().retries.of((callee, outcome)).add(1);
        }
    }

    /// So many endpoints more or less whose breaker does this.
    pub(super) fn endpoints(self, state: BreakerState, by: i64) {
        if let Some(callee) = self.0 {
            Metrics::get().endpoints.of((callee, state)).add(by);
        }
    }

    /// A breaker opened.
    pub(super) fn trip(self) {
        if let Some(callee) = self.0 {
            Metrics::get().breaker_trips.of((callee,)).add(1);
        }
    }
}
