//! After the last shopper: does the shop tell the same story as its shoppers?

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::{RequestId, Sku};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep};

use super::journal::Journal;
use super::patience::{REPEAT_MAX, until_answered};
use super::plan::Item;
use super::problem::{Problem, Problems};
use super::shop::{CallError, HoldState, Level, Sale, Shop};
use super::shopper::UNITS;
use super::tally::{Told, Visit};

/// How much later than its end a hold may be swept.
const SWEEP_MAX: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many questions are asked at a time.
const ASKED_MAX: usize = 64;

/// What the shop says of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    Order { state: &'static str, placed: bool },
    Hold { state: HoldState },
    Missing,
    Unknown(String),
}

/// What the shop says when everything is over.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) before: Vec<Level>,
    pub(crate) after: Vec<Level>,
    pub(crate) orders: HashMap<RequestId, Fact>,
    pub(crate) holds: HashMap<RequestId, Fact>,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Units sold, by item: those shoppers know of and those whose answer was lost.
    pub(crate) sold: Vec<u64>,
    /// Units sold or promised beyond what was there.
    pub(crate) oversold_units: u64,
    pub(crate) problems: Problems,
}

/// Waits until no hold of the drop is left, and reads the stock.
pub(crate) async fn settle(
    shop: &Shop,
    skus: &[Sku],
    before: &[Level],
    holds_last: Duration,
) -> Result<Vec<Level>, CallError> {
    let give_up = Instant::now() + holds_last + SWEEP_MAX;
    let mut rng = StdRng::seed_from_u64(0);
    loop {
        let after = until_answered(&mut rng, REPEAT_MAX, &mut 0, || shop.stock(skus)).await?;
        let settled = after.iter().zip(before).all(|(after, before)| after.held <= before.held);
        if settled || Instant::now() >= give_up {
            return Ok(after);
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Asks for every order, and for every hold that was left to run out.
pub(crate) async fn gather(shop: &Shop, visits: &[Visit], before: Vec<Level>, after: Vec<Level>) -> Facts {
    let orders = visits.iter().flat_map(|visit| &visit.orders).map(|&(id, _)| id);
    let holds = visits.iter().flat_map(|visit| &visit.holds).filter(|hold| hold.abandoned).map(|hold| hold.id);
    let orders = stream::iter(orders).map(|id| async move { (id, find_order(shop, id).await) });
    let holds = stream::iter(holds).map(|id| async move { (id, find_hold(shop, id).await) });
    Facts {
        orders: orders.buffer_unordered(ASKED_MAX).collect().await,
        holds: holds.buffer_unordered(ASKED_MAX).collect().await,
        before,
        after,
    }
}

async fn find_order(shop: &Shop, id: RequestId) -> Fact {
    let mut rng = StdRng::seed_from_u64(0);
    match until_answered(&mut rng, REPEAT_MAX, &mut 0, || shop.find_sale(id)).await {
        Ok(sale) => Fact::Order { state: sale.state.as_str_name(), placed: Sale::is_placed(&sale) },
        Err(error) => missing_or_unknown(&error, Reason::OrderNotFound),
    }
}

async fn find_hold(shop: &Shop, id: RequestId) -> Fact {
    let mut rng = StdRng::seed_from_u64(0);
    match until_answered(&mut rng, REPEAT_MAX, &mut 0, || shop.find_hold(id)).await {
        Ok(hold) => Fact::Hold { state: hold.state },
        Err(error) => missing_or_unknown(&error, Reason::ReservationNotFound),
    }
}

fn missing_or_unknown(error: &CallError, missing: Reason) -> Fact {
    if error.reason() == Some(missing) { Fact::Missing } else { Fact::Unknown(error.to_string()) }
}

/// Compares what shoppers, watch and shop say.
pub(crate) fn reconcile(items: &[Item], visits: &[Visit], facts: &Facts, journal: &Journal) -> Findings {
    let mut problems = Problems::default();
    let mut sold = vec![0u64; items.len()];
    for visit in visits {
        for &(id, told) in &visit.orders {
            let placed = check_order(id, told, facts.orders.get(&id), &mut problems);
            sold[visit.item] += if placed { UNITS.unsigned_abs().into() } else { 0 };
        }
        for hold in &visit.holds {
            let id = hold.id.to_string();
            if let Some(expired_ns) = journal.expired_ns(&id)
                && expired_ns < hold.expires_ns
            {
                let early_ms = i64::try_from((hold.expires_ns - expired_ns) / 1_000_000).unwrap_or(i64::MAX);
                problems.push(Problem::ExpiredEarly { id, early_ms });
            }
            if hold.abandoned {
                check_abandoned(hold.id, facts.holds.get(&hold.id), &mut problems);
            }
        }
    }
    let mut oversold_units = u64::try_from(journal.oversold_units_max()).unwrap_or_default();
    let mut sold_beyond = 0;
    for (place, item) in items.iter().enumerate() {
        let (before, after, sku) = (facts.before[place], facts.after[place], &item.sku);
        let acknowledged = sold[place];
        let committed = after.committed - before.committed;
        if i64::try_from(acknowledged) != Ok(committed) {
            problems.push(Problem::SalesDisagree { sku: sku.clone(), acknowledged, committed });
        }
        let confirmed = journal.confirmed_units(place);
        if journal.is_whole() && i64::try_from(acknowledged) != Ok(confirmed) {
            problems.push(Problem::WatchDisagrees { sku: sku.clone(), acknowledged, confirmed });
        }
        // Units that others held when it began may have come back during the drop.
        let for_sale = item.units + u64::try_from(before.held).unwrap_or_default();
        if acknowledged > for_sale {
            problems.push(Problem::SoldTooMany { sku: sku.clone(), sold: acknowledged, for_sale });
            sold_beyond += acknowledged - for_sale;
        }
        if after.oversold_units() > 0 {
            let (version, units) = (after.version, after.oversold_units());
            problems.push(Problem::Oversold { sku: sku.clone(), version, units });
            oversold_units = oversold_units.max(units.unsigned_abs());
        }
        if after.held > before.held {
            problems.push(Problem::StillHeld { sku: sku.clone(), held: after.held - before.held });
        }
    }
    Findings { sold, oversold_units: oversold_units.max(sold_beyond), problems }
}

/// Whether the order counts as sold: the shopper was told so, or it stands although its answer was lost.
fn check_order(id: RequestId, told: Told, fact: Option<&Fact>, problems: &mut Problems) -> bool {
    let (state, placed) = match fact {
        Some(Fact::Order { state, placed }) => (*state, *placed),
        Some(Fact::Missing | Fact::Hold { .. }) => ("missing", false),
        Some(Fact::Unknown(error)) => {
            problems.push(Problem::Unverified { what: format!("order {id}"), error: error.clone() });
            return told == Told::Placed;
        }
        None => {
            problems.push(Problem::Unverified { what: format!("order {id}"), error: "nobody asked".to_owned() });
            return told == Told::Placed;
        }
    };
    match told {
        Told::Placed => {
            if !placed {
                problems.push(Problem::SaleLost { id, state });
            }
            true
        }
        Told::Refused => {
            if placed {
                problems.push(Problem::RefusedYetPlaced { id, state });
            }
            placed
        }
        Told::Nothing => placed,
    }
}

fn check_abandoned(id: RequestId, fact: Option<&Fact>, problems: &mut Problems) {
    let state = match fact {
        Some(Fact::Hold { state: HoldState::Expired }) => return,
        Some(Fact::Hold { state }) => state.as_str_name(),
        Some(Fact::Unknown(error)) => {
            return problems.push(Problem::Unverified { what: format!("reservation {id}"), error: error.clone() });
        }
        Some(Fact::Missing | Fact::Order { .. }) | None => "missing",
    };
    problems.push(Problem::NotExpired { id, state });
}

#[cfg(test)]
mod tests;
