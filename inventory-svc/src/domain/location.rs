//! Places that keep stock: warehouses, shops.

use holdfast_contracts::LocationId;

use super::text::DisplayName;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub id: LocationId,
    pub display_name: DisplayName,
    /// Where a reservation names no location, the lowest that has it all is picked.
    pub priority: i32,
}

/// Where a location stands in the order they are picked in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocationRank {
    pub priority: i32,
    pub id: LocationId,
}

impl Location {
    pub fn rank(&self) -> LocationRank {
        LocationRank { priority: self.priority, id: self.id.clone() }
    }
}
