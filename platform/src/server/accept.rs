//! The accept loop of every door, and what makes a connection out of a socket.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::peer::Peer;
use crate::task::Tasks;

/// How long the loop rests when a connection was not accepted: the process may be out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Makes a connection out of a socket: as it is ([`Plaintext`]), or by a TLS handshake that tells who the other end is.
pub trait Acceptor: Clone + Send + Sync + 'static {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Runs in the connection's own task, for no longer than the handshake timeout.
    fn accept(&self, socket: TcpStream) -> impl Future<Output = io::Result<(Self::Io, Peer)>> + Send;
}

/// No TLS: anybody may be at the other end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plaintext;

impl Acceptor for Plaintext {
    type Io = TcpStream;

    /// Waits for the first byte, so that a socket that never says anything is given up.
    async fn accept(&self, socket: TcpStream) -> io::Result<(TcpStream, Peer)> {
        socket.readable().await?;
        Ok((socket, Peer::Anonymous))
    }
}

/// Accepts until `stop` resolves; what comes after that is refused by the kernel. Each connection is served by a task of
/// `tasks`, at most `connections_max` at a time: further ones wait in the listener's backlog.
///
/// # Errors
/// Where the listener fails for good.
pub async fn accept<C, F>(
    listener: TcpListener,
    connections_max: usize,
    tasks: &Tasks,
    stop: impl Future<Output = ()>,
    serve: C,
) -> io::Result<()>
where
    C: Fn(TcpStream) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(connections_max));
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok((listener.accept().await?.0, permit))
        };
        let accepted = tokio::select! {
            () = &mut stop => return Ok(()),
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((socket, permit)) => {
                // Answers are small and whole: waiting to fill a packet only delays them.
                if let Err(cause) = socket.set_nodelay(true) {
                    tracing::debug!(%cause, "a connection was gone before it began");
                    continue;
                }
                let serving = serve(socket);
                tasks.spawn("connection", async move {
                    let _permit = permit;
                    serving.await;
                });
            }
            Err(cause) if !is_final(&cause) => {
                tracing::warn!(%cause, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Err(cause) => return Err(cause),
        }
    }
}

/// Whether the listener itself is none any more. Everything else that accepting says is about one connection (its peer
/// gave up, a firewall refused it, its network went down) or passes (no file descriptors, no memory).
fn is_final(cause: &io::Error) -> bool {
    matches!(Errno::from_io_error(cause), Some(Errno::BADF | Errno::FAULT | Errno::INVAL | Errno::NOTSOCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broken_listener_ends_the_loop() {
        for passing in [Errno::PERM, Errno::PROTO, Errno::NETDOWN, Errno::NOBUFS, Errno::TIMEDOUT, Errno::MFILE] {
            assert!(!is_final(&passing.into()), "{passing}");
        }
        assert!(is_final(&Errno::BADF.into()));
    }
}
