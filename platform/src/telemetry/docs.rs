//! docs/metrics.md: every metric with its type, labels and meaning, written from their declarations.

use std::collections::BTreeMap;

use super::histogram::{Scale as _, Seconds};
use super::registry::{Description, Kind, descriptions};

/// Labels with more values than this are described instead of listed.
const WORDS_LISTED_MAX: usize = 18;

const INTRODUCTION: &str = "# Metrics

Every process serves its metrics as OpenMetrics text at `/metrics` of its admin port. This page is written from their
declarations, and a test holds that it is up to date; `HOLDFAST_BLESS=1 cargo test -p holdfast --test telemetry` writes it.

Names are OpenTelemetry's in Prometheus's spelling: semantic conventions 1.40.0, where the durations of HTTP requests and
database operations are stable, RPCs are a release candidate, and active requests and database connections are in
development. What they do not name begins with `holdfast_`. Durations are in seconds. Counters are told
from the start, at 0; histograms and measured values once there is something to tell. Every label is a closed list: there
are no SKUs, shoppers, ids or free texts, and no series that a caller could make. Histograms of RPCs, HTTP requests and
statements carry the trace ids of sampled calls as exemplars.

";

/// The whole page, of everything declared so far.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let bounds: Vec<String> =
        Seconds::BOUNDS.iter().map(|bound| (*bound as f64 / Seconds::PER_UNIT).to_string()).collect();
    page.push_str(&format!("The buckets of durations end at {} seconds.\n", bounds.join(", ")));
    let mut all = descriptions();
    all.sort_by_key(|description| (description.owner != "platform", description.owner, description.name));
    for of_owner in all.chunk_by(|a, b| a.owner == b.owner) {
        let title = match of_owner[0].owner {
            "platform" => "Every process".to_owned(),
            service => format!("`{service}`"),
        };
        let head = "| metric | type | labels | what it says |\n| --- | --- | --- | --- |";
        page.push_str(&format!("\n## {title}\n\n{head}\n"));
        page.extend(of_owner.iter().map(row));
    }
    page.push_str("\n## Labels\n\n| label | values | of |\n| --- | --- | --- |\n");
    let of = |description: &Description| format!("`{}`", description.prometheus_name());
    let mut labels: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for description in &all {
        for label in &description.labels {
            labels.entry(*label).or_default().push(of(description));
        }
    }
    for ((name, words), metrics) in labels {
        let (name, words, metrics) = (name.replace('.', "_"), listed(words), metrics.join(", "));
        page.push_str(&format!("| `{name}` | {words} | {metrics} |\n"));
    }
    page
}

fn row(description: &Description) -> String {
    let labels = description.labels.iter().map(|(name, _)| format!("`{}`", name.replace('.', "_")));
    let kind = match description.kind {
        Kind::Histogram if description.is_seconds => "histogram of seconds",
        Kind::Histogram => "histogram of counts",
        Kind::Counter | Kind::Gauge => description.kind.as_str(),
    };
    let labels = labels.collect::<Vec<_>>().join(", ");
    format!("| `{}` | {kind} | {labels} | {} |\n", description.prometheus_name(), description.help)
}

fn listed(words: &[&str]) -> String {
    let told: Vec<&&str> = words.iter().filter(|word| !word.is_empty()).collect();
    let absent = if told.len() < words.len() { ", or absent" } else { "" };
    match told.as_slice() {
        [first, .., last] if told.len() > WORDS_LISTED_MAX => {
            format!("{} values, from `{first}` to `{last}`{absent}", told.len())
        }
        all => format!("{}{absent}", all.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    }
}
