//! Streams as server-sent events, made for the browser's EventSource: ids to resume from, comments against idle
//! timeouts. Nothing is buffered: the next message is asked for when the socket has room for it, and a reader that
//! goes away cancels the call.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost_reflect::DynamicMessage;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Streaming};

use crate::answer;
use crate::body::Body;
use crate::context::Context;
use crate::observe::OpenStream;
use crate::problem::Problem;
use crate::route::Route;

/// How long a browser waits before it reconnects.
const RETRY_MS: u32 = 1000;

/// One open stream.
pub(crate) struct Watch {
    pub(crate) upstream: Streaming<DynamicMessage>,
    pub(crate) route: Arc<Route>,
    pub(crate) cx: Context,
    pub(crate) type_base: String,
    pub(crate) heartbeat: Interval,
    /// Ends every stream when the gateway stops: readers reconnect elsewhere.
    pub(crate) stop: CancellationToken,
    pub(crate) _permit: OwnedSemaphorePermit,
    pub(crate) _open: OpenStream,
}

enum Step {
    Begin(Box<Watch>),
    Go(Box<Watch>),
    End,
}

impl Watch {
    pub(crate) fn respond(self) -> Response<Body> {
        let frames = stream::unfold(Step::Begin(Box::new(self)), |step| async move {
            let (text, next) = match step {
                Step::Begin(watch) => (format!("retry: {RETRY_MS}\n\n"), Step::Go(watch)),
                Step::Go(watch) => watch.step().await?,
                Step::End => return None,
            };
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), next))
        });
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // nginx would hold events back otherwise.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response
    }

    async fn step(mut self: Box<Self>) -> Option<(String, Step)> {
        let received = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            received = self.upstream.message() => received,
            _ = self.heartbeat.tick() => return Some((":\n\n".to_owned(), Step::Go(self))),
        };
        self.heartbeat.reset();
        match received {
            Ok(Some(message)) => match event(&message) {
                Ok(text) => Some((text, Step::Go(self))),
                Err(cause) => {
                    tracing::error!(request.id = self.cx.request_id(), %cause, "an event has no JSON form");
                    Some((self.failure(&Problem::internal()), Step::End))
                }
            },
            Ok(None) => None,
            Err(status) => {
                let problem = Problem::of_status(&status, &self.route, &self.cx, None);
                // A server that drains: no failure, the reader comes back with the last id it had.
                if status.code() == Code::Unavailable
                    && let Some(delay) = problem.retry_after
                {
                    return Some((format!("retry: {}\n\n", delay.as_millis()), Step::End));
                }
                Some((self.failure(&problem), Step::End))
            }
        }
    }

    fn failure(&self, problem: &Problem) -> String {
        let document = problem.document(&self.cx, &self.type_base);
        format!("event: error\ndata: {}\n\n", String::from_utf8_lossy(&document))
    }
}

/// `id` is the message's cursor, `event` the member set of its oneof, `data` the whole message.
fn event(message: &DynamicMessage) -> Result<String, serde_json::Error> {
    let json = answer::json(message)?;
    let mut text = String::with_capacity(json.len() + 64);
    if let Some(cursor) = message.get_field_by_name("cursor")
        && let Some(cursor) =
            cursor.as_str().filter(|cursor| !cursor.is_empty() && !cursor.contains(['\n', '\r', '\0']))
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "id: {cursor}");
    }
    let _ = write!(text, "event: {}\ndata: {}\n\n", event_name(message), String::from_utf8_lossy(&json));
    Ok(text)
}

fn event_name(message: &DynamicMessage) -> String {
    use prost_reflect::ReflectMessage as _;
    let set = message
        .descriptor()
        .oneofs()
        .filter(|oneof| !oneof.is_synthetic())
        .find_map(|oneof| oneof.fields().find(|field| message.has_field(field)));
    set.map_or_else(|| "message".to_owned(), |field| field.json_name().to_owned())
}
