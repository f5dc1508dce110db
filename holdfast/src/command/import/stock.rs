//! Stock levels set to what the files say, against the version each level was read at.

use std::collections::{BTreeSet, HashMap};

use anyhow::anyhow;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_contracts::common::v1::Reason;
use holdfast_contracts::inventory::v1 as pb;
use inventory_svc::domain::feed::{Fault, StockLine};
use pb::adjust_stock_request::{Change, Quantity};
use tonic::Code;
use uuid::Uuid;

use super::CALLS_MAX;
use super::server::{Refused, Server, ask};
use super::source::{NAMESPACE, Source};
use super::summary::Summary;
use crate::output::Output;

/// How many SKUs are read at once: their levels at some hundred locations fit one message.
const READ_SKUS: usize = 100;
const READS_MAX: usize = 4;
/// How often a level that others keep changing is read again before the row is rejected.
const RACES_MAX: u32 = 8;

/// What setting one level came to.
enum Outcome {
    Set,
    Unchanged,
    Refused(Refused),
}

/// A level as it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Level {
    version: i64,
    on_hand: i64,
    unavailable: i64,
}

pub(super) async fn load(
    server: &Server,
    sources: &mut [Source],
    summary: &mut Summary,
    output: Output,
) -> anyhow::Result<()> {
    let lines: usize = sources.iter().map(|source| source.feed.stock.len()).sum();
    if lines == 0 {
        return Ok(());
    }
    let stocks = read_stocks(server, sources).await?;
    let progress = output.progress("stock levels", lines as u64);
    for (source, file) in sources.iter_mut().zip(&mut summary.files) {
        let content_id = source.content_id;
        let settings = source.feed.stock.iter().enumerate().map(|(index, line)| {
            let (stocks, progress) = (&stocks, &progress);
            async move {
                let outcome = match stocks.get(line.sku.as_str()) {
                    Some(stock) => set_level(server, content_id, line, level_of(stock, line)).await?,
                    None => Outcome::Refused(unknown_sku(line)),
                };
                progress.advance(1);
                anyhow::Ok((index, outcome))
            }
        });
        let mut outcomes: Vec<(usize, Outcome)> =
            stream::iter(settings).buffer_unordered(CALLS_MAX).try_collect().await?;
        outcomes.sort_unstable_by_key(|(index, _)| *index);
        for (index, outcome) in outcomes {
            match outcome {
                Outcome::Set => file.stock.set += 1,
                Outcome::Unchanged => file.stock.unchanged += 1,
                Outcome::Refused(refused) => {
                    file.stock.refused += 1;
                    refuse(source, index, refused);
                }
            }
        }
    }
    Ok(())
}

fn refuse(source: &mut Source, index: usize, refused: Refused) {
    let feed = &mut source.feed;
    let line = &feed.stock[index];
    let (column, cell) = (feed.table.header[line.column].trim(), feed.table.rows[line.row].cell(line.column));
    feed.books.refuse(line.row, column, cell, Fault::from(refused));
}

fn unknown_sku(line: &StockLine) -> Refused {
    let message = format!("no variant has SKU {}: import the products it belongs to first", line.sku);
    Refused { reason: Some(Reason::SkuNotFound), code: Code::NotFound, message }
}

/// Reads the stock of every SKU the files name; those that do not exist are not in it.
async fn read_stocks(server: &Server, sources: &[Source]) -> anyhow::Result<HashMap<String, pb::Stock>> {
    let skus: BTreeSet<&str> =
        sources.iter().flat_map(|source| &source.feed.stock).map(|line| line.sku.as_str()).collect();
    let skus: Vec<String> = skus.into_iter().map(str::to_owned).collect();
    let reads = skus.chunks(READ_SKUS).map(|skus| async move {
        let consistency = pb::ReadConsistency::Strong.into();
        let request = pb::BatchGetStockRequest { skus: skus.to_vec(), consistency };
        let answer = ask(request, async |request| server.inventory.clone().batch_get_stock(request).await).await?;
        answer.map_err(|refused| anyhow!("cannot read the stock: {}", refused.message))
    });
    let pages: Vec<pb::BatchGetStockResponse> = stream::iter(reads).buffer_unordered(READS_MAX).try_collect().await?;
    Ok(pages.into_iter().flat_map(|page| page.stocks).map(|stock| (stock.sku.clone(), stock)).collect())
}

