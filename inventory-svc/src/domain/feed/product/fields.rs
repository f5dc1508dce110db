//! What a product's rows say of the product as a whole.

use std::collections::BTreeMap;

use super::super::Status;
use super::super::books::{Fault, Remark};
use super::super::layout::ProductColumns;
use super::{AttributeCells, Blame, Source};

/// Bounds of product text, in characters.
const TITLE_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 65_536;
const CATEGORY_CHARS_MAX: usize = 512;
const VENDOR_CHARS_MAX: usize = 255;
const TAG_CHARS_MAX: usize = 255;
const TAGS_MAX: usize = 250;
pub(super) const OPTION_CHARS_MAX: usize = 255;
pub(super) const ATTRIBUTE_CHARS_MAX: usize = 16_384;
const ATTRIBUTES_MAX: usize = 256;
/// What spreadsheets write where a formula failed.
const CELL_ERRORS: [&str; 7] = ["#NAME?", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"];

/// The product's own fields.
pub(super) struct Head {
    /// The product's first row, whose cells are accounted for here.
    pub(super) row: usize,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) vendor: String,
    pub(super) category: String,
    pub(super) status: Status,
    pub(super) tags: Vec<String>,
    pub(super) option_names: [String; 3],
    pub(super) attributes: AttributeCells,
    pub(super) remarks: Vec<Remark>,
}

/// The first row that says something in a column, and what.
struct Said<'a> {
    row: usize,
    column: usize,
    text: &'a str,
}

pub(super) fn read(source: Source<'_>, rows: &[usize]) -> Result<Head, Blame> {
    let columns = source.columns;
    let first = |column: Option<usize>| first_said(source, rows, column);
    let text = |column: Option<usize>, chars_max| {
        first(column).map_or(Ok(String::new()), |said| said.check(chars_max).map(str::to_owned))
    };
    let title = text(Some(columns.title), TITLE_CHARS_MAX)?;
    if title.is_empty() {
        return Err(Blame { row: rows[0], column: Some(columns.title), fault: Fault::NoTitle });
    }
    let mut remarks = Vec::new();
    let category = text(columns.category, CATEGORY_CHARS_MAX)?;
    let kind = text(columns.kind, CATEGORY_CHARS_MAX)?;
    let is_placed = !category.is_empty() && category != "Uncategorized";
    let mut option_names: [String; 3] = Default::default();
    for (name, column) in option_names.iter_mut().zip(columns.option_names) {
        *name = text(column, OPTION_CHARS_MAX)?;
    }
    Ok(Head {
        row: rows[0],
        title,
        description: text(columns.description, DESCRIPTION_CHARS_MAX)?,
        vendor: text(columns.vendor, VENDOR_CHARS_MAX)?,
        category: if is_placed { category } else { kind },
        status: read_status(first(columns.status), first(columns.published), &mut remarks)?,
        tags: read_tags(first(columns.tags))?,
        option_names,
        attributes: read_attributes(source, rows, columns, &mut remarks)?,
        remarks,
    })
}

fn first_said<'a>(source: Source<'a>, rows: &[usize], column: Option<usize>) -> Option<Said<'a>> {
    let column = column?;
    let said = |&row: &usize| Said { row, column, text: source.row(row).cell(column) };
    rows.iter().map(said).find(|said| !said.text.is_empty())
}

impl<'a> Said<'a> {
    fn check(&self, chars_max: usize) -> Result<&'a str, Blame> {
        check_text(self.text, chars_max).map_err(|fault| self.blame(fault))
    }

    fn blame(&self, fault: Fault) -> Blame {
        Blame { row: self.row, column: Some(self.column), fault }
    }
}

/// Bounds a text, and keeps out what no database and no screen takes.
pub(super) fn check_text(text: &str, chars_max: usize) -> Result<&str, Fault> {
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(Fault::TooLong { chars, chars_max });
    }
    let is_bad = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars().find(is_bad).map_or(Ok(text), |bad| Err(Fault::Control(bad)))
}

/// The status where there is one; older exports only say whether it is published.
fn read_status(
    status: Option<Said<'_>>,
    published: Option<Said<'_>>,
    remarks: &mut Vec<Remark>,
) -> Result<Status, Blame> {
    let Some(said) = status else {
        let hidden = published.is_some_and(|said| said.text.eq_ignore_ascii_case("false"));
        return Ok(if hidden { Status::Draft } else { Status::Active });
    };
    match said.text.to_ascii_lowercase().as_str() {
        "active" => Ok(Status::Active),
        "draft" => Ok(Status::Draft),
        "archived" => Ok(Status::Archived),
        "unlisted" => {
            remarks.push(Remark::Unlisted);
            Ok(Status::Active)
        }
        _ => Err(said.blame(Fault::Status)),
    }
}

fn read_tags(said: Option<Said<'_>>) -> Result<Vec<String>, Blame> {
    let Some(said) = said else { return Ok(Vec::new()) };
    let mut tags: Vec<String> = Vec::new();
    for tag in said.text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        check_text(tag, TAG_CHARS_MAX).map_err(|fault| said.blame(fault))?;
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
        if tags.len() > TAGS_MAX {
            return Err(said.blame(Fault::TooMany { found: said.text.split(',').count(), max: TAGS_MAX }));
        }
    }
    Ok(tags)
}

/// The product's attributes are its first row's, unless a later row says otherwise (vintages, shades): then each row
/// speaks for its variant.
fn read_attributes(
    source: Source<'_>,
    rows: &[usize],
    columns: &ProductColumns,
    remarks: &mut Vec<Remark>,
) -> Result<AttributeCells, Blame> {
    let row = rows[0];
    let mut attributes = BTreeMap::new();
    for (column, name) in &columns.attributes {
        let said = Said { row, column: *column, text: source.row(row).cell(*column) };
        if is_cell_error(said.text) {
            remarks.push(Remark::CellError);
        } else if !said.text.is_empty() && !is_of_variant(name) && !varies(source, rows, &said) {
            attributes.insert(*column, (name.clone(), said.check(ATTRIBUTE_CHARS_MAX)?.to_owned()));
        }
    }
    if let Some(said) = first_said(source, rows, columns.image) {
        attributes.insert(said.column, ("image".to_owned(), said.check(ATTRIBUTE_CHARS_MAX)?.to_owned()));
    }
    if attributes.len() > ATTRIBUTES_MAX {
        let fault = Fault::TooMany { found: attributes.len(), max: ATTRIBUTES_MAX };
        return Err(Blame { row, column: None, fault });
    }
    Ok(attributes)
}

fn varies(source: Source<'_>, rows: &[usize], first: &Said<'_>) -> bool {
    rows.iter().map(|&row| source.row(row).cell(first.column)).any(|text| !text.is_empty() && text != first.text)
}

pub(super) fn is_cell_error(text: &str) -> bool {
    CELL_ERRORS.contains(&text)
}

/// `Variant Grams` is the variant's in the first row too.
pub(super) fn is_of_variant(attribute: &str) -> bool {
    attribute.starts_with("variant_")
}
