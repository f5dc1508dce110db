//! What goes with what: sums over pairs of things shoppers did near each other.

use super::decay::Decayed;
use super::event::Time;
use super::product::{Neighbours, Product, Products};
use super::sums::Sums;
use super::table::Slot;
use super::tuning::PairTuning;

/// How many of a shopper's latest visits, or of a basket's products, one answer starts from.
pub(crate) const SEEDS_MAX: usize = 50;

/// Scores what goes with the seeds, newest last, each with its own weight.
///
/// Cost: [`SEEDS_MAX`] rows of at most one and a half times `neighbours_max` neighbours.
pub(crate) fn score_pairs(
    seeds: &[(Slot, f64)],
    now: Time,
    products: &Products,
    channel: fn(&Product) -> &Neighbours,
    tuning: &PairTuning,
) -> Sums {
    let one = Decayed::new(1.0, now, tuning.half_life);
    let mut scores = Sums::default();
    let mut recency = 1.0;
    for (item, weight) in seeds.iter().rev().take(SEEDS_MAX) {
        let Some(from) = products.get(*item).map(channel) else { continue };
        let from_norm = power(from.seen.share_of(one), tuning.from_power);
        for (neighbour, sum) in from.row.iter() {
            let Some(to) = products.get(neighbour).map(channel) else { continue };
            let norm = from_norm * power(to.seen.share_of(one), tuning.to_power) + tuning.shrink;
            scores.add(neighbour, recency * weight * sum.share_of(one) / norm.max(f64::MIN_POSITIVE));
        }
        recency *= tuning.recency_step;
    }
    scores
}

/// Most exponents are 0 or 1: those are worth no logarithm.
pub(crate) fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 {
        1.0
    } else if exponent == 1.0 {
        base
    } else {
        base.powf(exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asymmetric_cosine_is_what_one_computes_by_hand() {
        let tuning = PairTuning { from_power: 0.5, to_power: 0.5, shrink: 1.0, ..PairTuning::same_order() };
        let mut products = Products::new(10);
        let slot = |products: &mut Products, id: &str| products.touch(&id.parse().expect("an id")).slot;
        let (a, b) = (slot(&mut products, "a"), slot(&mut products, "b"));
        let times = |n| Decayed::new(n, Time::default(), tuning.half_life);
        products.get_mut(a).expect("a").same_order.seen = times(4.0);
        products.get_mut(a).expect("a").same_order.row.add(b, times(3.0), 8);
        products.get_mut(b).expect("b").same_order.seen = times(16.0);
        let score = |now| score_pairs(&[(a, 1.0)], now, &products, |product| &product.same_order, &tuning).get(b);
        // 3 / (sqrt 4 sqrt 16 + 1), and a half-life later 1.5 / (sqrt 2 sqrt 8 + 1).
        assert!((score(Time::default()) - 3.0 / 9.0).abs() < 1e-12);
        let later = Time::default().after(tuning.half_life);
        assert!((score(later) - 1.5 / 5.0).abs() < 1e-12);
        assert_eq!(score_pairs(&[], later, &products, |product| &product.same_order, &tuning).iter().count(), 0);
    }
}
