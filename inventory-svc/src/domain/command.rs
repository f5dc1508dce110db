//! What can be asked of the stock, what it answers, and why it refuses.

use holdfast_contracts::{CustomerId, LocationId, RequestId, Sku};

use super::level::{Level, LevelId, LevelRef, Quantities, Version};
use super::reservation::{Reservation, State};
use super::time::{Micros, Ttl};

/// The most lines a reservation may have.
pub const LINES_MAX: usize = 100;
/// The most units of one line.
pub const LINE_UNITS_MAX: i32 = 1_000_000;

/// One decision to take. Everything it needs but the levels and reservations themselves.
#[derive(Debug, Clone)]
pub enum Command {
    Reserve(Reserve),
    /// A transition of a reservation that is known to exist.
    Move(Move),
    Adjust(Adjust),
}

/// Hold units, all lines or none.
#[derive(Debug, Clone)]
pub struct Reserve {
    pub id: RequestId,
    pub customer: CustomerId,
    pub lines: Vec<ReserveLine>,
    pub ttl: Ttl,
    pub fingerprint: i64,
}

/// One line, with every level that could serve it.
#[derive(Debug, Clone)]
pub struct ReserveLine {
    pub sku: Sku,
    pub quantity: i32,
    /// The asked location's level alone, or all the SKU's levels in the order they are picked.
    pub candidates: Vec<LevelRef>,
    /// Whether the shopper named the location.
    pub located: bool,
    pub expected_version: Option<Version>,
}

/// Move a reservation on.
#[derive(Debug, Clone)]
pub struct Move {
    pub step: Step,
    /// As last seen; its lines never change, its state may have.
    pub reservation: Reservation,
}

/// Where to move a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    BeginPayment,
    Confirm,
    Release,
    /// The time to live ran out; asked for by the sweeper alone.
    Expire,
    Extend(Ttl),
    Restock,
}

/// Change one quantity of one level.
#[derive(Debug, Clone)]
pub struct Adjust {
    pub id: RequestId,
    pub level: LevelRef,
    pub quantity: AdjustedQuantity,
    pub change: Change,
    pub reason: AdjustReason,
    pub expected_version: Option<Version>,
    pub fingerprint: i64,
}

/// Which quantity an adjustment changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustedQuantity {
    OnHand,
    Unavailable,
    Safety,
    Incoming,
    InTransit,
}

/// By how much, or to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    By(i64),
    To(i64),
}

/// Why a person or a system changed a quantity. The numbers are the database's and the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum AdjustReason {
    Received = 1,
    Counted = 2,
    Damaged = 3,
    Returned = 4,
    Corrected = 5,
    Feed = 6,
}

impl Command {
    /// The id no two commands of one batch may share: what the command makes or moves.
    pub fn subject(&self) -> RequestId {
        match self {
            Self::Reserve(reserve) => reserve.id,
            Self::Move(moved) => moved.reservation.id,
            Self::Adjust(adjust) => adjust.id,
        }
    }

    /// Every level the decision may depend on.
    pub fn levels(&self) -> impl Iterator<Item = &LevelRef> {
        let (lines, moved, adjusted) = match self {
            Self::Reserve(reserve) => (Some(&reserve.lines), None, None),
            Self::Move(moved) => (None, Some(&moved.reservation.lines), None),
            Self::Adjust(adjust) => (None, None, Some(&adjust.level)),
        };
        lines
            .into_iter()
            .flatten()
            .flat_map(|line| &line.candidates)
            .chain(moved.into_iter().flatten().map(|line| &line.level))
            .chain(adjusted)
    }
}

/// What a command came to, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Reserved(Reservation),
    Moved(Reservation),
    Adjusted(Adjustment),
    Refused(Refused),
}

/// A recorded adjustment: also what its repetition is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    pub id: RequestId,
    pub level_id: LevelId,
    pub after: Level,
    pub fingerprint: i64,
    pub created_at: Micros,
}

/// Why a command had no effect. The versions are those it was decided at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("cannot hold {requested} of {sku}{}: {available} available", at(.location.as_ref()))]
    InsufficientStock { sku: Sku, location: Option<LocationId>, requested: i32, available: i64, version: Version },
    #[error("{sku} at {location} is at version {version}, not {expected}")]
    VersionMismatch { sku: Sku, location: LocationId, expected: Version, version: Version },
    #[error("{sku} is kept at several locations: name the one whose version is expected")]
    VersionNeedsLocation { sku: Sku, line: usize },
    #[error("request id {id} was used for another request")]
    IdReused { id: RequestId },
    #[error("reservation {id} has expired")]
    Expired { id: RequestId, expires_at: Micros },
    #[error("reservation {id} is {state}: cannot {step} it")]
    WrongState { id: RequestId, state: State, step: &'static str },
    #[error("{sku} at {location} has {promised} units promised to shoppers, but {remaining} would remain")]
    BelowPromised { sku: Sku, location: LocationId, promised: i64, remaining: i64, version: Version },
    #[error("{quantity} of {sku} at {location} would be {value}: must be between 0 and {UNITS_MAX}", UNITS_MAX = super::level::UNITS_MAX)]
    OutOfBounds { sku: Sku, location: LocationId, quantity: &'static str, value: i64, version: Version },
    #[error("reservation {id} has not run out yet")]
    NotDue { id: RequestId },
}

fn at(location: Option<&LocationId>) -> String {
    location.map(|location| format!(" at {location}")).unwrap_or_default()
}

impl AdjustedQuantity {
    pub fn name(self) -> &'static str {
        match self {
            Self::OnHand => "on_hand",
            Self::Unavailable => "unavailable",
            Self::Safety => "safety",
            Self::Incoming => "incoming",
            Self::InTransit => "in_transit",
        }
    }

    /// The quantity itself, to read or to change.
    pub fn of(self, quantities: &mut Quantities) -> &mut i64 {
        match self {
            Self::OnHand => &mut quantities.on_hand,
            Self::Unavailable => &mut quantities.unavailable,
            Self::Safety => &mut quantities.safety,
            Self::Incoming => &mut quantities.incoming,
            Self::InTransit => &mut quantities.in_transit,
        }
    }
}

impl Step {
    pub fn name(self) -> &'static str {
        match self {
            Self::BeginPayment => "begin payment of",
            Self::Confirm => "confirm",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Extend(_) => "extend",
            Self::Restock => "restock",
        }
    }
}
