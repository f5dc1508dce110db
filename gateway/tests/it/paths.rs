//! Whatever a shop calls its goods, a path can name it.

use holdfast_contracts::Sku;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use crate::world::World;

/// What JavaScript's encodeURIComponent leaves alone.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

async fn check(world: &World, sku: &str) {
    let encoded = utf8_percent_encode(sku, COMPONENT).to_string();
    let stock = world.get(&format!("/v1/stock/{encoded}")).await;
    assert_eq!((stock.status.as_u16(), &stock.json()["sku"]), (200, &sku.into()), "{sku:?}");
    assert_eq!(world.get(&format!("/v1/stock/{encoded}/movements")).await.status, 200);
    let adjusted = world.post(&format!("/v1/stock/{encoded}:adjust"), r#"{"delta": 1}"#).await;
    assert_eq!((adjusted.status.as_u16(), &adjusted.json()["sku"]), (200, &sku.into()), "{sku:?}");
}

#[tokio::test]
async fn skus_survive_the_path() {
    let world = World::start().await;
    for sku in
        ["HOODIE-M", "A/B", "A B", "A:adjust", ":adjust", "a:b:c", "靴-42", "50%", "%2F", "a+b", "?", "#", ";", "~"]
    {
        check(&world, sku).await;
    }
}

#[tokio::test]
async fn a_colon_is_a_verb_only_where_one_is_declared() {
    let world = World::start().await;
    let sku = async |path: &str| world.get(path).await.json()["sku"].clone();
    assert_eq!(sku("/v1/stock/A:B").await, "A:B");
    assert_eq!(sku("/v1/stock/A:adjust").await, "A:adjust");
    assert_eq!(sku("/v1/stock/A%3Aadjust").await, "A:adjust");
    let adjusted = world.post("/v1/stock/A:B:adjust", r#"{"delta": 1}"#).await;
    assert_eq!(adjusted.json()["sku"], "A:B");
    world.post("/v1/stock/A%3Aadjust", "{}").await.problem(405, "METHOD_NOT_ALLOWED");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sku_survives_the_path(text in "\\PC{1,40}") {
        // `.` and `..` are resolved by clients before they send a path.
        prop_assume!(text.parse::<Sku>().is_ok() && text != "." && text != "..");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { check(&World::start().await, &text).await });
    }
}
