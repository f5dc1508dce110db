//! What is kept of a variant's units: six sums a metric, whatever their number.

use serde::{Deserialize, Serialize};

/// A unit's number, with its covariate or denominator beside it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) y: f64,
    pub(crate) w: f64,
}

/// Sums over units: added to one at a time, in any order. They are plain sums, not centred ones, so that a unit whose
/// late events change its number can be taken out again; a metric whose mean is some 10^6 times its deviation would
/// lose the deviation to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Sums {
    pub(crate) units: u64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) yy: f64,
    pub(crate) ww: f64,
    pub(crate) yw: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, unit: Pair) {
        self.units += 1;
        self.shift(unit, 1.0);
    }

    /// Takes a unit out that was added before.
    pub(crate) fn remove(&mut self, unit: Pair) {
        self.units = self.units.saturating_sub(1);
        self.shift(unit, -1.0);
    }

    fn shift(&mut self, Pair { y, w }: Pair, sign: f64) {
        self.y += sign * y;
        self.w += sign * w;
        self.yy += sign * y * y;
        self.ww += sign * w * w;
        self.yw += sign * y * w;
    }

    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            units: self.units + other.units,
            y: self.y + other.y,
            w: self.w + other.w,
            yy: self.yy + other.yy,
            ww: self.ww + other.ww,
            yw: self.yw + other.yw,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 units")]
    pub(super) fn n(&self) -> f64 {
        self.units as f64
    }

    pub(super) fn mean_y(&self) -> f64 {
        self.y / self.n()
    }

    pub(super) fn mean_w(&self) -> f64 {
        self.w / self.n()
    }

    /// Sample variances and the covariance; 0 of fewer than two units.
    pub(super) fn spread(&self) -> Spread {
        if self.units < 2 {
            return Spread::default();
        }
        let n = self.n();
        let centred = |product: f64, a: f64, b: f64| (product - a * b / n) / (n - 1.0);
        Spread {
            yy: centred(self.yy, self.y, self.y).max(0.0),
            ww: centred(self.ww, self.w, self.w).max(0.0),
            yw: centred(self.yw, self.y, self.w),
        }
    }
}

/// Sample variances of the number and of what stands beside it, and their covariance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spread {
    pub(super) yy: f64,
    pub(super) ww: f64,
    pub(super) yw: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_forget_what_is_taken_out(units in prop::collection::vec((-1e3f64..1e3, -1e3f64..1e3), 3..40)) {
            let pairs: Vec<Pair> = units.into_iter().map(|(y, w)| Pair { y, w }).collect();
            let (mut with, mut without) = (Sums::default(), Sums::default());
            pairs.iter().for_each(|&pair| with.add(pair));
            with.remove(pairs[0]);
            pairs[1..].iter().for_each(|&pair| without.add(pair));
            prop_assert_eq!(with.units, without.units);
            prop_assert!((with.spread().yy - without.spread().yy).abs() < 1e-6);
            prop_assert!((with.spread().yw - without.spread().yw).abs() < 1e-6);
            prop_assert!((with.mean_y() - without.mean_y()).abs() < 1e-9);
        }
    }
}
