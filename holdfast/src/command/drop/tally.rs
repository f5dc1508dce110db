//! What the shoppers report, added up.

use std::time::Duration;

use hdrhistogram::Histogram;
use holdfast_contracts::RequestId;
use serde::Serialize;

use super::problem::Problems;

/// How a visit ended. Every shopper has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sold,
    /// Refused until nothing could come back any more, or patience ran out.
    SoldOut,
    Declined,
    TimedOut,
    Abandoned,
    /// Something other than the drop's own play stopped them.
    Failed(String),
}

/// What was asked of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    View,
    Hold,
    Order,
}

/// One answered question, retries included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    /// When the answer came, since the doors opened.
    pub(crate) at: Duration,
    pub(crate) took: Duration,
    /// Whether it was a yes.
    pub(crate) granted: bool,
}

/// What became of an order, as its shopper was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Placed,
    Refused,
    Nothing,
}

/// A hold a shopper was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HoldGiven {
    pub(crate) id: RequestId,
    /// By the shop's clock.
    pub(crate) expires_ns: i128,
    /// Whether it was left to run out.
    pub(crate) abandoned: bool,
}

/// One shopper's report.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) item: usize,
    pub(crate) arrived: Duration,
    pub(crate) outcome: Outcome,
    pub(crate) calls: Vec<Call>,
    pub(crate) retries: u64,
    pub(crate) came_back: u64,
    pub(crate) holds: Vec<HoldGiven>,
    pub(crate) orders: Vec<(RequestId, Told)>,
    pub(crate) problems: Problems,
}

/// How many shoppers ended how. They add up to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Outcomes {
    pub(crate) sold: u64,
    pub(crate) refused_sold_out: u64,
    pub(crate) declined: u64,
    pub(crate) timed_out: u64,
    pub(crate) abandoned: u64,
    pub(crate) failed: u64,
}

impl Outcomes {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Sold => &mut self.sold,
            Outcome::SoldOut => &mut self.refused_sold_out,
            Outcome::Declined => &mut self.declined,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Abandoned => &mut self.abandoned,
            Outcome::Failed(_) => &mut self.failed,
        };
        *count += 1;
    }
}

/// The time in which curves are drawn.
pub(crate) const BUCKET: Duration = Duration::from_millis(100);
/// The most buckets of a curve: what came later is in the totals only.
const BUCKETS_MAX: usize = 36_000;
/// Latencies are kept from 1 us to a minute, to three digits.
const MICROS_MAX: u64 = 60_000_000;

/// The calls of one verb.
#[derive(Debug)]
pub(crate) struct Pace {
    micros: Histogram<u64>,
    /// Latencies by the bucket their answer came in, in microseconds.
    buckets: Vec<Vec<u32>>,
    /// Yeses by bucket, and all of them.
    granted: Vec<u64>,
    granted_total: u64,
}

