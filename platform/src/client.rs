//! How services reach each other: the generated clients run over a [`Wire`], which is either another service's
//! routes in this process (no socket, but real encoding, deadlines, errors and layers) or connections to its endpoints.
//!
//! Every wire gives each call a deadline and passes its context on. A wire over sockets also repeats what may be
//! repeated, balances over the endpoints, and steps around those that fail: [`stack`] is the list of its decisions.

mod answer;
mod balance;
mod body;
mod breaker;
mod budget;
mod config;
mod connector;
mod context;
mod deadline;
mod discovery;
mod endpoint;
mod failure;
mod flight;
mod hedge;
mod latency;
mod lines;
mod link;
mod load;
mod local;
mod outgoing;
mod policy;
mod pool;
mod retry;
pub mod service_config;
mod stack;
mod step;
mod tally;
mod target;

use std::sync::Arc;
use std::time::Duration;

use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;
use tower::util::BoxCloneSyncService;

pub use self::config::ClientConfig;
pub use self::connector::{Connector, Io};
pub use self::discovery::{Resolve, SystemDns};
pub use self::target::BadTarget;

use self::local::Local;
use self::stack::Stack;
use self::step::Step;
use self::target::Target;
use crate::call::Call;
use crate::layer;
use crate::server::Layered;

/// A transport for generated clients: `InventoryServiceClient::new(wire)`.
pub type Wire = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, WireError>;

/// Why no answer came over a wire of one's own making; the wires made here answer every call, by a status where nobody
/// else did. A type of its own rather than a boxed trait object, whose hidden lifetime would keep the generated clients'
/// futures from being `Send`.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WireError(#[from] tonic::transport::Error);

/// How long a new connection of a [`channel`] may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A wire to a service's endpoints: `http://host:port` (one address, behind which somebody else may balance),
/// `dns:///host:port` (every address of the name) `static:///host:port,host:port`
/// or `file:///path` (a file with one `ip:port` a line). Connects when first used, and again
/// whenever a connection was lost. Must be called inside a runtime, where its connections live.
///
/// # Errors
/// Where the target is none of these.
pub fn connect(target: &str, config: &ClientConfig) -> Result<Wire, BadTarget> {
    Ok(wire(Stack::remote(Target::parse(target)?, config)))
}

/// A wire to services in this process: their routes as they are, or under a server's layers
/// ([`crate::server::in_process`]).
pub fn in_process(service: impl Layered<Body>) -> Wire {
    wire(Stack::local(Local::new(service)))
}

/// A plaintext wire, with the contracts' own policies: [`connect`] with nothing to configure.
///
/// # Errors
/// As [`connect`].
pub fn tcp(target: &str) -> Result<Wire, BadTarget> {
    connect(target, &ClientConfig::default())
}

fn wire<S: Step>(stack: Stack<S>) -> Wire {
    let stack = Arc::new(stack);
    layer::observe::wire(service_fn(move |request| {
        // Read where the call is made: whoever polls it may be part of another.
        let (stack, for_call) = (Arc::clone(&stack), Call::current());
        async move { Ok(stack.call(request, for_call).await) }
    }))
}

/// One bare connection, without any of the above, for tools that measure.
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
