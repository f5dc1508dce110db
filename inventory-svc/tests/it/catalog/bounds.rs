//! What is accepted is stored, and what is not is refused by its field.

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::reason_of;
use prost_types::value::Kind;
use prost_types::{Struct, Value};

use super::*;

/// Four bytes, one character.
const WIDE: &str = "𝒳";

fn of_bytes(bytes: usize) -> Option<Struct> {
    let text = "x".repeat(bytes - r#"{"a":""}"#.len());
    Some(Struct { fields: [("a".to_owned(), text.into())].into() })
}

fn of_depth(depth: usize) -> Option<Struct> {
    let value = (1..depth)
        .fold(Value::from(1.0), |inner, _| Kind::ListValue(prost_types::ListValue { values: vec![inner] }).into());
    Some(Struct { fields: [("a".to_owned(), value)].into() })
}

#[tokio::test]
async fn everything_at_its_bound_is_stored() {
    let catalog = Catalog::open().await;
    let mut wanted = product(&WIDE.repeat(255), &["A"]);
    wanted.title = WIDE.repeat(500);
    wanted.description = WIDE.repeat(100_000);
    wanted.category = WIDE.repeat(500);
    wanted.tags = vec![WIDE.repeat(255); 250];
    wanted.attributes = of_bytes(64 << 10);
    wanted.variants =
        (0..2_048).map(|number| pb::Variant { sku: number.to_string(), ..pb::Variant::default() }).collect();
    let first = &mut wanted.variants[0];
    first.sku = WIDE.repeat(100);
    first.options = (0..10).map(|number| (format!("{number}{}", WIDE.repeat(254)), WIDE.repeat(255))).collect();
    first.price = Some(Money { currency_code: "JPY".to_owned(), amount_minor: i64::MAX });
    first.attributes = of_depth(16);
    let (created, _) = catalog.upsert(wanted.clone()).await.unwrap();
    assert_eq!(catalog.get(&wanted.id).await.unwrap(), created);
    assert_eq!(catalog.upsert(wanted).await.unwrap().1, Outcome::Unchanged);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_by_its_field() {
    let catalog = Catalog::open().await;
    let check = async |field: &str, spoil: fn(&mut pb::Product)| {
        let mut wanted = product("hoodie", &["A", "B"]);
        spoil(&mut wanted);
        let refused = catalog.upsert(wanted).await.expect_err(field);
        assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument), "{refused}");
        assert!(refused.message().starts_with(&format!("{field} ")), "{field}: {refused}");
    };
    check("product.id", |product| product.id.clear()).await;
    check("product.id", |product| product.id = "a/b".to_owned()).await;
    check("product.brand_id", |product| product.brand_id.clear()).await;
    check("product.title", |product| product.title.clear()).await;
    check("product.title", |product| product.title = "x".repeat(501)).await;
    check("product.title", |product| product.title = "a\0".to_owned()).await;
    check("product.description", |product| product.description = "x".repeat(100_001)).await;
    check("product.description", |product| product.description = "\0".to_owned()).await;
    check("product.category", |product| product.category = "x".repeat(501)).await;
    check("product.status", |product| product.status = 99).await;
    check("product.tags", |product| product.tags = vec!["x".to_owned(); 251]).await;
    check("product.tags[1]", |product| product.tags = vec!["x".to_owned(), "x".repeat(256)]).await;
    check("product.tags[0]", |product| product.tags = vec!["\0".to_owned()]).await;
    check("product.attributes", |product| product.attributes = of_bytes((64 << 10) + 1)).await;
    check("product.attributes", |product| product.attributes = of_depth(17)).await;
    check("product.attributes.a", |product| {
        product.attributes = Some(Struct { fields: [("a".to_owned(), f64::NAN.into())].into() });
    })
    .await;
    check("product.variants", |product| product.variants.clear()).await;
    check("product.variants", |product| product.variants = vec![variant("A"); 2_049]).await;
    check("product.variants[1].sku", |product| product.variants[1].sku.clear()).await;
    check("product.variants[1].sku", |product| product.variants[1].sku = "A".to_owned()).await;
    check("product.variants[1].sku", |product| product.variants[1].sku = "B\0".to_owned()).await;
    check("product.variants[1].gtin", |product| product.variants[1].gtin = "4006381333932".to_owned()).await;
    check("product.variants[1].options", |product| {
        product.variants[1].options = (0..11).map(|number| (number.to_string(), String::new())).collect();
    })
    .await;
    check("product.variants[1].options.Size", |product| {
        product.variants[1].options = [("Size".to_owned(), "x".repeat(256))].into();
    })
    .await;
    check("product.variants[1].options", |product| {
        product.variants[1].options = [("\0".to_owned(), String::new())].into();
    })
    .await;
    check("product.variants[1].price.currency_code", |product| {
        product.variants[1].price = Some(Money { currency_code: "eur".to_owned(), amount_minor: 1 });
    })
    .await;
    check("product.variants[1].price.amount_minor", |product| {
        product.variants[1].price = Some(Money { currency_code: "EUR".to_owned(), amount_minor: -1 });
    })
    .await;
    check("product.variants[1].attributes.a", |product| {
        product.variants[1].attributes = Some(Struct { fields: [("a".to_owned(), Value { kind: None })].into() });
    })
    .await;
    let list = catalog.client().list_products(pb::ListProductsRequest::default()).await.unwrap().into_inner();
    assert_eq!(list.products, []);
}

#[tokio::test]
async fn other_requests_are_refused_by_their_field_too() {
    let catalog = Catalog::open().await;
    let mut client = catalog.client();
    let no_skus = pb::BatchGetVariantsRequest::default();
    let many_skus = pb::BatchGetVariantsRequest { skus: vec!["A".to_owned(); 1_001] };
    let bad_sku = pb::BatchGetVariantsRequest { skus: vec!["A".to_owned(), String::new()] };
    let negative = pb::ListProductsRequest { page_size: -1, ..pb::ListProductsRequest::default() };
    let bad_brand = pb::ListProductsRequest { brand_id: "ACME".to_owned(), ..pb::ListProductsRequest::default() };
    for (field, refused) in [
        ("product", client.upsert_product(pb::UpsertProductRequest::default()).await.unwrap_err()),
        ("brand", client.upsert_brand(pb::UpsertBrandRequest::default()).await.unwrap_err()),
        ("location", client.upsert_location(pb::UpsertLocationRequest::default()).await.unwrap_err()),
        ("brand.id", catalog.upsert_brand("ACME", "Acme").await.unwrap_err()),
        ("brand.display_name", catalog.upsert_brand("acme", "").await.unwrap_err()),
        ("location.id", catalog.upsert_location("a b", 0).await.unwrap_err()),
        ("id", catalog.get("").await.unwrap_err()),
        ("skus", client.batch_get_variants(no_skus).await.unwrap_err()),
        ("skus", client.batch_get_variants(many_skus).await.unwrap_err()),
        ("skus[1]", client.batch_get_variants(bad_sku).await.unwrap_err()),
        ("page_size", client.list_products(negative).await.unwrap_err()),
        ("brand_id", client.list_products(bad_brand).await.unwrap_err()),
    ] {
        assert_eq!(reason_of(&refused), Some(Reason::InvalidArgument), "{field}: {refused}");
        assert!(refused.message().starts_with(&format!("{field} ")), "{field}: {refused}");
    }
}
