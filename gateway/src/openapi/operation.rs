//! One route as an OpenAPI operation.

use holdfast_contracts::Verb;
use prost_reflect::{FieldDescriptor, MessageDescriptor};
use serde_json::{Value, json};

use super::comments::Comments;
use super::schema::{Schemas, described};
use crate::route::{BodyRule, Route, is_text_kind};

/// How deep messages are followed for `a.b.c` query parameters.
const QUERY_DEPTH_MAX: usize = 3;

/// The path as OpenAPI writes it: every variable in braces, whatever it matches.
pub(crate) fn path(route: &Route) -> String {
    let template = &route.template;
    let mut path = String::new();
    let mut at = 0;
    while at < template.segments.len() {
        path.push('/');
        let variable = template.variables.iter().position(|variable| variable.segments.start == at);
        if let Some(variable) = variable {
            path += &format!("{{{}}}", route.path_fields[variable].json_name());
            at = template.variables[variable].segments.end;
            continue;
        }
        match &template.segments[at] {
            crate::route::Segment::Literal(text) => path += text,
            crate::route::Segment::Any | crate::route::Segment::Rest => path.push('*'),
        }
        at += 1;
    }
    template.verb.iter().fold(path, |path, verb| path + ":" + verb)
}

pub(crate) fn describe(route: &Route, comments: &Comments, schemas: &mut Schemas<'_>) -> Value {
    let method = &route.method.descriptor;
    let comment = comments.of(&method.parent_file(), method.path());
    let summary = comment.split_inclusive(['.', ':']).next().unwrap_or_default().trim_end_matches(['.', ':']);
    let service = method.parent_service();
    let binding = route.method.routes.iter().position(|http| *http == route.http).unwrap_or(0);
    let suffix = if binding == 0 { String::new() } else { format!("_{}", binding + 1) };
    let mut operation = json!({
        "operationId": format!("{}_{}{suffix}", service.name(), method.name()),
        "tags": [service.name()],
        "summary": summary,
        "description": comment,
        "parameters": parameters(route, schemas),
        "responses": {"200": success(route, schemas), "default": {"$ref": "#/components/responses/Problem"}},
    });
    if has_etag(&method.output()) && route.http.verb == Verb::Get {
        operation["responses"]["304"] = json!({"description": "The reader has this version (If-None-Match)."});
    }
    if let Some(body) = request_body(route, schemas) {
        operation["requestBody"] = body;
    }
    operation
}

fn success(route: &Route, schemas: &mut Schemas<'_>) -> Value {
    let output = route.method.descriptor.output();
    let schema = schemas.message(&output);
    if route.streams() {
        return json!({
            "description": "Server-sent events: `data` is the JSON of the schema, `event` its member set (or \
                `message`), `id` its cursor. An `error` event carries a Problem and ends the stream. Comments keep a \
                quiet stream open.",
            "content": {"text/event-stream": {"schema": schema}},
        });
    }
    let mut response = json!({"description": "Done.", "content": {"application/json": {"schema": schema}}});
    if has_etag(&output) {
        response["headers"] = json!({"ETag": {"description": "The version answered.", "schema": {"type": "string"}}});
    }
    response
}

fn parameters(route: &Route, schemas: &mut Schemas<'_>) -> Vec<Value> {
    let mut parameters: Vec<Value> = Vec::new();
    for field in &route.path_fields {
        let schema = schemas.described_field(field.leaf());
        parameters.push(parameter("path", &field.json_name(), schema, true));
    }
    if !matches!(route.body, BodyRule::Whole) {
        let input = route.method.descriptor.input();
        query_parameters(route, &input, "", &mut parameters, schemas);
    }
    let mut common = vec!["RequestTimeout", "RequestId", "Traceparent"];
    if route.expected_version.is_some() && route.http.verb != Verb::Get {
        common.push("IfMatch");
    }
    if has_etag(&route.method.descriptor.output()) && route.http.verb == Verb::Get {
        common.push("IfNoneMatch");
    }
    if route.streams() && route.cursor.is_some() {
        common.push("LastEventId");
    }
    parameters.extend(common.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})));
    parameters
}

fn query_parameters(
    route: &Route,
    message: &MessageDescriptor,
    prefix: &str,
    parameters: &mut Vec<Value>,
    schemas: &mut Schemas<'_>,
) {
    for field in message.fields() {
        let name = format!("{prefix}{}", field.json_name());
        let taken = route.path_fields.iter().any(|path| path.json_name() == name)
            || matches!(&route.body, BodyRule::Field(body) if *body == field);
        if taken || field.is_map() {
            continue;
        }
        if is_text_kind(&field.kind()) {
            let schema = schemas.described_field(&field);
            parameters.push(parameter("query", &name, schema, false));
        } else if let Some(inner) = field.kind().as_message()
            && !field.is_list()
            && !inner.full_name().starts_with("google.protobuf.")
            && name.matches('.').count() + 1 < QUERY_DEPTH_MAX
        {
            query_parameters(route, inner, &format!("{name}."), parameters, schemas);
        }
    }
}

fn parameter(place: &str, name: &str, mut schema: Value, required: bool) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({"name": name, "in": place, "required": required, "schema": schema});
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

fn request_body(route: &Route, schemas: &mut Schemas<'_>) -> Option<Value> {
    let input = route.method.descriptor.input();
    let schema = match &route.body {
        BodyRule::None => return None,
        BodyRule::Whole => {
            let from_path: Vec<&FieldDescriptor> = route.path_fields.iter().map(|path| path.leaf()).collect();
            if from_path.is_empty() { schemas.message(&input) } else { schemas.object(&input, &from_path) }
        }
        BodyRule::Field(field) => schemas.message(field.kind().as_message()?),
    };
    let required = matches!(route.body, BodyRule::Field(_)) || route.path_fields.is_empty();
    Some(json!({"required": required, "content": {"application/json": {"schema": schema}}}))
}

fn has_etag(message: &MessageDescriptor) -> bool {
    message.get_field_by_name("etag").is_some()
}

/// The headers any route may be sent.
pub(crate) fn common_parameters() -> Value {
    let header = |name: &str, description: &str| {
        described(json!({"name": name, "in": "header", "schema": {"type": "string"}}), description)
    };
    json!({
        "RequestTimeout": header("Request-Timeout", "How long the caller waits: seconds (2, 0.5) or as in gRPC (500m)."),
        "RequestId": header("X-Request-Id", "Names this request in logs; echoed, made where missing."),
        "Traceparent": header("traceparent", "W3C trace context; passed on and echoed."),
        "IfMatch": header("If-Match", "The version the change is based on; the same as expectedVersion."),
        "IfNoneMatch": header("If-None-Match", "The version the reader has; 304 where it is still current."),
        "LastEventId": header("Last-Event-ID", "Where to go on: the last event's id. Stronger than cursor."),
    })
}

/// The gateway's own routes.
pub(crate) fn own() -> [(&'static str, Value); 3] {
    let operation = |id: &str, summary: &str, responses: Value| json!({"operationId": id, "tags": ["Gateway"], "summary": summary, "responses": responses});
    [
        ("/openapi.json", operation("openapi", "This document", json!({"200": {"description": "This document."}}))),
        ("/livez", operation("livez", "Whether this process answers", json!({"200": {"description": "It does."}}))),
        (
            "/readyz",
            operation(
                "readyz",
                "Whether every service behind the gateway answers",
                json!({"200": {"description": "All do."}, "503": {"description": "Which does not."}}),
            ),
        ),
    ]
}
