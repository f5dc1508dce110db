//! Which variant a unit gets: what experiments and flags share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hash::{Purpose, Share, draw};
use super::name::{Name, Unit};

/// How many variants there may be.
pub(crate) const VARIANTS_MAX: usize = 20;
/// The largest weight.
const WEIGHT_MAX: u32 = 10_000;
/// How many units may be given their variant by hand.
pub(crate) const OVERRIDES_MAX: usize = 1_000;

/// One way to do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variant {
    pub(crate) name: Name,
    /// Its part of the units, in any unit common to all.
    pub(crate) weight: u32,
}

/// At least two variants with different names; the first is the control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variants(Vec<Variant>);

/// Why variants or overrides are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AllocationError {
    #[error("has {0} variants: 2 to {VARIANTS_MAX} are accepted")]
    Count(usize),
    #[error("has the variant {0} twice")]
    Twice(Name),
    #[error("gives {name} the weight {weight}: 1 to {WEIGHT_MAX} are accepted")]
    Weight { name: Name, weight: u32 },
    #[error("has {0} overrides: at most {OVERRIDES_MAX} are accepted")]
    Overrides(usize),
    #[error("overrides to {0}, which is none of its variants")]
    UnknownVariant(Name),
}

impl Variants {
    pub(crate) fn new(variants: Vec<Variant>) -> Result<Self, AllocationError> {
        if !(2..=VARIANTS_MAX).contains(&variants.len()) {
            return Err(AllocationError::Count(variants.len()));
        }
        for (no, Variant { name, weight }) in variants.iter().enumerate() {
            if variants[..no].iter().any(|other| other.name == *name) {
                return Err(AllocationError::Twice(name.clone()));
            }
            if !(1..=WEIGHT_MAX).contains(weight) {
                return Err(AllocationError::Weight { name: name.clone(), weight: *weight });
            }
        }
        Ok(Self(variants))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn name(&self, no: usize) -> &Name {
        &self.0[no].name
    }

    /// The variant of that name.
    pub(crate) fn find(&self, name: &Name) -> Option<usize> {
        self.0.iter().position(|variant| variant.name == *name)
    }

    /// Each variant's part of the whole; they add up to one.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let total = f64::from(self.total_weight());
        self.0.iter().map(|variant| f64::from(variant.weight) / total).collect()
    }

    fn total_weight(&self) -> u32 {
        self.0.iter().map(|variant| variant.weight).sum()
    }

    /// The variant at a number below the total weight.
    fn at(&self, mut drawn: u32) -> usize {
        for (no, variant) in self.0.iter().enumerate() {
            match drawn.checked_sub(variant.weight) {
                Some(rest) => drawn = rest,
                None => return no,
            }
        }
        self.0.len() - 1
    }
}

/// Who gets which variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allocation {
    salt: Name,
    ramp: Share,
    variants: Variants,
    overrides: BTreeMap<Unit, usize>,
}

/// What an allocation has for a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// By hand: nothing random about it, so it never counts.
    Overridden(usize),
    /// By the hash.
    Drawn(usize),
    /// The ramp has not come to it yet.
    BeyondRamp,
}

impl Allocation {
    pub(crate) fn new(
        salt: Name,
        ramp: Share,
        variants: Vec<Variant>,
        overrides: &BTreeMap<Unit, Name>,
    ) -> Result<Self, AllocationError> {
        if overrides.len() > OVERRIDES_MAX {
            return Err(AllocationError::Overrides(overrides.len()));
        }
        let variants = Variants::new(variants)?;
        let overrides = overrides
            .iter()
            .map(|(unit, name)| match variants.find(name) {
                Some(no) => Ok((unit.clone(), no)),
                None => Err(AllocationError::UnknownVariant(name.clone())),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { salt, ramp, variants, overrides })
    }

    pub(crate) fn variants(&self) -> &Variants {
        &self.variants
    }

    pub(crate) fn overridden(&self, unit: &Unit) -> Option<usize> {
        self.overrides.get(unit).copied()
    }

    /// The ramp and the variant are drawn apart: whoever is in stays in the same variant while the ramp rises.
    pub(crate) fn place(&self, unit: &Unit) -> Placement {
        if let Some(no) = self.overridden(unit) {
            return Placement::Overridden(no);
        }
        if !self.ramp.has(Purpose::Ramp, Some(&self.salt), unit) {
            return Placement::BeyondRamp;
        }
        let drawn = draw(Purpose::Variant, Some(&self.salt), unit, self.variants.total_weight());
        Placement::Drawn(self.variants.at(drawn))
    }
}
