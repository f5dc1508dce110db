//! Who comes when, for what, and how it will end for them: drawn from a seed, before the doors open.

use std::time::Duration;

use anyhow::Context as _;
use holdfast_contracts::Sku;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use super::options::{Options, Shares};
use super::replay::{Sales, apportion};

/// What is for sale and for how many, where neither the command line nor a file says.
const UNITS_DEFAULT: u64 = 500;
const SHOPPERS_DEFAULT: usize = 2000;
/// How many shoppers come for each unit of a replayed file: it has the sales, not the tries.
const SHOPPERS_PER_UNIT: u64 = 4;
/// The rush fades with this share of the window as its time constant.
const RUSH_FADES: f64 = 1.0 / 20.0;

/// One SKU for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) sku: Sku,
    pub(crate) size: Option<String>,
    pub(crate) units: u64,
    pub(crate) shoppers: usize,
}

/// What a shopper will do once they hold a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Intent {
    Buy,
    /// Walks away; the hold expires.
    Abandon,
    /// Pays with a card that is declined.
    Decline,
    /// Pays through a provider that does not answer.
    Timeout,
}

/// One shopper to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shopper {
    /// Where in [`Plan::items`] is what they want.
    pub(crate) item: usize,
    pub(crate) arrives: Duration,
    pub(crate) intent: Intent,
    /// What their waits are drawn from.
    pub(crate) seed: u64,
}

/// A drop, ready to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) items: Vec<Item>,
    /// In order of arrival.
    pub(crate) shoppers: Vec<Shopper>,
}

impl Plan {
    pub(crate) fn draw(options: &Options, sales: Option<&Sales>) -> anyhow::Result<Self> {
        let items = items(options, sales)?;
        let mut rng = StdRng::seed_from_u64(options.seed);
        let mut shoppers: Vec<Shopper> = items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| std::iter::repeat_n(index, item.shoppers))
            .map(|item| Shopper {
                item,
                arrives: options.window.mul_f64(arrival(&mut rng, options.rush)),
                intent: intent(rng.random(), options.shares),
                seed: rng.random(),
            })
            .collect();
        shoppers.sort_by_key(|shopper| shopper.arrives);
        Ok(Self { items, shoppers })
    }

    pub(crate) fn units(&self) -> u64 {
        self.items.iter().map(|item| item.units).sum()
    }

    pub(crate) fn skus(&self) -> Vec<Sku> {
        self.items.iter().map(|item| item.sku.clone()).collect()
    }
}

fn items(options: &Options, sales: Option<&Sales>) -> anyhow::Result<Vec<Item>> {
    let Some(sales) = sales else {
        return Ok(vec![Item {
            sku: options.sku.clone(),
            size: None,
            units: options.units.unwrap_or(UNITS_DEFAULT),
            shoppers: options.shoppers.unwrap_or(SHOPPERS_DEFAULT),
        }]);
    };
    let units = options.units.unwrap_or(sales.total());
    let shoppers = options.shoppers.map_or(units * SHOPPERS_PER_UNIT, |shoppers| shoppers as u64);
    let weights: Vec<u64> = sales.by_size.iter().map(|(_, sales)| *sales).collect();
    let shares = apportion(units, &weights).into_iter().zip(apportion(shoppers, &weights));
    sales
        .by_size
        .iter()
        .zip(shares)
        .map(|((size, _), (units, shoppers))| {
            let sku = format!("{}-{size}", options.sku);
            Ok(Item {
                sku: sku.parse().with_context(|| format!("size {size:?} makes no SKU"))?,
                size: Some(size.clone()),
                units,
                shoppers: usize::try_from(shoppers)?,
            })
        })
        .collect()
}

/// When someone arrives, as a share of the window: one of the rush, which begins at once and fades exponentially, or of
/// those who drop in evenly. Given their number, independent draws are an inhomogeneous Poisson process.
fn arrival(rng: &mut StdRng, rush: f64) -> f64 {
    if rng.random::<f64>() < rush { (exponential(rng) * RUSH_FADES).min(1.0) } else { rng.random() }
}

