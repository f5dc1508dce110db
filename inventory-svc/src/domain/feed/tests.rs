//! What a whole file comes to: the rules between rows, and the account of every row.

mod demo;
mod laws;
mod product_export;
mod real_files;
mod stock_files;

use super::*;

fn read_text(text: &str) -> Feed {
    read_with(text, &Policy::default())
}

fn read_with(text: &str, policy: &Policy) -> Feed {
    read(text.as_bytes(), policy).expect("a file we know")
}

/// (taken, in part, skipped, rejected).
fn account(feed: &Feed) -> (usize, usize, usize, usize) {
    let count = |wanted: fn(Fate) -> bool| feed.books.fates().filter(|fate| wanted(*fate)).count();
    (
        count(|fate| fate == Fate::Taken),
        count(|fate| fate == Fate::InPart),
        count(|fate| matches!(fate, Fate::Skipped(_))),
        count(|fate| fate == Fate::Rejected),
    )
}

fn faults(feed: &Feed) -> Vec<(u64, &str, &Fault)> {
    let told = |reject: &'_ Reject| feed.table.rows[reject.row].line;
    feed.books.rejects().iter().map(|reject| (told(reject), reject.column.as_str(), &reject.fault)).collect()
}

fn levels(feed: &Feed) -> Vec<(&str, &str, i64)> {
    feed.stock.iter().map(|line| (line.sku.as_str(), line.location.as_str(), line.on_hand_units)).collect()
}
