//! `/openapi.json` (3.1), generated from the same table as the routes; descriptions are the contracts' comments.

mod comments;
mod operation;
mod schema;

use bytes::Bytes;
use holdfast_contracts::{MethodTable, ReasonInfo};
use http::header::{CACHE_CONTROL, ETAG};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::answer::json_response;
use crate::body::{self, Body};
use crate::context::Context;
use crate::request;
use crate::route::{Door, Tree};
use comments::Comments;
use schema::Schemas;

/// The document, written once at start.
#[derive(Debug)]
pub(crate) struct OpenApi {
    json: Bytes,
    etag: HeaderValue,
}

impl OpenApi {
    pub(crate) fn generate(table: &MethodTable, routes: &Tree<Door>) -> Self {
        let comments = Comments::read(table.pool());
        let mut schemas = Schemas::new(&comments);
        let mut paths: Map<String, Value> = Map::new();
        let mut tags: Map<String, Value> = Map::new();
        for route in routes.targets().iter().filter_map(Door::route) {
            let service = route.method.descriptor.parent_service();
            tags.entry(service.name()).or_insert_with(
                || json!({"name": service.name(), "description": comments.of(&service.parent_file(), service.path())}),
            );
            let item = paths.entry(operation::path(route)).or_insert_with(|| json!({}));
            item[route.http.verb.as_str().to_lowercase()] = operation::describe(route, &comments, &mut schemas);
        }
        for (path, operation) in operation::own() {
            paths.insert(path.to_owned(), json!({"get": operation}));
        }
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Holdfast",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Stock, orders and recommendations. Every answer echoes X-Request-Id; every refusal is \
                    application/problem+json (RFC 9457) with a reason of a closed list. 64-bit integers are strings.",
            },
            "servers": [{"url": "/"}],
            "tags": tags.into_iter().map(|(_, tag)| tag).collect::<Vec<_>>(),
            "paths": paths,
            "components": {
                "schemas": schemas.finish(problem_schema()),
                "parameters": operation::common_parameters(),
                "responses": {
                    "Problem": {
                        "description": "Why the request was refused.",
                        "headers": {"Retry-After": {
                            "description": "Seconds to wait before trying again, under overload.",
                            "schema": {"type": "integer"},
                        }},
                        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                    },
                },
            },
        });
        let json = Bytes::from(serde_json::to_vec(&document).expect("a JSON tree has a JSON form"));
        let etag = HeaderValue::try_from(format!("\"{:016x}\"", xxh3_64(&json))).expect("hex digits in quotes");
        Self { json, etag }
    }

    pub(crate) fn respond(&self, method: &Method, headers: &HeaderMap, cx: &Context) -> Response<Body> {
        let mut response = if request::already_has(method, headers, &self.etag) {
            let mut response = Response::new(body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            json_response(self.json.clone(), cx)
        };
        response.headers_mut().insert(ETAG, self.etag.clone());
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

fn problem_schema() -> Value {
    let reasons: Vec<&str> = ReasonInfo::all().map(|info| info.reason.as_str_name()).collect();
    let string = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "description": "A refusal, as RFC 9457 has it.",
        "required": ["type", "title", "status", "detail", "instance", "reason"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "Names the reason's page."},
            "title": string("The reason for people, without values."),
            "status": {"type": "integer"},
            "detail": string("What stopped the request, with its values."),
            "instance": string("The request's id."),
            "reason": {"type": "string", "enum": reasons},
            "metadata": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Further values for programs.",
            },
            "errors": {
                "type": "array",
                "description": "Each thing that is wrong with the request, and where.",
                "items": {
                    "type": "object",
                    "required": ["detail"],
                    "properties": {
                        "pointer": string("A JSON pointer (RFC 6901) into the body."),
                        "parameter": string("A path or query parameter."),
                        "header": string("A request header."),
                        "field": string("A field that has no place of its own in the HTTP request."),
                        "detail": string("What is wrong there."),
                    },
                },
            },
        },
    })
}
