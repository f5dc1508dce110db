//! What a drop is asked to be: the command line, parsed once.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use holdfast_contracts::Sku;
use jiff::civil::Date;
use serde::Serialize;

use super::shop::Via;

/// The most shoppers a drop plays; each takes about a kilobyte while it runs.
const SHOPPERS_MAX: usize = 1_000_000;
/// The most shoppers in the shop at a time.
const CONCURRENCY_MAX: usize = 10_000;
/// What one reservation may hold, and so the largest stock asked for.
const UNITS_MAX: u64 = 1_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is sold; made where it does not exist. Its stock at `main` is counted to --units available first, whatever
    /// it was: use a SKU of its own. With --replay, each size is sold as <SKU>-<size>.
    #[arg(long)]
    sku: Sku,
    /// Units for sale [default: 500; with --replay, one a sale in the file]
    #[arg(long)]
    units: Option<u64>,
    /// Shoppers who come [default: 2000; with --replay, four a unit]
    #[arg(long)]
    shoppers: Option<usize>,
    /// How many of them are in the shop at a time.
    #[arg(long, default_value_t = 256)]
    concurrency: usize,
    /// Which door they use.
    #[arg(long, value_enum, default_value_t = Via::Grpc)]
    via: Via,
    /// Where the gRPC door is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    grpc: String,
    /// Where the HTTP door is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    http: String,
    /// Makes arrivals, intents and waits the same again [default: random, and printed]
    #[arg(long)]
    seed: Option<u64>,
    /// The time in which the shoppers arrive.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_duration)]
    window: Duration,
    /// The share of shoppers who are there the moment the doors open.
    #[arg(long, value_name = "SHARE", default_value_t = 0.6)]
    rush: f64,
    /// The share of shoppers who hold a unit and walk away.
    #[arg(long, value_name = "SHARE", default_value_t = 0.08)]
    abandon: f64,
    /// The share of shoppers whose payment is declined.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    decline: f64,
    /// The share of shoppers whose payment provider does not answer.
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    timeout: f64,
    /// How long a shopper takes from hold to order, on average.
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = parse_duration)]
    think: Duration,
    /// How long a hold lasts.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    hold_ttl: Duration,
    /// How long the hold of a shopper who walks away lasts.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_duration)]
    abandon_ttl: Duration,
    /// How long a shopper keeps coming back while others' holds may still end.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    patience: Duration,
    /// Takes sizes and demand from a sales CSV with a date and a size column.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Replays only this day's sales, such as 2018-11-16; may be repeated [default: all days]
    #[arg(long, value_name = "DATE", requires = "replay")]
    day: Vec<Date>,
    /// The shop's PostgreSQL database: audited once the drop is over.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Where the HTML report is written.
    #[arg(long, value_name = "FILE", default_value = "drop-report.html")]
    report: PathBuf,
}

/// What share of shoppers does what; the rest buys.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Shares {
    pub(crate) abandon: f64,
    pub(crate) decline: f64,
    pub(crate) timeout: f64,
}

/// How long shoppers take over things.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    pub(crate) think: Duration,
    pub(crate) hold_ttl: Duration,
    pub(crate) abandon_ttl: Duration,
    pub(crate) patience: Duration,
}

/// The sales to take sizes and demand from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplaySource {
    pub(crate) file: PathBuf,
    /// All, where empty.
    pub(crate) days: Vec<Date>,
}

/// A drop's parameters, all within their bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(crate) sku: Sku,
    pub(crate) units: Option<u64>,
    pub(crate) shoppers: Option<usize>,
    pub(crate) concurrency: usize,
    pub(crate) via: Via,
    pub(crate) url: String,
    pub(crate) seed: u64,
    pub(crate) window: Duration,
    pub(crate) rush: f64,
    pub(crate) shares: Shares,
    pub(crate) times: Times,
    pub(crate) replay: Option<ReplaySource>,
    pub(crate) database_url: Option<String>,
    pub(crate) report: PathBuf,
}

impl TryFrom<Args> for Options {
    type Error = anyhow::Error;

