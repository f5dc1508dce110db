//! Three times as many orders as can be served.

use std::time::Duration;

use super::figure::Figure;
use super::load;
use super::stage::Stage;
use crate::mesh::{Mesh, Workload};

/// Closed-loop clients that find the peak, rising; the best counts.
const CLIENTS: [usize; 4] = [4, 8, 16, 32];
/// How much more than the peak is asked for.
const OVER: f64 = 3.0;
/// How much of the peak must still be served.
const GOODPUT_MIN: f64 = 0.9;

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let mut mesh = Mesh::new(stage.settings(None))?;
    mesh.add(Workload::Inventory, 1).await?;
    mesh.add(Workload::Order, 1).await?;
    let asks = stage.asks(&mesh, None)?;
    let ask = move || {
        let asks = asks.clone();
        async move { asks.order().await }
    };
    let mut peak = 0.0_f64;
    for clients in CLIENTS {
        let ((), tally) = load::during(clients, ask.clone(), tokio::time::sleep(stage.duration)).await?;
        peak = peak.max(tally.per_second());
    }
    let tally = load::open_loop(peak * OVER, stage.duration * 3, ask).await?;
    let goodput = tally.per_second();
    mesh.stop().await?;
    let p99 = tally.quantile(0.99);
    let measured = format!(
        "peak {peak:.0} orders/s; at {:.0}/s offered {goodput:.0}/s served ({:.0} %), p99 {} ms, {} refused",
        peak * OVER,
        goodput / peak * 100.0,
        p99.as_millis(),
        tally.failed
    );
    let holds = goodput >= GOODPUT_MIN * peak && p99 < Duration::from_secs(10);
    Ok(vec![Figure { name: "overload at 3x", asked: "goodput at least 90 % of the peak", measured, holds }])
}
