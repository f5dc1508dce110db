use super::*;

#[test]
fn a_plain_list_is_read_under_usual_names() {
    let feed = read_text("Item Code;Warehouse;Qty On Hand\nA/1;Lager Köln;5\nB;main;0\n");
    assert_eq!(feed.layout, Layout::StockList);
    assert_eq!(levels(&feed), [("A/1", "lager-koeln", 5), ("B", "main", 0)]);
    assert_eq!(feed.locations[&"lager-koeln".parse::<LocationId>().expect("an id")], "Lager Köln");
}

#[test]
fn without_a_location_column_stock_is_at_the_given_place() {
    let policy = Policy { location: "Shop 1".into(), ..Policy::default() };
    assert_eq!(levels(&read_with("sku,on_hand\nA,3\n", &policy)), [("A", "shop-1", 3)]);
}

#[test]
fn a_row_says_where_it_is_or_is_rejected() {
    let feed = read_text("sku,location,on_hand\nA,,3\n,main,3\nC,main,\nD,main,500+\nE,main\n");
    assert_eq!(account(&feed), (0, 0, 1, 4));
    let told: Vec<_> = faults(&feed).into_iter().map(|(line, column, _)| (line, column)).collect();
    assert_eq!(told, [(6, ""), (2, "location"), (3, "sku"), (5, "on_hand")]);
    assert_eq!(feed.books.fate(2), Fate::Skipped(Skip::NoQuantity));
}

#[test]
fn contradicting_rows_are_all_rejected_and_equal_ones_taken_once() {
    let feed = read_text("sku,location,on_hand\nA,main,3\nB,main,1\nA,Main,4\nB,main,1\nA,main,3\n");
    assert_eq!(levels(&feed), [("B", "main", 1)]);
    assert_eq!(account(&feed), (1, 0, 1, 3));
    let conflicts: Vec<_> = faults(&feed).into_iter().map(|(line, _, fault)| (line, fault.clone())).collect();
    assert_eq!(
        conflicts,
        [(2, Fault::Conflict { line: 4 }), (4, Fault::Conflict { line: 2 }), (6, Fault::Conflict { line: 4 }),]
    );
    assert_eq!(feed.books.remarked(Remark::NamesShareId), 1);
}

#[test]
fn numbered_places_are_read_in_pairs_and_held_against_the_total() {
    let feed = read_text(
        "SKU,Name,Quantity,UPC,Location_1,Qty_1,Location_2,Qty_2\nA,a,7,,Z,5,M5,2\nB,b,-9,,Z,-3,,\nC,c,-1,,,,,\n",
    );
    assert_eq!(feed.layout, Layout::StockPairs);
    assert_eq!(levels(&feed), [("A", "z", 5), ("A", "m5", 2), ("B", "z", 0)]);
    assert_eq!(account(&feed), (2, 0, 1, 0));
    assert_eq!((feed.books.remarked(Remark::TotalDiffers), feed.books.remarked(Remark::NegativeAsZero)), (2, 1));
}

#[test]
fn a_column_a_place_is_read_with_what_is_not_stocked_and_what_is_plenty() {
    let text = "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,508 Larkin St,Amazon,Printful\n\
                mug,Mug,Color,Black,M-1,,,4,not stocked,9999\nmug,Mug,Color,Red,M-2,,,not stocked,not stocked,not stocked\n";
    let feed = read_text(text);
    assert_eq!(feed.layout, Layout::InventoryByColumn);
    assert_eq!(levels(&feed), [("M-1", "508-larkin-st", 4)]);
    assert_eq!(account(&feed), (0, 1, 1, 0));
    assert_eq!(faults(&feed), [(2, "Printful", &Fault::Units(UnitsError::Sentinel(9999)))]);

    let mut policy = Policy::default();
    policy.set_sentinel("9999=leave".parse().expect("a rule"));
    assert_eq!(account(&read_with(text, &policy)), (1, 0, 1, 0));
}

#[test]
fn an_inventory_row_gives_on_hand_and_what_is_not_for_sale() {
    let feed = read_text(
        "Handle,Option1 Name,Option1 Value,Option2 Value,SKU,COO,Location,Incoming,Unavailable,Committed,Available,On hand\n\
         puff,Color,Latte,,,,Shop location,0,2,3,95,100\npuff,Color,Emerald,,,,Shop location,0,0,0,200,200\n\
         puff,Color,Mint,,,,Shop location,0,x,0,200,200\n",
    );
    assert_eq!(feed.layout, Layout::InventoryByRow);
    let said: Vec<_> = feed.stock.iter().map(|l| (l.sku.as_str(), l.on_hand_units, l.unavailable_units)).collect();
    assert_eq!(said, [("puff~Latte", 100, Some(5)), ("puff~Emerald", 200, Some(0))]);
    assert_eq!(feed.books.remarked(Remark::CommittedElsewhere), 1);
    assert_eq!(faults(&feed), [(4, "Unavailable", &Fault::Units(UnitsError::NotWhole))]);
}

#[test]
fn product_and_inventory_exports_make_the_same_skus() {
    let products =
        read_text("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\npuff,Puff,Color,Latte,,5\n");
    let stock =
        read_text("Handle,Title,Option1 Name,Option1 Value,SKU,COO,Location,On hand\npuff,Puff,Color,Latte,,,Shop,5\n");
    assert_eq!(products.products[0].variants[0].sku, stock.stock[0].sku);
}

#[test]
fn glued_exports_and_spare_columns_do_no_harm() {
    let feed = read_text("sku,on_hand,on_hand\nA,1,2\n\nsku,on_hand,on_hand\n , ,\nB,2,2,,\n\"C\",\"x\ny");
    assert_eq!(levels(&feed), [("A", "main", 1), ("B", "main", 2)]);
    assert_eq!(feed.books.fate(1), Fate::Skipped(Skip::RepeatedHeader));
    assert_eq!(feed.books.fate(2), Fate::Skipped(Skip::Blank));
    assert_eq!(faults(&feed), [(7, "", &Fault::OpenQuote)]);
    assert_eq!(feed.books.remarked(Remark::ColumnRepeated), 1);
}

#[test]
fn rejects_stand_beside_their_rows() {
    let feed = read_text("sku,on_hand\nA,500+\n");
    let csv = String::from_utf8(feed.rejects_csv()).expect("text");
    assert_eq!(
        csv,
        "line,column,value,reason,sku,on_hand\n\
         2,on_hand,500+,\"is a label, not a count: at least that many is not how many\",A,500+\n"
    );
}
