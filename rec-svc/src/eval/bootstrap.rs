//! How far a mean would move with other shoppers of the same kind.

use std::collections::BTreeMap;

use super::random::Random;

/// Resamples an interval is read from.
const RESAMPLES: usize = 1_000;
const SEED: u64 = 1_979;

/// A mean over questions and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// Resamples whole units, shoppers or sessions: what one of them is asked hangs together. Nothing asked is all zeros.
pub(super) fn estimate(marks: impl Iterator<Item = (u32, f64)>) -> Estimate {
    let mut units = BTreeMap::<u32, (f64, f64)>::new();
    for (unit, mark) in marks {
        let (sum, count) = units.entry(unit).or_default();
        (*sum, *count) = (*sum + mark, *count + 1.0);
    }
    let units: Vec<(f64, f64)> = units.into_values().collect();
    let mean_of = |picked: &mut dyn Iterator<Item = &(f64, f64)>| {
        let (sum, count) = picked.fold((0.0, 0.0), |(sum, count), unit| (sum + unit.0, count + unit.1));
        if count > 0.0 { sum / count } else { 0.0 }
    };
    let mean = mean_of(&mut units.iter());
    if units.is_empty() {
        return Estimate { mean, low: mean, high: mean };
    }
    let mut random = Random::new(SEED);
    let mut means: Vec<f64> =
        (0..RESAMPLES).map(|_| mean_of(&mut (0..units.len()).map(|_| &units[random.below(units.len())]))).collect();
    means.sort_unstable_by(f64::total_cmp);
    Estimate { mean, low: means[RESAMPLES / 40], high: means[RESAMPLES - 1 - RESAMPLES / 40] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_coin_is_the_binomials() {
        let coin = estimate((0..1_000).map(|unit| (unit, f64::from(unit % 2))));
        assert!((coin.mean - 0.5).abs() < 1e-12);
        // 1.96 sqrt(0.25 / 1000) = 0.031
        assert!((0.025..0.037).contains(&(coin.high - coin.mean)), "{coin:?}");
        assert!((0.025..0.037).contains(&(coin.mean - coin.low)), "{coin:?}");
    }

    #[test]
    fn questions_of_one_shopper_are_not_independent() {
        let of_few = estimate((0..1_000).map(|n| (n % 10, f64::from(n % 10 % 2))));
        assert!(of_few.high - of_few.low > 0.4, "{of_few:?}");
        assert_eq!(estimate(std::iter::empty()), Estimate { mean: 0.0, low: 0.0, high: 0.0 });
    }
}
