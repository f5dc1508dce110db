//! How good one ranked list is.

use std::fmt;

/// What is measured of the first `at` places. Everything lies in [0, 1], more being better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Whether anything relevant is there.
    HitRate { at: usize },
    /// One over the place of the first relevant product.
    ReciprocalRank { at: usize },
    /// How much of what is relevant is there.
    Recall { at: usize },
    /// Normalised discounted cumulative gain, gains being 0 or 1.
    Ndcg { at: usize },
}

impl Metric {
    pub(super) fn at(self) -> usize {
        match self {
            Self::HitRate { at } | Self::ReciprocalRank { at } | Self::Recall { at } | Self::Ndcg { at } => at,
        }
    }

    /// `hits` says of each place whether what is there is relevant; `relevant` is how much there is in all.
    pub(super) fn measure(self, hits: &[bool], relevant: usize) -> f64 {
        let hits = &hits[..hits.len().min(self.at())];
        let count = hits.iter().filter(|hit| **hit).count() as f64;
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        match self {
            Self::HitRate { .. } => f64::from(u8::from(count > 0.0)),
            Self::ReciprocalRank { .. } => {
                hits.iter().position(|hit| *hit).map_or(0.0, |place| 1.0 / (place as f64 + 1.0))
            }
            Self::Recall { .. } => count / relevant.max(1) as f64,
            Self::Ndcg { at } => {
                let gained: f64 = hits.iter().enumerate().filter(|(_, hit)| **hit).map(|(place, _)| gain(place)).sum();
                gained / (0..relevant.clamp(1, at)).map(gain).sum::<f64>()
            }
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::HitRate { .. } => "HR",
            Self::ReciprocalRank { .. } => "MRR",
            Self::Recall { .. } => "R",
            Self::Ndcg { .. } => "N",
        };
        write!(f, "{name}@{}", self.at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_what_one_computes_by_hand() {
        let hits = [false, true, true, false];
        let check = |metric: Metric, expect: f64| {
            let measured = metric.measure(&hits, 3);
            assert!((measured - expect).abs() < 1e-12, "{metric}: {measured}");
        };
        check(Metric::HitRate { at: 1 }, 0.0);
        check(Metric::HitRate { at: 2 }, 1.0);
        check(Metric::ReciprocalRank { at: 4 }, 0.5);
        check(Metric::Recall { at: 4 }, 2.0 / 3.0);
        let gain = |place: f64| 1.0 / (place + 1.0).log2();
        check(Metric::Ndcg { at: 4 }, (gain(2.0) + gain(3.0)) / (gain(1.0) + gain(2.0) + gain(3.0)));
        check(Metric::Ndcg { at: 2 }, gain(2.0) / (gain(1.0) + gain(2.0)));
        assert!(Metric::Recall { at: 4 }.measure(&[], 0).abs() < f64::EPSILON, "nothing to find, nothing found");
    }
}
