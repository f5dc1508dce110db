//! Upserts at the same time.

use std::time::Duration;

use futures_util::future::join_all;
use holdfast_contracts::common::v1::Reason;
use holdfast_platform::status::reason_of;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn upserts_of_one_product_serialise() {
    let catalog = Catalog::open().await;
    let titled = |number: usize| pb::Product { title: format!("Hoodie {number}"), ..product("hoodie", &["A", "B"]) };
    let answers = join_all((0..24).map(|number| catalog.upsert(titled(number)))).await;
    let mut versions: Vec<i64> = answers.into_iter().map(|answer| answer.unwrap().0.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=24).collect::<Vec<_>>());
    assert_eq!(catalog.get("hoodie").await.unwrap().version, 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_upserts_have_one_effect() {
    let catalog = Catalog::open().await;
    let answers = join_all((0..24).map(|_| catalog.upsert(product("hoodie", &["A", "B"])))).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|(product, _)| product.version == 1));
    assert_eq!(answers.iter().filter(|(_, outcome)| *outcome == Outcome::Created).count(), 1);
    assert_eq!(answers.iter().filter(|(_, outcome)| *outcome == Outcome::Unchanged).count(), 23);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_the_upserts_at_the_same_time_is_left_whole() {
    let catalog = Catalog::open().await;
    let all = ["A", "B", "C", "D"];
    for round in 0..10 {
        catalog.upsert(product("hoodie", &all)).await.unwrap();
        let answers = join_all(all.iter().map(|sku| catalog.upsert(product("hoodie", &[sku])))).await;
        let last = answers.into_iter().map(|answer| answer.unwrap().0).max_by_key(|product| product.version);
        let read = catalog.get("hoodie").await.unwrap();
        assert_eq!((Some(&read), skus(&read).0.len(), read.version), (last.as_ref(), 1, 5 * (round + 1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_wanting_the_same_skus_do_not_deadlock() {
    let catalog = Catalog::open().await;
    for round in 0..12 {
        let up: Vec<String> = (0..400).map(|number| format!("{round}-{number:03}")).collect();
        let upsert = |id: &'static str, backwards: bool| {
            let mut skus: Vec<&str> = up.iter().map(String::as_str).collect();
            if backwards {
                skus.reverse();
            }
            // Every other round the products exist already, and only their SKUs are new.
            catalog.upsert(product(&format!("{id}-{}", round / 2), &skus))
        };
        let answers = join_all([upsert("a", false), upsert("b", true), upsert("c", false), upsert("d", true)]).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{lost:?}");
        for refused in lost {
            let refused = refused.unwrap_err();
            assert_eq!(reason_of(&refused), Some(Reason::SkuTaken), "{refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_no_longer_than_its_caller() {
    let catalog = Catalog::open().await;
    catalog.upsert(product("hoodie", &["A"])).await.unwrap();
    let mut other = catalog.db().await;
    let blocking = other.transaction().await.unwrap();
    blocking.batch_execute("SELECT 1 FROM inventory.product FOR UPDATE").await.unwrap();

    let wanted = pb::Product { title: "Zip hoodie".to_owned(), ..product("hoodie", &["A"]) };
    let mut request = tonic::Request::new(pb::UpsertProductRequest { product: Some(wanted.clone()) });
    request.set_timeout(Duration::from_millis(100));
    let refused = catalog.client().upsert_product(request).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::DeadlineExceeded), "{refused}");

    // Whether the call took effect is found by repeating it.
    drop(blocking);
    assert_eq!(catalog.upsert(wanted).await.unwrap().0.version, 2);
}
