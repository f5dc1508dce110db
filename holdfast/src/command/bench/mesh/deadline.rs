//! A deadline over three hops: gateway, orders, stock, and the statement at the end of them.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use holdfast_platform::pg;

use super::figure::Figure;
use super::stage::Stage;
use crate::mesh::{Mesh, Workload};

/// How long the caller waits.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long after that everything must have ended.
const MARGIN: Duration = Duration::from_millis(250);

/// Statements of ours that still wait, the locker's own left out.
const STILL_RUNNING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE state = 'active' AND pid <> pg_backend_pid() AND wait_event_type = 'Lock' AND datname = current_database()";

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let mesh = Mesh::start(stage.settings(None), 1).await?;
    let asks = stage.asks(&mesh, None)?;
    asks.order_by_rest(Duration::from_secs(10)).await.map_err(anyhow::Error::msg).context("an order goes through")?;
    let locker = pg::connect(&stage.database_url).await?;
    locker.client().batch_execute("BEGIN; LOCK TABLE inventory.variant IN ACCESS EXCLUSIVE MODE").await?;
    let began = Instant::now();
    let asking = asks.order_by_rest(PATIENCE);
    let waiting = async {
        tokio::time::sleep(PATIENCE / 2).await;
        anyhow::Ok(locker.client().query_one(STILL_RUNNING, &[]).await?.get::<_, i64>(0))
    };
    let (asked, waiting) = tokio::join!(asking, waiting);
    let (answered, waiting) = (began.elapsed(), waiting?);
    tokio::time::sleep((PATIENCE + MARGIN).saturating_sub(began.elapsed())).await;
    let left: i64 = locker.client().query_one(STILL_RUNNING, &[]).await?.get(0);
    let mut calls = 0.0;
    for workload in [Workload::Order, Workload::Inventory] {
        calls += mesh.metric(workload, "holdfast_rpc_server_active_calls").await?.iter().sum::<f64>();
    }
    locker.client().batch_execute("ROLLBACK").await?;
    mesh.stop().await?;
    let said = asked.err().unwrap_or_else(|| "an answer".to_owned());
    let measured = format!(
        "with a lock in the way and {} ms to spend: {waiting} statements waiting half-way, {said} after {} ms; \
         {} ms after the deadline {left} statements and {calls} calls",
        PATIENCE.as_millis(),
        answered.as_millis(),
        MARGIN.as_millis(),
    );
    let holds = waiting > 0 && left == 0 && calls == 0.0 && answered < PATIENCE + MARGIN && said.contains("504");
    Ok(vec![Figure { name: "a deadline over three hops", asked: "no work after it", measured, holds }])
}
