//! One of three replicas killed under load; nobody tells its callers.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use holdfast_contracts::Workload as Name;
use holdfast_platform::telemetry::metrics::{BreakerState, Metrics};

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
        // As our own client's metrics tell: how many endpoints it still believes in.
        let believed = Metrics::get().endpoints.of((Name::InventorySvc, BreakerState::Closed));
        while believed.get() > 2 && began.elapsed() < killed + AROUND {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ejected = began.elapsed() - killed;
        tokio::time::sleep(AROUND).await;
        anyhow::Ok((killed, ejected))
    };
    let (killed, tally) = load::during(stage.clients, ask, killing).await?;
    let (killed, ejected) = killed?;
    mesh.stop().await?;
    let slowest = Duration::from_micros(tally.latency_us.max());
    let failing = tally.last_failure.unwrap_or(killed).saturating_sub(killed);
    let measured = format!(
        "ejected after {} ms; {} failed of {}, the last {} ms after the kill; slowest answer {} ms",
        ejected.as_millis(),
        tally.failed,
        tally.answered + tally.failed,
        failing.as_millis(),
        slowest.as_millis()
    );
    let soon = Duration::from_secs(1);
    let holds = ejected < soon && failing < soon && slowest < soon;
    Ok(vec![Figure { name: "kill -9 of one replica of three", asked: "ejected within 1 s", measured, holds }])
}
