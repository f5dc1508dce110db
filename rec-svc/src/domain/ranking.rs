//! What to show, best first, before anybody asked whether it can be bought.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use holdfast_contracts::ProductId;

use super::decay::Decayed;
use super::event::{Shopper, Time};
use super::history::Visit;
use super::model::Model;

/// How many candidates an answer may draw from: beyond these a list stays short rather than late.
pub(crate) const CANDIDATES_MAX: usize = 2_000;
/// How far the hottest product's heat lifts it, where the strongest co-visitation lifts by 1.
const TRENDING_SHARE: f64 = 0.1;
/// A visit in the history counts half after this long.
const VISIT_HALF_LIFE: Duration = Duration::from_secs(86_400);
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
    /// From 0 to 1 + [`TRENDING_SHARE`]; comparable within one answer.
    pub(crate) score: f64,
    pub(crate) source: Source,
}

impl Model {
    /// What goes with what this shopper saw lately, but not what they just bought; filled up with what trends.
    pub(crate) fn recommend(&self, shopper: &Shopper, now: Time) -> Vec<Candidate> {
        let Some(history) = self.shoppers.get(shopper) else {
            return self.rank(BTreeMap::new(), &HashSet::new());
        };
        let interest = |visit: &Visit| Decayed::new(visit.kind.weight(), visit.time, VISIT_HALF_LIFE);
        let weighed: Vec<_> = history.visits().iter().map(|visit| (&visit.product, interest(visit))).collect();
        let top = weighed.iter().map(|(_, weight)| *weight).max().unwrap_or_default();
        let mut covisited = BTreeMap::new();
        for (product, weight) in weighed {
            let Some(known) = self.products.get(product) else { continue };
            for (neighbour, share) in known.neighbours.shares() {
                *covisited.entry(neighbour).or_insert(0.0) += weight.share_of(top) * share;
            }
        }
        self.rank(covisited, &history.bought_since(now, JUST_BOUGHT).collect())
    }

    /// What goes with this product; filled up with what trends.
    pub(crate) fn similar(&self, product: &ProductId) -> Vec<Candidate> {
        let covisited = self.products.get(product).map(|known| known.neighbours.shares().collect()).unwrap_or_default();
        self.rank(covisited, &HashSet::from([product]))
    }

    fn rank(&self, covisited: BTreeMap<&ProductId, f64>, excluded: &HashSet<&ProductId>) -> Vec<Candidate> {
        let strongest = covisited.values().copied().fold(0.0, f64::max);
        let hottest = self.trending.first().map(|(heat, _)| heat.0).unwrap_or_default();
        let warmth = |heat: Decayed| TRENDING_SHARE * heat.share_of(hottest);
        let also_visited = covisited.iter().map(|(product, affinity)| {
            let heat = self.products.get(*product).map(|known| known.heat).unwrap_or_default();
            let affinity = if strongest > 0.0 { affinity / strongest } else { 0.0 };
            Candidate { product: (*product).clone(), score: affinity + warmth(heat), source: Source::CoVisited }
        });
        let trending =
            self.trending.iter().filter(|(_, product)| !covisited.contains_key(product)).map(|(heat, product)| {
                Candidate { product: product.clone(), score: warmth(heat.0), source: Source::Trending }
            });
        let allowed = |candidate: &Candidate| !excluded.contains(&candidate.product);
        let mut ranked: Vec<_> =
            also_visited.filter(allowed).chain(trending.filter(allowed).take(CANDIDATES_MAX)).collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.product.cmp(&b.product)));
        ranked.truncate(CANDIDATES_MAX);
        ranked
    }
}
