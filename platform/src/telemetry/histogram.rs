//! How long things take, and how many come at once.
//!
//! prometheus-client's histogram with exemplars takes two locks an observation. This one adds to three atomics; only a
//! sampled call, whose trace is worth pointing at, touches a lock, and leaves its exemplar out where that is taken.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::{MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::value::{Exemplar, Value};

/// What a histogram counts in.
pub trait Scale: Send + Sync + 'static {
    /// The upper bounds of all buckets but the last, in the recorded unit.
    const BOUNDS: &'static [u64];
    /// How many recorded units one told unit is.
    const PER_UNIT: f64;
}

/// Durations: recorded in nanoseconds, told in seconds. A hold of stock takes half a millisecond, the default deadline
/// is ten seconds; every bound is at most 2.5 times the one before.
#[derive(Debug)]
pub struct Seconds;

impl Scale for Seconds {
    const BOUNDS: &'static [u64] = &[
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        25_000_000,
        50_000_000,
        100_000_000,
        250_000_000,
        500_000_000,
        1_000_000_000,
        2_500_000_000,
        5_000_000_000,
        10_000_000_000,
    ];
    const PER_UNIT: f64 = 1e9;
}

/// How many at once.
#[derive(Debug)]
pub struct Count;

impl Scale for Count {
    const BOUNDS: &'static [u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    const PER_UNIT: f64 = 1.0;
}

/// See the module. Takes memory once there is something to count: most combinations of labels never come up.
#[derive(Debug)]
pub struct Histogram<S: Scale> {
    counts: OnceLock<Box<Counts>>,
    scale: PhantomData<S>,
}

#[derive(Debug)]
struct Counts {
    /// One more than there are bounds: the last takes the rest.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    /// One a bucket.
    exemplars: Mutex<Vec<Option<Exemplar>>>,
}

impl<S: Scale> Default for Histogram<S> {
    fn default() -> Self {
        Self { counts: OnceLock::new(), scale: PhantomData }
    }
}

impl Histogram<Seconds> {
    pub fn observe(&self, took: Duration) {
        self.record(nanos(took));
    }

    /// The same, and where the call was sampled, with its trace to look at.
    pub fn observe_traced(&self, took: Duration, trace_id: Option<u128>) {
        let bucket = self.record(nanos(took));
        let Some(trace_id) = trace_id else { return };
        if let Ok(mut exemplars) = self.counts().exemplars.try_lock() {
            exemplars[bucket] = Some(Exemplar { trace_id, value: took.as_secs_f64(), time: SystemTime::now() });
        }
    }
}

impl Histogram<Count> {
    pub fn observe(&self, count: usize) {
        self.record(count as u64);
    }
}

impl<S: Scale> Histogram<S> {
    fn record(&self, value: u64) -> usize {
        let counts = self.counts();
        let bucket = S::BOUNDS.partition_point(|bound| *bound < value);
        counts.buckets[bucket].fetch_add(1, Relaxed);
        counts.sum.fetch_add(value, Relaxed);
        bucket
    }

    fn counts(&self) -> &Counts {
        self.counts.get_or_init(|| {
            let count = S::BOUNDS.len() + 1;
            Box::new(Counts {
                buckets: (0..count).map(|_| AtomicU64::default()).collect(),
                sum: AtomicU64::default(),
                exemplars: Mutex::new(vec![None; count]),
            })
        })
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.counts.get().map_or(0, |counts| counts.buckets.iter().map(|bucket| bucket.load(Relaxed)).sum())
    }

    /// The upper bound of each bucket, as told.
    fn bounds() -> impl Iterator<Item = f64> {
        S::BOUNDS.iter().map(|bound| *bound as f64 / S::PER_UNIT).chain([f64::INFINITY])
    }
}

/// Five centuries fit.
fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

impl<S: Scale> Value for Histogram<S> {
    const TYPE: MetricType = MetricType::Histogram;

    /// Series without an observation would be most of a page: methods times statuses times buckets.
    fn is_told(&self) -> bool {
        self.count() > 0
    }

    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result {
        let counts = self.counts();
        let loaded = counts.buckets.iter().map(|bucket| bucket.load(Relaxed));
        let buckets: Vec<(f64, u64)> = Self::bounds().zip(loaded).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = counts.sum.load(Relaxed) as f64 / S::PER_UNIT;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn exemplars(&self) -> Vec<(f64, Exemplar)> {
        let Some(counts) = self.counts.get() else { return Vec::new() };
        let exemplars = counts.exemplars.lock().unwrap_or_else(PoisonError::into_inner);
        Self::bounds().zip(exemplars.iter()).filter_map(|(bound, exemplar)| Some((bound, (*exemplar)?))).collect()
    }
}
