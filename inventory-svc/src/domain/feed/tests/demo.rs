//! The demo catalogue: it must keep the traps it is there for, and nothing in it may be rejected by accident.

use std::path::Path;

use super::*;

fn read_demo(file: &str) -> Feed {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo").join(file);
    read(&std::fs::read(path).expect(file), &Policy::default()).expect(file)
}

fn check(file: &str, layout: Layout, fates: (usize, usize, usize, usize), rejected_lines: &[u64]) -> Feed {
    let feed = read_demo(file);
    assert_eq!(feed.layout, layout, "{file}");
    assert_eq!(account(&feed), fates, "{file}");
    let mut lines: Vec<u64> = faults(&feed).into_iter().map(|(line, _, _)| line).collect();
    lines.sort_unstable();
    assert_eq!(lines, rejected_lines, "{file}");
    feed
}

#[test]
fn the_demo_keeps_its_traps() {
    let street = check("streetwear.csv", Layout::ProductExport, (117, 1, 18, 1), &[78, 83]);
    assert!(street.books.remarked(Remark::SkuShared) > 0 && street.books.remarked(Remark::NegativeAsZero) == 1);
    let fashion = check("fashion.csv", Layout::ProductExport, (68, 0, 20, 1), &[90]);
    assert_eq!(fashion.books.remarked(Remark::NoStockColumn), 1);
    assert_eq!((fashion.books.remarked(Remark::ZerosRestored), fashion.books.remarked(Remark::BarcodeInvalid)), (8, 2));
    let wine = check("wine.csv", Layout::ProductExport, (35, 0, 1, 0), &[]);
    assert!(matches!(wine.charset, Charset::Windows1252 { .. }));
    assert_eq!(wine.books.remarked(Remark::ColumnRepeated), 1);
    assert!(wine.brands.values().any(|name| name == "Château Prégrive"));
    let beauty = check("beauty.csv", Layout::ProductExport, (25, 2, 13, 0), &[13, 36]);
    assert_eq!(beauty.books.remarked(Remark::CellError), 1);
    check("stock.csv", Layout::StockList, (283, 0, 3, 5), &[284, 286, 287, 288, 291]);
    check("inventory.csv", Layout::InventoryByColumn, (7, 5, 0, 0), &[2, 3, 4, 5, 6]);
}

#[test]
fn the_drop_has_its_500_units_at_main_and_nowhere_else() {
    let stock = read_demo("stock.csv");
    let hot: Vec<_> = levels(&stock).into_iter().filter(|(sku, _, _)| *sku == "HOODIE-DROP-M").collect();
    assert_eq!(hot, [("HOODIE-DROP-M", "main", 500)]);
    let street = read_demo("streetwear.csv");
    let drop = street.products.iter().find(|product| product.id.as_str() == "holdfast-hoodie-drop").expect("the drop");
    assert_eq!((drop.variants.len(), drop.status), (1, Status::Active));
    assert!(read_demo("inventory.csv").stock.iter().all(|line| line.sku.as_str() != "HOODIE-DROP-M"));
}
