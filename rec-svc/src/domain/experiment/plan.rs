//! What is settled before the start: how many units it takes, and how the allowed error is spent.

use serde::{Deserialize, Serialize};

use super::metric::Measure;
use super::special::normal_quantile;

/// The part of alpha that monitoring spends; the test at the planned end has the rest. Their sum bounds how often an
/// experiment without a difference is ever said to have one, looks and end together.
const MONITORING_PART: f64 = 0.2;

/// What is expected of the primary metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Its mean today: a proportion, a mean per unit, a ratio.
    pub(crate) baseline: f64,
    /// The units' standard deviation; of a ratio, that of `(y - ratio * w) / mean w`. Not needed of a proportion.
    pub(crate) deviation: Option<f64>,
    /// The least relative change worth finding: 0.05 is 5 %.
    pub(crate) effect_min: f64,
    /// How often a difference may be claimed where there is none.
    pub(crate) alpha: f64,
    /// How often an effect of `effect_min` is to be found.
    pub(crate) power: f64,
}

/// Why a plan is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("baseline {0} must be above 0, and of a proportion below 1 even when changed by effect_min")]
    Baseline(f64),
    #[error("deviation must be given and above 0 for this metric")]
    Deviation,
    #[error("effect_min {0} must be between 0 and 10")]
    Effect(f64),
    #[error("alpha {0} must be between 0.0001 and 0.2")]
    Alpha(f64),
    #[error("power {0} must be between 0.5 and 0.99")]
    Power(f64),
    #[error("takes more than 10^12 units")]
    Endless,
}

/// More units than anybody has.
const UNITS_MAX: f64 = 1e12;

impl Plan {
    pub(crate) fn check(&self, measure: &Measure, shares: &[f64]) -> Result<(), PlanError> {
        let is_proportion = matches!(measure, Measure::Proportion { .. });
        let changed = self.baseline * (1.0 + self.effect_min);
        if !within(self.effect_min, f64::MIN_POSITIVE, 10.0) {
            return Err(PlanError::Effect(self.effect_min));
        }
        if !within(self.baseline, f64::MIN_POSITIVE, f64::MAX) || (is_proportion && changed >= 1.0) {
            return Err(PlanError::Baseline(self.baseline));
        }
        if !is_proportion && !self.deviation.is_some_and(|deviation| within(deviation, f64::MIN_POSITIVE, f64::MAX)) {
            return Err(PlanError::Deviation);
        }
        if !within(self.alpha, 0.0001, 0.2) {
            return Err(PlanError::Alpha(self.alpha));
        }
        if !within(self.power, 0.5, 0.99) {
            return Err(PlanError::Power(self.power));
        }
        let units = self.units_exact(measure, shares);
        if units.is_nan() || units > UNITS_MAX { Err(PlanError::Endless) } else { Ok(()) }
    }

    /// How many units must be exposed in all variants together, so that each treatment against the control has the
    /// power: `(z_(1 - alpha/2) + z_power)^2 (s_c^2/share_c + s_t^2/share_t) / effect^2`, rounded up.
    pub(crate) fn units(&self, measure: &Measure, shares: &[f64]) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and UNITS_MAX")]
        let units = self.units_exact(measure, shares).ceil().clamp(1.0, UNITS_MAX) as u64;
        units
    }

    fn units_exact(&self, measure: &Measure, shares: &[f64]) -> f64 {
        let [control, treatments @ ..] = shares else { return f64::NAN };
        let smallest = treatments.iter().copied().fold(f64::INFINITY, f64::min);
        let variance = |mean: f64| match measure {
            Measure::Proportion { .. } => mean * (1.0 - mean),
            Measure::Mean { .. } | Measure::Ratio { .. } => self.deviation.unwrap_or(f64::NAN).powi(2),
        };
        let changed = self.baseline * (1.0 + self.effect_min);
        let reach = normal_quantile(1.0 - self.alpha_at_end(treatments.len()) / 2.0) + normal_quantile(self.power);
        let effect = self.effect_min * self.baseline;
        (reach / effect).powi(2) * (variance(self.baseline) / control + variance(changed) / smallest)
    }

    /// The error each treatment may make at the planned end (Bonferroni over the treatments).
    pub(crate) fn alpha_at_end(&self, treatments: usize) -> f64 {
        divided(self.alpha * (1.0 - MONITORING_PART), treatments)
    }

    /// The error each treatment may make in all looks together.
    pub(crate) fn alpha_of_monitoring(&self, treatments: usize) -> f64 {
        divided(self.alpha * MONITORING_PART, treatments)
    }
}

/// An allowed error, divided evenly among so many that may make it.
pub(super) fn divided(alpha: f64, among: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some dozens")]
    let among = among.max(1) as f64;
    alpha / among
}

fn within(value: f64, low: f64, high: f64) -> bool {
    (low..=high).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::super::metric::Covariate;
    use super::*;

    fn proportion() -> Measure {
        Measure::Proportion { of: "purchase".parse().expect("a name"), covariate: Covariate::None }
    }

    fn mean() -> Measure {
        Measure::Mean { of: "revenue".parse().expect("a name"), covariate: Covariate::None }
    }

    const PLAN: Plan = Plan { baseline: 0.1, deviation: None, effect_min: 0.1, alpha: 0.0625, power: 0.8 };

    /// alpha 0.0625 leaves 0.05 to the end. 10 % against 11 % at power 80 %: 14,751 an arm (Fleiss, Levin and Paik,
    /// "Statistical Methods for Rates and Proportions", by the unpooled formula without correction).
    #[test]
    fn the_sample_size_is_the_textbooks() {
        assert_eq!(PLAN.units(&proportion(), &[0.5, 0.5]).div_ceil(2), 14_749);
        // One deviation of 1 in 10: 16 s^2/d^2 an arm, the rule of thumb (15.7).
        let plan = Plan { baseline: 10.0, deviation: Some(10.0), ..PLAN };
        assert_eq!(plan.units(&mean(), &[0.5, 0.5]).div_ceil(2), 1_570);
    }

    #[test]
    fn uneven_shares_and_more_treatments_cost_units() {
        let even = PLAN.units(&proportion(), &[0.5, 0.5]);
        assert!(PLAN.units(&proportion(), &[0.9, 0.1]) > 2 * even);
        assert!(PLAN.units(&proportion(), &[0.34, 0.33, 0.33]) > even);
    }

    #[test]
    fn a_plan_that_is_none_says_why() {
        let check = |plan: Plan, measure: &Measure| plan.check(measure, &[0.5, 0.5]).map_err(|error| error.to_string());
        assert_eq!(check(PLAN, &proportion()), Ok(()));
        assert!(check(PLAN, &mean()).is_err_and(|error| error.contains("deviation")));
        assert!(check(Plan { baseline: 0.95, ..PLAN }, &proportion()).is_err_and(|error| error.contains("below 1")));
        assert!(check(Plan { baseline: f64::NAN, ..PLAN }, &proportion()).is_err());
        assert!(check(Plan { alpha: 0.0, ..PLAN }, &proportion()).is_err());
        assert!(check(Plan { power: 1.0, ..PLAN }, &proportion()).is_err());
        assert!(check(Plan { effect_min: 1e-9, ..PLAN }, &proportion()).is_err_and(|error| error.contains("10^12")));
    }
}
