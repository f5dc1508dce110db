//! A private PostgreSQL server in a data folder, for `up` without a database URL: unix socket only, checksums and
//! fsync on, as an ordinary user even when started by root.

mod orphan;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tracing::{info, warn};

/// How long the server may take to accept connections; crash recovery included.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take to stop once told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest path of a unix socket, in bytes, less the file's own name.
const SOCKET_DIR_BYTES_MAX: usize = 107 - "/.s.PGSQL.5432".len();

/// What folders are called whose server's files are being made.
const HALF_MADE_PREFIX: &str = "pg.half-made-";

/// Settings beside PostgreSQL's defaults. Nothing here touches durability: fsync, synchronous_commit and
/// full_page_writes stay on.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=400",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "min_wal_size=512MB",
    "checkpoint_timeout=15min",
    "jit=off",
    "log_min_messages=warning",
];

/// Why the private server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "no PostgreSQL server binaries found: install PostgreSQL 15 or newer (`make deps`), or set HOLDFAST_PG_BIN to the folder that has initdb and postgres"
    )]
    NoBinaries,
    #[error("data folder {}: {cause}", path.display())]
    Folder { path: PathBuf, cause: io::Error },
    #[error("data folder {} is in use by another holdfast", path.display())]
    InUse { path: PathBuf },
    #[error("data folder {} was made by PostgreSQL {found}, but the binaries are version {expected}", path.display())]
    OtherVersion { path: PathBuf, found: String, expected: String },
    #[error("data folder {} cannot be reached by user {user}, whose rights PostgreSQL runs with (it refuses root's): choose a folder under /var/lib or /tmp with --data-dir", path.display())]
    Unreachable { path: PathBuf, user: String },
    #[error("data folder {} holds something else: {found}", path.display())]
    Foreign { path: PathBuf, found: String },
    #[error("PostgreSQL refuses root and this system has no user `postgres` or `nobody` to run it as")]
    NoUser,
    #[error("{program} failed: {output}")]
    Program { program: &'static str, output: String },
    #[error("PostgreSQL did not start: {log}")]
    Start { log: String },
}

/// A running private server.
#[derive(Debug)]
pub struct Cluster {
    postmaster: Child,
    home: Home,
    url: String,
    _lock: File,
}

/// Where a server lives and as whom it runs.
#[derive(Debug)]
struct Home {
    bin: PathBuf,
    pg_dir: PathBuf,
    socket_dir: PathBuf,
    log: PathBuf,
    account: Option<Account>,
}

/// An account to run the server as.
#[derive(Debug, Clone)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Starts the server in `data_dir`, making the folder where it is missing. Blocks until it accepts connections.
    ///
    /// # Errors
    /// As [`ClusterError`] says.
    pub fn start(data_dir: &Path) -> Result<Self, ClusterError> {
        let folder_error = |cause| ClusterError::Folder { path: data_dir.to_owned(), cause };
        fs::create_dir_all(data_dir).map_err(folder_error)?;
        let data_dir = data_dir.canonicalize().map_err(folder_error)?;
        let lock = lock_folder(&data_dir)?;
        let account = unprivileged_account()?;
        let pg_dir = data_dir.join("pg");
        let bin = binaries_of(&pg_dir).or_else(find_binaries).ok_or(ClusterError::NoBinaries)?;
        prepare_folder(&data_dir, &pg_dir, account.as_ref())?;
        check_reachable(&data_dir, &pg_dir, account.as_ref())?;
        let socket_dir = socket_dir(&pg_dir, account.as_ref()).map_err(folder_error)?;
        if pg_dir.join("PG_VERSION").exists() {
            check_version(&pg_dir, &bin)?;
        } else {
            refuse_foreign(&pg_dir)?;
            init(&bin, &data_dir, &pg_dir, account.as_ref())?;
        }
        let url = format!("postgresql://postgres@/postgres?host={}", encode_path(&socket_dir));
        let home = Home { bin, pg_dir, socket_dir, log: data_dir.join("postgres.log"), account };
        let postmaster = home.launch()?;
        info!(folder = %data_dir.display(), "private PostgreSQL started");
        Ok(Self { postmaster, home, url, _lock: lock })
    }

    /// Starts the server again where it has died (killed, out of memory); says whether it had.
    ///
    /// # Errors
    /// Where it does not come back.
    pub fn revive(&mut self) -> Result<bool, ClusterError> {
        if matches!(self.postmaster.try_wait(), Ok(None)) {
            return Ok(false);
        }
        warn!("private PostgreSQL has died and is started again");
        self.postmaster = self.home.launch()?;
        Ok(true)
    }

    /// The URL clients connect with.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The postmaster's process id.
    pub fn pid(&self) -> u32 {
        self.postmaster.id()
    }

    /// Stops the server cleanly (a fast shutdown: sessions end, everything is flushed).
    pub fn stop(mut self) {
        self.stop_now();
    }

    fn stop_now(&mut self) {
        if matches!(self.postmaster.try_wait(), Ok(Some(_))) {
            return;
        }
        if let Some(pid) = pid_of(self.postmaster.id()) {
            let _ = kill_process(pid, Signal::INT);
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if matches!(self.postmaster.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        warn!("private PostgreSQL did not stop in time and is ended");
        let _ = self.postmaster.kill();
        let _ = self.postmaster.wait();
    }
}

impl Home {
    /// Starts the server and waits until it accepts connections; recovers whatever a crash left behind.
    fn launch(&self) -> Result<Child, ClusterError> {
        orphan::end_orphans(&self.pg_dir);
        let mut postmaster = spawn(&self.bin, &self.pg_dir, &self.socket_dir, &self.log, self.account.as_ref())?;
        match self.wait_ready(&mut postmaster) {
            Ok(()) => Ok(postmaster),
            Err(error) => {
                let _ = postmaster.kill();
                let _ = postmaster.wait();
                Err(error)
            }
        }
    }

    fn wait_ready(&self, postmaster: &mut Child) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if !matches!(postmaster.try_wait(), Ok(None)) {
                return Err(ClusterError::Start { log: last_lines(&self.log) });
            }
            let ready = Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h"])
                .arg(&self.socket_dir)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(ClusterError::Start { log: last_lines(&self.log) });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_now();
    }
}

