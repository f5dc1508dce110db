//! `holdfast drop`, as it is started from a shell, against a shop in memory: a true one, and one for each way to lie.

mod fake;
mod gateway;
mod services;

use std::path::PathBuf;
use std::process::Output;

use holdfast_contracts::inventory::v1::catalog_service_server::CatalogServiceServer;
use holdfast_contracts::inventory::v1::inventory_service_server::InventoryServiceServer;
use holdfast_contracts::order::v1::order_service_server::OrderServiceServer;
use holdfast_platform::{server, task};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tonic::service::Routes;

use crate::fake::{Fake, Flaw};

/// A shop on two ports of its own, open for as long as this lives.
struct Shop {
    fake: Fake,
    grpc: String,
    http: String,
    folder: TempDir,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Shop {
    async fn open(flaw: Flaw) -> Self {
        let fake = Fake::new(flaw);
        let routes = Routes::new(InventoryServiceServer::new(fake.clone()))
            .add_service(OrderServiceServer::new(fake.clone()))
            .add_service(CatalogServiceServer::new(fake.clone()));
        let any = "127.0.0.1:0".parse().expect("an address");
        let (grpc, http) = (server::listen(any).await.expect("a port"), server::listen(any).await.expect("a port"));
        let url = |listener: &tokio::net::TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
        let (grpc_url, http_url) = (url(&grpc), url(&http));
        let (sweeping, doors) = (fake.clone(), routes.clone());
        let tasks = vec![
            task::spawn_joined(async move { sweeping.sweep().await }),
            task::spawn_joined(async move {
                server::serve(grpc, doors, std::future::pending()).await.expect("a server");
            }),
            task::spawn_joined(gateway::serve(http, routes)),
        ];
        let folder = TempDir::new().expect("a folder");
        Self { fake, grpc: grpc_url, http: http_url, folder, tasks }
    }

    fn report(&self) -> PathBuf {
        self.folder.path().join("report.html")
    }

    /// Plays a small, quick drop with these further words.
    async fn drop(&self, words: &str) -> Output {
        let small = "--window 300ms --think 5ms --abandon 0.1 --abandon-ttl 1s --concurrency 32 --seed 11";
        Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .arg("drop")
            .args(words.split_whitespace())
            .args(small.split_whitespace())
            .args(["--grpc", &self.grpc, "--http", &self.http, "--report"])
            .arg(self.report())
            .output()
            .await
            .expect("the binary runs")
    }

    /// The same, told as JSON.
    async fn drop_json(&self, words: &str) -> (Option<i32>, Value) {
        let output = self.drop(&format!("{words} --json")).await;
        let told = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)));
        (output.status.code(), told)
    }
}

fn last_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().last().unwrap_or_else(|| panic!("{output:?}")).to_owned()
}

const SMALL: &str = "--sku HOODIE/M --units 40 --shoppers 160";

