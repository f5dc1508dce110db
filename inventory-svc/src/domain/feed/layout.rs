//! What a file is, told by its header alone.

use std::fmt;

use super::table::{Table, fold_name};

/// The files that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    ProductExport,
    InventoryByRow,
    InventoryByColumn,
    StockPairs,
    StockList,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProductExport => "Shopify product export",
            Self::InventoryByRow => "Shopify inventory export, a row per location",
            Self::InventoryByColumn => "Shopify inventory export, a column per location",
            Self::StockPairs => "stock list with numbered location and quantity columns",
            Self::StockList => "stock list",
        })
    }
}

/// Where a product export has what.
#[derive(Debug, Clone, Default)]
pub(super) struct ProductColumns {
    pub(super) handle: usize,
    pub(super) title: usize,
    pub(super) description: Option<usize>,
    pub(super) vendor: Option<usize>,
    pub(super) category: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) tags: Option<usize>,
    pub(super) published: Option<usize>,
    pub(super) status: Option<usize>,
    pub(super) option_names: [Option<usize>; 3],
    pub(super) option_values: [Option<usize>; 3],
    pub(super) sku: Option<usize>,
    pub(super) price: Option<usize>,
    pub(super) compare_at: Option<usize>,
    pub(super) barcode: Option<usize>,
    pub(super) quantity: Option<usize>,
    pub(super) tracker: Option<usize>,
    pub(super) oversell: Option<usize>,
    pub(super) image: Option<usize>,
    /// Every other column that says something about the goods, with the attribute's name.
    pub(super) attributes: Vec<(usize, String)>,
}

/// Where a stock file has what.
#[derive(Debug, Clone)]
pub(super) struct StockColumns {
    pub(super) layout: Layout,
    pub(super) sku: usize,
    pub(super) handle: Option<usize>,
    pub(super) option_values: [Option<usize>; 3],
    pub(super) places: Places,
}

/// How a stock file says where.
#[derive(Debug, Clone)]
pub(super) enum Places {
    /// One place a row.
    Row { location: Option<usize>, counts: Counts },
    /// `Location_1`, `Qty_1`, `Location_2`, ...; and the SKU's total over all rows.
    Pairs { pairs: Vec<(usize, usize)>, total: Option<usize> },
    /// One column a place, named by the header.
    Columns(Vec<usize>),
}

/// The quantities a row has for its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) on_hand: usize,
    /// Shopify's column for a new count, which goes before the old one.
    pub(super) on_hand_new: Option<usize>,
    pub(super) unavailable: Option<usize>,
    pub(super) committed: Option<usize>,
}

/// What was recognised.
#[derive(Debug, Clone)]
pub(super) enum Mapping {
    Products(Box<ProductColumns>),
    Stock(StockColumns),
}

const SKU: &[&str] = &[
    "sku",
    "variant sku",
    "item sku",
    "product sku",
    "seller sku",
    "merchant sku",
    "stock keeping unit",
    "item code",
    "product code",
    "item number",
    "article number",
    "artikelnummer",
    "article",
];
const LOCATION: &[&str] = &[
    "location",
    "location id",
    "location name",
    "warehouse",
    "warehouse id",
    "warehouse name",
    "store",
    "site",
    "lager",
];
const ON_HAND: &[&str] = &[
    "on hand",
    "on hand current",
    "qty on hand",
    "quantity on hand",
    "stock on hand",
    "soh",
    "qoh",
    "on hand qty",
    "on hand quantity",
    "stock",
    "stock level",
    "stock quantity",
    "inventory",
    "inventory quantity",
    "variant inventory qty",
    "quantity",
    "qty",
    "units",
    "count",
    "bestand",
    "menge",
    "available",
];
const UNAVAILABLE: &[&str] = &["unavailable", "unavailable not editable", "damaged"];
const COMMITTED: &[&str] = &["committed", "committed not editable"];

