//! What the service counts. Every label is a word of the code: no SKU, no shopper, no id.

use holdfast_platform::telemetry::histogram::{Count, Histogram, Seconds};
use holdfast_platform::telemetry::label::Label;
use holdfast_platform::telemetry::value::{Counter, Gauge, UpDown};
use holdfast_platform::{label, metrics};

use crate::domain::command::{Outcome, Refused};
use crate::domain::decide::Decision;
use crate::domain::effects::{MovementKind, Transition};
use crate::domain::reservation::State;
use crate::lane::LaneError;
use crate::usecase::failure::Failure;

label! {
    /// What became of a request for a hold.
    pub(crate) enum ReserveOutcome = "outcome" {
        Held = "held",
        /// Answered again what was held before.
        Replayed = "replayed",
        InsufficientStock = "insufficient_stock",
        VersionMismatch = "version_mismatch",
        IdReused = "id_reused",
        /// No such SKU or location, or a version without its location.
        Invalid = "invalid",
        Overloaded = "overloaded",
        DeadlinePassed = "deadline_passed",
        Unavailable = "unavailable",
        Internal = "internal",
    }
}

impl ReserveOutcome {
    pub(crate) fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(refused) => match refused {
                Refused::InsufficientStock { .. } => Self::InsufficientStock,
                Refused::VersionMismatch { .. } => Self::VersionMismatch,
                Refused::IdReused { .. } => Self::IdReused,
                Refused::VersionNeedsLocation { .. } => Self::Invalid,
                // What no hold is refused for.
                Refused::Expired { .. }
                | Refused::WrongState { .. }
                | Refused::BelowPromised { .. }
                | Refused::OutOfBounds { .. }
                | Refused::NotDue { .. } => Self::Internal,
            },
            Failure::SkuNotFound(_) | Failure::LocationNotFound(_) => Self::Invalid,
            Failure::ReservationNotFound(_) | Failure::CursorInvalid(_) => Self::Internal,
            Failure::Lane(LaneError::Overloaded) => Self::Overloaded,
            Failure::Lane(LaneError::DeadlinePassed) => Self::DeadlinePassed,
            Failure::Lane(LaneError::Unavailable) => Self::Unavailable,
            Failure::Lane(LaneError::Internal) => Self::Internal,
            Failure::Database(error) if error.is_connection_lost() => Self::Unavailable,
            Failure::Database(_) => Self::Internal,
        }
    }
}

label! {
    /// What a reservation became.
    pub(crate) enum Became = "state" {
        Extended = "extended",
        Paying = "paying",
        Confirmed = "confirmed",
        Released = "released",
        Expired = "expired",
        Restocked = "restocked",
    }
}

impl Became {
    fn of(transition: &Transition) -> Self {
        match transition.to {
            State::Held => Self::Extended,
            State::Paying => Self::Paying,
            State::Confirmed if transition.restocks => Self::Restocked,
            State::Confirmed => Self::Confirmed,
            State::Released => Self::Released,
            State::Expired => Self::Expired,
        }
    }
}

label! {
    /// What was asked for again.
    pub(crate) enum Verb = "command" { Reserve = "reserve", Move = "move", Adjust = "adjust" }
}

label! {
    /// How a batch was written.
    pub(crate) enum Path = "path" {
        /// What this replica remembered still held.
        Optimistic = "optimistic",
        /// Decided once more under row locks.
        Locked = "locked",
    }
}

impl Label for MovementKind {
    const NAME: &'static str = "movement";

    fn words() -> &'static [&'static str] {
        &[
            "held",
            "released",
            "expired",
            "confirmed",
            "restocked",
            "on_hand_adjusted",
            "unavailable_adjusted",
            "safety_adjusted",
            "incoming_adjusted",
            "in_transit_adjusted",
        ]
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or_default()
    }
}

metrics! {
    /// The service's metrics.
    pub(crate) struct Metrics of "inventory-svc" {
        /// Requests for holds, by what became of them.
        pub(crate) reservations: Counter, [ReserveOutcome] = "holdfast.inventory.reservations";
        /// Reservations that moved on, by what they became.
        pub(crate) transitions: Counter, [Became] = "holdfast.inventory.reservation.transitions";
        /// Units moved by the ledger, by the kind of movement.
        pub(crate) units: Counter, [MovementKind] = "holdfast.inventory.units";
        /// Units promised beyond what is there, looked up in the database; anything but 0 is an incident.
        pub(crate) oversold: Gauge, [] = "holdfast.inventory.oversold.units";
        /// Commands answered again from what their first time left.
        pub(crate) replays: Counter, [Verb] = "holdfast.inventory.replays";
        /// Commands that wait for a lane.
        pub(crate) lane_queue: UpDown, [] = "holdfast.inventory.lane.queue";
        /// Commands a batch.
        pub(crate) batch_size: Histogram<Count>, [] = "holdfast.inventory.lane.batch.commands";
        /// How long batches took, from their cut to their commit.
        pub(crate) batch_time: Histogram<Seconds>, [Path] = "holdfast.inventory.lane.batch.duration" as seconds;
        /// How long after its end a hold was given back.
        pub(crate) expiry_lag: Histogram<Seconds>, [] = "holdfast.inventory.hold.expiry.lag" as seconds;
    }
}

/// Counts what a batch that is durable came to. Cost: a few additions a command, one atomic addition a sort.
pub(crate) fn count(decision: &Decision) {
    let metrics = Metrics::get();
    let effects = &decision.effects;
    let (mut reserved, mut moved, mut adjusted) = (0_usize, 0_usize, 0_usize);
    for outcome in &decision.outcomes {
        match outcome {
            Outcome::Reserved(_) => reserved += 1,
            Outcome::Moved(_) => moved += 1,
            Outcome::Adjusted(_) => adjusted += 1,
            Outcome::Refused(_) => {}
        }
    }
    // Whatever was answered without an effect was there before.
    let replayed = reserved.saturating_sub(effects.holds.len());
    metrics.reservations.of((ReserveOutcome::Held,)).add(effects.holds.len() as u64);
    metrics.reservations.of((ReserveOutcome::Replayed,)).add(replayed as u64);
    metrics.replays.of((Verb::Reserve,)).add(replayed as u64);
    metrics.replays.of((Verb::Move,)).add(moved.saturating_sub(effects.transitions.len()) as u64);
    metrics.replays.of((Verb::Adjust,)).add(adjusted.saturating_sub(effects.adjustments.len()) as u64);
    for transition in &effects.transitions {
        metrics.transitions.of((Became::of(transition),)).add(1);
    }
    for movements in effects.movements.chunk_by(|a, b| a.kind == b.kind) {
        let units: u64 = movements.iter().map(|movement| movement.quantity.unsigned_abs()).sum();
        metrics.units.of((movements[0].kind,)).add(units);
    }
}
