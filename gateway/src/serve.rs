//! The HTTP server: HTTP/1.1 and HTTP/2 without TLS on one port, bounded, and drained at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_platform::server::accept;
use holdfast_platform::task::Tasks;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
use crate::linger::Lingering;

/// hyper's own bound on a request's head. It lies above `header_bytes_max`, so that what exceeds that is refused
/// with a problem document; what exceeds this is refused with a bare 431.
const HEAD_BYTES_MAX: usize = 64 << 10;

pub(crate) async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let tasks = Tasks::new();
    let builder = Arc::new(builder(&gateway));
    let serve = |socket| connection(gateway.clone(), builder.clone(), socket, tasks.stopping());
    let ended = accept(listener, gateway.config.connections_max, &tasks, stop, serve).await;
    gateway.stop.cancel();
    tasks.stop(gateway.config.drain_timeout).await;
    ended
}

fn builder(gateway: &Gateway) -> Builder<TokioExecutor> {
    let config = &gateway.config;
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(HEAD_BYTES_MAX.max(config.header_bytes_max));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.streams_per_connection_max)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX.max(config.header_bytes_max)).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

async fn connection(
    gateway: Arc<Gateway>,
    builder: Arc<Builder<TokioExecutor>>,
    socket: TcpStream,
    stopping: CancellationToken,
) {
    let header_timeout = gateway.config.header_timeout;
    let spoke = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let spoke = spoke.clone();
        move |request: Request<Incoming>| {
            spoke.store(true, Ordering::Relaxed);
            let gateway = gateway.clone();
            async move { Ok::<_, Infallible>(gateway.respond(request).await) }
        }
    });
    let connection = builder.serve_connection(TokioIo::new(Lingering::new(socket)), service);
    tokio::pin!(connection);
    // hyper's own header timeout begins only after the bytes that tell HTTP/1 from HTTP/2.
    let silent = async {
        tokio::time::sleep(header_timeout).await;
        if spoke.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = silent => return,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = done {
        tracing::debug!(%cause, "a connection broke off");
    }
}
