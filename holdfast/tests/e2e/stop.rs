//! Stops and the starts after them.

use std::path::Path;
use std::time::Duration;

use holdfast_contracts::inventory::v1 as pb;
use rustix::process::Signal;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::ask::{get_reservation, reserve};
use crate::binary::{Folder, Holdfast, up_in};
use crate::event_source::EventSource;
use crate::wait::{soon, until};

/// How long a stop may take, and a start on a folder that is there; a quiet machine needs a tenth of it.
const STOP_MAX: Duration = Duration::from_secs(4);
const READY_MAX: Duration = Duration::from_secs(10);
/// How much memory an idle process may keep, PostgreSQL's aside.
const IDLE_KB_MAX: u64 = 150 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_watches_keeps_everything_and_the_next_start_is_quick() {
    let folder = Folder::new();
    let mut held: Vec<String> = Vec::new();
    for (round, signal) in [Signal::TERM, Signal::INT].into_iter().enumerate() {
        let holdfast = Holdfast::start(up_in(folder.path())).await;
        if round == 0 {
            holdfast.doors.stock_up(&[("S", 5)]).await;
        } else {
            println!("ready on an existing folder after {:?}", holdfast.ready);
            assert!(holdfast.ready < READY_MAX, "ready after {:?}", holdfast.ready);
        }
        let mut stubs = holdfast.doors.inventory();
        for id in &held {
            assert!(stubs.get_reservation(get_reservation(id)).await.is_ok(), "an acknowledged hold is lost");
        }
        held.push(stubs.reserve(reserve(&[("S", 1)])).await.expect("5 were there").into_inner().id);

        let mut browser = EventSource::open(&holdfast.doors.rest, "/v1/stock:watch?sku=S", "").await;
        assert_eq!(browser.next().await.expect("a state").name, "reset");
        let request = pb::WatchStockRequest { sku: vec!["S".into()], cursor: String::new() };
        let mut watch = stubs.watch_stock(request).await.expect("a watch").into_inner();
        assert!(soon("a state", watch.message()).await.expect("no error").is_some());

        let kept = resident_kb(holdfast.pid());
        println!("{kept} kB resident");
        assert!(kept < IDLE_KB_MAX, "{kept} kB resident");
        let (code, took) = holdfast.stop(signal).await;
        println!("stopped by {signal:?} after {took:?}");
        assert_eq!(code, Some(0));
        assert!(took < STOP_MAX, "stopped after {took:?}");
        assert_eq!(browser.next().await, None, "a watch ends, it does not break");
        let end = soon("the watch's end", watch.message()).await.expect_err("it is told to come back");
        assert_eq!(end.code(), Code::Unavailable);
        assert!(end.get_details_retry_info().is_some(), "{end}");
        folder.assert_left_alone().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_during_the_start_leaves_nothing_running() {
    let folder = Folder::new();
    let mut starting = up_in(folder.path()).stdout(std::process::Stdio::null()).spawn().expect("the binary starts");
    until("the server begins", async || folder.pid_file().exists().then_some(())).await;
    let pid = starting.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("it runs"), Signal::TERM).expect("it runs");
    let status = soon("its end", starting.wait()).await.expect("it is our child");
    assert_eq!(status.code(), Some(0), "{status}");
    folder.assert_left_alone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_making_was_cut_off_is_made_anew() {
    let folder = Folder::new();
    let mut starting = up_in(folder.path()).stdout(std::process::Stdio::null()).spawn().expect("the binary starts");
    until("the server's files are being made", async || is_begun(folder.path()).then_some(())).await;
    starting.kill().await.expect("it runs");
    assert!(!folder.pid_file().exists(), "it was killed while the files were being made");
    let holdfast = Holdfast::start(up_in(folder.path())).await;
    holdfast.doors.stock_up(&[("S", 1)]).await;
    assert_eq!(holdfast.stop(Signal::TERM).await.0, Some(0));
}

/// Whether a folder in this one says which PostgreSQL makes it: the first thing written, long before it is whole.
fn is_begun(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path().join("PG_VERSION")).any(|version| version.exists())
}

fn resident_kb(pid: rustix::process::Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
