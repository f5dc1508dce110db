//! The hot path's ceiling, for `holdfast bench`: decided batches written one after the other, with no gRPC, no queue
//! and no waiting callers.

use std::time::{Duration, Instant};

use holdfast_contracts::{CustomerId, RequestId, Sku};
use holdfast_platform::pg;

use crate::domain::command::{Command, Reserve, ReserveLine};
use crate::domain::decide::{World, decide};
use crate::domain::time::Ttl;
use crate::store::batch::save_batch;
use crate::store::level::{load_levels, load_now, load_sku_levels};

/// Holds written per second, `batch` at a time, on one SKU over one connection.
///
/// # Errors
/// Where the database refuses; nobody else may write to the SKU meanwhile.
pub async fn raw_batches_per_second(
    database_url: &str,
    sku: &Sku,
    batch: usize,
    duration: Duration,
) -> anyhow::Result<f64> {
    let connection = crate::lane::open_connection(database_url).await?;
    let found = load_sku_levels(&connection, &[sku.as_str()]).await?;
    let candidates = found.get(sku).cloned().unwrap_or_default();
    let ids: Vec<i64> = candidates.iter().map(|level| level.id.0).collect();
    let mut levels = load_levels(&connection, &ids).await?;
    let now = load_now(&connection).await?;
    let customer: CustomerId = "bench".parse()?;
    let began = Instant::now();
    let mut holds = 0_u32;
    while began.elapsed() < duration {
        let commands: Vec<Command> = (0..batch)
            .map(|_| {
                let line = ReserveLine {
                    sku: sku.clone(),
                    quantity: 1,
                    candidates: candidates.clone(),
                    located: false,
                    expected_version: None,
                };
                Command::Reserve(Reserve {
                    id: RequestId::now_v7(),
                    customer: customer.clone(),
                    lines: vec![line],
                    ttl: Ttl::DEFAULT,
                    fingerprint: 0,
                })
            })
            .collect();
        let world = World { levels: levels.clone(), now, ..World::default() };
        let decision = decide(world, &commands);
        save_batch(&connection, &decision.effects, false).await?;
        levels.extend(decision.effects.levels.iter().map(|(id, write)| (*id, write.after)));
        holds += u32::try_from(batch).unwrap_or(u32::MAX);
    }
    drop::<pg::Connection>(connection);
    Ok(f64::from(holds) / began.elapsed().as_secs_f64())
}
