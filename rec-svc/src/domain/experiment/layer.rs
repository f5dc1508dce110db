//! Layers: experiments that must not meet share one and own disjoint buckets of it; those of different layers meet at
//! random (Tang et al., "Overlapping Experiment Infrastructure", KDD 2010).

use serde::{Deserialize, Serialize};

use super::hash::{BUCKETS, Purpose, Share, draw};
use super::name::{Name, Unit};

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) id: Name,
    /// Who is in none of its experiments. Layers hold out the same units, the larger share those of the smaller too.
    pub(crate) holdout: Share,
}

/// A range of a layer's buckets: `from` is in it, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Buckets {
    from: u32,
    to: u32,
}

impl Buckets {
    /// None where it has none, or more than there are.
    pub(crate) fn new(from: u32, to: u32) -> Option<Self> {
        (from < to && to <= BUCKETS).then_some(Self { from, to })
    }

    pub(crate) fn from(self) -> u32 {
        self.from
    }

    pub(crate) fn to(self) -> u32 {
        self.to
    }

    fn has(self, bucket: u32) -> bool {
        (self.from..self.to).contains(&bucket)
    }
}

impl Layer {
    pub(super) fn holds_out(&self, unit: &Unit) -> bool {
        self.holdout.has(Purpose::Holdout, None, unit)
    }

    pub(super) fn has(&self, buckets: Buckets, unit: &Unit) -> bool {
        buckets.has(draw(Purpose::Layer, Some(&self.id), unit, BUCKETS))
    }
}

/// How a unit stands to an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It gets this variant; its exposure is to be recorded.
    In(usize),
    /// It gets this variant by hand, and never counts.
    Overridden(usize),
    /// It gets the control, unrecorded, as does everybody below.
    NotRunning,
    HeldOut,
    /// Its bucket is not one of the experiment's.
    Elsewhere,
    BeyondRamp,
}

impl Standing {
    /// What it is shown; the control where it is in nothing.
    pub(crate) fn variant(self) -> usize {
        match self {
            Self::In(no) | Self::Overridden(no) => no,
            Self::NotRunning | Self::HeldOut | Self::Elsewhere | Self::BeyondRamp => 0,
        }
    }
}
