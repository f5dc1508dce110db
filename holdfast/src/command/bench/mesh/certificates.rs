//! Every certificate replaced under load.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::figure::Figure;
use super::load;
use super::stage::Stage;
use crate::mesh::{Mesh, Workload};

/// Longer than processes take to look at their files again.
const NOTICED: Duration = Duration::from_secs(8);

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let folder = stage.folder.join("certs");
    issue(&folder).await?;
    let mut mesh = Mesh::start(stage.settings(Some(folder.clone())), 2).await?;
    let operator = stage.operator(&folder).await?;
    let asks = stage.asks(&mesh, Some(&operator))?;
    let ask = move || {
        let asks = asks.clone();
        async move { asks.any().await }
    };
    let swapping = async {
        tokio::time::sleep(stage.duration).await;
        issue(&folder).await?;
        tokio::time::sleep(NOTICED).await;
        let reloads = mesh.metric(Workload::Inventory, "holdfast_tls_certificate_reloads_total{outcome=\"changed\"}");
        let reloads: f64 = reloads.await?.iter().sum();
        // New connections are made with the new certificates.
        mesh.roll(Workload::Inventory).await?;
        tokio::time::sleep(stage.duration).await;
        anyhow::Ok(reloads)
    };
    let (reloads, tally) = load::during(stage.clients, ask, swapping).await?;
    let reloads = reloads?;
    mesh.stop().await?;
    let mut measured = format!(
        "{} failed of {} calls over mutual TLS; {reloads} reloads by 2 replicas",
        tally.failed,
        tally.answered + tally.failed
    );
    if let Some((said, _)) = tally.failures.iter().next() {
        measured.push_str("; ");
        measured.push_str(said);
    }
    let holds = tally.failed == 0 && reloads >= 2.0;
    Ok(vec![Figure { name: "certificates swapped under load", asked: "0 failures", measured, holds }])
}

async fn issue(folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    let issued = command.arg("dev-certs").arg("--out").arg(folder).stdout(Stdio::null()).status().await?;
    anyhow::ensure!(issued.success(), "no certificates were issued");
    Ok(())
}
