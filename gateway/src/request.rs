//! From an HTTP request to the gRPC request its route asks for. Everything is checked against the contract here:
//! nothing unknown, mistyped or contradictory is passed on, and nothing is silently dropped.

mod json;
mod place;
mod precondition;
mod query;
mod text;

use std::borrow::Cow;

pub(crate) use precondition::already_has;

use http::HeaderMap;
use prost_reflect::{DynamicMessage, Value};

use crate::problem::{Place, Problem};
use crate::route::{BodyRule, FieldPath, Route, Variable};

/// Builds the request message from the path's segments, the query, the headers and the body.
pub(crate) fn build(
    route: &Route,
    segments: &[Cow<'_, str>],
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<DynamicMessage, Problem> {
    let mut request = read_body(route, body)?;
    for (variable, field) in route.template.variables.iter().zip(&route.path_fields) {
        bind_path(&mut request, route, field, &captured(variable, segments))?;
    }
    query::bind(&mut request, route, query)?;
    precondition::bind_if_match(&mut request, route, headers)?;
    bind_last_event_id(&mut request, route, headers);
    Ok(request)
}

fn read_body(route: &Route, body: &[u8]) -> Result<DynamicMessage, Problem> {
    let input = route.method.descriptor.input();
    match &route.body {
        BodyRule::None if body.is_empty() => Ok(DynamicMessage::new(input)),
        BodyRule::None => {
            Err(Problem::invalid(Place::Pointer(String::new()), "is not expected: this route takes none"))
        }
        // `POST …:confirm` has nothing to say beyond its path.
        BodyRule::Whole if body.is_empty() => Ok(DynamicMessage::new(input)),
        BodyRule::Whole => json::read(&input, body),
        BodyRule::Field(field) => {
            let message = field.kind().as_message().cloned().unwrap_or_else(|| input.clone());
            let inner = json::read(&message, body)?;
            let mut request = DynamicMessage::new(input);
            request.set_field(field, Value::Message(inner));
            Ok(request)
        }
    }
}

/// What a variable stands for. A `/` within a segment of several stays `%2F`, to be told from those between.
fn captured(variable: &Variable, segments: &[Cow<'_, str>]) -> String {
    match segments.get(variable.segments.clone()) {
        Some([one]) if !variable.rest => one.to_string(),
        Some(_) | None => {
            let from = variable.segments.start.min(segments.len());
            let to = if variable.rest { segments.len() } else { variable.segments.end.min(segments.len()) };
            segments[from..to].iter().map(|segment| segment.replace('/', "%2F")).collect::<Vec<_>>().join("/")
        }
    }
}

fn bind_path(request: &mut DynamicMessage, route: &Route, field: &FieldPath, text: &str) -> Result<(), Problem> {
    let parameter = || Place::Parameter(field.json_name());
    let value = text::parse(&field.leaf().kind(), text).map_err(|problem| Problem::invalid(parameter(), problem))?;
    let parent = field.parent(request);
    if parent.has_field(field.leaf()) && *parent.get_field(field.leaf()) != value {
        let place = Place::of_field(&field.proto_name(), route, true);
        return Err(Problem::invalid(place, format!("differs from the path, which says {text:?}")));
    }
    crate::route::assign(parent, field.leaf(), value).map_err(|problem| Problem::invalid(parameter(), problem))
}

/// A browser that reconnects says where it was; that is newer than what its URL says.
fn bind_last_event_id(request: &mut DynamicMessage, route: &Route, headers: &HeaderMap) {
    let cursor = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    if let (true, Some(field), Some(cursor)) = (route.streams(), &route.cursor, cursor) {
        request.set_field(field, Value::String(cursor.to_owned()));
    }
}
