//! A drop that is over: everything that is printed, reported and judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::journal::{Journal, Point};
use super::machine::Machine;
use super::options::{Options, Shares};
use super::plan::Plan;
use super::problem::Problems;
use super::replay::Sales;
use super::shop::Via;
use super::tally::{BUCKET, LatencyPoint, Outcome, Outcomes, Pace, Summary, Verb, Visit};
use super::verify::Findings;

/// What the audit of the shop's database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditVerdict {
    Ok,
    /// So many breaches were found.
    Breached(u64),
    NotRun,
}

impl From<Option<u64>> for AuditVerdict {
    /// From the number of breaches found; none where no audit was run.
    fn from(breaches: Option<u64>) -> Self {
        match breaches {
            None => Self::NotRun,
            Some(0) => Self::Ok,
            Some(breaches) => Self::Breached(breaches),
        }
    }
}

impl std::fmt::Display for AuditVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ok => f.write_str("audit ok"),
            Self::Breached(1) => f.write_str("audit found 1 breach"),
            Self::Breached(breaches) => write!(f, "audit found {breaches} breaches"),
            Self::NotRun => f.write_str("audit not run"),
        }
    }
}

impl Serialize for AuditVerdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How it was set up.
#[derive(Debug, Serialize)]
pub(crate) struct Setup {
    pub(crate) sku: String,
    pub(crate) via: Via,
    pub(crate) url: String,
    pub(crate) seed: u64,
    pub(crate) units: u64,
    pub(crate) shoppers: usize,
    pub(crate) concurrency: usize,
    pub(crate) window_ms: u128,
    pub(crate) rush: f64,
    pub(crate) shares: Shares,
    pub(crate) think_ms: u128,
    pub(crate) hold_ttl_ms: u128,
    pub(crate) abandon_ttl_ms: u128,
    pub(crate) patience_ms: u128,
    pub(crate) replay: Option<Replayed>,
}

/// Where sizes and demand came from.
#[derive(Debug, Serialize)]
pub(crate) struct Replayed {
    pub(crate) file: String,
    pub(crate) days: Vec<String>,
    pub(crate) sales: u64,
    pub(crate) rows_rejected: u64,
    /// What the file does not say.
    pub(crate) made_up: &'static str,
}

/// What is said of every replay.
const MADE_UP: &str = "the file has dates and sizes only: times of arrival, shoppers and their intents are made up";

/// How one SKU went.
#[derive(Debug, Serialize)]
pub(crate) struct ItemPlayed {
    pub(crate) sku: String,
    pub(crate) size: Option<String>,
    pub(crate) units: u64,
    pub(crate) shoppers: usize,
    pub(crate) sold: u64,
    pub(crate) outcomes: Outcomes,
}

/// The curves of the report.
#[derive(Debug)]
pub(crate) struct Curves {
    pub(crate) stock: Vec<Point>,
    pub(crate) hold: Vec<LatencyPoint>,
    pub(crate) order: Vec<LatencyPoint>,
    /// Cumulative shares and latencies in milliseconds.
    pub(crate) hold_cdf: Vec<(f64, f64)>,
    pub(crate) order_cdf: Vec<(f64, f64)>,
    /// By bucket.
    pub(crate) arrivals: Vec<u64>,
    pub(crate) sales: Vec<u64>,
}

/// See the module.
#[derive(Debug, Serialize)]
pub(crate) struct Played {
    pub(crate) setup: Setup,
    pub(crate) sold_units: u64,
    pub(crate) oversold_units: u64,
    pub(crate) outcomes: Outcomes,
    pub(crate) expired_and_returned: u64,
    pub(crate) came_back: u64,
    pub(crate) calls_retried: u64,
    pub(crate) view: Summary,
    pub(crate) hold: Summary,
    pub(crate) order: Summary,
    /// From the doors' opening to the last shopper's leaving.
    pub(crate) lasted_ms: u128,
    /// From then until no hold was left.
    pub(crate) settled_ms: u128,
    pub(crate) versions_watched: u64,
    pub(crate) watch_resets: u64,
    pub(crate) items: Vec<ItemPlayed>,
    /// Why shoppers failed, and how many.
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) problems: Problems,
    pub(crate) machine: Machine,
    #[serde(skip)]
    pub(crate) curves: Curves,
}

/// How long the parts of a drop took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lasted {
    pub(crate) shoppers: Duration,
    pub(crate) settling: Duration,
}

/// The most different reasons for failing that are kept.
const FAILURES_MAX: usize = 20;

