//! What products are, as hashed features, and which are alike.

use std::collections::{BTreeSet, VecDeque};

use xxhash_rust::xxh3::xxh3_64;

use super::covisit::power;
use super::product::Products;
use super::sums::Sums;
use super::table::{Slot, Table};
use super::tuning::ContentTuning;

/// How many different features are known: those most recently described.
pub(crate) const FEATURES_MAX: usize = 500_000;
/// How many features one product has at most; those beyond are not looked at.
pub(crate) const PRODUCT_FEATURES_MAX: usize = 64;
/// How many products a feature leads to: the most recently described.
pub(crate) const POSTINGS_MAX: usize = 1_000;
/// How many products features lead one answer to, where the caller names none.
const COMPARED_MAX: usize = 2_000;

/// What kind of thing a feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    Brand,
    Category,
    Attribute,
    Title,
}

/// What the catalogue says of a product.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) brand: Option<String>,
    /// From the widest to the narrowest.
    pub(crate) categories: Vec<String>,
    /// Names and values.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) title: String,
}

/// A feature of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Feature {
    pub(crate) slot: Slot,
    pub(crate) field: Field,
}

/// What is known of one feature.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// How many products have it.
    pub(crate) products: u32,
    /// How many purchases were of products that have it.
    pub(crate) bought: u64,
    /// Products that have or had it.
    posts: VecDeque<Slot>,
}

/// Every feature, by the hash of its field and value.
#[derive(Debug)]
pub(crate) struct Features {
    table: Table<u64, Known>,
    /// How many products have any.
    described: u32,
}

impl Features {
    pub(crate) fn new(features_max: usize) -> Self {
        Self { table: Table::new(features_max), described: 0 }
    }

    /// Takes in what a product is; returns its features, sorted.
    pub(crate) fn describe(&mut self, product: Slot, facts: &Facts) -> Box<[Feature]> {
        let features: BTreeSet<Feature> = hashes(facts)
            .take(PRODUCT_FEATURES_MAX)
            .map(|(field, hash)| Feature { slot: self.table.touch(&hash).slot, field })
            .collect();
        for feature in &features {
            let Some(known) = self.table.get_mut(feature.slot) else { continue };
            known.products = known.products.saturating_add(1);
            if known.posts.len() == POSTINGS_MAX {
                known.posts.pop_front();
            }
            known.posts.push_back(product);
        }
        self.described = self.described.saturating_add(u32::from(!features.is_empty()));
        features.into_iter().collect()
    }

    /// A product is no longer described so.
    pub(crate) fn forget(&mut self, features: &[Feature]) {
        for feature in features {
            if let Some(known) = self.table.get_mut(feature.slot) {
                known.products = known.products.saturating_sub(1);
            }
        }
        self.described = self.described.saturating_sub(u32::from(!features.is_empty()));
    }

    /// A product with these was bought.
    pub(crate) fn record_purchase(&mut self, features: &[Feature]) {
        for feature in features {
            if let Some(known) = self.table.get_mut(feature.slot) {
                known.bought = known.bought.saturating_add(1);
            }
        }
    }

    /// By how long ago they were described, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &u64, &Known)> {
        self.table.iter()
    }

    /// A feature's weight in a product's vector; 0 for one that was forgotten.
    fn weight(&self, feature: Feature, tuning: &ContentTuning) -> f64 {
        let Some(known) = self.table.get(feature.slot) else { return 0.0 };
        let idf = (f64::from(self.described.max(1)) / f64::from(known.products.max(1))).ln().max(0.0);
        tuning.fields[feature.field as usize] * power(idf, tuning.idf_power)
    }

    fn commonness(&self, feature: Slot, exponent: f64) -> f64 {
        let bought = self.table.get(feature).map_or(0, |known| known.bought);
        power(bought as f64 + 1.0, exponent)
    }

    /// What the seeds are like, newest last, each with its own weight: a vector over features.
    pub(crate) fn blend(&self, seeds: &[(Slot, f64)], products: &Products, tuning: &ContentTuning) -> Sums {
        let mut profile = Sums::default();
        let mut recency = 1.0;
        for (item, weight) in seeds.iter().rev() {
            let features = products.get(*item).map_or(&[][..], |product| &product.features);
            let length = self.length(features, tuning);
            for feature in features {
                profile.add(feature.slot, recency * weight * self.weight(*feature, tuning) / length);
            }
            recency *= tuning.recency_step;
        }
        profile
    }

    /// Scores products by how like a profile they are: all named, or else those the profile's rarest features lead to and
    /// those `spoken` for already.
    pub(crate) fn score(
        &self,
        profile: &Sums,
        named: Option<&[Slot]>,
        spoken: impl Iterator<Item = Slot>,
        products: &Products,
        tuning: &ContentTuning,
    ) -> Sums {
        let mut wanted = Sums::default();
        for (feature, weight) in profile.iter() {
            wanted.add(feature, weight / self.commonness(feature, tuning.global_power));
        }
        let gathered;
        let compared = match named {
            Some(named) => named,
            None => {
                gathered = self.gather(&wanted, spoken);
                &gathered
            }
        };
        let mut scores = Sums::default();
        for item in compared {
            let features = products.get(*item).map_or(&[][..], |product| &product.features);
            let product = |feature: &Feature| wanted.get(feature.slot) * self.weight(*feature, tuning);
            let score: f64 = features.iter().map(product).sum();
            if score > 0.0 {
                scores.add(*item, score / self.length(features, tuning));
            }
        }
        scores
    }

    fn length(&self, features: &[Feature], tuning: &ContentTuning) -> f64 {
        if tuning.length_power == 0.0 {
            return 1.0;
        }
        let squares: f64 = features.iter().map(|feature| self.weight(*feature, tuning).powi(2)).sum();
        power(squares.sqrt(), tuning.length_power).max(f64::MIN_POSITIVE)
    }

    /// Rare features first: they tell most, and lead to few.
    fn gather(&self, wanted: &Sums, spoken: impl Iterator<Item = Slot>) -> Vec<Slot> {
        let mut features: Vec<(Slot, f64, &Known)> = wanted
            .iter()
            .filter_map(|(slot, weight)| Some((slot, weight, self.table.get(slot)?)))
            .map(|(slot, weight, known)| (slot, weight / f64::from(known.products.max(1)), known))
            .collect();
        features.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut gathered = BTreeSet::new();
        for (_, _, known) in features {
            gathered.extend(known.posts.iter().rev().take(COMPARED_MAX - gathered.len()));
            if gathered.len() >= COMPARED_MAX {
                break;
            }
        }
        gathered.extend(spoken);
        gathered.into_iter().collect()
    }
}

/// Each feature as its field and a hash of the field and its value; a shop's spelling of case does not matter.
fn hashes(facts: &Facts) -> impl Iterator<Item = (Field, u64)> {
    let hash = |field: Field, name: &str, value: &str| {
        let text = format!("{field:?}\u{1f}{}\u{1f}{}", name.to_lowercase(), value.trim().to_lowercase());
        (field, xxh3_64(text.as_bytes()))
    };
    let brand = facts.brand.iter().map(move |brand| hash(Field::Brand, "", brand));
    let categories = facts.categories.iter().map(move |category| hash(Field::Category, "", category));
    let attributes = facts.attributes.iter().map(move |(name, value)| hash(Field::Attribute, name, value));
    let words = facts.title.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    brand.chain(categories).chain(attributes).chain(words.map(move |word| hash(Field::Title, "", word)))
}
