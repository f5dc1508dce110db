//! A circuit breaker: whether an endpoint that is connected should get calls. Pure: time and chance are arguments.
//!
//! It opens on failures in a row, or where most calls of a window fail. An open one lets nobody through for a pause that
//! doubles with each failed probe; then one call probes it, and its outcome closes or opens it. Failures are what says
//! "this endpoint cannot serve": UNAVAILABLE, a connection lost under a call, an answer that never came. A refusal or a
//! crash of one handler is the method's, and says nothing about the others on the same endpoint.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::telemetry::metrics::BreakerState;

/// Failures in a row that open it.
const FAILURES_IN_A_ROW_MAX: u32 = 5;
/// What the success rate is taken over.
const WINDOW: Duration = Duration::from_secs(5);
/// The window moves in steps of this.
const SLICE: Duration = Duration::from_millis(500);
/// Fewer calls than these in the window say nothing.
const WINDOW_CALLS_MIN: u32 = 20;
/// Opens where more than one in this many failed.
const FAILED_ONE_IN: u32 = 2;
const PAUSE_INITIAL: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A probe that nobody heard of again is given up.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
    /// Failures since the last success.
    in_a_row: u32,
    /// Openings since it last served well.
    openings: u32,
    window: VecDeque<Slice>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Closed,
    Open {
        until: Instant,
    },
    Probing {
        since: Instant,
    },
}

#[derive(Debug)]
struct Slice {
    start: Instant,
    served: u32,
    failed: u32,
}

/// Whether a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Admitted,
    /// Only as the probe, and since when one is due.
    ProbeDue {
        since: Instant,
    },
    Refused,
}

/// What a recorded outcome did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Opened,
    Closed,
}

impl Breaker {
    /// One whose pause is over waits for a probe, though none may come while nobody calls.
    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::Probing { .. } => BreakerState::Probing,
        }
    }

    /// Until when nobody passes, if so.
    pub(super) fn shut_until(&self) -> Option<Instant> {
        match self.state {
            State::Open { until } => Some(until),
            State::Closed | State::Probing { .. } => None,
        }
    }

    pub(super) fn admission(&self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Admitted,
            State::Open { until } if now < until => Admission::Refused,
            State::Open { until } => Admission::ProbeDue { since: until },
            State::Probing { since } if now < since + PROBE_PATIENCE => Admission::Refused,
            State::Probing { since } => Admission::ProbeDue { since: since + PROBE_PATIENCE },
        }
    }

    /// The next call is the probe; nobody else passes until its outcome is known.
    pub(super) fn begin_probe(&mut self, now: Instant) {
        self.state = State::Probing { since: now };
    }

    /// A probe ended and says nothing: the next call may probe.
    pub(super) fn forget_probe(&mut self, now: Instant) {
        if let State::Probing { .. } = self.state {
            self.state = State::Open { until: now };
        }
    }

    pub(super) fn record_success(&mut self, now: Instant, is_probe: bool) -> Change {
        match self.state {
            State::Probing { .. } if is_probe => {
                self.state = State::Closed;
                self.in_a_row = 0;
                self.window.clear();
                Change::Closed
            }
            State::Closed => {
                self.in_a_row = 0;
                self.slice(now).served += 1;
                if self.openings > 0 && self.has_full_window(now) {
                    self.openings = 0;
                }
                Change::None
            }
            // A late answer to a call from before: the probe decides.
            State::Probing { .. } | State::Open { .. } => Change::None,
        }
    }

    /// `chance` in 0..1 spreads the pauses of many clients.
    pub(super) fn record_failure(&mut self, now: Instant, chance: f64, is_probe: bool) -> Change {
        match self.state {
            State::Probing { .. } if is_probe => self.open(now, chance),
            State::Closed => {
                self.in_a_row += 1;
                self.slice(now).failed += 1;
                if self.is_too_bad() { self.open(now, chance) } else { Change::None }
            }
            // As above: a call from before says nothing new.
            State::Probing { .. } | State::Open { .. } => Change::None,
        }
    }

    fn open(&mut self, now: Instant, chance: f64) -> Change {
        let doublings = self.openings.min(16);
        let pause = PAUSE_INITIAL.saturating_mul(1 << doublings).min(PAUSE_MAX);
        // Half of it certain, half by chance.
        let pause = pause.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        self.state = State::Open { until: now + pause };
        self.openings += 1;
        Change::Opened
    }

    fn is_too_bad(&self) -> bool {
        let (served, failed) = self.window.iter().fold((0, 0), |(s, f), slice| (s + slice.served, f + slice.failed));
        let is_failing = served + failed >= WINDOW_CALLS_MIN && failed * FAILED_ONE_IN > served + failed;
        self.in_a_row >= FAILURES_IN_A_ROW_MAX || is_failing
    }

    /// Whether it has served since before the window: what it did earlier is history.
    fn has_full_window(&self, now: Instant) -> bool {
        self.window.front().is_some_and(|oldest| now >= oldest.start + WINDOW - SLICE)
    }

    fn slice(&mut self, now: Instant) -> &mut Slice {
        while self.window.front().is_some_and(|oldest| now >= oldest.start + WINDOW) {
            self.window.pop_front();
        }
        if self.window.back().is_none_or(|latest| now >= latest.start + SLICE) {
            self.window.push_back(Slice { start: now, served: 0, failed: 0 });
        }
        self.window.back_mut().expect("one was just pushed where there was none")
    }
}

#[cfg(test)]
mod tests;