/// What the inventory export's own columns are called; the others are places.
const INVENTORY_OWN: &[&str] = &[
    "handle",
    "title",
    "option1 name",
    "option1 value",
    "option2 name",
    "option2 value",
    "option3 name",
    "option3 value",
    "sku",
    "barcode",
    "hs code",
    "coo",
];

/// Columns that are read on their own, or that say nothing about the goods. What a unit cost the shop is not for
/// shoppers to see, and products are.
const NOT_ATTRIBUTES: &[&str] = &[
    "handle",
    "url handle",
    "title",
    "body html",
    "description",
    "vendor",
    "product category",
    "tags",
    "published",
    "published on online store",
    "status",
    "variant sku",
    "sku",
    "variant price",
    "price",
    "variant compare at price",
    "compare at price",
    "variant barcode",
    "barcode",
    "variant inventory qty",
    "inventory quantity",
    "variant inventory tracker",
    "inventory tracker",
    "variant inventory policy",
    "continue selling when out of stock",
    "image src",
    "product image url",
    "image position",
    "image alt text",
    "variant image",
    "variant image url",
    "variant fulfillment service",
    "fulfillment service",
    "variant requires shipping",
    "requires shipping",
    "variant taxable",
    "charge tax",
    "variant tax code",
    "tax code",
    "variant weight unit",
    "weight unit for display",
    "cost per item",
    "gift card",
    "seo title",
    "seo description",
];
const NOT_ATTRIBUTE_PREFIXES: &[&str] = &["option1 ", "option2 ", "option3 ", "unit price ", "included ", "price "];
/// Metafields by which the shop arranges its pages.
const NOT_ATTRIBUTE_NAMESPACES: &[&str] = &["shopify--discovery--", "mm-google-shopping.", "reviews."];

/// Tells what a file is.
///
/// # Errors
/// What was looked for and is not there, one line a layout.
pub(super) fn recognise(table: &Table) -> Result<(Layout, Mapping), Vec<String>> {
    let columns = Columns { names: table.names() };
    let mut missing = Vec::new();
    match columns.product_export(table) {
        Ok(found) => return Ok((Layout::ProductExport, Mapping::Products(Box::new(found)))),
        Err(lacks) => missing.push(looked_for(Layout::ProductExport, &lacks)),
    }
    for attempt in [Columns::inventory_by_row, Columns::inventory_by_column, Columns::pairs, Columns::list] {
        match attempt(&columns) {
            Ok(found) => return Ok((found.layout, Mapping::Stock(found))),
            Err((layout, lacks)) => missing.push(looked_for(layout, &lacks)),
        }
    }
    Err(missing)
}

fn looked_for(layout: Layout, lacks: &[&str]) -> String {
    format!("{layout}: has no {}", lacks.join(", no "))
}

type Lacks = Vec<&'static str>;

struct Columns {
    names: Vec<String>,
}

