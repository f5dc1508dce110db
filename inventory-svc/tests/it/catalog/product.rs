//! What an upsert comes to.

use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::{metadata_of, reason_of};
use tonic::Code;

use super::*;

#[tokio::test]
async fn an_upsert_is_answered_with_what_a_read_then_gives() {
    let catalog = Catalog::open().await;
    let wanted = pb::Product {
        description: "Heavy fleece".to_owned(),
        category: "Apparel > Hoodies".to_owned(),
        tags: vec!["drop".to_owned(), "fleece".to_owned()],
        ..product("hoodie", &["HOODIE-M", "A/B 靴"])
    };
    let (created, outcome) = catalog.upsert(wanted.clone()).await.unwrap();
    assert_eq!(outcome, Outcome::Created);
    assert_eq!((created.version, created.etag.as_str()), (1, "\"1\""));
    assert_eq!(created.variants[0].gtin, "04006381333931");
    assert_eq!(catalog.get("hoodie").await.unwrap(), created);

    // What was given, but for what is the service's to say.
    let mut given = pb::Product { version: 0, update_time: None, etag: String::new(), ..created };
    for variant in &mut given.variants {
        variant.gtin = "4006381333931".to_owned();
    }
    assert_eq!(given, wanted);
}

#[tokio::test]
async fn an_equal_upsert_writes_nothing() {
    let catalog = Catalog::open().await;
    let (created, _) = catalog.upsert(product("hoodie", &["A", "B"])).await.unwrap();
    let (again, outcome) = catalog.upsert(product("hoodie", &["A", "B"])).await.unwrap();
    assert_eq!(outcome, Outcome::Unchanged);
    assert_eq!(again, created);

    // Nor does what was read, with its output-only fields, sent back.
    let (again, outcome) = catalog.upsert(created.clone()).await.unwrap();
    assert_eq!((again, outcome), (created, Outcome::Unchanged));
}

#[tokio::test]
async fn every_field_makes_a_change_of_its_own() {
    let catalog = Catalog::open().await;
    catalog.upsert_brand("other", "Other").await.unwrap();
    let attributes = || prost_types::Struct { fields: [("fabric".to_owned(), "fleece".into())].into() };
    let changes: [fn(&mut pb::Product, prost_types::Struct); 13] = [
        |product, _| product.brand_id = "other".to_owned(),
        |product, _| product.title = "Zip hoodie".to_owned(),
        |product, _| product.description = "Warm".to_owned(),
        |product, _| product.category = "Apparel".to_owned(),
        |product, _| product.status = pb::product::Status::Draft.into(),
        |product, _| product.tags = vec!["drop".to_owned()],
        |product, attributes| product.attributes = Some(attributes),
        |product, _| product.variants.swap(0, 1),
        |product, _| product.variants[0].options.clear(),
        |product, _| product.variants[0].gtin.clear(),
        |product, _| product.variants[0].price = None,
        |product, attributes| product.variants[0].attributes = Some(attributes),
        |product, _| product.variants.push(variant("C")),
    ];
    let mut wanted = product("hoodie", &["A", "B"]);
    catalog.upsert(wanted.clone()).await.unwrap();
    for (number, change) in (0..).zip(changes) {
        change(&mut wanted, attributes());
        let (changed, outcome) = catalog.upsert(wanted.clone()).await.unwrap();
        assert_eq!((outcome, changed.version), (Outcome::Updated, number + 2), "change {number}");
        assert_eq!(catalog.get("hoodie").await.unwrap(), changed, "change {number}");
    }
}

#[tokio::test]
async fn what_is_left_out_is_retired_and_comes_back() {
    let catalog = Catalog::open().await;
    catalog.upsert(product("hoodie", &["A", "B", "C"])).await.unwrap();

    let (fewer, outcome) = catalog.upsert(product("hoodie", &["C"])).await.unwrap();
    assert_eq!((outcome, fewer.version), (Outcome::Updated, 2));
    assert_eq!(skus(&fewer), (vec!["C"], vec!["A", "B"]));
    assert_eq!(catalog.get("hoodie").await.unwrap(), fewer);
    let (again, outcome) = catalog.upsert(product("hoodie", &["C"])).await.unwrap();
    assert_eq!((again, outcome), (fewer, Outcome::Unchanged));

    let (back, outcome) = catalog.upsert(product("hoodie", &["B", "C"])).await.unwrap();
    assert_eq!((outcome, back.version), (Outcome::Updated, 3));
    assert_eq!(skus(&back), (vec!["B", "C"], vec!["A"]));
    assert_eq!(catalog.get("hoodie").await.unwrap(), back);
}

#[tokio::test]
async fn a_sku_stays_with_its_product() {
    let catalog = Catalog::open().await;
    catalog.upsert(product("hoodie", &["A", "B"])).await.unwrap();
    catalog.upsert(product("hoodie", &["A"])).await.unwrap();
    for taken in ["A", "B"] {
        let refused = catalog.upsert(product("tee", &["T", taken])).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(Reason::SkuTaken));
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert_eq!(metadata_of(&refused, "sku").as_deref(), Some(taken));
        assert_eq!(metadata_of(&refused, "product_id").as_deref(), Some("hoodie"));
    }
    assert_eq!(reason_of(&catalog.get("tee").await.unwrap_err()), Some(Reason::ProductNotFound));
    assert_eq!(catalog.get("hoodie").await.unwrap().version, 2);
}

#[tokio::test]
async fn a_product_needs_its_brand() {
    let catalog = Catalog::open().await;
    let orphan = pb::Product { brand_id: "nobody".to_owned(), ..product("hoodie", &["A"]) };
    let refused = catalog.upsert(orphan).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::BrandNotFound));
    assert_eq!(metadata_of(&refused, "brand_id").as_deref(), Some("nobody"));
}

#[tokio::test]
async fn variants_are_found_by_sku_in_the_order_asked() {
    let catalog = Catalog::open().await;
    catalog.upsert(product("hoodie", &["A", "B"])).await.unwrap();
    catalog.upsert(product("hoodie", &["B"])).await.unwrap();
    catalog.upsert(product("tee", &["T"])).await.unwrap();

    let skus = ["T", "X", "A", "B"].map(str::to_owned).to_vec();
    let answer = catalog.client().batch_get_variants(pb::BatchGetVariantsRequest { skus }).await.unwrap().into_inner();
    let found: Vec<_> = answer
        .variants
        .iter()
        .map(|found| (found.product_id.as_str(), found.variant.as_ref().unwrap()))
        .map(|(product, variant)| (product, variant.sku.as_str(), variant.retired))
        .collect();
    assert_eq!(found, [("tee", "T", false), ("hoodie", "A", true), ("hoodie", "B", false)]);
    assert_eq!(answer.not_found, ["X"]);
    assert_eq!(answer.variants[2].variant.as_ref(), catalog.get("hoodie").await.unwrap().variants.first());
}
