//! Every replica of every service replaced under load, as a rolling update does.

use std::fmt::Write as _;

use super::figure::Figure;
use super::load;
use super::stage::Stage;
use crate::mesh::{Mesh, Workload};

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let mut mesh = Mesh::start(stage.settings(None), 2).await?;
    let asks = stage.asks(&mesh, None)?;
    let ask = move || {
        let asks = asks.clone();
        async move { asks.any().await }
    };
    let rolling = async {
        for workload in Workload::ALL {
            mesh.roll(workload).await?;
        }
        anyhow::Ok(())
    };
    let (rolled, tally) = load::during(stage.clients, ask, rolling).await?;
    rolled?;
    mesh.stop().await?;
    let mut measured =
        format!("{} failed of {} in {:.1} s", tally.failed, tally.answered + tally.failed, tally.lasted.as_secs_f64());
    if let Some((said, times)) = tally.failures.iter().max_by_key(|(_, times)| **times) {
        write!(measured, "; {times} times {said}")?;
    }
    let holds = tally.failed == 0;
    Ok(vec![Figure { name: "rolling restart of every service", asked: "0 failed calls", measured, holds }])
}
