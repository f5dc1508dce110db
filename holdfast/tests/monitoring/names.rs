//! What rules and panels ask for is there to be asked for.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_platform::telemetry::metrics::Metrics;
use holdfast_platform::telemetry::registry::{Kind, descriptions};

use crate::files::{panel_expressions, recorded, rule_expressions};
use crate::promql;

/// What Prometheus adds to every series.
const SCRAPED: [&str; 3] = ["namespace", "job", "instance"];

/// Every series name with its labels.
fn series() -> BTreeMap<String, BTreeSet<String>> {
    Metrics::get();
    gateway::declare_metrics();
    inventory_svc::declare_metrics();
    order_svc::declare_metrics();
    rec_svc::declare_metrics();
    let mut series = BTreeMap::new();
    for description in descriptions() {
        let mut labels: BTreeSet<_> = description.labels.iter().map(|(name, _)| name.replace('.', "_")).collect();
        labels.extend(SCRAPED.map(str::to_owned));
        let name = description.prometheus_name();
        if description.kind == Kind::Histogram {
            series.insert(format!("{name}_count"), labels.clone());
            series.insert(format!("{name}_sum"), labels.clone());
            labels.insert("le".to_owned());
            series.insert(format!("{name}_bucket"), labels);
        } else {
            series.insert(name, labels);
        }
    }
    let labels = |more: &[&str]| SCRAPED.iter().chain(more).map(|label| (*label).to_owned()).collect();
    series.insert("up".to_owned(), labels(&[]));
    series.insert("ALERTS".to_owned(), labels(&["alertname", "alertstate", "product", "severity"]));
    series.extend(recorded().into_iter().map(|name| (name, labels(&["slo"]))));
    series
}

#[test]
fn every_expression_names_series_and_labels_that_are_declared() {
    let series = series();
    for expression in panel_expressions().into_iter().chain(rule_expressions()) {
        let (selectors, grouped) = promql::read(&expression.text);
        let place = &expression.place;
        let mut known = BTreeSet::new();
        for selector in selectors {
            let labels = series.get(&selector.metric).unwrap_or_else(|| panic!("{place}: no {}", selector.metric));
            for label in &selector.labels {
                assert!(labels.contains(label), "{place}: {} has no label {label}", selector.metric);
            }
            known.extend(labels.iter().cloned());
        }
        for label in grouped {
            assert!(known.contains(&label), "{place}: nothing in it has a label {label}");
        }
    }
}

#[test]
fn every_metric_is_on_a_dashboard() {
    let shown: Vec<_> = panel_expressions().iter().flat_map(|expression| promql::read(&expression.text).0).collect();
    Metrics::get();
    series();
    for description in descriptions() {
        let name = description.prometheus_name();
        assert!(shown.iter().any(|selector| selector.metric.starts_with(&name)), "{name} is on no dashboard");
    }
}
