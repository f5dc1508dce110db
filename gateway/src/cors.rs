//! Which web pages may call from another origin. Off unless origins are configured.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::body::{self, Body};

const REQUEST_HEADERS: &str =
    "authorization, content-type, if-match, if-none-match, last-event-id, request-timeout, traceparent, x-request-id";
const RESPONSE_HEADERS: &str = "etag, retry-after, traceparent, x-request-id";
const PREFLIGHT_AGE_S: &str = "600";

/// The origin of the calling page, where it is one of those that may.
pub(crate) fn allowed_origin<'h>(headers: &'h HeaderMap, allow_origins: &[String]) -> Option<&'h HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let known = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
    allow_origins.iter().any(known).then_some(origin)
}

/// Lets the page read the answer.
pub(crate) fn mark(headers: &mut HeaderMap, origin: Option<HeaderValue>, allow_origins: &[String]) {
    if !allow_origins.is_empty() {
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
    }
}

/// The answer to OPTIONS: what the path takes, and for an allowed page what it may send.
pub(crate) fn options(methods: &str, origin_allowed: bool) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if let Ok(methods) = HeaderValue::try_from(methods) {
        if origin_allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_AGE_S));
        }
        headers.insert(ALLOW, methods);
    }
    response
}
