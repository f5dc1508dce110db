//! The rendered workloads, run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use serde_json::Value;

use crate::http;
use crate::manifests::{Manifests, Workload, render};
use crate::pod::{Cluster, Pod, binaries};

/// The binaries of other packages that the manifests name.
const SERVICES: [&str; 4] = ["inventory-svc", "order-svc", "rec-svc", "gateway"];

/// Builds the services' binaries of this profile where they are not what their sources say: Cargo builds them beside this
/// package's tests only where the whole workspace is tested.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let stale: Vec<_> = SERVICES.iter().filter(|name| !is_fresh(name)).collect();
        if stale.is_empty() {
            return;
        }
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--locked", "--bins"]);
        command.args(stale.iter().flat_map(|name| ["--package", name]));
        if binaries().ends_with("release") {
            command.arg("--release");
        }
        assert!(command.status().expect("cargo starts").success(), "the services are built");
    });
}

/// Whether a binary is newer than everything it was made of, by the list that Cargo leaves beside it.
fn is_fresh(name: &str) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let binary = binaries().join(name);
    let made_of = std::fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    let Some((_, sources)) = made_of.split_once(": ") else { return false };
    sources.split_whitespace().all(|source| modified(Path::new(source)).is_some_and(|at| Some(at) < modified(&binary)))
}

/// A cluster whose Jobs have run.
async fn migrated(manifests: Manifests) -> Cluster {
    tokio::task::spawn_blocking(build).await.expect("the binaries are built");
    let cluster = Cluster::new(manifests, holdfast_platform::pg::testing::fresh_database().await);
    let jobs = cluster.manifests.jobs();
    assert_eq!(jobs.len(), 1, "one Job migrates");
    for job in &jobs {
        let mut pod = cluster.start(job, &[]);
        assert!(pod.end().success(), "{}", pod.log());
    }
    cluster
}

/// Every deployment's pod, all of whose probes succeed, by component; in no order, as Kubernetes starts them.
fn start(cluster: &Cluster) -> Vec<(String, Pod)> {
    let started = cluster.manifests.deployments().into_iter();
    let mut pods: Vec<_> =
        started.map(|workload| (workload.component.clone(), cluster.start(&workload, &[]))).collect();
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        pods.iter_mut().for_each(|(_, pod)| pod.wait_for(probe));
    }
    pods
}

