//! The client's end: reaches an address and makes sure of who is there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::ALPN_H2;
use super::identity::Identity;
use super::spiffe::SpiffeId;
use super::verifier::io_in_words;

/// How long reaching the address and shaking hands may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Where a URI names no port.
const PORT_DEFAULT: u16 = 443;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{0} names no host")]
    NoHost(Uri),
    #[error("{host}:{port} cannot be reached: {cause}")]
    Tcp { host: String, port: u16, cause: std::io::Error },
    #[error("TLS cannot be configured: {0}")]
    Config(rustls::Error),
    #[error("{expected} is not at {host}:{port}: {}", io_in_words(cause))]
    Handshake { host: String, port: u16, expected: SpiffeId, cause: std::io::Error },
    #[error("{host}:{port} does not speak HTTP/2")]
    NotHttp2 { host: String, port: u16 },
    #[error("{host}:{port} took longer than {} s to connect", CONNECT_TIMEOUT.as_secs())]
    Slow { host: String, port: u16 },
}

/// For `tonic::transport::Endpoint::connect_with_connector_lazy`. The URI says where; who must be there was said when
/// this was made.
#[derive(Debug, Clone)]
pub struct Connector {
    identity: Identity,
    expected: SpiffeId,
}

impl Connector {
    pub(super) fn new(identity: Identity, expected: SpiffeId) -> Self {
        Self { identity, expected }
    }

    async fn connect(self, uri: Uri) -> Result<TlsStream<TcpStream>, ConnectError> {
        let host = uri.host().ok_or_else(|| ConnectError::NoHost(uri.clone()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(PORT_DEFAULT);
        match tokio::time::timeout(CONNECT_TIMEOUT, self.reach(&host, port)).await {
            Ok(connected) => connected,
            Err(_) => Err(ConnectError::Slow { host, port }),
        }
    }

    async fn reach(self, host: &str, port: u16) -> Result<TlsStream<TcpStream>, ConnectError> {
        let unreached = |cause| ConnectError::Tcp { host: host.to_owned(), port, cause };
        let name = ServerName::try_from(host.to_owned()).map_err(|bad| unreached(std::io::Error::other(bad)))?;
        let tcp = TcpStream::connect((host, port)).await.map_err(unreached)?;
        tcp.set_nodelay(true).map_err(unreached)?;
        // Made anew for every connection, which are few: so it is never one of yesterday's.
        let config = self.identity.current().client(&self.expected).map_err(ConnectError::Config)?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, tcp).await.map_err(|cause| ConnectError::Handshake {
            host: host.to_owned(),
            port,
            expected: self.expected,
            cause,
        })?;
        match stream.get_ref().1.alpn_protocol() {
            Some(ALPN_H2) => Ok(stream),
            Some(_) | None => Err(ConnectError::NotHttp2 { host: host.to_owned(), port }),
        }
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.clone().connect(uri);
        Box::pin(async move { connecting.await.map(TokioIo::new) })
    }
}
