use proptest::prelude::*;

use super::*;

/// Cells that have broken importers before.
fn nasty_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-C]{1,2}",
        "-?[0-9]{1,4}",
        Just("9999".to_owned()),
        Just("500+".to_owned()),
        Just("not stocked".to_owned()),
        Just("\"open".to_owned()),
        Just("\"two\nlines\"".to_owned()),
        Just("'0850064060010".to_owned()),
        Just("#NAME?".to_owned()),
        Just("\u{0}".to_owned()),
        Just("Default Title".to_owned()),
        "\\PC{0,6}",
    ]
}

fn nasty_file() -> impl Strategy<Value = Vec<u8>> {
    let header = prop::sample::select(vec![
        "sku,location,on_hand",
        "SKU,Quantity,Location_1,Qty_1,Location_2,Qty_2",
        "Handle,Title,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty,Image Src,Status",
        "Handle,Title,Option1 Value,SKU,COO,Here,There",
        "Handle,Title,Option1 Value,SKU,COO,Location,Unavailable,Committed,On hand",
        "\u{feff}sku;on_hand;on_hand",
    ]);
    let rows = prop::collection::vec(prop::collection::vec(nasty_cell(), 0..9), 0..12);
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (header, rows, cuts).prop_map(|(header, rows, cuts)| {
        let delimiter = if header.contains(';') { ";" } else { "," };
        let mut text = header.to_owned();
        for row in rows {
            text.push('\n');
            text.push_str(&row.join(delimiter));
        }
        let mut bytes = text.into_bytes();
        // Damage below the header only: above it the file would just be another file.
        let body = header.len() + 1;
        for (at, byte) in cuts {
            if bytes.len() > body {
                let at = body + at.index(bytes.len() - body);
                bytes[at] = byte;
            }
        }
        bytes
    })
}

fn check_laws(feed: &Feed) {
    let (taken, in_part, skipped, rejected) = account(feed);
    assert_eq!(taken + in_part + skipped + rejected, feed.table.rows.len(), "every row has one fate");

    // Whatever fate a row has, the feed and the rejects agree with it.
    for (row, fate) in feed.books.fates().enumerate() {
        let variants = feed.products.iter().flat_map(|p| &p.variants).filter(|v| v.row == row).count();
        let levels = feed.stock.iter().filter(|line| line.row == row).count();
        let rejects = feed.books.rejects().iter().filter(|reject| reject.row == row).count();
        let expected = match (variants + levels, rejects) {
            (0, 0) => matches!(fate, Fate::Skipped(_)),
            (0, _) => fate == Fate::Rejected,
            (_, 0) => fate == Fate::Taken,
            (_, _) => fate == Fate::InPart,
        };
        assert!(expected, "row {row}: {fate:?}, {variants} variants, {levels} levels, {rejects} rejects");
    }

    let mut skus: Vec<_> = feed.products.iter().flat_map(|p| &p.variants).map(|v| v.sku.as_str()).collect();
    let variants = skus.len();
    skus.sort_unstable();
    skus.dedup();
    assert_eq!(skus.len(), variants, "no two variants share a SKU");

    let mut levels: Vec<_> = feed.stock.iter().map(|line| (&line.sku, &line.location)).collect();
    let lines = levels.len();
    levels.sort_unstable();
    levels.dedup();
    assert_eq!(levels.len(), lines, "no two lines say the same level");
    assert!(feed.stock.iter().all(|line| (0..=UNITS_MAX).contains(&line.on_hand_units)));
    assert!(feed.stock.iter().all(|line| feed.locations.contains_key(&line.location)));
    assert!(feed.products.iter().all(|product| feed.brands.contains_key(&product.brand)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(feed) = read(&bytes, &Policy::default()) {
            check_laws(&feed);
        }
    }

    #[test]
    fn every_row_is_taken_skipped_or_rejected(bytes in nasty_file()) {
        let feed = read(&bytes, &Policy::default()).expect("the header is one we know");
        check_laws(&feed);
        prop_assert!(!feed.rejects_csv().is_empty());
    }

    #[test]
    fn reading_twice_gives_the_same(bytes in nasty_file()) {
        let (one, two) = (read(&bytes, &Policy::default()), read(&bytes, &Policy::default()));
        let (one, two) = (one.expect("known"), two.expect("known"));
        prop_assert_eq!(one.products, two.products);
        prop_assert_eq!(one.stock, two.stock);
        prop_assert_eq!(one.books.rejects(), two.books.rejects());
    }
}