/// Sells one unit through the gateway: every service is asked, and asks those it needs.
fn sell(gateway: &Pod) {
    let ask = |method: &str, path: &str, json: &str| -> Value {
        let (status, body) = http::ask(gateway.address("http"), method, path, json).expect("an answer");
        assert_eq!(status, 200, "{method} {path}: {body}\n{}", gateway.log());
        serde_json::from_str(&body).expect("JSON")
    };
    ask("PUT", "/v1/brands/tidewater", r#"{"displayName": "Tidewater"}"#);
    let variant = r#"{"sku": "HOODIE-M", "price": {"currencyCode": "EUR", "amountMinor": "8900"}}"#;
    let product = format!(r#"{{"brandId": "tidewater", "title": "Hoodie", "variants": [{variant}]}}"#);
    ask("PUT", "/v1/products/hoodie", &product);
    let received = r#"{"requestId": "0192f0c1-0000-7000-8000-000000000001", "delta": "5", "reason": "RECEIVED"}"#;
    ask("POST", "/v1/stock/HOODIE-M:adjust", received);
    let order = r#"{"requestId": "0192f0c1-0000-7000-8000-000000000002", "customerId": "c1",
        "lines": [{"sku": "HOODIE-M", "quantity": 1}], "payment": {"provider": "sandbox", "token": "tok_ok"}}"#;
    assert_eq!(ask("POST", "/v1/orders", order)["state"], "PLACED");
    assert_eq!(ask("GET", "/v1/stock/HOODIE-M", "")["total"]["available"], "4");
    ask("GET", "/v1/products/hoodie/similar", "");
}

/// Makes the Secrets that the deployments mount, as cert-manager would.
fn issue(cluster: &Cluster) {
    let certs = cluster.folder.path().join("certs");
    for workload in cluster.manifests.deployments() {
        let trust_domain = workload.env().get("HOLDFAST_TRUST_DOMAIN").cloned();
        for secret in workload.mounts().into_values() {
            let trust_domain = trust_domain.as_ref().and_then(Value::as_str).expect("whose certificates they are");
            if !certs.exists() {
                let mut command = Command::new(binaries().join("holdfast"));
                command.args(["dev-certs", "--trust-domain", trust_domain, "--out"]).arg(&certs).stdout(Stdio::null());
                assert!(command.status().expect("it starts").success(), "the certificates are issued");
            }
            let command = workload.command().swap_remove(0);
            let (_, name) = command.rsplit_once('/').expect("a path");
            std::os::unix::fs::symlink(certs.join(name), cluster.secret(&secret)).expect("a Secret for each workload");
        }
    }
}

async fn check_that_it_runs(manifests: Manifests) {
    let cluster = migrated(manifests).await;
    let run = move || {
        issue(&cluster);
        let mut pods = start(&cluster);
        let (_, gateway) = pods.iter().find(|(component, _)| component == "gateway").expect("it is there");
        sell(gateway);
        pods.iter().for_each(|(_, pod)| pod.terminate());
        for (component, pod) in &mut pods {
            assert_eq!(pod.end().code(), Some(0), "{component}:\n{}", pod.log());
        }
    };
    tokio::task::spawn_blocking(run).await.expect("it does not panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rendered_migrates_starts_serves_and_ends() {
    if let Some(manifests) = render("default", &[]) {
        check_that_it_runs(manifests).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_mesh_that_balances_it_runs_too() {
    if let Some(manifests) = render("default", &["discovery=clusterIP"]) {
        check_that_it_runs(manifests).await;
    }
}

/// Whether every deployment is told so much.
fn all_have(manifests: &Manifests, variable: &str) -> bool {
    manifests.deployments().iter().all(|workload| workload.env().contains_key(variable))
}

#[tokio::test(flavor = "multi_thread")]
async fn under_mutual_tls_it_runs_too() {
    for discovery in ["discovery=headless", "discovery=clusterIP"] {
        let Some(manifests) = render("tls", &[discovery]) else { return };
        assert!(all_have(&manifests, "HOLDFAST_TLS_CERT"));
        check_that_it_runs(manifests).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_collector_it_runs_too() {
    let Some(manifests) = render("default", &["traces.otlp=http://127.0.0.1:1", "traces.ratio=1"]) else { return };
    assert!(all_have(&manifests, "HOLDFAST_OTLP"));
    check_that_it_runs(manifests).await;
}

/// Events wait in the ledgers until the brokers are there.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_brokers_it_sells_too() {
    let Some(manifests) = render("default", &["bus=kafka://127.0.0.1:1"]) else { return };
    let told = |workload: &Workload| workload.env().get("HOLDFAST_BUS").is_some_and(|bus| bus == "kafka://127.0.0.1:1");
    assert_eq!(manifests.deployments().iter().filter(|workload| told(workload)).count(), 3, "all but the gateway");
    check_that_it_runs(manifests).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_nobody_reads_ends_every_workload_at_its_start() {
    let Some(manifests) = render("default", &[]) else { return };
    let cluster = migrated(manifests).await;
    let run = move || {
        for workload in cluster.manifests.deployments().iter().chain(&cluster.manifests.jobs()) {
            let mut pod = cluster.start(workload, &[("HOLDFAST_GPRC", "1")]);
            assert_eq!(pod.end().code(), Some(1), "{}", pod.log());
            assert!(pod.log().contains("HOLDFAST_GPRC"), "{}: {}", workload.component, pod.log());
        }
    };
    tokio::task::spawn_blocking(run).await.expect("it does not panic");
}
