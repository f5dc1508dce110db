//! The real binary, on a data folder of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::shop::Doors;
use crate::wait::{soon, until};

/// A running `holdfast up`, its doors open.
pub(crate) struct Holdfast {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) doors: Doors,
    pub(crate) admin: String,
    pub(crate) database_url: String,
    /// How long its start took, as it says itself.
    pub(crate) ready: Duration,
}

/// An address that nobody has yet.
pub(crate) const FREE: &str = "127.0.0.1:0";

/// `holdfast up` on two free ports.
pub(crate) fn up() -> Command {
    up_at([FREE, FREE])
}

/// `holdfast up` with these doors for HTTP and gRPC, told to speak JSON, and nothing of this environment's database.
pub(crate) fn up_at([http, grpc]: [&str; 2]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(["up", "--json", "--http", http, "--grpc", grpc]);
    command.env_remove("DATABASE_URL").env("HOLDFAST_LOG", "error").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// `holdfast up` on a private server in this folder.
pub(crate) fn up_in(folder: &Path) -> Command {
    let mut command = up();
    command.arg("--data-dir").arg(folder);
    command
}

/// Runs a command that is to end by itself.
pub(crate) async fn end_of(mut command: Command) -> Output {
    soon("the command's end", command.output()).await.expect("the binary runs")
}

impl Holdfast {
    /// Starts it and waits until it says that it is ready.
    pub(crate) async fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        soon("the line that says ready", stdout.read_line(&mut line)).await.expect("lines of text");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready but: {line:?}"));
        let told = &told["ready"];
        let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{name} is not in {line}"));
        Self {
            doors: Doors::at(text("http"), text("grpc")),
            admin: text("admin").to_owned(),
            database_url: text("databaseUrl").to_owned(),
            ready: Duration::from_millis(told["readyMs"].as_u64().expect("a number")),
            child,
            stdout,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(Pid::from_raw).expect("it runs")
    }

    /// SIGKILL: nothing of it gets to say or do anything more.
    pub(crate) async fn kill(mut self) {
        soon("its end", self.child.kill()).await.expect("it was alive");
    }

    /// Sends a signal and waits for the end: its exit code, and how long it took.
    pub(crate) async fn stop(mut self, signal: Signal) -> (Option<i32>, Duration) {
        let began = std::time::Instant::now();
        kill_process(self.pid(), signal).expect("it runs");
        let status = soon("its end", self.child.wait()).await.expect("it is our child");
        let took = began.elapsed();
        let mut more = String::new();
        self.stdout.read_to_string(&mut more).await.expect("text");
        assert_eq!(more, "", "one document is all it says");
        (status.code(), took)
    }
}

/// A data folder; whatever still works in it ends with it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("holdfast-e2e-").tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The pid file of the server in it, there while it runs.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.path().join("pg/postmaster.pid")
    }

    /// The server in it.
    pub(crate) fn postmaster(&self) -> Pid {
        let text = std::fs::read_to_string(self.pid_file()).expect("a server runs");
        let pid = text.lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw);
        pid.expect("its first line is its pid")
    }

    /// Every process that works in it: the server and its children.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let ours = |pid: &Pid| {
            let works_in = std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
            works_in.is_ok_and(|cwd| cwd.starts_with(self.path()))
        };
        let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
        let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        pids.filter(ours).collect()
    }

    /// Nothing runs in it, and nobody holds its lock.
    pub(crate) async fn assert_left_alone(&self) {
        until("nothing works in the folder", async || self.processes().is_empty().then_some(())).await;
        assert!(!self.pid_file().exists(), "the server stopped cleanly");
        if let Ok(lock) = std::fs::File::open(self.path().join("holdfast.lock")) {
            lock.try_lock().expect("nobody holds the lock");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for pid in self.processes() {
            // It may have ended since.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// An argument and its value.
pub(crate) fn with(mut command: Command, name: &str, value: impl AsRef<OsStr>) -> Command {
    command.arg(name).arg(value);
    command
}
