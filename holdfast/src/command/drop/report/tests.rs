//! What a report must hold whatever the drop was.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::command::drop::journal::Journal;
use crate::command::drop::plan::Plan;
use crate::command::drop::plan::tests::options;
use crate::command::drop::played::Lasted;
use crate::command::drop::problem::{Problem, Problems};
use crate::command::drop::verify::Findings;

fn played(sku: &str, problems: Problems) -> Played {
    let options = crate::command::drop::Options { sku: sku.parse().expect("a SKU"), ..options() };
    let plan = Plan::draw(&options, None).expect("a plan");
    let findings = Findings { sold: vec![500], oversold_units: 0, problems };
    let lasted = Lasted { shoppers: Duration::from_secs(3), settling: Duration::ZERO };
    Played::new(&options, &plan, None, Vec::new(), findings, Journal::new(plan.skus()), lasted)
}

#[test]
fn nothing_a_shop_says_becomes_markup() {
    let mut problems = Problems::default();
    problems.push(Problem::Unverified { what: "x".into(), error: "<script>alert(1)</script>".into() });
    let mut played = played("\"><img src=x onerror='alert(1)'>&", problems);
    played.failures = BTreeMap::from([("</p><b>".to_owned(), 1)]);
    let html = html(&played, AuditVerdict::NotRun);
    for markup in ["<script", "<img", "</p><b>"] {
        assert!(!html.contains(markup), "{markup}");
    }
    assert!(html.contains("&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;"));
}

#[test]
fn a_report_needs_nothing_from_outside() {
    let html = html(&played("S", Problems::default()), AuditVerdict::Ok);
    for outside in ["src=", "href=", "url(", "@import", "<script", "http-equiv"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("drop: 500 of 500 units sold to 2000 shoppers, 0 oversold, audit ok"));
    assert!(html.contains("class='verdict good'"));
    for value in ["NaN", "inf%", "None", "Some("] {
        assert!(!html.contains(value), "{value}");
    }
}

#[test]
fn a_breach_is_not_dressed_up() {
    let html = html(&played("S", Problems::default()), AuditVerdict::Breached(2));
    assert!(html.contains("class='verdict bad'") && html.contains("audit found 2 breaches"));
}
