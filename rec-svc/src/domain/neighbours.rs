//! The products that go with one product.

use holdfast_contracts::ProductId;

use super::decay::Decayed;

/// How many neighbours a product keeps.
pub(crate) const NEIGHBOURS_MAX: usize = 64;
/// How many newcomers may wait beside them: without that room a full row would never let a new neighbour grow.
pub(crate) const NEWCOMERS_MAX: usize = 32;

/// Bounded by [`NEIGHBOURS_MAX`] and [`NEWCOMERS_MAX`]; the weakest are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Neighbours(Vec<(ProductId, Decayed)>);

impl Neighbours {
    pub(crate) fn add(&mut self, product: &ProductId, weight: Decayed) {
        if let Some((_, sum)) = self.0.iter_mut().find(|(known, _)| known == product) {
            *sum = sum.plus(weight);
            return;
        }
        self.0.push((product.clone(), weight));
        if self.0.len() > NEIGHBOURS_MAX + NEWCOMERS_MAX {
            self.0.sort_unstable_by(|(a, a_sum), (b, b_sum)| b_sum.cmp(a_sum).then_with(|| a.cmp(b)));
            self.0.truncate(NEIGHBOURS_MAX);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ProductId, Decayed)> {
        self.0.iter().map(|(product, sum)| (product, *sum))
    }

    /// Each neighbour's sum as a share of the strongest one's, in (0, 1].
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&ProductId, f64)> {
        let top = self.0.iter().map(|(_, sum)| *sum).max().unwrap_or_default();
        self.0.iter().map(move |(product, sum)| (product, sum.share_of(top)))
    }
}