#[tokio::test(flavor = "multi_thread")]
async fn every_unit_is_sold_once_and_again_in_the_next_drop() {
    let shop = Shop::open(Flaw::None).await;
    for drop in ["first", "second"] {
        let output = shop.drop(SMALL).await;
        let expect = "drop: 40 of 40 units sold to 160 shoppers, 0 oversold, audit not run";
        assert_eq!((last_line(&output).as_str(), output.status.code()), (expect, Some(0)), "{drop}: {output:?}");
    }
    let committed = shop.fake.state().levels["HOODIE/M"].0.committed;
    assert_eq!(committed, 80);
    let report = std::fs::read_to_string(shop.report()).expect("a report");
    assert!(report.contains("HOODIE/M") && report.contains("<svg"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_is_the_same_through_the_gateway() {
    let shop = Shop::open(Flaw::None).await;
    let (code, told) = shop.drop_json(&format!("{SMALL} --via rest")).await;
    assert_eq!((code, &told["sold_units"], &told["clean"]), (Some(0), &40.into(), &true.into()), "{told:#}");
    assert_eq!(told["setup"]["url"], shop.http);
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_units_return_and_are_sold_to_others() {
    let shop = Shop::open(Flaw::None).await;
    let words = "--sku S --units 30 --shoppers 60 --decline 0.1 --timeout 0.05";
    let (code, told) = shop.drop_json(words).await;
    assert_eq!((code, &told["sold_units"]), (Some(0), &30.into()), "{told:#}");
    let count = |name: &str| told["outcomes"][name].as_u64().expect("a count");
    assert!(count("abandoned") > 0 && count("declined") > 0, "{told:#}");
    assert_eq!(told["expired_and_returned"], told["outcomes"]["abandoned"], "{told:#}");
    let all = ["sold", "refused_sold_out", "declined", "timed_out", "abandoned", "failed"];
    assert_eq!(all.into_iter().map(count).sum::<u64>(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_asked_for_again_and_nothing_is_sold_twice() {
    let shop = Shop::open(Flaw::LosesAnswers).await;
    let (code, told) = shop.drop_json(SMALL).await;
    assert_eq!((code, &told["sold_units"], &told["clean"]), (Some(0), &40.into(), &true.into()), "{told:#}");
    assert!(told["calls_retried"].as_u64().expect("a count") > 10, "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_is_cut_goes_on_where_it_was() {
    for via in ["grpc", "rest"] {
        let shop = Shop::open(Flaw::CutsTheWatch).await;
        let (code, told) = shop.drop_json(&format!("{SMALL} --via {via}")).await;
        assert_eq!((code, &told["clean"], &told["watch_resets"]), (Some(0), &true.into(), &0.into()), "{told:#}");
    }
}

/// Plays against a shop with a flaw: it must be told, and be the exit code.
async fn check(flaw: Flaw, expect_oversold: Option<u64>, expect_problem: &str) {
    let shop = Shop::open(flaw).await;
    let (code, told) = shop.drop_json(SMALL).await;
    assert_eq!((code, &told["clean"]), (Some(1), &false.into()), "{told:#}");
    if let Some(units) = expect_oversold {
        assert_eq!(told["oversold_units"], units, "{told:#}");
    }
    assert!(told["problems"].to_string().contains(expect_problem), "{:#}", told["problems"]);
    let output = shop.drop(SMALL).await;
    // The flaw shows once: the next drop is clean, which shows that nothing of it is carried over.
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_oversells_by_one_is_found_out() {
    check(Flaw::Oversells, Some(1), "1 more units promised than there are").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_beside_the_stock_is_found_out() {
    check(Flaw::OversellsUnseen, Some(1), "41 units sold of 40").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_put_back_on_the_shelf_is_found_out() {
    // Whether its unit is sold a second time is for the shoppers to decide.
    check(Flaw::ForgetsASale, None, "committed in stock").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_missing_from_the_watch_is_found_out() {
    check(Flaw::SkipsAVersion, Some(0), "the watch went from version").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sells_each_size_and_says_what_is_made_up() {
    let shop = Shop::open(Flaw::None).await;
    let file = shop.folder.path().join("sales.csv");
    let rows = "2018-11-16,9\n".repeat(20) + &"2018-11-16,10.5\n".repeat(10) + "2018-11-17,14\n";
    std::fs::write(&file, format!("Order Date,Shoe Size\n{rows}")).expect("a file");
    let output = shop.drop(&format!("--sku Z --replay {} --day 2018-11-16", file.display())).await;
    let text = String::from_utf8_lossy(&output.stdout);
    let expect = "drop: 30 of 30 units sold to 120 shoppers, 0 oversold, audit not run";
    assert_eq!((last_line(&output).as_str(), output.status.code()), (expect, Some(0)), "{output:?}");
    assert!(text.contains("made up:") && text.contains("replayed: 30 sales of 2018-11-16 from sales.csv"), "{text}");
    let report = std::fs::read_to_string(shop.report()).expect("a report");
    assert!(report.contains("By size") && report.contains("made up"));
    let state = shop.fake.state();
    assert_eq!((state.levels["Z-9"].0.committed, state.levels["Z-10.5"].0.committed), (20, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_not_there_is_said_to_be_so() {
    let shop = Shop::open(Flaw::None).await;
    for words in ["--via grpc", "--via rest"] {
        let gone = "http://127.0.0.1:1";
        let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["drop", "--sku", "S", "--grpc", gone, "--http", gone, "--report"])
            .arg(shop.report())
            .args(words.split_whitespace())
            .output()
            .await
            .expect("the binary runs");
        let told = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(told.contains("the shop at http://127.0.0.1:1 is not ready") && told.contains("refused"), "{told}");
    }
    assert!(!shop.report().exists());
}
