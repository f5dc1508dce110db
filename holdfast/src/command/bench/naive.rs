//! The naive way, by pgbench: lock the row, check, update, insert, commit; one shopper at a time.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use holdfast_platform::pg::{self, cluster};
use tokio::process::Command;

use super::load::Measured;

const SCHEMA: &str = "
    CREATE SCHEMA naive;
    CREATE TABLE naive.level (
        id bigint PRIMARY KEY, on_hand bigint NOT NULL, held bigint NOT NULL, version bigint NOT NULL,
        CHECK (held <= on_hand));
    CREATE TABLE naive.reservation (
        id uuid PRIMARY KEY, level_id bigint NOT NULL, quantity integer NOT NULL, state smallint NOT NULL,
        customer_id text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL);
    CREATE TABLE naive.movement (
        level_id bigint NOT NULL, version bigint NOT NULL, quantity integer NOT NULL, reservation_id uuid NOT NULL,
        created_at timestamptz NOT NULL, PRIMARY KEY (level_id, version));";

const TRANSACTION: &str = r"
\set level random(1, :levels)
BEGIN;
SELECT on_hand - held AS available, version + 1 AS version, gen_random_uuid() AS reservation FROM naive.level WHERE id = :level FOR UPDATE \gset
UPDATE naive.level SET held = held + 1, version = :version WHERE id = :level AND held + 1 <= on_hand;
INSERT INTO naive.reservation VALUES (:reservation, :level, 1, 1, 'customer-0815', now(), now() + interval '10 min');
INSERT INTO naive.movement VALUES (:level, :version, 1, :reservation, now());
COMMIT;
";

pub(super) async fn prepare(database_url: &str, levels: usize) -> anyhow::Result<()> {
    let db = pg::connect(database_url).await?;
    db.client().batch_execute(SCHEMA).await?;
    let fill = format!("INSERT INTO naive.level SELECT n, 1000000000, 0, 0 FROM generate_series(1, {levels}) AS n");
    db.client().batch_execute(&fill).await?;
    Ok(())
}

/// Runs the transaction from `clients` connections over `levels` rows.
pub(super) async fn measure(
    folder: &Path,
    database_url: &str,
    clients: usize,
    duration: Duration,
    levels: usize,
) -> anyhow::Result<Measured> {
    let folder = folder.join("pgbench");
    std::fs::create_dir_all(&folder)?;
    let script = folder.join("naive.sql");
    std::fs::write(&script, TRANSACTION)?;
    let bin = cluster::find_binaries().context("no PostgreSQL binaries")?;
    let threads = clients.min(2);
    let output = Command::new(bin.join("pgbench"))
        .current_dir(&folder)
        .args(["--no-vacuum", "--protocol=prepared", "--log", "--log-prefix=naive"])
        .args(["--client", &clients.to_string(), "--jobs", &threads.to_string()])
        .args(["--time", &duration.as_secs().to_string(), "--define", &format!("levels={levels}")])
        .arg("--file")
        .arg(&script)
        .arg(database_url)
        .kill_on_drop(true)
        .output()
        .await
        .context("pgbench cannot be run")?;
    anyhow::ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench told no tps")?;
    let per_second = tps.split_whitespace().next().unwrap_or_default().parse()?;

    let mut latency_us = Histogram::<u64>::new(3)?;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path != script {
            // client, transaction, latency in microseconds, ...
            for line in std::fs::read_to_string(&path)?.lines() {
                let latency = line.split(' ').nth(2).and_then(|us| us.parse().ok()).context("pgbench's log")?;
                latency_us.record(latency)?;
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(Measured { per_second, latency_us: Some(latency_us), refused: 0 })
}
