//! How sure one may be: at one planned moment, or at every moment at once.

use super::estimate::Comparison;
use super::special::{normal_quantile, normal_two_sided};

/// How an estimate is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Certainty {
    /// Once, at a moment fixed before anything was seen.
    Fixed { alpha: f64 },
    /// As often as one likes, stopping when one likes: the estimate leaves the interval at any time at all with
    /// probability at most `alpha`. `progress` is the units seen, over those planned.
    Always { alpha: f64, progress: f64 },
}

impl Certainty {
    pub(crate) fn alpha(self) -> f64 {
        match self {
            Self::Fixed { alpha } | Self::Always { alpha, .. } => alpha,
        }
    }

    /// How many standard errors the interval reaches either way.
    ///
    /// Always: the normal mixture over a random walk (Robbins 1970; mSPRT of Johari, Koomen, Pekelis and Walsh,
    /// "Always Valid Inference", Operations Research 2022), as the asymptotic confidence sequence of Waudby-Smith,
    /// Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit theory and asymptotic confidence sequences",
    /// Annals of Statistics 2024, theorem 2.2), whose width in standard errors of a mean of t units is
    /// `sqrt((1 + 1/(t rho^2)) ln((1 + t rho^2) / alpha^2))`.
    pub(crate) fn multiplier(self) -> f64 {
        match self {
            Self::Fixed { alpha } => normal_quantile(1.0 - alpha / 2.0),
            Self::Always { alpha, progress } => {
                let clock = mixture_clock(alpha, progress);
                ((1.0 + 1.0 / clock) * ((1.0 + clock).ln() - 2.0 * alpha.ln())).sqrt()
            }
        }
    }

    /// The least `alpha` at which an estimate this many standard errors from the hypothesis would contradict it.
    pub(crate) fn p_value(self, z: f64) -> f64 {
        match self {
            Self::Fixed { .. } => normal_two_sided(z),
            Self::Always { alpha, progress } => {
                let clock = mixture_clock(alpha, progress);
                let evidence = 0.5 * z * z * clock / (1.0 + clock) - 0.5 * clock.ln_1p();
                (-evidence).exp().min(1.0)
            }
        }
    }
}

/// `t rho^2`, with the mixture's width chosen before the start so that the interval is tightest, for its alpha, when all
/// planned units are in: `rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / t` (Waudby-Smith et al. 2024, equation 2.17;
/// Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 2021, section 3.5).
fn mixture_clock(alpha: f64, progress: f64) -> f64 {
    let surprise = -2.0 * alpha.ln();
    progress.max(f64::MIN_POSITIVE) * (surprise + surprise.ln_1p())
}

/// From where to where; an end that is missing is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Comparison {
    /// The change in the mean, in the metric's unit.
    pub(crate) fn change(&self, certainty: Certainty) -> Interval {
        let difference = self.difference(0.0);
        let half = certainty.multiplier() * difference.variance.sqrt();
        Interval { low: difference.value - half, high: difference.value + half }
    }

    /// The change relative to the control's mean, by Fieller's theorem: every lift that the data do not contradict
    /// (Fieller, "Some problems in interval estimation", JRSS B 1954). It has 0 in it exactly where the change has. None
    /// where the control's mean is not clearly positive: a part of nearly nothing may be anything.
    pub(crate) fn lift(&self, certainty: Certainty) -> Option<Interval> {
        let (control, treatment, k2) = (self.control, self.treatment, certainty.multiplier().powi(2));
        let a = control.value * control.value - k2 * control.variance;
        if control.value <= 0.0 || a <= 0.0 {
            return None;
        }
        let b = control.value * treatment.value;
        let c = treatment.value * treatment.value - k2 * treatment.variance;
        let root = (b * b - a * c).max(0.0).sqrt();
        Some(Interval { low: (b - root) / a - 1.0, high: (b + root) / a - 1.0 })
    }

    /// How many standard errors the treatment is from the control changed by `lift`; 0 where nothing varies.
    pub(crate) fn z(&self, lift: f64) -> f64 {
        let difference = self.difference(lift);
        if difference.variance > 0.0 { difference.value / difference.variance.sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::estimate::Estimate;
    use super::*;

    fn comparison(control: (f64, f64), treatment: (f64, f64)) -> Comparison {
        let estimate = |(value, error): (f64, f64)| Estimate { value, variance: error * error };
        Comparison { control: estimate(control), treatment: estimate(treatment) }
    }

    #[test]
    fn looking_whenever_one_likes_costs_width() {
        let at = |progress| Certainty::Always { alpha: 0.05, progress }.multiplier();
        assert!(at(1.0) > 2.9 && at(1.0) < 3.1, "{}", at(1.0));
        assert!(at(0.05) > at(1.0) && at(20.0) > at(1.0), "it is tightest where the plan says");
        assert!(at(0.0) > 1e6, "nothing is known of nothing");
    }

    proptest! {
        #[test]
        fn the_p_value_is_the_alpha_at_which_the_interval_touches(z in 2.5f64..8.0, progress in 0.05f64..3.0) {
            // The mixture stays the design's: the p-value of an interval's own edge is its alpha.
            let certainty = Certainty::Always { alpha: 0.05, progress };
            prop_assert!((certainty.p_value(certainty.multiplier()) - 0.05).abs() < 1e-9);
            prop_assert!(certainty.p_value(z) >= normal_two_sided(z), "peeking never makes evidence");
        }

        #[test]
        fn the_lift_has_zero_where_the_change_has(
            control in (0.5f64..2.0, 0.01f64..0.2), treatment in (0.5f64..2.0, 0.01f64..0.2),
        ) {
            let (comparison, certainty) = (comparison(control, treatment), Certainty::Fixed { alpha: 0.05 });
            if let Some(lift) = comparison.lift(certainty) {
                let change = comparison.change(certainty);
                prop_assert_eq!(lift.low > 0.0, change.low > 0.0);
                prop_assert_eq!(lift.high < 0.0, change.high < 0.0);
                let edge = comparison.z(lift.high).abs();
                prop_assert!((edge - certainty.multiplier()).abs() < 1e-6, "{edge}");
            }
        }
    }

    #[test]
    fn a_part_of_nearly_nothing_is_not_told() {
        let certainty = Certainty::Fixed { alpha: 0.05 };
        assert_eq!(comparison((0.01, 0.01), (0.02, 0.01)).lift(certainty), None);
        assert_eq!(comparison((-1.0, 0.01), (1.0, 0.01)).lift(certainty), None);
    }
}
