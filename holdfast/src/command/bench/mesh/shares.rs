//! Two replicas become five; each must have its share soon.

use std::time::Duration;

use super::figure::Figure;
use super::load;
use super::stage::Stage;
use crate::mesh::{Mesh, Workload};

/// How long the load has to spread.
const SETTLE: Duration = Duration::from_secs(10);
/// How far a share may be from a fifth.
const TOLERANCE: f64 = 0.2;

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let mut mesh = Mesh::new(stage.settings(None))?;
    mesh.add(Workload::Inventory, 2).await?;
    let asks = stage.asks(&mesh, None)?;
    let ask = move || {
        let asks = asks.clone();
        async move { asks.look().await }
    };
    let growing = async {
        tokio::time::sleep(stage.duration).await;
        mesh.add(Workload::Inventory, 3).await?;
        tokio::time::sleep(SETTLE).await;
        let before = mesh.served(Workload::Inventory).await?;
        tokio::time::sleep(stage.duration).await;
        let after = mesh.served(Workload::Inventory).await?;
        anyhow::Ok(after.iter().zip(before).map(|(after, before)| after - before).collect::<Vec<f64>>())
    };
    let (served, tally) = load::during(stage.clients, ask, growing).await?;
    let served = served?;
    mesh.stop().await?;
    let all: f64 = served.iter().sum();
    let shares: Vec<f64> = served.iter().map(|served| served / all).collect();
    #[expect(clippy::cast_precision_loss, reason = "five")]
    let even = 1.0 / shares.len() as f64;
    let holds = tally.failed == 0 && shares.iter().all(|share| (share / even - 1.0).abs() <= TOLERANCE);
    let told: Vec<String> = shares.iter().map(|share| format!("{:.1} %", share * 100.0)).collect();
    let measured = format!("{} of the calls each; {} failed", told.join(", "), tally.failed);
    Ok(vec![Figure {
        name: "two to five replicas",
        asked: "shares within 20 % of a fifth after 10 s",
        measured,
        holds,
    }])
}
