//! A shop in memory that keeps the contract, and breaks it on demand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::events::v1::Movement;
use holdfast_contracts::events::v1::movement::Kind;
use holdfast_contracts::inventory::v1::reservation::{self, State as HoldState};
use holdfast_contracts::inventory::v1::watch_stock_response::{Change, Event, Reset};
use holdfast_contracts::inventory::v1::{Product, Quantities, Reservation, Stock, StockLevel, WatchStockResponse};
use holdfast_contracts::order::v1::Order;
use holdfast_platform::status::Refusal;
use tokio::sync::watch;
use tonic::Status;

/// What this shop does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Holds one unit that is not there, and says so.
    Oversells,
    /// Sells one unit that is not there, and keeps it out of the stock.
    OversellsUnseen,
    /// Acknowledges one sale whose units it puts back on the shelf.
    ForgetsASale,
    /// Leaves one version out of the watch.
    SkipsAVersion,
    /// Every fifth write takes effect, but its answer is lost.
    LosesAnswers,
    /// Ends the watch after every twenty steps.
    CutsTheWatch,
}

/// Where units are that are sold beside the stock.
pub(crate) const NOWHERE: &str = "nowhere";

pub(crate) type Events = Pin<Box<dyn tokio_stream::Stream<Item = Result<WatchStockResponse, Status>> + Send>>;

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) flaw: Flaw,
    state: Arc<Mutex<State>>,
    steps: watch::Sender<usize>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) products: BTreeMap<String, Product>,
    pub(crate) locations: Vec<String>,
    pub(crate) orders: HashMap<String, Order>,
    pub(crate) levels: BTreeMap<String, (Quantities, i64)>,
    pub(crate) holds: HashMap<String, Reservation>,
    /// When each hold runs out.
    ends: BTreeSet<(SystemTime, String)>,
    changes: Vec<Change>,
    writes: u64,
    flawed: bool,
}

pub(crate) fn refuse(reason: Reason, message: &str) -> Status {
    Refusal::new(reason, message).into()
}

