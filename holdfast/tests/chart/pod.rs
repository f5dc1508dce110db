//! One container as a process of this machine: the manifest's command and environment, on a loopback address of its own, so
//! that ports stay as they are written.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::http;
use crate::manifests::{Manifests, Workload, peer};

/// How often something is looked at again.
const POLL: Duration = Duration::from_millis(50);

/// What stands in for the cluster.
pub(crate) struct Cluster {
    pub(crate) manifests: Manifests,
    pub(crate) database_url: String,
    /// Logs, and the mounted Secrets, each in a folder of its name.
    pub(crate) folder: tempfile::TempDir,
    /// The first two numbers after 127 of its pods' addresses.
    network: [u8; 2],
}

impl Cluster {
    pub(crate) fn new(manifests: Manifests, database_url: String) -> Self {
        // Other test processes on this machine have other networks: it is taken from the process's id, and each cluster
        // of this process has the next.
        static CLUSTERS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let nth = CLUSTERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let [_, _, high, low] = ((std::process::id() << 3) | (nth % 8)).to_be_bytes();
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { manifests, database_url, folder, network: [high.max(1), low] }
    }

    /// The address of a component's pod.
    pub(crate) fn ip(&self, component: &str) -> Ipv4Addr {
        let components = ["migrate", "inventory", "order", "rec", "gateway"];
        let nth = components.iter().position(|name| *name == component).expect("one of the chart's components");
        let [a, b] = self.network;
        Ipv4Addr::new(127, a, b, u8::try_from(nth + 1).expect("there are few"))
    }

    /// The value of a variable here: addresses, Secrets and mounted files are this machine's.
    fn value(&self, workload: &Workload, value: &Value) -> String {
        let Some(text) = value.as_str() else {
            assert_eq!(value["key"], "DATABASE_URL", "the only Secret that is read into a variable");
            return self.database_url.clone();
        };
        if let Some((host, port)) = peer(text) {
            let (callee, port) = self.manifests.resolve(host, port);
            let (scheme, _) = text.split_once("://").expect("it was just read");
            let slash = if text.contains(":///") { "/" } else { "" };
            return format!("{scheme}://{slash}{}:{port}", self.ip(&callee.component));
        }
        if let Some(port) = text.strip_prefix("0.0.0.0:") {
            return format!("{}:{port}", self.ip(&workload.component));
        }
        for (folder, secret) in workload.mounts() {
            if let Some(file) = text.strip_prefix(&folder) {
                return format!("{}{file}", self.secret(&secret).display());
            }
        }
        text.to_owned()
    }

    /// Where a Secret is mounted from.
    pub(crate) fn secret(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self, workload: &Workload, more: &[(&str, &str)]) -> Pod {
        let command = workload.command();
        let binary = command[0].strip_prefix("/usr/local/bin/").expect("where the image has its binaries");
        let env: BTreeMap<_, _> =
            workload.env().iter().map(|(name, value)| (name.clone(), self.value(workload, value))).collect();
        let log = self.folder.path().join(format!("{}.log", workload.component));
        let process = Command::new(binaries().join(binary))
            .args(&command[1..])
            .env_clear()
            .envs(env)
            .envs(more.iter().copied())
            .current_dir(self.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .unwrap_or_else(|error| panic!("{binary} does not start: {error}"));
        Pod { process, log, workload: workload.clone(), ip: self.ip(&workload.component) }
    }
}

/// Where this build's binaries are.
pub(crate) fn binaries() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_holdfast")).parent().expect("it lies in a folder")
}

/// One container under way; killed where it is dropped before its end.
pub(crate) struct Pod {
    process: Child,
    log: PathBuf,
    workload: Workload,
    ip: Ipv4Addr,
}

impl Pod {
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("its log")
    }

    pub(crate) fn address(&self, port: &str) -> SocketAddr {
        SocketAddr::from((self.ip, self.workload.ports()[port]))
    }

    /// Asks a probe of the manifest as a kubelet does: until it succeeds, for as long as the manifest allows.
    pub(crate) fn wait_for(&mut self, probe: &str) {
        let name = &self.workload.component.clone();
        let probe = &self.workload.container()[probe].clone();
        let path = probe["httpGet"]["path"].as_str().expect("an HTTP probe");
        let address = self.address(probe["httpGet"]["port"].as_str().expect("a named port"));
        let allowed = probe["periodSeconds"].as_u64().unwrap_or(10) * probe["failureThreshold"].as_u64().unwrap_or(3);
        // The machine that tests may be slower than one that serves.
        let deadline = Instant::now() + Duration::from_secs(allowed.max(60));
        loop {
            let answer = http::get(address, path);
            if answer.as_ref().is_ok_and(|(status, _)| (200..400).contains(status)) {
                return;
            }
            if let Some(status) = self.process.try_wait().expect("a child") {
                panic!("{name} ended with {status} before {path} answered:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "{name}: {path} answers {answer:?}:\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }

    /// Tells it to stop, as a kubelet does.
    pub(crate) fn terminate(&self) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, Signal::TERM).expect("it is under way");
    }

    /// Waits for its end, no longer than the manifest's grace period (a minute for those without).
    pub(crate) fn end(&mut self) -> ExitStatus {
        let grace = self.workload.spec["terminationGracePeriodSeconds"].as_u64().unwrap_or(60);
        let deadline = Instant::now() + Duration::from_secs(grace);
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                return status;
            }
            let name = &self.workload.component;
            assert!(Instant::now() < deadline, "{name} has not ended after {grace} s:\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
