//! A real PostgreSQL for tests: one private server per test binary, one fresh database per test.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::cluster::Cluster;

/// The server of this test binary. Statics are never dropped, so a watchdog that reads our end of a pipe stops it
/// when this process is gone, however it went.
struct TestServer {
    url: String,
    _cluster: Cluster,
    _watchdog: Child,
}

static SERVER: OnceLock<TestServer> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a fresh, empty database.
///
/// # Panics
/// Where no server can be started: a test without its database must fail.
pub async fn fresh_database() -> String {
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(start)).await.expect("the test server starts");
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let admin = super::connect(&server.url).await.expect("the test server answers");
    admin.client().batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database is made");
    server.url.replacen("@/postgres?", &format!("@/{name}?"), 1)
}

fn start() -> TestServer {
    let dir = tempfile::Builder::new().prefix("holdfast-test-").tempdir().expect("a temporary folder").keep();
    let cluster = Cluster::start(&dir).expect("a private PostgreSQL");
    let script = r#"cat >/dev/null; kill -INT "$1" 2>/dev/null; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2""#;
    let watchdog = Command::new("sh")
        .args(["-c", script, "watchdog", &cluster.pid().to_string()])
        .arg(&dir)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh is there");
    TestServer { url: cluster.url().to_owned(), _cluster: cluster, _watchdog: watchdog }
}
