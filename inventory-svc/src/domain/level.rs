//! A stock level: the quantities of one SKU at one location, and their version.

use std::fmt;

use holdfast_contracts::{LocationId, Sku};

/// The most units any quantity may reach, either way: keeps every sum far from overflow.
pub const UNITS_MAX: i64 = 1_000_000_000;

/// A level's key in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelId(pub i64);

/// How many effects a level has seen: +1 each, gapless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub i64);

impl Version {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// In units. Only `available` is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantities {
    /// Countable on the shelf.
    pub on_hand: i64,
    /// On the shelf but not for sale: damaged, in quality control, expired.
    pub unavailable: i64,
    /// Kept back from sale as a buffer.
    pub safety: i64,
    /// In reservations.
    pub held: i64,
    /// Allocated to orders.
    pub committed: i64,
    /// Ordered from the maker.
    pub incoming: i64,
    /// On its way between two locations.
    pub in_transit: i64,
}

impl Quantities {
    /// What can be reserved now.
    pub fn available(&self) -> i64 {
        self.on_hand - self.unavailable - self.safety - self.held - self.committed
    }

    /// What is promised to shoppers.
    pub fn promised(&self) -> i64 {
        self.held + self.committed
    }

    /// More is promised than is there: must never be.
    pub fn is_oversold(&self) -> bool {
        self.promised() > self.on_hand - self.unavailable
    }
}

impl std::ops::Add for Quantities {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            on_hand: self.on_hand + other.on_hand,
            unavailable: self.unavailable + other.unavailable,
            safety: self.safety + other.safety,
            held: self.held + other.held,
            committed: self.committed + other.committed,
            incoming: self.incoming + other.incoming,
            in_transit: self.in_transit + other.in_transit,
        }
    }
}

/// A level as it stands at a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    pub quantities: Quantities,
    pub version: Version,
}

/// Which level: its key, and the names people know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelRef {
    pub id: LevelId,
    pub sku: Sku,
    pub location: LocationId,
}
