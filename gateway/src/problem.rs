//! Refusals as RFC 9457 `application/problem+json`. Every one has a reason of the closed list.

mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use holdfast_contracts::ReasonInfo;
use holdfast_contracts::common::v1::Reason;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::body::{self, Body};
use crate::context::Context;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    /// What stopped it, with its values.
    pub(crate) detail: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) errors: Vec<Violation>,
    pub(crate) retry_after: Option<Duration>,
    /// Where HTTP has a closer status than the reason's own.
    status: Option<StatusCode>,
    allow: Option<String>,
    close: bool,
}

/// One thing that is wrong with the request.
#[derive(Debug, Serialize)]
pub(crate) struct Violation {
    #[serde(flatten)]
    place: Place,
    detail: String,
}

/// Where in the request something is wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// A JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// A parameter of the path or the query.
    Parameter(String),
    Header(&'static str),
    /// A field of the gRPC request that has no place in this one.
    Field(String),
}

/// The JSON of a problem.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Violation],
}

impl Problem {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            metadata: BTreeMap::new(),
            errors: Vec::new(),
            retry_after: None,
            status: None,
            allow: None,
            close: false,
        }
    }

    /// One invalid thing, said in the detail too.
    pub(crate) fn invalid(place: Place, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::new(Reason::InvalidArgument, format!("{} {problem}", place.name())).at(place, problem)
    }

    /// Something went wrong on our side; the cause belongs in the log.
    pub(crate) fn internal() -> Self {
        Self::new(Reason::Internal, "something went wrong on our side; the log has it under this request's id")
    }

    pub(crate) fn overloaded(detail: &str) -> Self {
        Self { retry_after: Some(Duration::from_secs(1)), ..Self::new(Reason::Overloaded, detail) }
    }

    #[must_use]
    pub(crate) fn at(mut self, place: Place, detail: impl Into<String>) -> Self {
        self.errors.push(Violation { place, detail: detail.into() });
        self
    }

    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    #[must_use]
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    #[must_use]
    pub(crate) fn allow(self, methods: String) -> Self {
        Self { allow: Some(methods), ..self }
    }

    /// The connection cannot go on: the rest of the request will not be read.
    #[must_use]
    pub(crate) fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The JSON document.
    pub(crate) fn document(&self, cx: &Context, type_base: &str) -> Bytes {
        let info = ReasonInfo::of(self.reason);
        let reason = self.reason.as_str_name();
        let document = Document {
            r#type: format!("{type_base}{reason}"),
            title: &info.title,
            status: self.status.unwrap_or(info.http_status).as_u16(),
            detail: &self.detail,
            instance: cx.request_id(),
            reason,
            metadata: &self.metadata,
            errors: &self.errors,
        };
        serde_json::to_vec(&document).expect("strings and numbers have a JSON form").into()
    }

    pub(crate) fn into_response(self, cx: &Context, type_base: &str) -> Response<Body> {
        let mut response = Response::new(body::full(self.document(cx, type_base), cx.head));
        *response.status_mut() = self.status.unwrap_or(ReasonInfo::of(self.reason).http_status);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(delay) = self.retry_after {
            // Whole seconds, rounded up: earlier than asked for would be refused again.
            headers.insert(RETRY_AFTER, HeaderValue::from(delay.as_secs() + u64::from(delay.subsec_nanos() > 0)));
        }
        if let Some(allow) = self.allow.and_then(|methods| HeaderValue::try_from(methods).ok()) {
            headers.insert(ALLOW, allow);
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Place {
    fn name(&self) -> &str {
        match self {
            Self::Pointer(pointer) if pointer.is_empty() => "the body",
            Self::Pointer(name) | Self::Parameter(name) | Self::Field(name) => name,
            Self::Header(name) => name,
        }
    }
}
