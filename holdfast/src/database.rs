//! The database a command runs on: the one it is given, or a private PostgreSQL that is looked after.

use std::path::PathBuf;
use std::time::Duration;

use holdfast_platform::pg::cluster::Cluster;
use holdfast_platform::task::spawn_joined;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often the private PostgreSQL is looked after.
const REVIVE_PERIOD: Duration = Duration::from_millis(250);

/// See the module. To be closed: a private server that is dropped is not stopped cleanly.
pub(crate) struct Database {
    url: String,
    private: Option<(JoinHandle<anyhow::Result<Cluster>>, CancellationToken)>,
}

impl Database {
    /// The database at `url`; without one, a private server in `data_dir`, which is made where it is missing.
    ///
    /// # Errors
    /// Where the private server cannot be started.
    pub(crate) async fn open(url: Option<String>, data_dir: PathBuf) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self { url, private: None });
        }
        let cluster = tokio::task::spawn_blocking(move || Cluster::start(&data_dir)).await??;
        let (url, serving) = (cluster.url().to_owned(), CancellationToken::new());
        let keeper = spawn_joined(keep_alive(cluster, serving.clone()));
        Ok(Self { url, private: Some((keeper, serving)) })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops the private server, if there is one.
    ///
    /// # Errors
    /// Where it does not stop.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let Some((keeper, serving)) = self.private else { return Ok(()) };
        serving.cancel();
        let cluster = keeper.await??;
        Ok(tokio::task::spawn_blocking(move || cluster.stop()).await?)
    }
}

/// Starts the private PostgreSQL again should it die, until `serving` is cancelled; gives it back to be stopped.
async fn keep_alive(mut cluster: Cluster, serving: CancellationToken) -> anyhow::Result<Cluster> {
    loop {
        tokio::select! {
            () = serving.cancelled() => return Ok(cluster),
            () = tokio::time::sleep(REVIVE_PERIOD) => {}
        }
        cluster = tokio::task::spawn_blocking(move || {
            if let Err(error) = cluster.revive() {
                tracing::error!(%error, "private PostgreSQL does not come back, trying again");
            }
            cluster
        })
        .await?;
    }
}