/// A draw of mean 1.
pub(crate) fn exponential(rng: &mut StdRng) -> f64 {
    // random() may be 0 but never 1, so the logarithm is finite.
    -(1.0 - rng.random::<f64>()).ln()
}

fn intent(draw: f64, shares: Shares) -> Intent {
    if draw < shares.abandon {
        Intent::Abandon
    } else if draw < shares.abandon + shares.decline {
        Intent::Decline
    } else if draw < shares.abandon + shares.decline + shares.timeout {
        Intent::Timeout
    } else {
        Intent::Buy
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::command::drop::options::Times;
    use crate::command::drop::shop::Via;

    pub(crate) fn options() -> Options {
        Options {
            sku: "S".parse().expect("a SKU"),
            units: None,
            shoppers: None,
            concurrency: 8,
            via: Via::Grpc,
            url: String::new(),
            seed: 7,
            window: Duration::from_secs(10),
            rush: 0.6,
            shares: Shares { abandon: 0.08, decline: 0.05, timeout: 0.02 },
            times: Times {
                think: Duration::ZERO,
                hold_ttl: Duration::from_secs(30),
                abandon_ttl: Duration::from_secs(1),
                patience: Duration::from_secs(20),
            },
            replay: None,
            database_url: None,
            report: "drop-report.html".into(),
        }
    }

    #[test]
    fn the_same_seed_plays_the_same_drop() {
        let plan = Plan::draw(&options(), None).expect("a plan");
        assert_eq!(plan, Plan::draw(&options(), None).expect("a plan"));
        assert_ne!(plan, Plan::draw(&Options { seed: 8, ..options() }, None).expect("a plan"));
        assert_eq!((plan.units(), plan.shoppers.len()), (500, 2000));
    }

    #[test]
    fn the_rush_comes_first_and_everyone_within_the_window() {
        let plan = Plan::draw(&options(), None).expect("a plan");
        assert!(plan.shoppers.is_sorted_by_key(|shopper| shopper.arrives));
        assert!(plan.shoppers.iter().all(|shopper| shopper.arrives <= Duration::from_secs(10)));
        // 60 % in the rush, of whom 1 - 1/e come within its time constant of 0.5 s, and 5 % of the others.
        let at_once = plan.shoppers.iter().filter(|shopper| shopper.arrives <= Duration::from_millis(500)).count();
        assert!((700..=900).contains(&at_once), "{at_once} of 2000 in the first half second");
    }

    #[test]
    fn intents_come_in_their_shares() {
        let plan = Plan::draw(&Options { shoppers: Some(100_000), ..options() }, None).expect("a plan");
        for (intent, share) in
            [(Intent::Abandon, 0.08), (Intent::Decline, 0.05), (Intent::Timeout, 0.02), (Intent::Buy, 0.85)]
        {
            let count = plan.shoppers.iter().filter(|shopper| shopper.intent == intent).count();
            let drawn = count as f64 / 100_000.0;
            assert!((drawn - share).abs() < 0.005, "{intent:?}: {drawn}");
        }
    }

    #[test]
    fn a_replay_sells_each_size_in_proportion() {
        let sales = Sales::read("date,size\n2018-11-16,9\n2018-11-16,9\n2018-11-16,10.5\n".as_bytes(), &[]);
        let sales = sales.expect("a sales file");
        let check = |units, shoppers, expect: [(&str, u64, usize); 2]| {
            let plan = Plan::draw(&Options { units, shoppers, ..options() }, Some(&sales)).expect("a plan");
            let items: Vec<_> = plan.items.iter().map(|i| (i.sku.as_str(), i.units, i.shoppers)).collect();
            assert_eq!(items, expect);
        };
        check(None, None, [("S-9", 2, 8), ("S-10.5", 1, 4)]);
        check(Some(30), Some(60), [("S-9", 20, 40), ("S-10.5", 10, 20)]);
    }
}