    fn try_from(args: Args) -> anyhow::Result<Self> {
        for (name, share) in [
            ("--rush", args.rush),
            ("--abandon", args.abandon),
            ("--decline", args.decline),
            ("--timeout", args.timeout),
        ] {
            ensure!((0.0..=1.0).contains(&share), "{name} is {share}: a share is between 0 and 1");
        }
        let lost = args.abandon + args.decline + args.timeout;
        ensure!(lost <= 1.0, "--abandon, --decline and --timeout add up to {lost}: at most 1 is possible");
        ensure!(
            (1..=CONCURRENCY_MAX).contains(&args.concurrency),
            "--concurrency is {}: 1 to {CONCURRENCY_MAX} are possible",
            args.concurrency
        );
        if let Some(units) = args.units {
            ensure!((1..=UNITS_MAX).contains(&units), "--units is {units}: 1 to {UNITS_MAX} are possible");
        }
        if let Some(shoppers) = args.shoppers {
            ensure!(
                (1..=SHOPPERS_MAX).contains(&shoppers),
                "--shoppers is {shoppers}: 1 to {SHOPPERS_MAX} are possible"
            );
        }
        let day = Duration::from_secs(24 * 60 * 60);
        for (name, ttl) in [("--hold-ttl", args.hold_ttl), ("--abandon-ttl", args.abandon_ttl)] {
            ensure!((Duration::from_secs(1)..=day).contains(&ttl), "{name} is {ttl:?}: a hold lasts 1 s to 24 h");
        }
        Ok(Self {
            url: match args.via {
                Via::Grpc => args.grpc,
                Via::Rest => args.http,
            },
            sku: args.sku,
            units: args.units,
            shoppers: args.shoppers,
            concurrency: args.concurrency,
            via: args.via,
            // JSON numbers are exact to 53 bits: a random seed must survive being copied from a report.
            seed: args.seed.unwrap_or_else(|| rand::random::<u64>() >> 32),
            window: args.window,
            rush: args.rush,
            shares: Shares { abandon: args.abandon, decline: args.decline, timeout: args.timeout },
            times: Times {
                think: args.think,
                hold_ttl: args.hold_ttl,
                abandon_ttl: args.abandon_ttl,
                patience: args.patience,
            },
            replay: args.replay.map(|file| ReplaySource { file, days: args.day }),
            database_url: args.database_url,
            report: args.report,
        })
    }
}

/// `2s`, `300ms`, `1m 30s`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration =
        text.parse().map_err(|_| "is not a time span such as 300ms, 2s or 1m".to_owned())?;
    Duration::try_from(signed).map_err(|_| "must not be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Options, String> {
        let words = std::iter::once("drop").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Options::try_from(line.args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_sku_is_all_a_drop_needs() {
        let options = parse("--sku S").expect("defaults are within bounds");
        assert_eq!(options.url, "http://127.0.0.1:50051");
        assert_eq!(options.times.abandon_ttl, Duration::from_secs(2));
        assert_eq!(parse("--sku S --via rest").expect("a door").url, "http://127.0.0.1:8080");
    }

    #[test]
    fn what_cannot_be_played_is_said_at_once() {
        for (line, problem) in [
            ("--sku S --units 0", "--units is 0"),
            ("--sku S --shoppers 0", "--shoppers is 0"),
            ("--sku S --concurrency 0", "--concurrency is 0"),
            ("--sku S --abandon 1.5", "--abandon is 1.5"),
            ("--sku S --abandon 0.9 --decline 0.9", "add up to 1.8"),
            ("--sku S --hold-ttl 300ms", "--hold-ttl is 300ms"),
            ("--sku S --think -1s", "unexpected argument"),
            ("--sku S --think=-1s", "must not be negative"),
            ("--sku S --think soon", "is not a time span"),
            ("--sku S --day 2018-11-16", "--replay"),
        ] {
            let told = parse(line).expect_err(line);
            assert!(told.contains(problem), "{line}: {told}");
        }
    }
}
