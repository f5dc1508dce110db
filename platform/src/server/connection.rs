//! One HTTP/2 connection, from its handshake to its end: by its peer, its age or the drain.

use std::convert::Infallible;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rand::RngExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

use super::accept::Acceptor;
use super::preface::Prefaced;
use crate::peer::Peer;

/// How many calls one connection may have under way.
const STREAMS_PER_CONNECTION_MAX: u32 = 1024;
/// How long a new connection may take to say who it is, and then to begin with HTTP/2.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How old a connection gets before its client is asked for a new one, so that balancing notices new replicas; up to a
/// tenth more, so that not all are asked at once.
const AGE_MAX: Duration = Duration::from_mins(5);
const AGE_JITTER: f64 = 0.1;

/// When a server's connections end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    /// GOAWAY: calls under way go on, new ones go elsewhere.
    pub(super) go_away: CancellationToken,
    /// At once, whatever is under way.
    pub(super) cut: CancellationToken,
}

/// The settings every connection has.
pub(super) fn http2() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_header_list_size(16 << 10);
    builder
}

/// Serves one connection until it ends.
pub(super) async fn serve<A, S>(socket: TcpStream, acceptor: A, http2: Builder<TokioExecutor>, service: S, ends: Ends)
where
    A: Acceptor,
    S: Service<http::Request<Incoming>, Response = http::Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)) => accepted,
        () = ends.go_away.cancelled() => return,
    };
    let (io, peer) = match accepted {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(cause)) => return tracing::debug!(%cause, "a handshake failed"),
        Err(_) => return tracing::debug!("a handshake took too long"),
    };
    let service = service.map_request(move |request| with_peer(request, &peer));
    let begun = CancellationToken::new();
    let connection =
        http2.serve_connection(TokioIo::new(Prefaced::new(io, begun.clone())), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let age = AGE_MAX.mul_f64(1.0 + rand::rng().random::<f64>() * AGE_JITTER);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = silence(&begun) => return tracing::debug!("a connection did not begin with HTTP/2 in time"),
        () = async { tokio::select! { () = ends.go_away.cancelled() => {} () = tokio::time::sleep(age) => {} } } => {
            // Nobody is there to hear of it.
            if !begun.is_cancelled() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = ends.cut.cancelled() => return,
            }
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "a connection broke off");
    }
}

/// Resolves where a peer has not begun in time; never once it has.
async fn silence(begun: &CancellationToken) {
    if tokio::time::timeout(HANDSHAKE_TIMEOUT, begun.cancelled()).await.is_ok() {
        std::future::pending().await
    }
}

/// Who calls goes with every request; anonymous callers need no word of it.
fn with_peer(mut request: http::Request<Incoming>, peer: &Peer) -> http::Request<Incoming> {
    if *peer != Peer::Anonymous {
        request.extensions_mut().insert(peer.clone());
    }
    request
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tower::service_fn;

    use super::*;
    use crate::server::Plaintext;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_begins_and_says_no_more_is_let_go() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let mut peer = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
        peer.write_all(b"P").await.expect("it is open");
        let (socket, _) = listener.accept().await.expect("a peer");
        let service = service_fn(|_| async { Ok::<_, Infallible>(http::Response::new(Body::empty())) });
        let serving = serve(socket, Plaintext, http2(), service, Ends::default());
        tokio::time::timeout(3 * HANDSHAKE_TIMEOUT, serving).await.expect("it is not served for ever");
        let mut said = Vec::new();
        // A reset is as good an end.
        let _ = peer.read_to_end(&mut said).await;
    }
}