impl Played {
    pub(crate) fn new(
        options: &Options,
        plan: &Plan,
        sales: Option<&Sales>,
        visits: Vec<Visit>,
        findings: Findings,
        journal: Journal,
        lasted: Lasted,
    ) -> Self {
        let (mut view, mut hold, mut order) = (Pace::new(), Pace::new(), Pace::new());
        let mut outcomes = Outcomes::default();
        let mut by_item = vec![Outcomes::default(); plan.items.len()];
        let mut failures: BTreeMap<String, u64> = BTreeMap::new();
        let mut problems = findings.problems;
        let (mut calls_retried, mut came_back, mut arrivals) = (0, 0, Vec::new());
        for visit in visits {
            outcomes.add(&visit.outcome);
            by_item[visit.item].add(&visit.outcome);
            calls_retried += visit.retries;
            came_back += visit.came_back;
            count(&mut arrivals, visit.arrived);
            for call in visit.calls {
                match call.verb {
                    Verb::View => view.add(call),
                    Verb::Hold => hold.add(call),
                    Verb::Order => order.add(call),
                }
            }
            if let Outcome::Failed(why) = visit.outcome
                && (failures.len() < FAILURES_MAX || failures.contains_key(&why))
            {
                *failures.entry(why).or_default() += 1;
            }
            problems.append(visit.problems);
        }
        let items = plan.items.iter().zip(&findings.sold).zip(by_item).map(|((item, &sold), outcomes)| ItemPlayed {
            sku: item.sku.to_string(),
            size: item.size.clone(),
            units: item.units,
            shoppers: item.shoppers,
            sold,
            outcomes,
        });
        let (expired_and_returned, versions_watched, watch_resets) =
            (journal.expired_holds(), journal.steps(), journal.resets());
        let (stock, watched) = journal.into_findings();
        problems.append(watched);
        Self {
            setup: Setup::new(options, plan, sales),
            sold_units: findings.sold.iter().sum(),
            oversold_units: findings.oversold_units,
            outcomes,
            expired_and_returned,
            came_back,
            calls_retried,
            view: view.summary(lasted.shoppers),
            hold: hold.summary(lasted.shoppers),
            order: order.summary(lasted.shoppers),
            lasted_ms: lasted.shoppers.as_millis(),
            settled_ms: lasted.settling.as_millis(),
            versions_watched,
            watch_resets,
            items: items.collect(),
            failures,
            problems,
            machine: Machine::look(),
            curves: Curves {
                stock,
                hold: hold.curve(),
                order: order.curve(),
                hold_cdf: cdf(&hold),
                order_cdf: cdf(&order),
                arrivals,
                sales: order.granted().to_vec(),
            },
        }
    }

    /// Whether nothing was oversold, every tally agrees and the audit, where it was run, found nothing.
    pub(crate) fn is_clean(&self, audit: AuditVerdict) -> bool {
        self.oversold_units == 0
            && self.problems.is_empty()
            && match audit {
                AuditVerdict::Ok | AuditVerdict::NotRun => true,
                AuditVerdict::Breached(_) => false,
            }
    }

    /// The line a drop ends with.
    pub(crate) fn verdict(&self, audit: AuditVerdict) -> String {
        let Self { setup, sold_units, oversold_units, .. } = self;
        let Setup { units, shoppers, .. } = setup;
        format!("drop: {sold_units} of {units} units sold to {shoppers} shoppers, {oversold_units} oversold, {audit}")
    }
}

impl Setup {
    fn new(options: &Options, plan: &Plan, sales: Option<&Sales>) -> Self {
        let times = options.times;
        Self {
            sku: options.sku.to_string(),
            via: options.via,
            url: options.url.clone(),
            seed: options.seed,
            units: plan.units(),
            shoppers: plan.shoppers.len(),
            concurrency: options.concurrency,
            window_ms: options.window.as_millis(),
            rush: options.rush,
            shares: options.shares,
            think_ms: times.think.as_millis(),
            hold_ttl_ms: times.hold_ttl.as_millis(),
            abandon_ttl_ms: times.abandon_ttl.as_millis(),
            patience_ms: times.patience.as_millis(),
            replay: options.replay.as_ref().zip(sales).map(|(source, sales)| Replayed {
                file: file_name(&source.file),
                days: sales.days.iter().map(ToString::to_string).collect(),
                sales: sales.total(),
                rows_rejected: sales.rows_rejected,
                made_up: MADE_UP,
            }),
        }
    }
}

/// A report may be passed on: it names the file, not the folder it lay in.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn count(buckets: &mut Vec<u64>, at: Duration) {
    let bucket = usize::try_from(at.as_millis() / BUCKET.as_millis()).unwrap_or(usize::MAX);
    // An arrival is at most as late as the window is long; a drop that hangs must not take the memory with it.
    if bucket < 1 << 16 {
        buckets.resize(buckets.len().max(bucket + 1), 0);
        buckets[bucket] += 1;
    }
}

/// Shares that show the body and, ever finer, the tail.
fn cdf(pace: &Pace) -> Vec<(f64, f64)> {
    let body = (1..98).map(|percent| f64::from(percent) / 100.0);
    let tail = [0.98, 0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 1.0];
    body.chain(tail).map(|share| (share, pace.quantile_ms(share))).filter(|(_, ms)| *ms > 0.0).collect()
}
