//! `holdfast drop`: plays a product drop with real clients, checks every answer, and says what happened.

mod crowd;
mod journal;
mod machine;
mod options;
mod patience;
mod plan;
mod played;
mod print;
mod problem;
mod replay;
mod report;
mod shop;
mod shopper;
mod stage;
mod tally;
mod verify;
mod watcher;

use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

pub(crate) use self::options::{Args, Options};
pub(crate) use self::played::{AuditVerdict, Played};
use crate::command::audit;
use crate::output::Output;

use self::crowd::Floor;
use self::plan::Plan;
use self::played::Lasted;
use self::replay::Sales;
use self::shop::Shop;
use self::watcher::Watcher;

/// Between the watch's start and the doors' opening.
const HEAD_START: Duration = Duration::from_millis(50);

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let options = Options::try_from(args)?;
    let played = Box::pin(play(&options, output)).await?;
    let Some(database_url) = &options.database_url else {
        return finish(&played, AuditVerdict::NotRun, &options, output);
    };
    match audit::audit(database_url, output).await {
        Ok(audited) => {
            if !audited.is_clean() {
                eprint!("{audited}");
            }
            finish(&played, AuditVerdict::from(Some(audited.breaches())), &options, output)
        }
        // What was played is told all the same.
        Err(error) => {
            finish(&played, AuditVerdict::NotRun, &options, output)?;
            eprintln!("error: the audit failed: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Plays a drop to its end: the last shopper gone, the last hold ended, every tally compared.
///
/// # Errors
/// Where the drop could not be set up or watched. What the shop did wrong is in the result.
pub(crate) async fn play(options: &Options, output: Output) -> anyhow::Result<Played> {
    let sales = options.replay.as_ref().map(read_sales).transpose()?;
    let plan = Plan::draw(options, sales.as_ref())?;
    let shop = Shop::new(options.via, &options.url, options.concurrency)?;
    let before = stage::stage(&shop, &options.sku, &plan.items)
        .await
        .with_context(|| format!("the shop at {} is not ready for a drop", options.url))?;
    let opened = Instant::now() + HEAD_START;
    let watcher = Watcher::start(&shop, plan.skus(), opened).await?;
    let floor = Arc::new(Floor::new(shop.clone(), &plan, options, opened));
    if !output.is_json() {
        let (units, shoppers) = (plan.units(), plan.shoppers.len());
        let Options { sku, concurrency, url, seed, .. } = options;
        eprintln!("{units} units of {sku}, {shoppers} shoppers, {concurrency} at a time, {url}, seed {seed}");
    }
    let progress = output.progress("shoppers", plan.shoppers.len() as u64);
    let visits = crowd::play(&floor, &plan, &progress).await?;
    drop(progress);
    let left = Instant::now();
    let failed = visits.iter().any(|visit| matches!(visit.outcome, tally::Outcome::Failed(_)));
    let holds_last = if failed { options.times.hold_ttl } else { options.times.abandon_ttl };
    let after =
        verify::settle(&shop, &plan.skus(), &before, holds_last).await.context("cannot read the stock at the end")?;
    let lasted = Lasted { shoppers: left - opened, settling: left.elapsed() };
    let journal = watcher.finish(after.iter().map(|level| level.version).collect()).await?;
    let facts = verify::gather(&shop, &visits, before, after).await;
    let findings = verify::reconcile(&plan.items, &visits, &facts, &journal);
    Ok(Played::new(options, &plan, sales.as_ref(), visits, findings, journal, lasted))
}

/// Writes the report, prints the result, and says with which code to exit: 1 where anything is wrong with the shop.
///
/// # Errors
/// Where the report cannot be written.
pub(crate) fn finish(
    played: &Played,
    audit: AuditVerdict,
    options: &Options,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let path = &options.report;
    std::fs::write(path, report::html(played, audit))
        .with_context(|| format!("cannot write the report to {}", path.display()))?;
    if output.is_json() {
        let mut document = serde_json::to_value(played)?;
        document["audit"] = serde_json::to_value(audit)?;
        document["verdict"] = played.verdict(audit).into();
        document["clean"] = played.is_clean(audit).into();
        document["report"] = path.display().to_string().into();
        println!("{document:#}");
    } else {
        println!("report: {}\n", path.display());
        print!("{}", print::text(played, audit));
    }
    Ok(if played.is_clean(audit) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_sales(source: &options::ReplaySource) -> anyhow::Result<Sales> {
    let name = source.file.display();
    let file = File::open(&source.file).with_context(|| format!("cannot open {name}"))?;
    Sales::read(file, &source.days).with_context(|| format!("{name} cannot be replayed"))
}