/// Sets a level, and reads it again whenever somebody else was quicker.
async fn set_level(server: &Server, content_id: Uuid, line: &StockLine, known: Level) -> anyhow::Result<Outcome> {
    let mut level = known;
    let mut was_set = false;
    let mut races = 0;
    while let Some((quantity, units)) = next_step(level, line) {
        let request = pb::AdjustStockRequest {
            request_id: request_id(content_id, line, quantity, units, level.version).to_string(),
            sku: line.sku.to_string(),
            location_id: line.location.to_string(),
            reason: pb::adjust_stock_request::Reason::Feed.into(),
            quantity: quantity.into(),
            change: Some(Change::Set(units)),
            expected_version: Some(level.version),
        };
        match ask(request, async |request| server.inventory.clone().adjust_stock(request).await).await? {
            Ok(changed) => {
                level = Level::from(&changed);
                was_set = true;
            }
            Err(refused) if refused.reason == Some(Reason::StockVersionMismatch) && races < RACES_MAX => {
                races += 1;
                level = match read_level(server, line).await? {
                    Ok(level) => level,
                    Err(refused) => return Ok(Outcome::Refused(refused)),
                };
            }
            Err(refused) => return Ok(Outcome::Refused(refused)),
        }
    }
    Ok(if was_set { Outcome::Set } else { Outcome::Unchanged })
}

/// What to set next, if anything: first what leaves more units free, so that promises made to shoppers hold on the
/// way too.
fn next_step(level: Level, line: &StockLine) -> Option<(Quantity, i64)> {
    let on_hand = Some(line.on_hand_units).filter(|&units| units != level.on_hand);
    let unavailable = line.unavailable_units.filter(|&units| units != level.unavailable);
    match (on_hand, unavailable) {
        (Some(on_hand), Some(unavailable)) if on_hand < level.on_hand && unavailable < level.unavailable => {
            Some((Quantity::Unavailable, unavailable))
        }
        (Some(on_hand), Some(_) | None) => Some((Quantity::OnHand, on_hand)),
        (None, Some(unavailable)) => Some((Quantity::Unavailable, unavailable)),
        (None, None) => None,
    }
}

async fn read_level(server: &Server, line: &StockLine) -> anyhow::Result<Result<Level, Refused>> {
    let consistency = pb::ReadConsistency::Strong.into();
    let request = pb::GetStockRequest { sku: line.sku.to_string(), consistency };
    let answer = ask(request, async |request| server.inventory.clone().get_stock(request).await).await?;
    Ok(answer.map(|stock| level_of(&stock, line)))
}

/// The same change to the same version is the same request, whichever run asks for it.
fn request_id(content_id: Uuid, line: &StockLine, quantity: Quantity, units: i64, version: i64) -> Uuid {
    let (sku, location, quantity) = (&line.sku, &line.location, quantity.as_str_name());
    let name = format!("{content_id}\0{sku}\0{location}\0{quantity}\0{units}\0{version}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// A level that is not there yet is empty, at version 0.
fn level_of(stock: &pb::Stock, line: &StockLine) -> Level {
    let level = stock.levels.iter().find(|level| level.location_id == line.location.as_str());
    level.map(Level::from).unwrap_or_default()
}

impl From<&pb::StockLevel> for Level {
    fn from(level: &pb::StockLevel) -> Self {
        let (on_hand, unavailable) =
            level.quantities.as_ref().map_or((0, 0), |quantities| (quantities.on_hand, quantities.unavailable));
        Self { version: level.version, on_hand, unavailable }
    }
}