/// One bucket of a latency curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct LatencyPoint {
    pub(crate) at_ms: u64,
    pub(crate) calls: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// How long the calls of one verb took and how many got a yes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) calls: u64,
    pub(crate) granted: u64,
    /// Yeses in the busiest second.
    pub(crate) granted_per_s_max: u64,
    /// Yeses over the whole time that shoppers were there.
    pub(crate) granted_per_s_mean: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        let micros = Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("these bounds and digits are valid");
        Self { micros, buckets: Vec::new(), granted: Vec::new(), granted_total: 0 }
    }

    pub(crate) fn add(&mut self, call: Call) {
        let micros = u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX).clamp(1, MICROS_MAX);
        self.micros.saturating_record(micros);
        self.granted_total += u64::from(call.granted);
        let bucket = usize::try_from(call.at.as_millis() / BUCKET.as_millis()).unwrap_or(usize::MAX);
        if bucket >= BUCKETS_MAX {
            return;
        }
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, Vec::new());
            self.granted.resize(bucket + 1, 0);
        }
        self.buckets[bucket].push(u32::try_from(micros).unwrap_or(u32::MAX));
        self.granted[bucket] += u64::from(call.granted);
    }

    pub(crate) fn summary(&self, lasted: Duration) -> Summary {
        let granted = self.granted_total;
        let per_second = usize::try_from(1000 / BUCKET.as_millis()).unwrap_or(1).min(self.granted.len().max(1));
        let busiest = self.granted.windows(per_second).map(|window| window.iter().sum()).max();
        Summary {
            calls: self.micros.len(),
            granted,
            granted_per_s_max: busiest.unwrap_or_default(),
            granted_per_s_mean: if lasted.is_zero() { 0.0 } else { granted as f64 / lasted.as_secs_f64() },
            p50_ms: self.quantile_ms(0.5),
            p99_ms: self.quantile_ms(0.99),
            p999_ms: self.quantile_ms(0.999),
            max_ms: if self.micros.is_empty() { 0.0 } else { self.micros.max() as f64 / 1000.0 },
        }
    }

    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        if self.micros.is_empty() { 0.0 } else { self.micros.value_at_quantile(quantile) as f64 / 1000.0 }
    }

    /// The buckets that have calls.
    pub(crate) fn curve(&self) -> Vec<LatencyPoint> {
        let at_ms = |bucket: usize| bucket as u64 * u64::try_from(BUCKET.as_millis()).unwrap_or(u64::MAX);
        let filled = self.buckets.iter().enumerate().filter(|(_, micros)| !micros.is_empty());
        filled
            .map(|(bucket, micros)| {
                let mut micros = micros.clone();
                micros.sort_unstable();
                // The nearest rank: the smallest value that so many are no larger than.
                let rank = |share: f64| {
                    let rank = (micros.len() as f64 * share).ceil() as usize;
                    f64::from(micros[rank.clamp(1, micros.len()) - 1]) / 1000.0
                };
                LatencyPoint { at_ms: at_ms(bucket), calls: micros.len(), p50_ms: rank(0.5), p99_ms: rank(0.99) }
            })
            .collect()
    }

    /// Yeses by bucket.
    pub(crate) fn granted(&self) -> &[u64] {
        &self.granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(at_ms: u64, took_us: u64, granted: bool) -> Call {
        Call { verb: Verb::Hold, at: Duration::from_millis(at_ms), took: Duration::from_micros(took_us), granted }
    }

    #[test]
    fn every_shopper_counts_once() {
        let mut outcomes = Outcomes::default();
        let all = [
            Outcome::Sold,
            Outcome::Sold,
            Outcome::SoldOut,
            Outcome::Declined,
            Outcome::TimedOut,
            Outcome::Abandoned,
            Outcome::Failed("x".into()),
        ];
        all.iter().for_each(|outcome| outcomes.add(outcome));
        let Outcomes { sold, refused_sold_out, declined, timed_out, abandoned, failed } = outcomes;
        assert_eq!(sold + refused_sold_out + declined + timed_out + abandoned + failed, 7);
        assert_eq!(sold, 2);
    }

    #[test]
    fn quantiles_are_of_all_calls_and_of_each_bucket() {
        let mut pace = Pace::new();
        (1..=100).for_each(|n| pace.add(call(50, n * 1000, true)));
        pace.add(call(250, 7000, false));
        let summary = pace.summary(Duration::from_secs(2));
        assert_eq!((summary.calls, summary.granted, summary.granted_per_s_max), (101, 100, 100));
        assert!((summary.granted_per_s_mean - 50.0).abs() < 1e-9);
        assert!((summary.p50_ms - 50.0).abs() < 0.1, "{}", summary.p50_ms);
        let curve = pace.curve();
        assert_eq!(curve.len(), 2, "a bucket without calls has no latency");
        assert_eq!((curve[0].p50_ms, curve[0].p99_ms, curve[1].at_ms, curve[1].p99_ms), (50.0, 99.0, 200, 7.0));
    }

    #[test]
    fn the_busiest_second_is_a_second_long() {
        let mut pace = Pace::new();
        [0, 900, 1050, 1800, 5000].into_iter().for_each(|at| pace.add(call(at, 1, true)));
        assert_eq!(pace.summary(Duration::from_secs(5)).granted_per_s_max, 3);
    }

    #[test]
    fn nothing_at_all_is_not_an_error() {
        let summary = Pace::new().summary(Duration::ZERO);
        assert_eq!((summary.calls, summary.granted_per_s_max, summary.p999_ms), (0, 0, 0.0));
    }
}
