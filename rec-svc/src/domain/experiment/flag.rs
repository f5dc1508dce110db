//! Feature flags: an allocation without a measurement, so that everything about it may change at any time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allocation::{Allocation, AllocationError, Placement, Variant};
use super::hash::Share;
use super::name::{Name, Unit, UnitKind};

/// A flag as it is told and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlagDesign {
    pub(crate) id: Name,
    pub(crate) description: String,
    pub(crate) unit: UnitKind,
    /// The first is what everybody gets whom the ramp has not come to, and all while it is off.
    pub(crate) variants: Vec<Variant>,
    pub(crate) ramp: Share,
    pub(crate) enabled: bool,
    pub(crate) overrides: BTreeMap<Unit, Name>,
}

/// A flag that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    design: FlagDesign,
    allocation: Allocation,
}

impl Flag {
    pub(crate) fn new(design: FlagDesign) -> Result<Self, AllocationError> {
        let FlagDesign { id, ramp, variants, overrides, .. } = &design;
        let allocation = Allocation::new(id.clone(), *ramp, variants.clone(), overrides)?;
        Ok(Self { design, allocation })
    }

    pub(crate) fn design(&self) -> &FlagDesign {
        &self.design
    }

    /// The variant a unit gets. Off is off, overrides included.
    pub(crate) fn variant_of(&self, unit: &Unit) -> &Name {
        let no = match self.allocation.place(unit) {
            Placement::Overridden(no) | Placement::Drawn(no) if self.design.enabled => no,
            Placement::Overridden(_) | Placement::Drawn(_) | Placement::BeyondRamp => 0,
        };
        self.allocation.variants().name(no)
    }
}
