//! What a product's score is made of.

/// One model's say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Signal {
    /// Sessions like this one.
    Session,
    /// Seen in this session, and likely to be gone back to.
    Return,
    /// Looked at after what was looked at.
    Covisit,
    /// Bought after what was looked at.
    ViewBuy,
    /// Bought in one order with it.
    SameOrder,
    /// Like what was looked at.
    Content,
    /// Like what is usually bought.
    Profile,
    /// Bought before.
    Personal,
    /// Bought by those who bought the same, over the long run.
    LongTerm,
    /// Bought by many, over the long run.
    Demand,
    /// Popular lately.
    Trend,
}

impl Signal {
    pub(crate) const ALL: [Self; 11] = [
        Self::Session,
        Self::Return,
        Self::Covisit,
        Self::ViewBuy,
        Self::SameOrder,
        Self::Content,
        Self::Profile,
        Self::Personal,
        Self::LongTerm,
        Self::Demand,
        Self::Trend,
    ];
    pub(crate) const COUNT: usize = Self::ALL.len();
}

/// Each signal's share of a score; they add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Parts([f64; Signal::COUNT]);

impl Parts {
    pub(crate) fn add(&mut self, signal: Signal, share: f64) {
        self.0[signal as usize] += share;
    }

    pub(crate) fn of(&self, signal: Signal) -> f64 {
        self.0[signal as usize]
    }

    /// The score: always summed in the same order.
    pub(crate) fn sum(&self) -> f64 {
        self.0.iter().sum()
    }
}
