//! A year of a grocer's baskets with the products' places in the shop (84.51's Complete Journey).

use std::collections::HashMap;
use std::path::Path;

use holdfast_contracts::{CustomerId, ProductId};

use super::{DataError, Rows, field};
use crate::domain::{Facts, Time};

/// No goods: what they are cannot be recommended.
const DEPARTMENTS_LEFT_OUT: [&str; 3] = ["MISCELLANEOUS", "FUEL", "COUPON"];

/// A product in a basket.
#[derive(Debug, Clone)]
pub(in crate::eval) struct Line {
    pub(in crate::eval) time: Time,
    pub(in crate::eval) household: CustomerId,
    pub(in crate::eval) basket: u64,
    pub(in crate::eval) product: ProductId,
    pub(in crate::eval) week: u8,
}

#[derive(Debug)]
pub(in crate::eval) struct Journey {
    /// In order of time.
    pub(in crate::eval) lines: Vec<Line>,
    pub(in crate::eval) facts: Vec<(ProductId, Facts)>,
}

/// Without what is no goods, and without what the catalogue does not have.
pub(in crate::eval) fn read(folder: &Path) -> Result<Journey, DataError> {
    let mut facts = HashMap::<String, (ProductId, Facts)>::new();
    let columns =
        ["product_id", "department", "manufacturer_id", "brand", "product_category", "product_type", "package_size"];
    Rows::open(&folder.join("products.tsv.gz"), b'\t', &columns)?.each(|row| {
        if !DEPARTMENTS_LEFT_OUT.contains(&row[1]) {
            facts.insert(row[0].to_owned(), (field("product_id", row[0])?, facts_of(row)));
        }
        Ok(())
    })?;
    let mut households = HashMap::<String, CustomerId>::new();
    let mut lines = Vec::new();
    let columns = ["ts", "household_id", "basket_id", "product_id", "week"];
    Rows::open(&folder.join("transactions.tsv.gz"), b'\t', &columns)?.each(|row| {
        let Some((product, _)) = facts.get(row[3]) else { return Ok(()) };
        let seconds: i64 = field("ts", row[0])?;
        let time = seconds.checked_mul(1_000).and_then(Time::from_ms).ok_or("ts is before 1970")?;
        let household = match households.get(row[1]) {
            Some(known) => known.clone(),
            None => households.entry(row[1].to_owned()).or_insert(field("household_id", row[1])?).clone(),
        };
        let (basket, week) = (field("basket_id", row[2])?, field("week", row[4])?);
        lines.push(Line { time, household, basket, product: product.clone(), week });
        Ok(())
    })?;
    lines.sort_by_key(|line| line.time);
    let mut facts: Vec<_> = facts.into_values().collect();
    facts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Journey { lines, facts })
}

fn facts_of(row: &[&str]) -> Facts {
    let given = |text: &&str| !text.is_empty();
    let named = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Facts {
        brand: Some(row[2]).filter(given).map(str::to_owned),
        categories: [row[1], row[4], row[5]].iter().filter(|text| given(text)).map(|text| (*text).to_owned()).collect(),
        attributes: [("label", row[3]), ("size", row[6])]
            .into_iter()
            .filter(|(_, text)| given(text))
            .map(named)
            .collect(),
        // The data has no titles; these are the words a shopper would read.
        title: format!("{} {}", row[4], row[5]),
    }
}
