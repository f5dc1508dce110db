use super::*;

const HEADER: &str = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,\
Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Status,\
Fabric (product.metafields.custom.fabric)";

fn export(rows: &[&str]) -> Feed {
    read_text(&format!("{HEADER}\n{}\n", rows.join("\n")))
}

fn skus(product: &Product) -> Vec<&str> {
    product.variants.iter().map(|variant| variant.sku.as_str()).collect()
}

#[test]
fn rows_are_grouped_by_handle_wherever_they_stand() {
    let feed = export(&[
        "tee,Tee,<p>Soft</p>,Acme,Apparel > Tees,,\"new, tees, new\",true,Size,S,,,T-S,5,20.00,,http://i/1,active,Cotton",
        "cap,Cap,,Acme,Uncategorized,Hats,,true,Title,Default Title,,,CAP,1,15,,,draft,",
        "tee,,,,,,,,,M,,,T-M,7,22.5,,,,Linen",
        "tee,,,,,,,,,,,,,,,,http://i/2,,",
    ]);
    assert_eq!(account(&feed), (3, 0, 1, 0));
    assert_eq!(feed.books.fate(3), Fate::Skipped(Skip::ImageOnly));
    let [tee, cap] = &feed.products[..] else { panic!("two products") };
    assert_eq!(skus(tee), ["T-S", "T-M"]);
    assert_eq!((tee.title.as_str(), tee.description.as_str()), ("Tee", "<p>Soft</p>"));
    assert_eq!(tee.tags, ["new", "tees"]);
    assert_eq!(tee.brand.as_str(), "acme");
    assert_eq!(tee.variants[1].options["Size"], "M");
    assert_eq!(tee.variants[1].price.expect("a price").amount_minor, 2250);
    assert_eq!((cap.status, cap.category.as_str()), (Status::Draft, "Hats"));
    assert!(cap.variants[0].options.is_empty(), "Default Title is no option");
    assert_eq!(levels(&feed), [("T-S", "main", 5), ("T-M", "main", 7), ("CAP", "main", 1)]);
}

#[test]
fn attributes_that_vary_are_the_variants() {
    let feed = export(&[
        "wine,Wine,,Acme,,,,,Vintage,2019,,,W-19,1,20,,,,Oak",
        "wine,,,,,,,,,2020,,,W-20,1,20,,,,Steel",
        "tee,Tee,,Acme,,,,,Size,S,,,T-S,1,20,,,,Cotton",
        "tee,,,,,,,,,M,,,T-M,1,20,,,,Cotton",
        "tee,,,,,,,,,L,,,T-L,1,20,,,,",
    ]);
    let [wine, tee] = &feed.products[..] else { panic!("two products") };
    let fabric = |attributes: &BTreeMap<String, String>| attributes.get("custom.fabric").cloned().unwrap_or_default();
    assert_eq!(fabric(&wine.attributes), "");
    assert_eq!(wine.variants.iter().map(|v| fabric(&v.attributes)).collect::<Vec<_>>(), ["Oak", "Steel"]);
    assert_eq!(fabric(&tee.attributes), "Cotton");
    assert_eq!(tee.variants.iter().map(|v| fabric(&v.attributes)).collect::<Vec<_>>(), ["", "", ""]);
}

#[test]
fn a_missing_stock_column_leaves_stock_alone() {
    let feed = read_text("Handle,Title,Option1 Value,Variant SKU,Variant Price\ncap,Cap,Default Title,CAP,15\n");
    assert_eq!((feed.products.len(), feed.stock.len()), (1, 0));
    assert_eq!(feed.books.remarked(Remark::NoStockColumn), 1);
}

#[test]
fn shared_and_missing_skus_become_skus_of_their_own() {
    let feed = export(&[
        "top,Top,,Acme,,,,,COLOR,BLACK,Size,S,SS-1,1,5,,,,",
        "top,,,,,,,,,BLACK,,M,SS-1,1,5,,,,",
        "vest,Vest,,Acme,,,,,Farbe,Blau,,,SS-1,1,5,,,,",
        "bag,Bag,,Acme,,,,,Title,Default Title,,,,1,5,,,,",
    ]);
    assert_eq!(skus(&feed.products[0]), ["top~BLACK~S", "top~BLACK~M"]);
    assert_eq!(feed.products[0].variants[0].attributes["original_sku"], "SS-1");
    assert_eq!(feed.products[0].variants[0].options["COLOR"], "BLACK", "option names stay as they come");
    assert_eq!(skus(&feed.products[1]), ["vest~Blau"]);
    assert_eq!(skus(&feed.products[2]), ["bag"]);
    assert_eq!((feed.books.remarked(Remark::SkuShared), feed.books.remarked(Remark::SkuMissing)), (3, 1));
}