impl Fake {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, state: Arc::default(), steps: watch::Sender::new(0) }
    }

    /// The state, after whatever ran out by now has been swept.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("no test panics with the lock");
        let now = SystemTime::now();
        while state.ends.first().is_some_and(|(end, _)| *end <= now) {
            let Some((_, id)) = state.ends.pop_first() else { break };
            if state.holds[&id].state() == HoldState::Held {
                self.end_hold(&mut state, &id, HoldState::Expired, Kind::Expired);
            }
        }
        state
    }

    /// Sweeps for as long as it is polled.
    pub(crate) async fn sweep(&self) {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(self.state());
        }
    }

    pub(crate) fn record(&self, state: &mut State, sku: &str, kind: Kind, units: i64, reservation: &str) -> i64 {
        let (quantities, version) = state.levels.entry(sku.to_owned()).or_default();
        match kind {
            Kind::Held => quantities.held += units,
            Kind::Released | Kind::Expired => quantities.held -= units,
            Kind::Confirmed => {
                quantities.held -= units;
                quantities.committed += units;
            }
            Kind::OnHandAdjusted => quantities.on_hand += units,
            other => panic!("the fake makes no {other:?}"),
        }
        quantities.available = quantities.on_hand - quantities.held - quantities.committed;
        *version += 1;
        let version = *version;
        let movement = Movement {
            sku: sku.to_owned(),
            location_id: "main".into(),
            version,
            kind: kind.into(),
            quantity: units,
            reservation_id: reservation.to_owned(),
            create_time: Some(SystemTime::now().into()),
            ..Movement::default()
        };
        let level = Some(level_of(state, sku));
        if self.flaw != Flaw::SkipsAVersion || state.changes.len() != 30 {
            state.changes.push(Change { movement: Some(movement), level });
        } else {
            // The step is lost, and something else stands in its place in the log.
            state.changes.push(Change::default());
        }
        self.steps.send_replace(state.changes.len());
        version
    }

    pub(crate) fn end_hold(&self, state: &mut State, id: &str, end: HoldState, kind: Kind) {
        let hold = state.holds.get_mut(id).expect("a hold that is there");
        hold.set_state(end);
        let lines = hold.lines.clone();
        for line in lines.iter().filter(|line| line.location_id != NOWHERE) {
            self.record(state, &line.sku, kind, line.quantity.into(), id);
        }
    }

    /// Whether a single misdeed is due, and it is done now.
    pub(crate) fn misdeed(&self, state: &mut State, flaw: Flaw) -> bool {
        self.flaw == flaw && !std::mem::replace(&mut state.flawed, true)
    }

    /// The answer to a write that has taken effect.
    pub(crate) fn answer<T>(&self, state: &mut State, answer: T) -> Result<tonic::Response<T>, Status> {
        state.writes += 1;
        if self.flaw == Flaw::LosesAnswers && state.writes.is_multiple_of(5) {
            return Err(Status::unavailable("the answer went missing"));
        }
        Ok(tonic::Response::new(answer))
    }

    pub(crate) fn hold(
        &self,
        id: &str,
        customer: &str,
        sku: &str,
        units: i32,
        ttl: Duration,
    ) -> Result<Reservation, Status> {
        let mut state = self.state();
        if let Some(hold) = state.holds.get(id) {
            return Ok(hold.clone());
        }
        if !state.products.values().flat_map(|product| &product.variants).any(|variant| variant.sku == sku) {
            return Err(refuse(Reason::SkuNotFound, sku));
        }
        let (quantities, _) = state.levels.get(sku).copied().unwrap_or_default();
        let is_short = quantities.available < i64::from(units);
        // Only once all is truly sold, so that it is one too many; held until one of those shoppers has paid.
        let is_gone = quantities.committed >= quantities.on_hand;
        let unseen = self.flaw == Flaw::OversellsUnseen && is_gone && !state.flawed;
        if is_short && !unseen && !self.misdeed(&mut state, Flaw::Oversells) {
            return Err(refuse(Reason::InsufficientStock, "too few"));
        }
        let version = if unseen { 0 } else { self.record(&mut state, sku, Kind::Held, units.into(), id) };
        let location_id = if unseen { NOWHERE } else { "main" };
        let line = reservation::Line { sku: sku.into(), location_id: location_id.into(), quantity: units, version };
        let end = SystemTime::now() + ttl;
        state.ends.insert((end, id.to_owned()));
        let hold = Reservation {
            id: id.to_owned(),
            customer_id: customer.to_owned(),
            state: HoldState::Held.into(),
            lines: vec![line],
            expire_time: Some(end.into()),
            ..Reservation::default()
        };
        state.holds.insert(id.to_owned(), hold.clone());
        Ok(hold)
    }

    /// The changes from a place in the log on, as they come.
    pub(crate) fn follow(&self, skus: Vec<String>, cursor: &str) -> Events {
        let from: Option<usize> = cursor.parse().ok();
        let (mut place, first) = match from {
            Some(from) => (from, None),
            None => {
                let state = self.state();
                let stocks = skus.iter().map(|sku| stock_of(&state, sku)).collect();
                (state.changes.len(), Some(Reset { stocks }))
            }
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        let (fake, mut steps) = (self.clone(), self.steps.subscribe());
        let task = async move {
            let mut told = 0;
            if let Some(reset) = first {
                let event = WatchStockResponse { event: Some(Event::Reset(reset)), cursor: place.to_string() };
                if sender.send(Ok(event)).await.is_err() {
                    return;
                }
            }
            loop {
                let change = fake.state().changes.get(place).cloned();
                let Some(change) = change else {
                    tokio::select! {
                        changed = steps.changed() => if changed.is_err() { return },
                        () = sender.closed() => return,
                    }
                    continue;
                };
                place += 1;
                if change.movement.as_ref().is_none_or(|movement| !skus.contains(&movement.sku)) {
                    continue;
                }
                told += 1;
                let event = WatchStockResponse { event: Some(Event::Change(change)), cursor: place.to_string() };
                let cut = fake.flaw == Flaw::CutsTheWatch && told == 20;
                if sender.send(Ok(event)).await.is_err() || cut {
                    return;
                }
            }
        };
        drop(holdfast_platform::task::spawn_joined(task));
        Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))
    }
}

pub(crate) fn level_of(state: &State, sku: &str) -> StockLevel {
    let (quantities, version) = state.levels.get(sku).copied().unwrap_or_default();
    StockLevel {
        sku: sku.to_owned(),
        location_id: "main".into(),
        quantities: Some(quantities),
        version,
        ..StockLevel::default()
    }
}

pub(crate) fn stock_of(state: &State, sku: &str) -> Stock {
    let level = level_of(state, sku);
    let levels = if level.version == 0 { Vec::new() } else { vec![level.clone()] };
    Stock { sku: sku.to_owned(), total: level.quantities, levels, version: level.version, etag: String::new() }
}
