//! The services apart, as `holdfast mesh` runs them: mutual TLS between processes, two replicas of the stock, and a drop
//! through the gateway that sells every unit once while a replica dies.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

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

#[test]
fn a_drop_through_the_mesh_sells_every_unit_once_while_a_replica_dies() {
    let folder = tempfile::Builder::new().prefix("holdfast-mesh-").tempdir().expect("a temporary folder");
    let mut mesh = Mesh::start(folder.path());
    let (http, stock) = (mesh.address_of("gateway"), mesh.address_of("inventory-svc"));
    let database = mesh.told["databaseUrl"].as_str().expect("a URL");

    let drop = holdfast()
        .args(["drop", "--via", "rest", "--http", &format!("http://{http}"), "--database-url", database])
        .args(["--sku", "MESH-M", "--units", "60", "--shoppers", "300", "--concurrency", "32", "--report"])
        .arg(folder.path().join("report.html"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    std::thread::sleep(std::time::Duration::from_secs(1)); // in the midst of it
    kill_process(pid_of(&stock), Signal::KILL).expect("it runs");
    let dropped = drop.wait_with_output().expect("it ends");
    let (said, erred) = (String::from_utf8_lossy(&dropped.stdout), String::from_utf8_lossy(&dropped.stderr));
    assert!(dropped.status.success(), "{said}\n{erred}");
    assert!(said.contains("drop: 60 of 60 units sold to 300 shoppers, 0 oversold, audit ok"), "{said}\n{erred}");

    kill_process(mesh.pid(), Signal::TERM).expect("it runs");
    assert!(mesh.process.wait().expect("it ends").success(), "it stops cleanly");
}
