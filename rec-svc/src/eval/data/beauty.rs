//! Purchase sequences with attributes, as S3Rec reads them: a line a shopper, products in order of time; times are unknown.

use std::collections::BTreeMap;
use std::path::Path;

use holdfast_contracts::{CustomerId, ProductId};

use super::{DataError, field, read_text};
use crate::domain::Facts;

#[derive(Debug)]
pub(in crate::eval) struct Sequences {
    /// By shopper.
    pub(in crate::eval) bought: Vec<(CustomerId, Vec<ProductId>)>,
    pub(in crate::eval) facts: Vec<(ProductId, Facts)>,
}

pub(in crate::eval) fn read(folder: &Path) -> Result<Sequences, DataError> {
    let path = folder.join("Beauty.txt");
    let mut bought = Vec::new();
    for (line, text) in (1..).zip(read_text(&path)?.lines()) {
        let mut words = text.split_ascii_whitespace();
        let Some(shopper) = words.next() else { continue };
        let bad = |problem| DataError::Line { path: path.clone(), line, problem };
        let items = words.map(|word| field("item", word)).collect::<Result<_, _>>();
        bought.push((field("shopper", shopper).map_err(bad)?, items.map_err(bad)?));
    }
    let path = folder.join("Beauty_item2attributes.json");
    let bad = |problem: String| DataError::File { path: path.clone(), problem };
    let attributes: BTreeMap<String, Vec<u32>> =
        serde_json::from_str(&read_text(&path)?).map_err(|cause| bad(cause.to_string()))?;
    let facts = attributes.into_iter().map(|(item, attributes)| {
        let attributes = attributes.into_iter().map(|attribute| (String::new(), attribute.to_string())).collect();
        Ok((field("item", &item)?, Facts { attributes, ..Facts::default() }))
    });
    Ok(Sequences { bought, facts: facts.collect::<Result<_, _>>().map_err(bad)? })
}
