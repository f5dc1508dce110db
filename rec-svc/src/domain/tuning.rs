//! Every number the models are tuned by, in one plain value.

use std::time::Duration;

use super::score::Signal;

const DAY: Duration = Duration::from_secs(86_400);

/// Written into snapshots: a state built under other numbers is another state.
pub(crate) const TUNING_VERSION: u32 = 1;

/// How the models learn and score. What decays while learning is part of the state; the rest only shapes answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tuning {
    pub(crate) session: SessionTuning,
    pub(crate) covisit: PairTuning,
    pub(crate) view_buy: PairTuning,
    pub(crate) same_order: PairTuning,
    pub(crate) content: ContentTuning,
    pub(crate) profile: ContentTuning,
    pub(crate) personal: PersonalTuning,
    /// Trends forget half after this long.
    pub(crate) trend_half_life: Duration,
    pub(crate) demand_half_life: Duration,
    pub(crate) long_term: LongTermTuning,
    pub(crate) blends: Blends,
}

/// Session neighbours (Ludewig and Jannach's STAN, 2019, over the index of VMIS-kNN, Kersbergen et al. 2022).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionTuning {
    /// How many of the session's latest products count.
    pub(crate) visits_max: usize,
    /// How many of a product's most recent sessions are compared.
    pub(crate) sample_max: usize,
    pub(crate) neighbours_max: usize,
    /// What each step back in the session leaves of a product's weight.
    pub(crate) recency_step: f64,
    /// Neighbour sessions count e^-1 after this long.
    pub(crate) age_scale: Duration,
    /// What each step away from the shared product leaves of a neighbour's product.
    pub(crate) distance_step: f64,
    /// What counts of products before the shared one, of those after it.
    pub(crate) backward: f64,
    /// The power of a neighbour's length its similarity is divided by.
    pub(crate) length_power: f64,
    /// What counts of session neighbours and co-visitation for products the session has already.
    pub(crate) repeat: f64,
    /// The power of how likely the product is gone back to, beside the likeliest, that the same counts: 0 ignores it.
    pub(crate) return_power: f64,
    /// How much a rare product counts more than a frequent one.
    pub(crate) idf: f64,
}

/// One channel of co-visitation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PairTuning {
    /// Sums forget half after this long.
    pub(crate) half_life: Duration,
    /// Two events count half for each other this far apart.
    pub(crate) gap_half_life: Duration,
    /// What leads from the later product back to the earlier one, of what leads onward.
    pub(crate) backward: f64,
    /// Sums are divided by n_from^from_power n_to^to_power + shrink, n being how often each was seen.
    pub(crate) from_power: f64,
    pub(crate) to_power: f64,
    pub(crate) shrink: f64,
    /// What each step back in the shopper's visits leaves of a product's weight.
    pub(crate) recency_step: f64,
    /// How many neighbours a product keeps.
    pub(crate) neighbours_max: usize,
}

/// Likeness by features.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContentTuning {
    /// Brand, category, attributes, title.
    pub(crate) fields: [f64; 4],
    /// The power of a feature's idf in the product's vector.
    pub(crate) idf_power: f64,
    /// The power of the whole shop's purchases with a feature that the shopper's are divided by.
    pub(crate) global_power: f64,
    /// The power of the product vector's length its score is divided by.
    pub(crate) length_power: f64,
    /// What each step back in the shopper's visits leaves of a product's weight.
    pub(crate) recency_step: f64,
    /// A profile forgets half after this long.
    pub(crate) half_life: Duration,
}

/// What one shopper buys again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PersonalTuning {
    pub(crate) half_life: Duration,
    /// How far being due by the usual interval lifts a product, and being far from due lowers it: 0 ignores intervals.
    pub(crate) cycle: f64,
}

/// What those buy who bought the same (Steck's EASE, 2019).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LongTermTuning {
    /// How many products it covers: those with the most buyers.
    pub(crate) items_max: usize,
    /// Regularisation: larger is more cautious.
    pub(crate) lambda: f64,
    /// How many others each product keeps a weight for.
    pub(crate) neighbours_max: usize,
}

/// Where a list is shown, or what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Surface {
    /// A shopper's own page.
    Shopper,
    /// What next in this visit.
    Session,
    /// What next after the last purchases.
    NextPurchase,
    /// What is bought again and again.
    BuyAgain,
    /// What the shopper has never bought.
    Discover,
    /// What goes into this basket.
    Basket,
    /// New products, for this shopper.
    Arrivals,
    /// On a product's page.
    Similar,
}

/// A blend a surface.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blends([Blend; Surface::COUNT]);

impl Surface {
    pub(crate) const COUNT: usize = 8;
}

impl Blends {
    pub(crate) fn of(&self, surface: Surface) -> &Blend {
        &self.0[surface as usize]
    }

    pub(crate) fn of_mut(&mut self, surface: Surface) -> &mut Blend {
        &mut self.0[surface as usize]
    }
}