impl Columns {
    /// The first column with the first of these names that is there.
    fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|wanted| self.names.iter().position(|name| name == wanted))
    }

    fn product_export(&self, table: &Table) -> Result<ProductColumns, Lacks> {
        let handle = self.find(&["handle", "url handle"]);
        let title = self.find(&["title"]);
        let price = self.find(&["variant price", "price"]);
        let option_values = ["option1 value", "option2 value", "option3 value"].map(|name| self.find(&[name]));
        let (Some(handle), Some(title), Some(_), Some(_)) = (handle, title, price, option_values[0]) else {
            return Err(lacks(&[
                (handle.is_some(), "Handle"),
                (title.is_some(), "Title"),
                (option_values[0].is_some(), "Option1 Value"),
                (price.is_some(), "Variant Price"),
            ]));
        };
        Ok(ProductColumns {
            handle,
            title,
            description: self.find(&["body html", "description"]),
            vendor: self.find(&["vendor"]),
            category: self.find(&["product category"]),
            kind: self.find(&["type"]),
            tags: self.find(&["tags"]),
            published: self.find(&["published", "published on online store"]),
            status: self.find(&["status"]),
            option_names: ["option1 name", "option2 name", "option3 name"].map(|name| self.find(&[name])),
            option_values,
            sku: self.find(&["variant sku", "sku"]),
            price,
            compare_at: self.find(&["variant compare at price", "compare at price"]),
            barcode: self.find(&["variant barcode", "barcode"]),
            quantity: self.find(&["variant inventory qty", "inventory quantity"]),
            tracker: self.find(&["variant inventory tracker", "inventory tracker"]),
            oversell: self.find(&["variant inventory policy", "continue selling when out of stock"]),
            image: self.find(&["image src", "product image url"]),
            attributes: attribute_columns(table),
        })
    }

    fn inventory_by_row(&self) -> Result<StockColumns, (Layout, Lacks)> {
        let layout = Layout::InventoryByRow;
        let handle = self.find(&["handle", "url handle"]);
        let (sku, location) = (self.find(&["sku"]), self.find(&["location"]));
        let on_hand = self.find(&["on hand", "on hand current"]);
        match (handle, sku, location, on_hand) {
            (Some(_), Some(sku), Some(_), Some(on_hand)) => {
                let on_hand_new = self.find(&["on hand new"]);
                let places = Places::Row { location, counts: self.counts(on_hand, on_hand_new) };
                Ok(self.stock(layout, sku, handle, places))
            }
            _ => Err((
                layout,
                lacks(&[
                    (handle.is_some(), "Handle"),
                    (sku.is_some(), "SKU"),
                    (location.is_some(), "Location"),
                    (on_hand.is_some(), "On hand"),
                ]),
            )),
        }
    }

    fn inventory_by_column(&self) -> Result<StockColumns, (Layout, Lacks)> {
        let layout = Layout::InventoryByColumn;
        let (handle, sku, origin) = (self.find(&["handle"]), self.find(&["sku"]), self.find(&["coo"]));
        let is_place = |name: &String| !name.is_empty() && !INVENTORY_OWN.contains(&name.as_str());
        let places: Vec<usize> =
            self.names.iter().enumerate().filter(|(_, name)| is_place(name)).map(|(column, _)| column).collect();
        match (handle, sku, origin) {
            (Some(_), Some(sku), Some(_)) if !places.is_empty() => {
                Ok(self.stock(layout, sku, handle, Places::Columns(places)))
            }
            _ => Err((
                layout,
                lacks(&[
                    (handle.is_some(), "Handle"),
                    (sku.is_some(), "SKU"),
                    (origin.is_some(), "COO"),
                    (!places.is_empty(), "column named after a location"),
                ]),
            )),
        }
    }

    fn pairs(&self) -> Result<StockColumns, (Layout, Lacks)> {
        let layout = Layout::StockPairs;
        let sku = self.find(SKU);
        let pair = |n: usize| Some((self.find(&[&format!("location {n}")])?, self.find(&[&format!("qty {n}")])?));
        let pairs: Vec<(usize, usize)> = (1..=self.names.len()).map_while(pair).collect();
        match sku {
            Some(sku) if !pairs.is_empty() => {
                let total = self.find(&["quantity", "total", "total quantity"]);
                Ok(self.stock(layout, sku, None, Places::Pairs { pairs, total }))
            }
            _ => Err((layout, lacks(&[(sku.is_some(), "SKU"), (!pairs.is_empty(), "Location_1 with Qty_1")]))),
        }
    }

    fn list(&self) -> Result<StockColumns, (Layout, Lacks)> {
        let (sku, on_hand) = (self.find(SKU), self.find(ON_HAND));
        match (sku, on_hand) {
            (Some(sku), Some(on_hand)) => {
                let places = Places::Row { location: self.find(LOCATION), counts: self.counts(on_hand, None) };
                Ok(self.stock(Layout::StockList, sku, None, places))
            }
            _ => Err((Layout::StockList, lacks(&[(sku.is_some(), "sku"), (on_hand.is_some(), "on_hand")]))),
        }
    }

    fn counts(&self, on_hand: usize, on_hand_new: Option<usize>) -> Counts {
        Counts { on_hand, on_hand_new, unavailable: self.find(UNAVAILABLE), committed: self.find(COMMITTED) }
    }

    fn stock(&self, layout: Layout, sku: usize, handle: Option<usize>, places: Places) -> StockColumns {
        let option_values = ["option1 value", "option2 value", "option3 value"].map(|name| self.find(&[name]));
        StockColumns { layout, sku, handle, option_values, places }
    }
}

