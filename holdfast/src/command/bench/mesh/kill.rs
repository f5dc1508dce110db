//! One of three replicas killed under load; nobody tells its callers.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::figure::Figure;
use super::load;
use super::stage::Stage;
use crate::mesh::{Mesh, Replica, Workload};

/// How long the load goes on before and after.
const AROUND: Duration = Duration::from_secs(3);

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let mut mesh = Mesh::new(stage.settings(None))?;
    mesh.add(Workload::Inventory, 3).await?;
    let asks = stage.asks(&mesh, None)?;
    let ask = move || {
        let asks = asks.clone();
        async move { asks.look().await }
    };
    let began = Instant::now();
    let killing = async {
        tokio::time::sleep(AROUND).await;
        let victim = mesh.of(Workload::Inventory).map(Replica::id).next().context("three were started")?;
        let victim = mesh.take(victim).context("it was there")?;
        let killed = began.elapsed();
        victim.kill().await?;
        tokio::time::sleep(AROUND).await;
        anyhow::Ok(killed)
    };
    let (killed, tally) = load::during(stage.clients, ask, killing).await?;
    let killed = killed?;
    mesh.stop().await?;
    let slowest = Duration::from_micros(tally.latency_us.max());
    let failing = tally.last_failure.unwrap_or(killed).saturating_sub(killed);
    let measured = format!(
        "{} failed of {}, the last {} ms after the kill; slowest answer {} ms",
        tally.failed,
        tally.answered + tally.failed,
        failing.as_millis(),
        slowest.as_millis()
    );
    let holds = failing < Duration::from_secs(1) && slowest < Duration::from_secs(1);
    Ok(vec![Figure { name: "kill -9 of one replica of three", asked: "ejected within 1 s", measured, holds }])
}
