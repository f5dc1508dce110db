//! The services apart, as `holdfast mesh` runs them: mutual TLS between processes, two replicas of the stock, and a drop
//! through the gateway that sells every unit once while a replica dies.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What the drop sells.
const SKU: &str = "MESH-M";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the stock is looked at.
const POLL: Duration = Duration::from_millis(5);

fn holdfast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.env_remove("DATABASE_URL").env("HOLDFAST_LOG", "error").stdin(Stdio::null());
    command
}

/// A running mesh; told to stop when it is dropped, should the test have failed before.
struct Mesh {
    process: Child,
    told: Value,
}

impl Mesh {
    fn start(folder: &Path) -> Self {
        let certs = folder.join("certs");
        let issued = holdfast().arg("dev-certs").arg("--out").arg(&certs).stdout(Stdio::null()).status();
        assert!(issued.expect("the binary runs").success());
        let mut process = holdfast()
            .args(["mesh", "--json", "--http", &free_address()])
            .arg("--data-dir")
            .arg(folder)
            .arg("--certs")
            .arg(&certs)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says so");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready but: {line:?}"));
        Self { process, told: told["ready"].clone() }
    }

    fn address_of(&self, workload: &str) -> String {
        let replicas = self.told["replicas"].as_array().expect("replicas");
        let found = replicas.iter().find(|replica| replica["workload"] == workload).expect("one of each");
        found["address"].as_str().expect("an address").to_owned()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).expect("a pid")).expect("not zero")
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            let _ = kill_process(self.pid(), Signal::TERM);
            let _ = self.process.wait();
        }
    }
}

fn free_address() -> String {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    taken.local_addr().expect("it has an address").to_string()
}

/// The process that listens on an address with this command line.
fn pid_of(address: &str) -> Pid {
    let processes = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let mut pids = processes.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let listens = |pid: &Pid| {
        let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        words.windows(2).any(|pair| pair[0] == b"--grpc" && pair[1] == address.as_bytes())
    };
    pids.find(listens).expect("it runs")
}

/// Returns once a unit of the drop's is held or sold, or the drop is over: its end is looked at later.
fn wait_for_a_hold(gateway: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !is_any_taken(gateway) {
        assert!(Instant::now() < deadline, "nothing was held");
        std::thread::sleep(POLL);
    }
}

/// Whether the gateway's stock of the drop's SKU is less than whole. Not where the SKU is not there yet.
fn is_any_taken(gateway: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(gateway)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /v1/stock/{SKU} HTTP/1.1\r\nHost: {gateway}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().unwrap_or_default();
    let json = answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str::<Value>(body).ok());
    let units = |json: &Value, name: &str| json["total"][name].as_str().and_then(|text| text.parse::<u64>().ok());
    json.is_some_and(|json| units(&json, "held").unwrap_or(0) + units(&json, "committed").unwrap_or(0) > 0)
}

#[test]
fn a_drop_through_the_mesh_sells_every_unit_once_while_a_replica_dies() {
    let folder = tempfile::Builder::new().prefix("holdfast-mesh-").tempdir().expect("a temporary folder");
    let mut mesh = Mesh::start(folder.path());
    let (http, stock) = (mesh.address_of("gateway"), mesh.address_of("inventory-svc"));
    let database = mesh.told["databaseUrl"].as_str().expect("a URL");

    let drop = holdfast()
        .args(["drop", "--via", "rest", "--http", &format!("http://{http}"), "--database-url", database])
        .args(["--sku", SKU, "--units", "60", "--shoppers", "300", "--concurrency", "32", "--report"])
        .arg(folder.path().join("report.html"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    wait_for_a_hold(&http);
    kill_process(pid_of(&stock), Signal::KILL).expect("it runs");
    let dropped = drop.wait_with_output().expect("it ends");
    let (said, erred) = (String::from_utf8_lossy(&dropped.stdout), String::from_utf8_lossy(&dropped.stderr));
    assert!(dropped.status.success(), "{said}\n{erred}");
    assert!(said.contains("drop: 60 of 60 units sold to 300 shoppers, 0 oversold, audit ok"), "{said}\n{erred}");

    kill_process(mesh.pid(), Signal::TERM).expect("it runs");
    assert!(mesh.process.wait().expect("it ends").success(), "it stops cleanly");
}
