//! Lists, a page at a time.

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::server::MESSAGE_BYTES_MAX;
use holdfast_platform::status::reason_of;
use prost::Message as _;

use super::*;

async fn pages(catalog: &Catalog, brand_id: &str, page_size: i32) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListProductsRequest { page_size, page_token, brand_id: brand_id.to_owned() };
        let response = catalog.client().list_products(request).await.expect("a page").into_inner();
        assert!(response.encoded_len() <= MESSAGE_BYTES_MAX);
        pages.push(response.products.into_iter().map(|product| product.id).collect());
        page_token = response.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn pages_cover_every_product_once_in_order() {
    let catalog = Catalog::open().await;
    catalog.upsert_brand("other", "Other").await.unwrap();
    for number in 0..7 {
        let brand_id = if number % 2 == 0 { "acme" } else { "other" }.to_owned();
        catalog
            .upsert(pb::Product { brand_id, ..product(&format!("p{number}"), &[&format!("S{number}")]) })
            .await
            .unwrap();
    }
    assert_eq!(pages(&catalog, "", 3).await, [vec!["p0", "p1", "p2"], vec!["p3", "p4", "p5"], vec!["p6"]]);
    assert_eq!(pages(&catalog, "", 7).await.len(), 1);
    assert_eq!(pages(&catalog, "acme", 2).await, [["p0", "p2"], ["p4", "p6"]]);
    assert_eq!(pages(&catalog, "other", 0).await, [["p1", "p3", "p5"]]);
    assert_eq!(pages(&catalog, "nobody", 0).await, [[""; 0]]);
}

#[tokio::test]
async fn a_page_ends_before_it_outgrows_a_message() {
    let catalog = Catalog::open().await;
    let large = "靴".repeat(100_000);
    for number in 0..20 {
        let product = product(&format!("p{number:02}"), &[&format!("S{number}")]);
        catalog.upsert(pb::Product { description: large.clone(), ..product }).await.unwrap();
    }
    let pages = pages(&catalog, "", 500).await;
    assert_eq!(pages.len(), 2);
    assert_eq!(pages.concat(), (0..20).map(|number| format!("p{number:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn locations_are_listed_in_the_order_they_are_picked() {
    let catalog = Catalog::open().await;
    for (id, priority) in [("berlin", 10), ("aachen", 10), ("outlet", i32::MAX), ("express", -1)] {
        catalog.upsert_location(id, priority).await.unwrap();
    }
    catalog.upsert_location("outlet", 5).await.unwrap();
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListLocationsRequest { page_size: 2, page_token };
        let response = catalog.client().list_locations(request).await.unwrap().into_inner();
        ids.extend(response.locations.into_iter().map(|location| location.id));
        page_token = response.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(ids, ["express", "main", "outlet", "aachen", "berlin"]);
}

#[tokio::test]
async fn brands_are_replaced_whole_and_listed_by_id() {
    let catalog = Catalog::open().await;
    catalog.upsert_brand("beta", "Beta").await.unwrap();
    catalog.upsert_brand("acme", "Acme & Sons").await.unwrap();
    let response = catalog.client().list_brands(pb::ListBrandsRequest::default()).await.unwrap().into_inner();
    let brands: Vec<_> = response.brands.iter().map(|brand| (brand.id.as_str(), brand.display_name.as_str())).collect();
    assert_eq!(brands, [("acme", "Acme & Sons"), ("beta", "Beta")]);
    assert_eq!(response.next_page_token, "");
}

#[tokio::test]
async fn a_token_nobody_gave_is_refused() {
    let catalog = Catalog::open().await;
    let page_token = "not one".to_owned();
    let products = pb::ListProductsRequest { page_token: page_token.clone(), ..pb::ListProductsRequest::default() };
    let brands = pb::ListBrandsRequest { page_token: page_token.clone(), page_size: 0 };
    let locations = pb::ListLocationsRequest { page_token, page_size: 0 };
    for refused in [
        catalog.client().list_products(products).await.unwrap_err(),
        catalog.client().list_brands(brands).await.unwrap_err(),
        catalog.client().list_locations(locations).await.unwrap_err(),
    ] {
        assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument));
        assert!(refused.message().starts_with("page_token "), "{refused}");
    }
}
