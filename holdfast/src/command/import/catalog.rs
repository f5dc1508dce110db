//! Brands, locations and products into the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_contracts::common::v1::Money;
use holdfast_contracts::inventory::v1 as pb;
use inventory_svc::domain::feed::{self, Fault, Policy, Product, Status, Variant};
use pb::upsert_product_response::Outcome;
use prost_types::value::Kind;

use super::CALLS_MAX;
use super::server::{Refused, Server, ask};
use super::source::Source;
use super::summary::Summary;
use crate::output::Output;

const PAGE_SIZE: i32 = 500;

pub(super) async fn load(
    server: &Server,
    sources: &mut [Source],
    policy: &Policy,
    summary: &mut Summary,
    output: Output,
) -> anyhow::Result<()> {
    summary.brands_created = load_brands(server, sources).await?;
    summary.locations_created = load_locations(server, sources, policy).await?;
    let products: usize = sources.iter().map(|source| source.feed.products.len()).sum();
    if products == 0 {
        return Ok(());
    }
    let progress = output.progress("products", products as u64);
    // A file after the other: a SKU two files claim goes to the same one in every run.
    for (source, file) in sources.iter_mut().zip(&mut summary.files) {
        let products = &source.feed.products;
        let upserts = (0..products.len()).map(|index| {
            let progress = &progress;
            async move {
                let answer = upsert(server, &products[index]).await?;
                progress.advance(1);
                anyhow::Ok((index, answer))
            }
        });
        let mut answers: Vec<(usize, Result<Outcome, Refused>)> =
            stream::iter(upserts).buffer_unordered(CALLS_MAX).try_collect().await?;
        answers.sort_unstable_by_key(|(index, _)| *index);
        let mut refused_rows = BTreeMap::new();
        for (index, answer) in answers {
            match answer {
                Ok(Outcome::Created) => file.products.created += 1,
                Ok(Outcome::Updated) => file.products.updated += 1,
                Ok(Outcome::Unchanged | Outcome::Unspecified) => file.products.unchanged += 1,
                Err(refused) => {
                    file.products.refused += 1;
                    let rows = source.feed.products[index].variants.iter().map(|variant| variant.row);
                    refused_rows.extend(rows.map(|row| (row, Fault::from(refused.clone()))));
                }
            }
        }
        source.refuse_rows(&refused_rows);
    }
    Ok(())
}

async fn upsert(server: &Server, product: &Product) -> anyhow::Result<Result<Outcome, Refused>> {
    let mut message = to_pb(product);
    if !product.is_complete {
        keep_unsaid_variants(server, &mut message).await?;
    }
    let request = pb::UpsertProductRequest { product: Some(message) };
    let answer = ask(request, async |request| server.catalog.clone().upsert_product(request).await).await?;
    Ok(answer.map(|response| response.outcome()))
}

/// An upsert retires variants that are left out. A rejected row is not a variant left out.
async fn keep_unsaid_variants(server: &Server, product: &mut pb::Product) -> anyhow::Result<()> {
    let request = pb::GetProductRequest { id: product.id.clone() };
    let known = ask(request, async |request| server.catalog.clone().get_product(request).await).await?;
    let said: BTreeSet<String> = product.variants.iter().map(|variant| variant.sku.clone()).collect();
    let unsaid = |variant: &pb::Variant| !variant.retired && !said.contains(&variant.sku);
    // A product that is not there yet has none.
    let known = known.map(|product| product.variants).unwrap_or_default();
    product.variants.extend(known.into_iter().filter(unsaid));
    Ok(())
}

