//! A Prometheus of the test's own, on a free port.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use holdfast::mesh::{Mesh, Workload};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::files::list;
use crate::rest::Rest;
use crate::wait::until;

/// Killed when dropped.
pub(crate) struct Prometheus {
    api: Rest,
    _child: Child,
}

/// Whether there is one to start; says so where there is none.
pub(crate) fn is_installed() -> bool {
    let answer = std::process::Command::new("prometheus").arg("--version").output();
    let installed = answer.is_ok_and(|output| output.status.success());
    if !installed {
        eprintln!("SKIPPED: Prometheus is not installed (`make tools`): no dashboard and no alert is tried");
    }
    installed
}

/// What a cluster's Prometheus would be told of the mesh, in YAML's subset that is JSON; every second in place of every
/// half minute.
fn config(mesh: &Mesh) -> Value {
    let job = |workload: Workload| {
        let targets: Vec<_> = mesh.of(workload).map(|replica| replica.admin().to_string()).collect();
        let component = workload.name().trim_end_matches("-svc");
        let labels = json!({"namespace": "shop"});
        json!({"job_name": format!("holdfast/{component}"), "static_configs": [{"targets": targets, "labels": labels}]})
    };
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": list("helm/holdfast/rules"),
        "scrape_configs": Workload::ALL.map(job),
    })
}

impl Prometheus {
    /// Scrapes every replica of the mesh and evaluates the chart's rules.
    pub(crate) async fn start(mesh: &Mesh, folder: &Path) -> Self {
        let file = folder.join("prometheus.yaml");
        std::fs::write(&file, config(mesh).to_string()).expect("written");
        let address = free_address();
        let child = Command::new("prometheus")
            .arg("--config.file")
            .arg(&file)
            .arg("--storage.tsdb.path")
            .arg(folder.join("prometheus"))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(folder.join("prometheus.log")).expect("a log"))
            .kill_on_drop(true)
            .spawn()
            .expect("Prometheus starts");
        let prometheus = Self { api: Rest::new(format!("http://{address}")), _child: child };
        until("Prometheus listens", || async { tokio::net::TcpStream::connect(address).await.ok() }).await;
        let replicas = Workload::ALL.iter().map(|workload| mesh.of(*workload).count()).sum::<usize>();
        until("everything is scraped", || async {
            let up = prometheus.ask("count(up == 1)").await?;
            (values(&up) == [replicas as f64]).then_some(())
        })
        .await;
        prometheus
    }

    /// The samples of an expression now; none while Prometheus is not ready.
    ///
    /// # Panics
    /// Where it is no expression.
    pub(crate) async fn ask(&self, expression: &str) -> Option<Vec<Value>> {
        let answer = self.api.get(&format!("/api/v1/query?query={}", encode(expression))).await;
        if answer.status == 503 {
            return None;
        }
        let answer = answer.json();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        Some(answer["data"]["result"].as_array().expect("a vector").clone())
    }

    /// Whether an expression has any number to show now.
    pub(crate) async fn has(&self, expression: &str) -> bool {
        let samples = self.ask(expression).await.unwrap_or_default();
        values(&samples).iter().any(|value| !value.is_nan())
    }
}

fn values(samples: &[Value]) -> Vec<f64> {
    let values = samples.iter().map(|sample| sample["value"][1].as_str().and_then(|text| text.parse().ok()));
    values.map(|value| value.expect("a number")).collect()
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A port nobody has: taken and let go.
fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address")
}
