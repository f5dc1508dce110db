//! One shopper: looks, holds, then buys, walks away or fails to pay; comes back while units may come back.

use std::sync::Arc;
use std::time::Duration;

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::{CustomerId, RequestId};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep, timeout};

use super::crowd::{Floor, Shelf};
use super::patience::{REPEAT_MAX, jittered, until_answered};
use super::plan::{Intent, Shopper, exponential};
use super::problem::{Problem, Problems};
use super::shop::{CallError, Hold, HoldState, Level, Sale};
use super::tally::{Call, HoldGiven, Outcome, Told, Verb, Visit};

/// How many units each shopper wants: drops sell one a head.
pub(crate) const UNITS: i32 = 1;
/// The wait before coming back after a refusal, growing to the longest.
const COME_BACK_FIRST: Duration = Duration::from_millis(200);
const COME_BACK_MAX: Duration = Duration::from_secs(2);

/// How one try in the shop ended.
enum Try {
    Leaves(Outcome),
    /// Refused, but somebody's hold may end.
    MayComeBack,
}

/// Plays one shopper from arrival to the end.
pub(crate) async fn visit(floor: Arc<Floor>, number: usize, shopper: Shopper) -> Visit {
    let visit = Visit {
        item: shopper.item,
        arrived: floor.opened.elapsed(),
        outcome: Outcome::SoldOut,
        calls: Vec::new(),
        retries: 0,
        came_back: 0,
        holds: Vec::new(),
        orders: Vec::new(),
        problems: Problems::default(),
    };
    let customer = format!("{}-{number}", floor.run).parse().expect("a run's name is short and plain");
    let rng = StdRng::seed_from_u64(shopper.seed);
    let mut client = Client { floor: &floor, shelf: &floor.shelves[shopper.item], shopper, customer, rng, visit };
    client.visit.outcome = client.shop_around().await;
    client.visit
}

struct Client<'a> {
    floor: &'a Floor,
    shelf: &'a Shelf,
    shopper: Shopper,
    customer: CustomerId,
    rng: StdRng,
    visit: Visit,
}

