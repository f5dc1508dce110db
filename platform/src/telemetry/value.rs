//! What a series counts: atomics alone, so that a call never waits for another call's count.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use prometheus_client::encoding::{MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// What one series of a family is.
pub trait Value: Default + Send + Sync + 'static {
    const TYPE: MetricType;

    /// Whether there is anything to tell yet.
    fn is_told(&self) -> bool {
        true
    }

    /// Writes the series.
    ///
    /// # Errors
    /// Where the writer has none.
    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result;

    /// Sampled observations, each with the upper bound of its bucket.
    fn exemplars(&self) -> Vec<(f64, Exemplar)> {
        Vec::new()
    }
}

/// A sampled observation, whose trace is worth a look.
#[derive(Debug, Clone, Copy)]
pub struct Exemplar {
    pub trace_id: u128,
    /// As told: in the metric's unit.
    pub value: f64,
    pub time: SystemTime,
}

/// Only goes up. Told from the start, so that its first step is seen as one.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Value for Counter {
    const TYPE: MetricType = MetricType::Counter;

    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, u64>(&self.get(), None)
    }
}

/// How many there are just now: goes up and down with them.
#[derive(Debug, Default)]
pub struct UpDown(AtomicI64);

impl UpDown {
    pub fn add(&self, count: i64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub fn set(&self, count: i64) {
        self.0.store(count, Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

impl Value for UpDown {
    const TYPE: MetricType = MetricType::Gauge;

    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result {
        encoder.encode_gauge(&self.get())
    }
}

/// A measured value; there is none until it is first measured.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

/// Not a number that anybody measures: nothing measured yet.
const UNMEASURED: u64 = u64::MAX;

impl Gauge {
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// Nothing is known any more: the series ends.
    pub fn clear(&self) {
        self.0.store(UNMEASURED, Relaxed);
    }

    pub fn get(&self) -> Option<f64> {
        let bits = self.0.load(Relaxed);
        (bits != UNMEASURED).then(|| f64::from_bits(bits))
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self(AtomicU64::new(UNMEASURED))
    }
}

impl Value for Gauge {
    const TYPE: MetricType = MetricType::Gauge;

    fn is_told(&self) -> bool {
        self.get().is_some()
    }

    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result {
        self.get().map_or(Ok(()), |value| encoder.encode_gauge(&value))
    }
}
