//! One HTTP request from its first header to its answer. Every refusal ends here, as a problem document.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use holdfast_contracts::Verb;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::deadline::Deadline;
use holdfast_platform::telemetry::trace;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body as _;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::body::{self, Body, BoxError, RequestBody};
use crate::config::Config;
use crate::context::Context;
use crate::health::Readiness;
use crate::observe::{Observed, OpenStream};
use crate::openapi::OpenApi;
use crate::problem::{Place, Problem};
use crate::route::{Door, Found, Route, Tree};
use crate::sse::Watch;
use crate::{answer, call, cors, request, timeout};

/// Everything requests share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) routes: Tree<Door>,
    pub(crate) openapi: OpenApi,
    pub(crate) readiness: Readiness,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) watches: Arc<Semaphore>,
    pub(crate) stop: CancellationToken,
}

impl Gateway {
    pub(crate) async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let body = body::incoming(body);
        let cx = Context::of(&parts.method, &parts.headers);
        let observed = Observed::begin(&parts.method, &parts.headers);
        let origin = cors::allowed_origin(&parts.headers, &self.config.allow_origins).cloned();
        let one_shot = parts.version < http::Version::HTTP_2;
        let handling = trace::scope(observed.trace(), self.handle(&cx, &parts, body, &observed));
        let handled = AssertUnwindSafe(Box::pin(handling)).catch_unwind().await;
        let mut response = match handled {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => problem.into_response(&cx, &self.config.problem_type_base),
            Err(panic) => {
                let cause = panic_text(&*panic);
                tracing::error!(request.id = cx.request_id(), cause, "a request's handler panicked");
                Problem::internal().into_response(&cx, &self.config.problem_type_base)
            }
        };
        if !one_shot {
            // HTTP/2 ends streams, not connections, and forbids the header.
            response.headers_mut().remove(http::header::CONNECTION);
        }
        cx.mark(response.headers_mut());
        cors::mark(response.headers_mut(), origin, &self.config.allow_origins);
        observed.end(response.status());
        response
    }

    async fn handle(
        &self,
        cx: &Context,
        parts: &Parts,
        body: RequestBody,
        observed: &Observed,
    ) -> Result<Response<Body>, Problem> {
        self.check_head(parts)?;
        let path = parts.uri.path();
        let Some(verb) = verb(&parts.method) else { return self.other_method(parts) };
        let (door, segments) = match self.routes.find(verb, path) {
            Found::Target(door, segments) => (door, segments),
            Found::OtherMethods(verbs) => return Err(wrong_method(&parts.method, path, verbs)),
            Found::Nothing => return Err(no_route(path)),
            Found::BadEncoding => {
                return Err(Problem::invalid(Place::Parameter("path".into()), "is not percent-encoded UTF-8"));
            }
        };
        observed.takes(door.template());
        match door {
            Door::Index => Ok(answer::json_response(INDEX.clone(), cx)),
            Door::OpenApi => Ok(self.openapi.respond(&parts.method, &parts.headers, cx)),
            Door::Live => Ok(answer::json_response(Bytes::from_static(br#"{"live":true}"#), cx)),
            Door::Ready => Ok(self.readiness.respond(cx).await),
            Door::Call(route) if cx.head && route.streams() => {
                Err(wrong_method(&parts.method, path, [Verb::Get].into()))
            }
            Door::Call(route) => {
                let deadline = Deadline::after(timeout::read(&parts.headers, &route.method.policy, &self.config)?);
                let Ok(_permit) = self.requests.try_acquire() else {
                    return Err(Problem::overloaded("too many requests are under way"));
                };
                let body = self.read_body(route, &parts.headers, body, deadline).await?;
                let query = parts.uri.query().unwrap_or_default();
                let message = request::build(route, &segments, query, &parts.headers, &body)?;
                if route.streams() {
                    self.watch(route, message, cx, deadline).await
                } else {
                    self.ask(route, message, parts, cx, deadline).await
                }
            }
        }
    }

    fn check_head(&self, parts: &Parts) -> Result<(), Problem> {
        let uri_bytes = parts.uri.path().len() + parts.uri.query().map_or(0, str::len);
        let header_bytes: usize =
            parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
        let (bytes, limit) = (uri_bytes + header_bytes, self.config.header_bytes_max);
        if bytes <= limit {
            return Ok(());
        }
        let detail = format!("the request line and headers are larger than {limit} bytes");
        let problem = Problem::new(Reason::RequestTooLarge, detail).with("limit", limit).with("bytes", bytes);
        Err(problem.status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).closing())
    }

    /// OPTIONS says what a path takes; any other method is one no route has.
    fn other_method(&self, parts: &Parts) -> Result<Response<Body>, Problem> {
        let mut verbs = std::collections::BTreeSet::new();
        for verb in [Verb::Get, Verb::Put, Verb::Post, Verb::Delete, Verb::Patch] {
            match self.routes.find(verb, parts.uri.path()) {
                Found::Target(..) => verbs.extend([verb]),
                Found::OtherMethods(others) => verbs.extend(others),
                Found::Nothing | Found::BadEncoding => {}
            }
        }
        if verbs.is_empty() {
            return Err(no_route(parts.uri.path()));
        }
        if parts.method != Method::OPTIONS {
            return Err(wrong_method(&parts.method, parts.uri.path(), verbs));
        }
        let origin = cors::allowed_origin(&parts.headers, &self.config.allow_origins);
        Ok(cors::options(&allow(&verbs), origin.is_some()))
    }

    async fn read_body(
        &self,
        route: &Route,
        headers: &HeaderMap,
        body: RequestBody,
        deadline: Deadline,
    ) -> Result<Bytes, Problem> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        check_content_type(headers)?;
        let read = body::read(body, self.config.body_bytes_max);
        tokio::time::timeout_at(deadline.instant(), read).await.unwrap_or_else(|_| {
            tracing::debug!(path = route.grpc_path.as_str(), "a body did not arrive in time");
            let problem = Problem::new(Reason::DeadlineExceeded, "the body did not arrive within the request's time");
            Err(problem.status(StatusCode::REQUEST_TIMEOUT).closing())
        })
    }

    async fn ask(
        &self,
        route: &Route,
        message: prost_reflect::DynamicMessage,
        parts: &Parts,
        cx: &Context,
        deadline: Deadline,
    ) -> Result<Response<Body>, Problem> {
        let answer = call::ask(route, message, cx, deadline, self.config.answer_bytes_max)
            .await
            .map_err(|status| Problem::of_status(&status, route, cx, Some(deadline)))?;
        answer::respond(&answer, route, &parts.method, &parts.headers, cx).map_err(|cause| {
            tracing::error!(request.id = cx.request_id(), %cause, "an answer has no JSON form");
            Problem::internal()
        })
    }

    async fn watch(
        &self,
        route: &Arc<Route>,
        message: prost_reflect::DynamicMessage,
        cx: &Context,
        deadline: Deadline,
    ) -> Result<Response<Body>, Problem> {
        let Ok(permit) = self.watches.clone().try_acquire_owned() else {
            return Err(Problem::overloaded("too many event streams are open"));
        };
        let upstream = call::watch(route, message, cx, deadline, self.config.answer_bytes_max)
            .await
            .map_err(|status| Problem::of_status(&status, route, cx, Some(deadline)))?;
        let mut heartbeat = tokio::time::interval(self.config.heartbeat);
        heartbeat.reset();
        let watch = Watch {
            upstream,
            route: route.clone(),
            cx: cx.clone(),
            type_base: self.config.problem_type_base.clone(),
            heartbeat,
            stop: self.stop.clone(),
            _permit: permit,
            _open: OpenStream::new(),
        };
        Ok(watch.respond())
    }
}

