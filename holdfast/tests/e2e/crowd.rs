//! Shoppers who hold and buy without a pause, through every outage: whoever gets no answer asks again, with the same
//! id, as the contract says. What they are told is written down, to be held against the shop.

use std::future::Future;
use std::time::{Duration, Instant};

use holdfast_contracts::inventory::v1 as inventory;
use holdfast_contracts::order::v1 as order;
use holdfast_platform::pg;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::ask::{buy, buy_held, reason, reserve};
use crate::shop::Doors;
use crate::wait::{LOOK_EVERY, PATIENCE, soon, until};

/// What the crowd's shop sells: plenty of most, and too little of one.
pub(crate) const STOCK: [(&str, i64); 5] =
    [("HOT", 1_000_000), ("A", 1_000_000), ("B", 1_000_000), ("C", 1_000_000), ("SCARCE", 50)];
pub(crate) const SHOPPERS: usize = 64;
/// How long a shopper waits for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// What a crowd comes for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Errands {
    /// Holds alone: nobody else's commit makes theirs durable.
    Holding,
    /// Holds of one line and of three, purchases of what is held and of what is not.
    Everything,
}

pub(crate) struct Crowd {
    doors: watch::Sender<Doors>,
    answers: watch::Receiver<usize>,
    home_time: CancellationToken,
    shoppers: JoinSet<Journal>,
}

/// What shoppers were told.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    holds: Vec<inventory::Reservation>,
    orders: Vec<String>,
    refusals: usize,
    /// Holds that were asked for again before they were answered.
    asked_again: Vec<(inventory::ReserveRequest, inventory::Reservation)>,
}

impl Crowd {
    pub(crate) fn enter(doors: Doors, errands: Errands) -> Self {
        let (doors, entrance) = watch::channel(doors);
        let (told, answers) = watch::channel(0);
        let home_time = CancellationToken::new();
        let shoppers = (0..SHOPPERS)
            .map(|number| {
                let shopper =
                    Shopper { number, doors: entrance.clone(), told: told.clone(), journal: Journal::default() };
                shopper.shop(errands, home_time.clone())
            })
            .collect();
        Self { doors, answers, home_time, shoppers }
    }

    /// Where the shop is from now on.
    pub(crate) fn go_to(&self, doors: Doors) {
        self.doors.send_replace(doors);
    }

    /// Waits for so many further answers from the shop.
    pub(crate) async fn is_served(&mut self, answers: usize) {
        let enough = *self.answers.borrow() + answers;
        let served = self.answers.wait_for(|told| *told >= enough);
        drop(soon("the crowd is served", served).await.expect("shoppers are there"));
    }

    /// Lets everybody finish what they asked for and leave.
    pub(crate) async fn go_home(self) -> Journal {
        self.home_time.cancel();
        let journals = soon("everybody is answered", self.shoppers.join_all()).await;
        journals.into_iter().fold(Journal::default(), |mut all, journal| {
            all.holds.extend(journal.holds);
            all.orders.extend(journal.orders);
            all.asked_again.extend(journal.asked_again);
            all.refusals += journal.refusals;
            all
        })
    }
}

struct Shopper {
    number: usize,
    doors: watch::Receiver<Doors>,
    told: watch::Sender<usize>,
    journal: Journal,
}

impl Shopper {
    async fn shop(mut self, errands: Errands, home_time: CancellationToken) -> Journal {
        for errand in self.number.. {
            if home_time.is_cancelled() {
                break;
            }
            let kinds = match errands {
                Errands::Holding => 4,
                Errands::Everything => 6,
            };
            match errand % kinds {
                0 | 1 => drop(self.hold(&[("HOT", 1)]).await),
                2 => drop(self.hold(&[("SCARCE", 1)]).await),
                // Everybody takes the same three, in another order.
                3 => {
                    let mut lines = [("A", 1), ("B", 2), ("C", 3)];
                    lines.rotate_left(self.number % 3);
                    drop(self.hold(&lines).await);
                }
                4 => {
                    if let Some(id) = self.hold(&[("HOT", 2)]).await {
                        self.buy(buy_held(&id, "tok_ok")).await;
                    }
                }
                _ => self.buy(buy("A", 1, if errand % 5 == 0 { "tok_declined" } else { "tok_ok" })).await,
            }
        }
        self.journal
    }

    async fn hold(&mut self, lines: &[(&str, i32)]) -> Option<String> {
        let request = reserve(lines);
        let asked = request.clone();
        let (answer, tries) = self.insist(async |doors| doors.inventory().reserve(timed(asked.clone())).await).await;
        match answer {
            Ok(held) => {
                let id = held.id.clone();
                if tries > 1 {
                    self.journal.asked_again.push((request, held.clone()));
                }
                self.journal.holds.push(held);
                Some(id)
            }
            Err(refused) => {
                assert_eq!(reason(&refused), "INSUFFICIENT_STOCK", "{refused:?}");
                assert_eq!(lines[0].0, "SCARCE", "{refused:?}");
                self.journal.refusals += 1;
                None
            }
        }
    }

