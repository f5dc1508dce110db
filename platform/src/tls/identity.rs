//! Who this process is, kept up to date with the files that say so.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use holdfast_contracts::Workload;
use rustls::pki_types::UnixTime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

use super::acceptor::Acceptor;
use super::connector::Connector;
use super::files::{Contents, FileError, Files};
use super::material::{Material, MaterialError};
use super::spiffe::{SpiffeId, TrustDomain};
use crate::task::Tasks;
use crate::telemetry::metrics::{Metrics, Reload};

/// How often the files are looked at.
const LOOK_PERIOD: Duration = Duration::from_secs(5);
/// How long a change must stand still before it is believed: certificate and key are two files, written one by one.
const SETTLE_TIME: Duration = Duration::from_millis(200);

/// Why there is no identity to begin with, or a changed one is not taken.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}, {} and {} make no identity: {cause}", files.cert.display(), files.key.display(), files.ca.display())]
    Material { files: Box<Files>, cause: MaterialError },
}

/// What a look at the files came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Nothing new; or something is being written right now, which the next look will find done.
    Same,
    /// New handshakes use what was found.
    Swapped,
    /// What was found is no good: the old stays. Logged, once for each change.
    Refused,
}

/// See the module. Clones share everything.
#[derive(Clone)]
pub struct Identity {
    shared: Arc<Shared>,
}

struct Shared {
    files: Files,
    domain: TrustDomain,
    id: SpiffeId,
    current: ArcSwap<Material>,
    found: Mutex<Found>,
    swapped: AtomicU64,
    refused: AtomicU64,
}

/// What was last found.
struct Found {
    contents: Result<Contents, FileError>,
    /// Looked at again each time: a certificate that is not valid yet will be.
    is_refused: bool,
}

