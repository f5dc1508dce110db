//! What a batch of decisions does: the rows one transaction writes.

use std::collections::BTreeMap;

use holdfast_contracts::RequestId;

use super::command::{AdjustReason, AdjustedQuantity, Adjustment};
use super::level::{Level, LevelId, Version};
use super::reservation::{Reservation, State};

/// Everything a batch writes, and everything its refusals were based on.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Levels by key (so always in lock order): the version found, and the level left behind.
    pub levels: BTreeMap<LevelId, LevelWrite>,
    pub movements: Vec<MovementWrite>,
    /// New reservations; their times are the transaction's.
    pub holds: Vec<Hold>,
    pub transitions: Vec<Transition>,
    pub adjustments: Vec<Adjustment>,
    /// Subjects that were refused as new: none of them may be stored already, or the refusal would hide that the
    /// request is a repetition of one that was granted.
    pub refused: Vec<RequestId>,
    /// A refusal or an answer rests on what only the database can say (the clock, a reservation another replica
    /// may have moved): decide again under its locks.
    pub doubtful: bool,
}

/// One level before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelWrite {
    pub version_found: Version,
    pub after: Level,
}

impl LevelWrite {
    /// Whether it changed, or was only looked at by a refusal.
    pub fn is_change(&self) -> bool {
        self.after.version != self.version_found
    }
}

/// One ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovementWrite {
    pub level: LevelId,
    /// After the effect.
    pub version: Version,
    pub kind: MovementKind,
    pub quantity: i64,
    pub reservation: Option<RequestId>,
    pub reason: Option<AdjustReason>,
    /// The level this effect left behind, for watchers.
    pub after: Level,
}

/// What an effect does to a level. The numbers are the database's and the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum MovementKind {
    Held = 1,
    Released = 2,
    Expired = 3,
    Confirmed = 4,
    Restocked = 5,
    OnHandAdjusted = 6,
    UnavailableAdjusted = 7,
    SafetyAdjusted = 8,
    IncomingAdjusted = 9,
    InTransitAdjusted = 10,
}

impl MovementKind {
    pub const ALL: [Self; 10] = [
        Self::Held,
        Self::Released,
        Self::Expired,
        Self::Confirmed,
        Self::Restocked,
        Self::OnHandAdjusted,
        Self::UnavailableAdjusted,
        Self::SafetyAdjusted,
        Self::IncomingAdjusted,
        Self::InTransitAdjusted,
    ];

    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i16 == number)
    }

    /// Applies the effect to a level's quantities.
    pub fn apply(self, quantities: &mut super::level::Quantities, units: i64) {
        match self {
            Self::Held => quantities.held += units,
            Self::Released | Self::Expired => quantities.held -= units,
            Self::Confirmed => {
                quantities.held -= units;
                quantities.committed += units;
            }
            Self::Restocked => quantities.committed -= units,
            Self::OnHandAdjusted => quantities.on_hand += units,
            Self::UnavailableAdjusted => quantities.unavailable += units,
            Self::SafetyAdjusted => quantities.safety += units,
            Self::IncomingAdjusted => quantities.incoming += units,
            Self::InTransitAdjusted => quantities.in_transit += units,
        }
    }

    /// Undoes it.
    pub fn revert(self, quantities: &mut super::level::Quantities, units: i64) {
        self.apply(quantities, -units);
    }
}

impl From<AdjustedQuantity> for MovementKind {
    fn from(quantity: AdjustedQuantity) -> Self {
        match quantity {
            AdjustedQuantity::OnHand => Self::OnHandAdjusted,
            AdjustedQuantity::Unavailable => Self::UnavailableAdjusted,
            AdjustedQuantity::Safety => Self::SafetyAdjusted,
            AdjustedQuantity::Incoming => Self::IncomingAdjusted,
            AdjustedQuantity::InTransit => Self::InTransitAdjusted,
        }
    }
}

/// A reservation to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub reservation: Reservation,
    pub ttl_ms: i64,
}

/// A reservation to move on, found in one state and left in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    pub id: RequestId,
    pub lines: usize,
    pub from: State,
    pub to: State,
    /// What the clock must say for it to be right.
    pub clock: ClockRule,
    /// The new end, for an extension.
    pub ttl_ms: Option<i64>,
    pub restocks: bool,
}

/// What the database's clock must say of a reservation's end for a transition to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum ClockRule {
    Any = 0,
    /// It has not run out.
    Live = 1,
    /// It has run out.
    Due = 2,
}
