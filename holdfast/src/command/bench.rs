//! `holdfast bench`: durable holds per second, side by side in one run on one PostgreSQL: the naive way (pgbench), ours
//! through gRPC, the raw batched statement (one ceiling) and a bare tonic echo of the same messages (the other). Load
//! generator, server and PostgreSQL share the machine's cores.

pub(crate) mod events;
mod load;
pub(crate) mod mesh;
mod naive;
mod report;
pub(crate) mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_contracts::{RequestId, Sku};
use holdfast_platform::client::{self, Wire};
use holdfast_platform::pg::{self, cluster::Cluster};
use holdfast_platform::process;

use crate::output::Output;
use load::Measured;
use report::{Report, Row, Subject};

/// How many SKUs the spread load goes over.
const SKUS: usize = 10_000;
/// Units on every shelf: never sold out while measuring.
const UNITS_EACH: i64 = 1_000_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each cell is measured, in seconds.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many clients at once, each a cell.
    #[arg(long, value_delimiter = ',', default_values_t = [1_usize, 16, 64, 256])]
    clients: Vec<usize>,
    /// Only these subjects.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Subject>,
    /// Where the table is saved, as Markdown and JSON.
    #[arg(long, default_value = "bench-results")]
    save: PathBuf,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let report = on_own_postgres("bench", async |folder, url| measure(&args, folder, url, output).await).await?;
    report.save(&args.save)?;
    if output.is_json() {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", report.markdown());
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures on a private PostgreSQL, given a folder of its own under the temporary folder and the URL. Server and folder
/// are gone afterwards, also where the command is told to stop (Ctrl-C): what is under way is dropped then.
///
/// # Errors
/// The measurement's own, or that it was called off.
async fn on_own_postgres<T>(
    name: &str,
    measure: impl AsyncFnOnce(&Path, &str) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    // Heard from here on: a server that is still starting is stopped, too.
    let stop = process::stop_signal();
    let folder = std::env::temp_dir().join(format!("holdfast-{name}-{}", std::process::id()));
    let data = folder.join("data");
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&data)).await??;
    let measured = tokio::select! {
        biased;
        () = stop => Err(anyhow::anyhow!("called off")),
        measured = measure(&folder, cluster.url()) => measured,
    };
    tokio::task::spawn_blocking(move || cluster.stop()).await?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    measured
}

async fn measure(args: &Args, folder: &Path, database_url: &str, output: Output) -> anyhow::Result<Report> {
    inventory_svc::migrate(database_url).await?;
    naive::prepare(database_url, SKUS).await?;
    seed_catalog(database_url).await?;
    let stock = server::Child::start(server::Kind::Stock, Some(database_url)).await?;
    let echo = server::Child::start(server::Kind::Echo, None).await?;
    fill_shelves(client::tcp(stock.address())?, SKUS).await?;

    let duration = Duration::from_secs(args.seconds);
    let mut report = Report::new(database_url).await?;
    let wants = |subject| args.only.is_empty() || args.only.contains(&subject);
    for &clients in &args.clients {
        for subject in Subject::ALL.into_iter().filter(|subject| wants(*subject)) {
            let measured = match subject {
                Subject::NaiveOne => naive::measure(folder, database_url, clients, duration, 1).await?,
                Subject::NaiveMany => naive::measure(folder, database_url, clients, duration, SKUS).await?,
                Subject::Echo => load::measure(echo.address(), clients, duration, one_sku).await?,
                Subject::One => load::measure(stock.address(), clients, duration, one_sku).await?,
                Subject::Many => load::measure(stock.address(), clients, duration, any_sku).await?,
                Subject::ThreeLines => load::measure(stock.address(), clients, duration, three_lines).await?,
                Subject::Statement => statement(database_url, clients, duration).await?,
            };
            let row = Row::new(subject, clients, &measured);
            if !output.is_json() {
                eprintln!("{}", row.line());
            }
            report.rows.push(row);
        }
    }
    stock.stop().await?;
    echo.stop().await?;
    Ok(report)
}

/// The raw statement, with as many holds a batch as there are clients. The server is idle meanwhile; its SKU is its own.
async fn statement(database_url: &str, clients: usize, duration: Duration) -> anyhow::Result<Measured> {
    let sku: Sku = sku_name(SKUS - 1).parse()?;
    let per_second = inventory_svc::ceiling::raw_batches_per_second(database_url, &sku, clients, duration).await?;
    Ok(Measured { per_second, latency_us: None, refused: 0 })
}

async fn seed_catalog(database_url: &str) -> anyhow::Result<()> {
    let db = pg::connect(database_url).await?;
    let sql = format!(
        "INSERT INTO inventory.brand (id, display_name) VALUES ('bench', 'Bench');
         INSERT INTO inventory.product
             (id, brand_id, title, description, category, status, tags, attributes, version, updated_at)
         VALUES ('bench', 'bench', 'Bench', '', '', 1, '{{}}', '{{}}', 1, now());
         INSERT INTO inventory.variant (sku, product_id, position, options, attributes)
         SELECT 'BENCH-' || n, 'bench', n, '{{}}', '{{}}' FROM generate_series(0, {SKUS} - 1) AS n;"
    );
    db.client().batch_execute(&sql).await?;
    Ok(())
}

/// Receives stock of the first SKUs.
async fn fill_shelves(stock: Wire, skus: usize) -> anyhow::Result<()> {
    let client = InventoryServiceClient::new(stock);
    let fills = futures_util::stream::iter((0..skus).map(|number| {
        let mut client = client.clone();
        async move {
            let request = pb::AdjustStockRequest {
                request_id: RequestId::now_v7().to_string(),
                sku: sku_name(number),
                reason: pb::adjust_stock_request::Reason::Received.into(),
                change: Some(pb::adjust_stock_request::Change::Delta(UNITS_EACH)),
                ..Default::default()
            };
            client.adjust_stock(request).await
        }
    }));
    use futures_util::{StreamExt as _, TryStreamExt as _};
    fills.buffer_unordered(64).try_for_each(|_| std::future::ready(Ok(()))).await?;
    Ok(())
}

fn sku_name(number: usize) -> String {
    format!("BENCH-{number}")
}

fn request(skus: &[usize]) -> pb::ReserveRequest {
    let line = |number: &usize| pb::reserve_request::Line { sku: sku_name(*number), quantity: 1, ..Default::default() };
    pb::ReserveRequest {
        request_id: RequestId::now_v7().to_string(),
        customer_id: "customer-0815".into(),
        lines: skus.iter().map(line).collect(),
        ttl: None,
    }
}

fn one_sku() -> pb::ReserveRequest {
    request(&[0])
}

fn any_sku() -> pb::ReserveRequest {
    request(&[rand::random_range(0..SKUS - 1)])
}

fn three_lines() -> pb::ReserveRequest {
    let first = rand::random_range(0..SKUS - 3);
    request(&[first, first + 1, first + 2])
}
