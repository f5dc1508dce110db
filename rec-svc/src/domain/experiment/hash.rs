//! Where a unit falls: a salted hash, and nothing else.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use super::name::{Name, Unit};

/// A layer's buckets; a bucket is a millionth of the units.
pub(crate) const BUCKETS: u32 = 1_000_000;

/// What a number is drawn for. The numbers of one unit for two purposes, or two salts, are independent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Which experiments of a layer a unit can be in; salted by the layer.
    Layer,
    /// Whether the ramp has come to it; salted by the experiment.
    Ramp,
    /// Which variant it gets; salted by the experiment.
    Variant,
    /// Whether it is held out; one number for all layers, so that one group sees none of their experiments.
    Holdout,
}

/// A number in `0..below`, the same for ever: xxh3 of purpose, salt and unit, scaled by multiplication (Lemire, "Fast
/// random integer generation in an interval", 2019). Its bias is below 2^-44 for any `below` used here.
pub(super) fn draw(purpose: Purpose, salt: Option<&Name>, unit: &Unit, below: u32) -> u32 {
    let salt = salt.map_or("", Name::as_str);
    let mut hash = Xxh3Default::new();
    // Names are shorter than 256 bytes: with its length before it, no salt runs into the unit.
    hash.update(&[purpose as u8, u8::try_from(salt.len()).unwrap_or(u8::MAX)]);
    hash.update(salt.as_bytes());
    hash.update(unit.as_str().as_bytes());
    let scaled = (u128::from(hash.digest()) * u128::from(below)) >> 64;
    u32::try_from(scaled).expect("it is less than `below`")
}

/// A share of the units, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Share(u32);

impl Share {
    /// None above one.
    pub(crate) fn from_millionths(millionths: u32) -> Option<Self> {
        (millionths <= BUCKETS).then_some(Self(millionths))
    }

    pub(crate) fn millionths(self) -> u32 {
        self.0
    }

    /// Whether the share has this unit: a larger share has all units of a smaller one.
    pub(super) fn has(self, purpose: Purpose, salt: Option<&Name>, unit: &Unit) -> bool {
        draw(purpose, salt, unit, BUCKETS) < self.0
    }
}

impl TryFrom<u32> for Share {
    type Error = &'static str;

    fn try_from(millionths: u32) -> Result<Self, Self::Error> {
        Self::from_millionths(millionths).ok_or("a share is at most 1,000,000 millionths")
    }
}

impl From<Share> for u32 {
    fn from(share: Share) -> Self {
        share.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(n: u32) -> Unit {
        format!("customer-{n}").parse().expect("a unit")
    }

    /// Builds come and go; who was in which bucket does not change with them.
    #[test]
    fn a_units_numbers_are_the_same_for_ever() {
        let salt: Name = "checkout".parse().expect("a name");
        let drawn: Vec<u32> = [Purpose::Layer, Purpose::Ramp, Purpose::Variant]
            .map(|purpose| draw(purpose, Some(&salt), &unit(1), BUCKETS))
            .into();
        assert_eq!(drawn, [578_268, 93_262, 591_992]);
        assert_eq!(draw(Purpose::Holdout, None, &unit(1), BUCKETS), 670_706);
    }

    #[test]
    fn no_salt_runs_into_the_unit() {
        let (salt, longer): (Name, Name) = ("a".parse().expect("a name"), "ab".parse().expect("a name"));
        let (unit, shorter): (Unit, Unit) = ("bc".parse().expect("a unit"), "c".parse().expect("a unit"));
        assert_ne!(
            draw(Purpose::Ramp, Some(&salt), &unit, u32::MAX),
            draw(Purpose::Ramp, Some(&longer), &shorter, u32::MAX)
        );
    }
}