impl Client<'_> {
    async fn shop_around(&mut self) -> Outcome {
        let patience_ends = Instant::now() + self.floor.times.patience;
        let mut sold_out = self.shelf.sold_out.subscribe();
        let mut wait = COME_BACK_FIRST;
        loop {
            // Whoever knows it is over tries once more all the same: the shop has to refuse them.
            let last_try = *sold_out.borrow() || Instant::now() >= patience_ends;
            let tried = {
                let _inside = self.floor.doors.acquire().await.expect("the doors are never closed on shoppers");
                self.try_once().await
            };
            match tried {
                Try::Leaves(outcome) => return outcome,
                Try::MayComeBack if last_try => return Outcome::SoldOut,
                Try::MayComeBack => {}
            }
            let pause = jittered(&mut self.rng, wait);
            // Ends early when the last unit is sold, as a page that watches the stock would say.
            let _ = timeout(pause, sold_out.wait_for(|gone| *gone)).await;
            wait = (wait * 2).min(COME_BACK_MAX);
            self.visit.came_back += 1;
        }
    }

    async fn try_once(&mut self) -> Try {
        let seen = match self.view().await {
            Ok(level) => level,
            Err(error) => return Try::Leaves(Outcome::Failed(error.to_string())),
        };
        let hold = match self.hold().await {
            Ok(Some(hold)) => hold,
            Ok(None) => return Try::MayComeBack,
            // With nothing available and nothing held, all is committed: nothing can come back, however old the view.
            Err(error) if error.reason() == Some(Reason::InsufficientStock) => {
                let for_good = seen.available <= 0 && seen.held == 0;
                return if for_good { Try::Leaves(Outcome::SoldOut) } else { Try::MayComeBack };
            }
            Err(error) => return Try::Leaves(Outcome::Failed(error.to_string())),
        };
        let token = match self.shopper.intent {
            Intent::Abandon => return Try::Leaves(Outcome::Abandoned),
            Intent::Buy => "tok_ok",
            Intent::Decline => "tok_declined",
            Intent::Timeout => "tok_timeout",
        };
        let think = self.floor.times.think;
        if !think.is_zero() {
            sleep(think.mul_f64(exponential(&mut self.rng).min(5.0))).await;
        }
        self.buy(hold, token).await
    }

    async fn view(&mut self) -> Result<Level, CallError> {
        let (shop, sku, asked) = (&self.floor.shop, &self.shelf.sku, Instant::now());
        let seen = until_answered(&mut self.rng, REPEAT_MAX, &mut self.visit.retries, || shop.view(sku)).await;
        self.record(Verb::View, asked, seen.is_ok());
        if let Ok(level) = &seen {
            let units = level.oversold_units();
            if units > 0 {
                let problem = Problem::Oversold { sku: sku.clone(), version: level.version, units };
                self.visit.problems.push(problem);
            }
        }
        seen
    }

    /// A hold; none where it ran out before its answer came.
    async fn hold(&mut self) -> Result<Option<RequestId>, CallError> {
        let id = RequestId::now_v7();
        let (shop, sku, customer) = (&self.floor.shop, &self.shelf.sku, &self.customer);
        let abandoned = self.shopper.intent == Intent::Abandon;
        let ttl = if abandoned { self.floor.times.abandon_ttl } else { self.floor.times.hold_ttl };
        let asked = Instant::now();
        let call = || shop.hold(id, customer, sku, UNITS, ttl);
        let answer = until_answered(&mut self.rng, REPEAT_MAX, &mut self.visit.retries, call).await;
        self.record(Verb::Hold, asked, answer.is_ok());
        let hold = answer.inspect_err(|error| {
            if error.is_transient() {
                // It may stand all the same: then it has to run out.
                self.visit.holds.push(HoldGiven { id, expires_ns: 0, abandoned: false });
            }
        })?;
        let expires_ns = hold.expires_ns;
        self.visit.holds.push(HoldGiven { id, expires_ns, abandoned });
        if hold == (Hold { id: id.to_string(), state: HoldState::Held, units: i64::from(UNITS), expires_ns }) {
            return Ok(Some(id));
        }
        if hold.state != HoldState::Expired {
            self.wrong("Reserve", &hold);
        }
        Ok(None)
    }

    async fn buy(&mut self, hold: RequestId, token: &str) -> Try {
        let id = RequestId::now_v7();
        let (shop, customer, asked) = (&self.floor.shop, &self.customer, Instant::now());
        let call = || shop.buy(id, customer, hold, token);
        let answer = until_answered(&mut self.rng, REPEAT_MAX, &mut self.visit.retries, call).await;
        self.record(Verb::Order, asked, answer.as_ref().is_ok_and(Sale::is_placed));
        let told = match &answer {
            Ok(sale) if sale.is_placed() => Told::Placed,
            Err(error) if error.is_transient() => Told::Nothing,
            Ok(_) | Err(_) => Told::Refused,
        };
        self.visit.orders.push((id, told));
        let (reason, message) = match answer {
            Ok(sale) if sale.is_placed() => return self.bought(id, hold, &sale),
            Ok(sale) => (sale.undone, format!("the order is {}", sale.state.as_str_name())),
            Err(error) => (error.reason(), error.to_string()),
        };
        match (reason, self.shopper.intent) {
            (Some(Reason::PaymentDeclined), Intent::Decline) => Try::Leaves(Outcome::Declined),
            (Some(Reason::PaymentTimeout), Intent::Timeout) => Try::Leaves(Outcome::TimedOut),
            // Too slow to the till: back to the shelf.
            (Some(Reason::ReservationExpired), _) => Try::MayComeBack,
            _ => Try::Leaves(Outcome::Failed(message)),
        }
    }

    fn bought(&mut self, id: RequestId, hold: RequestId, sale: &Sale) -> Try {
        let as_asked = sale.id == id.to_string()
            && sale.units == i64::from(UNITS)
            && (sale.reservation.is_empty() || sale.reservation == hold.to_string());
        if !as_asked || self.shopper.intent != Intent::Buy {
            self.wrong("PlaceOrder", sale);
        }
        self.shelf.sell(UNITS.unsigned_abs().into());
        Try::Leaves(Outcome::Sold)
    }

    fn wrong(&mut self, what: &'static str, answer: &dyn std::fmt::Debug) {
        self.visit.problems.push(Problem::WrongAnswer { what, answer: format!("{answer:?}") });
    }

    fn record(&mut self, verb: Verb, asked: Instant, granted: bool) {
        let (at, took) = (self.floor.opened.elapsed(), asked.elapsed());
        self.visit.calls.push(Call { verb, at, took, granted });
    }
}
