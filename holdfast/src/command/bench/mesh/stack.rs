//! What the mesh itself costs: a unary call through the full client and server stacks against bare tonic.

use holdfast_contracts::inventory::v1::inventory_service_client::InventoryServiceClient;
use holdfast_platform::client;

use super::figure::Figure;
use super::load::{self, Tally};
use super::stage::Stage;
use crate::command::bench::one_sku;
use crate::command::bench::server::{Child, Kind};

/// How often the two take turns; the medians count.
const ROUNDS: usize = 5;
/// How much of bare tonic's throughput must be left.
const RATIO_MIN: f64 = 0.85;

pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Vec<Figure>> {
    let bare = Child::start(Kind::Echo, None).await?;
    let full = Child::start(Kind::LayeredEcho, None).await?;
    let mut figures = Vec::new();
    for (name, clients) in [("the stack's cost, 1 client", 1), ("the stack's cost, 64 clients", 64)] {
        let (mut bares, mut fulls) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bares.push(over_bare(&bare, clients, stage).await?);
            fulls.push(over_stack(&full, clients, stage).await?);
        }
        figures.push(compare(name, &bares, &fulls));
    }
    bare.stop().await?;
    full.stop().await?;
    figures.push(telemetry(stage).await?);
    Ok(figures)
}

/// Holds of one SKU at 64 clients, with and without metrics and spans of the calls.
async fn telemetry(stage: &Stage) -> anyhow::Result<Figure> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (kind, tallies) in [(Kind::UnobservedStock, &mut without), (Kind::Stock, &mut with)] {
            let server = Child::start(kind, Some(&stage.database_url)).await?;
            tallies.push(over_bare(&server, 64, stage).await?);
            server.stop().await?;
        }
    }
    let (without, with) = (median(&without, Tally::per_second), median(&with, Tally::per_second));
    let cost = 1.0 - with / without;
    let measured = format!("{:.1} %: {with:.0} holds/s against {without:.0}/s", cost * 100.0);
    Ok(Figure { name: "telemetry on the hot path", asked: "under 3 %", measured, holds: cost < TELEMETRY_COST_MAX })
}

/// What telemetry may take of the hot path.
const TELEMETRY_COST_MAX: f64 = 0.03;

async fn over_bare(server: &Child, clients: usize, stage: &Stage) -> anyhow::Result<Tally> {
    let stock = InventoryServiceClient::new(client::channel(server.address())?);
    let ask = move || {
        let mut stock = stock.clone();
        async move { stock.reserve(one_sku()).await.map(drop).map_err(|status| status.to_string()) }
    };
    Ok(load::during(clients, ask, tokio::time::sleep(stage.duration)).await?.1)
}

async fn over_stack(server: &Child, clients: usize, stage: &Stage) -> anyhow::Result<Tally> {
    let stock = InventoryServiceClient::new(client::tcp(server.address())?);
    let ask = move || {
        let mut stock = stock.clone();
        async move { stock.reserve(one_sku()).await.map(drop).map_err(|status| status.to_string()) }
    };
    Ok(load::during(clients, ask, tokio::time::sleep(stage.duration)).await?.1)
}

fn compare(name: &'static str, bares: &[Tally], fulls: &[Tally]) -> Figure {
    let (bare, full) = (median(bares, Tally::per_second), median(fulls, Tally::per_second));
    let us = |tallies, quantile| median(tallies, |tally: &Tally| tally.quantile(quantile).as_secs_f64() * 1e6);
    let failed: u64 = bares.iter().chain(fulls).map(|tally| tally.failed).sum();
    let measured = format!(
        "{:.2}: {full:.0}/s against {bare:.0}/s; p50 {:.0} against {:.0} us, p99 {:.0} against {:.0} us",
        full / bare,
        us(fulls, 0.5),
        us(bares, 0.5),
        us(fulls, 0.99),
        us(bares, 0.99)
    );
    Figure {
        name,
        asked: "throughput at least 0.85 of bare tonic's",
        measured,
        holds: full >= RATIO_MIN * bare && failed == 0,
    }
}

fn median(tallies: &[Tally], of: impl Fn(&Tally) -> f64) -> f64 {
    let mut values: Vec<f64> = tallies.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
