//! A service's answer as HTTP: protobuf JSON, its entity tag, and how long caches may keep it.

use bytes::Bytes;
use holdfast_contracts::Verb;
use holdfast_contracts::options::v1::CachePolicy;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde::Serialize;

use crate::body::{self, Body};
use crate::context::Context;
use crate::request;
use crate::route::Route;

/// A message in protobuf JSON: 64-bit integers are strings, enums names. Scalars and lists that are zero or empty
/// are written all the same, so that a quantity of 0 is seen; messages and `optional` fields that are not set are not.
pub(crate) fn json(message: &DynamicMessage) -> Result<Bytes, serde_json::Error> {
    struct AsJson<'a>(&'a DynamicMessage);
    impl Serialize for AsJson<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize_with_options(serializer, &SerializeOptions::new().skip_default_fields(false))
        }
    }
    serde_json::to_vec(&AsJson(message)).map(Bytes::from)
}

/// The whole answer, or 304 where the reader has it.
pub(crate) fn respond(
    message: &DynamicMessage,
    route: &Route,
    method: &Method,
    headers: &HeaderMap,
    cx: &Context,
) -> Result<Response<Body>, serde_json::Error> {
    let etag = etag(message);
    let mut response = match &etag {
        Some(etag) if request::already_has(method, headers, etag) => {
            let mut response = Response::new(body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        Some(_) | None => json_response(json(message)?, cx),
    };
    response.headers_mut().insert(CACHE_CONTROL, cache_control(route));
    if let Some(etag) = etag {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

/// JSON that is not to be kept, unless its caller says otherwise.
pub(crate) fn json_response(json: Bytes, cx: &Context) -> Response<Body> {
    let length = json.len();
    let mut response = Response::new(body::full(json, cx.head));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Said here, since HEAD's empty body would say 0.
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer's own `etag` field, quoted where it is not yet.
fn etag(message: &DynamicMessage) -> Option<HeaderValue> {
    let value = message.get_field_by_name("etag")?;
    let tag = value.as_str().filter(|tag| !tag.is_empty())?;
    let quoted = if tag.ends_with('"') { tag.to_owned() } else { format!("\"{tag}\"") };
    HeaderValue::try_from(quoted).ok()
}

fn cache_control(route: &Route) -> HeaderValue {
    if route.http.verb != Verb::Get {
        return HeaderValue::from_static("no-store");
    }
    HeaderValue::from_static(match route.method.policy.cache() {
        CachePolicy::Unspecified | CachePolicy::None => "no-store",
        CachePolicy::Revalidate => "no-cache",
        CachePolicy::Short => "public, max-age=5",
    })
}
