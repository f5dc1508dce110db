//! Query parameters: `a=1`, `a.b=1`, `list=1&list=2`, by JSON or proto name.

use std::borrow::Cow;

use holdfast_contracts::common::v1::Reason;
use percent_encoding::percent_decode_str;
use prost_reflect::DynamicMessage;

use super::text;
use crate::problem::{Place, Problem};
use crate::route::{BodyRule, FieldPath, Route, assign, is_text_kind};

/// The most values one list takes from a query.
const LIST_VALUES_MAX: usize = 1000;

pub(super) fn bind(request: &mut DynamicMessage, route: &Route, query: &str) -> Result<(), Problem> {
    let mut seen: Vec<FieldPath> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let bad = || Problem::invalid(Place::Parameter(name.to_owned()), "is not percent-encoded UTF-8");
        let (name, text) = (decode(name).ok_or_else(bad)?, decode(text).ok_or_else(bad)?);
        bind_one(request, route, &name, &text, &mut seen)?;
    }
    Ok(())
}

fn bind_one(
    request: &mut DynamicMessage,
    route: &Route,
    name: &str,
    text: &str,
    seen: &mut Vec<FieldPath>,
) -> Result<(), Problem> {
    let invalid = |problem: String| Problem::invalid(Place::Parameter(name.to_owned()), problem);
    let field = find(route, name)?;
    let (leaf, kind) = (field.leaf().clone(), field.leaf().kind());
    if leaf.is_map() || !is_text_kind(&kind) {
        return Err(invalid("cannot be given in a query".to_owned()));
    }
    let value = text::parse(&kind, text).map_err(invalid)?;
    let parent = field.parent(request);
    if leaf.is_list() {
        let list = parent.get_field_mut(&leaf).as_list_mut().expect("a list field holds a list");
        if list.len() >= LIST_VALUES_MAX {
            return Err(invalid(format!("is given more than {LIST_VALUES_MAX} times")));
        }
        list.push(value);
        return Ok(());
    }
    if seen.iter().any(|other| other.is(&field)) {
        return Err(invalid("is given twice".to_owned()));
    }
    assign(parent, &leaf, value).map_err(invalid)?;
    seen.push(field);
    Ok(())
}

fn find(route: &Route, name: &str) -> Result<FieldPath, Problem> {
    let unknown = |detail: String| {
        Problem::new(Reason::UnknownField, format!("the query parameter {name:?} {detail}"))
            .at(Place::Parameter(name.to_owned()), detail)
    };
    let field =
        FieldPath::resolve(&route.method.descriptor.input(), name).ok_or_else(|| unknown("is not known".to_owned()))?;
    if route.path_fields.iter().any(|path| path.is(&field)) {
        return Err(unknown("is given by the path".to_owned()));
    }
    match &route.body {
        BodyRule::Whole => Err(unknown("belongs in the body".to_owned())),
        BodyRule::Field(body) if field.root() == body => Err(unknown("belongs in the body".to_owned())),
        BodyRule::Field(_) | BodyRule::None => Ok(field),
    }
}

/// `application/x-www-form-urlencoded`, as browsers write queries.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['+', '%']) {
        return Some(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    Some(Cow::Owned(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned()))
}
