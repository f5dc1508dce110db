//! How services reach each other: the generated clients run over a [`Wire`], which is either another service's
//! routes in this process (no socket, but real encoding, deadlines, errors and layers) or an HTTP/2 channel.

use std::convert::Infallible;
use std::time::Duration;

use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tower::util::{BoxCloneSyncService, ServiceExt};

use crate::layer;

/// A transport for generated clients: `InventoryServiceClient::new(wire)`.
pub type Wire = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, WireError>;

/// Why no answer came over a wire. A type of its own rather than a boxed trait object, whose hidden lifetime would keep
/// the generated clients' futures from being `Send`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WireError(#[from] tonic::transport::Error);

/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A wire to services in this process.
pub fn in_process(routes: Routes) -> Wire {
    let routes = routes.prepare();
    let routes = ServiceExt::<http::Request<Body>>::map_err(routes, |never: Infallible| match never {});
    layer::observe::wire(BoxCloneSyncService::new(routes))
}

/// A wire to services at an address such as `http://127.0.0.1:50051`; connects when first used, and again
/// whenever the connection was lost.
///
/// # Errors
/// Where the address is not a URI.
pub fn tcp(address: &str) -> Result<Wire, tonic::transport::Error> {
    Ok(layer::observe::wire(BoxCloneSyncService::new(channel(address)?.map_err(WireError::from))))
}

/// The channel under [`tcp`], for tools that want one of their own.
///
/// # Errors
/// Where the address is not a URI.
pub fn channel(address: &str) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(address.to_owned())?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20);
    Ok(endpoint.connect_lazy())
}
