//! `holdfast audit`: proves the invariants on a live database, in one snapshot, and changes nothing.

mod breach;
mod invariant;
mod report;
mod store;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use holdfast_platform::pg;

pub(crate) use self::report::Report;
use crate::output::Output;

use self::invariant::{Books, INVARIANTS, Invariant};
use self::report::{Audited, Finding, Verdict};
use self::store::Snapshot;

/// How many breaches of each invariant are spelled out.
const EXAMPLES_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The PostgreSQL database.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let report = audit(&args.database_url, output).await?;
    if output.is_json() {
        println!("{:#}", serde_json::to_value(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks every invariant, all in one snapshot. Services may go on meanwhile; a long audit keeps vacuum from their rows.
///
/// # Errors
/// Where the database cannot be reached or does not hold a shop: then nothing is known.
pub(crate) async fn audit(database_url: &str, output: Output) -> anyhow::Result<Report> {
    let began = Instant::now();
    let mut connection = pg::connect(database_url).await?;
    let snapshot = Snapshot::begin(&mut connection).await?;
    let schemas = snapshot.load_schemas().await?;
    ensure!(schemas.inventory, "there is no stock in this database: `holdfast migrate` makes its schemas");
    let progress = output.progress("audit", INVARIANTS.iter().map(|invariant| invariant.statements.len() as u64).sum());
    let mut findings = Vec::with_capacity(INVARIANTS.len());
    for invariant in &INVARIANTS {
        let verdict = match invariant.books {
            Books::StockAndOrders if !schemas.orders => Verdict::Skipped("there are no orders in this database"),
            Books::Stock | Books::StockAndOrders => {
                let checked = check(&snapshot, invariant, || progress.advance(1)).await;
                checked.with_context(|| format!("invariant {} cannot be checked", invariant.number))?
            }
        };
        findings.push(Finding { invariant, verdict });
    }
    drop(progress);
    let stock = snapshot.count_stock().await?;
    let orders = if schemas.orders { Some(snapshot.count_orders().await?) } else { None };
    Ok(Report { findings, audited: Audited { at: schemas.taken_at, stock, orders }, took: began.elapsed() })
}

async fn check(snapshot: &Snapshot<'_>, invariant: &Invariant, done: impl Fn()) -> Result<Verdict, pg::Error> {
    let (mut breaches, mut examples) = (0, Vec::new());
    for statement in invariant.statements {
        let found = snapshot.load_breaches(statement, EXAMPLES_MAX - examples.len()).await?;
        breaches += found.count;
        examples.extend(found.examples);
        done();
    }
    Ok(if breaches == 0 { Verdict::Holds } else { Verdict::Breached { breaches, examples } })
}