/// Makes the brands that are missing; those that are there belong to the shop and stay as they are.
async fn load_brands(server: &Server, sources: &[Source]) -> anyhow::Result<u64> {
    let wanted: BTreeMap<&str, &String> =
        sources.iter().flat_map(|source| &source.feed.brands).map(|(id, name)| (id.as_str(), name)).collect();
    let mut known = BTreeSet::new();
    let mut page_token = String::new();
    while !wanted.is_empty() {
        let request = pb::ListBrandsRequest { page_size: PAGE_SIZE, page_token };
        let page = ask(request, async |request| server.catalog.clone().list_brands(request).await).await?;
        let page = page.map_err(|refused| anyhow!("cannot list the brands: {}", refused.message))?;
        known.extend(page.brands.into_iter().map(|brand| brand.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let missing = wanted.into_iter().filter(|(id, _)| !known.contains(*id));
    let upserts = missing.map(|(id, name)| async move {
        let brand = pb::Brand { id: id.to_owned(), display_name: name.clone() };
        let request = pb::UpsertBrandRequest { brand: Some(brand) };
        let answer = ask(request, async |request| server.catalog.clone().upsert_brand(request).await).await?;
        answer.map(|_| ()).map_err(|refused| anyhow!("brand {id} is refused: {}", refused.message))
    });
    let made: Vec<()> = stream::iter(upserts).buffer_unordered(CALLS_MAX).try_collect().await?;
    Ok(made.len() as u64)
}

/// Makes the locations that are missing, picked after those that are there: the place stock without a location is at
/// first, the others by name.
async fn load_locations(server: &Server, sources: &[Source], policy: &Policy) -> anyhow::Result<u64> {
    let wanted: BTreeMap<&str, &String> =
        sources.iter().flat_map(|source| &source.feed.locations).map(|(id, name)| (id.as_str(), name)).collect();
    let mut known = BTreeMap::new();
    let mut page_token = String::new();
    while !wanted.is_empty() {
        let request = pb::ListLocationsRequest { page_size: PAGE_SIZE, page_token };
        let page = ask(request, async |request| server.catalog.clone().list_locations(request).await).await?;
        let page = page.map_err(|refused| anyhow!("cannot list the locations: {}", refused.message))?;
        known.extend(page.locations.into_iter().map(|location| (location.id, location.priority)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let mut missing: Vec<_> = wanted.into_iter().filter(|(id, _)| !known.contains_key(*id)).collect();
    missing.sort_by_key(|(_, name)| **name != policy.location);
    let first = known.values().max().map_or(0, |last| last.saturating_add(1));
    let priorities = (0..).map(|nth| first.saturating_add(nth));
    let upserts = missing.into_iter().zip(priorities).map(|((id, name), priority)| async move {
        let location = pb::Location { id: id.to_owned(), display_name: name.clone(), priority };
        let request = pb::UpsertLocationRequest { location: Some(location) };
        let answer = ask(request, async |request| server.catalog.clone().upsert_location(request).await).await?;
        answer.map(|_| ()).map_err(|refused| anyhow!("location {id} is refused: {}", refused.message))
    });
    let made: Vec<()> = stream::iter(upserts).buffer_unordered(CALLS_MAX).try_collect().await?;
    Ok(made.len() as u64)
}

fn to_pb(product: &Product) -> pb::Product {
    let status = match product.status {
        Status::Active => pb::product::Status::Active,
        Status::Draft => pb::product::Status::Draft,
        Status::Archived => pb::product::Status::Archived,
    };
    pb::Product {
        id: product.id.to_string(),
        brand_id: product.brand.to_string(),
        title: product.title.clone(),
        description: product.description.clone(),
        category: product.category.clone(),
        status: status.into(),
        tags: product.tags.clone(),
        attributes: Some(to_struct(&product.attributes)),
        variants: product.variants.iter().map(variant_to_pb).collect(),
        ..pb::Product::default()
    }
}

fn variant_to_pb(variant: &Variant) -> pb::Variant {
    let money =
        |price: &feed::Price| Money { currency_code: price.currency.to_string(), amount_minor: price.amount_minor };
    pb::Variant {
        sku: variant.sku.to_string(),
        options: variant.options.clone().into_iter().collect(),
        gtin: variant.gtin.as_ref().map(ToString::to_string).unwrap_or_default(),
        price: variant.price.as_ref().map(money),
        attributes: Some(to_struct(&variant.attributes)),
        retired: false,
    }
}

fn to_struct(attributes: &BTreeMap<String, String>) -> prost_types::Struct {
    let value = |text: &String| prost_types::Value { kind: Some(Kind::StringValue(text.clone())) };
    prost_types::Struct { fields: attributes.iter().map(|(name, text)| (name.clone(), value(text))).collect() }
}
