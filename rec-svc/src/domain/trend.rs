//! What is popular lately: in the whole shop, and in each category.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::decay::Decayed;
use super::table::Slot;

/// Hottest first; ties by slot, that is, by who was seen first.
type Ranking = BTreeSet<(Reverse<Decayed>, Slot)>;

/// Every product with heat. As many categories as there are features of that kind.
#[derive(Debug, Default)]
pub(crate) struct Trends {
    shop: Ranking,
    /// By how many bought it, over the long run.
    demand: Ranking,
    categories: BTreeMap<Slot, Ranking>,
}

impl Trends {
    /// A product's heat changed; `categories` are the features that name its.
    pub(crate) fn change(&mut self, item: Slot, categories: &[Slot], before: Decayed, after: Decayed) {
        change(&mut self.shop, item, before, after);
        for category in categories {
            let ranking = self.categories.entry(*category).or_default();
            change(ranking, item, before, after);
            if ranking.is_empty() {
                self.categories.remove(category);
            }
        }
    }

    pub(crate) fn change_demand(&mut self, item: Slot, before: Decayed, after: Decayed) {
        change(&mut self.demand, item, before, after);
    }

    /// Bought by most first.
    pub(crate) fn demand(&self) -> impl Iterator<Item = (Slot, Decayed)> {
        self.demand.iter().map(|(demand, item)| (*item, demand.0))
    }

    /// Hottest first.
    pub(crate) fn shop(&self) -> impl Iterator<Item = (Slot, Decayed)> {
        self.shop.iter().map(|(heat, item)| (*item, heat.0))
    }

    /// Hottest first; nothing of a category nobody is interested in.
    pub(crate) fn category(&self, category: Slot) -> impl Iterator<Item = (Slot, Decayed)> {
        self.categories.get(&category).into_iter().flatten().map(|(heat, item)| (*item, heat.0))
    }
}

fn change(ranking: &mut Ranking, item: Slot, before: Decayed, after: Decayed) {
    ranking.remove(&(Reverse(before), item));
    if !after.is_zero() {
        ranking.insert((Reverse(after), item));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::event::Time;
    use super::super::table::Table;
    use super::*;

    #[test]
    fn a_category_has_its_own_ranking_and_forgets_with_the_shop() {
        let mut table = Table::<u32, ()>::new(10);
        let slots: Vec<Slot> = (0..4).map(|key| table.touch(&key).slot).collect();
        let [wine, shoes, red, white] = slots[..] else { panic!("four") };
        let heat = |units| Decayed::new(units, Time::default(), Duration::from_secs(1));
        let mut trends = Trends::default();
        trends.change(red, &[wine], Decayed::ZERO, heat(1.0));
        trends.change(white, &[wine, shoes], Decayed::ZERO, heat(2.0));
        let named = |ranking: Vec<(Slot, Decayed)>| ranking.into_iter().map(|(item, _)| item).collect::<Vec<_>>();
        assert_eq!(named(trends.category(wine).collect()), [white, red]);
        assert_eq!(named(trends.category(shoes).collect()), [white]);
        trends.change(white, &[wine, shoes], heat(2.0), Decayed::ZERO);
        assert_eq!(named(trends.category(wine).collect()), [red]);
        assert_eq!(trends.category(shoes).count(), 0);
        assert_eq!(named(trends.shop().collect()), [red]);
    }
}