fn lacks(found: &[(bool, &'static str)]) -> Lacks {
    found.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect()
}

fn attribute_columns(table: &Table) -> Vec<(usize, String)> {
    let repeated = table.repeated_columns();
    let columns = table.header.iter().enumerate().filter(|(column, _)| !repeated.contains(column));
    columns.filter_map(|(column, name)| Some((column, attribute_name(name)?))).collect()
}

/// `Vintage (product.metafields.custom.vintage)` is `custom.vintage`; any other column is called as its header.
fn attribute_name(header: &str) -> Option<String> {
    let metafield = header.trim().strip_suffix(')').and_then(|name| name.split_once("(product.metafields."));
    if let Some((_, key)) = metafield {
        let arranges = NOT_ATTRIBUTE_NAMESPACES.iter().any(|namespace| key.starts_with(namespace));
        return (!arranges && !key.is_empty()).then(|| key.to_owned());
    }
    let name = fold_name(header);
    let known =
        NOT_ATTRIBUTES.contains(&name.as_str()) || NOT_ATTRIBUTE_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (!known && !name.is_empty()).then(|| name.replace(' ', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::feed::table;

    fn check(header: &str, expected: Result<Layout, &str>) {
        let table = table::parse(header).expect("a header");
        match (recognise(&table), expected) {
            (Ok((layout, _)), expected) => assert_eq!(Ok(layout), expected, "{header}"),
            (Err(missing), Err(said)) => assert!(missing.join("\n").contains(said), "{missing:?}"),
            (Err(missing), Ok(_)) => panic!("{header}: {missing:?}"),
        }
    }

    #[test]
    fn files_are_known_by_their_header() {
        check(
            "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price",
            Ok(Layout::ProductExport),
        );
        check("Title,URL handle,Option1 value,SKU,Price", Ok(Layout::ProductExport));
        check("Handle,Title,Option1 Value,SKU,HS Code,COO,Location,Committed,On hand", Ok(Layout::InventoryByRow));
        check("Handle,Option1 Value,SKU,COO,Location,On hand (current),On hand (new)", Ok(Layout::InventoryByRow));
        check("Handle,Title,Option1 Value,SKU,HS Code,COO,508 Larkin St,Printful", Ok(Layout::InventoryByColumn));
        check("SKU,Name,Price,Quantity,UPC,Location_1,Qty_1", Ok(Layout::StockPairs));
        check("sku,location,on_hand", Ok(Layout::StockList));
        check("Item Code;Warehouse;Qty On Hand", Ok(Layout::StockList));
        check("Artikelnummer;Lager;Bestand", Ok(Layout::StockList));
    }

    #[test]
    fn what_is_unknown_is_told_what_it_lacks() {
        check("sku,colour", Err("stock list: has no on_hand"));
        check("Handle,Title,Variant Price", Err("Shopify product export: has no Option1 Value"));
        check("<?xml version=\"1.0\"?>", Err("stock list: has no sku, no on_hand"));
    }

    #[test]
    fn attributes_are_named_after_their_column() {
        for (header, expected) in [
            ("Farbe (product.metafields.shopify.color-pattern)", Some("shopify.color-pattern")),
            ("Related (product.metafields.shopify--discovery--product_recommendation.related_products)", None),
            ("Google Shopping / Gender", Some("google_shopping_gender")),
            ("Variant Grams", Some("variant_grams")),
            ("Vintage", Some("vintage")),
            ("Cost per item", None),
            ("Option1 Linked To", None),
            ("", None),
        ] {
            assert_eq!(attribute_name(header).as_deref(), expected, "{header}");
        }
    }
}