#[test]
fn sizes_stay_apart_only_where_they_are_variants() {
    let feed = export(&[
        "tee,Tee,,Acme,,,,,Size,M,,,T-M,1,5,,,,",
        "tee,,,,,,,,,m,,,T-m,1,5,,,,",
        "cap,Cap,,Acme,,,,,Size,2XL,,,CAP,1,5,,,,",
        "cap,,,,,,,,,2xl,,,CAP,1,5,,,,",
    ]);
    assert_eq!(skus(&feed.products[0]), ["T-M", "T-m"]);
    assert_eq!(skus(&feed.products[1]), ["CAP"]);
    assert_eq!(faults(&feed), [(5, "Option1 Value", &Fault::RepeatsVariant { line: 4 })]);
}

#[test]
fn barcodes_are_normalised_or_kept_as_they_are() {
    let feed = export(&[
        "a,A,,Acme,,,,,Size,S,,,A-S,1,5,'0850064060010,,,",
        "a,,,,,,,,,M,,,A-M,1,5,48162013513,,,",
        "a,,,,,,,,,L,,,A-L,1,5,48162013514,,,",
    ]);
    let [s, m, l] = &feed.products[0].variants[..] else { panic!("three variants") };
    assert_eq!(s.gtin.as_ref().map(Gtin::to_string).as_deref(), Some("00850064060010"));
    assert_eq!(m.gtin.as_ref().map(Gtin::to_string).as_deref(), Some("00048162013513"));
    assert_eq!((&l.gtin, l.attributes["barcode"].as_str()), (&None, "48162013514"));
    assert_eq!((feed.books.remarked(Remark::ZerosRestored), feed.books.remarked(Remark::BarcodeInvalid)), (1, 1));
}

#[test]
fn a_bad_cell_costs_its_row_and_bad_stock_only_the_stock() {
    let feed = export(&[
        "a,A,,Acme,,,,,Size,S,,,A-S,1,free,,,,",
        "a,,,,,,,,,M,,,A-M,500+,5,,,,",
        "a,,,,,,,,,L,,,A-L,-2,5,,,,",
    ]);
    assert_eq!(account(&feed), (1, 1, 0, 1));
    assert_eq!(
        faults(&feed),
        [
            (2, "Variant Price", &Fault::Price(PriceError::NotPrice)),
            (3, "Variant Inventory Qty", &Fault::Units(UnitsError::Label)),
        ]
    );
    assert_eq!(skus(&feed.products[0]), ["A-M", "A-L"]);
    assert!(!feed.products[0].is_complete);
    assert_eq!(levels(&feed), [("A-L", "main", 0)]);
}

#[test]
fn a_fault_of_the_product_refuses_all_its_variants_once() {
    let feed = export(&[
        "a,A,,Acme,,,,,Size,S,,,A-S,1,5,,,sold,",
        "a,,,,,,,,,M,,,A-M,1,5,,,,",
        "b,,,Acme,,,,,Size,S,,,B-S,1,5,,,,",
    ]);
    assert_eq!(account(&feed), (0, 0, 0, 3));
    assert_eq!(
        faults(&feed),
        [(3, "", &Fault::Product { line: 2 }), (2, "Status", &Fault::Status), (4, "Title", &Fault::NoTitle)]
    );
}

#[test]
fn every_field_has_its_bound() {
    let long = "x".repeat(70_000);
    for (column, row) in [
        ("Handle", format!("{},A,,,,,,,,S,,,K,1,5,,,,", &long[..256])),
        ("Handle", "a/b,A,,,,,,,,S,,,K,1,5,,,,".to_owned()),
        ("Title", format!("a,{long},,,,,,,,S,,,K,1,5,,,,")),
        ("Title", "a,A\u{0}B,,,,,,,,S,,,K,1,5,,,,".to_owned()),
        ("Body (HTML)", format!("a,A,{long},,,,,,,S,,,K,1,5,,,,")),
        ("Tags", format!("a,A,,,,,{long},,,S,,,K,1,5,,,,")),
        ("Tags", format!("a,A,,,,,\"{}\",,,S,,,K,1,5,,,,", (0..300).map(|n| format!("{n},")).collect::<String>())),
        ("Option1 Value", format!("a,A,,,,,,,,{long},,,K,1,5,,,,")),
        ("Variant SKU", format!("a,A,,,,,,,,S,,,{},1,5,,,,", &long[..101])),
        ("Variant Inventory Qty", "a,A,,,,,,,,S,,,K,1000000001,5,,,,".to_owned()),
        ("Variant Price", "a,A,,,,,,,,S,,,K,1,99999999999999,,,,".to_owned()),
        ("Fabric (product.metafields.custom.fabric)", format!("a,A,,,,,,,,S,,,K,1,5,,,,{long}")),
    ] {
        let feed = export(&[&row]);
        assert_eq!(faults(&feed).first().map(|fault| fault.1), Some(column), "{}", &row[..40.min(row.len())]);
    }
}
