//! A variant's mean, with how uncertain it is, and two of them compared.

use super::metric::{Covariate, Measure};
use super::sums::Sums;

/// An estimate and the variance of that estimate (not of the units).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) variance: f64,
}

/// A treatment beside its control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) control: Estimate,
    pub(crate) treatment: Estimate,
}

impl Comparison {
    /// None where there is nothing to divide by.
    pub(super) fn of(measure: &Measure, control: &Sums, treatment: &Sums) -> Option<Self> {
        let (control, treatment) = match measure {
            Measure::Proportion { covariate: Covariate::None, .. }
            | Measure::Mean { covariate: Covariate::None, .. } => (mean(control), mean(treatment)),
            Measure::Proportion { covariate: Covariate::Before, .. }
            | Measure::Mean { covariate: Covariate::Before, .. } => adjusted(control, treatment),
            Measure::Ratio { .. } => (ratio(control)?, ratio(treatment)?),
        };
        let comparison = Self { control, treatment };
        (control.value.is_finite() && comparison.difference(0.0).variance.is_finite()).then_some(comparison)
    }

    /// How far the treatment is from the control changed by `lift` (0 for the control as it is), and how uncertain
    /// that is: the arms are independent.
    pub(super) fn difference(&self, lift: f64) -> Estimate {
        let scale = 1.0 + lift;
        Estimate {
            value: self.treatment.value - scale * self.control.value,
            variance: self.treatment.variance + scale * scale * self.control.variance,
        }
    }
}

fn mean(sums: &Sums) -> Estimate {
    Estimate { value: sums.mean_y(), variance: sums.spread().yy / sums.n() }
}

/// The ratio of two sums over the same units, by the delta method: the units are independent, what they did is not
/// (Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics", KDD 2018, equation 3).
fn ratio(sums: &Sums) -> Option<Estimate> {
    let (per, spread) = (sums.mean_w(), sums.spread());
    if per == 0.0 || per.is_nan() {
        return None;
    }
    let value = sums.mean_y() / per;
    let linearised = spread.yy - 2.0 * value * spread.yw + value * value * spread.ww;
    Some(Estimate { value, variance: linearised.max(0.0) / (sums.n() * per * per) })
}

/// Means with what the time before explains taken out (CUPED: Deng, Xu, Kohavi and Walker, WSDM 2013). One slope for
/// both arms, from the variation within them, and one reference, so that the control's mean stays what it was about.
fn adjusted(control: &Sums, treatment: &Sums) -> (Estimate, Estimate) {
    let both = control.plus(*treatment);
    let reference = both.mean_w();
    let within = |pick: fn(&Sums) -> f64| (control.n() - 1.0) * pick(control) + (treatment.n() - 1.0) * pick(treatment);
    let (covariance, variance) = (within(|sums| sums.spread().yw), within(|sums| sums.spread().ww));
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    let adjust = |sums: &Sums| {
        let spread = sums.spread();
        let left = spread.yy - 2.0 * slope * spread.yw + slope * slope * spread.ww;
        Estimate { value: sums.mean_y() - slope * (sums.mean_w() - reference), variance: left.max(0.0) / sums.n() }
    };
    (adjust(control), adjust(treatment))
}
