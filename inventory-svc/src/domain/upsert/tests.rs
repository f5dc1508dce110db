use std::time::SystemTime;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::domain::attributes::Attributes;
use crate::domain::product::{Revision, Status, VARIANTS_MAX};
use crate::domain::variant::Options;

fn variant(sku: &str, fabric: u8) -> Variant {
    let mut attributes = serde_json::Map::new();
    attributes.insert("fabric".to_owned(), fabric.into());
    Variant {
        sku: sku.parse().unwrap(),
        options: Options::default(),
        gtin: None,
        price: None,
        attributes: Attributes::try_from(attributes).unwrap(),
    }
}

fn product(variants: Vec<Variant>) -> Product {
    Product {
        id: "hoodie".parse().unwrap(),
        brand: "acme".parse().unwrap(),
        title: "Hoodie".to_owned().try_into().unwrap(),
        description: String::new().try_into().unwrap(),
        category: String::new().try_into().unwrap(),
        status: Status::Active,
        tags: Vec::new(),
        attributes: Attributes::default(),
        variants: variants.try_into().unwrap(),
    }
}

fn of(skus: &[&str]) -> Product {
    product(skus.iter().map(|sku| variant(sku, 0)).collect())
}

fn found(product: Option<StoredProduct>) -> Found {
    Found { brand_exists: true, product, taken: HashMap::new() }
}

/// The model: what is stored once an upsert was written.
fn apply(wanted: &Product, stored: Option<&StoredProduct>) -> StoredProduct {
    match decide_upsert(wanted, found(stored.cloned())).unwrap() {
        Upsert::Unchanged(stored) => stored,
        Upsert::Changed(change) => StoredProduct {
            product: wanted.clone(),
            retired: change.retired,
            revision: Revision { version: change.version_found + 1, updated_at: SystemTime::UNIX_EPOCH },
        },
    }
}

/// Which variants an update writes, as (SKU, position, retired, new).
#[track_caller]
fn check(given: &[&[&str]], when: &[&str], then: &[(&str, usize, bool, bool)]) {
    let stored = given.iter().fold(None, |stored, skus| Some(apply(&of(skus), stored.as_ref())));
    let writes = match decide_upsert(&of(when), found(stored)).unwrap() {
        Upsert::Unchanged(_) => Vec::new(),
        Upsert::Changed(change) => change.writes,
    };
    let writes: Vec<_> =
        writes.iter().map(|write| (write.variant.sku.as_str(), write.position, write.retired, write.is_new)).collect();
    assert_eq!(writes, then);
}

#[test]
fn only_what_differs_is_written() {
    check(&[], &["A", "B"], &[("A", 0, false, true), ("B", 1, false, true)]);
    check(&[&["A", "B"]], &["A", "B"], &[]);
    check(&[&["A", "B"]], &["A", "B", "C"], &[("C", 2, false, true)]);
    check(&[&["A", "B"]], &["B", "A"], &[("B", 0, false, false), ("A", 1, false, false)]);
}

#[test]
fn what_is_left_out_is_retired_and_comes_back() {
    check(&[&["A", "B"]], &["A"], &[("B", 1, true, false)]);
    check(&[&["A", "B"], &["A"]], &["A"], &[]);
    check(&[&["A", "B"], &["A"]], &["A", "B"], &[("B", 1, false, false)]);
}

#[test]
fn a_product_of_no_brand_is_refused() {
    let refused = decide_upsert(&of(&["A"]), Found { brand_exists: false, ..found(None) });
    assert_eq!(refused, Err(UpsertRefusal::BrandNotFound { brand: "acme".parse().unwrap() }));
}

#[test]
fn another_products_sku_is_refused_by_its_place() {
    let (sku, product): (Sku, ProductId) = ("B".parse().unwrap(), "tee".parse().unwrap());
    let taken = HashMap::from([(sku.clone(), product.clone())]);
    let refused = decide_upsert(&of(&["A", "B"]), Found { taken, ..found(None) });
    assert_eq!(refused, Err(UpsertRefusal::SkuTaken { sku, product, index: 1 }));
}

#[test]
fn the_variants_a_product_keeps_are_bounded() {
    let generation = |n: usize| product((0..VARIANTS_MAX).map(|at| variant(&format!("{n}-{at}"), 0)).collect());
    let stored =
        (0..VARIANTS_KEPT_MAX / VARIANTS_MAX).fold(None, |stored, n| Some(apply(&generation(n), stored.as_ref())));
    let refused = decide_upsert(&generation(99), found(stored));
    assert_eq!(refused, Err(UpsertRefusal::TooManyKept { count: VARIANTS_KEPT_MAX + VARIANTS_MAX }));
}

fn any_product() -> impl Strategy<Value = Product> {
    let skus = subsequence(vec!["A", "B", "C", "D", "E"], 1..=5).prop_shuffle();
    (skus, prop::collection::vec(0..2_u8, 5))
        .prop_map(|(skus, fabrics)| product(skus.iter().zip(fabrics).map(|(sku, f)| variant(sku, f)).collect()))
}

proptest! {
    #[test]
    fn no_variant_is_ever_lost_and_a_repetition_changes_nothing(upserts in prop::collection::vec(any_product(), 1..8)) {
        let mut stored: Option<StoredProduct> = None;
        let mut ever = std::collections::BTreeSet::new();
        for wanted in &upserts {
            ever.extend(wanted.variants.as_slice().iter().map(|variant| variant.sku.clone()));
            let now = apply(wanted, stored.as_ref());
            prop_assert_eq!(&apply(wanted, Some(&now)), &now);
            let kept = now.product.variants.as_slice().iter().chain(&now.retired).map(|variant| variant.sku.clone());
            let mut kept: Vec<Sku> = kept.collect();
            kept.sort();
            prop_assert_eq!(&kept, &ever.iter().cloned().collect::<Vec<_>>());
            stored = Some(now);
        }
    }
}
