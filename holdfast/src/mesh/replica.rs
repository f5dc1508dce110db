//! One process of the mesh.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use holdfast_platform::tls::Files;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::endpoints::Endpoints;
use super::{Settings, Workload, probe};

/// How long a start may take.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a stop may take: longer than any grace of the process's own.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

static IDS: AtomicU32 = AtomicU32::new(1);

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Replica {
    id: u32,
    workload: Workload,
    address: SocketAddr,
    admin: SocketAddr,
    child: Child,
}

impl Replica {
    /// Starts one and waits until it is ready.
    pub(super) async fn start(workload: Workload, settings: &Settings, endpoints: &Endpoints) -> anyhow::Result<Self> {
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let fixed = settings.http.filter(|_| workload == Workload::Gateway);
        let (address, admin) = (fixed.map_or_else(free_address, Ok)?, free_address()?);
        let log = settings.folder.join(format!("{}-{id}.log", workload.name()));
        let mut command = Command::new(binary(workload)?);
        command.arg(workload.door()).arg(address.to_string()).arg("--admin").arg(admin.to_string());
        for callee in workload.callees() {
            command.arg(callee.known_as()).arg(endpoints.target(*callee));
        }
        if workload.is_stateful() {
            command.env("DATABASE_URL", &settings.database_url).args(["--bus", &settings.bus]);
        }
        if let Some(folder) = &settings.certificates {
            let files = Files::in_folder(&folder.join(workload.name()));
            command.arg("--tls-cert").arg(files.cert).arg("--tls-key").arg(files.key).arg("--tls-ca").arg(files.ca);
        }
        let child = command
            .args(&settings.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?)
            .kill_on_drop(true)
            .spawn()?;
        let mut replica = Self { id, workload, address, admin, child };
        let ended = tokio::select! {
            ready = tokio::time::timeout(START_TIMEOUT, probe::ready(admin)) => match ready {
                Ok(ready) => return ready.map(|()| replica),
                Err(_) => "is not ready after 30 s".to_owned(),
            },
            status = replica.child.wait() => format!("ended with {}", status?),
        };
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        bail!("{replica} {ended}:\n{said}")
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    pub fn workload(&self) -> Workload {
        self.workload
    }

    /// Where it serves: gRPC, or HTTP for the gateway.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its admin port.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// SIGTERM, and its end.
    ///
    /// # Errors
    /// Where it fails or does not end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.pid() {
            kill_process(pid, Signal::TERM)?;
        }
        let status = tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await;
        let status = status.with_context(|| format!("{self} does not stop"))??;
        anyhow::ensure!(status.success(), "{self} ended with {status}");
        Ok(())
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// Where it had ended before.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Its id, where it has ended by itself.
    pub(super) fn ended(&mut self) -> Option<u32> {
        matches!(self.child.try_wait(), Ok(Some(_))).then_some(self.id)
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()?).ok()?)
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.workload.name(), self.address)
    }
}

/// Next to this program, or next to the folder of a test program.
fn binary(workload: Workload) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(workload.name())).find(|file| file.is_file());
    found.with_context(|| {
        format!(
            "{} is not beside {}: build it with `cargo build --release --workspace`",
            workload.name(),
            own.display()
        )
    })
}

/// A port nobody has: taken and let go, so that the process can be told before it starts.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
