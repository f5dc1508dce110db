//! Results as a table for people and as JSON for programs.

use std::fmt::Write as _;

use rec_svc::eval::{Part, Report, Tuned};
use serde_json::{Value, json};

/// A block a protocol: what we reach with its 95 % interval, then what others do.
pub(super) fn table(reports: &[Report]) -> String {
    let mut out = String::new();
    for report in reports {
        // Writing to a String cannot fail.
        let _ = write_report(&mut out, report);
    }
    out
}

fn write_report(out: &mut String, report: &Report) -> std::fmt::Result {
    let part = part_name(report.part);
    let Report { protocol, questions, catalogue, .. } = report;
    writeln!(out, "{protocol} ({part}): {questions} questions, each ranking {catalogue} products")?;
    write!(out, "  {:<24}", "")?;
    for (metric, _) in &report.measured {
        write!(out, "{:<24}", metric.to_string())?;
    }
    write!(out, "\n  {:<24}", "holdfast")?;
    for (_, estimate) in &report.measured {
        write!(out, "{:<24}", format!("{:.4} [{:.4}, {:.4}]", estimate.mean, estimate.low, estimate.high))?;
    }
    for baseline in protocol.baselines() {
        write!(out, "\n  {:<24}", baseline.name)?;
        for value in baseline.values {
            write!(out, "{:<24}", value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}")))?;
        }
    }
    let (learning, asking) = (report.learning.as_secs_f64(), report.asking.as_secs_f64());
    writeln!(out, "\n  learnt in {learning:.1} s, asked in {asking:.1} s\n")
}

pub(super) fn json(reports: &[Report]) -> Value {
    let one = |report: &Report| {
        let measured = report.measured.iter().map(|(metric, estimate)| {
            let value = json!({ "mean": estimate.mean, "low": estimate.low, "high": estimate.high });
            (metric.to_string(), value)
        });
        let metrics: Vec<String> = report.measured.iter().map(|(metric, _)| metric.to_string()).collect();
        let baselines = report.protocol.baselines().iter().map(|baseline| {
            let values: serde_json::Map<String, Value> =
                metrics.iter().cloned().zip(baseline.values.iter().map(|value| json!(value))).collect();
            (baseline.name.to_owned(), Value::Object(values))
        });
        json!({
            "protocol": report.protocol.name(),
            "part": part_name(report.part),
            "questions": report.questions,
            "catalogue": report.catalogue,
            "measured": measured.collect::<serde_json::Map<_, _>>(),
            "baselines": baselines.collect::<serde_json::Map<_, _>>(),
            "learning_s": report.learning.as_secs_f64(),
            "asking_s": report.asking.as_secs_f64(),
        })
    };
    json!({ "reports": reports.iter().map(one).collect::<Vec<_>>() })
}

/// Which data was asked about.
pub(super) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Valid => "validation",
        Part::Test => "test",
    }
}

pub(super) fn tuned(tuned: &[Tuned]) -> String {
    let mut out = String::new();
    for one in tuned {
        let _ = writeln!(out, "{}: {:.4} before, {:.4} after, on validation data", one.protocol, one.before, one.after);
        for (name, value) in &one.chosen {
            let _ = writeln!(out, "  {name} = {value}");
        }
    }
    out
}

pub(super) fn tuned_json(tuned: &[Tuned]) -> Value {
    let one = |one: &Tuned| {
        let chosen: serde_json::Map<String, Value> =
            one.chosen.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({ "protocol": one.protocol.name(), "before": one.before, "after": one.after, "chosen": chosen })
    };
    json!({ "tuned": tuned.iter().map(one).collect::<Vec<_>>() })
}
