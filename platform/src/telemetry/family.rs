//! A metric: one series for every combination of its labels, made at the start.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

use super::label::Labels;
use super::value::{Exemplar, Value};

/// See the module. Clones share the series.
pub struct Family<L, V> {
    series: Arc<[V]>,
    labels: PhantomData<L>,
}

/// One series' labels, as Prometheus spells them.
pub(super) type Pairs = Vec<(String, &'static str)>;

/// A family, whatever its labels and values.
pub(super) trait AnyFamily: EncodeMetric + Send + Sync {
    /// Every sampled observation: its series' labels, its bucket's upper bound, and itself.
    fn exemplars(&self) -> Vec<(Pairs, f64, Exemplar)>;
}

impl<L: Labels, V: Value> Family<L, V> {
    /// The series of these labels.
    pub fn of(&self, labels: L) -> &V {
        &self.series[labels.place()]
    }

    /// Every series that has something to tell.
    fn told(&self) -> impl Iterator<Item = (Pairs, &V)> {
        let told = self.series.iter().enumerate().filter(|(_, series)| series.is_told());
        told.map(|(place, series)| {
            let labels = L::at(place).into_iter().map(|(name, word)| (name.replace('.', "_"), word));
            (labels.collect(), series)
        })
    }
}

impl<V: Value> std::ops::Deref for Family<(), V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.of(())
    }
}

impl<L: Labels, V: Value> Default for Family<L, V> {
    fn default() -> Self {
        Self { series: (0..L::count()).map(|_| V::default()).collect(), labels: PhantomData }
    }
}

impl<L, V> Clone for Family<L, V> {
    fn clone(&self) -> Self {
        Self { series: self.series.clone(), labels: PhantomData }
    }
}

impl<L, V> fmt::Debug for Family<L, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("series", &self.series.len()).finish_non_exhaustive()
    }
}

impl<L: Labels, V: Value> EncodeMetric for Family<L, V> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (labels, series) in self.told() {
            if labels.is_empty() {
                series.encode(&mut encoder)?;
            } else {
                series.encode(&mut encoder.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        V::TYPE
    }
}

impl<L: Labels, V: Value> AnyFamily for Family<L, V> {
    fn exemplars(&self) -> Vec<(Pairs, f64, Exemplar)> {
        let of = |(labels, series): (Pairs, &V)| {
            let exemplars = series.exemplars().into_iter();
            exemplars.map(|(bound, exemplar)| (labels.clone(), bound, exemplar)).collect::<Vec<_>>()
        };
        self.told().flat_map(of).collect()
    }
}
