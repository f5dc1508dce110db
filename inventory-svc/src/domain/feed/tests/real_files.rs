//! Exports real shops published, where a folder with them is at hand (`HOLDFAST_DATA`, or a sibling of the
//! workspace). The numbers were counted independently.

use std::path::{Path, PathBuf};

use super::*;

fn data_folder() -> Option<PathBuf> {
    let folder = match std::env::var_os("HOLDFAST_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    folder.is_dir().then_some(folder)
}

fn check(file: &str, policy: &Policy, look: impl Fn(&Feed)) {
    let Some(folder) = data_folder() else {
        eprintln!("SKIPPED: no data folder, {file} is not read");
        return;
    };
    let bytes = std::fs::read(folder.join(file)).expect(file);
    look(&read(&bytes, policy).expect(file));
}

fn variants(feed: &Feed) -> usize {
    feed.products.iter().map(|product| product.variants.len()).sum()
}

fn units(feed: &Feed) -> i64 {
    feed.stock.iter().map(|line| line.on_hand_units).sum()
}

#[test]
fn striker_jerseys_are_taken_whole() {
    check("shopify/striker_jerseys_products_export.csv", &Policy::default(), |feed| {
        assert_eq!((feed.products.len(), variants(feed), units(feed)), (321, 1_565, 125_534));
        assert_eq!(account(feed), (1_565, 0, 64, 0));
        assert_eq!(feed.products.iter().filter(|product| product.status == Status::Draft).count(), 105);
        assert_eq!(feed.brands.len(), 1);
    });
}

#[test]
fn stachewax_has_shared_skus_and_stock_below_zero() {
    check("shopify/stachewax_products_export.csv", &Policy::default(), |feed| {
        assert_eq!((feed.products.len(), variants(feed), units(feed)), (8, 14, 257));
        assert_eq!(account(feed), (14, 0, 47, 0));
        assert_eq!(feed.books.remarked(Remark::SkuShared), 6);
        assert_eq!(feed.books.remarked(Remark::NegativeAsZero), 1);
        assert_eq!(feed.books.remarked(Remark::SoldBeyondStock), 12);
        assert_eq!(feed.brands.len(), 2);
        let gtins = feed.products.iter().flat_map(|p| &p.variants).filter(|v| v.gtin.is_some()).count();
        assert_eq!(gtins, 14);
    });
}

#[test]
fn bilali_leaves_stock_alone_and_keeps_sizes_apart() {
    check("shopify/bilali_resortwear_products_export.csv", &Policy::default(), |feed| {
        assert_eq!((feed.products.len(), variants(feed), feed.stock.len()), (48, 130, 0));
        assert_eq!(account(feed), (130, 0, 64, 0));
        assert_eq!(feed.books.remarked(Remark::SkuShared), 124);
        assert_eq!(feed.books.remarked(Remark::SkuMissing), 2);
        assert_eq!(feed.books.remarked(Remark::NoStockColumn), 1);
        assert_eq!(feed.brands.len(), 1, "one vendor, once with a space behind it");
    });
}

#[test]
fn shopifypartners_have_no_skus_at_all() {
    check("shopify/shopifypartners_apparel.csv", &Policy::default(), |feed| {
        assert_eq!((feed.products.len(), variants(feed), units(feed)), (20, 22, 22));
        assert_eq!(account(feed), (22, 0, 0, 0));
        assert_eq!((feed.books.remarked(Remark::SkuMissing), feed.books.remarked(Remark::Untracked)), (22, 22));
    });
}

#[test]
fn the_multilocation_export_maps_to_its_bins() {
    check("inventory/multilocation_stock_export_7113.csv", &Policy::default(), |feed| {
        assert_eq!(feed.layout, Layout::StockPairs);
        assert_eq!((feed.stock.len(), units(feed), feed.locations.len()), (7_081, 557_927, 255));
        assert_eq!(account(feed), (7_081, 0, 32, 0));
        assert_eq!(feed.books.remarked(Remark::NegativeAsZero), 69);
        assert_eq!(feed.books.remarked(Remark::TotalDiffers), 2_204);
        let mut skus: Vec<_> = feed.stock.iter().map(|line| &line.sku).collect();
        skus.sort_unstable();
        skus.dedup();
        assert_eq!(skus.len(), 6_434 - 32);
    });
}

#[test]
fn shopifys_columns_per_location_need_a_word_on_9999() {
    let file = "inventory/shopify_inventory_export_columns_per_location.csv";
    check(file, &Policy::default(), |feed| {
        assert_eq!(feed.layout, Layout::InventoryByColumn);
        assert_eq!((feed.stock.len(), units(feed)), (50, 0));
        assert_eq!(account(feed), (0, 50, 0, 0));
    });
    let mut policy = Policy::default();
    policy.set_sentinel("9999=take".parse().expect("a rule"));
    check(file, &policy, |feed| {
        assert_eq!((feed.stock.len(), units(feed)), (100, 50 * 9_999));
        assert_eq!(account(feed), (50, 0, 0, 0));
    });
}

#[test]
fn shopifys_rows_per_location_have_no_skus() {
    check("inventory/shopify_inventory_export_new_format.csv", &Policy::default(), |feed| {
        assert_eq!(feed.layout, Layout::InventoryByRow);
        assert_eq!((feed.stock.len(), units(feed)), (67, 7_021));
        assert_eq!(account(feed), (67, 0, 0, 0));
        assert_eq!(feed.books.remarked(Remark::SkuMissing), 67);
        assert_eq!(feed.locations.values().collect::<Vec<_>>(), ["Shop location"]);
    });
}

#[test]
fn lists_without_stock_are_refused_with_what_was_looked_for() {
    let Some(folder) = data_folder() else {
        eprintln!("SKIPPED: no data folder, no foreign files are read");
        return;
    };
    for file in [
        "wine/bc_liquor_store_price_list.csv",
        "beauty/sephora_cosmetics_1472.csv",
        "feeds/sportsretailer_google_merchant_sample.xml",
        "edi/846-sample.edi",
        "orders/olist_orders_14985.csv",
        "sneaker_drop/stockx_four_drop_days.csv",
    ] {
        let bytes = std::fs::read(folder.join(file)).expect(file);
        let error = read(&bytes, &Policy::default()).expect_err(file);
        assert!(
            matches!(&error, FeedError::Unrecognised { looked_for, .. } if looked_for.len() == 5),
            "{file}: {error}"
        );
    }
}