impl Identity {
    /// Reads the files that must hold this workload's certificate.
    ///
    /// # Errors
    /// Where they cannot be read, do not fit together, or are another workload's.
    pub async fn load(files: Files, domain: TrustDomain, workload: Workload) -> Result<Self, IdentityError> {
        let id = domain.id_of(workload);
        let contents = files.read().await?;
        let material = Material::check(&contents, &id, &domain, UnixTime::now())
            .map_err(|cause| IdentityError::Material { files: Box::new(files.clone()), cause })?;
        let (current, found) =
            (ArcSwap::from_pointee(material), Mutex::new(Found { contents: Ok(contents), is_refused: false }));
        let (swapped, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        let identity = Self { shared: Arc::new(Shared { files, domain, id, current, found, swapped, refused }) };
        tracing::info!(id = %identity.id(), days_left = identity.life_left().as_secs() / 86_400, "mutual TLS is on");
        Ok(identity)
    }

    /// Keeps looking, every few seconds and on SIGHUP, until the tasks are stopped.
    pub fn watch(&self, tasks: &Tasks) {
        self.watch_every(LOOK_PERIOD, tasks);
    }

    fn watch_every(&self, period: Duration, tasks: &Tasks) {
        let (identity, stopping) = (self.clone(), tasks.stopping());
        tasks.spawn("tls", async move {
            let mut hangups = signal(SignalKind::hangup()).ok();
            let mut hangup = async move || match &mut hangups {
                Some(hangups) => drop(hangups.recv().await),
                None => std::future::pending().await,
            };
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = tokio::time::sleep(period) => {}
                    () = hangup() => {}
                }
                identity.look().await;
            }
        });
    }

    /// Looks at the files once, and takes what has changed if all of it is good.
    pub async fn look(&self) -> Looked {
        self.look_at(UnixTime::now).await
    }

    async fn look_at(&self, now: impl FnOnce() -> UnixTime) -> Looked {
        let shared = &*self.shared;
        let mut last = shared.found.lock().await;
        let found = shared.files.read().await;
        let is_new = found != last.contents;
        if !is_new && !last.is_refused {
            return Looked::Same;
        }
        if is_new {
            tokio::time::sleep(SETTLE_TIME).await;
            if shared.files.read().await != found {
                return Looked::Same;
            }
        }
        let checked = match &found {
            Ok(contents) => Material::check(contents, &shared.id, &shared.domain, now())
                .map_err(|cause| IdentityError::Material { files: Box::new(shared.files.clone()), cause }),
            Err(error) => Err(error.clone().into()),
        };
        *last = Found { contents: found, is_refused: checked.is_err() };
        match checked {
            Ok(material) => {
                shared.current.store(Arc::new(material));
                shared.swapped.fetch_add(1, Ordering::Relaxed);
                Metrics::get().certificate_reloads.of((Reload::Changed,)).add(1);
                tracing::info!(id = %shared.id, days_left = self.life_left().as_secs() / 86_400, "certificate swapped");
                Looked::Swapped
            }
            Err(_) if !is_new => Looked::Same,
            Err(error) => {
                shared.refused.fetch_add(1, Ordering::Relaxed);
                Metrics::get().certificate_reloads.of((Reload::Refused,)).add(1);
                tracing::error!(%error, "changed certificate files are not taken, the old certificate stays");
                Looked::Refused
            }
        }
    }

    /// What a server's listener wraps its connections with.
    pub fn acceptor(&self) -> Acceptor {
        Acceptor::new(self.clone())
    }

    /// What a client reaches one workload with.
    pub fn connector(&self, workload: Workload) -> Connector {
        Connector::new(self.clone(), self.shared.domain.id_of(workload))
    }

    pub fn id(&self) -> &SpiffeId {
        &self.shared.id
    }

    pub fn trust_domain(&self) -> &TrustDomain {
        &self.shared.domain
    }

    /// How long until the chain in use ends; zero once it has.
    pub fn life_left(&self) -> Duration {
        self.shared.current.load().not_after.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// How often a changed identity was taken.
    pub fn swapped(&self) -> u64 {
        self.shared.swapped.load(Ordering::Relaxed)
    }

    /// How often one was not taken.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    pub(super) fn current(&self) -> Arc<Material> {
        self.shared.current.load_full()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("id", &self.shared.id).field("files", &self.shared.files).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::authority::Authority;

    #[tokio::test]
    async fn a_certificate_refused_for_the_clock_is_taken_once_the_clock_agrees() {
        let day = Duration::from_secs(86_400);
        let domain: TrustDomain = "holdfast".parse().expect("a trust domain");
        let (authority, id) = (Authority::make(day).expect("randomness"), domain.id_of(Workload::Gateway));
        let folder = tempfile::TempDir::new().expect("a folder");
        let publish = || {
            let own = authority.issue(&id, day / 2).expect("issued");
            for (name, contents) in [("ca.crt", authority.cert_pem()), ("tls.crt", &own.cert), ("tls.key", &own.key)] {
                std::fs::write(folder.path().join(name), contents).expect("written");
            }
        };
        publish();
        let identity = Identity::load(Files::in_folder(folder.path()), domain, Workload::Gateway).await;
        let identity = identity.expect("a good identity");
        publish();
        let long_ago = || UnixTime::since_unix_epoch(day);
        assert_eq!(identity.look_at(long_ago).await, Looked::Refused);
        assert_eq!(identity.look_at(long_ago).await, Looked::Same, "told once");
        assert_eq!(identity.look().await, Looked::Swapped);
        assert_eq!((identity.refused(), identity.swapped(), identity.look().await), (1, 1, Looked::Same));
    }

    #[tokio::test]
    async fn a_watched_identity_follows_its_files() {
        let day = Duration::from_secs(86_400);
        let domain: TrustDomain = "holdfast".parse().expect("a trust domain");
        let (authority, id) = (Authority::make(day).expect("randomness"), domain.id_of(Workload::Gateway));
        let folder = tempfile::TempDir::new().expect("a folder");
        let publish = |life: Duration| {
            let own = authority.issue(&id, life).expect("issued");
            for (name, contents) in [("ca.crt", authority.cert_pem()), ("tls.crt", &own.cert), ("tls.key", &own.key)] {
                std::fs::write(folder.path().join(name), contents).expect("written");
            }
        };
        publish(day / 2);
        let identity = Identity::load(Files::in_folder(folder.path()), domain, Workload::Gateway).await;
        let identity = identity.expect("a good identity");
        let tasks = Tasks::new();
        identity.watch_every(Duration::from_millis(10), &tasks);
        publish(day);
        let swapped = async {
            while identity.swapped() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), swapped).await.expect("it looks");
        assert!(identity.life_left() > day / 2);
        tasks.stop(Duration::from_secs(60)).await;
    }
}
