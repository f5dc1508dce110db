//! Sends a call again where that may help and cannot harm.
//!
//! Any method, where it is certain that no server began to work on it (the connection was refused or closing): as gRPC's
//! transparent retries, a bounded number of times. Else, and after those, only methods that may be repeated, only for
//! codes that say "not now", only within the budget, after a pause drawn from zero to an exponential bound or as long as
//! the server said, and never once a message came.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use super::answer::{Failure, Pushback, Verdict, is_outage};
use super::budget::Budget;
use super::outgoing::Outgoing;
use super::policy::Retry as Policy;
use super::step::{Sent, Step};
use super::tally::Tally;
use crate::telemetry::metrics::RetryOutcome;

/// How often a call that no server began is sent again.
const UNPROCESSED_MAX: u32 = 3;
/// Pauses of such calls, but for the first, which goes at once.
const UNPROCESSED_PAUSE: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug)]
pub(super) struct Retry<S> {
    inner: S,
    budget: Arc<Budget>,
    tally: Tally,
}

impl<S: Step> Retry<S> {
    pub(super) fn over(inner: S, budget: Arc<Budget>, tally: Tally) -> Self {
        Self { inner, budget, tally }
    }
}

impl<S: Step> Step for Retry<S> {
    type Body = S::Body;

    async fn send(&self, call: &Outgoing) -> Sent<S::Body> {
        self.budget.earn();
        let mut sent = Sendings::default();
        loop {
            let answer = self.inner.send(call).await;
            let outcome = Outcome::of(&answer);
            let Some(Next { pause, is_free }) = sent.next(outcome, call, rand::random()) else {
                if outcome.is_pushed_back() && call.policy.retry.is_some() && call.is_repeatable() {
                    self.tally.count(RetryOutcome::PushedBack);
                }
                return answer;
            };
            if !call.can_be_sent() || Instant::now() + pause >= call.patience.opening {
                return answer;
            }
            // What was never processed cost no server anything.
            if is_free {
                self.tally.count(RetryOutcome::Retried);
            } else if !self.budget.spend(RetryOutcome::Retried) {
                return answer;
            }
            // The answer given up on is dropped before the pause: its stream is closed.
            drop(answer);
            tokio::time::sleep(pause).await;
            call.previous_attempts.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One sending's outcome, as far as repeating goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// An answer, or on its way.
    Committed,
    /// No server began.
    Unprocessed,
    /// A server may have begun or finished.
    Refused { code: Code, pushback: Pushback },
}

impl Outcome {
    /// The server asked not to repeat it.
    fn is_pushed_back(self) -> bool {
        matches!(self, Self::Refused { pushback: Pushback::Never, .. })
    }

    fn of<B>(answer: &Sent<B>) -> Self {
        match answer {
            Ok(answer) => match answer.verdict {
                Verdict::Committed => Self::Committed,
                Verdict::Refused { code: Code::Unavailable, reason, .. } if !is_outage(reason) => Self::Committed,
                Verdict::Refused { code, pushback, .. } => Self::Refused { code, pushback },
            },
            Err(Failure { was_never_processed: true, .. }) => Self::Unprocessed,
            Err(Failure { status, .. }) => Self::Refused { code: status.code(), pushback: Pushback::Silent },
        }
    }
}

/// That it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Next {
    pause: Duration,
    /// Whether it does without the budget.
    is_free: bool,
}

/// How often a call was sent, by what became of it.
#[derive(Debug, Default)]
struct Sendings {
    unprocessed: u32,
    refused: u32,
}

impl Sendings {
    /// None where this outcome is the answer. `chance` in 0..1.
    fn next(&mut self, outcome: Outcome, call: &Outgoing, chance: f64) -> Option<Next> {
        let (code, pushback) = match outcome {
            Outcome::Committed => return None,
            Outcome::Unprocessed if self.unprocessed < UNPROCESSED_MAX => {
                self.unprocessed += 1;
                let pause = if self.unprocessed == 1 { Duration::ZERO } else { UNPROCESSED_PAUSE.mul_f64(chance) };
                return Some(Next { pause, is_free: true });
            }
            // It lasts longer than a connection takes: as if somebody had said "not now".
            Outcome::Unprocessed => (Code::Unavailable, Pushback::Silent),
            Outcome::Refused { code, pushback } => (code, pushback),
        };
        let policy = call.policy.retry.as_ref().filter(|_| call.is_repeatable())?;
        self.refused += 1;
        if self.refused >= policy.attempts_max {
            return None;
        }
        let pause = pause(policy, code, pushback, self.refused, chance)?;
        Some(Next { pause, is_free: false })
    }
}

/// How long to wait after the `nth` refusal, counted from one.
fn pause(policy: &Policy, code: Code, pushback: Pushback, nth: u32, chance: f64) -> Option<Duration> {
    match pushback {
        Pushback::Never => None,
        // Overload is only answered with more where the server says when.
        Pushback::After(delay) => (policy.codes.contains(&code) || code == Code::ResourceExhausted).then_some(delay),
        Pushback::Silent => policy.codes.contains(&code).then(|| backoff(policy, nth).mul_f64(chance)),
    }
}

/// The bound of the pause after the `nth` refusal.
fn backoff(policy: &Policy, nth: u32) -> Duration {
    let exponent = i32::try_from(nth - 1).unwrap_or(i32::MAX);
    let factor = f64::from(policy.backoff_multiplier).powi(exponent);
    let seconds = policy.backoff_initial.as_secs_f64() * factor;
    Duration::try_from_secs_f64(seconds).unwrap_or(policy.backoff_max).min(policy.backoff_max)
}

#[cfg(test)]
mod tests {
    use super::super::deadline::Patience;
    use super::super::policy::Time;
    use super::*;

