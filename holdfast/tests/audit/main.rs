//! `holdfast audit`, as it is started from a shell: real traffic passes, and each way to break a law is caught.

mod drop;
mod flaws;
mod in_flight;
mod shop;
mod traffic;

use std::process::Output;

use holdfast_platform::pg::testing::fresh_database;
use serde_json::Value;
use tokio::process::Command;

use crate::shop::{copy, traded};

/// What an audit told, and its exit code.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) document: Value,
}

impl Told {
    /// The invariants that are breached.
    pub(crate) fn breached(&self) -> Vec<u64> {
        let checks = self.document["checks"].as_array().expect("checks");
        let breached = checks.iter().filter(|check| check["verdict"] == "breached");
        breached.map(|check| check["invariant"].as_u64().expect("a number")).collect()
    }

    pub(crate) fn check(&self, invariant: u64) -> &Value {
        let checks = self.document["checks"].as_array().expect("checks");
        checks.iter().find(|check| check["invariant"] == invariant).expect("every invariant is told")
    }

    pub(crate) fn assert_clean(&self) {
        assert_eq!((self.code, self.breached()), (Some(0), vec![]), "{:#}", self.document);
        assert_eq!((&self.document["clean"], &self.document["breaches"]), (&true.into(), &0.into()));
    }
}

async fn start(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.env_remove("DATABASE_URL").args(words).output().await.expect("the binary runs")
}

pub(crate) async fn audit(database_url: &str) -> Told {
    let output = start(&["audit", "--json", "--database-url", database_url]).await;
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Told { code: output.status.code(), document }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn real_traffic_is_clean_while_it_runs_and_after_it() {
    let traded = traded().await;
    assert!(!traded.audits_meanwhile.is_empty());
    traded.audits_meanwhile.iter().for_each(Told::assert_clean);
    let after = audit(&copy(&traded.database_url).await).await;
    after.assert_clean();
    let checks = after.document["checks"].as_array().expect("checks").iter();
    let numbers: Vec<u64> = checks.map(|check| check["invariant"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, [1, 2, 5, 7, 10]);
    let audited = &after.document["audited"];
    assert!(audited["stock"]["movements"].as_u64() > Some(200), "{audited:#}");
    assert_eq!((&audited["orders"]["under_way"], &audited["orders"]["watched"]), (&0.into(), &1.into()), "{audited:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_one_line_a_check_and_the_verdict_last() {
    let url = copy(&traded().await.database_url).await;
    let output = start(&["audit", "--database-url", &url]).await;
    let told = text(&output.stdout);
    assert_eq!((output.status.code(), told.lines().last()), (Some(0), Some("audit ok")), "{output:?}");
    let ok: Vec<&str> = told.lines().filter(|line| line.ends_with(" ok")).collect();
    assert_eq!(ok.len(), 6, "{told}");
    assert!(told.contains("in flight: 0 under way, 1 watched"), "{told}");

    shop::execute(&url, "UPDATE inventory.stock_level SET incoming = incoming + 1 WHERE sku = 'CAP'").await;
    let output = start(&["audit", "--database-url", &url]).await;
    let told = text(&output.stdout);
    assert_eq!((output.status.code(), told.lines().last()), (Some(1), Some("audit found 1 breach")), "{output:?}");
    assert!(told.contains("CAP at main, version") && told.contains("incoming of level"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_breaches_are_counted_and_ten_are_shown() {
    let url = copy(&traded().await.database_url).await;
    let released = "SELECT DISTINCT id FROM inventory.reservation WHERE state = 4 ORDER BY id LIMIT 11";
    shop::execute(&url, &format!("UPDATE inventory.reservation SET state = 5 WHERE id IN ({released})")).await;
    let told = audit(&url).await;
    assert_eq!((told.code, told.breached()), (Some(1), vec![7]));
    let check = told.check(7);
    assert!(check["breaches"].as_u64() >= Some(11), "{check:#}");
    assert_eq!(check["examples"].as_array().expect("examples").len(), 10, "{check:#}");
    let text = text(&start(&["audit", "--database-url", &url]).await.stdout);
    assert!(text.contains("      and ") && text.contains(" more\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_orders_the_stock_is_audited_alone() {
    let url = copy(&traded().await.database_url).await;
    shop::execute(&url, "DROP SCHEMA orders CASCADE").await;
    let told = audit(&url).await;
    told.assert_clean();
    assert_eq!(told.check(10)["verdict"], "skipped", "{:#}", told.document);
    let text = text(&start(&["audit", "--database-url", &url]).await.stdout);
    assert!(text.contains("skipped: there are no orders in this database"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_shop_is_clean() {
    let url = fresh_database().await;
    holdfast::system::migrate(&url).await.expect("the schemas are made");
    audit(&url).await.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_is_no_success() {
    let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
    let empty = fresh_database().await;
    let broken = copy(&traded().await.database_url).await;
    shop::execute(&broken, "ALTER TABLE inventory.movement RENAME COLUMN kind TO sort").await;
    for (url, problem) in [
        (nowhere, "the database cannot be reached"),
        ("not a url", "the database URL is not one"),
        (&empty, "there is no stock in this database"),
        (&broken, "invariant 1 cannot be checked"),
    ] {
        let output = start(&["audit", "--json", "--database-url", url]).await;
        let told: Value = serde_json::from_slice(&output.stdout).expect("one document");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(told["error"].as_str().is_some_and(|error| error.contains(problem)), "{told:#}");
        assert!(text(&output.stderr).contains(problem), "{output:?}");
    }
}
