//! Every alert has a section in the runbook and tests of its own, and there are none for others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{alerts, list, members, read, read_yaml, root, text};

/// What every section of the runbook says.
const PARTS: [&str; 3] = ["- **Look**:", "- **Do**:", "- **Over**:"];

fn names() -> BTreeSet<String> {
    let (alerts, mut names) = (alerts(), BTreeSet::new());
    for alert in alerts {
        assert!(names.insert(alert.name.clone()), "two alerts are called {}", alert.name);
    }
    names
}

/// The sections under the names of alerts.
fn sections() -> Vec<(String, String)> {
    let page = read(&root().join("docs/runbook.md"));
    let sections = page.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'));
    let of_alerts = sections.filter(|(title, _)| title.starts_with("Holdfast"));
    of_alerts.map(|(title, body)| (title.to_owned(), body.to_owned())).collect()
}

#[test]
fn every_alert_has_a_section_in_the_runbook_and_each_section_an_alert() {
    let sections = sections();
    let titles: Vec<_> = sections.iter().map(|(title, _)| title.clone()).collect();
    assert_eq!(titles.iter().cloned().collect::<BTreeSet<_>>(), names());
    assert_eq!(titles.len(), names().len(), "a section is there twice");
    for alert in alerts() {
        let (_, body) = sections.iter().find(|(title, _)| *title == alert.name).expect("it was just seen");
        for part in PARTS {
            assert!(body.contains(part), "{}: the runbook lacks {part}", alert.name);
        }
        let severity = text(&alert.rule["labels"]["severity"]);
        assert!(body.trim_start().starts_with(&format!("**{severity}")), "{}: is a {severity}", alert.name);
    }
}

#[test]
fn every_alert_says_what_is_wrong_and_where_to_read_on() {
    for alert in alerts() {
        let Value::Object(annotations) = &alert.rule["annotations"] else { panic!("{}", alert.name) };
        let named: Vec<_> = annotations.keys().map(String::as_str).collect();
        assert_eq!(named, ["description", "runbook_url", "summary"], "{}", alert.name);
        let anchor = format!("docs/runbook.md#{}", alert.name.to_lowercase());
        assert_eq!(annotations["runbook_url"], anchor, "{}", alert.name);
        assert_eq!(alert.rule["labels"]["product"], "holdfast", "{}", alert.name);
        assert!(["page", "ticket"].contains(&text(&alert.rule["labels"]["severity"])), "{}", alert.name);
    }
}

#[test]
fn every_alert_is_tested_to_fire_and_to_be_silent() {
    let (mut fires, mut is_silent) = (BTreeSet::new(), BTreeSet::new());
    for file in list("helm/tests/rules") {
        for test in members(&read_yaml(&file)["tests"]) {
            for asked in members(&test["promql_expr_test"]) {
                let samples = members(&asked["exp_samples"]);
                fires.extend(samples.iter().filter_map(|sample| alert_of(text(&sample["labels"]))));
                let silent = |name: &String| samples.is_empty() && asks_of(text(&asked["expr"]), name);
                is_silent.extend(names().into_iter().filter(silent));
            }
        }
    }
    assert_eq!(fires, names(), "tested to fire");
    assert_eq!(is_silent, names(), "tested to be silent");
}

/// The alert that `ALERTS{alertname="…"}` is about.
fn alert_of(labels: &str) -> Option<String> {
    let (_, rest) = labels.strip_prefix("ALERTS")?.split_once("alertname=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Whether `ALERTS…` would find this alert.
fn asks_of(expression: &str, name: &str) -> bool {
    expression == "ALERTS" || alert_of(expression).is_some_and(|alert| alert == name)
}
