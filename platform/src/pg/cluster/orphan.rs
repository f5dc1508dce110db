//! What outlived its holdfast. The folder's lock is ours, so no living holdfast owns what still works in it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tracing::warn;

use super::STOP_TIMEOUT;

/// How long the killed may take to be gone from the process table.
const REAP_TIMEOUT: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Ends the server of a holdfast that was killed, and waits for the children of a server that was killed itself: while
/// one of them lives, or the dead server is not reaped, PostgreSQL takes the folder for one in use.
pub(super) fn end_orphans(pg_dir: &Path) {
    let Some(postmaster) = read_pid_file(pg_dir) else { return };
    if works_in(postmaster, pg_dir) {
        warn!(pid = postmaster.as_raw_nonzero(), "ending the PostgreSQL of a holdfast that is gone");
        // It may have ended since.
        let _ = kill_process(postmaster, Signal::INT);
    }
    let is_over = || processes_in(pg_dir).is_empty() && !is_dying(postmaster);
    if wait_until(STOP_TIMEOUT, is_over) {
        return;
    }
    for pid in processes_in(pg_dir) {
        warn!(pid = pid.as_raw_nonzero(), "killing a PostgreSQL process that does not end");
        let _ = kill_process(pid, Signal::KILL);
    }
    // Where they stay even so, PostgreSQL will say that they do.
    wait_until(REAP_TIMEOUT, is_over);
}

fn wait_until(timeout: Duration, is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + timeout;
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}

fn read_pid_file(pg_dir: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pg_dir.join("postmaster.pid")).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// PostgreSQL's processes work in their data folder. A recycled pid belongs to somebody else and does not.
fn works_in(pid: Pid, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).is_ok_and(|cwd| cwd == folder)
}

fn processes_in(folder: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    pids.filter(|pid| works_in(*pid, folder)).collect()
}

/// Works nowhere any more, but its pid is still taken: on its way out, or dead and not asked after by its parent.
fn is_dying(pid: Pid) -> bool {
    let works_in = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
    works_in.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) && test_kill_process(pid).is_ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn pid_of(child: &std::process::Child) -> Pid {
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a pid")
    }

    #[test]
    fn a_process_is_found_where_it_works_until_it_is_dead_and_then_reaped() {
        let here = tempfile::tempdir().expect("a folder");
        let folder = here.path().canonicalize().expect("it is there");
        let mut child = Command::new("sleep").arg("60").current_dir(&folder).spawn().expect("it starts");
        let pid = pid_of(&child);
        assert!(wait_until(REAP_TIMEOUT, || processes_in(&folder) == [pid]));
        assert!(!is_dying(pid) && !works_in(pid, Path::new("/")));
        child.kill().expect("it runs");
        assert!(wait_until(REAP_TIMEOUT, || processes_in(&folder).is_empty() && is_dying(pid)));
        child.wait().expect("it is our child");
        assert!(!is_dying(pid));
    }
}
