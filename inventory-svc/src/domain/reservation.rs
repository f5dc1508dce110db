//! A reservation: a shopper's hold on one or more lines, all or nothing, with a time to live.

use std::fmt;

use holdfast_contracts::{CustomerId, RequestId};

use super::level::{LevelRef, Version};
use super::time::Micros;

/// `Held -> Paying -> Confirmed`; `Held -> Confirmed | Released | Expired`; `Paying -> Confirmed | Released`.
/// The last three never reopen. The numbers are the database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum State {
    Held = 1,
    /// The shopper's clock has stopped: ends only when the payment is resolved.
    Paying = 2,
    Confirmed = 3,
    Released = 4,
    Expired = 5,
}

impl State {
    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Held, Self::Paying, Self::Confirmed, Self::Released, Self::Expired]
            .into_iter()
            .find(|state| *state as i16 == number)
    }

    /// Whether it still holds units.
    pub fn is_open(self) -> bool {
        match self {
            Self::Held | Self::Paying => true,
            Self::Confirmed | Self::Released | Self::Expired => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "HELD",
            Self::Paying => "PAYING",
            Self::Confirmed => "CONFIRMED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
        })
    }
}

/// Units of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub level: LevelRef,
    pub quantity: i32,
    /// The level's version that this hold made.
    pub version: Version,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub id: RequestId,
    pub customer: CustomerId,
    pub state: State,
    pub lines: Vec<Line>,
    /// Of the request that made it: tells a repetition from another request with the same id.
    pub fingerprint: i64,
    pub created_at: Micros,
    pub expires_at: Micros,
    /// Whether its confirmed units were given back to sale.
    pub restocked: bool,
}