static INDEX: Bytes =
    Bytes::from_static(br#"{"name":"holdfast","openapi":"/openapi.json","live":"/livez","ready":"/readyz"}"#);

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("the body is {text:?}: only application/json is taken");
    Err(Problem::new(Reason::UnsupportedMediaType, detail)
        .at(Place::Header("Content-Type"), "must be application/json")
        .closing())
}

fn verb(method: &Method) -> Option<Verb> {
    match method.as_str() {
        "GET" | "HEAD" => Some(Verb::Get),
        "PUT" => Some(Verb::Put),
        "POST" => Some(Verb::Post),
        "DELETE" => Some(Verb::Delete),
        "PATCH" => Some(Verb::Patch),
        _ => None,
    }
}

fn allow(verbs: &std::collections::BTreeSet<Verb>) -> String {
    let mut methods: Vec<&str> = verbs.iter().map(|verb| verb.as_str()).collect();
    if verbs.contains(&Verb::Get) {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

fn wrong_method(method: &Method, path: &str, verbs: std::collections::BTreeSet<Verb>) -> Problem {
    let allow = allow(&verbs);
    Problem::new(Reason::MethodNotAllowed, format!("{path} takes {allow}, not {method}")).allow(allow)
}

fn no_route(path: &str) -> Problem {
    Problem::new(Reason::RouteNotFound, format!("there is no route {path}; /openapi.json lists them all"))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
}