/// How much each signal counts, each being scaled to at most 1 within an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blend([f64; Signal::COUNT]);

impl Blend {
    pub(crate) const fn none() -> Self {
        Self([0.0; Signal::COUNT])
    }

    pub(crate) const fn with(mut self, signal: Signal, weight: f64) -> Self {
        self.0[signal as usize] = weight;
        self
    }

    /// A weight that is no number, or negative, counts as 0: bad weights make a dull list, never a broken one.
    pub(crate) fn weight(&self, signal: Signal) -> f64 {
        let weight = self.0[signal as usize];
        if weight.is_finite() { weight.max(0.0) } else { 0.0 }
    }

    pub(crate) fn set(&mut self, signal: Signal, weight: f64) {
        self.0[signal as usize] = weight;
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            session: SessionTuning::default(),
            covisit: PairTuning::covisit(),
            view_buy: PairTuning::covisit(),
            same_order: PairTuning::same_order(),
            content: ContentTuning::cosine(),
            profile: ContentTuning::profile(),
            personal: PersonalTuning { half_life: 90 * DAY, cycle: 0.1 },
            trend_half_life: 2 * DAY,
            demand_half_life: 365 * DAY,
            long_term: LongTermTuning { items_max: 10_000, lambda: 500.0, neighbours_max: 300 },
            blends: Blends::default(),
        }
    }
}

/// Chosen by `holdfast rec tune` on validation data alone, but for those set by hand: a shopper's and a product's page, which
/// have no data of their own, and what was never bought, where a fit takes too long to search.
impl Default for Blends {
    fn default() -> Self {
        use Signal::*;
        let mut blends = Self([const { Blend::none() }; Surface::COUNT]);
        let mut set = |surface, weights: &[(Signal, f64)]| {
            let blend = weights.iter().fold(Blend::none(), |blend, (signal, weight)| blend.with(*signal, *weight));
            *blends.of_mut(surface) = blend;
        };
        set(Surface::Shopper, &[(Session, 0.5), (Covisit, 1.0), (ViewBuy, 0.3), (Content, 0.2), (Trend, 0.1)]);
        set(Surface::Similar, &[(Covisit, 1.0), (ViewBuy, 0.3), (SameOrder, 0.3), (Content, 0.2), (Trend, 0.1)]);
        set(Surface::Session, &[(Session, 1.0), (Return, 0.35), (Covisit, 0.2)]);
        set(Surface::NextPurchase, &[(Covisit, 1.0), (Content, 0.35)]);
        set(Surface::BuyAgain, &[(Personal, 1.0), (Demand, 0.0003), (Trend, 0.2)]);
        set(Surface::Discover, &[(LongTerm, 1.0), (Demand, 0.3)]);
        set(Surface::Basket, &[(SameOrder, 1.0)]);
        set(Surface::Arrivals, &[(Profile, 1.0), (Content, 0.1)]);
        blends
    }
}

/// Chosen by `holdfast rec tune --protocol serenade`, on its validation sessions alone.
impl Default for SessionTuning {
    fn default() -> Self {
        Self {
            visits_max: 20,
            sample_max: 100,
            neighbours_max: 100,
            recency_step: 0.75,
            age_scale: 100 * DAY,
            distance_step: 0.6,
            backward: 0.85,
            length_power: 0.0,
            repeat: 2.0,
            return_power: 0.5,
            idf: 1.0,
        }
    }
}

impl PairTuning {
    /// Chosen by `holdfast rec tune --protocol beauty`, on its validation ends alone.
    pub(crate) fn covisit() -> Self {
        Self {
            half_life: 30 * DAY,
            gap_half_life: DAY,
            backward: 0.2,
            from_power: 0.3,
            to_power: 0.1,
            shrink: 3.0,
            recency_step: 0.6,
            neighbours_max: 64,
        }
    }

    /// Chosen by `holdfast rec tune --protocol journey-basket`, on its validation weeks alone.
    pub(crate) fn same_order() -> Self {
        Self {
            half_life: 365 * DAY,
            gap_half_life: DAY,
            backward: 1.0,
            from_power: 0.8,
            to_power: 0.4,
            shrink: 20.0,
            recency_step: 1.0,
            neighbours_max: 256,
        }
    }
}

impl ContentTuning {
    /// Chosen with co-visitation's.
    fn cosine() -> Self {
        Self {
            fields: [1.0, 1.0, 1.0, 0.5],
            idf_power: 0.5,
            global_power: 0.0,
            length_power: 1.0,
            recency_step: 0.5,
            half_life: 90 * DAY,
        }
    }

    /// Chosen by `holdfast rec tune --protocol journey-cold`, on its validation weeks alone.
    fn profile() -> Self {
        Self {
            fields: [0.5, 1.0, 0.5, 0.0],
            idf_power: 1.0,
            global_power: 0.6,
            length_power: 1.0,
            half_life: 180 * DAY,
            ..Self::cosine()
        }
    }
}
