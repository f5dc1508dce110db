//! What those buy who bought the same, over the long run.

use std::hash::{Hash, Hasher};

use super::matrix::Matrix;
use super::personal::Purchases;
use super::product::Products;
use super::sums::Sums;
use super::table::Slot;
use super::tuning::LongTermTuning;

/// How many products it covers at most: beyond, a fit takes too long and too much memory (four bytes times the square).
pub(crate) const ITEMS_MAX: usize = 10_000;

/// Weights from each product bought to others: EASE (Steck, "Embarrassingly Shallow Autoencoders", WWW 2019). Fitted now
/// and then from what is known, not changed by events between.
#[derive(Debug, Default)]
pub(crate) struct LongTerm {
    /// By product.
    rows: Vec<(Slot, Vec<(Slot, f32)>)>,
}

impl LongTerm {
    /// Fits it to who bought what: a pure function of the purchases and their order. Cost: a thousand products take some
    /// hundred milliseconds, ten thousand some minutes.
    pub(crate) fn fit<'a>(
        purchases: impl Iterator<Item = &'a Purchases>,
        products: &Products,
        tuning: &LongTermTuning,
    ) -> Self {
        let items = most_bought(products, tuning.items_max.min(ITEMS_MAX));
        let together = count_together(purchases, &items, tuning.lambda);
        let Some(inverse) = together.inverse_of_positive_definite() else { return Self::default() };
        let rows = items.iter().enumerate().map(|(from, item)| {
            let weights = items.iter().enumerate().filter(|(to, _)| *to != from);
            let weights = weights.map(|(to, other)| (*other, -inverse.at(from, to) / inverse.at(to, to)));
            (*item, strongest(weights.collect(), tuning.neighbours_max))
        });
        Self { rows: rows.collect() }
    }

    pub(crate) fn score(&self, purchases: &Purchases) -> Sums {
        let mut scores = Sums::default();
        for bought in purchases.iter() {
            let Ok(at) = self.rows.binary_search_by_key(&bought.item, |(item, _)| *item) else { continue };
            for (item, weight) in &self.rows[at].1 {
                scores.add(*item, f64::from(*weight));
            }
        }
        scores
    }
}

impl Hash for LongTerm {
    fn hash<H: Hasher>(&self, hash: &mut H) {
        for (item, row) in &self.rows {
            item.hash(hash);
            row.iter().for_each(|(other, weight)| (other, weight.to_bits()).hash(hash));
        }
    }
}

/// Those with the most buyers, sorted by slot.
fn most_bought(products: &Products, len_max: usize) -> Vec<Slot> {
    let bought = products.iter().filter(|(_, _, product)| !product.demand.is_zero());
    let mut items: Vec<_> = bought.map(|(slot, _, product)| (product.demand, slot)).collect();
    items.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut items: Vec<Slot> = items.into_iter().map(|(_, slot)| slot).take(len_max).collect();
    items.sort_unstable();
    items
}

/// How many shoppers bought both, and on the diagonal how many bought one, plus `lambda`.
fn count_together<'a>(purchases: impl Iterator<Item = &'a Purchases>, items: &[Slot], lambda: f64) -> Matrix {
    let mut together = Matrix::zero(items.len());
    (0..items.len()).for_each(|at| together.add(at, at, lambda.max(1.0) as f32));
    for bought in purchases {
        let bought: Vec<usize> = bought.iter().filter_map(|bought| items.binary_search(&bought.item).ok()).collect();
        for (at, row) in bought.iter().enumerate() {
            bought[..=at].iter().for_each(|column| together.add(*row, *column, 1.0));
        }
    }
    together
}

fn strongest(mut weights: Vec<(Slot, f32)>, len_max: usize) -> Vec<(Slot, f32)> {
    weights.sort_unstable_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    weights.truncate(len_max);
    weights.sort_unstable_by_key(|(slot, _)| *slot);
    weights
}
