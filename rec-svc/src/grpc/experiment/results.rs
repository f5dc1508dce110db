//! Results, written.

use holdfast_contracts::rec::v1 as pb;
use holdfast_contracts::rec::v1::treatment_results::Verdict as Wire;

use super::design::write_phase;
use crate::domain::experiment::{
    Certainty, Experiment, Finding, Guardrail, GuardrailState, Interval, SampleRatio, Secondary, TreatmentResults,
    Verdict,
};
use crate::usecase::Look;

pub(super) fn write_look(look: &Look) -> pb::Results {
    let Look { experiment, results, caught_up } = look;
    let treatment = |treatment: &TreatmentResults| write_treatment(experiment, treatment);
    pb::Results {
        phase: write_phase(results.phase).into(),
        units_planned: count(results.units_planned),
        units: count(results.units),
        sample_ratio: Some(write_sample_ratio(experiment, &results.sample_ratio)),
        treatments: results.treatments.iter().map(treatment).collect(),
        caught_up: *caught_up,
    }
}

fn write_sample_ratio(experiment: &Experiment, ratio: &SampleRatio) -> pb::SampleRatio {
    let variants = ratio.units.iter().zip(&ratio.shares).enumerate().map(|(no, (&units, &share))| {
        let variant = experiment.variants().name(no).to_string();
        pb::VariantUnits { variant, units: count(units), share }
    });
    pb::SampleRatio {
        variants: variants.collect(),
        p_value: ratio.p_value,
        p_value_always: ratio.p_value_always,
        mismatch: ratio.is_mismatch(),
    }
}

/// Where the sample ratio blocks the verdict, the numbers that cannot be believed are not told either.
fn write_treatment(experiment: &Experiment, treatment: &TreatmentResults) -> pb::TreatmentResults {
    let verdict = match &treatment.verdict {
        Verdict::SampleRatioMismatch { .. } => Wire::SampleRatioMismatch,
        Verdict::TooEarly(_) => Wire::TooEarly,
        Verdict::GuardrailBreached { .. } => Wire::GuardrailBreached,
        Verdict::Better { .. } => Wire::Better,
        Verdict::Worse { .. } => Wire::Worse,
        Verdict::NoDifferenceShown { .. } => Wire::NoDifferenceShown,
    };
    let told = pb::TreatmentResults {
        variant: experiment.variants().name(treatment.variant).to_string(),
        verdict: verdict.into(),
        words: treatment.verdict.to_string(),
        ..pb::TreatmentResults::default()
    };
    if verdict == Wire::SampleRatioMismatch {
        return told;
    }
    pb::TreatmentResults {
        primary: treatment.primary.as_ref().map(write_finding),
        guardrails: treatment.guardrails.iter().map(write_guardrail).collect(),
        secondary: treatment.secondary.iter().map(write_secondary).collect(),
        ..told
    }
}

fn write_guardrail(guardrail: &Guardrail) -> pb::GuardrailFinding {
    let state = match guardrail.state {
        GuardrailState::Breached => pb::guardrail_finding::State::Breached,
        GuardrailState::Held => pb::guardrail_finding::State::Held,
        GuardrailState::Open => pb::guardrail_finding::State::Open,
    };
    pb::GuardrailFinding {
        metric: guardrail.metric.to_string(),
        margin: guardrail.margin,
        state: state.into(),
        finding: guardrail.finding.as_ref().map(write_finding),
    }
}

fn write_secondary(secondary: &Secondary) -> pb::SecondaryFinding {
    pb::SecondaryFinding {
        finding: Some(write_finding(&secondary.finding)),
        unclaimed: secondary.stands_out.is_none(),
        stands_out: secondary.stands_out.unwrap_or(false),
    }
}

fn write_finding(finding: &Finding) -> pb::MetricFinding {
    pb::MetricFinding {
        metric: finding.metric.to_string(),
        control: finding.comparison.control.value,
        treatment: finding.comparison.treatment.value,
        change: Some(write_interval(finding.change())),
        lift: finding.lift().map(write_interval),
        p_value: finding.p_value(),
        confidence: 1.0 - finding.certainty.alpha(),
        always_valid: matches!(finding.certainty, Certainty::Always { .. }),
    }
}

fn write_interval(interval: Interval) -> pb::ChangeInterval {
    pb::ChangeInterval { low: interval.low, high: interval.high }
}

fn count(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}
