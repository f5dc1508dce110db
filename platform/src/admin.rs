//! The admin port: plaintext HTTP on an address of its own, for probes, metrics and the log level. Nothing here is for
//! shoppers: bind it to loopback or to the pod.
//!
//! `GET /livez` (the process runs), `GET /readyz` (it takes calls: follows health), `GET /metrics`,
//! `GET|PUT /loglevel` (the body is the new filter).

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use crate::server::accept;
use crate::task::Tasks;
use crate::telemetry;

/// Connections beyond these wait in the listener's backlog.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection may take to send a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// And its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest log filter taken, in bytes.
const FILTER_BYTES_MAX: usize = 4 << 10;
/// How long answers under way may take at the end.
const STOP_GRACE: Duration = Duration::from_secs(1);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue = HeaderValue::from_static(telemetry::CONTENT_TYPE);

/// What the port tells of and changes, from whoever knows.
#[derive(Clone)]
pub struct Hooks {
    /// All metrics, in the OpenMetrics text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// What is logged now.
    pub log_level: Arc<dyn Fn() -> String + Send + Sync>,
    /// Changes what is logged, or says why it cannot.
    pub set_log_level: Arc<SetLogLevel>,
}

/// Takes a filter, or says why not.
pub type SetLogLevel = dyn Fn(&str) -> Result<(), String> + Send + Sync;

impl Default for Hooks {
    /// No metrics, and a log level that stays as it is.
    fn default() -> Self {
        Self {
            metrics: Arc::new(|| "# EOF\n".to_owned()),
            log_level: Arc::new(|| "as at the start".to_owned()),
            set_log_level: Arc::new(|_| Err("the log level cannot be changed in this process".to_owned())),
        }
    }
}

/// Serves the admin port until `stop` resolves. `is_ready` is asked for every `/readyz`.
///
/// # Errors
/// Where the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    is_ready: impl Fn() -> bool + Send + Sync + 'static,
    hooks: Hooks,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let connections = Tasks::new();
    let admin = Admin { is_ready: Arc::new(is_ready), hooks };
    let served = accept(listener, CONNECTIONS_MAX, &connections, stop, |socket| {
        let (admin, stopping) = (admin.clone(), connections.stopping());
        async move {
            tokio::select! {
                () = admin.serve(socket) => {}
                () = stopping.cancelled() => {}
            }
        }
    })
    .await;
    connections.stop(STOP_GRACE).await;
    served
}

#[derive(Clone)]
struct Admin {
    is_ready: Arc<dyn Fn() -> bool + Send + Sync>,
    hooks: Hooks,
}

impl Admin {
    async fn serve(self, socket: TcpStream) {
        let service = service_fn(|request| {
            let admin = self.clone();
            async move { Ok::<_, Infallible>(admin.answer(request).await) }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        if let Err(cause) = builder.serve_connection(TokioIo::new(socket), service).await {
            tracing::debug!(%cause, "a connection to the admin port broke off");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/livez" if is_read => text(StatusCode::OK, "ok\n"),
            "/readyz" if is_read && (self.is_ready)() => text(StatusCode::OK, "ok\n"),
            "/readyz" if is_read => text(StatusCode::SERVICE_UNAVAILABLE, "not serving\n"),
            "/metrics" if is_read => typed(StatusCode::OK, OPEN_METRICS, (self.hooks.metrics)()),
            "/loglevel" if is_read => text(StatusCode::OK, format!("{}\n", (self.hooks.log_level)())),
            "/loglevel" if request.method() == Method::PUT => self.set_log_level(request.into_body()).await,
            "/livez" | "/readyz" | "/metrics" => not_allowed("GET, HEAD"),
            "/loglevel" => not_allowed("GET, HEAD, PUT"),
            _ => text(StatusCode::NOT_FOUND, "/livez, /readyz, /metrics and /loglevel are here\n"),
        }
    }

    async fn set_log_level(&self, body: Incoming) -> Response<Full<Bytes>> {
        let body = Limited::new(body, FILTER_BYTES_MAX).collect();
        let Ok(body) = tokio::time::timeout(BODY_TIMEOUT, body).await else {
            return text(StatusCode::REQUEST_TIMEOUT, "the filter did not arrive in time\n");
        };
        let Ok(body) = body else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, format!("a filter has at most {FILTER_BYTES_MAX} bytes\n"));
        };
        let body = body.to_bytes();
        let set = str::from_utf8(&body).map_err(|cause| cause.to_string()).map(str::trim);
        match set.and_then(|filter| (self.hooks.set_log_level)(filter)) {
            Ok(()) => {
                let now = (self.hooks.log_level)();
                tracing::info!(log_level = now, "what is logged was changed");
                text(StatusCode::OK, format!("{now}\n"))
            }
            Err(problem) => text(StatusCode::BAD_REQUEST, format!("{problem}\n")),
        }
    }
}

fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("only {methods}\n"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    typed(status, TEXT, text)
}

fn typed(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
