//! Starts that cannot be: exit code 1, one clear line on stderr, nothing left running.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use holdfast::system::migrate;
use holdfast_platform::pg::{self, testing::fresh_database};
use rustix::process::Signal;
use tokio::process::Command;

use crate::binary::{FREE, Folder, Holdfast, end_of, up, up_at, up_in, with};

/// Runs a start that must fail, and returns the one line it says of it.
async fn refusal(command: Command) -> String {
    let output = end_of(command).await;
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{told}");
    let line = told.strip_suffix('\n').expect("a whole line");
    assert!(line.starts_with("error: ") && !line.contains('\n'), "one clear line, not {told:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a JSON document");
    assert_eq!(format!("error: {}", document["error"].as_str().expect("text")), line);
    line.to_owned()
}

#[track_caller]
fn assert_says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_and_no_server_started() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    for doors in [[&*address, FREE], [FREE, &address]] {
        let folder = Folder::new();
        let command = with(up_at(doors), "--data-dir", folder.path());
        assert_says(&refusal(command).await, &[&address, "in use"]);
        assert!(!folder.path().join("pg").exists(), "nothing was begun");
    }
}

#[tokio::test]
async fn a_folder_of_another_postgresql_is_left_as_it_is() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("pg")).expect("a folder");
    std::fs::write(folder.path().join("pg/PG_VERSION"), "9\n").expect("a file");
    assert_says(&refusal(up_in(folder.path())).await, &["made by PostgreSQL 9", "binaries are version"]);
    folder.assert_left_alone().await;
    assert_eq!(std::fs::read_dir(folder.path().join("pg")).expect("a folder").count(), 1);
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_left_as_it_is() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("pg")).expect("a folder");
    std::fs::write(folder.path().join("pg/thesis.txt"), "years of work").expect("a file");
    assert_says(&refusal(up_in(folder.path())).await, &["holds something else", "thesis.txt"]);
    let kept = std::fs::read_to_string(folder.path().join("pg/thesis.txt"));
    assert_eq!(kept.expect("it is there"), "years of work");
    folder.assert_left_alone().await;
}

#[tokio::test]
async fn a_folder_without_rights_is_said_to_be_so() {
    let folder = Folder::new();
    let (file, closed) = (folder.path().join("file"), folder.path().join("closed"));
    std::fs::write(&file, "").expect("a file");
    std::fs::create_dir(&closed).expect("a folder");
    std::fs::set_permissions(&closed, Permissions::from_mode(0o500)).expect("it is ours");
    let mut refusing = vec![file.join("data")];
    // Root may write anywhere, but not under a file.
    if !rustix::process::geteuid().is_root() {
        refusing.push(closed);
    }
    for path in refusing {
        assert_says(&refusal(up_in(&path)).await, &["data folder", path.to_str().expect("text")]);
    }
    folder.assert_left_alone().await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_said_to_be_so() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    for address in [nobody, mute.local_addr().expect("bound")] {
        let url = format!("postgresql://postgres@{address}/shop");
        assert_says(&refusal(with(up(), "--database-url", url)).await, &["database cannot be reached"]);
    }
    assert_says(&refusal(with(up(), "--database-url", "shop.db")).await, &["database URL"]);
}

#[tokio::test]
async fn a_database_of_a_newer_build_is_left_as_it_is() {
    let url = fresh_database().await;
    migrate(&url).await.expect("it migrates");
    let db = pg::connect(&url).await.expect("the database answers");
    let newer = "INSERT INTO orders.schema_migration (name, md5) VALUES ('0999_from_the_future', '')";
    db.client().batch_execute(newer).await.expect("it is written");
    let line = refusal(with(up(), "--database-url", &url)).await;
    assert_says(&line, &["orders", "0999_from_the_future", "newer version"]);
}

#[tokio::test]
async fn a_folder_in_use_is_left_to_whoever_uses_it() {
    let folder = Folder::new();
    let first = Holdfast::start(up_in(folder.path())).await;
    assert_says(&refusal(up_in(folder.path())).await, &["in use by another holdfast"]);
    first.doors.stock_up(&[("S", 1)]).await;
    assert_eq!(first.doors.units("S").await, (0, 0, 1));

    // The private server is stopped too where what is in it cannot be served.
    let db = pg::connect(&first.database_url).await.expect("the database answers");
    let newer = "INSERT INTO recs.schema_migration (name, md5) VALUES ('0999_from_the_future', '')";
    db.client().batch_execute(newer).await.expect("it is written");
    assert_eq!(first.stop(Signal::TERM).await.0, Some(0));
    assert_says(&refusal(up_in(folder.path())).await, &["0999_from_the_future"]);
    folder.assert_left_alone().await;
}
