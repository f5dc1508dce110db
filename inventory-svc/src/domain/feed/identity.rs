//! SKUs for variants whose file gives none, or gives several variants the same.

use std::collections::{HashMap, HashSet};

use holdfast_contracts::{IdError, Sku};
use xxhash_rust::xxh3::xxh3_64;

/// What Shopify calls the option value of a product without options.
const NO_OPTION: &str = "Default Title";
/// Between the parts of a derived SKU: needs no escape in a URL and is rare in handles and option values.
const JOINT: &str = "~";
const HASH_CHARS: usize = 16;

/// What sets a variant apart in its file, however its SKU is spelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct VariantKey<'a> {
    pub(super) handle: &'a str,
    pub(super) values: [&'a str; 3],
}

/// Where a SKU came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Own,
    /// Derived: the file gives none.
    Missing,
    /// Derived: the file gives it to several variants.
    Shared,
}

/// The SKUs of one file's variants. They depend on the set of variants alone, never on the order of rows.
#[derive(Debug, Default)]
pub(super) struct Identities<'a> {
    shared: HashSet<&'a str>,
    derived: HashMap<VariantKey<'a>, String>,
}

impl<'a> Identities<'a> {
    pub(super) fn of(variants: &[(VariantKey<'a>, &'a str)]) -> Self {
        let mut owners: HashMap<&str, HashSet<SpellingFreeKey>> = HashMap::new();
        for (key, sku) in variants.iter().filter(|(_, sku)| !sku.is_empty()) {
            owners.entry(sku).or_default().insert(key.spelling_free());
        }
        let shared: HashSet<&str> = owners.iter().filter(|(_, keys)| keys.len() > 1).map(|(sku, _)| *sku).collect();
        let needs_one = |sku: &str| sku.is_empty() || shared.contains(sku);

        let mut taken: HashMap<String, usize> = HashMap::new();
        for sku in owners.keys().filter(|sku| !shared.contains(**sku)) {
            taken.insert((*sku).to_owned(), 1);
        }
        let keys: HashSet<&VariantKey> =
            variants.iter().filter(|(_, sku)| needs_one(sku)).map(|(key, _)| key).collect();
        for key in &keys {
            *taken.entry(key.derive_sku(false)).or_default() += 1;
        }
        let derive = |key: &VariantKey<'a>| {
            let plain = key.derive_sku(false);
            // "A/B~C" from other cuts of the same text, or somebody's own SKU.
            if taken[&plain] > 1 { key.derive_sku(true) } else { plain }
        };
        let derived = keys.into_iter().map(|key| (key.clone(), derive(key))).collect();
        Self { shared, derived }
    }

    /// # Errors
    /// Where the file's own SKU cannot be one.
    pub(super) fn resolve(&self, key: &VariantKey<'a>, sku: &str) -> Result<(Sku, Origin), IdError> {
        let origin = match sku {
            "" => Origin::Missing,
            _ if self.shared.contains(sku) => Origin::Shared,
            _ => return Ok((sku.parse()?, Origin::Own)),
        };
        let derived = self.derived.get(key).cloned().unwrap_or_else(|| key.derive_sku(true));
        Ok((derived.parse()?, origin))
    }
}

/// A key that sees through upper and lower case: one SKU given to `M` and `m` is one variant spelled twice.
type SpellingFreeKey = (String, [String; 3]);

impl VariantKey<'_> {
    pub(super) fn spelling_free(&self) -> SpellingFreeKey {
        (self.handle.to_owned(), self.values.map(str::to_lowercase))
    }

    fn derive_sku(&self, hashed: bool) -> String {
        let values = self.values.into_iter().filter(|value| !value.is_empty() && *value != NO_OPTION);
        let parts: Vec<&str> = std::iter::once(self.handle).chain(values).collect();
        let plain = parts.join(JOINT);
        if !hashed && plain.chars().count() <= Sku::CHARS_MAX {
            return plain;
        }
        let kept: String = plain.chars().take(Sku::CHARS_MAX - HASH_CHARS - JOINT.len()).collect();
        format!("{}{JOINT}{:016x}", kept.trim_end(), xxh3_64(parts.join("\0").as_bytes()))
    }
}

pub(super) fn is_no_option(value: &str) -> bool {
    value == NO_OPTION
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(handle: &'a str, values: &[&'a str]) -> VariantKey<'a> {
        let at = |n: usize| values.get(n).copied().unwrap_or("");
        VariantKey { handle, values: [at(0), at(1), at(2)] }
    }

    fn skus(variants: &[(VariantKey<'static>, &'static str)]) -> Vec<String> {
        let identities = Identities::of(variants);
        let resolve = |(key, sku): &(VariantKey<'static>, &str)| identities.resolve(key, sku).expect("a SKU").0.into();
        variants.iter().map(resolve).collect()
    }

    #[test]
    fn own_skus_stay_and_missing_or_shared_ones_are_derived() {
        let variants = [
            (key("top", &["BLACK", "S"]), "T-1"),
            (key("top", &["BLACK", "M"]), "T-1"),
            (key("bag", &["Default Title"]), ""),
            (key("hat", &["M"]), "H-M"),
            (key("hat", &["m"]), "H-m"),
        ];
        assert_eq!(skus(&variants), ["top~BLACK~S", "top~BLACK~M", "bag", "H-M", "H-m"]);
    }

    #[test]
    fn the_order_of_rows_changes_nothing() {
        let mut variants = vec![
            (key("a", &["x~y", "z"]), ""),
            (key("a", &["x", "y~z"]), ""),
            (key("b", &["S"]), "S1"),
            (key("c", &["S"]), "S1"),
            (key("d", &[]), "b~S"),
        ];
        let mut before = skus(&variants);
        variants.reverse();
        let mut after = skus(&variants);
        before.sort();
        after.sort();
        assert_eq!(before, after);
        before.dedup();
        assert_eq!(before.len(), variants.len(), "no two share one");
    }

    #[test]
    fn one_sku_for_two_spellings_is_one_variant() {
        let variants = [(key("hat", &["M"]), "H"), (key("hat", &["m"]), "H")];
        assert_eq!(skus(&variants), ["H", "H"]);
    }

    #[test]
    fn long_handles_still_give_valid_skus() {
        let long: &'static str = Box::leak("é".repeat(250).into_boxed_str());
        let found = skus(&[(key(long, &["S"]), ""), (key(long, &["M"]), "")]);
        assert_ne!(found[0], found[1]);
        assert!(found.iter().all(|sku| sku.chars().count() <= Sku::CHARS_MAX));
    }
}
