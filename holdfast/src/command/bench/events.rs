//! `holdfast bench-events`: how long from a hold's transaction to its event's handling at a steady rate, and what a
//! consumer of every movement costs the hot path, off and on in turns. Load generator, consumer, server and PostgreSQL
//! share the machine's cores.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use holdfast_contracts::events::v1::Envelope;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::bus::consumer::{Config, Consumer};
use holdfast_platform::bus::inbox::TABLES;
use holdfast_platform::bus::postgres::PostgresBus;
use holdfast_platform::bus::{HandleError, Handler, Start};
use holdfast_platform::client;
use holdfast_platform::pg::{self, Transaction};
use holdfast_platform::task::{Tasks, spawn_joined};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use super::server::{Child, Kind};
use super::{SKUS, any_sku, fill_shelves, load, on_own_postgres, seed_catalog};
use crate::output::Output;

/// How many holds may be under way at the steady rate.
const IN_FLIGHT_MAX: usize = 2_048;
/// How often some are started.
const TICK: Duration = Duration::from_millis(2);
/// How long the consumer may be behind once the load has ended.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);
/// How long the consumer may take to end.
const STOP_GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Events a second while latency is measured.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// How long each cell is measured, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many clients at once while the cost is measured.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How many times off and on.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(crate) async fn run(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    on_own_postgres("bench-events", async |_, url| measure(&args, url, output).await).await?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(args: &Args, database_url: &str, output: Output) -> anyhow::Result<()> {
    inventory_svc::migrate(database_url).await?;
    seed_catalog(database_url).await?;
    let db = pg::connect(database_url).await?;
    db.client().batch_execute(&format!("CREATE SCHEMA bench; {}", TABLES.replace("SCHEMA", "bench"))).await?;
    let stock = Child::start(Kind::Stock, Some(database_url)).await?;
    fill_shelves(client::tcp(stock.address())?, SKUS).await?;
    let duration = Duration::from_secs(args.seconds);

    let (consumer, seen) = consume(database_url, "steady")?;
    let sent = hold_steadily(stock.address(), args.rate, duration).await?;
    catch_up(&seen, sent).await;
    consumer.stop(STOP_GRACE).await;
    let latency_us = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();

    let mut rates = Vec::new();
    for round in 0..args.rounds {
        let off = load::measure(stock.address(), args.clients, duration, any_sku).await?.per_second;
        let (consumer, seen) = consume(database_url, &format!("round{round}"))?;
        let on = load::measure(stock.address(), args.clients, duration, any_sku).await?.per_second;
        consumer.stop(STOP_GRACE).await;
        let events = seen.lock().unwrap_or_else(PoisonError::into_inner).len();
        rates.push((off, on, events));
    }
    stock.stop().await?;
    print(args, output, sent, &latency_us, &rates);
    Ok(())
}

/// Waits for the last events, but not for ever: what never comes is to be seen in the table.
async fn catch_up(seen: &Seen, sent: u64) {
    let deadline = tokio::time::Instant::now() + CATCH_UP_MAX;
    while seen.lock().unwrap_or_else(PoisonError::into_inner).len() < sent && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(TICK).await;
    }
}

fn print(args: &Args, output: Output, sent: u64, latency_us: &Histogram<u64>, rates: &[(f64, f64, u64)]) {
    #[expect(clippy::cast_precision_loss, reason = "a latency for people")]
    let ms = |quantile: f64| latency_us.value_at_quantile(quantile) as f64 / 1_000.0;
    let (off, on) = rates.iter().fold((0.0, 0.0), |sum, (off, on, _)| (sum.0 + off, sum.1 + on));
    let cost_percent = (1.0 - on / off) * 100.0;
    if output.is_json() {
        let rounds: Vec<_> =
            rates.iter().map(|(off, on, events)| json!({"off": off, "on": on, "events": events})).collect();
        let latency =
            json!({"rate": args.rate, "sent": sent, "consumed": latency_us.len(), "p50Ms": ms(0.5), "p99Ms": ms(0.99)});
        println!("{:#}", json!({"latency": latency, "rounds": rounds, "costPercent": cost_percent}));
        return;
    }
    println!("| committed -> consumed at {}/s | sent | consumed | p50 ms | p99 ms |", args.rate);
    println!("| --- | ---: | ---: | ---: | ---: |");
    println!("| PostgreSQL bus | {sent} | {} | {:.1} | {:.1} |\n", latency_us.len(), ms(0.5), ms(0.99));
    println!("| holds/s, {} clients | no consumer | a consumer of every movement | consumed |", args.clients);
    println!("| --- | ---: | ---: | ---: |");
    for (round, (off, on, events)) in rates.iter().enumerate() {
        println!("| round {} | {off:.0} | {on:.0} | {events} |", round + 1);
    }
    println!("\ncost to the hot path: {cost_percent:.1} %");
}

/// What the consumer saw: microseconds from each event's transaction to its handling.
type Seen = Arc<Mutex<Histogram<u64>>>;

/// Measures and does nothing else: what is paid is the bus and the inbox.
struct Stopwatch(Seen);

impl Handler for Stopwatch {
    type Prepared = Vec<SystemTime>;

    async fn prepare(&self, events: &[Envelope]) -> Result<Self::Prepared, HandleError> {
        Ok(events.iter().filter_map(|event| SystemTime::try_from(event.occur_time?).ok()).collect())
    }

    async fn apply(&self, _: &Transaction<'_>, written: Self::Prepared) -> Result<(), HandleError> {
        let (now, mut seen) = (SystemTime::now(), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for time in written {
            let us = now.duration_since(time).unwrap_or_default().as_micros();
            seen.saturating_record(u64::try_from(us).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

fn consume(database_url: &str, group: &str) -> anyhow::Result<(Tasks, Seen)> {
    let config = Config {
        database_url: database_url.to_owned(),
        topic: "inventory".parse()?,
        group: format!("bench.{group}").parse()?,
        begin: Start::End,
    };
    let seen: Seen = Arc::new(Mutex::new(Histogram::new_with_max(600_000_000, 3)?));
    let bus = Arc::new(PostgresBus::new(database_url));
    let tasks = Tasks::new();
    tasks.spawn("consumer", Consumer::new(config, bus, Stopwatch(Arc::clone(&seen))).run(tasks.stopping()));
    Ok((tasks, seen))
}

/// So many holds a second, whether or not earlier ones are answered; returns how many were.
async fn hold_steadily(address: &str, rate: u64, duration: Duration) -> anyhow::Result<u64> {
    let client = InventoryServiceClient::new(client::channel(address)?);
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = tokio::time::Instant::now();
    let (mut started, mut holds) = (0, Vec::new());
    while began.elapsed() < duration {
        ticks.tick().await;
        let due = rate * u64::try_from(began.elapsed().as_micros())? / 1_000_000;
        while started < due {
            let permit = Arc::clone(&in_flight).acquire_owned().await?;
            let mut client = client.clone();
            holds.push(spawn_joined(async move {
                let held = client.reserve(any_sku()).await;
                drop(permit);
                held.map(|_| ())
            }));
            started += 1;
        }
    }
    let mut held = 0;
    for hold in holds {
        hold.await??;
        held += 1;
    }
    Ok(held)
}
