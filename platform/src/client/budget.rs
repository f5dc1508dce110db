//! What may be repeated: a share of the calls of the last seconds, and a few more for quiet times. Retries and hedges
//! draw from the same budget. tower's, rather than gRPC's bucket of 0 to 1000 tokens: that one stops all retries while
//! more than a tenth of the calls fail, as they do in the very second that a replica dies.

use std::time::Duration;

use tower::retry::budget::{Budget as _, TpsBudget};

use super::service_config::RetryThrottling;
use super::tally::Tally;
use crate::telemetry::metrics::RetryOutcome;

/// How long a call earns.
const EARNED_FOR: Duration = Duration::from_secs(10);
/// What tower's budget takes as a share.
const RATIO_MAX: f32 = 1000.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    tokens: TpsBudget,
    tally: Tally,
}

impl Budget {
    pub(super) fn new(throttling: RetryThrottling, tally: Tally) -> Self {
        let seconds = u32::try_from(EARNED_FOR.as_secs()).expect("ten");
        let ratio = throttling.token_ratio.clamp(0.0, RATIO_MAX);
        Self { tokens: TpsBudget::new(EARNED_FOR, throttling.max_tokens / seconds, ratio), tally }
    }

    /// A call came.
    pub(super) fn earn(&self) {
        self.tokens.deposit();
    }

    /// Whether one more may be sent, and what it is counted as.
    pub(super) fn spend(&self, on: RetryOutcome) -> bool {
        let may = self.tokens.withdraw();
        self.tally.retry(if may { on } else { RetryOutcome::NoBudget });
        may
    }

    /// Counts what needs none of the budget.
    pub(super) fn note(&self, outcome: RetryOutcome) {
        self.tally.retry(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn at_most_a_tenth_is_repeated_and_a_few_in_quiet_times() {
        let budget = Budget::new(RetryThrottling { max_tokens: 100, token_ratio: 0.1 }, Tally::default());
        let spent = (0..).take_while(|_| budget.spend(RetryOutcome::Retried)).count();
        assert_eq!(spent, 100, "without any call");
        let spent = (0..10_000).filter(|_| {
            budget.earn();
            budget.spend(RetryOutcome::Retried)
        });
        assert_eq!(spent.count(), 1000);
    }
}
