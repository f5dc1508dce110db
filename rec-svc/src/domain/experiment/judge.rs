//! From sums to results and a verdict: what is computed at a look.

use super::design::{Experiment, Phase};
use super::discovery::discoveries;
use super::estimate::Comparison;
use super::interval::Certainty;
use super::metric::{Direction, Metric, Role};
use super::plan::divided;
use super::results::{Finding, Guardrail, GuardrailState, Results, Secondary, TreatmentResults};
use super::sample_ratio::SampleRatio;
use super::sums::Sums;
use super::verdict::{Short, TooEarly, Verdict};
use crate::domain::Time;

/// The least units of each arm, at any look: below, a mean of anything skewed is not normal enough.
const UNITS_OF_ARM_MIN: u64 = 100;
/// The least part of the planned units at a look before the end: the sequence's guarantee is asymptotic.
const PROGRESS_MIN: f64 = 0.05;

/// What a look has to go by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// Units exposed, a variant.
    pub(crate) exposed: Vec<u64>,
    /// Of units whose time is over: a variant, a metric.
    pub(crate) sums: Vec<Vec<Sums>>,
}

/// Everything that may be said of an experiment now.
pub(crate) fn judge(experiment: &Experiment, reading: &Reading, now: Time) -> Results {
    let phase = experiment.phase(now);
    let sample_ratio = SampleRatio::of(reading.exposed.clone(), experiment.variants().shares());
    let units = reading.sums.iter().filter_map(|metrics| metrics.first()).map(|sums| sums.units).sum();
    let units_planned = experiment.units_planned();
    let mut looks: Vec<Look<'_>> = (1..experiment.variants().len())
        .map(|variant| Look { experiment, reading, phase, variant, units, units_planned })
        .collect();
    let treatments = looks.drain(..).map(|look| look.treatment(&sample_ratio)).collect();
    Results { phase, units_planned, units, sample_ratio, treatments }
}

/// One treatment at one look.
struct Look<'a> {
    experiment: &'a Experiment,
    reading: &'a Reading,
    phase: Phase,
    variant: usize,
    /// Of all variants.
    units: u64,
    units_planned: u64,
}