/// The installed version that made the folder, where there are several.
fn binaries_of(pg_dir: &Path) -> Option<PathBuf> {
    if std::env::var_os("HOLDFAST_PG_BIN").is_some() {
        return None;
    }
    let version = fs::read_to_string(pg_dir.join("PG_VERSION")).ok()?;
    let bin = Path::new("/usr/lib/postgresql").join(version.trim()).join("bin");
    bin.join("postgres").exists().then_some(bin)
}

/// The folder with `initdb` and `postgres`: HOLDFAST_PG_BIN, else the newest under /usr/lib/postgresql, else PATH's.
pub fn find_binaries() -> Option<PathBuf> {
    let has_server = |dir: &PathBuf| dir.join("initdb").exists() && dir.join("postgres").exists();
    if let Some(dir) = std::env::var_os("HOLDFAST_PG_BIN") {
        return Some(PathBuf::from(dir)).filter(has_server);
    }
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, dir)| has_server(dir))
        .collect();
    debian.sort();
    if let Some((_, dir)) = debian.pop() {
        return Some(dir);
    }
    std::env::split_paths(&std::env::var_os("PATH")?).find(has_server)
}

/// Held for as long as the cluster lives; the kernel drops it with the process, so it never goes stale.
fn lock_folder(data_dir: &Path) -> Result<File, ClusterError> {
    let lock = File::create(data_dir.join("holdfast.lock"))
        .map_err(|cause| ClusterError::Folder { path: data_dir.to_owned(), cause })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(ClusterError::InUse { path: data_dir.to_owned() }),
        Err(fs::TryLockError::Error(cause)) => Err(ClusterError::Folder { path: data_dir.to_owned(), cause }),
    }
}

/// Whom to run as: nobody special, unless we are root.
fn unprivileged_account() -> Result<Option<Account>, ClusterError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"].iter().find_map(|name| find_account(&passwd, name)).map(Some).ok_or(ClusterError::NoUser)
}

fn find_account(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name: name.to_owned(), uid, gid })
    })
}

fn prepare_folder(data_dir: &Path, pg_dir: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    let folder_error = |cause| ClusterError::Folder { path: data_dir.to_owned(), cause };
    fs::create_dir_all(pg_dir).map_err(folder_error)?;
    fs::set_permissions(pg_dir, fs::Permissions::from_mode(0o700)).map_err(folder_error)?;
    if let Some(account) = account {
        chown(pg_dir, Some(account.uid), Some(account.gid)).map_err(folder_error)?;
        // The folder above stays ours, but must let the account through.
        let mode = fs::metadata(data_dir).map_err(folder_error)?.mode();
        fs::set_permissions(data_dir, fs::Permissions::from_mode(mode | 0o011)).map_err(folder_error)?;
    }
    Ok(())
}

fn check_reachable(data_dir: &Path, pg_dir: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    let Some(account) = account else { return Ok(()) };
    let reached = as_account(Command::new("test").arg("-w").arg(pg_dir), Some(account)).status();
    if reached.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(ClusterError::Unreachable { path: data_dir.to_owned(), user: account.name.clone() })
}