    async fn buy(&mut self, order: order::PlaceOrderRequest) {
        let (answer, _) = self.insist(async |doors| doors.orders().place_order(timed(order.clone())).await).await;
        match answer {
            Ok(placed) => {
                assert_eq!(placed.state(), order::order::State::Placed);
                self.journal.orders.push(placed.id);
            }
            Err(refused) => {
                // The sandbox keeps its books in the same database: while that is away, it does not answer.
                let expected = match order.payment.expect("every order is paid for").token.as_str() {
                    "tok_declined" => &["PAYMENT_DECLINED", "PAYMENT_TIMEOUT"][..],
                    _ => &["PAYMENT_TIMEOUT"],
                };
                assert!(expected.contains(&reason(&refused)), "{refused:?}");
                self.journal.refusals += 1;
            }
        }
    }

    /// Asks until the shop says yes or no; also says how often that took.
    async fn insist<T, F>(&mut self, ask: impl Fn(Doors) -> F) -> (Result<T, Status>, usize)
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let began = Instant::now();
        let mut tries = 0;
        let answer = loop {
            let doors = self.doors.borrow().clone();
            tries += 1;
            match ask(doors).await {
                Err(status) if is_no_answer(&status) => {
                    assert!(began.elapsed() < PATIENCE, "{tries} tries, and still {status:?}");
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                answer => break answer.map(Response::into_inner),
            }
        };
        self.told.send_modify(|answers| *answers += 1);
        (answer, tries)
    }
}

/// Whether it took effect is not known, or is not settled yet: the same request is to be sent again.
fn is_no_answer(status: &Status) -> bool {
    match reason(status) {
        "UNAVAILABLE" | "DEADLINE_EXCEEDED" | "ORDER_BUSY" => true,
        // Without a reason it is the connection that broke off.
        "none" => matches!(
            status.code(),
            Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Cancelled | Code::Internal
        ),
        _ => false,
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(ANSWER_TIMEOUT);
    request
}

impl Journal {
    /// Holds the journal against the shop and its database: everything said is so, and said again the same.
    pub(crate) async fn assert_kept(&self, doors: &Doors, database_url: &str) {
        println!(
            "{} holds, {} orders acknowledged, {} refused; {} holds asked for again",
            self.holds.len(),
            self.orders.len(),
            self.refusals,
            self.asked_again.len()
        );
        let db = pg::connect(database_url).await.expect("the database answers");
        assert_eq!(holds_lost(&db, &self.holds).await, 0, "acknowledged holds are lost");
        assert_eq!(orders_not_placed(&db, &self.orders).await, 0, "acknowledged orders are lost");
        for (request, told) in &self.asked_again {
            let again = doors.inventory().reserve(request.clone()).await.expect("it was held").into_inner();
            assert_eq!((&again.id, &again.lines), (&told.id, &told.lines));
        }
        until("every order comes to its end", async || (orders_under_way(&db).await == 0).then_some(())).await;
        crate::audit::assert_sound(database_url).await;
    }
}

async fn holds_lost(db: &pg::Connection, holds: &[inventory::Reservation]) -> i64 {
    let lines = || holds.iter().flat_map(|hold| hold.lines.iter().map(move |line| (hold, line)));
    let ids: Vec<Uuid> = lines().map(|(hold, _)| uuid(&hold.id)).collect();
    let skus: Vec<&str> = lines().map(|(_, line)| line.sku.as_str()).collect();
    let locations: Vec<&str> = lines().map(|(_, line)| line.location_id.as_str()).collect();
    let versions: Vec<i64> = lines().map(|(_, line)| line.version).collect();
    let quantities: Vec<i32> = lines().map(|(_, line)| line.quantity).collect();
    let sql = include_str!("sql/holds_lost.sql");
    let row = db.client().query_one(sql, &[&ids, &skus, &locations, &versions, &quantities]).await;
    row.expect("the ledger is read").get(0)
}

async fn orders_not_placed(db: &pg::Connection, orders: &[String]) -> i64 {
    let ids: Vec<Uuid> = orders.iter().map(|id| uuid(id)).collect();
    let row = db.client().query_one(include_str!("sql/orders_not_placed.sql"), &[&ids]).await;
    row.expect("orders are read").get(0)
}

async fn orders_under_way(db: &pg::Connection) -> i64 {
    let row = db.client().query_one(include_str!("sql/orders_under_way.sql"), &[]).await;
    row.expect("orders are read").get(0)
}

fn uuid(text: &str) -> Uuid {
    text.parse().expect("an id")
}
