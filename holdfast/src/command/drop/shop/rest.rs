//! Calls over REST/JSON, as a browser makes them: the routes come from the same contracts as the stubs.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use holdfast_contracts::{MethodInfo, MethodTable, ReasonInfo};
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage};
use serde::Deserialize;

use super::error::CallError;
use super::route::fill;
use super::rpc::Rpc;
use super::sse::EventStream;

/// The largest answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The HTTP door.
#[derive(Debug)]
pub(crate) struct RestWire {
    client: Client<HttpConnector, Full<Bytes>>,
    /// Scheme and authority, without a slash at the end.
    base: String,
    table: MethodTable,
}

/// What is read of an `application/problem+json` (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    reason: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

impl RestWire {
    /// Connects when first used.
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        let base = url.trim_end_matches('/');
        let uri: http::Uri = base.parse().with_context(|| format!("{url} is not a URL"))?;
        anyhow::ensure!(
            uri.scheme_str() == Some("http") && uri.authority().is_some(),
            "{url} is not the address of a gateway, such as http://127.0.0.1:8080"
        );
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(3)));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, base: base.to_owned(), table: MethodTable::load()? })
    }

    pub(crate) async fn call<R: Rpc>(&self, request: R, timeout: Duration) -> Result<R::Answer, CallError> {
        let method = self.method::<R>()?;
        let request = self.request(method, &request, "application/json")?;
        let answered = async {
            let response = self.client.request(request).await.map_err(lost)?;
            whole(response).await
        };
        let response = match tokio::time::timeout(timeout, answered).await {
            Ok(response) => response?,
            Err(_) => return Err(CallError::Lost(format!("nothing came within {timeout:?}"))),
        };
        if response.status().is_success() { parse(method, response.body()) } else { Err(refusal(&response)) }
    }

    pub(crate) async fn stream<R: Rpc>(&self, request: R) -> Result<EventStream<R>, CallError> {
        let method = self.method::<R>()?;
        let request = self.request(method, &request, "text/event-stream")?;
        let response = self.client.request(request).await.map_err(lost)?;
        if !response.status().is_success() {
            return Err(refusal(&whole(response).await?));
        }
        Ok(EventStream::new(method.clone(), response.into_body()))
    }

    fn method<R: Rpc>(&self) -> Result<&MethodInfo, CallError> {
        self.table.get(R::PATH).ok_or_else(|| CallError::Foreign(format!("{} is not in the contracts", R::PATH)))
    }

    fn request<R: Rpc>(
        &self,
        method: &MethodInfo,
        message: &R,
        accept: &'static str,
    ) -> Result<Request<Full<Bytes>>, CallError> {
        let foreign = |problem: String| CallError::Foreign(format!("{}: {problem}", R::PATH));
        let mut dynamic = DynamicMessage::new(method.descriptor.input());
        dynamic.transcode_from(message).map_err(|error| foreign(error.to_string()))?;
        let json = serde_json::to_value(&dynamic).map_err(|error| foreign(error.to_string()))?;
        let route = method.routes.first().ok_or_else(|| foreign("no route".to_owned()))?;
        let filled = fill(route, json).map_err(foreign)?;
        Request::builder()
            .method(route.verb.as_str())
            .uri(format!("{}{}", self.base, filled.target))
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(filled.body))
            .map_err(|error| foreign(error.to_string()))
    }
}

async fn whole(response: Response<Incoming>) -> Result<Response<Bytes>, CallError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| CallError::Lost(error.to_string()))?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// A message of the method's answers from its JSON. Fields of a newer contract are passed over.
pub(super) fn parse<A: prost::Message + Default>(method: &MethodInfo, json: &[u8]) -> Result<A, CallError> {
    let foreign = |error: &dyn std::fmt::Display| CallError::Foreign(format!("{}: {error}", method.path));
    let mut reader = serde_json::Deserializer::from_slice(json);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let dynamic = DynamicMessage::deserialize_with_options(method.descriptor.output(), &mut reader, &options)
        .map_err(|error| foreign(&error))?;
    A::decode(dynamic.encode_to_vec().as_slice()).map_err(|error| foreign(&error))
}

/// What a problem document says; without one, what the status alone says.
fn refusal(response: &Response<Bytes>) -> CallError {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    problem(response.body(), retry_after.map(Duration::from_secs)).unwrap_or_else(|| {
        let status = response.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            CallError::Lost(status.to_string())
        } else {
            CallError::Foreign(format!("{status}: {}", String::from_utf8_lossy(response.body())))
        }
    })
}

/// A problem document as the refusal it stands for.
pub(super) fn problem(json: &[u8], retry_after: Option<Duration>) -> Option<CallError> {
    let problem: Problem = serde_json::from_slice(json).ok()?;
    let reason = ReasonInfo::named(problem.reason.as_deref()?)?.reason;
    let message = problem.detail.or(problem.title).unwrap_or_default();
    Some(CallError::Refused { reason, message, retry_after })
}

fn lost(error: hyper_util::client::legacy::Error) -> CallError {
    CallError::Lost(format!("{:#}", anyhow::Error::from(error)))
}

/// The chunks of a streamed answer.
pub(super) type Chunks = Incoming;
