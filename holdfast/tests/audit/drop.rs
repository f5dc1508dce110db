//! A drop that is given the shop's database ends with the audit's verdict.

use tempfile::TempDir;

use crate::shop::{copy, execute, open, traded};
use crate::{start, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_ends_with_the_audits_verdict() {
    let url = copy(&traded().await.database_url).await;
    let system = open(&url).await;
    let folder = TempDir::new().expect("a folder");
    let (grpc, report) = (format!("http://{}", system.grpc()), folder.path().join("report.html"));
    let words = "drop --sku DROP --units 20 --shoppers 80 --concurrency 16 --window 300ms --think 5ms --timeout 0 \
                 --abandon-ttl 1s --seed 11";
    let drop = |database_url: &str| {
        let mut all: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let report = report.display().to_string();
        all.extend(["--grpc", &grpc, "--report", &report, "--database-url", database_url].map(str::to_owned));
        async move { start(&all.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };

    let output = drop(&url).await;
    let told = text(&output.stdout);
    let expect = "drop: 20 of 20 units sold to 80 shoppers, 0 oversold, audit ok";
    assert_eq!((output.status.code(), told.lines().last()), (Some(0), Some(expect)), "{output:?}");

    execute(&url, "UPDATE inventory.stock_level SET incoming = incoming + 1 WHERE sku = 'CAP'").await;
    let output = drop(&url).await;
    let told = text(&output.stdout);
    let expect = "drop: 20 of 20 units sold to 80 shoppers, 0 oversold, audit found 1 breach";
    assert_eq!((output.status.code(), told.lines().last()), (Some(1), Some(expect)), "{output:?}");
    assert!(text(&output.stderr).contains("incoming of level"), "{output:?}");

    let output = drop("postgres://nobody@127.0.0.1:1/nothing").await;
    let told = text(&output.stdout);
    let expect = "drop: 20 of 20 units sold to 80 shoppers, 0 oversold, audit not run";
    assert_eq!((output.status.code(), told.lines().last()), (Some(1), Some(expect)), "{output:?}");
    assert!(text(&output.stderr).contains("error: the audit failed"), "{output:?}");
    system.stop().await;
}
