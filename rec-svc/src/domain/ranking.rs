//! What to show, best first, before anybody asked whether it can be bought.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::time::Duration;

use holdfast_contracts::ProductId;

use super::context::Context;
use super::covisit::score_pairs;
use super::decay::Decayed;
use super::event::{Shopper, Time};
use super::model::Model;
use super::personal::score_personal;
use super::product::Product;
use super::score::{Parts, Signal};
use super::session::score_sessions;
use super::sums::{SlotHasher, Sums};
use super::table::Slot;
use super::tuning::{Blend, Surface};

/// How many candidates an answer may draw from: beyond these a list stays short rather than late.
pub(crate) const CANDIDATES_MAX: usize = 2_000;
/// What was bought this lately is not offered again.
const JUST_BOUGHT: Duration = Duration::from_secs(14 * 86_400);

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    CoVisited,
    Trending,
}

/// A product worth showing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) product: ProductId,
    /// The sum of its parts; comparable within one answer.
    pub(crate) score: f64,
    pub(crate) parts: Parts,
    pub(crate) source: Source,
}

/// Every product any signal speaks for, in no order.
pub(crate) type Scores = HashMap<Slot, Parts, BuildHasherDefault<SlotHasher>>;

impl Model {
    /// What goes with what this shopper saw lately, but not what they just bought; filled up with what trends.
    pub(crate) fn recommend(&self, shopper: &Shopper, now: Time) -> Vec<Candidate> {
        let context = self.context_of(shopper, now);
        let scores = self.score(&context, self.tuning.blends.of(Surface::Shopper));
        self.rank(&scores, &self.just_bought(context.shopper, now))
    }

    /// What goes with this product; filled up with what trends.
    pub(crate) fn similar(&self, product: &ProductId, now: Time) -> Vec<Candidate> {
        let seed = self.products.find(product);
        let context = Context {
            now,
            visits: seed.map(|seed| (seed, 1.0)).into_iter().collect(),
            basket: seed.into_iter().collect(),
            ..Context::default()
        };
        self.rank(&self.score(&context, self.tuning.blends.of(Surface::Similar)), &seed.into_iter().collect())
    }

    /// The whole say of every signal the blend has weight for, each scaled to at most its weight. What serves and what is
    /// evaluated.
    pub(crate) fn score(&self, context: &Context, blend: &Blend) -> Scores {
        let mut scores = Scores::default();
        let returning = self.returns.shares(&context.session);
        for signal in Signal::ALL {
            let weight = blend.weight(signal);
            if weight == 0.0 {
                continue;
            }
            let mut sums = match signal {
                Signal::Trend => match context.category {
                    Some(category) => {
                        self.popular(self.trends.category(category), |product| product.heat, context, &scores)
                    }
                    None => self.popular(self.trends.shop(), |product| product.heat, context, &scores),
                },
                Signal::Demand => self.popular(self.trends.demand(), |product| product.demand, context, &scores),
                spoken => self.sums(spoken, context, &scores),
            };
            if matches!(signal, Signal::Session | Signal::Covisit) {
                for (item, share) in &returning {
                    sums.scale(*item, self.tuning.session.repeat * share.powf(self.tuning.session.return_power));
                }
            }
            let max = sums.max();
            if max <= 0.0 || !max.is_finite() {
                continue;
            }
            // What has gone cold is still better than a short list.
            for (item, sum) in sums.iter().filter(|(_, sum)| *sum > 0.0 || signal == Signal::Trend) {
                scores.entry(item).or_default().add(signal, weight * sum / max);
            }
        }
        if let Some(named) = &context.named {
            let named: HashSet<Slot> = named.iter().copied().collect();
            scores.retain(|item, _| named.contains(item));
        }
        scores
    }

    fn sums(&self, signal: Signal, context: &Context, spoken: &Scores) -> Sums {
        let Self { products, sessions, features, tuning, .. } = self;
        let (now, named) = (context.now, context.named.as_deref());
        let history = context.shopper.and_then(|shopper| self.shoppers.get(shopper));
        match signal {
            Signal::Session => {
                score_sessions(&context.session, context.own_session, now, products, sessions, &tuning.session)
            }
            Signal::Return => self.returns.score(&context.session),
            Signal::Covisit => score_pairs(&context.visits, now, products, |product| &product.covisit, &tuning.covisit),
            Signal::ViewBuy => {
                score_pairs(&context.visits, now, products, |product| &product.view_buy, &tuning.view_buy)
            }
            Signal::SameOrder => {
                let basket: Vec<_> = context.basket.iter().map(|item| (*item, 1.0)).collect();
                score_pairs(&basket, now, products, |product| &product.same_order, &tuning.same_order)
            }
            Signal::Content => {
                let profile = features.blend(&context.visits, products, &tuning.content);
                features.score(&profile, named, spoken.keys().copied(), products, &tuning.content)
            }
            Signal::Profile => {
                let Some(history) = history else { return Sums::default() };
                let one = Decayed::new(1.0, now, tuning.profile.half_life);
                let mut profile = Sums::default();
                history.profile.iter().for_each(|(feature, sum)| profile.add(feature, sum.share_of(one)));
                features.score(&profile, named, spoken.keys().copied(), products, &tuning.profile)
            }
            Signal::Personal => history.map_or_else(Sums::default, |history| {
                score_personal(&history.purchases, now, products, &tuning.personal)
            }),
            Signal::LongTerm => history.map_or_else(Sums::default, |history| self.long_term.score(&history.purchases)),
            Signal::Demand | Signal::Trend => Sums::default(),
        }
    }

    /// The most popular products, and how popular those are that another signal speaks for.
    fn popular(
        &self,
        ranking: impl Iterator<Item = (Slot, Decayed)>,
        popularity: fn(&Product) -> Decayed,
        context: &Context,
        spoken: &Scores,
    ) -> Sums {
        let mut sums = Sums::default();
        let mut top = Decayed::ZERO;
        for (item, sum) in ranking.take(CANDIDATES_MAX) {
            top = top.max(sum);
            sums.add(item, sum.share_of(top));
        }
        for item in spoken.keys().chain(context.named.iter().flatten()) {
            if let Some(product) = self.products.get(*item).filter(|_| sums.get(*item) == 0.0) {
                sums.add(*item, popularity(product).share_of(top));
            }
        }
        sums
    }

    fn just_bought(&self, shopper: Option<Slot>, now: Time) -> HashSet<Slot> {
        let bought = shopper.and_then(|shopper| self.shoppers.get(shopper)).map(|history| history.purchases.iter());
        let lately =
            bought.into_iter().flatten().filter(|bought| bought.last >= now || bought.last.gap(now) <= JUST_BOUGHT);
        lately.map(|bought| bought.item).collect()
    }

    fn rank(&self, scores: &Scores, excluded: &HashSet<Slot>) -> Vec<Candidate> {
        let mut ranked: Vec<Candidate> = scores
            .iter()
            .filter(|(item, _)| !excluded.contains(item))
            .filter_map(|(item, parts)| {
                let (product, score) = (self.products.key(*item)?.clone(), parts.sum());
                let only_trending = score - parts.of(Signal::Trend) <= 0.0;
                let source = if only_trending { Source::Trending } else { Source::CoVisited };
                Some(Candidate { product, score, parts: *parts, source })
            })
            .collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.product.cmp(&b.product)));
        ranked.truncate(CANDIDATES_MAX);
        ranked
    }
}
