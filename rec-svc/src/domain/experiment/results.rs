//! What an experiment's sums come to.

use super::design::Phase;
use super::estimate::Comparison;
use super::interval::{Certainty, Interval};
use super::name::Name;
use super::sample_ratio::SampleRatio;
use super::verdict::Verdict;

/// One look at an experiment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Results {
    pub(crate) phase: Phase,
    pub(crate) units_planned: u64,
    /// Units whose time is over, all variants together; those exposed are in the sample ratio.
    pub(crate) units: u64,
    pub(crate) sample_ratio: SampleRatio,
    /// Each variant but the control, against it.
    pub(crate) treatments: Vec<TreatmentResults>,
}

/// One treatment against the control.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TreatmentResults {
    /// The variant's number.
    pub(crate) variant: usize,
    pub(crate) verdict: Verdict,
    /// None where too few units are in to say anything, or nothing varies.
    pub(crate) primary: Option<Finding>,
    pub(crate) guardrails: Vec<Guardrail>,
    pub(crate) secondary: Vec<Secondary>,
}

/// What one metric says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) metric: Name,
    pub(crate) comparison: Comparison,
    pub(crate) certainty: Certainty,
}

/// A metric that must not be harmed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guardrail {
    pub(crate) finding: Option<Finding>,
    pub(crate) metric: Name,
    pub(crate) margin: f64,
    pub(crate) state: GuardrailState,
}

/// What is known of a guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GuardrailState {
    /// Shown to be harmed by more than the margin.
    Breached,
    /// Shown not to be (non-inferior).
    Held,
    /// Neither is shown.
    Open,
}

/// A metric that decides nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Secondary {
    pub(crate) finding: Finding,
    /// At the planned end, whether it stands out among all secondary metrics; before it, nothing is claimed.
    pub(crate) stands_out: Option<bool>,
}

impl Finding {
    pub(crate) fn change(&self) -> Interval {
        self.comparison.change(self.certainty)
    }

    pub(crate) fn lift(&self) -> Option<Interval> {
        self.comparison.lift(self.certainty)
    }

    pub(crate) fn p_value(&self) -> f64 {
        self.certainty.p_value(self.comparison.z(0.0))
    }
}