impl Look<'_> {
    fn treatment(&self, sample_ratio: &SampleRatio) -> TreatmentResults {
        let primary = self.finding(self.experiment.primary(), self.certainty_of_primary());
        let guardrails = self.guardrails();
        let secondary = self.secondary();
        let verdict = self.verdict(sample_ratio, primary.as_ref(), &guardrails);
        TreatmentResults { variant: self.variant, verdict, primary, guardrails, secondary }
    }

    fn verdict(&self, ratio: &SampleRatio, primary: Option<&Finding>, guardrails: &[Guardrail]) -> Verdict {
        if ratio.is_mismatch() {
            return Verdict::SampleRatioMismatch { p_value: ratio.p_value_always };
        }
        if self.phase == Phase::NotStarted {
            return Verdict::TooEarly(TooEarly::NotStarted);
        }
        let breached = guardrails.iter().find(|guardrail| guardrail.state == GuardrailState::Breached);
        if let Some(Guardrail { metric, margin, .. }) = breached {
            return Verdict::GuardrailBreached { metric: metric.clone(), margin: *margin };
        }
        match primary {
            None => Verdict::TooEarly(self.too_early()),
            Some(finding) => self.verdict_of_primary(finding, guardrails),
        }
    }

    fn verdict_of_primary(&self, finding: &Finding, guardrails: &[Guardrail]) -> Verdict {
        let (metric, lift, change) = (finding.metric.clone(), finding.lift(), finding.change());
        let (raised, lowered) = (change.low > 0.0, change.high < 0.0);
        let (better, worse) = match self.experiment.primary().direction {
            Direction::Increase => (raised, lowered),
            Direction::Decrease => (lowered, raised),
        };
        let Self { units, units_planned, .. } = *self;
        if better {
            let open = guardrails.iter().filter(|guardrail| guardrail.state == GuardrailState::Open);
            return Verdict::Better { metric, lift, guardrails_open: open.map(|open| open.metric.clone()).collect() };
        }
        if worse {
            return Verdict::Worse { metric, lift };
        }
        match self.phase {
            Phase::Ended | Phase::Stopped => {
                let short_of_units = (units < units_planned).then_some(Short { units, units_planned });
                Verdict::NoDifferenceShown { metric, lift, short_of_units }
            }
            Phase::Settling => Verdict::TooEarly(TooEarly::Settling),
            Phase::NotStarted | Phase::Running => Verdict::TooEarly(TooEarly::Undecided { units, units_planned }),
        }
    }

    /// Why there is no finding of the primary metric.
    fn too_early(&self) -> TooEarly {
        let units_min = self.units_min();
        if self.smaller_arm() < UNITS_OF_ARM_MIN || self.units < units_min {
            return TooEarly::FewUnits { units: self.units, units_min };
        }
        TooEarly::NothingVaries
    }

    /// Each guardrail has its part of alpha, and is always valid: it may stop the experiment at any look.
    fn guardrails(&self) -> Vec<Guardrail> {
        let is_guardrail = |metric: &&Metric| matches!(metric.role, Role::Guardrail { .. });
        let count = self.metrics().filter(is_guardrail).count();
        let alpha = divided(self.experiment.design().plan.alpha, self.experiment.treatments() * count);
        let guardrail = |metric: &Metric| {
            let Role::Guardrail { margin } = metric.role else { return None };
            let finding = self.finding(metric, Certainty::Always { alpha, progress: self.progress() });
            let state = finding.as_ref().map_or(GuardrailState::Open, |finding| guard(metric, margin, finding));
            Some(Guardrail { finding, metric: metric.name.clone(), margin, state })
        };
        self.metrics().filter_map(guardrail).collect()
    }

    fn secondary(&self) -> Vec<Secondary> {
        let certainty = self.certainty_of_primary();
        let findings: Vec<Finding> = self
            .metrics()
            .filter(|metric| metric.role == Role::Secondary)
            .filter_map(|metric| self.finding(metric, certainty))
            .collect();
        let p_values: Vec<f64> = findings.iter().map(Finding::p_value).collect();
        let rate = divided(self.experiment.design().plan.alpha, self.experiment.treatments());
        let found = discoveries(&p_values, rate);
        let is_test = matches!(certainty, Certainty::Fixed { .. });
        let told = findings.into_iter().zip(found);
        told.map(|(finding, found)| Secondary { finding, stands_out: is_test.then_some(found) }).collect()
    }

    /// The planned test at the planned end, and monitoring at every other time.
    fn certainty_of_primary(&self) -> Certainty {
        let (plan, treatments) = (&self.experiment.design().plan, self.experiment.treatments());
        match self.phase {
            Phase::Ended => Certainty::Fixed { alpha: plan.alpha_at_end(treatments) },
            Phase::NotStarted | Phase::Running | Phase::Settling | Phase::Stopped => {
                Certainty::Always { alpha: plan.alpha_of_monitoring(treatments), progress: self.progress() }
            }
        }
    }

    fn finding(&self, metric: &Metric, certainty: Certainty) -> Option<Finding> {
        if self.smaller_arm() < UNITS_OF_ARM_MIN || self.units < self.units_min() {
            return None;
        }
        let no = self.metrics().position(|other| other.name == metric.name)?;
        let (control, treatment) = (self.reading.sums[0].get(no)?, self.reading.sums[self.variant].get(no)?);
        let comparison = Comparison::of(&metric.measure, control, treatment)?;
        let varies = comparison.difference(0.0).variance > 0.0;
        varies.then(|| Finding { metric: metric.name.clone(), comparison, certainty })
    }

    fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.experiment.design().metrics.iter()
    }

    fn smaller_arm(&self) -> u64 {
        let arm = |variant: usize| self.reading.sums[variant].first().map_or(0, |sums| sums.units);
        arm(0).min(arm(self.variant))
    }

    /// The least units of all variants at this look.
    fn units_min(&self) -> u64 {
        let arms = UNITS_OF_ARM_MIN * self.experiment.variants().len() as u64;
        match self.phase {
            Phase::Ended => arms,
            Phase::NotStarted | Phase::Running | Phase::Settling | Phase::Stopped => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "at most the planned units, 10^12"
                )]
                let part = (self.units_planned as f64 * PROGRESS_MIN).ceil() as u64;
                arms.max(part)
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 units")]
    fn progress(&self) -> f64 {
        self.units as f64 / self.units_planned as f64
    }
}

/// Where a guardrail's interval lies: wholly beyond its margin, wholly within it, or neither.
fn guard(metric: &Metric, margin: f64, finding: &Finding) -> GuardrailState {
    let comparison = &finding.comparison;
    if comparison.control.value <= 0.0 {
        return GuardrailState::Open;
    }
    // How far on the good side of the margin, in standard errors.
    let z = match metric.direction {
        Direction::Increase => comparison.z(-margin),
        Direction::Decrease => -comparison.z(margin),
    };
    let reach = finding.certainty.multiplier();
    if z < -reach {
        GuardrailState::Breached
    } else if z > reach {
        GuardrailState::Held
    } else {
        GuardrailState::Open
    }
}
