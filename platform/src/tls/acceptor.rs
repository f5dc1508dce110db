//! The server's end: a TCP connection becomes a TLS one whose peer is known.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::ALPN_H2;
use super::certificate::{CertificateError, Leaf};
use super::identity::Identity;
use super::verifier::io_in_words;
use crate::peer::Peer;
use crate::server;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many may be under way. They take milliseconds; whoever is slower makes room for the next.
const HANDSHAKES_MAX: usize = 512;

/// Why a connection was not accepted. Its peer has been told where TLS has a way to.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("the handshake failed: {}", io_in_words(.0))]
    Handshake(std::io::Error),
    #[error("the handshake took longer than {} s", HANDSHAKE_TIMEOUT.as_secs())]
    Slow,
    #[error("the slowest of {HANDSHAKES_MAX} handshakes made room for others")]
    Crowded,
    #[error("the peer does not speak HTTP/2")]
    NotHttp2,
    #[error("the peer's certificate: {0}")]
    Certificate(#[from] CertificateError),
}

/// See the module. Clones share everything.
#[derive(Debug, Clone)]
pub struct Acceptor {
    identity: Identity,
    under_way: Arc<UnderWay>,
    refused: Arc<AtomicU64>,
}

impl Acceptor {
    pub(super) fn new(identity: Identity) -> Self {
        Self { identity, under_way: Arc::default(), refused: Arc::default() }
    }

    /// Shakes hands. To be awaited beside the accept loop, not in it: this takes as long as the peer does, up to
    /// a few seconds.
    ///
    /// # Errors
    /// Where the peer shows no certificate of our trust domain, is too slow, or speaks something else.
    pub async fn accept(&self, tcp: TcpStream) -> Result<(TlsStream<TcpStream>, Peer), AcceptError> {
        let accepted = self.shake_hands(tcp).await;
        if accepted.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        accepted
    }

    /// How many connections were not accepted.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    async fn shake_hands(&self, tcp: TcpStream) -> Result<(TlsStream<TcpStream>, Peer), AcceptError> {
        let place = self.under_way.enter();
        let acceptor = tokio_rustls::TlsAcceptor::from(self.identity.current().server.clone());
        let stream = tokio::select! {
            () = place.is_needed() => return Err(AcceptError::Crowded),
            shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(tcp)) => {
                shaken.map_err(|_| AcceptError::Slow)?.map_err(AcceptError::Handshake)?
            }
        };
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() != Some(ALPN_H2) {
            return Err(AcceptError::NotHttp2);
        }
        // The verifier has read it and found it good; without one the handshake would have failed.
        let leaf = session.peer_certificates().and_then(<[_]>::first).ok_or(CertificateError::Malformed)?;
        let peer = Peer::Spiffe(Leaf::read(leaf)?.id.into());
        Ok((stream, peer))
    }
}

impl server::Acceptor for Acceptor {
    type Io = TlsStream<TcpStream>;

    async fn accept(&self, socket: TcpStream) -> io::Result<(Self::Io, Peer)> {
        self.accept(socket).await.map_err(io::Error::other)
    }
}

/// The handshakes under way, the longest first.
#[derive(Debug, Default)]
struct UnderWay(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    next: u64,
    taken: BTreeMap<u64, CancellationToken>,
}

impl UnderWay {
    /// Takes a place; where there is none left, that of the longest under way, so that silent peers never shut
    /// others out.
    fn enter(self: &Arc<Self>) -> Place {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.taken.len() >= HANDSHAKES_MAX
            && let Some((_, longest)) = places.taken.pop_first()
        {
            longest.cancel();
        }
        let (number, needed) = (places.next, CancellationToken::new());
        places.next += 1;
        places.taken.insert(number, needed.clone());
        Place { under_way: self.clone(), number, needed }
    }
}

/// One handshake's place, given back when it ends.
struct Place {
    under_way: Arc<UnderWay>,
    number: u64,
    needed: CancellationToken,
}

impl Place {
    fn is_needed(&self) -> WaitForCancellationFuture<'_> {
        self.needed.cancelled()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_handshake_makes_room_and_a_finished_one_leaves_its_place() {
        let under_way = Arc::new(UnderWay::default());
        let mut places: Vec<Place> = (0..HANDSHAKES_MAX).map(|_| under_way.enter()).collect();
        drop(places.remove(1));
        let last = under_way.enter();
        assert!(places.iter().chain([&last]).all(|place| !place.needed.is_cancelled()), "there was a place left");
        let one_more = under_way.enter();
        let evicted: Vec<u64> =
            places.iter().filter(|place| place.needed.is_cancelled()).map(|place| place.number).collect();
        assert_eq!(evicted, [0]);
        drop((places, last, one_more));
        assert!(under_way.0.lock().expect("no panic").taken.is_empty());
    }
}