    fn policy() -> Policy {
        Policy {
            attempts_max: 3,
            backoff_initial: Duration::from_millis(25),
            backoff_max: Duration::from_millis(60),
            backoff_multiplier: 2.0,
            codes: vec![Code::Unavailable],
        }
    }

    /// A call whose policy is this.
    async fn call(retry: Option<Policy>) -> Outgoing {
        let time = Time::Unary { default: Duration::from_secs(1), max: Duration::from_secs(1) };
        let policy = super::super::policy::Policy { time, retry, hedging: None };
        let later = Instant::now() + Duration::from_secs(1);
        let patience = Patience { opening: later, whole: Some(later) };
        let request = http::Request::new(tonic::body::Body::empty());
        Outgoing::read(request, Arc::new(policy), patience).await.expect("an empty request")
    }

    #[tokio::test]
    async fn a_call_that_nobody_took_is_sent_again_freely_and_then_as_its_policy_says() {
        let of = |call: Outgoing| {
            let mut sent = Sendings::default();
            let next =
                || sent.next(Outcome::Unprocessed, &call, 1.0).map(|next| (next.pause.as_millis(), next.is_free));
            std::iter::from_fn(next).collect::<Vec<_>>()
        };
        let free = [(0, true), (20, true), (20, true)];
        assert_eq!(of(call(None).await), free);
        assert_eq!(of(call(Some(policy())).await), [free.as_slice(), &[(25, false), (50, false)]].concat());
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_drawn_from_all_of_it() {
        let bounds: Vec<u128> = (1..=4).map(|nth| backoff(&policy(), nth).as_millis()).collect();
        assert_eq!(bounds, [25, 50, 60, 60]);
        let drawn = |chance| pause(&policy(), Code::Unavailable, Pushback::Silent, 1, chance);
        assert_eq!(drawn(0.0), Some(Duration::ZERO));
        assert_eq!(drawn(0.5), Some(Duration::from_micros(12_500)));
    }

    #[test]
    fn overload_is_repeated_only_when_the_server_says_when_and_never_where_it_says_never() {
        let delay = Duration::from_millis(7);
        let check = |code, pushback, expect| assert_eq!(pause(&policy(), code, pushback, 1, 1.0), expect, "{code:?}");
        check(Code::ResourceExhausted, Pushback::Silent, None);
        check(Code::ResourceExhausted, Pushback::After(delay), Some(delay));
        check(Code::Unavailable, Pushback::After(delay), Some(delay));
        check(Code::Unavailable, Pushback::Never, None);
        for code in [Code::Internal, Code::DeadlineExceeded, Code::FailedPrecondition, Code::Unknown] {
            check(code, Pushback::Silent, None);
            check(code, Pushback::After(delay), None);
        }
    }
}
