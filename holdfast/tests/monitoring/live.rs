//! The whole mesh over mutual TLS, shoppers in it, and a Prometheus that reads it with the chart's own rules: every panel
//! and every rule has data, nothing is alarmed while all is well, and somebody is once inventory is gone.

use std::path::Path;
use std::time::{Duration, Instant};

use holdfast::mesh::{Mesh, Replica, Settings, Workload};
use holdfast::system::migrate;
use holdfast_platform::pg::testing::fresh_database;
use tokio::process::Command;

use crate::files::{Expression, panel_expressions, rule_expressions};
use crate::prometheus::{self, Prometheus};
use crate::promql;
use crate::traffic;
use crate::wait::until;

/// How long what was done may take to be scraped and evaluated: Prometheus shares a busy machine.
const SCRAPED_WITHIN: Duration = Duration::from_secs(60);

/// What may have no data here, by a part of its expression, and why.
const MAY_BE_EMPTY: [(&str, &str); 4] = [
    ("holdfast_outbox_pending", "there is an outbox to empty only where events go over Kafka"),
    ("holdfast_outbox_oldest_age_seconds", "the same"),
    ("error_type!=\"\"", "no statement fails while PostgreSQL is well"),
    ("DEADLINE_EXCEEDED\"", "no call's time runs out while all is well"),
];

/// What there is only where calls fail, by a part of its expression.
const OF_FAILURES: [&str; 2] = ["\"429|5..\"", "\"UNKNOWN|"];

/// What may be alarmed on a machine as slow as it likes: these promise a latency.
const MAY_FIRE: &str = "HoldfastLatencyBurns.*";

async fn start(folder: &Path) -> Mesh {
    let certificates = folder.join("certs");
    let made = Command::new(env!("CARGO_BIN_EXE_holdfast")).arg("dev-certs").arg("--out").arg(&certificates).output();
    let made = made.await.expect("holdfast starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let database_url = fresh_database().await;
    migrate(&database_url).await.expect("the schemas are made");
    let settings = Settings {
        folder: folder.join("mesh"),
        database_url,
        bus: "postgres".to_owned(),
        certificates: Some(certificates),
        http: None,
        arguments: Vec::new(),
    };
    Mesh::start(settings, 2).await.expect("the mesh starts")
}

/// What is asked of Prometheus: panels as they are; of rules the series they are about, since an alert's own expression
/// is to have no result.
fn questions() -> Vec<Expression> {
    let of_rules = rule_expressions().into_iter().flat_map(|Expression { place, text }| {
        let series = promql::read(&text).0.into_iter();
        series.map(move |series| Expression {
            place: place.clone(),
            text: format!("last_over_time({}[10m])", series.text),
        })
    });
    let mut all: Vec<_> = panel_expressions().into_iter().chain(of_rules).collect();
    all.sort_by(|a, b| a.text.cmp(&b.text));
    all.dedup_by(|a, b| a.text == b.text);
    all
}

/// Asks until each has data.
async fn ask_all(prometheus: &Prometheus, mut questions: Vec<Expression>) {
    let began = Instant::now();
    while !questions.is_empty() {
        let mut left = Vec::new();
        for question in questions {
            if !prometheus.has(&question.text).await {
                left.push(question);
            }
        }
        assert!(left.is_empty() || began.elapsed() < SCRAPED_WITHIN, "no data: {left:#?}");
        questions = left;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn every_panel_and_rule_has_data_and_only_trouble_is_alarmed() {
    if !prometheus::is_installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut mesh = start(folder.path()).await;
    let prometheus = Prometheus::start(&mesh, folder.path()).await;
    let http = format!("http://{}", mesh.of(Workload::Gateway).next().expect("one").address());
    // Twice: what is seen for the first time has no rate yet.
    traffic::shop(&http, "FIRST").await;
    until("the first drop is seen", || async { prometheus.has("holdfast_order_orders_total > 0").await.then_some(()) })
        .await;
    traffic::shop(&http, "SECOND").await;
    let may_be_empty = |question: &Expression| MAY_BE_EMPTY.iter().any(|(part, _)| question.text.contains(part));
    let is_of_failures = |question: &Expression| OF_FAILURES.iter().any(|part| question.text.contains(part));
    let questions = questions().into_iter().filter(|question| !may_be_empty(question));
    let (of_failures, of_all): (Vec<_>, Vec<_>) = questions.partition(is_of_failures);
    assert!(!of_failures.is_empty(), "no rule is about failures any more");
    ask_all(&prometheus, of_all).await;

    let alarmed = format!(r#"ALERTS{{alertstate="firing",alertname!~"{MAY_FIRE}"}}"#);
    let firing = prometheus.ask(&alarmed).await.expect("it is ready");
    assert!(firing.is_empty(), "all is well, and yet: {firing:#?}");
    for expression in rule_expressions().into_iter().chain(panel_expressions()) {
        // Every expression is one, whatever it finds.
        prometheus.ask(&expression.text).await.expect("it is ready");
    }

    for id in mesh.of(Workload::Inventory).map(Replica::id).collect::<Vec<_>>() {
        mesh.take(id).expect("it is there").kill().await.expect("it runs");
    }
    traffic::fail(&http).await;
    until("somebody hears that inventory is gone", || async {
        prometheus.has(r#"ALERTS{alertname="HoldfastServiceDown",job="holdfast/inventory"}"#).await.then_some(())
    })
    .await;
    ask_all(&prometheus, of_failures).await;
    mesh.stop().await.expect("the others stop");
}
