//! The load generator: so many clients, each waiting for its answer before it asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use holdfast_contracts::inventory::v1 as pb;
use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::client;
use holdfast_platform::task::spawn_joined;

/// How long the load runs before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);
/// How many connections the clients share at most.
const CONNECTIONS_MAX: usize = 4;

/// What a cell came to.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub per_second: f64,
    pub latency_us: Option<Histogram<u64>>,
    pub refused: u64,
}

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const OVER: u8 = 2;

/// Runs `clients` closed-loop clients of Reserve.
pub(super) async fn measure(
    address: &str,
    clients: usize,
    duration: Duration,
    request: fn() -> pb::ReserveRequest,
) -> anyhow::Result<Measured> {
    let connections = (0..clients.min(CONNECTIONS_MAX))
        .map(|_| Ok(InventoryServiceClient::new(client::channel(address)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let phase = Arc::new(AtomicU8::new(WARMING));
    let running: Vec<_> = (0..clients)
        .map(|number| {
            let mut client = connections[number % connections.len()].clone();
            let phase = phase.clone();
            spawn_joined(async move {
                let mut latency_us = Histogram::<u64>::new(3)?;
                let mut refused = 0;
                loop {
                    let began = Instant::now();
                    let answer = client.reserve(request()).await;
                    let counts = match phase.load(Ordering::Relaxed) {
                        WARMING => false,
                        MEASURING => true,
                        _ => return anyhow::Ok((latency_us, refused)),
                    };
                    match answer {
                        Ok(_) if counts => {
                            latency_us.record(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX))?;
                        }
                        Ok(_) => {}
                        Err(status) => {
                            refused += 1;
                            anyhow::ensure!(refused < 1000, "too many refusals, the last: {status}");
                        }
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    phase.store(MEASURING, Ordering::Relaxed);
    let began = Instant::now();
    tokio::time::sleep(duration).await;
    phase.store(OVER, Ordering::Relaxed);
    let elapsed = began.elapsed();

    let mut latency_us = Histogram::<u64>::new(3)?;
    let mut refused = 0;
    for client in running {
        let (latency, refusals) = client.await??;
        latency_us.add(latency)?;
        refused += refusals;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_second = latency_us.len() as f64 / elapsed.as_secs_f64();
    Ok(Measured { per_second, latency_us: Some(latency_us), refused })
}
