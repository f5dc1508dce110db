//! A real Kafka: one node for the whole test binary, or a cluster of a test's own. It ends with this process, however
//! that ends: a watchdog reads our end of a pipe.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_platform::bus::kafka::{Address, Kafka};

/// Below those that systems give to outgoing connections: a node that was killed finds its port free again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const STARTS_MAX: usize = 3;

pub(crate) struct Cluster {
    pub(crate) dir: PathBuf,
    /// `kafka://127.0.0.1:…,…`
    address: String,
    _watchdog: Child,
}

static ONE_NODE: OnceLock<Option<Cluster>> = OnceLock::new();
static PREFIXES: AtomicU32 = AtomicU32::new(0);

/// The bus over the one-node broker, with topics of its own; none where there is no Java.
pub(crate) async fn kafka(database_url: &str) -> Option<Kafka> {
    Some(kafka_and_address(database_url).await?.0)
}

/// Also where that is, and what its topics' names begin with.
pub(crate) async fn kafka_and_address(database_url: &str) -> Option<(Kafka, &'static str, String)> {
    let cluster = tokio::task::spawn_blocking(|| ONE_NODE.get_or_init(|| Cluster::start(1)).as_ref());
    let cluster = cluster.await.expect("the broker starts")?;
    let (kafka, prefix) = cluster.bus(database_url);
    Some((kafka, cluster.brokers(), prefix))
}

impl Cluster {
    /// None, said loudly, where there is no Java.
    pub(crate) fn start(nodes: usize) -> Option<Self> {
        if !has_java() {
            println!("SKIPPED: no Java to run Kafka with");
            eprintln!("SKIPPED: no Java to run Kafka with");
            return None;
        }
        let dir = tempfile::Builder::new().prefix("holdfast-kafka-").tempdir().expect("a temporary folder").keep();
        let watchdog = watchdog(&dir);
        for attempt in 1.. {
            // A port may be taken between being found free and being used.
            let ports = free_ports(2 * nodes).iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            let data = dir.join(format!("try-{attempt}"));
            let started = script(["start", "--nodes", &nodes.to_string(), "--ports", &ports], &data);
            match started {
                Ok(address) => return Some(Self { dir: data, address, _watchdog: watchdog }),
                Err(error) if attempt == STARTS_MAX => panic!("Kafka does not start: {error}"),
                Err(_) => drop(script(["stop"], &data)),
            }
        }
        unreachable!("the loop ends by returning or panicking")
    }

    /// `127.0.0.1:…,…`
    pub(crate) fn brokers(&self) -> &str {
        self.address.trim_start_matches("kafka://")
    }

    /// A bus with topics of its own, and what their names begin with.
    pub(crate) fn bus(&self, database_url: &str) -> (Kafka, String) {
        let prefix = format!("test-{}", PREFIXES.fetch_add(1, Ordering::Relaxed));
        let address: Address = format!("{}/{prefix}?partitions=4", self.address).parse().expect("an address");
        (Kafka::new(address, database_url).expect("a client"), prefix)
    }
}

fn has_java() -> bool {
    let java = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let program = java.filter(|java| java.exists()).unwrap_or_else(|| "java".into());
    Command::new(program).arg("-version").output().is_ok_and(|output| output.status.success())
}

/// Runs scripts/kafka.sh; the last line it prints.
pub(crate) fn script<const N: usize>(args: [&str; N], data: &Path) -> Result<String, String> {
    let output = Command::new(script_path())
        .args(args)
        .arg("--data-dir")
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    match output.status.success() {
        true => Ok(said.lines().last().unwrap_or_default().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn script_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/kafka.sh")
}

fn watchdog(dir: &Path) -> Child {
    let wait = r#"cat >/dev/null; for data in "$2"/*; do "$1" stop --data-dir "$data"; done; rm -rf "$2""#;
    Command::new("sh")
        .args(["-c", wait, "watchdog"])
        .args([&script_path(), dir])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh is there")
}

fn free_ports(count: usize) -> Vec<u16> {
    let mut ports = Vec::with_capacity(count);
    while ports.len() < count {
        let port = rand::random_range(PORTS);
        if !ports.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            ports.push(port);
        }
    }
    ports
}