/// A folder whose socket path fits: the data folder, else one in the temporary folder that belongs to it alone.
fn socket_dir(pg_dir: &Path, account: Option<&Account>) -> io::Result<PathBuf> {
    if pg_dir.as_os_str().len() <= SOCKET_DIR_BYTES_MAX {
        return Ok(pg_dir.to_owned());
    }
    let inode = fs::metadata(pg_dir)?;
    let dir = std::env::temp_dir().join(format!("holdfast-{:x}-{:x}", inode.dev(), inode.ino()));
    fs::create_dir_all(&dir)?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    if let Some(account) = account {
        chown(&dir, Some(account.uid), Some(account.gid))?;
    }
    Ok(dir)
}

fn check_version(pg_dir: &Path, bin: &Path) -> Result<(), ClusterError> {
    let found = fs::read_to_string(pg_dir.join("PG_VERSION")).unwrap_or_default().trim().to_owned();
    let output = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|cause| ClusterError::Program { program: "postgres --version", output: cause.to_string() })?;
    let text = String::from_utf8_lossy(&output.stdout);
    // "postgres (PostgreSQL) 15.18 (Debian ...)"
    let version = text.split_whitespace().nth(2).unwrap_or_default();
    let expected = version.split('.').next().unwrap_or_default().to_owned();
    if found == expected {
        return Ok(());
    }
    Err(ClusterError::OtherVersion { path: pg_dir.to_owned(), found, expected })
}

fn refuse_foreign(pg_dir: &Path) -> Result<(), ClusterError> {
    let folder_error = |cause| ClusterError::Folder { path: pg_dir.to_owned(), cause };
    match fs::read_dir(pg_dir).map_err(folder_error)?.next() {
        None => Ok(()),
        Some(entry) => {
            let found = entry.map_err(folder_error)?.file_name().to_string_lossy().into_owned();
            Err(ClusterError::Foreign { path: pg_dir.to_owned(), found })
        }
    }
}

/// Makes the server's files aside and puts them in place once they are whole: a start that is killed on the way leaves
/// nothing behind that looks like them.
fn init(bin: &Path, data_dir: &Path, pg_dir: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    let folder_error = |cause| ClusterError::Folder { path: data_dir.to_owned(), cause };
    clear_half_made(data_dir).map_err(folder_error)?;
    // A name of its own: the initdb of a holdfast that was killed may still be at work in another.
    let half_made = data_dir.join(format!("{HALF_MADE_PREFIX}{}", std::process::id()));
    prepare_folder(data_dir, &half_made, account)?;
    let mut command = Command::new(bin.join("initdb"));
    // Trust is confined to the socket, which only the owning account can reach.
    command
        .args(["--data-checksums", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
        .arg("-D")
        .arg(&half_made);
    let output = as_account(&mut command, account)
        .output()
        .map_err(|cause| ClusterError::Program { program: "initdb", output: cause.to_string() })?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let _ = fs::remove_dir_all(&half_made);
        return Err(ClusterError::Program { program: "initdb", output });
    }
    fs::rename(&half_made, pg_dir).and_then(|()| File::open(data_dir)?.sync_all()).map_err(folder_error)
}

fn clear_half_made(data_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(HALF_MADE_PREFIX) {
            // What an initdb still writes there is cleared by the next start that makes a folder.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

fn spawn(
    bin: &Path,
    pg_dir: &Path,
    socket_dir: &Path,
    log: &Path,
    account: Option<&Account>,
) -> Result<Child, ClusterError> {
    let failed = |cause: io::Error| ClusterError::Program { program: "postgres", output: cause.to_string() };
    let log = File::options().create(true).append(true).open(log).map_err(failed)?;
    let mut command = Command::new(bin.join("postgres"));
    command.arg("-D").arg(pg_dir).arg("-c").arg(format!("unix_socket_directories={}", socket_dir.display()));
    for setting in SETTINGS {
        command.arg("-c").arg(setting);
    }
    // A group of its own: Ctrl-C reaches us alone, and we stop the server after our own work is done.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    as_account(&mut command, account).spawn().map_err(failed)
}

fn as_account<'a>(command: &'a mut Command, account: Option<&Account>) -> &'a mut Command {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid).current_dir("/").env("HOME", "/");
    }
    command
}

fn pid_of(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("; ")
}

/// Percent-encodes what would end a URL's query value.
fn encode_path(path: &Path) -> String {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PG:/var/lib/postgresql:/bin/bash\n";
        let account = find_account(passwd, "postgres").expect("it is there");
        assert_eq!((account.uid, account.gid), (101, 104));
        assert!(find_account(passwd, "nobody").is_none());
    }
}
