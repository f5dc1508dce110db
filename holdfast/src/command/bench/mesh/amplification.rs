//! How many calls reach the servers for each that is made, while endpoints fail.

use std::time::Duration;

use futures_util::future::try_join_all;
use holdfast_contracts::inventory::v1::GetStockRequest;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::client;
use holdfast_platform::task::Tasks;

use super::echo::{Echo, FAILED};
use super::figure::Figure;
use super::load;
use super::stage::Stage;

/// What retries may add.
const AMPLIFICATION_MAX: f64 = 1.2;

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    Ok(vec![
        over(stage, "retries, one endpoint of three failing", &[1.0, 0.0, 0.0]).await?,
        over(stage, "retries, every endpoint failing a third of its calls", &[0.33, 0.33, 0.33]).await?,
    ])
}

async fn over(stage: &Stage, name: &'static str, failing: &[f64]) -> anyhow::Result<Figure> {
    let tasks = Tasks::new();
    let servers = try_join_all(failing.iter().map(|share| Echo::serve(*share, &tasks))).await?;
    let addresses: Vec<String> = servers.iter().map(|(_, address)| address.to_string()).collect();
    let stock = InventoryServiceClient::new(client::tcp(&format!("static:///{}", addresses.join(",")))?);
    let ask = move || {
        let mut stock = stock.clone();
        async move {
            let asked = stock.get_stock(GetStockRequest { sku: "A".to_owned(), ..Default::default() }).await;
            // Refused by the open breakers, a client would otherwise spin.
            if asked.is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            asked.map(drop).map_err(|status| status.message().to_owned())
        }
    };
    let ((), tally) = load::during(stage.clients, ask, tokio::time::sleep(stage.duration)).await?;
    let reached: u64 = servers.iter().map(|(server, _)| server.calls()).sum();
    tasks.stop(Duration::from_secs(5)).await;
    // Calls that open breakers let nowhere were not made, and would flatter the ratio.
    let made = tally.answered + tally.failures.get(FAILED).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    let amplification = reached as f64 / made as f64;
    let measured = format!("{amplification:.3}x: {reached} reached the servers for {made}; {} failed", tally.failed);
    Ok(Figure { name, asked: "at most 1.2x", measured, holds: amplification <= AMPLIFICATION_MAX })
}
